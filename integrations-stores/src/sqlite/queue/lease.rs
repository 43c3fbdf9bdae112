//! Who gets which job?

use std::collections::{BTreeMap, HashMap, VecDeque};

use integrations_core::connection::Owner;
use integrations_core::queue::{
    JobFailure, JobKind, JobState, Lease, LeaseRequest, Leased, MOST_LOST_LEASES, Priority,
};
use integrations_core::sync::Fence;
use integrations_core::{ErrorKind, Result};

use super::super::failure::{OrStore, count};
use super::desk::{Desk, OPERATION};
use super::row::{self, Row, between, json, later};

/// How many delayed jobs of a lane become ready at a time, at the most: more than anybody takes at once. When more have
/// become due, the next call goes on.
const MOST_RIPE: i64 = 10_000;

/// What there is of a kind.
struct Agenda {
    /// When the first lease runs out.
    running: Option<i64>,
    /// When the first delayed job is due.
    delayed: Option<i64>,
    ready: bool,
}

impl Desk<'_> {
    pub(super) async fn lease(&mut self, requests: &[LeaseRequest]) -> Result<Vec<Leased>> {
        let mut wanted: BTreeMap<&JobKind, usize> = BTreeMap::new();
        for (kind, most) in requests.iter().flat_map(|request| &request.wants) {
            let sum = wanted.entry(kind).or_default();
            *sum = sum.saturating_add(*most);
        }
        let kinds: Vec<&JobKind> = wanted.keys().copied().collect();
        self.flush().await?;
        let mut agendas = self.agendas(&kinds).await?;
        let due = |at: Option<i64>, now| at.is_some_and(|at| at <= now);
        if agendas.values().any(|agenda| due(agenda.running, self.now) || due(agenda.delayed, self.now)) {
            for (kind, agenda) in &agendas {
                if due(agenda.running, self.now) {
                    self.put_back_lost(kind).await?;
                }
                if due(agenda.delayed, self.now) {
                    self.ripen_delayed(kind).await?;
                }
            }
            self.flush().await?;
            agendas = self.agendas(&kinds).await?;
        }
        let mut ready: HashMap<&JobKind, VecDeque<Row>> = HashMap::new();
        for (kind, most) in wanted {
            if most > 0 && agendas.get(kind).is_some_and(|agenda| agenda.ready) {
                ready.insert(kind, self.first(kind, most).await?);
            }
        }
        let (mut leased, mut taken) = (Vec::with_capacity(requests.len()), Vec::new());
        for request in requests {
            let mut taken_now = Vec::new();
            let until = later(self.now, request.ttl);
            for (kind, most) in &request.wants {
                let Some(rows) = ready.get_mut(kind) else { continue };
                for row in rows.drain(..rows.len().min(*most)) {
                    // At least the clock: so it is higher also than those of a file that was lost.
                    self.last_fence = self.last_fence.saturating_add(1).max(self.now);
                    taken.push((row.key, self.last_fence, until, request.worker.as_str()));
                    taken_now.push(Lease::new(row.job, Fence(count(self.last_fence))));
                    if let Some(agenda) = agendas.get_mut(kind) {
                        agenda.running = Some(agenda.running.map_or(until, |running| running.min(until)));
                    }
                }
            }
            leased.push(Leased { leases: taken_now, next_due: None });
        }
        self.take(&taken).await?;
        for (leased, request) in leased.iter_mut().zip(requests) {
            let next = request.wants.iter().filter_map(|(kind, _)| agendas.get(kind)?.next()).min();
            leased.next_due = next.map(|next| between(self.now, next));
        }
        self.news.seen.extend(agendas.into_iter().map(|(kind, agenda)| (kind, agenda.next())));
        Ok(leased)
    }

    async fn agendas(&mut self, kinds: &[&JobKind]) -> Result<HashMap<JobKind, Agenda>> {
        let rows: Vec<(String, Option<i64>, Option<i64>, bool)> = sqlx::query_as(super::wait::AGENDA)
            .bind(json(kinds, OPERATION)?)
            .fetch_all(&mut *self.connection)
            .await
            .or_store(OPERATION)?;
        let agenda =
            |(kind, running, delayed, ready)| (JobKind::from(kind), Agenda { running, delayed, ready });
        Ok(rows.into_iter().map(agenda).collect())
    }

    /// The first ready jobs of a kind, in their order.
    async fn first(&mut self, kind: &JobKind, most: usize) -> Result<VecDeque<Row>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            row::columns!(),
            " FROM jobs AS j WHERE j.state = 'waiting' AND j.turn IS NOT NULL AND j.kind = ? \
             ORDER BY j.priority, j.turn, j.key LIMIT ?"
        ))
        .bind(kind.as_str())
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.connection)
        .await
        .or_store(OPERATION)?;
        rows.iter().map(|row| Row::read(row, OPERATION)).collect()
    }

    async fn take(&mut self, taken: &[(i64, i64, i64, &str)]) -> Result<()> {
        if taken.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE jobs SET state = 'running', fence = t.value ->> 1, due_at = t.value ->> 2, \
             worker = t.value ->> 3, started_at = ?2 FROM json_each(?1) AS t WHERE jobs.key = t.value ->> 0",
        )
        .bind(json(taken, OPERATION)?)
        .bind(self.now)
        .execute(&mut *self.connection)
        .await
        .or_store(OPERATION)?;
        Ok(())
    }

    async fn put_back_lost(&mut self, kind: &JobKind) -> Result<()> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            row::columns!(),
            " FROM jobs AS j WHERE j.state = 'running' AND j.kind = ? AND j.due_at <= ? \
             ORDER BY j.due_at, j.key"
        ))
        .bind(kind.as_str())
        .bind(self.now)
        .fetch_all(&mut *self.connection)
        .await
        .or_store(OPERATION)?;
        for row in &rows {
            let mut row = Row::read(row, OPERATION)?;
            row.job.lost = row.job.lost.saturating_add(1);
            if row.job.lost < MOST_LOST_LEASES {
                let expired = row.due_at.unwrap_or(self.now);
                self.wait_again(row, expired).await?;
                continue;
            }
            let failure = JobFailure::new(
                ErrorKind::Cancelled,
                "lease_lost",
                format!(
                    "{MOST_LOST_LEASES} workers have lost the job, the last was {}; see whether it crashes \
                     them, and put it into the queue again",
                    row.worker()
                ),
            );
            row.failure = row::failure(Some(&failure), OPERATION)?;
            self.finish(row, JobState::Dead, None).await?;
        }
        Ok(())
    }

    /// Those whose time has come are ready, in the order of their times.
    async fn ripen_delayed(&mut self, kind: &JobKind) -> Result<()> {
        for priority in Priority::ALL {
            let due: Vec<(i64, String, String)> = sqlx::query_as(
                "SELECT key, tenant, user FROM jobs WHERE state = 'waiting' AND turn IS NULL AND kind = ? \
                 AND priority = ? AND due_at <= ? ORDER BY due_at, key LIMIT ?",
            )
            .bind(kind.as_str())
            .bind(priority.rank())
            .bind(self.now)
            .bind(MOST_RIPE)
            .fetch_all(&mut *self.connection)
            .await
            .or_store(OPERATION)?;
            if due.is_empty() {
                continue;
            }
            let due: Vec<(i64, Owner)> =
                due.into_iter().map(|(key, tenant, user)| (key, Owner::new(tenant, user))).collect();
            let lane = (kind.clone(), priority);
            self.flush().await?;
            self.lanes.load(&mut *self.connection, &lane, due.iter().map(|(_, owner)| owner)).await?;
            let turns: Vec<_> = due.iter().map(|(key, owner)| (key, self.lanes.turn(&lane, owner))).collect();
            sqlx::query(
                "UPDATE jobs SET turn = t.value ->> 1 FROM json_each(?) AS t WHERE jobs.key = t.value ->> 0",
            )
            .bind(json(&turns, OPERATION)?)
            .execute(&mut *self.connection)
            .await
            .or_store(OPERATION)?;
        }
        Ok(())
    }
}

impl Agenda {
    /// When something is due, or runs out.
    fn next(&self) -> Option<i64> {
        [self.running, self.delayed].into_iter().flatten().min()
    }
}
