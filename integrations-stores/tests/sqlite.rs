//! Does the SQLite backend keep the promises of the host traits, and its own?

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "sqlite/audit.rs"]
mod audit;
#[path = "sqlite/jobs.rs"]
mod jobs;
#[path = "sqlite/opening.rs"]
mod opening;
#[path = "sqlite/reading.rs"]
mod reading;
#[path = "sqlite/sharing.rs"]
mod sharing;
#[path = "sqlite/writing.rs"]
mod writing;

use std::sync::Arc;

use integrations_core::clock::Clock;
use integrations_core::sync::{Commit, Fence, Position, StreamKey, Window};
use integrations_stores::SqliteStore;
use integrations_testkit::conformance::upsert;
use tempfile::TempDir;

mod on_disk {
    use super::*;

    async fn make(clock: Arc<dyn Clock>) -> (SqliteStore, TempDir) {
        let directory = directory();
        let store = SqliteStore::builder().clock(clock).open(directory.path().join("app.db")).await.unwrap();
        (store, directory)
    }

    integrations_testkit::sync_sink_conformance!(make, with guard);
    integrations_testkit::token_store_conformance!(make, with guard);
    integrations_testkit::key_value_store_conformance!(make, with guard);
    integrations_testkit::job_queue_conformance!(make, with guard);
}

mod in_memory {
    use super::*;

    async fn make(clock: Arc<dyn Clock>) -> SqliteStore {
        SqliteStore::builder().clock(clock).in_memory().await.unwrap()
    }

    integrations_testkit::sync_sink_conformance!(make);
    integrations_testkit::token_store_conformance!(make);
    integrations_testkit::key_value_store_conformance!(make);
    integrations_testkit::job_queue_conformance!(make);
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
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
