//! How do the workers of several machines share jobs?
//!
//! Calls of one process that come at the same time go to the server together; each batch is one statement. Leases go
//! together where worker, kinds and time are the same.
//!
//! * **Durability.** A job that was put in, and a lease, survives what a commit of the server does: see
//!   [`postgres`](super) for `synchronous_commit`. How a job has ended is written without waiting for the disk: a crash of
//!   the server may undo the last moments of that, and then the job is done once more.
//! * **Order.** A job has its turn from when it is ready: the turn after its user's last, and none that is past. That is
//!   exact for what is committed; jobs of one user that two processes put in at the same moment may come in either order.
//! * **Failover.** Leases run on: whoever holds one extends or settles it on the new primary. Where that has lost the
//!   last moments of the old one (a standby that was not synchronous), jobs that were put in then are gone, others may
//!   be done once more, and their fences may be those that the old one gave in these moments.
//! * **History.** A finished job moves to a table of its own, so that the one in which workers look stays small.

mod add;
mod lease;
mod read;
pub(super) mod schema;
mod settle;
mod wait;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::queue::{
    Enqueued, Heartbeat, JobId, JobKind, JobQuery, JobQueue, JobRecord, LeaseRequest, Leased, NewJob,
    QueueStats, Settlement,
};
use integrations_core::{ErrorKind, Result};

use super::PostgresStore;
use super::failure::TRANSACTION_CONFLICT;
use crate::group::{Group, same};

/// How many calls go to the server in one statement.
const LARGEST: usize = 64;

/// How often a statement is sent that the server undoes for the sake of others.
const ATTEMPTS: usize = 5;

/// What the queue keeps in this process.
pub(super) struct Queue {
    adding: Group<(PostgresStore, Vec<NewJob>), Vec<Enqueued>>,
    settling: Group<(PostgresStore, Vec<Settlement>), Vec<bool>>,
    leasing: Group<lease::Waiting, Leased>,
    extending: Group<(PostgresStore, Vec<Heartbeat>), Vec<bool>>,
    bell: wait::Bell,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            adding: Group::new(LARGEST, 2, |batch: Vec<(PostgresStore, Vec<NewJob>)>| async move {
                together(batch, |store, jobs| async move { store.add_jobs(jobs).await }).await
            }),
            settling: Group::new(LARGEST, 2, |batch: Vec<(PostgresStore, Vec<Settlement>)>| async move {
                together(batch, |store, settlements| async move { store.settle_jobs(settlements).await })
                    .await
            }),
            leasing: Group::new(LARGEST, 1, lease::lease_together),
            extending: Group::new(LARGEST, 1, |batch: Vec<(PostgresStore, Vec<Heartbeat>)>| async move {
                together(batch, |store, heartbeats| async move { store.extend_leases(heartbeats).await })
                    .await
            }),
            bell: wait::Bell::default(),
        }
    }
}

/// Does the work of several calls at once. What only one of them is to blame for is not the others' failure.
async fn together<T, R, F, Fut>(batch: Vec<(PostgresStore, Vec<T>)>, work: F) -> Vec<Result<Vec<R>>>
where
    T: Clone,
    F: Fn(PostgresStore, Vec<T>) -> Fut,
    Fut: Future<Output = Result<Vec<R>>>,
{
    let Some((store, _)) = batch.first() else { return Vec::new() };
    let all = batch.iter().flat_map(|(_, some)| some.iter().cloned()).collect();
    match work(store.clone(), all).await {
        Ok(results) => {
            let mut results = results.into_iter();
            batch.iter().map(|(_, some)| Ok(results.by_ref().take(some.len()).collect())).collect()
        }
        Err(error) if error.kind() == ErrorKind::InvalidRequest && batch.len() > 1 => {
            let mut results = Vec::with_capacity(batch.len());
            for (store, some) in batch {
                results.push(work(store, some).await);
            }
            results
        }
        Err(error) => batch.iter().map(|_| Err(same(&error))).collect(),
    }
}

/// Does it again when the server has undone it for the sake of another.
async fn again<T, Fut: Future<Output = Result<T>>>(mut work: impl FnMut() -> Fut) -> Result<T> {
    let mut attempt = 1;
    loop {
        match work().await {
            Err(error) if error.provider_code() == Some(TRANSACTION_CONFLICT) && attempt < ATTEMPTS => {
                attempt += 1;
            }
            done => return done,
        }
    }
}

#[async_trait]
impl JobQueue for PostgresStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        jobs.iter().try_for_each(NewJob::check)?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.queue.adding.run("queue.enqueue", (self.clone(), jobs)).await
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        self.lease_with_others(request).await
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        if heartbeats.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.queue.extending.run("queue.extend", (self.clone(), heartbeats)).await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        if settlements.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.queue.settling.run("queue.settle", (self.clone(), settlements)).await
    }

    async fn stats(&self) -> Result<QueueStats> {
        self.queue_stats().await
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        self.find_jobs(query).await
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        self.requeue_jobs(jobs).await
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        self.purge_jobs(before.timestamp_micros()).await
    }

    async fn wait(&self, kinds: &[JobKind]) {
        self.wait_for_jobs(kinds).await;
    }
}

/// The number of a job; `None` for what is no id of this queue.
fn number(id: &JobId) -> Option<i64> {
    let number: i64 = id.as_str().parse().ok()?;
    // `+7` is a number, and nobody's id.
    (number.to_string() == id.as_str()).then_some(number)
}
