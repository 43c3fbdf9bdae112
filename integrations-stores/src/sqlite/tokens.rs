//! Where do connections rest?

use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::{ConnectionFilter, RefreshGuard, TokenStore};
use integrations_core::connection::{Connection, ConnectionId};
use integrations_core::{Error, ErrorKind, Result};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use super::failure::{OrStore, count, integer, unreadable, unwritable};

#[async_trait]
impl TokenStore for SqliteStore {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        const OPERATION: &str = "tokens.get";
        let mut connection = self.reader(OPERATION).await?;
        sqlx::query_as("SELECT version, body FROM connections WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&mut *connection)
            .await
            .or_store(OPERATION)?
            .map(|row| decode(row, OPERATION))
            .transpose()
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        const OPERATION: &str = "tokens.put";
        let row = Row::new(connection, OPERATION)?;
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                let version = if row.version == 0 {
                    row.insert(connection).await
                } else {
                    row.update(connection).await
                };
                version.or_store(OPERATION)?.map(count).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Conflict,
                        "the connection was written or deleted by somebody else; read it again, then decide",
                    )
                    .with_code("stale_version")
                    .with_operation(OPERATION)
                })
            })
        })
        .await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        const OPERATION: &str = "tokens.delete";
        let id = id.as_str().to_owned();
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                let version: Option<i64> =
                    sqlx::query_scalar("DELETE FROM connections WHERE id = ? RETURNING version")
                        .bind(id)
                        .fetch_optional(&mut *connection)
                        .await
                        .or_store(OPERATION)?;
                if let Some(version) = version {
                    sqlx::query("UPDATE deleted_versions SET highest = max(highest, ?)")
                        .bind(version)
                        .execute(connection)
                        .await
                        .or_store(OPERATION)?;
                }
                Ok(version.is_some())
            })
        })
        .await
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        const OPERATION: &str = "tokens.list";
        let mut query = QueryBuilder::<Sqlite>::new("SELECT version, body FROM connections WHERE 1");
        if let Some(owner) = &filter.owner {
            query.push(" AND tenant = ").push_bind(owner.tenant.as_str());
            query.push(" AND user = ").push_bind(owner.user.as_str());
        }
        if let Some(tenant) = &filter.tenant {
            query.push(" AND tenant = ").push_bind(tenant.as_str());
        }
        if let Some(status) = filter.status {
            query.push(" AND status = ").push_bind(status);
        }
        if let Some(service) = &filter.service {
            query.push(" AND service = ").push_bind(service.as_str());
        }
        if let Some(after) = &filter.after {
            query.push(" AND id > ").push_bind(after.as_str());
        }
        query.push(" ORDER BY id");
        if let Some(limit) = filter.limit {
            query.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        }
        let mut connection = self.reader(OPERATION).await?;
        let rows: Vec<(i64, String)> =
            query.build_query_as().fetch_all(&mut *connection).await.or_store(OPERATION)?;
        rows.into_iter().map(|row| decode(row, OPERATION)).collect()
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        const OPERATION: &str = "tokens.acquire_refresh_guard";
        let guard = RefreshGuard { connection: id.clone(), holder: Uuid::new_v4().to_string() };
        // The clock is read under the lock: a wait for it must not count as part of another's time.
        let store = self.clone();
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                // All that have run out, so that no holder who crashed is kept for ever; there are never
                // many rows.
                sqlx::query("DELETE FROM refresh_guards WHERE expires_at <= ?")
                    .bind(store.now())
                    .execute(&mut *connection)
                    .await
                    .or_store(OPERATION)?;
                let inserted = sqlx::query(
                    "INSERT INTO refresh_guards (connection, holder, expires_at) VALUES (?, ?, ?) \
                     ON CONFLICT DO NOTHING",
                )
                .bind(guard.connection.as_str())
                .bind(guard.holder.as_str())
                .bind(store.expiry(ttl))
                .execute(connection)
                .await
                .or_store(OPERATION)?;
                Ok((inserted.rows_affected() == 1).then_some(guard))
            })
        })
        .await
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        const OPERATION: &str = "tokens.release_refresh_guard";
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                sqlx::query("DELETE FROM refresh_guards WHERE connection = ? AND holder = ?")
                    .bind(guard.connection.as_str())
                    .bind(guard.holder)
                    .execute(connection)
                    .await
                    .or_store(OPERATION)?;
                Ok(())
            })
        })
        .await
    }
}

fn decode((version, body): (i64, String), operation: &'static str) -> Result<Connection> {
    let mut connection: Connection =
        serde_json::from_str(&body).map_err(|error| unreadable("connection", operation, &error))?;
    connection.version = count(version);
    Ok(connection)
}

/// A connection, ready to be written.
struct Row {
    id: String,
    tenant: String,
    user: String,
    service: String,
    account_id: String,
    status: &'static str,
    version: i64,
    body: String,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn new(connection: &Connection, operation: &'static str) -> Result<Self> {
        Ok(Self {
            id: connection.id.to_string(),
            tenant: connection.owner.tenant.to_string(),
            user: connection.owner.user.to_string(),
            service: connection.service.to_string(),
            account_id: connection.account.id.to_string(),
            status: connection.status.as_str(),
            version: integer(connection.version, operation)?,
            body: serde_json::to_string(connection).map_err(|_| unwritable("connection", operation))?,
            created_at: connection.created_at.timestamp_micros(),
            updated_at: connection.updated_at.timestamp_micros(),
        })
    }

    /// A connection that was deleted and has come back begins above its old versions, so that whoever
    /// still holds one of those cannot overwrite it.
    async fn insert(self, connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(
            "INSERT INTO connections \
             (id, tenant, user, service, account_id, status, body, created_at, updated_at, version) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT highest + 1 FROM deleted_versions)) \
             ON CONFLICT DO NOTHING RETURNING version",
        )
        .bind(self.id)
        .bind(self.tenant)
        .bind(self.user)
        .bind(self.service)
        .bind(self.account_id)
        .bind(self.status)
        .bind(self.body)
        .bind(self.created_at)
        .bind(self.updated_at)
        .fetch_optional(connection)
        .await
    }

    async fn update(self, connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(
            "UPDATE connections SET tenant = ?, user = ?, service = ?, account_id = ?, status = ?, body = ?, \
             created_at = ?, updated_at = ?, version = version + 1 WHERE id = ? AND version = ? \
             RETURNING version",
        )
        .bind(self.tenant)
        .bind(self.user)
        .bind(self.service)
        .bind(self.account_id)
        .bind(self.status)
        .bind(self.body)
        .bind(self.created_at)
        .bind(self.updated_at)
        .bind(self.id)
        .bind(self.version)
        .fetch_optional(connection)
        .await
    }
}
