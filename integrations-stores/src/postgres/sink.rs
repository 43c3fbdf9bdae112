//! How do records and positions go together?
//!
//! Whoever writes or deletes records of a stream holds the lock of the stream's row from the first statement to the
//! last, so commits to one stream take turns, and those to different streams do not meet.

use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::sync::{
    Commit, Fence, Position, Receipt, StreamKey, StreamState, Sweep, SyncSink, Unseen,
};
use integrations_core::{Error, ErrorKind, Result};
use sqlx::PgConnection;

use super::PostgresStore;
use super::failure::{Answered, count, integer, unreadable, unwritable};
use super::page::{self, Page, Refused};

const COMMIT: &str = "sink.commit";

#[async_trait]
impl SyncSink for PostgresStore {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        const OPERATION: &str = "sink.load";
        let mut connection = self.connection(OPERATION).await?;
        let row: Option<(String, i64, i64)> = sqlx::query_as(
            "SELECT position, revision, fence FROM streams WHERE connection = $1 AND stream = $2",
        )
        .bind(stream.connection.as_str())
        .bind(stream.stream.as_str())
        .fetch_optional(&mut *connection)
        .answered(OPERATION)
        .await?;
        row.map_or_else(
            || Ok(StreamState::default()),
            |(position, revision, fence)| state(&position, revision, fence, OPERATION),
        )
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        let step = Arc::new(Step::new(commit, self.now())?);
        self.transaction(COMMIT, move |connection| {
            let step = Arc::clone(&step);
            Box::pin(async move { step.apply(connection).await })
        })
        .await
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        const OPERATION: &str = "sink.count_unseen";
        let generation = integer(generation, OPERATION)?;
        let mut connection = self.connection(OPERATION).await?;
        let (seen, unseen): (i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE generation >= $1), count(*) FILTER (WHERE generation < $1) \
             FROM records WHERE stream = (SELECT key FROM streams WHERE connection = $2 AND stream = $3)",
        )
        .bind(generation)
        .bind(stream.connection.as_str())
        .bind(stream.stream.as_str())
        .fetch_one(&mut *connection)
        .answered(OPERATION)
        .await?;
        Ok(Unseen { seen: count(seen), unseen: count(unseen) })
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        self.forget_streams(connection, None).await
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        const OPERATION: &str = "sink.streams";
        let id = connection;
        let mut connection = self.connection(OPERATION).await?;
        let streams: Vec<String> = sqlx::query_scalar("SELECT stream FROM streams WHERE connection = $1")
            .bind(id.as_str())
            .fetch_all(&mut *connection)
            .answered(OPERATION)
            .await?;
        Ok(streams.into_iter().map(StreamId::from).collect())
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        self.forget_streams(&stream.connection, Some(&stream.stream)).await
    }
}

impl PostgresStore {
    /// Forgets the streams of a connection, or one of them.
    async fn forget_streams(&self, connection: &ConnectionId, stream: Option<&StreamId>) -> Result<u64> {
        const OPERATION: &str = "sink.forget";
        let names: Arc<(String, Option<String>)> =
            Arc::new((connection.as_str().to_owned(), stream.map(|stream| stream.as_str().to_owned())));
        self.transaction(OPERATION, move |connection| {
            let names = Arc::clone(&names);
            Box::pin(async move {
                let (id, stream) = &*names;
                let streams: Vec<i64> = sqlx::query_scalar(
                    "DELETE FROM streams WHERE connection = $1 AND ($2 IS NULL OR stream = $2) RETURNING key",
                )
                .bind(id)
                .bind(stream)
                .fetch_all(&mut *connection)
                .answered_at_last(OPERATION)
                .await?;
                // In statements of their own, which see what a commit has written that the first one has waited for.
                let deleted = sqlx::query("DELETE FROM records WHERE stream = ANY($1)")
                    .bind(&streams)
                    .execute(&mut *connection)
                    .answered_at_last(OPERATION)
                    .await?;
                sqlx::query("DELETE FROM quarantine WHERE stream = ANY($1)")
                    .bind(&streams)
                    .execute(connection)
                    .answered_at_last(OPERATION)
                    .await?;
                Ok(deleted.rows_affected())
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
    refused: Refused,
    sweep: Option<i64>,
    position: String,
    expected_revision: i64,
    fence: i64,
    generation: i64,
    now: Option<i64>,
}

/// The stream's row, which the commit has locked.
struct Locked {
    key: i64,
    has_quarantine: bool,
}

impl Step {
    fn new(commit: Commit, now: Option<i64>) -> Result<Self> {
        Ok(Self {
            page: page::encode(commit.changes, &commit.stream.service, COMMIT)?,
            refused: Refused::new(commit.quarantined),
            sweep: commit.sweep.map(|Sweep { before }| integer(before, COMMIT)).transpose()?,
            position: serde_json::to_string(&commit.position).map_err(|_| unwritable("position", COMMIT))?,
            expected_revision: integer(commit.expected_revision, COMMIT)?,
            fence: integer(commit.fence.0, COMMIT)?,
            generation: integer(commit.generation, COMMIT)?,
            stream: commit.stream,
            now,
        })
    }

    async fn apply(&self, connection: &mut PgConnection) -> Result<Receipt> {
        let Locked { key, has_quarantine } = self.move_stream(connection).await?;
        let Page { deleted, orphaned, batches } = &self.page;
        if !deleted.is_empty() {
            delete(connection, key, deleted, orphaned).await?;
        }
        for batch in batches {
            batch.write(connection, key, self.generation).answered(COMMIT).await?;
            if has_quarantine {
                release(connection, key, &batch.ids).await?;
            }
        }
        if !self.refused.is_empty() {
            self.refused.write(connection, key, self.generation, self.now).answered(COMMIT).await?;
        }
        let swept = match self.sweep {
            Some(before) => sweep(connection, key, before).await?,
            None => 0,
        };
        Ok(Receipt { revision: count(self.expected_revision + 1), swept })
    }

    /// Writes the position, if the stream is where the commit believes it to be.
    async fn move_stream(&self, connection: &mut PgConnection) -> Result<Locked> {
        let moved: Option<(i64, bool)> = sqlx::query_as(
            "UPDATE streams SET position = $3, revision = revision + 1, fence = $4, updated_at = now_micros($6) \
             WHERE connection = $1 AND stream = $2 AND revision = $5 AND fence <= $4 \
             RETURNING key, EXISTS (SELECT 1 FROM quarantine WHERE quarantine.stream = streams.key)",
        )
        .bind(self.stream.connection.as_str())
        .bind(self.stream.stream.as_str())
        .bind(self.position.as_str())
        .bind(self.fence)
        .bind(self.expected_revision)
        .bind(self.now)
        .fetch_optional(&mut *connection)
        .answered(COMMIT).await?;
        if let Some((key, has_quarantine)) = moved {
            return Ok(Locked { key, has_quarantine });
        }
        if self.expected_revision == 0
            && let Some(key) = self.insert_stream(connection).await?
        {
            return Ok(Locked { key, has_quarantine: false });
        }
        Err(self.refusal(connection).await?)
    }

    async fn insert_stream(&self, connection: &mut PgConnection) -> Result<Option<i64>> {
        let StreamKey { owner, service, connection: id, stream } = &self.stream;
        sqlx::query_scalar(
            "INSERT INTO streams (connection, stream, tenant, \"user\", service, position, revision, fence, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7, now_micros($8)) ON CONFLICT DO NOTHING RETURNING key",
        )
        .bind(id.as_str())
        .bind(stream.as_str())
        .bind(owner.tenant.as_str())
        .bind(owner.user.as_str())
        .bind(service.as_str())
        .bind(self.position.as_str())
        .bind(self.fence)
        .bind(self.now)
        .fetch_optional(connection)
        .answered(COMMIT).await
    }

    /// Why the position cannot be written.
    async fn refusal(&self, connection: &mut PgConnection) -> Result<Error> {
        let fence: Option<i64> =
            sqlx::query_scalar("SELECT fence FROM streams WHERE connection = $1 AND stream = $2")
                .bind(self.stream.connection.as_str())
                .bind(self.stream.stream.as_str())
                .fetch_optional(connection)
                .answered(COMMIT)
                .await?;
        let (code, message) = if fence.is_some_and(|fence| self.fence < fence) {
            ("stale_fence", "another runner has taken over the stream; leave it to that one")
        } else {
            ("stale_revision", "the stream has moved on; load it again and continue from there")
        };
        Ok(Error::new(ErrorKind::Conflict, message).with_code(code).with_operation(COMMIT))
    }
}

/// Deletes the deleted ones, their stored children, and the orphaned ones; none of them stays in the quarantine.
async fn delete(
    connection: &mut PgConnection,
    key: i64,
    deleted: &[String],
    orphaned: &[String],
) -> Result<()> {
    sqlx::query(
        "WITH gone AS MATERIALIZED ( \
           SELECT unnest($2::text[] || $3::text[]) COLLATE \"C\" AS id \
           UNION SELECT id FROM records WHERE stream = $1 AND parent = ANY($2)), \
         released AS (DELETE FROM quarantine WHERE stream = $1 AND id IN (SELECT id FROM gone)) \
         DELETE FROM records WHERE stream = $1 AND id IN (SELECT id FROM gone)",
    )
    .bind(key)
    .bind(deleted)
    .bind(orphaned)
    .execute(connection)
    .answered(COMMIT)
    .await?;
    Ok(())
}

/// Takes items out of the quarantine: they could be read now.
async fn release(connection: &mut PgConnection, key: i64, ids: &[String]) -> Result<()> {
    sqlx::query("DELETE FROM quarantine WHERE stream = $1 AND id = ANY($2)")
        .bind(key)
        .bind(ids)
        .execute(connection)
        .answered(COMMIT)
        .await?;
    Ok(())
}

/// Deletes what was last met in a generation before this one; returns how many records.
async fn sweep(connection: &mut PgConnection, key: i64, before: i64) -> Result<u64> {
    let mut swept = 0;
    for sql in [
        "DELETE FROM quarantine WHERE stream = $1 AND generation < $2",
        "DELETE FROM records WHERE stream = $1 AND generation < $2",
    ] {
        let done = sqlx::query(sql).bind(key).bind(before).execute(&mut *connection);
        swept = done.answered_at_last(COMMIT).await?.rows_affected();
    }
    Ok(swept)
}
