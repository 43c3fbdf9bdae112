//! A large folder takes no more memory than a small one. It is a program of its own, so that what others take is
//! not counted.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use integrations_core::auth::Vault;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::memory::MemoryStore;
use integrations_core::model::Change;
use integrations_core::resilience::Unlimited;
use integrations_core::sync::{Commit, Receipt, StreamKey, StreamState, SyncRequest, SyncSink, Unseen};
use integrations_core::{Gateway, Result};
use integrations_msgraph::{GraphConfig, OutlookMail};
use integrations_testkit::msgraph::{FakeGraph, FolderSpec};

/// Counts the records, and keeps the positions alone.
#[derive(Debug, Default)]
struct Counting {
    states: Mutex<HashMap<StreamKey, StreamState>>,
    records: AtomicUsize,
    /// How large the records are, as Graph sent them.
    bytes: AtomicUsize,
}

#[async_trait]
impl SyncSink for Counting {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        Ok(self.states.lock().unwrap().get(stream).cloned().unwrap_or_default())
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        for change in &commit.changes {
            if let Change::Upsert(record) = change {
                self.records.fetch_add(1, Relaxed);
                self.bytes.fetch_add(record.raw.len(), Relaxed);
            }
        }
        let revision = commit.expected_revision + 1;
        let state = StreamState { position: commit.position, revision, fence: commit.fence };
        self.states.lock().unwrap().insert(commit.stream, state);
        Ok(Receipt { revision, swept: 0 })
    }

    async fn count_unseen(&self, _: &StreamKey, _: u64) -> Result<Unseen> {
        Ok(Unseen::default())
    }

    async fn forget(&self, _: &ConnectionId) -> Result<u64> {
        Ok(0)
    }

    async fn streams(&self, _: &ConnectionId) -> Result<Vec<StreamId>> {
        Ok(Vec::new())
    }

    async fn forget_stream(&self, _: &StreamKey) -> Result<u64> {
        Ok(0)
    }
}

/// The most memory that the program has had, in KiB; `None` where the system does not say.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Reads a folder of so many made-up messages; returns how many bytes it has.
async fn read(messages: usize) -> usize {
    let fake =
        FakeGraph::builder().folder(FolderSpec::well_known("inbox").generated(messages as u64)).start().await;
    let secret = fake.client_secret().unwrap_or_default();
    let config =
        GraphConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build().unwrap();
    let store = Arc::new(MemoryStore::new());
    let sink = Arc::new(Counting::default());
    let gateway = Gateway::builder()
        .adapter(OutlookMail::new(config).unwrap())
        .token_store(store.clone())
        .key_value_store(store)
        .sync_sink(sink.clone())
        .vault(Vault::ephemeral().unwrap())
        .rate_limiter(Arc::new(Unlimited))
        .build()
        .unwrap();
    let redirect = "http://127.0.0.1:9/callback";
    let begun = gateway.connect("ada", "outlook_mail").redirect_uri(redirect).begin().await.unwrap();
    let callback = fake.consent(begun.url.as_str()).await.unwrap();
    let connection = gateway.complete("ada", &callback).await.unwrap();
    let inbox = fake.folder_id("inbox").into();
    gateway.sync_stream(&connection.id, &inbox, SyncRequest::incremental()).await.unwrap();
    assert_eq!(sink.records.load(Relaxed), messages);
    sink.bytes.load(Relaxed)
}

#[tokio::test]
async fn a_large_folder_takes_no_more_memory_than_a_small_one() {
    if most_memory().is_none() {
        println!("skipped: the system does not say how much memory was taken");
        return;
    }
    read(2_000).await;
    let small = most_memory().unwrap();
    let large = read(12_000).await as u64 >> 10;
    let grown = most_memory().unwrap() - small;
    println!("{small} KiB for 2,000 messages; {grown} KiB more for 12,000, which have {large} KiB");
    assert!(grown < large / 4, "{grown} KiB more for {large} KiB of messages");
}
