//! How long does a job wait for a worker that has nothing to do?

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use integrations_benches::Result;
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::queue::{JobHandler, JobQueue, JobRun, Repeat, WorkerPool};
use tokio::sync::{mpsc, oneshot};

use super::load::{KIND, job};

/// Times from before a job is put in to where its handler begins, the shortest first.
#[derive(Debug)]
pub(crate) struct Waits(Vec<Duration>);

impl Waits {
    /// What so many percent of the jobs waited for at the most, in milliseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    }
}

/// Puts jobs in through `from`, one at a time, for an idle pool of 8 on `queue`.
pub(crate) async fn waits(queue: &Arc<dyn JobQueue>, from: &dyn JobQueue, jobs: usize) -> Result<Waits> {
    let clock = SystemClock::new();
    let (began, mut beginnings) = mpsc::unbounded_channel();
    let pool = WorkerPool::builder(Arc::clone(queue))
        .handler(KIND, Arc::new(Begins { clock, began }))
        .concurrency(KIND, 8)
        .build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        pool.run(async {
            let _ = stopped.await;
        })
        .await
    });
    let mut waits = Vec::with_capacity(jobs);
    // The first ones make connections, prepare statements and tell where to listen.
    for number in 0..jobs + 20 {
        // Until what came before is settled, and the pool is idle.
        clock.sleep(Duration::from_millis(5)).await;
        let put_in = clock.monotonic();
        from.enqueue(vec![job(number)]).await?;
        let began = beginnings.recv().await.ok_or("the pool has ended")?;
        if number >= 20 {
            waits.push(began.saturating_sub(put_in));
        }
    }
    drop(stop);
    running.await?;
    waits.sort_unstable();
    Ok(Waits(waits))
}

#[derive(Debug)]
struct Begins {
    clock: SystemClock,
    began: mpsc::UnboundedSender<Duration>,
}

#[async_trait]
impl JobHandler for Begins {
    async fn run(&self, _: &JobRun) -> integrations_core::Result<Option<Repeat>> {
        let _ = self.began.send(self.clock.monotonic());
        Ok(None)
    }
}
