//! What has a sync changed?
//!
//! Everything that a sync brings goes through one door, [`SyncSink::commit`]. A host that wants to hear of each
//! change puts a sink of its own before its store, and compares.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::connection::{ConnectionId, ServiceId, StreamId};
use integrations_core::model::{self, Entity};
use integrations_core::sync::{Commit, Receipt, StreamKey, StreamState, SyncSink, Unseen};
use integrations_stores::SqliteStore;

/// Something came, changed, or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It came.
    New,
    /// It changed.
    Changed,
    /// It went.
    Gone,
}

impl Sign {
    /// In JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::New => "+",
            Self::Changed => "~",
            Self::Gone => "-",
        })
    }
}

/// A record that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it belongs.
    pub service: ServiceId,
    /// What became of it.
    pub sign: Sign,
    /// Its first line, where it has one.
    pub title: Option<String>,
}

/// As a line of a list.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sign, self.title.as_deref().unwrap_or("(untitled)"))
    }
}

/// A store that remembers what its syncs have changed, until it is asked.
///
/// What a provider sends again as it was is no change: lists of people, channels and labels come whole each time.
#[derive(Debug)]
pub struct Watch {
    store: SqliteStore,
    changes: Mutex<Vec<Change>>,
}

impl Watch {
    /// Watches what is written to a store.
    pub fn over(store: &SqliteStore) -> Arc<Self> {
        Arc::new(Self { store: store.clone(), changes: Mutex::default() })
    }

    fn changes(&self) -> MutexGuard<'_, Vec<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has changed since the last time.
    pub fn take(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes())
    }

    /// What a commit will change.
    async fn look_at(&self, commit: &Commit) -> Result<Vec<Change>> {
        // What is taken away and written anew in one commit has changed, if it has: what comes last counts.
        let mut order = Vec::new();
        let mut last = HashMap::new();
        for change in &commit.changes {
            let (id, now) = match change {
                model::Change::Upsert(record) => (&record.source.id, Some(&record.entity)),
                model::Change::Delete { id } => (id, None),
            };
            if last.insert(id, now).is_none() {
                order.push(id);
            }
        }
        let mut changes = Vec::new();
        for id in order {
            let now = last.get(id).copied().flatten();
            let before = self.store.record(&commit.stream, id).await?.map(|record| record.entity);
            let sign = match (&before, now) {
                (None, None) => continue,
                (Some(before), Some(now)) if before == now => continue,
                (None, Some(_)) => Sign::New,
                (Some(_), Some(_)) => Sign::Changed,
                (Some(_), None) => Sign::Gone,
            };
            let title = now.or(before.as_ref()).and_then(Entity::title).map(str::to_owned);
            changes.push(Change { service: commit.stream.service.clone(), sign, title });
        }
        Ok(changes)
    }
}

#[async_trait]
impl SyncSink for Watch {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        self.store.load(stream).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        let mut changes = self.look_at(&commit).await?;
        let service = commit.stream.service.clone();
        let receipt = self.store.commit(commit).await?;
        let swept =
            (0..receipt.swept).map(|_| Change { service: service.clone(), sign: Sign::Gone, title: None });
        changes.extend(swept);
        self.changes().append(&mut changes);
        Ok(receipt)
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        self.store.count_unseen(stream, generation).await
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        self.store.forget(connection).await
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        SyncSink::streams(&self.store, connection).await
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        self.store.forget_stream(stream).await
    }
}
