//! How many jobs were there ever?
//!
//! One message per kind holds the sums, and each process adds to it what it has seen, many at a time.

use std::collections::BTreeMap;
use std::sync::Weak;

use bytes::Bytes;
use integrations_core::Result;
use integrations_core::queue::JobKind;
use serde::{Deserialize, Serialize};

use super::server::{Put, Writing};
use super::shared::Shared;
use crate::group::{Group, same};

/// What is counted of a kind since the queue was set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    #[serde(default)]
    pub(super) done: u64,
    #[serde(default)]
    pub(super) retried: u64,
    #[serde(default)]
    pub(super) dead: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.done += other.done;
        self.retried += other.retried;
        self.dead += other.dead;
    }
}

/// Adds to the counts.
pub(super) type Counter = Group<Vec<(JobKind, Counts)>, ()>;

pub(super) fn counter(shared: Weak<Shared>) -> Counter {
    Group::new(1000, 1, move |batch: Vec<Vec<(JobKind, Counts)>>| {
        let shared = shared.clone();
        async move {
            let waiting = batch.len();
            let mut sums: BTreeMap<JobKind, Counts> = BTreeMap::new();
            for (kind, counts) in batch.into_iter().flatten() {
                *sums.entry(kind).or_default() += counts;
            }
            let mut failed = None;
            if let Some(shared) = shared.upgrade() {
                for (kind, counts) in sums {
                    if let Err(error) = add(&shared, &kind, counts).await {
                        failed = Some(error);
                    }
                }
            }
            (0..waiting).map(|_| failed.as_ref().map_or(Ok(()), |error| Err(same(error)))).collect()
        }
    })
}

async fn add(shared: &Shared, kind: &JobKind, more: Counts) -> Result<()> {
    const OPERATION: &str = "queue.count";
    let subject = shared.names.count(kind);
    let (mut sequence, mut counts) = shared.index().counts(kind);
    loop {
        let mut sum = counts;
        sum += more;
        // In the header for those who follow, in the body for those who come to add.
        let text = serde_json::to_string(&(kind, sum)).unwrap_or_default();
        let body = Bytes::from(text.clone());
        let writing = Writing { behind: Some(sequence), glance: &text, body, once: None };
        match shared.server.put(OPERATION, subject.clone(), writing).await? {
            Put::Stored(stored) => {
                shared.index().set_counts(kind, stored, sum);
                return Ok(());
            }
            Put::Conflict => {
                let last = shared.server.last(OPERATION, &shared.names.jobs, &subject).await?;
                (sequence, counts) = match last {
                    Some(last) => {
                        let read = serde_json::from_slice::<(JobKind, Counts)>(&last.body);
                        (last.sequence, read.map_err(|_| super::failure::unreadable(OPERATION))?.1)
                    }
                    None => (0, Counts::default()),
                };
            }
        }
    }
}
