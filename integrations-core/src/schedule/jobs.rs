//! What do the jobs of the schedule say, and which are twins?

use serde::{Deserialize, Serialize};

use crate::connection::{Connection, ConnectionId, Owner, StreamId};
use crate::error::Result;
use crate::queue::{JobKind, NewJob, Payload, Priority};

/// The user for whom a queue is kept in order: none of the host's.
pub(super) const UPKEEP: &str = "integrations:upkeep";

/// What a job of kind `incremental_sync` or `full_sync` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SyncJob {
    pub(super) connection: ConnectionId,
    /// The stream; `None` for a look at which streams there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<StreamId>,
    /// Whether nothing changes in the stream any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) frozen: bool,
    /// Whether a look has every stream read at once, and not just those that never were.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) at_once: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl SyncJob {
    pub(super) fn new(connection: &ConnectionId, stream: Option<&StreamId>) -> Self {
        Self { connection: connection.clone(), stream: stream.cloned(), frozen: false, at_once: false }
    }

    /// The job, which is the twin of every other of the same kind, user, service, connection and stream.
    pub(super) fn job(&self, kind: &'static str, connection: &Connection) -> Result<NewJob> {
        let key = match &self.stream {
            Some(stream) => format!("{}/{}/{stream}", connection.service, connection.id),
            None => format!("{}/{}", connection.service, connection.id),
        };
        Ok(NewJob::new(kind, connection.owner.clone()).key(key).payload(Payload::json(self)?))
    }
}

/// What a job of kind `refresh_token` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RefreshJob {
    pub(super) connection: ConnectionId,
}

/// What a job of kind `maintenance` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub(super) enum Upkeep {
    /// Looks that each connection has its jobs.
    Reconcile,
    /// Deletes what was finished long ago.
    Purge,
}

impl Upkeep {
    pub(super) const ALL: [Self; 2] = [Self::Reconcile, Self::Purge];

    pub(super) fn job(self) -> Result<NewJob> {
        let key = match self {
            Self::Reconcile => "schedule/reconcile",
            Self::Purge => "schedule/purge",
        };
        let job = NewJob::new(JobKind::MAINTENANCE, Owner::from(UPKEEP)).key(key);
        Ok(job.payload(Payload::json(&self)?).priority(Priority::Low))
    }
}
