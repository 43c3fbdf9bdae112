//! Which records does a host ask for?

use std::ops::Range;

use chrono::{DateTime, Utc};
use integrations_core::connection::{ConnectionId, Owner, ServiceId, StreamId};
use integrations_core::model::RecordKind;
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite};

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
/// use integrations_stores::sqlite::RecordQuery;
///
/// let from = DateTime::<Utc>::UNIX_EPOCH;
/// let week = RecordQuery::new().owner("ada").overlapping(from, from + TimeDelta::days(7));
/// let masters = RecordQuery::new().owner("ada").recurring(true);
/// ```
#[derive(Debug, Clone, Default)]
pub struct RecordQuery {
    owner: Option<Owner>,
    connection: Option<ConnectionId>,
    service: Option<ServiceId>,
    stream: Option<StreamId>,
    kind: Option<RecordKind>,
    starting: Option<Range<DateTime<Utc>>>,
    overlapping: Option<(DateTime<Utc>, DateTime<Utc>)>,
    updated_since: Option<DateTime<Utc>>,
    parent: Option<String>,
    recurring: Option<bool>,
    exceptions: Option<bool>,
    newest_first: bool,
    limit: Option<u32>,
    after: Option<RecordCursor>,
}

/// The place of a record in the order of a query, from [`StoredRecord::cursor`](super::StoredRecord::cursor).
///
/// It may be stored and handed around, and stays good when records are added, changed or deleted. It
/// holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCursor {
    pub(super) starts_at: Option<i64>,
    pub(super) ends_at: Option<i64>,
    pub(super) key: i64,
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

    /// The columns that a [`StoredRecord`](super::StoredRecord) is read from, in order.
    pub(super) fn select(&self) -> QueryBuilder<Sqlite> {
        // The keys are sorted alone, where the index does not sort them already: a record is a hundred
        // times as large as its key, and the sorter would take all of them in.
        let mut query = QueryBuilder::new(
            "SELECT r.starts_at, r.ends_at, r.key, r.stream, s.tenant, s.user, s.service, s.connection, \
             s.stream, r.id, r.version, r.link, r.modified_at, r.service, r.data, r.raw \
             FROM (SELECT r.key AS key",
        );
        self.push_matching(&mut query);
        let (beyond, way) = if self.newest_first { ("<", " DESC") } else { (">", "") };
        if let Some(RecordCursor { starts_at, ends_at, key }) = self.after {
            match (starts_at, ends_at) {
                (Some(starts_at), Some(ends_at)) => {
                    query.push(format!(" AND r.starts_at >> 39 {beyond}= ")).push_bind(week(starts_at));
                    query.push(format!(" AND (r.starts_at, r.ends_at, r.key) {beyond} ("));
                    query.push_bind(starts_at).push(", ").push_bind(ends_at);
                    query.push(", ").push_bind(key).push(")");
                }
                _ => {
                    query.push(" AND (r.starts_at IS NOT NULL OR r.key > ").push_bind(key).push(")");
                }
            }
        }
        // The week changes nothing in the order, and is what the index is sorted by: SQLite then sorts one
        // week at a time, and stops when the page is full.
        query.push(format!(" ORDER BY r.starts_at >> 39{way}, r.starts_at{way}, r.ends_at{way}, r.key{way}"));
        if let Some(limit) = self.limit {
            query.push(" LIMIT ").push_bind(i64::from(limit));
        }
        query.push(format!(
            ") AS page CROSS JOIN records AS r ON r.key = page.key CROSS JOIN streams AS s ON s.key = r.stream \
             ORDER BY r.starts_at{way}, r.ends_at{way}, r.key{way}",
        ));
        query
    }

    /// The number of records that match, page and limit aside.
    pub(super) fn count(&self) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("SELECT count(*)");
        self.push_matching(&mut query);
        query
    }

    fn push_matching(&self, query: &mut QueryBuilder<Sqlite>) {
        // CROSS JOIN keeps the order: first the few streams, then each one's records by an index that
        // begins with the stream.
        query.push(" FROM streams AS s CROSS JOIN records AS r ON r.stream = s.key WHERE 1");
        if let Some(owner) = &self.owner {
            query.push(" AND s.tenant = ").push_bind(owner.tenant.to_string());
            query.push(" AND s.user = ").push_bind(owner.user.to_string());
        }
        if let Some(connection) = &self.connection {
            query.push(" AND s.connection = ").push_bind(connection.to_string());
        }
        if let Some(service) = &self.service {
            query.push(" AND s.service = ").push_bind(service.to_string());
        }
        if let Some(stream) = &self.stream {
            query.push(" AND s.stream = ").push_bind(stream.to_string());
        }
        if let Some(kind) = self.kind {
            query.push(" AND r.kind = ").push_bind(kind.as_str());
        }
        if let Some(range) = &self.starting {
            let (start, end) = (range.start.timestamp_micros(), range.end.timestamp_micros());
            query.push(" AND r.starts_at >> 39 BETWEEN ").push_bind(week(start));
            query.push(" AND ").push_bind(week(end));
            query.push(" AND r.starts_at >= ").push_bind(start);
            query.push(" AND r.starts_at < ").push_bind(end);
        }
        if let Some((from, to)) = &self.overlapping {
            let to = to.timestamp_micros();
            query.push(" AND r.starts_at >> 39 <= ").push_bind(week(to));
            query.push(" AND r.starts_at < ").push_bind(to);
            query.push(" AND r.ends_at >= ").push_bind(from.timestamp_micros());
        }
        if let Some(since) = self.updated_since {
            query.push(" AND r.modified_at >= ").push_bind(since.timestamp_micros());
        }
        if let Some(parent) = &self.parent {
            query.push(" AND r.parent = ").push_bind(parent.clone());
        }
        if self.newest_first {
            query.push(" AND r.starts_at >> 39 IS NOT NULL");
        }
        // Literals, so that SQLite sees that the partial indexes fit; the pluses keep it from them where
        // most rows match.
        query.push(match self.recurring {
            Some(true) => " AND r.recurring = 1",
            Some(false) => " AND +r.recurring = 0",
            None => "",
        });
        query.push(match self.exceptions {
            Some(true) => " AND r.parent IS NOT NULL",
            Some(false) => " AND +r.parent IS NULL",
            None => "",
        });
    }
}

/// A little more than six days: what `records_time` is sorted by.
fn week(micros: i64) -> i64 {
    micros >> 39
}
