//! Which records does a host ask for, and what does it get?

use std::ops::Range;

use chrono::{DateTime, Utc};
use integrations_core::connection::{ConnectionId, Owner, ServiceId, StreamId};
use integrations_core::model::{Entity, Raw, RecordKind, Source};
use integrations_core::sync::StreamKey;
use serde::{Deserialize, Serialize};

/// Which records to read; the default lets all through, and each call narrows it.
///
/// Records come in the order of their start, then of their end, then of their arrival; those without a
/// time come first. Times are compared to the microsecond. An inbox is read
/// [the other way round](Self::newest_first).
///
/// A calendar's agenda is made of three reads: what [overlaps](Self::overlapping) the window, the
/// masters of all series ([`recurring(true)`](Self::recurring)), and the exceptions of those
/// ([`exceptions(true)`](Self::exceptions)): an exception that was moved out of the window still takes
/// the place of an occurrence in it.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use integrations_stores::records::RecordQuery;
///
/// let from = DateTime::<Utc>::UNIX_EPOCH;
/// let week = RecordQuery::new().owner("ada").overlapping(from, from + TimeDelta::days(7));
/// let masters = RecordQuery::new().owner("ada").recurring(true);
/// ```
#[derive(Debug, Clone, Default)]
pub struct RecordQuery {
    pub(crate) owner: Option<Owner>,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) service: Option<ServiceId>,
    pub(crate) stream: Option<StreamId>,
    pub(crate) kind: Option<RecordKind>,
    pub(crate) starting: Option<Range<DateTime<Utc>>>,
    pub(crate) overlapping: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub(crate) updated_since: Option<DateTime<Utc>>,
    pub(crate) parent: Option<String>,
    pub(crate) recurring: Option<bool>,
    pub(crate) exceptions: Option<bool>,
    pub(crate) newest_first: bool,
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<RecordCursor>,
}

/// The place of a record in the order of a query, from [`StoredRecord::cursor`](StoredRecord::cursor).
///
/// It may be stored and handed around, and stays good when records are added, changed or deleted. It
/// holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCursor {
    pub(crate) starts_at: Option<i64>,
    pub(crate) ends_at: Option<i64>,
    pub(crate) key: i64,
}

impl RecordQuery {
    /// All records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of a user.
    pub fn owner(mut self, owner: impl Into<Owner>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Those of a connection.
    pub fn connection(mut self, connection: impl Into<ConnectionId>) -> Self {
        self.connection = Some(connection.into());
        self
    }

    /// Those of a service.
    pub fn service(mut self, service: impl Into<ServiceId>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Those of a stream, e.g. a calendar; best together with its [connection](Self::connection).
    pub fn stream(mut self, stream: impl Into<StreamId>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// Those of a kind.
    pub fn kind(mut self, kind: RecordKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Those that start in this range.
    pub fn starting(mut self, range: Range<DateTime<Utc>>) -> Self {
        self.starting = Some(range);
        self
    }

    /// Those that take place between two instants, but no masters of series: what starts before `to` and
    /// does not end before `from`. A whole day counts from its midnight in UTC, so widen the window by a
    /// day for users in other zones.
    pub fn overlapping(mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        self.overlapping = Some((from, to));
        self.recurring = Some(false);
        self
    }

    /// Those that the provider says have changed at this instant or later. There is no index for it: it
    /// reads all records that the other filters let through.
    pub fn updated_since(mut self, since: DateTime<Utc>) -> Self {
        self.updated_since = Some(since);
        self
    }

    /// Those that belong to this item: the exceptions of a series, the comments on an issue.
    pub fn parent(mut self, id: impl Into<String>) -> Self {
        self.parent = Some(id.into());
        self
    }

    /// Only the masters of series, or all but those.
    pub fn recurring(mut self, recurring: bool) -> Self {
        self.recurring = Some(recurring);
        self
    }

    /// Only those that belong to another item, or all but those.
    pub fn exceptions(mut self, exceptions: bool) -> Self {
        self.exceptions = Some(exceptions);
        self
    }

    /// In the opposite order, the latest first; only those that have a time.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// At most so many. Without a limit, all of them come at once.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Those that come after this place: after the last record of the page before.
    pub fn after(mut self, cursor: RecordCursor) -> Self {
        self.after = Some(cursor);
        self
    }
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredRecord {
    /// The stream that it belongs to.
    pub stream: StreamKey,
    /// The item.
    pub entity: Entity,
    /// Where it came from. Its time of modification is kept to the microsecond.
    pub source: Source,
    /// The provider's JSON, verbatim.
    pub raw: Raw,
    pub(crate) cursor: RecordCursor,
}

impl StoredRecord {
    /// The provider's id of the item, unique within its stream.
    pub fn id(&self) -> &str {
        &self.source.id
    }

    /// Its place in the order of a query, for [`RecordQuery::after`].
    pub fn cursor(&self) -> RecordCursor {
        self.cursor
    }
}

/// An item that could not become a record, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuarantinedItem {
    /// The stream that it belongs to.
    pub stream: StreamKey,
    /// The provider's id of the item, if that could be read.
    pub id: Option<String>,
    /// The stage that refused it: `map`, or the name of a stage.
    pub stage: String,
    /// The JSON path of what is wrong.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
    /// The item, verbatim.
    pub raw: Raw,
    /// When it was last met, to the microsecond.
    pub seen_at: DateTime<Utc>,
    /// The listing in which it was last met.
    pub generation: u64,
}
