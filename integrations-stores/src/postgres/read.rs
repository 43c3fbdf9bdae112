//! How does a host read what the syncs have stored?

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::{ConnectionId, Owner};
use integrations_core::model::{Raw, Source};
use integrations_core::sync::{StreamKey, StreamState};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

use super::failure::{Answered, OrStore, count, store_error, unreadable};
use super::{PostgresStore, query, sink};
use crate::records::{QuarantinedItem, RecordCursor, RecordQuery, StoredRecord};

impl PostgresStore {
    /// Reads the records that a query lets through, in its order.
    ///
    /// Large sets are read in pages: with a [limit](RecordQuery::limit), and [after](RecordQuery::after) the last
    /// record of the page before.
    ///
    /// ```
    /// # async fn example(store: integrations_stores::PostgresStore) -> integrations_core::Result<()> {
    /// use integrations_stores::records::RecordQuery;
    ///
    /// let mut query = RecordQuery::new().owner("ada").limit(500);
    /// loop {
    ///     let page = store.records(&query).await?;
    ///     let Some(last) = page.last() else { break };
    ///     query = query.after(last.cursor());
    ///     // … use the page
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Store`](integrations_core::ErrorKind::Store);
    /// [`ErrorKind::DataFormat`](integrations_core::ErrorKind::DataFormat) with code `stored_json` when a record
    /// cannot be read, as when a newer version of this crate has written it.
    pub async fn records(&self, query: &RecordQuery) -> Result<Vec<StoredRecord>> {
        const OPERATION: &str = "records.list";
        let mut select = query::select(query);
        let mut connection = self.connection(OPERATION).await?;
        let rows = select.build().fetch_all(&mut *connection).answered(OPERATION).await?;
        let mut streams = HashMap::new();
        rows.iter().map(|row| decode(row, &mut streams, OPERATION)).collect()
    }

    /// Reads one record by the provider's id of its item.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub async fn record(&self, stream: &StreamKey, id: &str) -> Result<Option<StoredRecord>> {
        const OPERATION: &str = "records.get";
        let mut connection = self.connection(OPERATION).await?;
        let sql = format!(
            "SELECT {} FROM streams AS s JOIN records AS r ON r.stream = s.key \
             WHERE s.connection = $1 AND s.stream = $2 AND r.id = $3",
            query::COLUMNS
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(stream.connection.as_str())
            .bind(stream.stream.as_str())
            .bind(id)
            .fetch_optional(&mut *connection)
            .answered(OPERATION)
            .await?;
        row.map(|row| decode(&row, &mut HashMap::new(), OPERATION)).transpose()
    }

    /// Counts the records that a query lets through, its limit and its place aside.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](integrations_core::ErrorKind::Store).
    pub async fn count(&self, query: &RecordQuery) -> Result<u64> {
        const OPERATION: &str = "records.count";
        let mut select = query::count(query);
        let mut connection = self.connection(OPERATION).await?;
        let number: i64 = select.build_query_scalar().fetch_one(&mut *connection).answered(OPERATION).await?;
        Ok(count(number))
    }

    /// Reads the quarantine of a stream, or of all, at most `limit` items: what was met last comes first.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](integrations_core::ErrorKind::Store).
    pub async fn quarantine(&self, stream: Option<&StreamKey>, limit: u32) -> Result<Vec<QuarantinedItem>> {
        const OPERATION: &str = "quarantine.list";
        let mut connection = self.connection(OPERATION).await?;
        let rows = sqlx::query(
            "SELECT s.tenant, s.\"user\", s.service, s.connection, s.stream, \
               q.id, q.stage, q.path, q.reason, q.raw, q.seen_at, q.generation \
             FROM streams AS s JOIN quarantine AS q ON q.stream = s.key \
             WHERE $2::text IS NULL OR (s.connection = $2 AND s.stream = $3) \
             ORDER BY q.seen_at DESC, q.key DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .bind(stream.map(|stream| stream.connection.as_str()))
        .bind(stream.map(|stream| stream.stream.as_str()))
        .fetch_all(&mut *connection)
        .answered(OPERATION)
        .await?;
        rows.iter().map(quarantined).collect::<Result<_, _>>().or_store(OPERATION)
    }

    /// Reads the streams of a connection and how far each is read, in the order of their ids.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub async fn streams(&self, connection: &ConnectionId) -> Result<Vec<(StreamKey, StreamState)>> {
        const OPERATION: &str = "streams.list";
        let id = connection;
        let mut connection = self.connection(OPERATION).await?;
        let rows = sqlx::query(
            "SELECT tenant, \"user\", service, connection, stream, position, revision, fence \
             FROM streams WHERE connection = $1 ORDER BY stream",
        )
        .bind(id.as_str())
        .fetch_all(&mut *connection)
        .answered(OPERATION)
        .await?;
        rows.iter()
            .map(|row| {
                let key = stream_key(row, 0).or_store(OPERATION)?;
                let (position, revision, fence) = (row.try_get(5), row.try_get(6), row.try_get(7));
                let state = sink::state(
                    position.or_store(OPERATION)?,
                    revision.or_store(OPERATION)?,
                    fence.or_store(OPERATION)?,
                    OPERATION,
                )?;
                Ok((key, state))
            })
            .collect()
    }
}

/// Reads tenant, user, service, connection and stream from five columns.
fn stream_key(row: &PgRow, first: usize) -> Result<StreamKey, sqlx::Error> {
    let text = |index: usize| row.try_get::<&str, _>(first + index);
    Ok(StreamKey {
        owner: Owner::new(text(0)?, text(1)?),
        service: text(2)?.into(),
        connection: text(3)?.into(),
        stream: text(4)?.into(),
    })
}

/// Reads the [columns](query::COLUMNS) of a record. The records of a stream share the texts of its key.
fn decode(
    row: &PgRow,
    streams: &mut HashMap<i64, StreamKey>,
    operation: &'static str,
) -> Result<StoredRecord> {
    let failed = |error| store_error(operation, error);
    let key = row.try_get(3).map_err(failed)?;
    let stream = match streams.get(&key) {
        Some(stream) => stream.clone(),
        None => streams.entry(key).or_insert(stream_key(row, 4).map_err(failed)?).clone(),
    };
    let entity = serde_json::from_str(row.try_get(14).map_err(failed)?)
        .map_err(|error| unreadable("record", operation, &error))?;
    let source = Source {
        service: match row.try_get::<Option<&str>, _>(13).map_err(failed)? {
            Some(service) => service.into(),
            None => stream.service.clone(),
        },
        id: row.try_get(9).map_err(failed)?,
        version: row.try_get(10).map_err(failed)?,
        link: row.try_get(11).map_err(failed)?,
        modified_at: row.try_get::<Option<i64>, _>(12).map_err(failed)?.map(time),
    };
    Ok(StoredRecord {
        stream,
        entity,
        source,
        raw: Raw::new(row.try_get::<Vec<u8>, _>(15).map_err(failed)?),
        cursor: RecordCursor {
            starts_at: row.try_get(0).map_err(failed)?,
            ends_at: row.try_get(1).map_err(failed)?,
            key: row.try_get(2).map_err(failed)?,
        },
    })
}

fn quarantined(row: &PgRow) -> Result<QuarantinedItem, sqlx::Error> {
    Ok(QuarantinedItem {
        stream: stream_key(row, 0)?,
        id: row.try_get(5)?,
        stage: row.try_get(6)?,
        path: row.try_get(7)?,
        reason: row.try_get(8)?,
        raw: Raw::new(row.try_get::<Vec<u8>, _>(9)?),
        seen_at: time(row.try_get(10)?),
        generation: count(row.try_get(11)?),
    })
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
