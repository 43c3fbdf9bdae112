//! How do records and positions go together?

use async_trait::async_trait;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::normalize::Quarantined;
use integrations_core::sync::{
    Commit, Fence, Position, Receipt, StreamKey, StreamState, Sweep, SyncSink, Unseen,
};
use integrations_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Row as _, SqliteConnection};

use super::SqliteStore;
use super::failure::{OrStore, count, integer, unreadable, unwritable};
use super::names::{self, key_of_id};
use super::page::{self, Page, Row, add, add_raw};

const COMMIT: &str = "sink.commit";

#[async_trait]
impl SyncSink for SqliteStore {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        const OPERATION: &str = "sink.load";
        let mut connection = self.reader(OPERATION).await?;
        let row =
            sqlx::query("SELECT position, revision, fence FROM streams WHERE connection = ? AND stream = ?")
                .bind(stream.connection.as_str())
                .bind(stream.stream.as_str())
                .fetch_optional(&mut *connection)
                .await
                .or_store(OPERATION)?;
        row.map_or_else(
            || Ok(StreamState::default()),
            |row| {
                let (position, revision, fence) = (row.try_get(0), row.try_get(1), row.try_get(2));
                state(
                    position.or_store(OPERATION)?,
                    revision.or_store(OPERATION)?,
                    fence.or_store(OPERATION)?,
                    OPERATION,
                )
            },
        )
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        let step = Step::new(commit, self.now())?;
        self.write(COMMIT, move |connection| Box::pin(step.apply(connection))).await
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        const OPERATION: &str = "sink.count_unseen";
        let generation = integer(generation, OPERATION)?;
        let mut connection = self.reader(OPERATION).await?;
        let (seen, unseen): (i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE generation >= ?1), count(*) FILTER (WHERE generation < ?1) \
                     FROM records \
                     WHERE stream = (SELECT key FROM streams WHERE connection = ?2 AND stream = ?3)",
        )
        .bind(generation)
        .bind(stream.connection.as_str())
        .bind(stream.stream.as_str())
        .fetch_one(&mut *connection)
        .await
        .or_store(OPERATION)?;
        Ok(Unseen { seen: count(seen), unseen: count(unseen) })
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        self.forget_streams(connection, None).await
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        const OPERATION: &str = "sink.streams";
        let mut reader = self.reader(OPERATION).await?;
        let streams: Vec<String> = sqlx::query_scalar("SELECT stream FROM streams WHERE connection = ?")
            .bind(connection.as_str())
            .fetch_all(&mut *reader)
            .await
            .or_store(OPERATION)?;
        Ok(streams.into_iter().map(StreamId::from).collect())
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        self.forget_streams(&stream.connection, Some(&stream.stream)).await
    }
}

impl SqliteStore {
    /// Forgets the streams of a connection, or one of them.
    async fn forget_streams(&self, connection: &ConnectionId, stream: Option<&StreamId>) -> Result<u64> {
        const OPERATION: &str = "sink.forget";
        let id = connection.as_str().to_owned();
        let stream = stream.map(|stream| stream.as_str().to_owned());
        self.write(OPERATION, move |connection| {
            Box::pin(async move {
                let streams: Vec<i64> = sqlx::query_scalar(
                    "SELECT key FROM streams WHERE connection = ?1 AND (?2 IS NULL OR stream = ?2)",
                )
                .bind(id)
                .bind(stream)
                .fetch_all(&mut *connection)
                .await
                .or_store(OPERATION)?;
                let deleted = names::forget_records(connection, &streams, OPERATION).await?;
                let streams = names::list(&streams, OPERATION)?;
                for sql in [
                    "DELETE FROM quarantine WHERE stream IN (SELECT value FROM json_each(?))",
                    "DELETE FROM streams WHERE key IN (SELECT value FROM json_each(?))",
                ] {
                    let done = sqlx::query(sql).bind(streams.as_str()).execute(&mut *connection).await;
                    done.or_store(OPERATION)?;
                }
                Ok(deleted)
            })
        })
        .await
    }
}

pub(super) fn state(
    position: &str,
    revision: i64,
    fence: i64,
    operation: &'static str,
) -> Result<StreamState> {
    let position: Position =
        serde_json::from_str(position).map_err(|error| unreadable("position", operation, &error))?;
    Ok(StreamState { position, revision: count(revision), fence: Fence(count(fence)) })
}

/// A commit, ready to be applied.
struct Step {
    stream: StreamKey,
    page: Page,
    quarantined: Vec<Quarantined>,
    sweep: Option<i64>,
    position: String,
    expected_revision: i64,
    fence: i64,
    generation: i64,
    now: i64,
}

/// The stream's row, as it was before the commit.
struct Before {
    key: Option<i64>,
    revision: i64,
    fence: i64,
    has_quarantine: bool,
}

impl Step {
    fn new(commit: Commit, now: i64) -> Result<Self> {
        Ok(Self {
            page: page::encode(commit.changes, &commit.stream.service, COMMIT)?,
            quarantined: commit.quarantined,
            sweep: commit.sweep.map(|Sweep { before }| integer(before, COMMIT)).transpose()?,
            position: serde_json::to_string(&commit.position).map_err(|_| unwritable("position", COMMIT))?,
            expected_revision: integer(commit.expected_revision, COMMIT)?,
            fence: integer(commit.fence.0, COMMIT)?,
            generation: integer(commit.generation, COMMIT)?,
            stream: commit.stream,
            now,
        })
    }

    async fn apply(self, connection: &mut SqliteConnection) -> Result<Receipt> {
        let before = self.before(connection).await?;
        if self.fence < before.fence {
            return Err(conflict(
                "stale_fence",
                "another runner has taken over the stream; leave it to that one",
            ));
        }
        if self.expected_revision != before.revision {
            return Err(conflict(
                "stale_revision",
                "the stream has moved on; load it again and continue from there",
            ));
        }
        let Self { generation, now, sweep, .. } = self;
        let key = self.write_stream(connection, &before).await?;
        let Page { deleted, orphaned, rows } = self.page;
        if !deleted.is_empty() {
            let gone = with_children(connection, key, deleted, orphaned).await?;
            names::delete_records(connection, key, &gone, COMMIT).await?;
            if before.has_quarantine {
                release(connection, key, &gone).await?;
            }
        }
        if !rows.is_empty() {
            let upserted = upsert(connection, key, generation, rows).await?;
            if before.has_quarantine {
                release(connection, key, &upserted).await?;
            }
        }
        for item in &self.quarantined {
            quarantine(connection, key, item, generation, now).await?;
        }
        let swept = match sweep {
            Some(before) => sweep_stream(connection, key, before).await?,
            None => 0,
        };
        Ok(Receipt { revision: count(before.revision + 1), swept })
    }

    async fn before(&self, connection: &mut SqliteConnection) -> Result<Before> {
        let row: Option<(i64, i64, i64, bool)> = sqlx::query_as(
            "SELECT key, revision, fence, EXISTS (SELECT 1 FROM quarantine WHERE quarantine.stream = streams.key) \
             FROM streams WHERE connection = ? AND stream = ?",
        )
        .bind(self.stream.connection.as_str())
        .bind(self.stream.stream.as_str())
        .fetch_optional(connection)
        .await
        .or_store(COMMIT)?;
        Ok(match row {
            Some((key, revision, fence, has_quarantine)) => {
                Before { key: Some(key), revision, fence, has_quarantine }
            }
            None => Before { key: None, revision: 0, fence: 0, has_quarantine: false },
        })
    }

    async fn write_stream(&self, connection: &mut SqliteConnection, before: &Before) -> Result<i64> {
        let revision = before.revision + 1;
        if let Some(key) = before.key {
            sqlx::query(
                "UPDATE streams SET position = ?, revision = ?, fence = ?, updated_at = ? WHERE key = ?",
            )
            .bind(self.position.as_str())
            .bind(revision)
            .bind(self.fence)
            .bind(self.now)
            .bind(key)
            .execute(connection)
            .await
            .or_store(COMMIT)?;
            return Ok(key);
        }
        let StreamKey { owner, service, connection: id, stream } = &self.stream;
        let inserted = sqlx::query(
            "INSERT INTO streams \
             (connection, stream, tenant, user, service, position, revision, fence, updated_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.as_str())
        .bind(stream.as_str())
        .bind(owner.tenant.as_str())
        .bind(owner.user.as_str())
        .bind(service.as_str())
        .bind(self.position.as_str())
        .bind(revision)
        .bind(self.fence)
        .bind(self.now)
        .execute(connection)
        .await
        .or_store(COMMIT)?;
        Ok(inserted.last_insert_rowid())
    }
}

fn conflict(code: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, message).with_code(code).with_operation(COMMIT)
}

/// The ids that a commit deletes: the deleted ones, their stored children, and the orphaned ones.
async fn with_children(
    connection: &mut SqliteConnection,
    key: i64,
    mut deleted: Vec<String>,
    orphaned: Vec<String>,
) -> Result<String> {
    let children: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM records WHERE stream = ? AND parent IN (SELECT value FROM json_each(?))",
    )
    .bind(key)
    .bind(names::list(&deleted, COMMIT)?)
    .fetch_all(connection)
    .await
    .or_store(COMMIT)?;
    deleted.extend(children);
    deleted.extend(orphaned);
    names::list(&deleted, COMMIT)
}

/// Writes the rows, and returns the list of their ids.
async fn upsert(
    connection: &mut SqliteConnection,
    key: i64,
    generation: i64,
    mut rows: Vec<Row>,
) -> Result<String> {
    // In the order in which the ids lie in their tables.
    rows.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let ids = names::list(&ids, COMMIT)?;
    let known = names::find(connection, key, &ids, COMMIT).await?;
    let last: Option<i64> = sqlx::query_scalar("SELECT max(key) FROM records")
        .fetch_one(&mut *connection)
        .await
        .or_store(COMMIT)?;
    let mut last = last.unwrap_or(0);
    let keys: Vec<i64> = rows
        .iter()
        .map(|row| {
            known.get(&row.id).copied().unwrap_or_else(|| {
                last += 1;
                last
            })
        })
        .collect();
    let new = rows.iter().zip(&keys).filter(|(row, _)| !known.contains_key(&row.id));
    names::add(connection, key, new.map(|(row, key)| (row.id.as_str(), *key)).collect(), COMMIT).await?;
    page::write(connection, key, generation, keys.into_iter().zip(rows).collect()).await.or_store(COMMIT)?;
    Ok(ids)
}

/// Takes items out of the quarantine: they could be read now, or are gone.
async fn release(connection: &mut SqliteConnection, key: i64, ids: &str) -> Result<()> {
    sqlx::query("DELETE FROM quarantine WHERE stream = ? AND id IN (SELECT value FROM json_each(?))")
        .bind(key)
        .bind(ids)
        .execute(connection)
        .await
        .or_store(COMMIT)?;
    Ok(())
}

/// Keeps the item for the host to look at. A record that was read from it earlier stays as it is, and
/// counts as seen.
async fn quarantine(
    connection: &mut SqliteConnection,
    key: i64,
    item: &Quarantined,
    generation: i64,
    now: i64,
) -> Result<()> {
    let arguments = || -> Result<SqliteArguments, sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        add(&mut arguments, key)?;
        add(&mut arguments, item.id.as_deref())?;
        add(&mut arguments, item.stage)?;
        add(&mut arguments, item.path.as_str())?;
        add(&mut arguments, item.reason.as_str())?;
        add_raw(&mut arguments, &item.raw)?;
        add(&mut arguments, now)?;
        add(&mut arguments, generation)?;
        Ok(arguments)
    };
    sqlx::query_with(
        "INSERT INTO quarantine (stream, id, stage, path, reason, raw, seen_at, generation) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (stream, id) WHERE id IS NOT NULL DO UPDATE SET \
           stage = excluded.stage, path = excluded.path, reason = excluded.reason, raw = excluded.raw, \
           seen_at = excluded.seen_at, generation = excluded.generation",
        arguments().or_store(COMMIT)?,
    )
    .execute(&mut *connection)
    .await
    .or_store(COMMIT)?;
    if let Some(id) = &item.id {
        sqlx::query(concat!("UPDATE records SET generation = ?3 WHERE key = ", key_of_id!()))
            .bind(key)
            .bind(id.as_str())
            .bind(generation)
            .execute(connection)
            .await
            .or_store(COMMIT)?;
    }
    Ok(())
}

async fn sweep_stream(connection: &mut SqliteConnection, key: i64, before: i64) -> Result<u64> {
    sqlx::query("DELETE FROM quarantine WHERE stream = ? AND generation < ?")
        .bind(key)
        .bind(before)
        .execute(&mut *connection)
        .await
        .or_store(COMMIT)?;
    names::sweep_records(connection, key, before, COMMIT).await
}
