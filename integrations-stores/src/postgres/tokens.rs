//! Where do connections rest?
//!
//! Versions are numbers of one sequence, so that no number is ever that of two versions: whoever still holds one of a
//! connection that was deleted and has come back cannot overwrite it.

use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::{ConnectionFilter, RefreshGuard, TokenStore};
use integrations_core::connection::{Connection, ConnectionId};
use integrations_core::{Error, ErrorKind, Result};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::failure::{Answered, count, integer, unreadable, unwritable};
use super::{PostgresStore, micros};

#[async_trait]
impl TokenStore for PostgresStore {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        const OPERATION: &str = "tokens.get";
        let mut connection = self.connection(OPERATION).await?;
        sqlx::query_as("SELECT version, body FROM connections WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&mut *connection)
            .answered(OPERATION)
            .await?
            .map(|row| decode(row, OPERATION))
            .transpose()
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        const OPERATION: &str = "tokens.put";
        let version = integer(connection.version, OPERATION)?;
        let body = serde_json::to_string(connection).map_err(|_| unwritable("connection", OPERATION))?;
        let mut session = self.connection(OPERATION).await?;
        let written = write(&mut session, connection, version, &body).answered(OPERATION).await?;
        written.map(count).ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                "the connection was written or deleted by somebody else; read it again, then decide",
            )
            .with_code("stale_version")
            .with_operation(OPERATION)
        })
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        const OPERATION: &str = "tokens.delete";
        let mut connection = self.connection(OPERATION).await?;
        let deleted = sqlx::query("DELETE FROM connections WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *connection)
            .answered(OPERATION)
            .await?;
        Ok(deleted.rows_affected() == 1)
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        const OPERATION: &str = "tokens.list";
        let mut query = QueryBuilder::<Postgres>::new("SELECT version, body FROM connections WHERE true");
        if let Some(owner) = &filter.owner {
            query.push(" AND tenant = ").push_bind(owner.tenant.as_str());
            query.push(" AND \"user\" = ").push_bind(owner.user.as_str());
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
        let mut connection = self.connection(OPERATION).await?;
        let rows: Vec<(i64, String)> =
            query.build_query_as().fetch_all(&mut *connection).answered(OPERATION).await?;
        rows.into_iter().map(|row| decode(row, OPERATION)).collect()
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        const OPERATION: &str = "tokens.acquire_refresh_guard";
        let guard = RefreshGuard { connection: id.clone(), holder: Uuid::new_v4().to_string() };
        let mut connection = self.connection(OPERATION).await?;
        let taken = sqlx::query(
            "INSERT INTO refresh_guards (connection, holder, expires_at) VALUES ($1, $2, now_micros($3) + $4) \
             ON CONFLICT (connection) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
             WHERE refresh_guards.expires_at <= now_micros($3)",
        )
        .bind(guard.connection.as_str())
        .bind(guard.holder.as_str())
        .bind(self.now())
        .bind(micros(ttl))
        .execute(&mut *connection)
        .answered(OPERATION).await?;
        Ok((taken.rows_affected() == 1).then_some(guard))
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        const OPERATION: &str = "tokens.release_refresh_guard";
        let mut connection = self.connection(OPERATION).await?;
        sqlx::query("DELETE FROM refresh_guards WHERE connection = $1 AND holder = $2")
            .bind(guard.connection.as_str())
            .bind(guard.holder)
            .execute(&mut *connection)
            .answered(OPERATION)
            .await?;
        self.purge(&mut connection).await;
        Ok(())
    }
}

/// Writes the connection over its version, and returns the new one; `None` where that is not the version that is
/// stored.
async fn write(
    session: &mut PgConnection,
    connection: &Connection,
    version: i64,
    body: &str,
) -> Result<Option<i64>, sqlx::Error> {
    let statement = if version == 0 {
        sqlx::query_scalar(
            "INSERT INTO connections \
               (id, tenant, \"user\", service, account_id, status, body, created_at, updated_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nextval('connection_versions')) \
             ON CONFLICT DO NOTHING RETURNING version",
        )
    } else {
        sqlx::query_scalar(
            "UPDATE connections SET tenant = $2, \"user\" = $3, service = $4, account_id = $5, status = $6, \
               body = $7, created_at = $8, updated_at = $9, version = nextval('connection_versions') \
             WHERE id = $1 AND version = $10 RETURNING version",
        )
    };
    let statement = statement
        .bind(connection.id.as_str())
        .bind(connection.owner.tenant.as_str())
        .bind(connection.owner.user.as_str())
        .bind(connection.service.as_str())
        .bind(connection.account.id.as_str())
        .bind(connection.status.as_str())
        .bind(body)
        .bind(connection.created_at.timestamp_micros())
        .bind(connection.updated_at.timestamp_micros());
    let statement = if version == 0 { statement } else { statement.bind(version) };
    statement.fetch_optional(session).await
}

fn decode((version, body): (i64, String), operation: &'static str) -> Result<Connection> {
    let mut connection: Connection =
        serde_json::from_str(&body).map_err(|error| unreadable("connection", operation, &error))?;
    connection.version = count(version);
    Ok(connection)
}
