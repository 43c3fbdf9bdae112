//! How is the queue kept?
//!
//! Each call of the trait is one call of a script; those of a process that come at the same time go together.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::queue::{
    Enqueued, Enqueuing, Heartbeat, JobFailure, JobId, JobKind, JobQuery, JobQueue, JobRecord, KindStats,
    LeaseRequest, Leased, MOST_LOST_LEASES, NewJob, Outcome, Payload, QueueStats, Settlement,
};
use integrations_core::{ErrorKind, Result};
use redis::aio::ConnectionManager;
use redis::{FromRedisValue, Script, ScriptInvocation};

use super::failure::{OrStore, odd};
use super::read::{self, Grant};
use super::{RedisStore, micros};
use crate::group::{Group, same};

macro_rules! script {
    ($name:literal) => {
        LazyLock::new(|| {
            Script::new(concat!(
                include_str!("lua/prelude.lua"),
                include_str!(concat!("lua/", $name, ".lua"))
            ))
        })
    };
}

static ENQUEUE: LazyLock<Script> = script!("enqueue");
static LEASE: LazyLock<Script> = script!("lease");
static EXTEND: LazyLock<Script> = script!("extend");
static SETTLE: LazyLock<Script> = script!("settle");
static REQUEUE: LazyLock<Script> = script!("requeue");
static PURGE: LazyLock<Script> = script!("purge");
static STATS: LazyLock<Script> = script!("stats");
static RIPE: LazyLock<Script> = script!("ripe");

/// Calls that go together at the most.
const TOGETHER: usize = 64;

/// A call with the time that it is made at.
type At<T> = (String, T);

/// The lines in which calls wait for the one before.
pub(super) struct Queue {
    adding: Group<At<Vec<NewJob>>, Vec<Enqueued>>,
    leasing: Group<At<LeaseRequest>, Leased>,
    settling: Group<At<Vec<Settlement>>, Vec<bool>>,
    extending: Group<At<Vec<Heartbeat>>, Vec<bool>>,
}

/// What the scripts run on.
#[derive(Clone)]
struct Server {
    connection: ConnectionManager,
    start: Arc<str>,
}

impl Server {
    fn call<'a>(&self, script: &'a Script, now: &str) -> ScriptInvocation<'a> {
        let mut call = script.key(&*self.start);
        call.arg(now);
        call
    }

    async fn run<T: FromRedisValue>(&self, call: ScriptInvocation<'_>, operation: &'static str) -> Result<T> {
        call.invoke_async(&mut self.connection.clone()).await.or_store(operation)
    }
}

impl Queue {
    pub(super) fn new(connection: &ConnectionManager, start: &str) -> Self {
        let server = Server { connection: connection.clone(), start: format!("{start}q:").into() };
        Self {
            adding: line(&server, add),
            leasing: line(&server, lease),
            settling: line(&server, settle),
            extending: line(&server, extend),
        }
    }
}

/// A line whose batches are done by a function; what fails, fails for all of a batch.
fn line<T, R, F>(
    server: &Server,
    flush: impl Fn(Server, Vec<At<T>>) -> F + Send + Sync + 'static,
) -> Group<At<T>, R>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Future<Output = Result<Vec<R>>> + Send + 'static,
{
    let server = server.clone();
    Group::new(TOGETHER, 1, move |batch: Vec<At<T>>| {
        let calls = batch.len();
        let flushed = flush(server.clone(), batch);
        async move {
            match flushed.await {
                Ok(answers) => answers.into_iter().map(Ok).collect(),
                Err(error) => (0..calls).map(|_| Err(same(&error))).collect(),
            }
        }
    })
}

/// The time of a batch: the clock of a test does not go backwards.
fn time_of<T>(batch: &[At<T>]) -> &str {
    batch.last().map_or("", |(now, _)| now)
}

async fn add(server: Server, batch: Vec<At<Vec<NewJob>>>) -> Result<Vec<Vec<Enqueued>>> {
    const OPERATION: &str = "queue.enqueue";
    let mut call = server.call(&ENQUEUE, time_of(&batch));
    for job in batch.iter().flat_map(|(_, jobs)| jobs) {
        call.arg(job.kind.as_str()).arg(job.owner.tenant.as_str()).arg(job.owner.user.as_str());
        call.arg(job.key.as_deref().unwrap_or_default()).arg(job.twin_id().unwrap_or_default());
        call.arg(job.payload.as_bytes()).arg(job.priority.rank()).arg(micros(job.delay));
    }
    let answers: Vec<(String, String)> = server.run(call, OPERATION).await?;
    let mut answers = answers.into_iter().map(|(id, how)| enqueued(id, &how, OPERATION));
    batch.iter().map(|(_, jobs)| answers.by_ref().take(jobs.len()).collect()).collect()
}

fn enqueued(id: String, how: &str, operation: &'static str) -> Result<Enqueued> {
    let how = match how {
        "added" => Enqueuing::Added,
        "coalesced" => Enqueuing::Coalesced,
        "again" => Enqueuing::Again,
        _ => return Err(odd(operation)),
    };
    Ok(Enqueued::new(id, how))
}

async fn lease(server: Server, batch: Vec<At<LeaseRequest>>) -> Result<Vec<Leased>> {
    const OPERATION: &str = "queue.lease";
    let lost = JobFailure::new(
        ErrorKind::Cancelled,
        "lease_lost",
        format!("its worker was lost {MOST_LOST_LEASES} times; is it what brings workers down?"),
    );
    let lost = serde_json::to_string(&lost).map_err(|_| odd(OPERATION))?;
    let mut call = server.call(&LEASE, time_of(&batch));
    call.arg(MOST_LOST_LEASES).arg(lost);
    for (_, LeaseRequest { worker, wants, ttl }) in &batch {
        call.arg(worker).arg(micros(*ttl)).arg(wants.len());
        for (kind, most) in wants {
            call.arg(kind.as_str()).arg(most);
        }
    }
    let answers: Vec<(String, Vec<Grant>)> = server.run(call, OPERATION).await?;
    answers
        .into_iter()
        .map(|(next_due, grants)| {
            let next_due = next_due.parse().ok().map(Duration::from_micros);
            let leases =
                grants.into_iter().map(|grant| read::lease(grant, OPERATION)).collect::<Result<_>>()?;
            Ok(Leased { leases, next_due })
        })
        .collect()
}

async fn extend(server: Server, batch: Vec<At<Vec<Heartbeat>>>) -> Result<Vec<Vec<bool>>> {
    const OPERATION: &str = "queue.extend";
    let mut call = server.call(&EXTEND, time_of(&batch));
    for beat in batch.iter().flat_map(|(_, beats)| beats) {
        call.arg(beat.lease.job.as_str())
            .arg(beat.lease.fence.0)
            .arg(micros(beat.ttl))
            .arg(json(beat.progress.as_ref()));
    }
    let answers: Vec<bool> = server.run(call, OPERATION).await?;
    Ok(share_out(answers, batch.iter().map(|(_, beats)| beats.len())))
}

async fn settle(server: Server, batch: Vec<At<Vec<Settlement>>>) -> Result<Vec<Vec<bool>>> {
    const OPERATION: &str = "queue.settle";
    let mut call = server.call(&SETTLE, time_of(&batch));
    for settlement in batch.iter().flat_map(|(_, settlements)| settlements) {
        let (outcome, after) = match settlement.outcome {
            Outcome::Done => ("done", Duration::ZERO),
            Outcome::Retry { after } => ("retry", after),
            Outcome::Dead => ("dead", Duration::ZERO),
            Outcome::Release => ("release", Duration::ZERO),
        };
        call.arg(settlement.lease.job.as_str()).arg(settlement.lease.fence.0).arg(outcome).arg(micros(after));
        call.arg(json(settlement.failure.as_ref())).arg(json(settlement.progress.as_ref()));
        let repeat = settlement.repeat.as_ref();
        let payload = repeat.and_then(|repeat| repeat.payload.as_ref());
        call.arg(repeat.map(|repeat| micros(repeat.after).to_string()).unwrap_or_default());
        call.arg(u8::from(payload.is_some())).arg(payload.map(Payload::as_bytes).unwrap_or_default());
    }
    let answers: Vec<bool> = server.run(call, OPERATION).await?;
    Ok(share_out(answers, batch.iter().map(|(_, settlements)| settlements.len())))
}

fn json(value: Option<&impl serde::Serialize>) -> String {
    value.and_then(|value| serde_json::to_string(value).ok()).unwrap_or_default()
}

fn share_out(answers: Vec<bool>, sizes: impl Iterator<Item = usize>) -> Vec<Vec<bool>> {
    let mut answers = answers.into_iter();
    sizes.map(|size| answers.by_ref().take(size).collect()).collect()
}

impl RedisStore {
    pub(super) fn server(&self) -> (ConnectionManager, String) {
        (self.connection(), format!("{}q:", self.inner.start))
    }

    async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        args: &[&str],
        operation: &'static str,
    ) -> Result<T> {
        let (mut connection, start) = self.server();
        let mut call = script.key(start);
        for arg in args {
            call.arg(*arg);
        }
        call.invoke_async(&mut connection).await.or_store(operation)
    }

    fn ring<'a>(&self, kinds: impl Iterator<Item = &'a JobKind>) {
        let mut rung: Vec<&JobKind> = Vec::new();
        for kind in kinds {
            if !rung.contains(&kind) {
                rung.push(kind);
                self.inner.bell.ring(kind);
            }
        }
    }
}

#[async_trait]
impl JobQueue for RedisStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        jobs.iter().try_for_each(NewJob::check)?;
        let mut kinds: Vec<JobKind> = jobs.iter().map(|job| job.kind.clone()).collect();
        kinds.dedup();
        let enqueued = self.inner.queue.adding.run("queue.enqueue", (self.now(), jobs)).await?;
        self.ring(kinds.iter());
        Ok(enqueued)
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        self.inner.queue.leasing.run("queue.lease", (self.now(), request.clone())).await
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        self.inner.queue.extending.run("queue.extend", (self.now(), heartbeats)).await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        self.inner.queue.settling.run("queue.settle", (self.now(), settlements)).await
    }

    async fn stats(&self) -> Result<QueueStats> {
        const OPERATION: &str = "queue.stats";
        type Row = (String, u64, u64, u64, u64, u64, u64, u64, String);
        let rows: Vec<Row> = self.script(&STATS, &[&self.now()], OPERATION).await?;
        let mut stats = QueueStats::default();
        for (kind, ready, delayed, running, dead, done_ever, retried_ever, dead_ever, oldest) in rows {
            let mut counts = KindStats::default();
            (counts.ready, counts.delayed, counts.running, counts.dead) = (ready, delayed, running, dead);
            (counts.done_ever, counts.retried_ever, counts.dead_ever) = (done_ever, retried_ever, dead_ever);
            counts.oldest = oldest.parse().ok().map(Duration::from_micros);
            stats.kinds.insert(kind.into(), counts);
        }
        Ok(stats)
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        self.find_jobs(query).await
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        const OPERATION: &str = "queue.requeue";
        let now = self.now();
        let args: Vec<&str> = [now.as_str()].into_iter().chain(jobs.iter().map(JobId::as_str)).collect();
        let answers: Vec<Vec<String>> = self.script(&REQUEUE, &args, OPERATION).await?;
        answers
            .into_iter()
            .map(|answer| match <[String; 2]>::try_from(answer) {
                Ok([id, how]) => enqueued(id, &how, OPERATION).map(Some),
                Err(_) => Ok(None),
            })
            .collect()
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        let before = before.timestamp_micros().to_string();
        let mut purged = 0;
        loop {
            let gone: u64 = self.script(&PURGE, &[&before], "queue.purge").await?;
            purged += gone;
            if gone == 0 {
                return Ok(purged);
            }
        }
    }

    async fn wait(&self, kinds: &[JobKind]) {
        let mut listener = self.inner.bell.listen();
        // What came before is not heard any more, but it is there.
        let now = self.now();
        let args: Vec<&str> = [now.as_str()].into_iter().chain(kinds.iter().map(JobKind::as_str)).collect();
        match self.script::<bool>(&RIPE, &args, "queue.wait").await {
            Ok(true) => {}
            Ok(false) => listener.heard(kinds).await,
            Err(error) => {
                tracing::debug!(%error, "the queue cannot be asked whether there is something to do");
                listener.heard(kinds).await;
            }
        }
    }
}
