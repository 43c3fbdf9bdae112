//! Where do records and positions go, together?

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::position::Position;
use crate::connection::{Connection, ConnectionId, Owner, ServiceId, StreamId};
use crate::error::Result;
use crate::model::Change;
use crate::normalize::Quarantined;

/// Names a stream: a partition of a connection's data that has a position of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StreamKey {
    /// The user of the host whose data it is.
    pub owner: Owner,
    /// The service.
    pub service: ServiceId,
    /// The connection. Connection and stream together are the key; the rest is for filtering.
    pub connection: ConnectionId,
    /// The stream, e.g. the id of a calendar.
    pub stream: StreamId,
}

impl StreamKey {
    /// A stream of a connection.
    pub fn new(connection: &Connection, stream: &StreamId) -> Self {
        Self {
            owner: connection.owner.clone(),
            service: connection.service.clone(),
            connection: connection.id.clone(),
            stream: stream.clone(),
        }
    }
}

/// Orders the runners of a stream: a runner with a lower fence than one that has committed is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// What a sink knows about a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamState {
    /// How far the stream is read.
    pub position: Position,
    /// Counts the commits; 0 for a stream that has had none.
    pub revision: u64,
    /// The highest fence that has committed.
    pub fence: Fence,
}

/// One step of a stream: what changed, and how far that leads.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The stream.
    pub stream: StreamKey,
    /// Who commits: refused if a higher fence has committed.
    pub fence: Fence,
    /// The revision that the runner has read: refused if the stream is at another one.
    pub expected_revision: u64,
    /// Which listing the records belong to; a record that is written or touched takes it on.
    pub generation: u64,
    /// Records and deletions, in order: the last one for an id wins.
    pub changes: Vec<Change>,
    /// Items that could not be read. One with an id counts as seen in this generation.
    pub quarantined: Vec<Quarantined>,
    /// Deletes, after the changes, what a complete listing has not seen.
    pub sweep: Option<Sweep>,
    /// The position that these changes lead to.
    pub position: Position,
}

/// Deletes the stream's records of all generations before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// The generation of the complete listing.
    pub before: u64,
}

/// What a commit has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The revision of the stream after the commit.
    pub revision: u64,
    /// How many records the [`Sweep`] has deleted.
    pub swept: u64,
}

/// What a listing has seen of a stream's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unseen {
    /// Records of this generation.
    pub seen: u64,
    /// Records of the generations before.
    pub unseen: u64,
}

/// The host's storage of normalised records and of the streams' positions.
///
/// [`commit`](SyncSink::commit) is the only door through which a position moves, together with the
/// records that it covers. Conformance: `integrations-testkit`.
#[async_trait]
pub trait SyncSink: fmt::Debug + Send + Sync + 'static {
    /// Reads what is known about a stream. A stream that has had no commit is at the default state.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn load(&self, stream: &StreamKey) -> Result<StreamState>;

    /// Applies changes, quarantine, sweep and position in ONE atomic step, or nothing at all.
    ///
    /// A record replaces the one with the same id in the stream. Deleting an id deletes the records
    /// whose [parent](crate::model::Entity::parent_id) it is, too; deleting what is not there is no
    /// error. Once this returns `Ok`, the commit survives a crash.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the fence or the revision is stale: then
    /// nothing was applied. [`ErrorKind::Store`](crate::ErrorKind::Store) when the storage failed.
    ///
    /// # Cancel safety
    /// When the future is dropped, the commit has been applied whole or not at all.
    async fn commit(&self, commit: Commit) -> Result<Receipt>;

    /// Counts the stream's records of this generation and of those before.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen>;

    /// Deletes all records, quarantine and positions of a connection; returns how many records.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn forget(&self, connection: &ConnectionId) -> Result<u64>;

    /// The streams of a connection that have had a commit, in any order.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>>;

    /// Deletes the records, the quarantine and the position of one stream; returns how many records. A stream
    /// that is not there has none.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64>;
}
