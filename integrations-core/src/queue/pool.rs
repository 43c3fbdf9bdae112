//! Who takes jobs out of the queue, and how many at a time?

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, Fuse, FusedFuture, FutureExt, select};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::after::JobRetries;
use super::builder::WorkerPoolBuilder;
use super::handler::{JobHandler, JobRun};
use super::held::{Held, Stop};
use super::job::{JobKind, Lease};
use super::store::{JobQueue, LeaseRequest, Leased, Outcome, Settlement};
use super::work::{self, Ended, Worker};
use crate::error::Result;

/// The first wait after the queue has failed, and the longest.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Does the jobs of a queue: as many at once of each kind as is set, until it is told to stop.
///
/// Several pools, of several processes, may work on one queue.
///
/// ```
/// use std::sync::Arc;
/// use async_trait::async_trait;
/// use integrations_core::Result;
/// use integrations_core::memory::MemoryStore;
/// use integrations_core::queue::{JobHandler, JobQueue, JobRun, NewJob, Payload, Repeat, WorkerPool};
///
/// #[derive(Debug)]
/// struct Greet;
///
/// #[async_trait]
/// impl JobHandler for Greet {
///     async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
///         let name: String = run.job().payload.read()?;
///         println!("Hello, {name}");
///         Ok(None)
///     }
/// }
///
/// # async fn host(stop: impl Future<Output = ()>) -> Result<()> {
/// let queue: Arc<dyn JobQueue> = Arc::new(MemoryStore::new());
/// queue.enqueue(vec![NewJob::new("greet", "ada").payload(Payload::json(&"Ada")?)]).await?;
/// let pool = WorkerPool::builder(queue).handler("greet", Arc::new(Greet)).concurrency("greet", 8).build()?;
/// pool.run(stop).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WorkerPool {
    pub(super) worker: Arc<Worker>,
    pub(super) kinds: Arc<BTreeMap<JobKind, Kind>>,
    pub(super) grace: Duration,
    pub(super) poll: Duration,
}

pub(super) struct Kind {
    pub(super) handler: Arc<dyn JobHandler>,
    pub(super) concurrency: usize,
    pub(super) retries: JobRetries,
}

impl fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: BTreeMap<_, _> = self.kinds.iter().map(|(kind, set)| (kind, set.concurrency)).collect();
        f.debug_struct("WorkerPool")
            .field("name", &self.worker.name)
            .field("kinds", &kinds)
            .finish_non_exhaustive()
    }
}

/// What a pool has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolReport {
    /// Jobs that were done.
    pub done: u64,
    /// Tries that have failed and were followed by another.
    pub retried: u64,
    /// Jobs that became dead letters.
    pub dead: u64,
    /// Jobs that were handed back.
    pub released: u64,
    /// Jobs whose lease was lost: somebody else does them.
    pub lost: u64,
}

impl WorkerPool {
    /// A pool for a queue.
    pub fn builder(queue: Arc<dyn JobQueue>) -> WorkerPoolBuilder {
        WorkerPoolBuilder::new(queue)
    }

    /// Does jobs until `stop` is over. Then it takes no more, lets those that run come to their end for as long as the
    /// [grace](WorkerPoolBuilder::grace) says, and hands the others back.
    ///
    /// While the queue fails, it waits, half a second at first and then longer, and tries again.
    ///
    /// # Cancel safety
    /// When the future is dropped, the jobs that run are dropped, too; others get them when their leases have run out.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> PoolReport {
        let (stopping, is_stopping) = watch::channel(false);
        let mut jobs = Jobs {
            pool: self,
            held: Arc::default(),
            is_stopping,
            set: JoinSet::new(),
            running: BTreeMap::new(),
            dry: HashSet::new(),
            report: PoolReport::default(),
        };
        let held = Arc::clone(&jobs.held);
        let worker = &self.worker;
        let keep = held.keep(&*worker.queue, &*worker.clock, worker.ttl);
        let work = async {
            jobs.take(stop).await;
            stopping.send_replace(true);
            jobs.finish(&held).await;
            jobs.report
        };
        match select(pin!(work), pin!(keep)).await {
            Either::Left((report, _)) => report,
            Either::Right(((), work)) => work.await,
        }
    }
}

/// The jobs of a pool that runs.
struct Jobs<'a> {
    pool: &'a WorkerPool,
    held: Arc<Held>,
    is_stopping: watch::Receiver<bool>,
    set: JoinSet<Ended>,
    running: BTreeMap<JobKind, usize>,
    /// Kinds of which the queue had fewer than were asked for: it is not asked again before it says that there is
    /// something, or the time has come.
    dry: HashSet<JobKind>,
    report: PoolReport,
}

impl Jobs<'_> {
    /// Takes jobs until it is told to stop.
    async fn take(&mut self, stop: impl Future<Output = ()>) {
        let pool = self.pool;
        let Worker { queue, clock, .. } = &*pool.worker;
        let mut stop = pin!(stop.fuse());
        // The queue is to say when there is something of these kinds.
        let (mut awaited, mut news) = (HashSet::new(), Box::pin(Fuse::terminated()));
        let mut due: Option<Duration> = None;
        let mut failures = 0;
        loop {
            // All that have ended make room at once: each lease may cost a write that has to reach a disk.
            while let Some(ended) = self.set.try_join_next() {
                self.ended(ended);
            }
            let wants = self.wants();
            if !wants.is_empty() {
                match self.lease(wants, stop.as_mut()).await {
                    Some(Ok(next_due)) => {
                        failures = 0;
                        due = earlier(due, next_due.map(|after| clock.monotonic() + after));
                        continue;
                    }
                    Some(Err(error)) => {
                        let wait = PATIENCE.0.saturating_mul(2_u32.saturating_pow(failures)).min(PATIENCE.1);
                        failures = (failures + 1).min(16);
                        tracing::warn!(%error, ?wait, "the queue gives no jobs; it is asked again");
                        if !self.pause(wait, stop.as_mut()).await {
                            return;
                        }
                        continue;
                    }
                    None => return,
                }
            }
            if awaited != self.dry || news.is_terminated() {
                if news.as_mut().now_or_never().is_some() {
                    self.dry.clear();
                    continue;
                }
                awaited.clone_from(&self.dry);
                news = Box::pin(wait(&**queue, awaited.iter().cloned().collect()).fuse());
            }
            let now = clock.monotonic();
            let nap = due.map_or(pool.poll, |due| due.saturating_sub(now).min(pool.poll));
            tokio::select! {
                () = &mut stop => return,
                Some(ended) = self.set.join_next() => self.ended(ended),
                () = &mut news => self.dry.clear(),
                () = clock.sleep(nap) => {
                    due = None;
                    self.dry.clear();
                }
            }
        }
    }

    /// Of which kinds more jobs could be done, and how many.
    fn wants(&self) -> Vec<(JobKind, usize)> {
        let kinds = self.pool.kinds.iter().filter(|(kind, _)| !self.dry.contains(*kind));
        let free = kinds.map(|(kind, set)| {
            (kind.clone(), set.concurrency - self.running.get(kind).copied().unwrap_or(0))
        });
        free.filter(|(_, free)| *free > 0).collect()
    }

    /// Leases what is wanted, and begins with it; `None` when the pool is to stop.
    async fn lease(
        &mut self,
        wants: Vec<(JobKind, usize)>,
        stop: Pin<&mut (impl Future<Output = ()> + ?Sized)>,
    ) -> Option<Result<Option<Duration>>> {
        let pool = self.pool;
        let Worker { queue, clock, ttl, name, .. } = &*pool.worker;
        let request = LeaseRequest { worker: name.clone(), wants, ttl: *ttl };
        let asked = clock.monotonic();
        let (leased, stopped) = {
            let mut lease = pin!(queue.lease(&request));
            tokio::select! {
                biased;
                leased = &mut lease => (leased, false),
                () = stop => {
                    // What the queue has given by now would rest until its lease runs out; it is handed back instead.
                    tokio::select! {
                        leased = &mut lease => (leased, true),
                        () = clock.sleep(pool.grace) => return None,
                    }
                }
            }
        };
        let Leased { leases, next_due } = match leased {
            Ok(leased) => leased,
            Err(_) if stopped => return None,
            Err(error) => return Some(Err(error)),
        };
        for (kind, wanted) in &request.wants {
            let got = leases.iter().filter(|lease| lease.job.kind == *kind).count();
            if got < *wanted {
                self.dry.insert(kind.clone());
            }
        }
        if stopped {
            self.hand_back(&leases).await;
            return None;
        }
        for lease in leases {
            self.begin(lease, asked);
        }
        Some(Ok(next_due))
    }

    /// Gives back what was never begun. Where the queue does not take it, the leases run out.
    async fn hand_back(&self, leases: &[Lease]) {
        let Worker { queue, clock, .. } = &*self.pool.worker;
        if leases.is_empty() {
            return;
        }
        let back = leases.iter().map(|lease| Settlement::new(lease.id(), Outcome::Release)).collect();
        tokio::select! {
            settled = queue.settle(back) => {
                if let Err(error) = settled {
                    tracing::warn!(%error, jobs = leases.len(), "the queue did not take jobs back");
                }
            }
            () = clock.sleep(self.pool.grace) => {}
        }
    }

    fn begin(&mut self, lease: Lease, asked: Duration) {
        let Some(kind) = self.pool.kinds.get(&lease.job.kind) else { return };
        *self.running.entry(lease.job.kind.clone()).or_default() += 1;
        let run = Arc::new(JobRun::new(lease, kind.retries.retries, self.is_stopping.clone()));
        let stopped = self.held.add(&run, asked, self.pool.worker.ttl);
        let (worker, handler) = (Arc::clone(&self.pool.worker), Arc::clone(&kind.handler));
        let (held, retries) = (Arc::clone(&self.held), kind.retries);
        self.set.spawn(async move { work::work(&worker, &*handler, retries, &held, &run, stopped).await });
    }

    fn ended(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        // The task catches what its handler throws.
        let Ok(Ended { kind, how }) = ended else { return };
        if let Some(running) = self.running.get_mut(&kind) {
            *running = running.saturating_sub(1);
        }
        let count = match how {
            work::How::Done => &mut self.report.done,
            work::How::Retried => &mut self.report.retried,
            work::How::Dead => &mut self.report.dead,
            work::How::Released => &mut self.report.released,
            work::How::Lost => &mut self.report.lost,
        };
        *count += 1;
    }

    /// Waits, while jobs end; whether to go on.
    async fn pause(
        &mut self,
        wait: Duration,
        mut stop: Pin<&mut (impl Future<Output = ()> + ?Sized)>,
    ) -> bool {
        let clock = &self.pool.worker.clock;
        let mut nap = clock.sleep(wait);
        loop {
            tokio::select! {
                () = &mut stop => return false,
                () = &mut nap => return true,
                Some(ended) = self.set.join_next() => self.ended(ended),
            }
        }
    }

    /// Lets jobs come to their end, and hands back those that do not in time.
    async fn finish(&mut self, held: &Held) {
        let Worker { clock, ttl, .. } = &*self.pool.worker;
        for (limit, then) in [(self.pool.grace, Some(Stop::HandBack)), (*ttl, None)] {
            let mut over = clock.sleep(limit);
            loop {
                tokio::select! {
                    ended = self.set.join_next() => match ended {
                        Some(ended) => self.ended(ended),
                        None => return,
                    },
                    () = &mut over => break,
                }
            }
            match then {
                Some(why) => held.stop_all(why),
                // The queue did not answer for the time of a lease: others have the jobs by now.
                None => self.set.shutdown().await,
            }
        }
    }
}

/// A full pool does not ask: what it could not take would be news for ever.
async fn wait(queue: &dyn JobQueue, kinds: Vec<JobKind>) {
    if kinds.is_empty() {
        std::future::pending::<()>().await;
    }
    queue.wait(&kinds).await;
}

fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
