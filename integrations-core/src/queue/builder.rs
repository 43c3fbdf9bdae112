//! What does a pool need to be put together?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::after::JobRetries;
use super::handler::JobHandler;
use super::job::JobKind;
use super::pool::{Kind, WorkerPool};
use super::store::JobQueue;
use super::work::{self, Worker};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::{Observer, Silent};

/// How many jobs of a kind a pool does at once, unless the host says otherwise.
const CONCURRENCY: &[(&str, usize)] =
    &[(JobKind::FULL_SYNC, 5), (JobKind::INCREMENTAL_SYNC, 10), (JobKind::WEBHOOK, 20)];
const CONCURRENCY_OF_OTHERS: usize = 5;

/// Puts a [`WorkerPool`] together.
#[derive(Debug)]
pub struct WorkerPoolBuilder {
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    name: Option<String>,
    handlers: BTreeMap<JobKind, Arc<dyn JobHandler>>,
    concurrency: BTreeMap<JobKind, usize>,
    retries: JobRetries,
    retries_of: BTreeMap<JobKind, JobRetries>,
    ttl: Duration,
    grace: Duration,
    poll: Duration,
    seed: Option<u64>,
}

impl WorkerPoolBuilder {
    pub(super) fn new(queue: Arc<dyn JobQueue>) -> Self {
        Self {
            queue,
            clock: SystemClock::shared(),
            observer: Arc::new(Silent),
            name: None,
            handlers: BTreeMap::new(),
            concurrency: BTreeMap::new(),
            retries: JobRetries::default(),
            retries_of: BTreeMap::new(),
            ttl: Duration::from_secs(60),
            grace: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            seed: None,
        }
    }

    /// Does the jobs of a kind with this handler. Kinds without one are left to other pools.
    pub fn handler(mut self, kind: impl Into<JobKind>, handler: Arc<dyn JobHandler>) -> Self {
        self.handlers.insert(kind.into(), handler);
        self
    }

    /// Does several kinds, e.g. those of a [`Scheduler`](crate::schedule::Scheduler).
    pub fn handlers(mut self, handlers: impl IntoIterator<Item = (JobKind, Arc<dyn JobHandler>)>) -> Self {
        self.handlers.extend(handlers);
        self
    }

    /// How many jobs of a kind are done at once: by default 5 of `full_sync`, 10 of `incremental_sync`, 20 of
    /// `webhook`, and 5 of any other.
    pub fn concurrency(mut self, kind: impl Into<JobKind>, jobs: usize) -> Self {
        self.concurrency.insert(kind.into(), jobs);
        self
    }

    /// How jobs are tried again; by default 3 times, from 2 s on.
    pub fn retries(mut self, retries: JobRetries) -> Self {
        self.retries = retries;
        self
    }

    /// How jobs of a kind are tried again.
    pub fn retries_of(mut self, kind: impl Into<JobKind>, retries: JobRetries) -> Self {
        self.retries_of.insert(kind.into(), retries);
        self
    }

    /// How long a job stays away when its process has died; 60 s by default. A third of it lies between heartbeats.
    pub fn lease(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How long jobs may go on when the pool is to stop; 30 s by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How often a queue is asked that does not tell of new jobs by itself; every second by default.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// What the queue calls this pool, for people to read; by default `worker-` and the process's id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Takes the time from this clock; the system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Tells this observer what becomes of jobs.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Spreads waits by this seed; by a random one by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The pool.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] without a handler, with a concurrency of 0, or with a lease shorter than a
    /// millisecond.
    pub fn build(self) -> Result<WorkerPool> {
        let refused = |message: String| Err(Error::new(ErrorKind::Configuration, message));
        if self.handlers.is_empty() {
            return refused("the pool has nothing to do: call `handler` on its builder".into());
        }
        if self.ttl < Duration::from_millis(1) || self.poll.is_zero() {
            return refused("the pool's lease and poll interval must be a millisecond or more".into());
        }
        let mut kinds = BTreeMap::new();
        for (kind, handler) in self.handlers {
            let stated = CONCURRENCY.iter().find(|(known, _)| kind == **known).map(|(_, jobs)| *jobs);
            let concurrency =
                self.concurrency.get(&kind).copied().or(stated).unwrap_or(CONCURRENCY_OF_OTHERS);
            if concurrency == 0 {
                return refused(format!(
                    "no job of kind {kind} could be done: give it a concurrency of 1 or more"
                ));
            }
            let retries = self.retries_of.get(&kind).copied().unwrap_or(self.retries);
            kinds.insert(kind, Kind { handler, concurrency, retries });
        }
        let worker = Worker {
            queue: self.queue,
            clock: self.clock,
            observer: self.observer,
            name: self.name.unwrap_or_else(|| format!("worker-{}", std::process::id())),
            ttl: self.ttl,
            seed: self.seed.unwrap_or_else(work::random_seed),
        };
        Ok(WorkerPool {
            worker: Arc::new(worker),
            kinds: Arc::new(kinds),
            grace: self.grace,
            poll: self.poll,
        })
    }
}
