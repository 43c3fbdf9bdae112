//! How does a job stand in its table?

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::Owner;
use integrations_core::queue::{
    Job, JobFailure, JobId, JobRecord, JobState, NewJob, Payload, Priority, Progress,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::super::failure::{OrStore, unreadable, unwritable};
use super::super::time;

/// The columns that [`Row::read`] reads, in its order, of `jobs AS j`.
macro_rules! columns {
    () => {
        "j.key, j.kind, j.tenant, j.user, j.name, j.twin, j.priority, j.state, j.turn, j.due_at, j.failures, \
         j.lost, j.fence, j.enqueued_at, j.started_at, j.finished_at, j.worker, j.progress, j.failure, \
         (SELECT p.payload FROM job_payloads AS p WHERE p.job = j.key)"
    };
}
pub(super) use columns;

/// A job as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) key: i64,
    pub(super) twin: Option<String>,
    pub(super) turn: Option<i64>,
    pub(super) due_at: Option<i64>,
    pub(super) fence: Option<i64>,
    pub(super) state: JobState,
    pub(super) job: Job,
    started_at: Option<i64>,
    pub(super) finished_at: Option<i64>,
    worker: Option<String>,
    pub(super) progress: Option<String>,
    pub(super) failure: Option<String>,
}

impl Row {
    /// A new job, which has no turn yet.
    pub(super) fn new(key: i64, job: NewJob, twin: Option<String>, due_at: i64, now: i64) -> Self {
        Self {
            key,
            twin,
            turn: None,
            due_at: Some(due_at),
            fence: None,
            state: JobState::Waiting,
            job: Job::new(key.to_string(), job, time(now)),
            started_at: None,
            finished_at: None,
            worker: None,
            progress: None,
            failure: None,
        }
    }

    pub(super) fn read(row: &SqliteRow, operation: &'static str) -> Result<Self> {
        Self::decode(row).or_store(operation)
    }

    fn decode(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let key: i64 = row.try_get(0)?;
        let owner = Owner::new(row.try_get::<String, _>(2)?, row.try_get::<String, _>(3)?);
        let mut job = NewJob::new(row.try_get::<String, _>(1)?, owner);
        job.key = row.try_get::<Option<String>, _>(4)?.map(Arc::from);
        job.priority = Priority::from_rank(row.try_get(6)?);
        job.payload = Payload::new(row.try_get::<Option<Vec<u8>>, _>(19)?.unwrap_or_default());
        let mut job = Job::new(key.to_string(), job, time(row.try_get(13)?));
        job.failures = row.try_get(10)?;
        job.lost = row.try_get(11)?;
        Ok(Self {
            key,
            twin: row.try_get(5)?,
            turn: row.try_get(8)?,
            due_at: row.try_get(9)?,
            fence: row.try_get(12)?,
            state: state(row.try_get(7)?),
            job,
            started_at: row.try_get(14)?,
            finished_at: row.try_get(15)?,
            worker: row.try_get(16)?,
            progress: row.try_get(17)?,
            failure: row.try_get(18)?,
        })
    }

    pub(super) fn worker(&self) -> &str {
        self.worker.as_deref().unwrap_or("unknown")
    }

    /// What the host sees of it.
    pub(super) fn record(self, again: bool, operation: &'static str) -> Result<JobRecord> {
        let mut record = JobRecord::new(self.job, self.state);
        record.due_at = self.due_at.map(time);
        record.started_at = self.started_at.map(time);
        record.finished_at = self.finished_at.map(time);
        record.worker = self.worker;
        record.progress = parse(self.progress.as_deref(), "progress of a job", operation)?;
        record.failure = parse(self.failure.as_deref(), "failure of a job", operation)?;
        record.again = again;
        Ok(record)
    }

    /// Writes all that may change, the payload aside.
    pub(super) async fn update(
        &self,
        connection: &mut SqliteConnection,
        operation: &'static str,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE jobs SET priority = ?, state = ?, turn = ?, due_at = ?, failures = ?, lost = ?, \
             finished_at = ?, progress = ?, failure = ? WHERE key = ?",
        )
        .bind(self.job.priority.rank())
        .bind(self.state.as_str())
        .bind(self.turn)
        .bind(self.due_at)
        .bind(self.job.failures)
        .bind(self.job.lost)
        .bind(self.finished_at)
        .bind(self.progress.as_deref())
        .bind(self.failure.as_deref())
        .bind(self.key)
        .execute(connection)
        .await
        .or_store(operation)?;
        Ok(())
    }

    pub(super) async fn update_payload(
        &self,
        connection: &mut SqliteConnection,
        operation: &'static str,
    ) -> Result<()> {
        sqlx::query("INSERT OR REPLACE INTO job_payloads (job, payload) VALUES (?, ?)")
            .bind(self.key)
            .bind(self.job.payload.as_bytes())
            .execute(connection)
            .await
            .or_store(operation)?;
        Ok(())
    }
}

/// Inserts new jobs with two statements, however many they are.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    rows: &[Row],
    operation: &'static str,
) -> Result<()> {
    let mut payloads = Vec::new();
    let mut places = Vec::new();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let payload = row.job.payload.as_bytes();
        if !payload.is_empty() {
            // SQLite counts from 1.
            places.push((row.key, payloads.len() + 1, payload.len()));
            payloads.extend_from_slice(payload);
        }
        list.push((
            row.key,
            row.job.kind.as_str(),
            row.job.owner.tenant.as_str(),
            row.job.owner.user.as_str(),
            row.job.key.as_deref(),
            row.twin.as_deref(),
            row.job.priority.rank(),
            row.turn,
            row.due_at,
            row.job.enqueued_at.timestamp_micros(),
        ));
    }
    sqlx::query(
        "INSERT INTO jobs (key, kind, tenant, user, name, twin, priority, turn, due_at, enqueued_at, state, \
         failures, lost) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
         value ->> 7, value ->> 8, value ->> 9, 'waiting', 0, 0 FROM json_each(?)",
    )
    .bind(json(&list, operation)?)
    .execute(&mut *connection)
    .await
    .or_store(operation)?;
    if !places.is_empty() {
        sqlx::query(
            "INSERT INTO job_payloads (job, payload) \
             SELECT value ->> 0, substr(?2, value ->> 1, value ->> 2) FROM json_each(?1)",
        )
        .bind(json(&places, operation)?)
        .bind(payloads)
        .execute(connection)
        .await
        .or_store(operation)?;
    }
    Ok(())
}

fn state(name: &str) -> JobState {
    JobState::ALL.into_iter().find(|state| state.as_str() == name).unwrap_or(JobState::Dead)
}

fn parse<T: serde::de::DeserializeOwned>(
    text: Option<&str>,
    what: &'static str,
    operation: &'static str,
) -> Result<Option<T>> {
    text.map(serde_json::from_str).transpose().map_err(|error| unreadable(what, operation, &error))
}

pub(super) fn progress(progress: Option<&Progress>, operation: &'static str) -> Result<Option<String>> {
    let write = |progress| serde_json::to_string(progress);
    progress.map(write).transpose().map_err(|_| unwritable("progress of a job", operation))
}

pub(super) fn failure(failure: Option<&JobFailure>, operation: &'static str) -> Result<Option<String>> {
    let write = |failure| serde_json::to_string(failure);
    failure.map(write).transpose().map_err(|_| unwritable("failure of a job", operation))
}

/// A list for `json_each`.
pub(super) fn json<T: serde::Serialize>(list: &[T], operation: &'static str) -> Result<String> {
    serde_json::to_string(list).map_err(|_| unwritable("list of jobs", operation))
}

/// The key of the job with this id; `None` for what is no id of this queue.
pub(super) fn key(id: &JobId) -> Option<i64> {
    let key: i64 = id.as_str().parse().ok()?;
    // `+7` is a number, and nobody's id.
    (key.to_string() == id.as_str()).then_some(key)
}

/// So long after an instant; the end of time when that is behind it.
pub(super) fn later(now: i64, by: Duration) -> i64 {
    let end = DateTime::<Utc>::MAX_UTC.timestamp_micros();
    now.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)).min(end)
}

/// How long from one instant to another; zero when that is past.
pub(super) fn between(now: i64, then: i64) -> Duration {
    Duration::from_micros(u64::try_from(then.saturating_sub(now)).unwrap_or(0))
}
