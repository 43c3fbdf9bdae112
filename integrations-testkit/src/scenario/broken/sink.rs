//! What would a broken sink do?

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::model::Change;
use integrations_core::sync::{Commit, Position, Receipt, StreamKey, StreamState, SyncSink, Unseen, Window};
use integrations_core::{Error, ErrorKind, Result};

use super::Subject;

/// What a sink does wrong.
#[derive(Debug)]
enum Flaw {
    MovesThePositionFirst,
    NeverSweeps,
    BelievesEveryListing,
    LetsEverybodyCommit,
    KnowsNoItemTwice(Mutex<HashSet<(StreamId, u64, String)>>),
    KeepsWhatWasQuarantined,
    SweepsWhatWasQuarantined,
    ForgetsNothing,
    ForgetsTheWindow,
    TellsNoListingsApart,
}

/// The position moves, and then the records are written.
pub fn a_sink_that_moves_the_position_first(subject: Subject) -> Subject {
    flawed(subject, || Flaw::MovesThePositionFirst)
}

/// What a listing has not seen stays.
pub fn a_sink_that_never_sweeps(subject: Subject) -> Subject {
    flawed(subject, || Flaw::NeverSweeps)
}

/// However little a listing has seen, it is said to have seen everything.
pub fn a_sink_that_believes_every_listing(subject: Subject) -> Subject {
    flawed(subject, || Flaw::BelievesEveryListing)
}

/// A commit on top of what another runner has committed goes through.
pub fn a_sink_that_lets_everybody_commit(subject: Subject) -> Subject {
    flawed(subject, || Flaw::LetsEverybodyCommit)
}

/// An item that comes twice in a listing is an error.
pub fn a_sink_that_knows_no_item_twice(subject: Subject) -> Subject {
    flawed(subject, || Flaw::KnowsNoItemTwice(Mutex::default()))
}

/// An item that was mended is not written, since it was quarantined once.
pub fn a_sink_that_keeps_what_was_quarantined(subject: Subject) -> Subject {
    flawed(subject, || Flaw::KeepsWhatWasQuarantined)
}

/// An item that could not be read does not count as seen.
pub fn a_sink_that_sweeps_what_was_quarantined(subject: Subject) -> Subject {
    flawed(subject, || Flaw::SweepsWhatWasQuarantined)
}

/// What is to be forgotten stays.
pub fn a_sink_that_forgets_nothing(subject: Subject) -> Subject {
    flawed(subject, || Flaw::ForgetsNothing)
}

/// The position is stored without its window.
pub fn a_sink_that_forgets_the_window(subject: Subject) -> Subject {
    flawed(subject, || Flaw::ForgetsTheWindow)
}

/// Records do not show which listing has seen them.
pub fn a_sink_that_tells_no_listings_apart(subject: Subject) -> Subject {
    flawed(subject, || Flaw::TellsNoListingsApart)
}

fn flawed(subject: Subject, flaw: fn() -> Flaw) -> Subject {
    subject.wrap_sink(move |inner| Arc::new(Flawed { inner, flaw: flaw(), quarantined: Mutex::default() }))
}

#[derive(Debug)]
struct Flawed {
    inner: Arc<dyn SyncSink>,
    flaw: Flaw,
    quarantined: Mutex<HashSet<String>>,
}

impl Flawed {
    /// Remembers who was quarantined, and says who was.
    fn quarantined(&self, commit: &Commit) -> HashSet<String> {
        let mut known = self.quarantined.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(commit.quarantined.iter().filter_map(|item| item.id.clone()));
        known.clone()
    }
}

#[async_trait]
impl SyncSink for Flawed {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        self.inner.load(stream).await
    }

    async fn commit(&self, mut commit: Commit) -> Result<Receipt> {
        let quarantined = self.quarantined(&commit);
        match &self.flaw {
            Flaw::MovesThePositionFirst => {
                let mut moved = commit.clone();
                (moved.changes, moved.quarantined, moved.sweep) = (Vec::new(), Vec::new(), None);
                commit.expected_revision = self.inner.commit(moved).await?.revision;
                tokio::task::yield_now().await;
            }
            Flaw::NeverSweeps => commit.sweep = None,
            Flaw::LetsEverybodyCommit => {
                commit.expected_revision = self.inner.load(&commit.stream).await?.revision;
            }
            Flaw::KnowsNoItemTwice(known) => {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                for change in &commit.changes {
                    let item = (commit.stream.stream.clone(), commit.generation, change.id().to_owned());
                    if matches!(change, Change::Upsert(_)) && !known.insert(item) {
                        return Err(Error::new(ErrorKind::Store, "the item is there already"));
                    }
                }
            }
            Flaw::KeepsWhatWasQuarantined => {
                commit.changes.retain(|change| !quarantined.contains(change.id()));
            }
            Flaw::SweepsWhatWasQuarantined => commit.quarantined.iter_mut().for_each(|item| item.id = None),
            Flaw::ForgetsTheWindow => {
                if let Position::Listing { window, .. }
                | Position::Tracking { window, .. }
                | Position::Listed { window, .. } = &mut commit.position
                {
                    *window = Window::ALL;
                }
            }
            Flaw::TellsNoListingsApart => commit.generation = 1,
            Flaw::BelievesEveryListing | Flaw::ForgetsNothing => {}
        }
        self.inner.commit(commit).await
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        let count = self.inner.count_unseen(stream, generation).await?;
        Ok(match self.flaw {
            Flaw::BelievesEveryListing => Unseen { seen: count.seen, unseen: 0 },
            _ => count,
        })
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        match self.flaw {
            Flaw::ForgetsNothing => Ok(0),
            _ => self.inner.forget(connection).await,
        }
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        self.inner.streams(connection).await
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        self.inner.forget_stream(stream).await
    }
}
