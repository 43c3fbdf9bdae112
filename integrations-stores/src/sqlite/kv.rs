//! Where do short-lived values rest?

use std::time::Duration;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::failure::OrStore;

/// How many expired values a write clears away: more than it adds, and few enough to cost nothing.
const PURGED_PER_WRITE: i64 = 32;

#[async_trait]
impl KeyValueStore for SqliteStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        const OPERATION: &str = "kv.get";
        let now = self.now();
        let mut connection = self.reader(OPERATION).await?;
        sqlx::query_scalar("SELECT value FROM kv WHERE key = ? AND expires_at > ?")
            .bind(key)
            .bind(now)
            .fetch_optional(&mut *connection)
            .await
            .or_store(OPERATION)
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()> {
        const OPERATION: &str = "kv.put";
        let (store, key, value) = (self.clone(), key.to_owned(), value.to_vec());
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                purge(connection, store.now(), OPERATION).await?;
                sqlx::query(
                    "INSERT INTO kv (key, value, expires_at) VALUES (?, ?, ?) \
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
                )
                .bind(key)
                .bind(value)
                .bind(store.expiry(ttl))
                .execute(connection)
                .await
                .or_store(OPERATION)?;
                Ok(())
            })
        })
        .await
    }

    async fn put_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool> {
        const OPERATION: &str = "kv.put_if_absent";
        let (store, key, value) = (self.clone(), key.to_owned(), value.to_vec());
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                let now = store.now();
                purge(connection, now, OPERATION).await?;
                let written = sqlx::query(
                    "INSERT INTO kv (key, value, expires_at) VALUES (?, ?, ?) \
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at \
                     WHERE kv.expires_at <= ?",
                )
                .bind(key)
                .bind(value)
                .bind(store.expiry(ttl))
                .bind(now)
                .execute(connection)
                .await
                .or_store(OPERATION)?;
                Ok(written.rows_affected() == 1)
            })
        })
        .await
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        const OPERATION: &str = "kv.take";
        let (store, key) = (self.clone(), key.to_owned());
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                let taken: Option<(Vec<u8>, i64)> =
                    sqlx::query_as("DELETE FROM kv WHERE key = ? RETURNING value, expires_at")
                        .bind(key)
                        .fetch_optional(connection)
                        .await
                        .or_store(OPERATION)?;
                let now = store.now();
                Ok(taken.filter(|(_, expires_at)| *expires_at > now).map(|(value, _)| value))
            })
        })
        .await
    }
}

async fn purge(connection: &mut SqliteConnection, now: i64, operation: &'static str) -> Result<()> {
    sqlx::query("DELETE FROM kv WHERE key IN (SELECT key FROM kv WHERE expires_at <= ? LIMIT ?)")
        .bind(now)
        .bind(PURGED_PER_WRITE)
        .execute(connection)
        .await
        .or_store(operation)?;
    Ok(())
}
