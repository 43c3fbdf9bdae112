//! How many jobs a second?

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use integrations_benches::Result;
use integrations_benches::figures::Stopwatch;
use integrations_core::queue::{
    JobHandler, JobQueue, JobRun, LeaseRequest, NewJob, Payload, Repeat, Settlement, WorkerPool,
};
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) const KIND: &str = "bench";
const TTL: Duration = Duration::from_secs(60);
/// Among how many users the jobs are divided.
const USERS: usize = 100;
/// How many jobs are put in at a time when a queue is filled.
const FILLING: usize = 1_000;

pub(crate) fn job(number: usize) -> NewJob {
    let payload = format!(r#"{{"connection":"cn_{number}","stream":"primary"}}"#);
    NewJob::new(KIND, format!("user_{}", number % USERS)).payload(Payload::new(payload))
}

/// Jobs a second that are put in, leased and settled, `batch` at a time, by so many tasks of which each waits for each
/// of its three calls.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) async fn round_trips(
    queue: &Arc<dyn JobQueue>,
    tasks: usize,
    batch: usize,
    seconds: f64,
) -> Result<f64> {
    let watch = Arc::new(Stopwatch::start());
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let (queue, watch) = (Arc::clone(queue), Arc::clone(&watch));
        running.spawn(async move {
            let (mut done, mut owed, mut next) = (0, 0, task * 1_000_000_000);
            loop {
                let on = watch.seconds() < seconds;
                if on {
                    queue.enqueue((next..next + batch).map(job).collect()).await?;
                    next += batch;
                    owed += batch;
                } else if owed == 0 {
                    return Ok::<_, integrations_core::Error>(done);
                }
                let settled = take(&*queue, owed).await?;
                done += settled;
                owed -= settled;
            }
        });
    }
    let mut done = 0;
    while let Some(task) = running.join_next().await {
        done += task??;
    }
    Ok(done as f64 / watch.seconds())
}

/// Leases at most so many jobs and settles them; returns how many there were.
async fn take(queue: &dyn JobQueue, most: usize) -> integrations_core::Result<usize> {
    let leased = queue.lease(&LeaseRequest::new("bench", KIND, most, TTL)).await?;
    if leased.leases.is_empty() {
        tokio::task::yield_now().await;
        return Ok(0);
    }
    let held = queue.settle(leased.leases.iter().map(Settlement::done).collect()).await?;
    Ok(held.into_iter().filter(|held| *held).count())
}

/// Fills a queue, and returns how many jobs a second went in.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) async fn fill(queue: &dyn JobQueue, jobs: usize) -> Result<f64> {
    let watch = Stopwatch::start();
    for from in (0..jobs).step_by(FILLING) {
        queue.enqueue((from..jobs.min(from + FILLING)).map(job).collect()).await?;
    }
    Ok(jobs as f64 / watch.seconds())
}

/// Jobs a second that loops lease and settle, `batch` at a time, until a queue is empty.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) async fn loops(queue: &Arc<dyn JobQueue>, jobs: usize, tasks: usize, batch: usize) -> Result<f64> {
    let watch = Stopwatch::start();
    let done = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let (queue, done) = (Arc::clone(queue), Arc::clone(&done));
        running.spawn(async move {
            while done.load(Ordering::Relaxed) < jobs {
                done.fetch_add(take(&*queue, batch).await?, Ordering::Relaxed);
            }
            Ok::<_, integrations_core::Error>(())
        });
    }
    while let Some(task) = running.join_next().await {
        task??;
    }
    Ok(jobs as f64 / watch.seconds())
}

/// Jobs a second that a pool does until a queue is empty.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) async fn pool(queue: &Arc<dyn JobQueue>, jobs: usize, concurrency: usize) -> Result<f64> {
    let work = Arc::new(NoOp { left: AtomicUsize::new(jobs), over: Notify::new() });
    let pool = WorkerPool::builder(Arc::clone(queue))
        .handler(KIND, Arc::clone(&work) as _)
        .concurrency(KIND, concurrency)
        .build()?;
    let watch = Stopwatch::start();
    // It returns when the last job is settled.
    let report = pool.run(work.over.notified()).await;
    let seconds = watch.seconds();
    if report.done != jobs as u64 {
        return Err(format!("of {jobs} jobs the pool has done {}", report.done).into());
    }
    Ok(jobs as f64 / seconds)
}

/// Does nothing, and says when it has done so often enough.
#[derive(Debug)]
struct NoOp {
    left: AtomicUsize,
    over: Notify,
}

#[async_trait]
impl JobHandler for NoOp {
    async fn run(&self, _: &JobRun) -> integrations_core::Result<Option<Repeat>> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.over.notify_one();
        }
        Ok(None)
    }
}
