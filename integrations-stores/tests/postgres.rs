//! Does the PostgreSQL backend keep the promises of the host traits, and its own?
//!
//! The server is that of `POSTGRES_URL`; each test has a schema of its own there, which is gone afterwards.

#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "postgres/audit.rs"]
mod audit;
#[path = "postgres/dropping.rs"]
mod dropping;
#[path = "postgres/failing.rs"]
mod failing;
#[path = "postgres/life.rs"]
mod life;
#[path = "postgres/opening.rs"]
mod opening;
#[path = "postgres/queue.rs"]
mod queue;
#[path = "postgres/reading.rs"]
mod reading;
#[path = "postgres/restart.rs"]
mod restart;
#[path = "postgres/sharing.rs"]
mod sharing;
#[path = "postgres/writing.rs"]
mod writing;

use std::sync::Arc;
use std::thread;

use integrations_core::clock::Clock;
use integrations_core::sync::{Commit, Fence, Position, StreamKey, Window};
use integrations_stores::PostgresStore;
use integrations_stores::postgres::PostgresStoreBuilder;
use integrations_testkit::conformance::upsert;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

mod promises {
    use super::*;

    async fn make(clock: Arc<dyn Clock>) -> (PostgresStore, Schema) {
        let schema = Schema::new();
        let store = schema.builder().clock(clock).connect(&url()).await.unwrap();
        store.migrate().await.unwrap();
        (store, schema)
    }

    integrations_testkit::sync_sink_conformance!(make, with guard, ignore = "needs postgres");
    integrations_testkit::token_store_conformance!(make, with guard, ignore = "needs postgres");
    integrations_testkit::key_value_store_conformance!(make, with guard, ignore = "needs postgres");
    integrations_testkit::job_queue_conformance!(make, with guard, ignore = "needs postgres");
}

fn url() -> String {
    std::env::var("POSTGRES_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into())
}

/// The name of a schema that nobody else has. What is in it is gone with this.
struct Schema(String);

impl Schema {
    fn new() -> Self {
        Self(format!("test_{}", Uuid::new_v4().simple()))
    }

    fn builder(&self) -> PostgresStoreBuilder {
        PostgresStore::builder().schema(&self.0).max_connections(3)
    }

    /// A migrated store on the server's clock.
    async fn store(&self) -> PostgresStore {
        let store = self.builder().connect(&url()).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    async fn sql(&self, sql: &str) {
        let mut connection = self.connection().await;
        sqlx::raw_sql(AssertSqlSafe(sql.replace("$schema", &self.0))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connection().await;
        let sql = AssertSqlSafe(sql.replace("$schema", &self.0));
        let number = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }

    async fn connection(&self) -> PgConnection {
        PgConnection::connect(&url()).await.unwrap()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.0);
        // A thread of its own: the test's may be one that must not block.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&url()).await?;
                sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await?;
                connection.close().await
            })
        })
        .join();
        if !thread::panicking() {
            dropped.unwrap().unwrap();
        }
    }
}

fn commit(stream: &StreamKey, expected_revision: u64, ids: &[&str]) -> Commit {
    Commit {
        stream: stream.clone(),
        fence: Fence::default(),
        expected_revision,
        generation: 1,
        changes: ids.iter().map(|id| upsert(id)).collect(),
        quarantined: Vec::new(),
        sweep: None,
        position: Position::Resync { generation: 1, window: Window::ALL },
    }
}
