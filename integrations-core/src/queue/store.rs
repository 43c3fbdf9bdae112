//! Where does work wait, and who has it?

use std::collections::BTreeMap;
use std::fmt;
use std::future;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::job::{
    JobFailure, JobId, JobKind, JobRecord, JobState, Lease, LeaseId, NewJob, Payload, Progress,
};
use crate::connection::Owner;
use crate::error::Result;

/// The host's queue of work, over all processes that share it. Conformance: `integrations-testkit`.
///
/// # Life of a job
///
/// ```text
///             lease                       settle: done
///  waiting ─────────▶ running ───────────────────────────▶ done ──┐ purge
///     ▲  ▲              │  │              settle: dead            ├───────▶ (gone)
///     │  └──────────────┘  └─────────────────────────────▶ dead ──┘
///     │   settle: retry, release; the lease has run out     │
///     └─────────────────────────────────────────────────────┘ requeue
/// ```
///
/// # Order
/// Of the due jobs of a kind, those of a higher [priority](super::Priority) come first. Among those, users take turns: a
/// job waits for at most one job of each other user, however many they have, and for those of its own
/// user that came before.
///
/// # Twins
/// Jobs with the same kind, owner and [key](NewJob::key) are twins. At most one of them waits and one runs: one
/// that comes while another [waits](JobQueue::enqueue) is coalesced with it, one that comes while another runs makes
/// that run once more.
///
/// # At least once
/// A job whose worker has crashed is leased by another when its lease has run out. What it does must
/// bear that; [`Lease::fence`] tells an old runner from a new one. The tenth lease that runs out makes the job
/// dead, with code `lease_lost`: it may be what brings its workers down.
///
/// # Cancel safety
/// Whoever drops the future of a call does not know whether it has happened; it has happened whole or not at all.
/// A lease that nobody has heard of runs out.
#[async_trait]
pub trait JobQueue: fmt::Debug + Send + Sync + 'static {
    /// Puts jobs into the queue, all or none, and says what became of each. Once this returns `Ok`, they survive
    /// what the queue promises to survive.
    ///
    /// A job with a key whose twin waits is coalesced with it: the twin takes on the newer payload, the higher
    /// priority and the earlier due time (but a twin that waits for a retry keeps its time: a provider may have
    /// asked for it). One whose twin runs is kept until that is settled, and waits from then on; of several, one
    /// is kept, coalesced in the same way.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) with code `payload_too_large`;
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>>;

    /// Takes due jobs for a while: of each kind that is wanted the first ones, and nothing of other kinds. Nobody
    /// else gets them until they are settled or the lease has run out.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn lease(&self, request: &LeaseRequest) -> Result<Leased>;

    /// Keeps leases alive for so long from now on, and says of each whether it is still held: one that somebody
    /// else has taken, or that was settled, is lost, and its work must stop.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>>;

    /// Says how jobs have ended, and says of each whether its lease was still held: if not, nothing has happened
    /// to the job.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>>;

    /// Counts what waits, runs, was done and is dead, by kind.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn stats(&self) -> Result<QueueStats>;

    /// Reads jobs, with what the queue knows of them, in the order in which they were put into it.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>>;

    /// Puts finished jobs into the queue once more, as new jobs that are due at once; `None` for an id of which
    /// there is none. Dead ones are dead letters no more; those that were done stay in the history.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>>;

    /// Deletes what was finished before an instant, and returns how many jobs that were.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn purge(&self, before: DateTime<Utc>) -> Result<u64>;

    /// Returns when there may be something new to lease of one of these kinds: at the latest soon after a job
    /// was put into the queue by this process, and where the queue can, by any. It may return early, and for
    /// jobs that become due it need not return at all: [`Leased::next_due`] tells of those.
    ///
    /// What comes between a [`lease`](JobQueue::lease) that found nothing and the call of this is not missed.
    /// A queue that cannot tell never returns.
    async fn wait(&self, kinds: &[JobKind]) {
        let _ = kinds;
        future::pending::<()>().await;
    }
}

/// What became of a job that was put into the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enqueued {
    /// The job that will do what was asked for; where a twin [runs](Enqueuing::Again), that twin.
    pub id: JobId,
    /// How.
    pub how: Enqueuing,
}

impl Enqueued {
    /// Says what became of a job.
    pub fn new(id: impl Into<JobId>, how: Enqueuing) -> Self {
        Self { id: id.into(), how }
    }
}

/// How a job was put into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enqueuing {
    /// As a job of its own.
    Added,
    /// A twin that waits does its work, too.
    Coalesced,
    /// A twin that runs will run once more.
    Again,
}

/// Who wants to do how many jobs of which kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The worker's name, for people to read.
    pub worker: String,
    /// How many jobs of which kinds, at the most. A kind stands here once.
    pub wants: Vec<(JobKind, usize)>,
    /// For how long.
    pub ttl: Duration,
}

impl LeaseRequest {
    /// At most so many jobs of one kind.
    pub fn new(worker: impl Into<String>, kind: impl Into<JobKind>, max: usize, ttl: Duration) -> Self {
        Self { worker: worker.into(), wants: vec![(kind.into(), max)], ttl }
    }

    /// And at most so many of another.
    pub fn and(mut self, kind: impl Into<JobKind>, max: usize) -> Self {
        self.wants.push((kind.into(), max));
        self
    }
}

/// What was leased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leased {
    /// The jobs, those of each kind in their order.
    pub leases: Vec<Lease>,
    /// In how long the next job of these kinds becomes due, or the next lease of one of them runs out, as far as
    /// the queue knows; `None` when there is none. It may be early, and never late.
    pub next_due: Option<Duration>,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// What is kept alive.
    pub lease: LeaseId,
    /// For how long from now on.
    pub ttl: Duration,
    /// How far the job is, if that is news.
    pub progress: Option<Progress>,
}

/// How a job has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settlement {
    /// Whose.
    pub lease: LeaseId,
    /// How.
    pub outcome: Outcome,
    /// Why, if it failed.
    pub failure: Option<JobFailure>,
    /// How far it was.
    pub progress: Option<Progress>,
    /// What comes after a job that is done or dead: the same once more, as a new job. A twin that came while it ran
    /// is coalesced with it.
    pub repeat: Option<Repeat>,
}

impl Settlement {
    /// A job has ended so.
    pub fn new(lease: LeaseId, outcome: Outcome) -> Self {
        Self { lease, outcome, failure: None, progress: None, repeat: None }
    }

    /// It is done.
    pub fn done(lease: &Lease) -> Self {
        Self::new(lease.id(), Outcome::Done)
    }

    /// Why it failed.
    pub fn because(mut self, failure: impl Into<JobFailure>) -> Self {
        self.failure = Some(failure.into());
        self
    }

    /// And then the same once more.
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = Some(repeat);
        self
    }
}

/// How a job has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It has failed, and is to be tried again so long from now.
    Retry {
        /// How long.
        after: Duration,
    },
    /// It has failed for good.
    Dead,
    /// It was not done, and whoever comes next may do it; that is no failure.
    Release,
}

/// The same job once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// How long from now.
    pub after: Duration,
    /// With another payload; `None` for the same.
    pub payload: Option<Payload>,
}

/// What a queue holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct QueueStats {
    /// By kind; one of which there never was a job is not among them.
    pub kinds: BTreeMap<JobKind, KindStats>,
}

impl QueueStats {
    /// The sum over all kinds.
    pub fn total(&self) -> KindStats {
        let mut total = KindStats::default();
        for kind in self.kinds.values() {
            total.ready += kind.ready;
            total.delayed += kind.delayed;
            total.running += kind.running;
            total.dead += kind.dead;
            total.done_ever += kind.done_ever;
            total.retried_ever += kind.retried_ever;
            total.dead_ever += kind.dead_ever;
            total.oldest = total.oldest.max(kind.oldest);
        }
        total
    }
}

/// What a queue holds of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct KindStats {
    /// Jobs that wait for a worker.
    pub ready: u64,
    /// Jobs that wait for their time.
    pub delayed: u64,
    /// Jobs that a worker has; those whose lease has run out may be among them.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// How many were done, since the queue was set up.
    pub done_ever: u64,
    /// How many tries have failed and were followed by another.
    pub retried_ever: u64,
    /// How many were given up.
    pub dead_ever: u64,
    /// For how long the one has been due that has waited longest; in seconds in JSON.
    #[serde(serialize_with = "seconds")]
    pub oldest: Option<Duration>,
}

#[allow(clippy::ref_option, reason = "serde asks for it")]
fn seconds<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

/// Which jobs to read; the default lets all through.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct JobQuery {
    /// Those in this state.
    pub state: Option<JobState>,
    /// Those of this kind.
    pub kind: Option<JobKind>,
    /// Those of this user.
    pub owner: Option<Owner>,
    /// The one with this id.
    pub id: Option<JobId>,
    /// Those finished at this instant or later.
    pub finished_since: Option<DateTime<Utc>>,
    /// Those finished before this instant.
    pub finished_before: Option<DateTime<Utc>>,
    /// Those behind this one in the order: the last of the page before.
    pub after: Option<JobId>,
    /// At most so many; 100 where it is not said.
    pub limit: Option<usize>,
}

impl JobQuery {
    /// Those in a state.
    pub fn in_state(state: JobState) -> Self {
        Self { state: Some(state), ..Self::default() }
    }

    /// The one with this id.
    pub fn by_id(id: impl Into<JobId>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// Those of a kind.
    pub fn kind(mut self, kind: impl Into<JobKind>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Those of a user.
    pub fn owner(mut self, owner: impl Into<Owner>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Those that were finished in a window of time: at its beginning or later, and before its end.
    pub fn finished(mut self, since: DateTime<Utc>, before: DateTime<Utc>) -> Self {
        self.finished_since = Some(since);
        self.finished_before = Some(before);
        self
    }

    /// A page: those behind a job, at most so many.
    pub fn page(mut self, after: Option<JobId>, limit: usize) -> Self {
        self.after = after;
        self.limit = Some(limit);
        self
    }

    /// How many to read at the most.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(100)
    }

    /// Whether the query lets a job through, its page aside.
    pub fn matches(&self, record: &JobRecord) -> bool {
        self.state.is_none_or(|state| state == record.state)
            && self.kind.as_ref().is_none_or(|kind| *kind == record.job.kind)
            && self.owner.as_ref().is_none_or(|owner| *owner == record.job.owner)
            && self.id.as_ref().is_none_or(|id| *id == record.job.id)
            && self.finished_since.is_none_or(|since| record.finished_at.is_some_and(|at| at >= since))
            && self.finished_before.is_none_or(|before| record.finished_at.is_some_and(|at| at < before))
    }
}

/// How many leases of a job may run out before it is given up: it may be what brings its workers down.
pub const MOST_LOST_LEASES: u32 = 10;
