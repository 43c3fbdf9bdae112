//! What is a job?

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::connection::{Owner, id};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::Fence;

id!(
    /// A job, as its queue names it.
    JobId
);
id!(
    /// What a job is about, and so which handler does it, e.g. `incremental_sync`.
    ///
    /// The family's own are the functions below; a host names its own as it likes.
    JobKind
);

impl JobKind {
    /// Lists all streams of a connection, or one, again.
    pub const FULL_SYNC: &'static str = "full_sync";
    /// Brings a stream up to date.
    pub const INCREMENTAL_SYNC: &'static str = "incremental_sync";
    /// Brings up to date what a provider says has changed.
    pub const WEBHOOK: &'static str = "webhook";
    /// Renews a subscription at a provider.
    pub const RENEW_SUBSCRIPTION: &'static str = "renew_subscription";
    /// Refreshes the tokens of a connection.
    pub const REFRESH_TOKEN: &'static str = "refresh_token";
    /// Clears away what is too old, and mends what was lost.
    pub const MAINTENANCE: &'static str = "maintenance";
}

/// Which of two due jobs of a kind comes first, whoever their users are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before all others: somebody waits for it.
    High,
    /// As most.
    #[default]
    Normal,
    /// When nothing else is to be done.
    Low,
}

impl Priority {
    /// Every priority, the first to be served first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// Its place in the order: 0 comes first.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// The priority at a place in the order; the last for what is behind it.
    pub const fn from_rank(rank: u8) -> Self {
        match rank {
            0 => Self::High,
            1 => Self::Normal,
            _ => Self::Low,
        }
    }
}

/// What a job's handler needs to know: any bytes, at most [`Payload::MAX`] of them. Never a secret: a queue
/// keeps it as it is.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payload(Bytes);

impl Payload {
    /// The most bytes that a queue takes: 512 KiB.
    pub const MAX: usize = 512 * 1024;

    /// Wraps bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for a value that JSON cannot hold.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        serde_json::to_vec(value).map(Self::new).map_err(|_| {
            Error::new(ErrorKind::InvalidRequest, "the payload of a job cannot be written as JSON")
        })
    }

    /// Reads the value that was written as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::DataFormat`] with code `payload` for what is no such value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.0).map_err(|error| {
            let category = format!("{:?} error in the payload", error.classify());
            Error::new(
                ErrorKind::DataFormat,
                "the payload of the job is not what its handler reads; was it written by another version?",
            )
            .with_code("payload")
            .with_source(category)
        })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// Shows the length alone: what is inside belongs to the user.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

/// A job that is to be put into a queue.
///
/// ```
/// use std::time::Duration;
/// use integrations_core::queue::{JobKind, NewJob, Payload, Priority};
///
/// # fn main() -> integrations_core::Result<()> {
/// let job = NewJob::new(JobKind::INCREMENTAL_SYNC, "ada")
///     .key("google_calendar/primary")
///     .payload(Payload::json(&"primary")?)
///     .priority(Priority::High)
///     .delay(Duration::from_secs(30));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewJob {
    /// What it is about.
    pub kind: JobKind,
    /// The user for whom it is done; queues are fair between them.
    pub owner: Owner,
    /// What makes two jobs of a kind and a user twins; `None` for a job that has none.
    pub key: Option<Arc<str>>,
    /// What the handler needs to know.
    pub payload: Payload,
    /// Which of two due jobs comes first.
    pub priority: Priority,
    /// How long from now it is due; zero by default.
    pub delay: Duration,
}

impl NewJob {
    /// A job of a kind, for a user.
    pub fn new(kind: impl Into<JobKind>, owner: impl Into<Owner>) -> Self {
        Self {
            kind: kind.into(),
            owner: owner.into(),
            key: None,
            payload: Payload::default(),
            priority: Priority::default(),
            delay: Duration::ZERO,
        }
    }

    /// Of all jobs of its kind and user with this key at most one waits and one runs; see
    /// [`JobQueue::enqueue`](super::JobQueue::enqueue).
    pub fn key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// What the handler needs to know.
    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Which of two due jobs comes first.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// How long from now it is due.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// A short text that is the same for twins alone, for queues to tell them by: 32 hexadecimal digits.
    pub fn twin_id(&self) -> Option<String> {
        twin_id(&self.kind, &self.owner, self.key.as_deref())
    }

    /// Whether a queue may take it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with code `payload_too_large`.
    pub fn check(&self) -> Result<()> {
        if self.payload.0.len() > Payload::MAX {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                format!(
                    "the payload of a job of kind {} has {} bytes, and a queue takes {}; keep what is large \
                     elsewhere, and put its name into the payload",
                    self.kind,
                    self.payload.0.len(),
                    Payload::MAX
                ),
            )
            .with_code("payload_too_large"));
        }
        Ok(())
    }
}

fn twin_id(kind: &JobKind, owner: &Owner, key: Option<&str>) -> Option<String> {
    let mut hash = Sha256::new();
    for part in [kind.as_str(), owner.tenant.as_str(), owner.user.as_str(), key?] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut id = String::with_capacity(32);
    for byte in &hash.finalize()[..16] {
        use fmt::Write;
        let _ = write!(id, "{byte:02x}");
    }
    Some(id)
}

/// A job that is in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// What it is about.
    pub kind: JobKind,
    /// The user for whom it is done.
    pub owner: Owner,
    /// What makes it a twin of others.
    pub key: Option<Arc<str>>,
    /// What the handler needs to know.
    pub payload: Payload,
    /// Which of two due jobs comes first.
    pub priority: Priority,
    /// How often it has failed so far and was [to be tried again](super::Outcome::Retry).
    pub failures: u32,
    /// How often its lease has run out: the worker has crashed, or was cut off.
    pub lost: u32,
    /// When it was put into the queue.
    pub enqueued_at: DateTime<Utc>,
}

impl Job {
    /// A new job under this id, for queues to build on.
    pub fn new(id: impl Into<JobId>, job: NewJob, enqueued_at: DateTime<Utc>) -> Self {
        let NewJob { kind, owner, key, payload, priority, delay: _ } = job;
        Self { id: id.into(), kind, owner, key, payload, priority, failures: 0, lost: 0, enqueued_at }
    }

    /// As [`NewJob::twin_id`].
    pub fn twin_id(&self) -> Option<String> {
        twin_id(&self.kind, &self.owner, self.key.as_deref())
    }

    /// The same once more, as a new job.
    pub fn again(&self) -> NewJob {
        NewJob {
            kind: self.kind.clone(),
            owner: self.owner.clone(),
            key: self.key.clone(),
            payload: self.payload.clone(),
            priority: self.priority,
            delay: Duration::ZERO,
        }
    }
}

/// The right to do a job for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The job.
    pub job: Job,
    /// Orders all leases of the queue: a later one has a higher fence, also after a restart of the queue, or in
    /// one that was set up anew. A host that moves its jobs from one queue to another sets the latter up anew, under another
    /// name if need be: an old one may give lower fences, and sinks refuse those. Hand it to [`SyncRequest::with_fence`](crate::sync::SyncRequest::with_fence).
    pub fence: Fence,
}

impl Lease {
    /// A lease of a job.
    pub fn new(job: Job, fence: Fence) -> Self {
        Self { job, fence }
    }

    /// Names it.
    pub fn id(&self) -> LeaseId {
        LeaseId { job: self.job.id.clone(), fence: self.fence }
    }
}

/// Names a lease. Another lease of the same job has another fence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseId {
    /// The job.
    pub job: JobId,
    /// The fence.
    pub fence: Fence,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for a worker, or for its time.
    Waiting,
    /// A worker has it.
    Running,
    /// It was done. Kept as history.
    Done,
    /// It was given up. Kept as a dead letter, until it is put into the queue again or is too old.
    Dead,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Done, Self::Dead];

    /// The stable name, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// Whether it is over.
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Dead)
    }
}

/// A job with all that its queue knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRecord {
    /// The job.
    pub job: Job,
    /// Where it stands.
    pub state: JobState,
    /// When it is due, while it waits; when its lease runs out, while it runs.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was last taken by a worker.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done or given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// The worker that has it, or had it last.
    pub worker: Option<String>,
    /// How far it is, as its handler has last said.
    pub progress: Option<Progress>,
    /// Why it failed last.
    pub failure: Option<JobFailure>,
    /// Whether a twin has come while it runs: then it will run once more.
    pub again: bool,
}

impl JobRecord {
    /// A job in a state, of which nothing else is known.
    pub fn new(job: Job, state: JobState) -> Self {
        Self {
            job,
            state,
            due_at: None,
            started_at: None,
            finished_at: None,
            worker: None,
            progress: None,
            failure: None,
            again: false,
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// How much is done, in whatever the handler counts.
    pub done: u64,
    /// How much there is to do, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What it is at, for people to read. Never a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why a job has failed: what is kept of an [`Error`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobFailure {
    /// The [kind](ErrorKind::as_str), in snake case.
    pub kind: String,
    /// The provider's code, or one of the family's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// One line that says what, where and what next.
    pub message: String,
}

impl JobFailure {
    /// A failure that no error stands for.
    pub fn new(kind: ErrorKind, code: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.as_str().into(), code: Some(code.into()), message: message.into() }
    }
}

impl From<&Error> for JobFailure {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().as_str().into(),
            code: error.provider_code().map(Into::into),
            message: error.to_string(),
        }
    }
}
