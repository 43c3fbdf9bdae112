//! How does NATS keep a queue?
//!
//! [`NatsQueue`] implements [`JobQueue`] on JetStream, for any number of processes. It is for hosts that have NATS
//! already; whoever has the choice takes PostgreSQL or Redis, which need less memory in each process.
//!
//! # How it works
//! A work queue of JetStream's own knows neither twins nor priorities nor fairness between users. So the queue is two
//! streams, and each process computes the order by itself:
//!
//! * `<NAME>_JOBS` has a subject, a *slot*, for each job that waits or runs; twins share one. The last message in a
//!   slot, and the only one that is kept, is all that is known of the job. It is changed by publishing the next with
//!   `Nats-Expected-Last-Subject-Sequence`: who comes second is refused, reads again, and decides again.
//! * `<NAME>_HISTORY` has a subject for each job that was done or given up, for 90 days by default.
//! * Each process follows the stream of jobs, the headers alone, and keeps an index in memory: who has a job that is
//!   ready, and what comes next.
//!
//! # What it promises
//! * **Durability.** What was acknowledged is in the server's file, and survives the end of the server's process.
//!   JetStream syncs its files to the disk from time to time (`sync_interval`, 2 minutes by default), so that a loss of
//!   power may undo the last of it; with three [replicas](NatsQueueBuilder::replicas), two servers would have to lose
//!   theirs at once. A server of version 2.10 or later can be told to sync always (`sync_interval: always`).
//! * **All or none.** [`enqueue`](JobQueue::enqueue) refuses all jobs or none. JetStream has no transaction over
//!   subjects: if the server fails in the middle of a call, some of its jobs may be in the queue, each whole, and the
//!   call returns an error. Whoever tries again gets those without a key twice.
//! * **Order.** That of the family: priority, then users in turns, then the order of coming. Each process computes the
//!   turns from when it starts, so that users are served fairly by each process; over several, a quiet user may wait
//!   for as many jobs of a noisy one as there are processes.
//! * **Failover.** With replicas the cluster elects another leader, and calls fail for that time. When a connection is
//!   lost, the client connects again, to any of the servers of the URL, and the index is loaded again. Calls meanwhile
//!   wait for the [answer timeout](NatsQueueBuilder::answer_timeout), and fail with code `nats_unreachable`.
//! * **Time.** NATS tells no time, so that the clocks of the machines decide when jobs are due and leases run out. They
//!   should agree to within a second, which is the default [margin](NatsQueueBuilder::margin) of leases.
//! * **Size.** What comes while its twin runs is kept in the same message, with a payload of its own. If both are near
//!   the 512 KiB that a payload may have, they exceed a `max_payload` of 1 MiB, and [`enqueue`](JobQueue::enqueue) fails
//!   with code `record_too_large`: raise the server's `max_payload` to 2 MiB, or keep what is large elsewhere.
//! * **Streams that are deleted** and made again are noticed when the connection is made anew or a worker finds nothing
//!   to do: the index begins anew, and fences go on higher than before.
//! * **Counts.** Those of [`stats`](JobQueue::stats) are exact, but a process that is killed while it settles jobs may
//!   not have counted them.
//!
//! A job that is over is written into the history before it leaves the queue. A crash in between makes it run once
//! more, as after any lost lease; the history keeps the last account.
//!
//! # What it costs
//! Some hundred bytes of memory in each process for each job that waits, and about 16 MB for the last jobs that the process
//! wrote. A job's payload passes the network with each change of the job, heartbeats included. Reading the history
//! other than by id goes through all of it.
//!
//! A process reads what is at a glance of all jobs before its first call is answered, and again when it has lost its
//! connection. If that takes longer than the [answer timeout](NatsQueueBuilder::answer_timeout), calls fail with code
//! `nats_unreachable` until it has come to the end: whoever keeps 100,000 jobs waiting allows more time.
//!
//! # How it is started
//! ```text
//! apt install nats-server            # Debian, Ubuntu
//! nats-server -js -sd /var/lib/nats  # version 2.9 or later, its `max_payload` 1 MiB (the default) or more
//! ```

mod counts;
mod enqueue;
mod failure;
mod follow;
mod index;
mod lane;
mod lease;
mod life;
mod names;
mod open;
mod read;
mod record;
mod schema;
mod server;
mod settle;
mod shared;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future::select;
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::queue::{
    Enqueued, Heartbeat, JobId, JobKind, JobQuery, JobQueue, JobRecord, LeaseRequest, Leased, NewJob,
    QueueStats, Settlement,
};
use integrations_core::{Error, ErrorKind, Result};
use tokio::task::AbortHandle;
use tracing::Instrument;

use self::schema::Settings;
use self::shared::Shared;

/// How soon a wait looks again whether the queue is there.
const RETRY: Duration = Duration::from_secs(1);

/// A queue of work on NATS with JetStream.
///
/// Clones share the connection and the index. It runs on a Tokio runtime.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use integrations_core::queue::{JobKind, JobQueue, NewJob};
/// use integrations_stores::NatsQueue;
///
/// let queue = NatsQueue::connect(&std::env::var("NATS_URL")?).await?;
/// queue.migrate().await?;
/// queue.enqueue(vec![NewJob::new(JobKind::MAINTENANCE, "ada")]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct NatsQueue {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    settings: Settings,
    follower: Mutex<Option<AbortHandle>>,
}

impl NatsQueue {
    /// Connects with the defaults of [`builder`](Self::builder). It changes nothing on the server: new streams are made
    /// by [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// See [`NatsQueueBuilder::connect`].
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder().connect(url).await
    }

    /// Settings other than the defaults.
    pub fn builder() -> NatsQueueBuilder {
        NatsQueueBuilder {
            name: "integrations".into(),
            clock: None,
            margin: None,
            history: Duration::from_secs(90 * 24 * 60 * 60),
            replicas: 1,
            answer_timeout: Duration::from_secs(5),
        }
    }

    /// Makes the streams where they are missing. It may be called each time a process starts, by any number of them
    /// at once. Streams that are there keep their settings; change them with the `nats` tool.
    ///
    /// # Errors
    /// * [`ErrorKind::Configuration`]: code `schema_too_new` when a newer version of this crate has been here,
    ///   `foreign_stream` when streams or subjects of these names belong to something else, `too_few_servers` when the
    ///   cluster cannot keep so many replicas, `jetstream_disabled`. The streams are left as they are.
    /// * [`ErrorKind::Store`].
    ///
    /// # Cancel safety
    /// When the future is dropped, each stream has been made or not.
    pub async fn migrate(&self) -> Result<()> {
        schema::migrate(&self.inner.shared.server, &self.inner.shared.names, self.inner.settings).await
    }

    /// Does a call in a task of its own, which nobody stops by not waiting for it.
    async fn run<T, F, Fut>(&self, operation: &'static str, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Shared>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let shared = self.ready(operation).await?;
        tokio::spawn(call(shared).in_current_span()).await.unwrap_or_else(|_| Err(stopped(operation)))
    }

    /// Sees that the streams are there, and that their jobs are known.
    async fn ready(&self, operation: &'static str) -> Result<Arc<Shared>> {
        let shared = &self.inner.shared;
        shared.check(operation).await?;
        {
            let mut follower = self.inner.follower.lock().unwrap_or_else(PoisonError::into_inner);
            // One whose runtime has ended makes room for another.
            if follower.as_ref().is_none_or(AbortHandle::is_finished) {
                let _ = shared.counter.set(counts::counter(Arc::downgrade(shared)));
                *follower = Some(tokio::spawn(follow::follow(Arc::clone(shared))).abort_handle());
            }
        }
        shared.loaded(operation).await?;
        Ok(Arc::clone(shared))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let follower = self.follower.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(follower) = follower {
            follower.abort();
        }
    }
}

fn stopped(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::Store,
        "the call was stopped before its end, and may or may not have happened; was the runtime shut down?",
    )
    .with_operation(operation)
}

/// Shows the queue's name alone.
impl fmt::Debug for NatsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsQueue").field("name", &self.inner.shared.names.queue).finish_non_exhaustive()
    }
}

#[async_trait]
impl JobQueue for NatsQueue {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        jobs.iter().try_for_each(NewJob::check)?;
        self.run("queue.enqueue", |shared| async move { enqueue::enqueue(&shared, jobs).await }).await
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        let request = request.clone();
        self.run("queue.lease", |shared| async move { lease::lease(&shared, &request).await }).await
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        self.run("queue.extend", |shared| async move { settle::extend(&shared, heartbeats).await }).await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        self.run("queue.settle", |shared| async move { settle::settle(&shared, settlements).await }).await
    }

    async fn stats(&self) -> Result<QueueStats> {
        let shared = self.ready("queue.stats").await?;
        read::stats(&shared).await
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        let shared = self.ready("queue.find").await?;
        read::find(&shared, query).await
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        let jobs = jobs.to_vec();
        self.run("queue.requeue", |shared| async move { read::requeue(&shared, &jobs).await }).await
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        self.run("queue.purge", move |shared| async move { read::purge(&shared, before).await }).await
    }

    async fn wait(&self, kinds: &[JobKind]) {
        let shared = &self.inner.shared;
        // It listens before it looks, so that what comes in between wakes it.
        let mut news = shared.news.subscribe();
        // Whoever leases is told why there is nothing to wait for; it may be there later.
        while self.ready("queue.wait").await.is_err() {
            let came = std::pin::pin!(news.changed());
            select(came, shared.server.pause(RETRY)).await;
        }
        let next = |kind: &JobKind| shared.index().next(kind)[0];
        let delayed: Vec<_> = kinds.iter().map(next).collect();
        loop {
            let now = shared.micros();
            if kinds.iter().any(|kind| shared.index().is_ready(kind, now)) {
                return;
            }
            // A job that is due before those that were known of: the caller waits for too long.
            if kinds.iter().zip(&delayed).any(|(kind, before)| {
                next(kind).is_some_and(|next| before.is_none_or(|before| next < before))
            }) {
                return;
            }
            if news.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// Settings of a [`NatsQueue`].
#[derive(Debug, Clone)]
pub struct NatsQueueBuilder {
    name: String,
    clock: Option<Arc<dyn Clock>>,
    margin: Option<Duration>,
    history: Duration,
    replicas: usize,
    answer_timeout: Duration,
}

impl NatsQueueBuilder {
    /// The name of the queue, with which its streams and subjects begin; `integrations` by default. Lower-case
    /// letters, digits, underscores and hyphens, at most 63.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Where the time comes from; the machine's clock by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// For how long after its end a lease is still taken to be held, for the clocks of machines that do not quite
    /// agree: 1 second by default, and none with a [clock](Self::clock) that was given.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = Some(margin);
        self
    }

    /// For how long the server keeps jobs that are over, when it makes the streams; 90 days by default.
    pub fn history(mut self, history: Duration) -> Self {
        self.history = history;
        self
    }

    /// On how many servers the streams are kept, when they are made: 1 by default, 3 in a cluster.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas.max(1);
        self
    }

    /// How long an answer of the server may take; 5 seconds by default.
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    /// Connects to a server of a URL like `nats://user:password@host:4222`, or to one of several that are separated by
    /// commas. `tls://` asks for TLS.
    ///
    /// # Errors
    /// * [`ErrorKind::Configuration`]: code `invalid_url`, `invalid_name`, `access_denied`, `jetstream_disabled`,
    ///   `max_payload_too_small`.
    /// * [`ErrorKind::Store`]: code `nats_unreachable`.
    pub async fn connect(self, url: &str) -> Result<NatsQueue> {
        let client = open::connect(url, &self).await?;
        self.with_client(client).await
    }

    /// Uses a connection that the host has made, with credentials and certificates of its own.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn with_client(self, client: async_nats::Client) -> Result<NatsQueue> {
        let shared = open::open(client, &self).await?;
        let settings = Settings { history: self.history, replicas: self.replicas };
        Ok(NatsQueue {
            inner: Arc::new(Inner { shared: Arc::new(shared), settings, follower: Mutex::new(None) }),
        })
    }

    fn clock_and_margin(&self) -> (Arc<dyn Clock>, Duration) {
        match &self.clock {
            Some(clock) => (Arc::clone(clock), self.margin.unwrap_or(Duration::ZERO)),
            None => (SystemClock::shared(), self.margin.unwrap_or(Duration::from_secs(1))),
        }
    }
}
