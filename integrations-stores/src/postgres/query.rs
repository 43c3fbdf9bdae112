//! How is a question for records put to PostgreSQL?

use sqlx::{Postgres, QueryBuilder};

use crate::records::{RecordCursor, RecordQuery};

/// The columns that a [`StoredRecord`](crate::records::StoredRecord) is read from, in order.
pub(super) const COLUMNS: &str = "r.starts_at, r.ends_at, r.key, r.stream, s.tenant, s.\"user\", s.service, \
                                  s.connection, s.stream, r.id, r.version, r.link, r.modified_at, r.service, \
                                  r.data, r.raw";

/// The records that match, in order.
pub(super) fn select(wanted: &RecordQuery) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS}"));
    push_matching(wanted, &mut query);
    // As the index `records_time` is sorted, in one direction or the other.
    let (beyond, way) = if wanted.newest_first { ("<", "DESC NULLS LAST") } else { (">", "NULLS FIRST") };
    if let Some(RecordCursor { starts_at, ends_at, key }) = wanted.after {
        match (starts_at, ends_at) {
            (Some(starts_at), Some(ends_at)) => {
                query.push(format!(" AND (r.starts_at, r.ends_at, r.key) {beyond} ("));
                query.push_bind(starts_at).push(", ").push_bind(ends_at);
                query.push(", ").push_bind(key).push(")");
            }
            _ => {
                query.push(" AND (r.starts_at IS NOT NULL OR r.key > ").push_bind(key).push(")");
            }
        }
    }
    query.push(format!(" ORDER BY r.starts_at {way}, r.ends_at {way}, r.key {way}"));
    if let Some(limit) = wanted.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    query
}

/// The number of records that match, page and limit aside.
pub(super) fn count(wanted: &RecordQuery) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT count(*)");
    push_matching(wanted, &mut query);
    query
}

fn push_matching(wanted: &RecordQuery, query: &mut QueryBuilder<Postgres>) {
    query.push(" FROM streams AS s JOIN records AS r ON r.stream = s.key WHERE true");
    if let Some(owner) = &wanted.owner {
        query.push(" AND s.tenant = ").push_bind(owner.tenant.to_string());
        query.push(" AND s.\"user\" = ").push_bind(owner.user.to_string());
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
        query.push(" AND r.starts_at >= ").push_bind(range.start.timestamp_micros());
        query.push(" AND r.starts_at < ").push_bind(range.end.timestamp_micros());
    }
    if let Some((from, to)) = &wanted.overlapping {
        query.push(" AND r.starts_at < ").push_bind(to.timestamp_micros());
        query.push(" AND r.ends_at >= ").push_bind(from.timestamp_micros());
    }
    if let Some(since) = wanted.updated_since {
        query.push(" AND r.modified_at >= ").push_bind(since.timestamp_micros());
    }
    if let Some(parent) = &wanted.parent {
        query.push(" AND r.parent = ").push_bind(parent.clone());
    }
    if wanted.newest_first {
        query.push(" AND r.starts_at IS NOT NULL");
    }
    query.push(match wanted.recurring {
        Some(true) => " AND r.recurring",
        Some(false) => " AND NOT r.recurring",
        None => "",
    });
    query.push(match wanted.exceptions {
        Some(true) => " AND r.parent IS NOT NULL",
        Some(false) => " AND r.parent IS NULL",
        None => "",
    });
}
