//! How is a question for records put to SQLite?

use sqlx::{QueryBuilder, Sqlite};

use crate::records::{RecordCursor, RecordQuery};

/// The columns that a [`StoredRecord`](crate::records::StoredRecord) is read from, in order.
pub(super) fn select(wanted: &RecordQuery) -> QueryBuilder<Sqlite> {
    // The keys are sorted alone, where the index does not sort them already: a record is a hundred
    // times as large as its key, and the sorter would take all of them in.
    let mut query = QueryBuilder::new(
        "SELECT r.starts_at, r.ends_at, r.key, r.stream, s.tenant, s.user, s.service, s.connection, \
         s.stream, r.id, r.version, r.link, r.modified_at, r.service, r.data, r.raw \
         FROM (SELECT r.key AS key",
    );
    push_matching(wanted, &mut query);
    let (beyond, way) = if wanted.newest_first { ("<", " DESC") } else { (">", "") };
    if let Some(RecordCursor { starts_at, ends_at, key }) = wanted.after {
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
    if let Some(limit) = wanted.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    query.push(format!(
        ") AS page CROSS JOIN records AS r ON r.key = page.key CROSS JOIN streams AS s ON s.key = r.stream \
         ORDER BY r.starts_at{way}, r.ends_at{way}, r.key{way}",
    ));
    query
}

/// The number of records that match, page and limit aside.
pub(super) fn count(wanted: &RecordQuery) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT count(*)");
    push_matching(wanted, &mut query);
    query
}

fn push_matching(wanted: &RecordQuery, query: &mut QueryBuilder<Sqlite>) {
    // CROSS JOIN keeps the order: first the few streams, then each one's records by an index that
    // begins with the stream.
    query.push(" FROM streams AS s CROSS JOIN records AS r ON r.stream = s.key WHERE 1");
    if let Some(owner) = &wanted.owner {
        query.push(" AND s.tenant = ").push_bind(owner.tenant.to_string());
        query.push(" AND s.user = ").push_bind(owner.user.to_string());
    }
    if let Some(connection) = &wanted.connection {
        query.push(" AND s.connection = ").push_bind(connection.to_string());
    }
    if let Some(service) = &wanted.service {
        query.push(" AND s.service = ").push_bind(service.to_string());
    }
    if let Some(stream) = &wanted.stream {
        query.push(" AND s.stream = ").push_bind(stream.to_string());
    }
    if let Some(kind) = wanted.kind {
        query.push(" AND r.kind = ").push_bind(kind.as_str());
    }
    if let Some(range) = &wanted.starting {
        let (start, end) = (range.start.timestamp_micros(), range.end.timestamp_micros());
        query.push(" AND r.starts_at >> 39 BETWEEN ").push_bind(week(start));
        query.push(" AND ").push_bind(week(end));
        query.push(" AND r.starts_at >= ").push_bind(start);
        query.push(" AND r.starts_at < ").push_bind(end);
    }
    if let Some((from, to)) = &wanted.overlapping {
        let to = to.timestamp_micros();
        query.push(" AND r.starts_at >> 39 <= ").push_bind(week(to));
        query.push(" AND r.starts_at < ").push_bind(to);
        query.push(" AND r.ends_at >= ").push_bind(from.timestamp_micros());
    }
    if let Some(since) = wanted.updated_since {
        query.push(" AND r.modified_at >= ").push_bind(since.timestamp_micros());
    }
    if let Some(parent) = &wanted.parent {
        query.push(" AND r.parent = ").push_bind(parent.clone());
    }
    if wanted.newest_first {
        query.push(" AND r.starts_at >> 39 IS NOT NULL");
    }
    // Literals, so that SQLite sees that the partial indexes fit; the pluses keep it from them where
    // most rows match.
    query.push(match wanted.recurring {
        Some(true) => " AND r.recurring = 1",
        Some(false) => " AND +r.recurring = 0",
        None => "",
    });
    query.push(match wanted.exceptions {
        Some(true) => " AND r.parent IS NOT NULL",
        Some(false) => " AND +r.parent IS NULL",
        None => "",
    });
}

/// A little more than six days: what `records_time` is sorted by.
fn week(micros: i64) -> i64 {
    micros >> 39
}
