//! What is in the queue, and how does what is over leave it?

use integrations_core::Result;
use integrations_core::queue::{JobKind, JobQuery, JobRecord, JobState, QueueStats};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::super::SqliteStore;
use super::super::failure::{OrStore, count};
use super::row::{self, Row, between};

/// How many finished jobs are deleted at a time: few enough that nobody waits long.
const PURGED: i64 = 2_000;

impl SqliteStore {
    pub(super) async fn find_jobs(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        const OPERATION: &str = "queue.find";
        let mut sql = QueryBuilder::<Sqlite>::new(concat!(
            "SELECT ",
            row::columns!(),
            ", EXISTS (SELECT 1 FROM job_agains AS a WHERE a.job = j.key) FROM jobs AS j WHERE true"
        ));
        if let Some(state) = query.state {
            // As a literal, or SQLite could not tell which index is for it.
            sql.push(" AND j.state = '").push(state.as_str()).push("'");
        }
        if let Some(kind) = &query.kind {
            sql.push(" AND j.kind = ").push_bind(kind.as_str());
        }
        if let Some(owner) = &query.owner {
            sql.push(" AND j.tenant = ").push_bind(owner.tenant.as_str());
            sql.push(" AND j.user = ").push_bind(owner.user.as_str());
        }
        if let Some(id) = &query.id {
            let Some(key) = row::key(id) else { return Ok(Vec::new()) };
            sql.push(" AND j.key = ").push_bind(key);
        }
        if let Some(since) = query.finished_since {
            sql.push(" AND j.finished_at >= ").push_bind(since.timestamp_micros());
        }
        if let Some(before) = query.finished_before {
            sql.push(" AND j.finished_at < ").push_bind(before.timestamp_micros());
        }
        // What runs or is dead stands in an index of its own, which is short. Of all other jobs it is quicker to
        // go through the table until a page is full. The sign keeps SQLite from doing that with the former.
        let few = query.id.is_none() && matches!(query.state, Some(JobState::Running | JobState::Dead));
        let sign = if few { "+" } else { "" };
        if let Some(after) = &query.after {
            let Some(key) = row::key(after) else { return Ok(Vec::new()) };
            sql.push(" AND ").push(sign).push("j.key > ").push_bind(key);
        }
        sql.push(" ORDER BY ")
            .push(sign)
            .push("j.key LIMIT ")
            .push_bind(i64::try_from(query.limit()).unwrap_or(i64::MAX));
        let mut connection = self.reader(OPERATION).await?;
        let rows = sql.build().fetch_all(&mut *connection).await.or_store(OPERATION)?;
        rows.iter()
            .map(|row| Row::read(row, OPERATION)?.record(row.try_get(20).or_store(OPERATION)?, OPERATION))
            .collect()
    }

    pub(super) async fn queue_stats(&self) -> Result<QueueStats> {
        const OPERATION: &str = "queue.stats";
        // In one statement, so that all is of the same moment.
        let sql = "SELECT 0, kind, done_ever, retried_ever, dead_ever FROM job_kinds \
             UNION ALL SELECT 1, kind, count(*), min(due_at), 0 FROM jobs \
             WHERE state = 'waiting' AND turn IS NOT NULL GROUP BY kind \
             UNION ALL SELECT 2, kind, count(*) FILTER (WHERE due_at <= ?1), min(due_at), count(*) FROM jobs \
             WHERE state = 'waiting' AND turn IS NULL GROUP BY kind \
             UNION ALL SELECT 3, kind, count(*), 0, 0 FROM jobs WHERE state = 'running' GROUP BY kind \
             UNION ALL SELECT 4, kind, count(*), 0, 0 FROM jobs WHERE state = 'dead' GROUP BY kind";
        let now = self.now();
        let mut connection = self.reader(OPERATION).await?;
        let rows: Vec<(i64, String, i64, i64, i64)> =
            sqlx::query_as(sql).bind(now).fetch_all(&mut *connection).await.or_store(OPERATION)?;
        let mut stats = QueueStats::default();
        for (what, kind, first, second, third) in rows {
            let kind = stats.kinds.entry(JobKind::from(kind)).or_default();
            match what {
                0 => {
                    kind.done_ever = count(first);
                    kind.retried_ever = count(second);
                    kind.dead_ever = count(third);
                }
                1 => {
                    kind.ready += count(first);
                    kind.oldest = kind.oldest.max(Some(between(second, now)));
                }
                2 => {
                    // Those whose time has come, and that nobody has asked for since.
                    kind.ready += count(first);
                    kind.delayed = count(third - first);
                    if first > 0 {
                        kind.oldest = kind.oldest.max(Some(between(second, now)));
                    }
                }
                3 => kind.running = count(first),
                _ => kind.dead = count(first),
            }
        }
        Ok(stats)
    }

    /// In several transactions, so that no other call waits for a long one; each deletes whole jobs.
    pub(super) async fn purge_jobs(&self, before: i64) -> Result<u64> {
        const OPERATION: &str = "queue.purge";
        let mut purged = 0;
        loop {
            let some = self.write(OPERATION, move |connection| {
                Box::pin(async move {
                    let mut gone = 0;
                    for sql in [
                        "DELETE FROM job_payloads WHERE job IN \
                         (SELECT key FROM jobs WHERE finished_at < ?1 ORDER BY finished_at, key LIMIT ?2)",
                        "DELETE FROM jobs WHERE key IN \
                         (SELECT key FROM jobs WHERE finished_at < ?1 ORDER BY finished_at, key LIMIT ?2)",
                    ] {
                        let done = sqlx::query(sql).bind(before).bind(PURGED).execute(&mut *connection).await;
                        gone = done.or_store(OPERATION)?.rows_affected();
                    }
                    Ok(gone)
                })
            });
            let some = some.await?;
            purged += some;
            if i64::try_from(some).is_ok_and(|some| some < PURGED) {
                return Ok(purged);
            }
        }
    }
}
