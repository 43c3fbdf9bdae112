//! When was a connection synced last, and what came of it?
//!
//! A sync may take longer than a user waits for a page: it runs by itself, and the page says how it stands.
//! A host with many users has a queue for that.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::Clock;
use integrations_core::sync::SyncReport;
use integrations_core::{ConnectionId, Error, Gateway, Locale, Result};
use serde::{Deserialize, Serialize};

/// How long a page waits for a sync to end.
const PATIENCE: Duration = Duration::from_secs(2);
const MEMORY: Duration = Duration::from_secs(366 * 24 * 3600);

/// The last sync that went well, and the one after it that did not.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Last {
    pub(crate) done: Option<Done>,
    pub(crate) failed: Option<Failed>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) at: DateTime<Utc>,
    pub(crate) updated: u64,
    pub(crate) removed: u64,
    pub(crate) unreadable: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub(crate) at: DateTime<Utc>,
    /// For the user.
    pub(crate) message: String,
}

/// The syncs that run in this process, and what came of those that have ended.
#[derive(Debug)]
pub(crate) struct Syncs {
    values: Arc<dyn KeyValueStore>,
    clock: Arc<dyn Clock>,
    running: Mutex<HashSet<ConnectionId>>,
}

impl Syncs {
    pub(crate) fn new(values: Arc<dyn KeyValueStore>, clock: Arc<dyn Clock>) -> Self {
        Self { values, clock, running: Mutex::default() }
    }

    fn running(&self) -> MutexGuard<'_, HashSet<ConnectionId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_running(&self, id: &ConnectionId) -> bool {
        self.running().contains(id)
    }

    /// Starts a sync, unless one runs, and waits for a moment: most have ended by then.
    pub(crate) async fn start(self: &Arc<Self>, gateway: &Gateway, id: &ConnectionId) {
        if !self.running().insert(id.clone()) {
            return;
        }
        let (syncs, gateway, id) = (Arc::clone(self), gateway.clone(), id.clone());
        let task = tokio::spawn(async move {
            let running = Running { syncs: &syncs, id: &id };
            let outcome = gateway.sync(&id).await;
            // One that was taken down meanwhile is not written about.
            if gateway.connection(&id).await.is_ok()
                && let Err(error) = syncs.note(&id, outcome).await
            {
                eprintln!("what came of a sync could not be stored: {error}");
            }
            drop(running);
        });
        tokio::select! {
            _ = task => {}
            () = self.clock.sleep(PATIENCE) => {}
        }
    }

    async fn note(&self, id: &ConnectionId, outcome: Result<SyncReport>) -> Result<()> {
        let at = self.clock.now();
        let outcome = outcome.and_then(SyncReport::into_result);
        let last = match outcome {
            Ok(report) => {
                let total = report.total();
                let removed = total.deleted + total.swept;
                let updated = total.upserted - listed_again(&report);
                let done = Done { at, updated, removed, unreadable: total.quarantined };
                Last { done: Some(done), failed: None }
            }
            Err(error) => {
                let message = error.user_message(Locale::En).to_owned();
                Last { failed: Some(Failed { at, message }), ..self.last(id).await? }
            }
        };
        let text = serde_json::to_vec(&last).map_err(|_| unreadable())?;
        self.values.put(&key(id), &text, MEMORY).await
    }

    pub(crate) async fn last(&self, id: &ConnectionId) -> Result<Last> {
        match self.values.get(&key(id)).await? {
            Some(text) => serde_json::from_slice(&text).map_err(|_| unreadable()),
            None => Ok(Last::default()),
        }
    }

    pub(crate) async fn forget(&self, id: &ConnectionId) -> Result<()> {
        self.values.take(&key(id)).await.map(drop)
    }
}

/// How much came although it may be as it was: lists of people, channels and labels come whole each time.
fn listed_again(report: &SyncReport) -> u64 {
    let streams = report.streams.iter().filter_map(|(_, report)| report.as_ref().ok());
    streams.filter(|report| report.started_in == "listed").map(|report| report.upserted).sum()
}

/// A sync that runs, until it is dropped.
struct Running<'a> {
    syncs: &'a Syncs,
    id: &'a ConnectionId,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.syncs.running().remove(self.id);
    }
}

fn key(id: &ConnectionId) -> String {
    format!("web:sync:{id}")
}

fn unreadable() -> Error {
    Error::new(integrations_core::ErrorKind::Store, "what is stored of the last sync cannot be read")
}
