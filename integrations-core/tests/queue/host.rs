//! A host for the tests: a queue in memory on a manual clock, and handlers that do as they are told.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::clock::ManualClock;
use integrations_core::memory::MemoryStore;
use integrations_core::observe::{Notice, Observer};
use integrations_core::queue::{
    Enqueued, Heartbeat, JobHandler, JobId, JobKind, JobQuery, JobQueue, JobRecord, JobRun, JobState,
    LeaseRequest, Leased, NewJob, PoolReport, QueueStats, Repeat, Settlement, WorkerPool, WorkerPoolBuilder,
};
use integrations_core::{Error, ErrorKind};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

pub(crate) const TTL: Duration = Duration::from_secs(60);

pub(crate) struct Host {
    pub(crate) clock: ManualClock,
    pub(crate) queue: Arc<Flaky>,
    pub(crate) heard: Arc<Heard>,
}

pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    pool: JoinHandle<PoolReport>,
}

impl Running {
    /// Tells the pool to stop, and waits until it has.
    pub(crate) async fn stop(self) -> PoolReport {
        self.stop.send(()).unwrap();
        self.pool.await.unwrap()
    }

    /// Tells the pool to stop.
    pub(crate) fn tell(self) -> JoinHandle<PoolReport> {
        self.stop.send(()).unwrap();
        self.pool
    }

    /// The process dies.
    pub(crate) async fn kill(self) {
        self.pool.abort();
        let _ = self.pool.await;
    }
}

impl Host {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at("2026-03-01T09:00:00Z");
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self { clock, queue: Arc::new(Flaky::new(store)), heard: Arc::default() }
    }

    pub(crate) fn pool(&self) -> WorkerPoolBuilder {
        WorkerPool::builder(Arc::clone(&self.queue) as _)
            .clock(Arc::new(self.clock.clone()))
            .observer(Arc::clone(&self.heard) as _)
            .name("test")
            .seed(7)
            .lease(TTL)
    }

    #[allow(clippy::unused_self, reason = "it reads as what the host does")]
    pub(crate) fn run(&self, pool: WorkerPoolBuilder) -> Running {
        let pool = pool.build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let pool = tokio::spawn(async move {
            pool.run(async {
                let _ = stopped.await;
            })
            .await
        });
        Running { stop, pool }
    }

    pub(crate) async fn enqueue(&self, job: NewJob) -> JobId {
        self.queue.enqueue(vec![job]).await.unwrap().remove(0).id
    }

    pub(crate) async fn record(&self, id: &JobId) -> JobRecord {
        self.queue.find(&JobQuery::by_id(id)).await.unwrap().remove(0)
    }

    /// Lets time pass in small steps until something holds.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, step: Duration, mut holds: impl FnMut() -> F) {
        for _ in 0..10_000 {
            for _ in 0..20 {
                if holds().await {
                    return;
                }
                tokio::task::yield_now().await;
            }
            self.clock.advance(step);
        }
        panic!("it does not come to pass");
    }

    /// Waits, without time passing, until something holds.
    pub(crate) async fn soon(&self, mut holds: impl FnMut() -> bool) {
        for _ in 0..100_000 {
            if holds() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it does not come to pass");
    }

    pub(crate) async fn until_finished(&self, id: &JobId) -> JobRecord {
        self.until(Duration::from_millis(500), || async { self.record(id).await.state.is_finished() }).await;
        self.record(id).await
    }

    /// How many jobs are in a state.
    pub(crate) async fn count(&self, state: JobState) -> usize {
        self.queue.find(&JobQuery::in_state(state).page(None, 1_000_000)).await.unwrap().len()
    }
}

/// What the pool has told.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Heard {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Heard {
    fn notice(&self, notice: &Notice<'_>) {
        let line = match notice {
            Notice::JobStarted { job, worker } => format!("{worker} begins {}", job.id),
            Notice::JobEnded { job, outcome, error, .. } => {
                format!("{} {outcome} {}", job.id, error.map_or("", |error| error.kind().as_str()))
            }
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

/// A queue that fails when it is told to.
#[derive(Debug)]
pub(crate) struct Flaky {
    inner: MemoryStore,
    pub(crate) down: AtomicBool,
    pub(crate) hangs: AtomicBool,
    pub(crate) settlements: AtomicUsize,
    pub(crate) leases: AtomicUsize,
    up: Notify,
}

impl Flaky {
    fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            down: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
            settlements: AtomicUsize::new(0),
            leases: AtomicUsize::new(0),
            up: Notify::new(),
        }
    }

    /// It does not hang any more.
    pub(crate) fn goes_on(&self) {
        self.hangs.store(false, Ordering::SeqCst);
        self.up.notify_waiters();
    }

    async fn check(&self) -> Result<()> {
        while self.hangs.load(Ordering::SeqCst) {
            self.up.notified().await;
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Store, "the queue is down"));
        }
        Ok(())
    }
}

#[async_trait]
impl JobQueue for Flaky {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        self.inner.enqueue(jobs).await
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        self.leases.fetch_add(1, Ordering::SeqCst);
        self.check().await?;
        self.inner.lease(request).await
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        self.check().await?;
        self.inner.extend(heartbeats).await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        self.settlements.fetch_add(1, Ordering::SeqCst);
        self.check().await?;
        self.inner.settle(settlements).await
    }

    async fn stats(&self) -> Result<QueueStats> {
        self.inner.stats().await
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        self.inner.find(query).await
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        self.inner.requeue(jobs).await
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        self.inner.purge(before).await
    }

    async fn wait(&self, kinds: &[JobKind]) {
        self.inner.wait(kinds).await;
    }
}

/// What a handler does.
pub(crate) type Act = dyn Fn(&JobRun) -> Result<Option<Repeat>> + Send + Sync;

/// Waits at its gate, does something, and counts.
pub(crate) struct Told {
    act: Box<Act>,
    /// Jobs go on while there are permits; `None` for no gate.
    pub(crate) gate: Option<tokio::sync::Semaphore>,
    pub(crate) begun: AtomicUsize,
    pub(crate) now: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) order: Mutex<Vec<String>>,
    pub(crate) runs: Mutex<HashMap<JobId, usize>>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

impl Told {
    pub(crate) fn to(act: impl Fn(&JobRun) -> Result<Option<Repeat>> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self::make(None, act))
    }

    /// A handler whose jobs wait until permits are added to its gate.
    pub(crate) fn gated() -> Arc<Self> {
        Arc::new(Self::make(Some(tokio::sync::Semaphore::new(0)), |_| Ok(None)))
    }

    fn make(
        gate: Option<tokio::sync::Semaphore>,
        act: impl Fn(&JobRun) -> Result<Option<Repeat>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            act: Box::new(act),
            gate,
            begun: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
            order: Mutex::default(),
            runs: Mutex::default(),
        }
    }

    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self, jobs: usize) {
        self.gate.as_ref().unwrap().add_permits(jobs);
    }
}

struct Inside<'a> {
    told: &'a Told,
    ended: bool,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.told.now.fetch_sub(1, Ordering::SeqCst);
        if !self.ended {
            self.told.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl JobHandler for Told {
    async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.order.lock().unwrap().push(run.job().owner.user.to_string());
        *self.runs.lock().unwrap().entry(run.job().id.clone()).or_default() += 1;
        let mut inside = Inside { told: self, ended: false };
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        inside.ended = true;
        (self.act)(run)
    }
}
