//! What is in the queue, and how does what is over leave it?

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::Owner;
use integrations_core::queue::{
    Job, JobKind, JobQuery, JobRecord, JobState, NewJob, Payload, Priority, QueueStats,
};
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::super::PostgresStore;
use super::super::failure::{Answered, OrStore, count, unreadable};
use super::number;

/// How many finished jobs are deleted at a time: few enough that nobody waits long.
const PURGED: i64 = 5_000;

/// The columns that [`record`] reads, of `jobs AS j`.
macro_rules! live {
    () => {
        "j.id, j.kind, j.tenant, j.\"user\", j.name, j.priority, j.state, j.due_at, j.failures, j.lost, \
         j.enqueued_at, j.started_at, NULL::bigint AS finished_at, j.worker, j.progress, j.failure, j.payload, \
         j.again_payload IS NOT NULL AS again"
    };
}
pub(super) use live;

/// The columns that [`record`] reads, of `job_history AS j`.
macro_rules! finished {
    () => {
        "j.id, j.kind, j.tenant, j.\"user\", j.name, j.priority, j.state, NULL::bigint AS due_at, j.failures, \
         j.lost, j.enqueued_at, j.started_at, j.finished_at, j.worker, j.progress, j.failure, j.payload, \
         false AS again"
    };
}
pub(super) use finished;

pub(super) fn record(row: &PgRow, operation: &'static str) -> Result<JobRecord> {
    let (mut record, progress, failure) = decode(row).or_store(operation)?;
    record.progress = parse(progress.as_deref(), "progress of a job", operation)?;
    record.failure = parse(failure.as_deref(), "failure of a job", operation)?;
    Ok(record)
}

type Decoded = (JobRecord, Option<String>, Option<String>);

fn decode(row: &PgRow) -> Result<Decoded, sqlx::Error> {
    let id: i64 = row.try_get(0)?;
    let owner = Owner::new(row.try_get::<String, _>(2)?, row.try_get::<String, _>(3)?);
    let mut job = NewJob::new(row.try_get::<String, _>(1)?, owner);
    job.key = row.try_get::<Option<String>, _>(4)?.map(Arc::from);
    job.priority = Priority::from_rank(u8::try_from(row.try_get::<i16, _>(5)?).unwrap_or(u8::MAX));
    job.payload = Payload::new(row.try_get::<Vec<u8>, _>(16)?);
    let mut job = Job::new(id.to_string(), job, time(row.try_get(10)?));
    job.failures = u32::try_from(row.try_get::<i32, _>(8)?).unwrap_or_default();
    job.lost = u32::try_from(row.try_get::<i32, _>(9)?).unwrap_or_default();
    let state = match row.try_get::<i16, _>(6)? {
        0 | 1 => JobState::Waiting,
        2 => JobState::Running,
        3 => JobState::Done,
        _ => JobState::Dead,
    };
    let mut record = JobRecord::new(job, state);
    record.due_at = row.try_get::<Option<i64>, _>(7)?.map(time);
    record.started_at = row.try_get::<Option<i64>, _>(11)?.map(time);
    record.finished_at = row.try_get::<Option<i64>, _>(12)?.map(time);
    record.worker = row.try_get(13)?;
    record.again = row.try_get(17)?;
    Ok((record, row.try_get(14)?, row.try_get(15)?))
}

fn parse<T: DeserializeOwned>(
    text: Option<&str>,
    what: &'static str,
    operation: &'static str,
) -> Result<Option<T>> {
    text.map(serde_json::from_str).transpose().map_err(|error| unreadable(what, operation, &error))
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl PostgresStore {
    pub(super) async fn find_jobs(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        const OPERATION: &str = "queue.find";
        let id = match query.id.as_ref().map(number) {
            Some(None) => return Ok(Vec::new()),
            id => id.flatten(),
        };
        let after = match query.after.as_ref().map(number) {
            Some(None) => return Ok(Vec::new()),
            after => after.flatten(),
        };
        let limit = i64::try_from(query.limit()).unwrap_or(i64::MAX);
        let finished_only = query.finished_since.is_some() || query.finished_before.is_some();
        let mut sql = QueryBuilder::<Postgres>::new("SELECT * FROM (");
        let mut parts = 0;
        for (table, columns, finished) in [("jobs", live!(), false), ("job_history", finished!(), true)] {
            let wanted = query.state.is_none_or(|state| state.is_finished() == finished);
            if !wanted || (finished_only && !finished) {
                continue;
            }
            if parts > 0 {
                sql.push(" UNION ALL ");
            }
            parts += 1;
            sql.push("(SELECT ").push(columns).push(" FROM ").push(table).push(" AS j WHERE true");
            match query.state {
                Some(JobState::Waiting) => sql.push(" AND j.state IN (0, 1)"),
                Some(JobState::Running) => sql.push(" AND j.state = 2"),
                Some(JobState::Done) => sql.push(" AND j.state = 3"),
                Some(JobState::Dead) => sql.push(" AND j.state = 4"),
                None => &mut sql,
            };
            if let Some(kind) = &query.kind {
                sql.push(" AND j.kind = ").push_bind(kind.as_str());
            }
            if let Some(owner) = &query.owner {
                sql.push(" AND j.tenant = ").push_bind(owner.tenant.as_str());
                sql.push(" AND j.\"user\" = ").push_bind(owner.user.as_str());
            }
            if let Some(id) = id {
                sql.push(" AND j.id = ").push_bind(id);
            }
            if let Some(after) = after {
                sql.push(" AND j.id > ").push_bind(after);
            }
            if let Some(since) = query.finished_since {
                sql.push(" AND j.finished_at >= ").push_bind(since.timestamp_micros());
            }
            if let Some(before) = query.finished_before {
                sql.push(" AND j.finished_at < ").push_bind(before.timestamp_micros());
            }
            sql.push(" ORDER BY j.id LIMIT ").push_bind(limit).push(")");
        }
        if parts == 0 {
            return Ok(Vec::new());
        }
        sql.push(") AS found ORDER BY id LIMIT ").push_bind(limit);
        let mut connection = self.connection(OPERATION).await?;
        let rows = sql.build().fetch_all(&mut *connection).answered(OPERATION).await?;
        rows.iter().map(|row| record(row, OPERATION)).collect()
    }

    pub(super) async fn queue_stats(&self) -> Result<QueueStats> {
        const OPERATION: &str = "queue.stats";
        // In one statement, so that all is of the same moment.
        let sql = "WITH m AS MATERIALIZED (SELECT now_micros($1) AS moment) \
             SELECT 0, kind, sum(done)::bigint, sum(retried)::bigint, sum(dead)::bigint, NULL::bigint \
             FROM job_tallies GROUP BY kind \
             UNION ALL SELECT 1, kind, count(*) FILTER (WHERE state = 1 OR state = 0 AND due_at <= m.moment), \
             count(*) FILTER (WHERE state = 0 AND due_at > m.moment), count(*) FILTER (WHERE state = 2), \
             max(m.moment - due_at) FILTER (WHERE state = 1 OR state = 0 AND due_at <= m.moment) \
             FROM jobs, m GROUP BY kind \
             UNION ALL SELECT 2, kind, count(*), 0, 0, NULL FROM job_history WHERE state = 4 GROUP BY kind";
        let mut connection = self.connection(OPERATION).await?;
        let rows: Vec<(i32, String, i64, i64, i64, Option<i64>)> =
            sqlx::query_as(sql).bind(self.now()).fetch_all(&mut *connection).answered(OPERATION).await?;
        let mut stats = QueueStats::default();
        for (what, kind, first, second, third, oldest) in rows {
            let kind = stats.kinds.entry(JobKind::from(kind)).or_default();
            match what {
                0 => {
                    kind.done_ever = count(first);
                    kind.retried_ever = count(second);
                    kind.dead_ever = count(third);
                }
                1 => {
                    kind.ready = count(first);
                    kind.delayed = count(second);
                    kind.running = count(third);
                    kind.oldest = oldest.map(|oldest| Duration::from_micros(count(oldest.max(0))));
                }
                _ => kind.dead = count(first),
            }
        }
        Ok(stats)
    }

    /// In several transactions, so that no other call waits for a long one. What is remembered of users whose turns are
    /// all past goes with it; that of the highest turn of a lane stays.
    pub(super) async fn purge_jobs(&self, before: i64) -> Result<u64> {
        const OPERATION: &str = "queue.purge";
        let mut connection = self.connection(OPERATION).await?;
        let mut purged = 0;
        loop {
            let some = sqlx::query(
                "DELETE FROM job_history WHERE id IN (SELECT id FROM job_history WHERE finished_at < $1 \
                 ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
            )
            .bind(before)
            .bind(PURGED)
            .execute(&mut *connection)
            .answered(OPERATION)
            .await?
            .rows_affected();
            purged += some;
            if some == 0 {
                break;
            }
        }
        sqlx::query(
            "WITH lanes AS (SELECT kind, priority, max(last) AS highest FROM job_turns GROUP BY kind, priority), \
             past AS (SELECT t.kind, t.priority, t.tenant, t.\"user\" FROM job_turns AS t \
               JOIN lanes AS l ON l.kind = t.kind AND l.priority = t.priority \
               WHERE t.last < l.highest AND t.last < coalesce((SELECT j.turn FROM jobs AS j WHERE j.state = 1 \
                 AND j.kind = t.kind AND j.priority = t.priority ORDER BY j.turn LIMIT 1), l.highest) \
               FOR UPDATE OF t SKIP LOCKED) \
             DELETE FROM job_turns AS t USING past AS p WHERE t.kind = p.kind AND t.priority = p.priority \
             AND t.tenant = p.tenant AND t.\"user\" = p.\"user\"",
        )
        .execute(&mut *connection)
        .answered(OPERATION)
        .await?;
        Ok(purged)
    }
}
