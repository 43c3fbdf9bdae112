//! Where does the audit log rest?
//!
//! Entries are added and never changed. They go when [`PostgresStore::purge_audit`] is called: how long they have to
//! stay is the host's to know.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::{ConnectionId, ServiceId, TenantId, UserId};
use integrations_core::observe::{AuditEntry, AuditLog};
use sqlx::{Postgres, QueryBuilder};

use super::PostgresStore;
use super::failure::{Answered, unreadable, unwritable};
use crate::audit::AuditQuery;

impl PostgresStore {
    /// Reads the audit log: each entry with its number, which only grows. Whoever reads on behind the last number
    /// misses no entry.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](integrations_core::ErrorKind::Store).
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditEntry)>> {
        const OPERATION: &str = "audit.read";
        let mut sql = QueryBuilder::<Postgres>::new("SELECT key, body FROM audit WHERE true");
        if let Some(owner) = &query.owner {
            sql.push(" AND tenant = ").push_bind(owner.tenant.as_str());
            sql.push(" AND \"user\" = ").push_bind(owner.user.as_str());
        }
        if let Some(connection) = &query.connection {
            sql.push(" AND connection = ").push_bind(connection.as_str());
        }
        if let Some(action) = query.action {
            sql.push(" AND action = ").push_bind(action.as_str());
        }
        if query.critical {
            sql.push(" AND critical");
        }
        if let Some(since) = query.since {
            sql.push(" AND at >= ").push_bind(since.timestamp_micros());
        }
        if let Some(after) = query.after {
            sql.push(" AND key > ").push_bind(after);
        }
        sql.push(" ORDER BY key");
        if let Some(limit) = query.limit {
            sql.push(" LIMIT ").push_bind(i64::from(limit));
        }
        let mut connection = self.connection(OPERATION).await?;
        let rows: Vec<(i64, String)> =
            sql.build_query_as().fetch_all(&mut *connection).answered(OPERATION).await?;
        rows.into_iter()
            .map(|(key, body)| {
                let entry = serde_json::from_str(&body)
                    .map_err(|error| unreadable("audit entry", OPERATION, &error))?;
                Ok((key, entry))
            })
            .collect()
    }

    /// Deletes the entries from before an instant, and returns how many there were. The family's own default
    /// is to keep them for seven years.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](integrations_core::ErrorKind::Store).
    pub async fn purge_audit(&self, before: DateTime<Utc>) -> Result<u64> {
        const OPERATION: &str = "audit.purge";
        let mut connection = self.connection(OPERATION).await?;
        let gone = sqlx::query("DELETE FROM audit WHERE at < $1")
            .bind(before.timestamp_micros())
            .execute(&mut *connection)
            .answered_at_last(OPERATION)
            .await?;
        Ok(gone.rows_affected())
    }
}

#[async_trait]
impl AuditLog for PostgresStore {
    async fn append(&self, entry: &AuditEntry) -> Result<()> {
        const OPERATION: &str = "audit.append";
        let body = serde_json::to_string(entry).map_err(|_| unwritable("audit entry", OPERATION))?;
        let (tenant, user) = entry.owner.as_ref().map(|owner| (&owner.tenant, &owner.user)).unzip();
        let mut connection = self.connection(OPERATION).await?;
        sqlx::query(
            "WITH last AS (UPDATE audit_last SET key = key + 1 RETURNING key) \
             INSERT INTO audit (key, at, action, tenant, \"user\", service, connection, critical, body) \
             SELECT last.key, $1, $2, $3, $4, $5, $6, $7, $8 FROM last",
        )
        .bind(entry.at.timestamp_micros())
        .bind(entry.action.as_str())
        .bind(tenant.map(TenantId::as_str))
        .bind(user.map(UserId::as_str))
        .bind(entry.service.as_ref().map(ServiceId::as_str))
        .bind(entry.connection.as_ref().map(ConnectionId::as_str))
        .bind(entry.critical)
        .bind(body)
        .execute(&mut *connection)
        .answered(OPERATION)
        .await?;
        Ok(())
    }
}
