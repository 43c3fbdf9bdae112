//! How do all connections stay up to date by themselves?
//!
//! Each stream has one job in the queue, always: it waits for the stream's next time, is done, and is put back for
//! the time after. So the schedule is as durable as the queue, is the same for all processes, and costs them no
//! memory; and whoever wants a stream sooner puts the same job into the queue without a delay.

mod cadence;
mod handlers;
mod jobs;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

pub use self::cadence::Cadence;
use self::handlers::{FullSync, IncrementalSync, Maintenance, RefreshToken};
use self::jobs::{RefreshJob, SyncJob, Upkeep};
use crate::auth::ConnectionFilter;
use crate::connection::{Connection, ConnectionId, ConnectionStatus, ServiceId, StreamId};
use crate::error::Result;
use crate::gateway::Gateway;
use crate::queue::{Enqueued, JobHandler, JobKind, JobQueue, NewJob, Payload, Priority};

type CadenceBy = dyn Fn(&Connection, &StreamId) -> Option<Cadence> + Send + Sync;

/// Connections that are looked at in one go.
const PAGE: usize = 500;

/// Keeps the streams of all connections up to date, by jobs in a queue.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use integrations_core::queue::{JobQueue, WorkerPool};
/// use integrations_core::schedule::{Cadence, Scheduler};
/// use integrations_core::{Connection, Gateway};
///
/// # async fn host(gateway: Gateway, queue: Arc<dyn JobQueue>, connection: Connection) -> integrations_core::Result<()> {
/// let scheduler = Scheduler::builder(gateway, Arc::clone(&queue))
///     .cadence_of("gmail", Cadence::every(Duration::from_secs(60)))
///     .build();
/// scheduler.begin().await?;
/// let pool = WorkerPool::builder(queue).handlers(scheduler.handlers()).build()?;
/// # let stop = async {};
/// # tokio::join!(async {
/// pool.run(stop).await;
/// # }, async {
///
/// // After an account was connected, connected again or resumed:
/// scheduler.start(&connection.id).await
/// # }).1
/// # }
/// ```
#[derive(Clone)]
pub struct Scheduler {
    inner: Arc<Inner>,
}

struct Inner {
    gateway: Gateway,
    queue: Arc<dyn JobQueue>,
    cadence: Cadence,
    cadence_of: HashMap<ServiceId, Cadence>,
    cadence_by: Option<Box<CadenceBy>>,
    reconcile: Duration,
    retention: Duration,
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("cadence", &self.inner.cadence).finish_non_exhaustive()
    }
}

impl Scheduler {
    /// A schedule for the connections of a gateway.
    pub fn builder(gateway: Gateway, queue: Arc<dyn JobQueue>) -> SchedulerBuilder {
        SchedulerBuilder(Inner {
            gateway,
            queue,
            cadence: Cadence::default(),
            cadence_of: HashMap::new(),
            cadence_by: None,
            reconcile: Duration::from_secs(3_600),
            retention: Duration::from_secs(90 * 24 * 60 * 60),
        })
    }

    /// Sees to it that the schedule runs: call it when a process starts. It does no harm when it runs already.
    ///
    /// # Errors
    /// Those of the queue.
    pub async fn begin(&self) -> Result<()> {
        let upkeep: Vec<_> = Upkeep::ALL.into_iter().map(Upkeep::job).collect::<Result<_>>()?;
        self.inner.queue.enqueue(upkeep).await?;
        Ok(())
    }

    /// Begins to keep a connection up to date, at once: call it when an account was connected, connected again or
    /// resumed. Connections that nobody has named are found within the [interval](SchedulerBuilder::reconcile_every).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a connection that is not there, and those of store and
    /// queue.
    pub async fn start(&self, id: &ConnectionId) -> Result<()> {
        let connection = self.inner.gateway.connection(id).await?;
        let look = SyncJob { at_once: true, ..SyncJob::new(id, None) };
        let look = look.job(JobKind::INCREMENTAL_SYNC, &connection)?;
        self.inner.queue.enqueue(vec![look.priority(Priority::High)]).await?;
        Ok(())
    }

    /// Reads a stream now, or all of a connection, without waiting for its time: somebody looks at it, or the provider
    /// says that it has changed. A read that is under way is followed by another.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn sync_now(&self, id: &ConnectionId, stream: Option<&StreamId>) -> Result<Vec<Enqueued>> {
        let connection = self.inner.gateway.connection(id).await?;
        let mut jobs = Vec::new();
        if let Some(stream) = stream {
            jobs.push(SyncJob::new(id, Some(stream)).job(JobKind::INCREMENTAL_SYNC, &connection)?);
        } else {
            jobs.push(SyncJob::new(id, None).job(JobKind::INCREMENTAL_SYNC, &connection)?);
            for stream in self.inner.gateway.known_streams(id).await? {
                jobs.push(SyncJob::new(id, Some(&stream)).job(JobKind::INCREMENTAL_SYNC, &connection)?);
            }
        }
        self.inner.queue.enqueue(urgent(jobs)).await
    }

    /// Lists a stream, or all of a connection, again, and deletes what is not there any more.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn full_sync(&self, id: &ConnectionId, stream: Option<&StreamId>) -> Result<Enqueued> {
        let connection = self.inner.gateway.connection(id).await?;
        let job = SyncJob::new(id, stream).job(JobKind::FULL_SYNC, &connection)?;
        self.enqueue_one(job).await
    }

    /// Refreshes the tokens of a connection, if they are about to expire: for one that is seldom used.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn refresh_token(&self, id: &ConnectionId) -> Result<Enqueued> {
        let connection = self.inner.gateway.connection(id).await?;
        let key = format!("{}/{id}", connection.service);
        let payload = Payload::json(&RefreshJob { connection: id.clone() })?;
        self.enqueue_one(NewJob::new(JobKind::REFRESH_TOKEN, connection.owner).key(key).payload(payload))
            .await
    }

    /// What does the jobs: `incremental_sync`, `full_sync`, `refresh_token` and `maintenance`, for
    /// [`WorkerPoolBuilder::handlers`](crate::queue::WorkerPoolBuilder::handlers).
    pub fn handlers(&self) -> Vec<(JobKind, Arc<dyn JobHandler>)> {
        vec![
            (JobKind::INCREMENTAL_SYNC.into(), Arc::new(IncrementalSync(self.clone()))),
            (JobKind::FULL_SYNC.into(), Arc::new(FullSync(self.clone()))),
            (JobKind::REFRESH_TOKEN.into(), Arc::new(RefreshToken(self.clone()))),
            (JobKind::MAINTENANCE.into(), Arc::new(Maintenance(self.clone()))),
        ]
    }

    /// Puts a job for each connection into the queue, to look which streams it has; returns how many.
    ///
    /// By default this is done every hour, spread over the hour. Call it for a queue that has lost what it held.
    ///
    /// # Errors
    /// Those of store and queue.
    ///
    /// # Cancel safety
    /// May be dropped at any await; those that were put into the queue stay there.
    pub async fn reconcile(&self) -> Result<u64> {
        let Inner { gateway, queue, reconcile, .. } = &*self.inner;
        let mut filter =
            ConnectionFilter::default().with_status(ConnectionStatus::Active.as_str()).with_page(None, PAGE);
        let mut connections = 0;
        loop {
            let page = gateway.list(&filter).await?;
            let jobs: Vec<_> = page
                .iter()
                .map(|connection| {
                    let look =
                        SyncJob::new(&connection.id, None).job(JobKind::INCREMENTAL_SYNC, connection)?;
                    let delay = reconcile.mul_f64(place(&connection.id, None));
                    Ok(look.priority(Priority::Low).delay(delay))
                })
                .collect::<Result<_>>()?;
            connections += jobs.len() as u64;
            let Some(last) = page.last() else { return Ok(connections) };
            filter.after = Some(last.id.clone());
            queue.enqueue(jobs).await?;
        }
    }

    /// Deletes from the queue what was finished longer ago than it is kept; returns how many jobs.
    ///
    /// # Errors
    /// Those of the queue.
    pub async fn purge(&self) -> Result<u64> {
        let retention = TimeDelta::from_std(self.inner.retention).unwrap_or(TimeDelta::MAX);
        match self.inner.gateway.clock().now().checked_sub_signed(retention) {
            Some(before) => self.inner.queue.purge(before).await,
            None => Ok(0),
        }
    }

    fn cadence(&self, connection: &Connection, stream: &StreamId) -> Option<Cadence> {
        let Inner { cadence, cadence_of, cadence_by, .. } = &*self.inner;
        match cadence_by {
            Some(by) => by(connection, stream),
            None => Some(cadence_of.get(&connection.service).unwrap_or(cadence).clone()),
        }
    }

    async fn enqueue_one(&self, job: NewJob) -> Result<Enqueued> {
        let mut enqueued = self.inner.queue.enqueue(vec![job]).await?;
        enqueued.pop().ok_or_else(|| {
            crate::Error::new(crate::ErrorKind::Store, "the queue has not said what became of a job")
        })
    }
}

fn urgent(jobs: Vec<NewJob>) -> Vec<NewJob> {
    jobs.into_iter().map(|job| job.priority(Priority::High)).collect()
}

/// The place of a connection, or of a stream, among all: uniform in `[0, 1)`, the same in every process.
#[allow(clippy::cast_precision_loss, reason = "a place needs no precision")]
fn place(connection: &ConnectionId, stream: Option<&StreamId>) -> f64 {
    use sha2::{Digest, Sha256};

    let mut hash = Sha256::new();
    hash.update(connection.as_str());
    hash.update([0]);
    hash.update(stream.map_or("", StreamId::as_str));
    let digest = hash.finalize();
    let number = digest[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// Settings of a [`Scheduler`].
#[derive(Debug)]
pub struct SchedulerBuilder(Inner);

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("cadence", &self.cadence).finish_non_exhaustive()
    }
}

impl SchedulerBuilder {
    /// How often streams are read; every 5 minutes by default.
    pub fn cadence(mut self, cadence: Cadence) -> Self {
        self.0.cadence = cadence;
        self
    }

    /// How often the streams of a service are read.
    pub fn cadence_of(mut self, service: impl Into<ServiceId>, cadence: Cadence) -> Self {
        self.0.cadence_of.insert(service.into(), cadence);
        self
    }

    /// How often each stream is read, e.g. as its user has chosen; `None` for one that is not read at all. It is asked
    /// anew each time, and instead of the others.
    pub fn cadence_by(
        mut self,
        cadence: impl Fn(&Connection, &StreamId) -> Option<Cadence> + Send + Sync + 'static,
    ) -> Self {
        self.0.cadence_by = Some(Box::new(cadence));
        self
    }

    /// How often it is looked which streams a connection has, and that each has its job; every hour by default.
    pub fn reconcile_every(mut self, interval: Duration) -> Self {
        self.0.reconcile = interval;
        self
    }

    /// For how long finished jobs are kept; 90 days by default.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.0.retention = retention;
        self
    }

    /// The scheduler.
    pub fn build(self) -> Scheduler {
        Scheduler { inner: Arc::new(self.0) }
    }
}
