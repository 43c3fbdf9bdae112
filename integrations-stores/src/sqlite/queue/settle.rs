//! What becomes of a job that was leased?

use std::collections::{HashMap, HashSet};

use integrations_core::Result;
use integrations_core::queue::{
    Heartbeat, JobKind, JobState, LeaseId, NewJob, Outcome, Payload, Priority, Settlement,
};

use super::super::failure::OrStore;
use super::desk::{Desk, OPERATION};
use super::row::{self, Row, between, json, later};

/// What a twin asks for, or whoever wants a job to be repeated.
pub(super) struct Wish {
    payload: Payload,
    priority: Priority,
    due: i64,
}

impl Wish {
    fn coalesce(self, newer: Self) -> Self {
        Self {
            payload: newer.payload,
            priority: self.priority.min(newer.priority),
            due: self.due.min(newer.due),
        }
    }
}

impl Desk<'_> {
    pub(super) async fn settle(&mut self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        let mut done = self.settle_done(&settlements).await?;
        let mut held = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            let lease = key(&settlement.lease);
            held.push(match lease.and_then(|lease| done.remove(&lease)) {
                Some(kind) => {
                    self.tally(&kind).done += 1;
                    true
                }
                None => self.settle_one(lease, settlement).await?,
            });
        }
        Ok(held)
    }

    /// Most jobs are done, and that was that: one statement for all of those. Returns which they are.
    async fn settle_done(&mut self, settlements: &[Settlement]) -> Result<HashMap<(i64, i64), JobKind>> {
        let mut list = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            if let (Outcome::Done, None, Some((key, fence))) =
                (settlement.outcome, &settlement.repeat, key(&settlement.lease))
            {
                let progress = row::progress(settlement.progress.as_ref(), OPERATION)?;
                let failure = row::failure(settlement.failure.as_ref(), OPERATION)?;
                list.push((key, fence, progress, failure));
            }
        }
        if list.is_empty() {
            return Ok(HashMap::new());
        }
        let done: Vec<(i64, i64, String)> = sqlx::query_as(
            "UPDATE jobs SET state = 'done', due_at = NULL, finished_at = ?2, \
             progress = coalesce(s.value ->> 2, progress), failure = coalesce(s.value ->> 3, failure) \
             FROM json_each(?1) AS s \
             WHERE jobs.key = s.value ->> 0 AND jobs.fence = s.value ->> 1 AND jobs.state = 'running' \
             AND NOT EXISTS (SELECT 1 FROM job_agains AS a WHERE a.job = jobs.key) \
             RETURNING key, fence, kind",
        )
        .bind(json(&list, OPERATION)?)
        .bind(self.now)
        .fetch_all(&mut *self.connection)
        .await
        .or_store(OPERATION)?;
        Ok(done.into_iter().map(|(key, fence, kind)| ((key, fence), kind.into())).collect())
    }

    async fn settle_one(&mut self, lease: Option<(i64, i64)>, settlement: Settlement) -> Result<bool> {
        let Some((key, fence)) = lease else { return Ok(false) };
        let row = self.load(key).await?;
        let Some(mut row) = row.filter(|row| row.state == JobState::Running && row.fence == Some(fence))
        else {
            return Ok(false);
        };
        let Settlement { outcome, failure, progress, repeat, .. } = settlement;
        row.progress = row::progress(progress.as_ref(), OPERATION)?.or(row.progress);
        row.failure = row::failure(failure.as_ref(), OPERATION)?.or(row.failure);
        match outcome {
            Outcome::Done | Outcome::Dead => {
                let repeat = repeat.map(|repeat| Wish {
                    payload: repeat.payload.unwrap_or_else(|| row.job.payload.clone()),
                    priority: row.job.priority,
                    due: later(self.now, repeat.after),
                });
                let state = if outcome == Outcome::Done { JobState::Done } else { JobState::Dead };
                self.finish(row, state, repeat).await?;
            }
            Outcome::Retry { after } => {
                row.job.failures = row.job.failures.saturating_add(1);
                row.turn = None;
                self.tally(&row.job.kind).retried += 1;
                self.wait_again(row, later(self.now, after)).await?;
            }
            Outcome::Release => self.wait_again(row, self.now).await?,
        }
        Ok(true)
    }

    /// A job is over. What came while it ran, or is to come after it, waits as a new job.
    pub(super) async fn finish(&mut self, mut row: Row, state: JobState, repeat: Option<Wish>) -> Result<()> {
        let next = match (repeat, self.take_again(row.key).await?) {
            (Some(repeat), Some(again)) => Some(repeat.coalesce(again)),
            (repeat, again) => repeat.or(again),
        };
        let tally = self.tally(&row.job.kind);
        *if state == JobState::Done { &mut tally.done } else { &mut tally.dead } += 1;
        row.state = state;
        row.due_at = None;
        row.finished_at = Some(self.now);
        self.save(&row).await?;
        if let Some(Wish { payload, priority, due }) = next {
            let delay = between(self.now, due);
            let job: NewJob = row.job.again().payload(payload).priority(priority).delay(delay);
            self.add(job, row.twin).await?;
        }
        Ok(())
    }

    /// A job waits once more, and does the work of the twin that came while it ran.
    pub(super) async fn wait_again(&mut self, mut row: Row, due: i64) -> Result<()> {
        row.state = JobState::Waiting;
        row.due_at = Some(due);
        if let Some(again) = self.take_again(row.key).await? {
            if again.priority < row.job.priority {
                row.job.priority = again.priority;
                row.turn = None;
            }
            row.job.payload = again.payload;
            row.update_payload(&mut *self.connection, OPERATION).await?;
        }
        self.ripen(&mut row).await?;
        self.save(&row).await
    }

    async fn take_again(&mut self, key: i64) -> Result<Option<Wish>> {
        let taken: Option<(u8, i64, Vec<u8>)> =
            sqlx::query_as("DELETE FROM job_agains WHERE job = ? RETURNING priority, due_at, payload")
                .bind(key)
                .fetch_optional(&mut *self.connection)
                .await
                .or_store(OPERATION)?;
        Ok(taken.map(|(priority, due, payload)| Wish {
            payload: Payload::new(payload),
            priority: Priority::from_rank(priority),
            due,
        }))
    }

    pub(super) async fn extend(&mut self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        // Of several of one lease the last one counts.
        let mut signs = HashMap::with_capacity(heartbeats.len());
        for Heartbeat { lease, ttl, progress } in &heartbeats {
            if let Some(lease) = key(lease) {
                let progress = row::progress(progress.as_ref(), OPERATION)?;
                let (until, kept) = signs.entry(lease).or_insert((0, None));
                *until = later(self.now, *ttl);
                *kept = progress.or(kept.take());
            }
        }
        let list: Vec<_> = signs
            .into_iter()
            .map(|((key, fence), (until, progress))| (key, fence, until, progress))
            .collect();
        let kept: Vec<(i64, i64)> = sqlx::query_as(
            "UPDATE jobs SET due_at = h.value ->> 2, progress = coalesce(h.value ->> 3, progress) \
             FROM json_each(?) AS h \
             WHERE jobs.key = h.value ->> 0 AND jobs.fence = h.value ->> 1 AND jobs.state = 'running' \
             RETURNING key, fence",
        )
        .bind(json(&list, OPERATION)?)
        .fetch_all(&mut *self.connection)
        .await
        .or_store(OPERATION)?;
        let kept: HashSet<(i64, i64)> = kept.into_iter().collect();
        Ok(heartbeats
            .iter()
            .map(|heartbeat| key(&heartbeat.lease).is_some_and(|lease| kept.contains(&lease)))
            .collect())
    }
}

/// The key and the fence of a lease; `None` for one that this queue cannot have given.
fn key(lease: &LeaseId) -> Option<(i64, i64)> {
    Some((row::key(&lease.job)?, i64::try_from(lease.fence.0).ok()?))
}
