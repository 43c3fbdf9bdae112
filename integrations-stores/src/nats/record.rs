//! How is a job written into a message?
//!
//! What every process knows of every job stands in a header, the [`Glance`]: followers get the headers alone. The body
//! is four bytes of length, what else is known of the job as JSON, and its payload and that of the twin that came
//! while it runs, as they are.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::Owner;
use integrations_core::queue::{
    Job, JobFailure, JobId, JobKind, JobRecord, JobState, NewJob, Payload, Priority, Progress,
};
use serde::{Deserialize, Serialize};

use super::failure::unreadable;
use super::names;

/// A job, with all that the queue knows of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) job: JobRecord,
    /// Of the lease, while it runs; 0: that of the message itself.
    pub(super) fence: u64,
    /// What came while it runs.
    pub(super) again: Option<Twin>,
}

/// What a twin asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Twin {
    pub(super) payload: Payload,
    pub(super) priority: Priority,
    pub(super) due: DateTime<Utc>,
}

/// What every process knows of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Glance {
    #[serde(rename = "k")]
    pub(super) kind: JobKind,
    #[serde(rename = "o")]
    pub(super) owner: Owner,
    #[serde(rename = "n")]
    number: String,
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    pub(super) rank: u8,
    #[serde(rename = "x", default, skip_serializing_if = "is_zero")]
    pub(super) failures: u32,
    #[serde(flatten)]
    pub(super) stand: Stand,
}

/// Where a job stands. Times are in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stand {
    /// It waits until then.
    #[serde(rename = "w")]
    Waits(i64),
    /// Its lease lasts until then, and has this fence.
    #[serde(rename = "r")]
    Runs(i64, u64),
    /// It was over then.
    #[serde(rename = "e")]
    Ended(i64),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

/// The body, its payloads aside.
#[derive(Serialize, Deserialize)]
struct Body {
    id: JobId,
    kind: JobKind,
    owner: Owner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    priority: Priority,
    #[serde(default, skip_serializing_if = "is_zero")]
    failures: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    lost: u32,
    enqueued_at: DateTime<Utc>,
    state: JobState,
    #[serde(default, skip_serializing_if = "is_zero")]
    fence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worker: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<JobFailure>,
    /// How many bytes of what follows are the job's own payload.
    payload: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

#[derive(Serialize, Deserialize)]
struct Again {
    priority: Priority,
    due: DateTime<Utc>,
}

impl Record {
    /// A new job that waits.
    pub(super) fn new(number: u128, job: NewJob, now: DateTime<Utc>, due: DateTime<Utc>) -> Self {
        let id = names::id(number, &job.kind);
        let mut job = JobRecord::new(Job::new(id, job, now), JobState::Waiting);
        job.due_at = Some(due);
        Self { job, fence: 0, again: None }
    }

    pub(super) fn number(&self) -> u128 {
        names::number(&self.job.job.id).unwrap_or_default()
    }

    /// How much memory it takes, about.
    pub(super) fn weight(&self) -> usize {
        let again = self.again.as_ref().map_or(0, |again| again.payload.as_bytes().len());
        512 + self.job.job.payload.as_bytes().len() + again
    }

    pub(super) fn glance(&self) -> Glance {
        let JobRecord { job, state, due_at, finished_at, .. } = &self.job;
        let micros = |at: &Option<DateTime<Utc>>| at.unwrap_or_default().timestamp_micros();
        Glance {
            kind: job.kind.clone(),
            owner: job.owner.clone(),
            number: format!("{:032x}", self.number()),
            rank: job.priority.rank(),
            failures: job.failures,
            stand: match state {
                JobState::Waiting => Stand::Waits(micros(due_at)),
                JobState::Running => Stand::Runs(micros(due_at), self.fence),
                JobState::Done | JobState::Dead => Stand::Ended(micros(finished_at)),
            },
        }
    }

    pub(super) fn body(&self) -> Bytes {
        let JobRecord { job, state, due_at, started_at, finished_at, worker, progress, failure, .. } =
            &self.job;
        let body = Body {
            id: job.id.clone(),
            kind: job.kind.clone(),
            owner: job.owner.clone(),
            key: job.key.as_deref().map(Into::into),
            priority: job.priority,
            failures: job.failures,
            lost: job.lost,
            enqueued_at: job.enqueued_at,
            state: *state,
            fence: self.fence,
            due_at: *due_at,
            started_at: *started_at,
            finished_at: *finished_at,
            worker: worker.clone(),
            progress: progress.clone(),
            failure: failure.clone(),
            payload: job.payload.as_bytes().len(),
            again: self.again.as_ref().map(|again| Again { priority: again.priority, due: again.due }),
        };
        // It has neither maps with odd keys nor numbers that JSON cannot hold.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let again = self.again.as_ref().map_or(&[][..], |again| again.payload.as_bytes());
        let mut bytes = BytesMut::with_capacity(4 + json.len() + body.payload + again.len());
        bytes.put_u32(u32::try_from(json.len()).unwrap_or(u32::MAX));
        bytes.put_slice(&json);
        bytes.put_slice(job.payload.as_bytes());
        bytes.put_slice(again);
        bytes.freeze()
    }

    /// Reads a body, without a copy of the payloads.
    pub(super) fn read(operation: &'static str, bytes: &Bytes) -> Result<Self> {
        let parsed = bytes.split_first_chunk::<4>().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let body: Body = serde_json::from_slice(rest.get(..length)?).ok()?;
            let payload = 4 + length..(4 + length).checked_add(body.payload)?;
            (payload.end <= bytes.len())
                .then(|| (body, bytes.slice(payload.clone()), bytes.slice(payload.end..)))
        });
        let Some((body, payload, again)) = parsed else { return Err(unreadable(operation)) };
        let mut new =
            NewJob::new(body.kind, body.owner).payload(Payload::new(payload)).priority(body.priority);
        new.key = body.key.map(Into::into);
        let mut job = Job::new(body.id, new, body.enqueued_at);
        job.failures = body.failures;
        job.lost = body.lost;
        let mut record = JobRecord::new(job, body.state);
        record.due_at = body.due_at;
        record.started_at = body.started_at;
        record.finished_at = body.finished_at;
        record.worker = body.worker;
        record.progress = body.progress;
        record.failure = body.failure;
        record.again = body.again.is_some();
        let again =
            body.again.map(|Again { priority, due }| Twin { payload: Payload::new(again), priority, due });
        Ok(Self { job: record, fence: body.fence, again })
    }
}

impl Glance {
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn number(&self) -> u128 {
        u128::from_str_radix(&self.number, 16).unwrap_or_default()
    }
}

/// An instant so long after another; the last one there is, when it overflows.
pub(super) fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = chrono::TimeDelta::from_std(by).unwrap_or(chrono::TimeDelta::MAX);
    now.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use integrations_core::ErrorKind;

    use super::*;

    fn record() -> Record {
        let now: DateTime<Utc> = "2026-03-01T09:00:00.123456789Z".parse().unwrap();
        let new = NewJob::new("a.b c", Owner::new("tenant", "ada\r\nJob: x")).key("ключ");
        let mut record = Record::new(7, new.payload(Payload::new(vec![0, 255, 10])), now, now);
        record.job.state = JobState::Running;
        record.job.started_at = Some(now);
        record.job.worker = Some("worker 1".into());
        record.job.progress = Some(Progress { done: 1, total: Some(3), note: Some("a page".into()) });
        record.job.failure = Some(JobFailure::new(ErrorKind::Network, "code", "message"));
        record.job.job.failures = 2;
        record.job.job.lost = 3;
        record.job.again = true;
        record.fence = 1_772_000_000_000_000;
        record.again = Some(Twin { payload: Payload::new("again"), priority: Priority::High, due: now });
        record
    }

    #[test]
    fn what_is_written_is_read() {
        let record = record();
        assert_eq!(Record::read("test", &record.body()).unwrap(), record);
        let mut plain = record;
        plain.again = None;
        plain.job.again = false;
        assert_eq!(Record::read("test", &plain.body()).unwrap(), plain);
    }

    #[test]
    fn a_glance_is_one_line_whatever_the_names() {
        let record = record();
        let text = record.glance().text();
        assert!(!text.contains(['\r', '\n']), "{text}");
        let glance = Glance::read(&text).unwrap();
        assert_eq!(glance, record.glance());
        assert_eq!((glance.number(), glance.failures), (7, 2));
        assert!(matches!(glance.stand, Stand::Runs(_, 1_772_000_000_000_000)));
    }

    #[test]
    fn what_was_cut_off_or_is_something_else_is_an_error_and_no_panic() {
        let body = record().body();
        for length in 0..body.len() - "again".len() {
            let error = Record::read("test", &body.slice(..length)).unwrap_err();
            assert_eq!((error.kind(), error.provider_code()), (ErrorKind::DataFormat, Some("stored_json")));
        }
        assert!(Record::read("test", &Bytes::from_static(b"\xff\xff\xff\xff{}")).is_err());
    }
}
