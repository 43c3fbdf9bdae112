//! What is done when a job's time has come?

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::cadence::Streak;
use super::jobs::{RefreshJob, SyncJob, Upkeep};
use super::{Cadence, Scheduler, place};
use crate::adapter::Stream;
use crate::connection::{Connection, ConnectionId, StreamId};
use crate::error::{Disposition, Error, ErrorKind, Result};
use crate::observe::{Notice, Observer};
use crate::queue::{JobHandler, JobKind, JobRun, Progress, ProgressReporter, Repeat};
use crate::sync::{StreamReport, SyncRequest};

/// How long it is remembered when a stream last changed.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a stream, and puts it back for its next time; or looks which streams there are.
#[derive(Debug)]
pub(super) struct IncrementalSync(pub(super) Scheduler);

#[async_trait]
impl JobHandler for IncrementalSync {
    async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
        let job: SyncJob = run.job().payload.read()?;
        let Some(connection) = self.0.active(&job.connection).await? else { return Ok(None) };
        let Some(id) = &job.stream else {
            ended(self.0.look(&connection, job.at_once).await)?;
            return Ok(None);
        };
        let Some(cadence) = self.0.cadence(&connection, id) else { return Ok(None) };
        let mut stream = Stream::new(id, id.as_str());
        stream.frozen = job.frozen;
        let request = SyncRequest::incremental().with_fence(run.fence());
        let Some(report) = ended(self.0.read(run, &connection, &stream, request).await)? else {
            return Ok(None);
        };
        if job.frozen {
            return Ok(None);
        }
        let changed = report.upserted + report.deleted + report.swept > 0;
        let lately = self.0.remember(&job.connection, id, changed).await?;
        Ok(Some(self.0.repeat(&cadence, &job.connection, id, lately, run)))
    }

    async fn given_up(&self, run: &JobRun, error: &Error) -> Option<Repeat> {
        let job: SyncJob = run.job().payload.read().ok()?;
        let stream = job.stream.as_ref()?;
        if error.disposition() == Disposition::Reauthorize {
            return None;
        }
        let connection = self.0.active(&job.connection).await.ok()??;
        let cadence = self.0.cadence(&connection, stream)?;
        let lately = self.0.remember_failure(&job.connection, stream).await;
        Some(self.0.repeat(&cadence, &job.connection, stream, lately, run))
    }
}

/// Lists a stream again; of a connection, each of its streams.
#[derive(Debug)]
pub(super) struct FullSync(pub(super) Scheduler);

#[async_trait]
impl JobHandler for FullSync {
    async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
        let job: SyncJob = run.job().payload.read()?;
        let Some(connection) = self.0.active(&job.connection).await? else { return Ok(None) };
        if let Some(id) = &job.stream {
            let request = SyncRequest::full().with_fence(run.fence());
            ended(self.0.read(run, &connection, &Stream::new(id, id.as_str()), request).await)?;
            return Ok(None);
        }
        let inner = &self.0.inner;
        let streams = inner.gateway.streams(&connection.id).await?;
        let wanted = streams.iter().filter(|stream| self.0.cadence(&connection, &stream.id).is_some());
        let jobs = wanted.map(|stream| {
            SyncJob::new(&connection.id, Some(&stream.id)).job(JobKind::FULL_SYNC, &connection)
        });
        inner.queue.enqueue(jobs.collect::<Result<_>>()?).await?;
        Ok(None)
    }
}

/// Refreshes the tokens of a connection.
#[derive(Debug)]
pub(super) struct RefreshToken(pub(super) Scheduler);

#[async_trait]
impl JobHandler for RefreshToken {
    async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
        let job: RefreshJob = run.job().payload.read()?;
        if self.0.active(&job.connection).await?.is_some() {
            ended(self.0.inner.gateway.refresh_if_due(&job.connection).await)?;
        }
        Ok(None)
    }
}

/// Keeps the schedule and the queue in order.
#[derive(Debug)]
pub(super) struct Maintenance(pub(super) Scheduler);

impl Maintenance {
    fn again(&self, task: Upkeep) -> Repeat {
        let after = match task {
            Upkeep::Reconcile => self.0.inner.reconcile,
            Upkeep::Purge => DAY,
        };
        Repeat { after, payload: None }
    }
}

#[async_trait]
impl JobHandler for Maintenance {
    async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
        let task: Upkeep = run.job().payload.read()?;
        let done = match task {
            Upkeep::Reconcile => self.0.reconcile().await?,
            Upkeep::Purge => self.0.purge().await?,
        };
        run.progress(Progress { done, ..Progress::default() });
        Ok(Some(self.again(task)))
    }

    async fn given_up(&self, run: &JobRun, _: &Error) -> Option<Repeat> {
        run.job().payload.read().ok().map(|task| self.again(task))
    }
}

/// A connection or a stream that is gone, or that waits for its user, is not read any more, and is no dead letter: the
/// connection's status says why, and there may be a thousand streams.
fn ended<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match (error.kind(), error.provider_code()) {
            (ErrorKind::NotFound | ErrorKind::ReauthorizationRequired, _)
            | (ErrorKind::InvalidRequest, Some("paused")) => {
                tracing::info!(%error, "what the job is about is not read any more");
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

/// What is remembered of a stream between two reads.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Memory {
    changed_at: DateTime<Utc>,
    #[serde(default)]
    failures: u32,
}

impl Scheduler {
    /// A connection, if it may be used.
    async fn active(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        match self.inner.gateway.connection(id).await {
            Ok(connection) => Ok(connection.status.check().is_ok().then_some(connection)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks which streams a connection has, and sees to it that each has its job: one that was never read at once,
    /// the others when they have their time at the latest, so that a job that is there is left alone.
    async fn look(&self, connection: &Connection, at_once: bool) -> Result<()> {
        let gateway = &self.inner.gateway;
        let streams = gateway.streams(&connection.id).await?;
        let known: std::collections::HashSet<_> =
            gateway.known_streams(&connection.id).await?.into_iter().collect();
        let now = gateway.clock().now();
        let mut jobs = Vec::with_capacity(streams.len());
        for stream in &streams {
            let Some(cadence) = self.cadence(connection, &stream.id) else { continue };
            let sync = SyncJob { frozen: stream.frozen, ..SyncJob::new(&connection.id, Some(&stream.id)) };
            let delay = if known.contains(&stream.id) && !at_once {
                cadence.longest(now, place(&connection.id, Some(&stream.id)))
            } else {
                Duration::ZERO
            };
            jobs.push(sync.job(JobKind::INCREMENTAL_SYNC, connection)?.delay(delay));
        }
        self.inner.queue.enqueue(jobs).await?;
        Ok(())
    }

    async fn read(
        &self,
        run: &JobRun,
        connection: &Connection,
        stream: &Stream,
        request: SyncRequest,
    ) -> Result<StreamReport> {
        let gateway = &self.inner.gateway;
        let observer = Arc::new(Tee { host: gateway.observer(), reporter: run.reporter() });
        let report = gateway.read_stream(connection, stream, request, observer).await?;
        run.progress(progress(&report));
        Ok(report)
    }

    fn repeat(
        &self,
        cadence: &Cadence,
        connection: &ConnectionId,
        stream: &StreamId,
        lately: Streak,
        run: &JobRun,
    ) -> Repeat {
        let now = self.inner.gateway.clock().now();
        let place = place(connection, Some(stream));
        // Any number that is another one each time will do.
        let chance = (place
            + f64::from((run.fence().0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32)
                / f64::from(u32::MAX))
        .fract();
        Repeat { after: cadence.next(now, lately, place, chance), payload: None }
    }

    /// Writes down that a stream was read, where that is news.
    async fn remember(&self, connection: &ConnectionId, stream: &StreamId, changed: bool) -> Result<Streak> {
        let now = self.inner.gateway.clock().now();
        let before = self.memory(connection, stream).await?;
        let memory = match before {
            Some(before) if !changed => Memory { failures: 0, ..before },
            _ => Memory { changed_at: now, failures: 0 },
        };
        let is_news = changed || before.is_none_or(|before| before.failures != 0);
        if is_news {
            self.write(connection, stream, memory).await?;
        }
        Ok(Streak { idle: (now - memory.changed_at).to_std().unwrap_or_default(), failures: 0 })
    }

    /// Writes down that a stream could not be read. What cannot be written down either counts as the first failure.
    async fn remember_failure(&self, connection: &ConnectionId, stream: &StreamId) -> Streak {
        let now = self.inner.gateway.clock().now();
        let before = self.memory(connection, stream).await.ok().flatten();
        let mut memory = before.unwrap_or(Memory { changed_at: now, failures: 0 });
        memory.failures = memory.failures.saturating_add(1);
        if let Err(error) = self.write(connection, stream, memory).await {
            tracing::warn!(%error, "it could not be written down that a stream fails");
        }
        Streak { idle: Duration::ZERO, failures: memory.failures }
    }

    async fn memory(&self, connection: &ConnectionId, stream: &StreamId) -> Result<Option<Memory>> {
        let found = self.inner.gateway.values().get(&memory_key(connection, stream)).await?;
        // What another version has written is as good as nothing.
        Ok(found.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    async fn write(&self, connection: &ConnectionId, stream: &StreamId, memory: Memory) -> Result<()> {
        let json = serde_json::to_vec(&memory).unwrap_or_default();
        self.inner.gateway.values().put(&memory_key(connection, stream), &json, REMEMBERED).await
    }
}

fn memory_key(connection: &ConnectionId, stream: &StreamId) -> String {
    format!("schedule/{connection}/{stream}")
}

fn progress(report: &StreamReport) -> Progress {
    Progress { done: report.upserted + report.deleted, total: None, note: None }
}

/// Tells the host's observer, and the queue how far the job is.
#[derive(Debug)]
struct Tee {
    host: Arc<dyn Observer>,
    reporter: ProgressReporter,
}

impl Observer for Tee {
    fn notice(&self, notice: &Notice<'_>) {
        if let Notice::PageCommitted { report, .. } = notice {
            self.reporter.progress(progress(report));
        }
        self.host.notice(notice);
    }
}
