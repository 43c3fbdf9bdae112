//! How does work wait in the file, and how do many small calls become few large transactions?
//!
//! Each transaction to a disk costs a write that has to arrive there, whatever is in it. So all calls that come
//! while one transaction is on its way go in the next one: first what has ended, then what is new, then signs of
//! life, and then whoever wants something to do. In memory, a batch works on a [`Desk`](desk::Desk): it reads
//! what it needs with a few statements for all, and writes what has changed in the same way.

mod add;
mod desk;
mod lanes;
mod lease;
mod read;
mod row;
mod settle;
mod wait;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::clock::Clock;
use integrations_core::queue::{
    Enqueued, Heartbeat, JobId, JobKind, JobQuery, JobQueue, JobRecord, LeaseRequest, Leased, NewJob,
    QueueStats, Settlement,
};
use integrations_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteConnectOptions;

use self::desk::{Desk, News};
use self::wait::Bell;
use super::SqliteStore;
use super::writer::Writer;
use crate::group::{Group, same};

/// How many calls go in one transaction: enough that its costs are small, and few enough that nobody waits long.
const MOST_CALLS: usize = 256;

pub(super) struct Queue {
    line: Group<Call, Answer>,
    bell: Arc<Bell>,
}

enum Call {
    Settle(Vec<Settlement>),
    Enqueue(Vec<NewJob>),
    Requeue(Vec<JobId>),
    Extend(Vec<Heartbeat>),
    Lease(LeaseRequest),
}

enum Answer {
    Held(Vec<bool>),
    Enqueued(Vec<Enqueued>),
    Requeued(Vec<Option<Enqueued>>),
    Leased(Leased),
}

impl Queue {
    /// `watched` is how to connect to a file that other processes may write to, too.
    pub(super) fn new(writer: Writer, clock: Arc<dyn Clock>, watched: Option<SqliteConnectOptions>) -> Self {
        let bell = Arc::new(Bell::new(watched));
        let rung = Arc::clone(&bell);
        let line = Group::new(MOST_CALLS, 1, move |calls| {
            let (writer, clock, bell) = (writer.clone(), Arc::clone(&clock), Arc::clone(&rung));
            async move { flush(&writer, clock, &bell, calls).await }
        });
        Self { line, bell }
    }

    async fn call(&self, operation: &'static str, call: Call) -> Result<Answer> {
        self.line.run(operation, call).await.map_err(|error| error.with_operation(operation))
    }
}

async fn flush(writer: &Writer, clock: Arc<dyn Clock>, bell: &Bell, calls: Vec<Call>) -> Vec<Result<Answer>> {
    let number = calls.len();
    let batch = writer.transaction("queue", move |connection| {
        Box::pin(async move {
            // Not before it is this transaction's turn: what waited for that would be late.
            let now = clock.now().timestamp_micros();
            do_all(Desk::new(connection, now).await?, calls).await
        })
    });
    match batch.await {
        Ok((answers, news)) => {
            bell.ring(news);
            answers.into_iter().map(|answer| answer.ok_or_else(unanswered)).collect()
        }
        Err(error) => (0..number).map(|_| Err(same(&error))).collect(),
    }
}

async fn do_all(mut desk: Desk<'_>, calls: Vec<Call>) -> Result<(Vec<Option<Answer>>, News)> {
    let mut answers: Vec<Option<Answer>> = calls.iter().map(|_| None).collect();
    let (mut settle, mut enqueue, mut requeue) = (Vec::new(), Vec::new(), Vec::new());
    let (mut extend, mut lease) = (Vec::new(), Vec::new());
    for (place, call) in calls.into_iter().enumerate() {
        match call {
            Call::Settle(settlements) => settle.push((place, settlements)),
            Call::Enqueue(jobs) => enqueue.push((place, jobs)),
            Call::Requeue(jobs) => requeue.push((place, jobs)),
            Call::Extend(heartbeats) => extend.push((place, heartbeats)),
            Call::Lease(request) => lease.push((place, request)),
        }
    }
    for (place, held) in together(settle, async |settlements| desk.settle(settlements).await).await? {
        answers[place] = Some(Answer::Held(held));
    }
    for (place, enqueued) in together(enqueue, async |jobs| desk.enqueue(jobs).await).await? {
        answers[place] = Some(Answer::Enqueued(enqueued));
    }
    for (place, requeued) in together(requeue, async |jobs| desk.requeue(jobs).await).await? {
        answers[place] = Some(Answer::Requeued(requeued));
    }
    for (place, held) in together(extend, async |heartbeats| desk.extend(heartbeats).await).await? {
        answers[place] = Some(Answer::Held(held));
    }
    if !lease.is_empty() {
        let (places, requests): (Vec<usize>, Vec<LeaseRequest>) = lease.into_iter().unzip();
        for (place, leased) in places.into_iter().zip(desk.lease(&requests).await?) {
            answers[place] = Some(Answer::Leased(leased));
        }
    }
    let news = desk.close().await?;
    Ok((answers, news))
}

/// Does what several calls ask for as if it were one, and gives each its part of the answers.
async fn together<T, R>(
    calls: Vec<(usize, Vec<T>)>,
    work: impl AsyncFnOnce(Vec<T>) -> Result<Vec<R>>,
) -> Result<Vec<(usize, Vec<R>)>> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<(usize, usize)> = calls.iter().map(|(place, items)| (*place, items.len())).collect();
    let mut answers = work(calls.into_iter().flat_map(|(_, items)| items).collect()).await?.into_iter();
    Ok(parts.into_iter().map(|(place, length)| (place, answers.by_ref().take(length).collect())).collect())
}

fn unanswered() -> Error {
    Error::new(ErrorKind::Store, "the queue has left a call without its answer; please report this")
        .with_code("unanswered")
}

#[async_trait]
impl JobQueue for SqliteStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        // Before it stands in line, so that no neighbour fails with it.
        jobs.iter().try_for_each(NewJob::check)?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        match self.inner.queue.call("queue.enqueue", Call::Enqueue(jobs)).await? {
            Answer::Enqueued(enqueued) => Ok(enqueued),
            _ => Err(unanswered()),
        }
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        match self.inner.queue.call("queue.lease", Call::Lease(request.clone())).await? {
            Answer::Leased(leased) => Ok(leased),
            _ => Err(unanswered()),
        }
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        if heartbeats.is_empty() {
            return Ok(Vec::new());
        }
        match self.inner.queue.call("queue.extend", Call::Extend(heartbeats)).await? {
            Answer::Held(held) => Ok(held),
            _ => Err(unanswered()),
        }
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        if settlements.is_empty() {
            return Ok(Vec::new());
        }
        match self.inner.queue.call("queue.settle", Call::Settle(settlements)).await? {
            Answer::Held(held) => Ok(held),
            _ => Err(unanswered()),
        }
    }

    async fn stats(&self) -> Result<QueueStats> {
        self.queue_stats().await
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        self.find_jobs(query).await
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        match self.inner.queue.call("queue.requeue", Call::Requeue(jobs.to_vec())).await? {
            Answer::Requeued(requeued) => Ok(requeued),
            _ => Err(unanswered()),
        }
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        self.purge_jobs(before.timestamp_micros()).await
    }

    async fn wait(&self, kinds: &[JobKind]) {
        self.wait_for_jobs(kinds).await;
    }
}
