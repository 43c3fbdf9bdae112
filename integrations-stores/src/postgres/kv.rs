//! Where do short-lived values rest?

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use sqlx::PgConnection;

use super::failure::{Answered, store_error};
use super::{PostgresStore, micros};

/// How often what has expired is cleared away, in writes, and how much at once: more than they add.
const WRITES_PER_PURGE: u64 = 32;
const PURGED_AT_ONCE: i64 = 1000;

#[async_trait]
impl KeyValueStore for PostgresStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        const OPERATION: &str = "kv.get";
        let mut connection = self.connection(OPERATION).await?;
        sqlx::query_scalar("SELECT value FROM kv WHERE key = $1 AND expires_at > now_micros($2)")
            .bind(key)
            .bind(self.now())
            .fetch_optional(&mut *connection)
            .answered(OPERATION)
            .await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()> {
        const OPERATION: &str = "kv.put";
        let mut connection = self.connection(OPERATION).await?;
        sqlx::query(
            "INSERT INTO kv (key, value, expires_at) VALUES ($1, $2, now_micros($3) + $4) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
        )
        .bind(key)
        .bind(value)
        .bind(self.now())
        .bind(micros(ttl))
        .execute(&mut *connection)
        .answered(OPERATION)
        .await?;
        self.purge(&mut connection).await;
        Ok(())
    }

    async fn put_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool> {
        const OPERATION: &str = "kv.put_if_absent";
        let mut connection = self.connection(OPERATION).await?;
        let written = sqlx::query(
            "INSERT INTO kv (key, value, expires_at) VALUES ($1, $2, now_micros($3) + $4) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at \
             WHERE kv.expires_at <= now_micros($3)",
        )
        .bind(key)
        .bind(value)
        .bind(self.now())
        .bind(micros(ttl))
        .execute(&mut *connection)
        .answered(OPERATION)
        .await?;
        self.purge(&mut connection).await;
        Ok(written.rows_affected() == 1)
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        const OPERATION: &str = "kv.take";
        let mut connection = self.connection(OPERATION).await?;
        let taken: Option<(Vec<u8>, bool)> =
            sqlx::query_as("DELETE FROM kv WHERE key = $1 RETURNING value, expires_at > now_micros($2)")
                .bind(key)
                .bind(self.now())
                .fetch_optional(&mut *connection)
                .answered(OPERATION)
                .await?;
        Ok(taken.filter(|(_, alive)| *alive).map(|(value, _)| value))
    }
}

impl PostgresStore {
    /// Clears away what has expired, once in a while: values, and the guards of holders who have crashed. What the
    /// caller has written is written all the same when this fails.
    pub(super) async fn purge(&self, connection: &mut PgConnection) {
        if !self.inner.writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(WRITES_PER_PURGE) {
            return;
        }
        // What somebody else purges or renews at the same time is left to them.
        for sql in [
            "DELETE FROM kv WHERE key = ANY(ARRAY(SELECT key FROM kv WHERE expires_at <= (SELECT now_micros($1)) \
               LIMIT $2 FOR UPDATE SKIP LOCKED))",
            "DELETE FROM refresh_guards WHERE connection = ANY(ARRAY(SELECT connection FROM refresh_guards \
               WHERE expires_at <= (SELECT now_micros($1)) LIMIT $2 FOR UPDATE SKIP LOCKED))",
        ] {
            let purged =
                sqlx::query(sql).bind(self.now()).bind(PURGED_AT_ONCE).execute(&mut *connection).await;
            if let Err(error) = purged {
                tracing::debug!(error = %store_error("kv.purge", error), "what has expired stays until the next purge");
                return;
            }
        }
    }
}
