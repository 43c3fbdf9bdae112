//! What becomes of a job that was leased?

use std::collections::{HashMap, HashSet};

use integrations_core::Result;
use integrations_core::queue::{Heartbeat, LeaseId, Outcome, Settlement};

use super::super::failure::{Answered, unwritable};
use super::super::{PostgresStore, micros};
use super::{again, number};

const SETTLE: &str = "queue.settle";
const EXTEND: &str = "queue.extend";

/// The columns of settlements; no lease stands there twice.
#[derive(Default)]
struct Columns {
    ids: Vec<i64>,
    fences: Vec<i64>,
    states: Vec<i32>,
    delays: Vec<i64>,
    failures: Vec<Option<String>>,
    progress: Vec<Option<String>>,
    repeats: Vec<Option<i64>>,
    payloads: Vec<Option<Vec<u8>>>,
}

impl PostgresStore {
    pub(super) async fn settle_jobs(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        let mut columns = Columns::default();
        // Of several settlements of one lease the first one counts.
        let mut firsts = HashMap::new();
        for (place, settlement) in settlements.iter().enumerate() {
            let Some(lease) = key(&settlement.lease) else { continue };
            if *firsts.entry(lease).or_insert(place) == place {
                columns.push(lease, settlement)?;
            }
        }
        if columns.ids.is_empty() {
            return Ok(vec![false; settlements.len()]);
        }
        self.check(SETTLE).await?;
        let held: Vec<i64> = again(|| async {
            let mut connection = self.any_connection(SETTLE).await?;
            sqlx::query_scalar("SELECT * FROM jobs_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
                .bind(self.now())
                .bind(&columns.ids)
                .bind(&columns.fences)
                .bind(&columns.states)
                .bind(&columns.delays)
                .bind(&columns.failures)
                .bind(&columns.progress)
                .bind(&columns.repeats)
                .bind(&columns.payloads)
                .bind(self.channel())
                .fetch_all(&mut *connection)
                .answered(SETTLE)
                .await
        })
        .await?;
        // By their fences: an older lease of the same job may stand in the same batch.
        let held: HashSet<i64> = held.into_iter().collect();
        let held_lease = |lease: (i64, i64), place| held.contains(&lease.1) && firsts[&lease] == place;
        Ok(settlements
            .iter()
            .enumerate()
            .map(|(place, one)| key(&one.lease).is_some_and(|lease| held_lease(lease, place)))
            .collect())
    }

    pub(super) async fn extend_leases(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        let mut signs = HashMap::with_capacity(heartbeats.len());
        for Heartbeat { lease, ttl, progress } in &heartbeats {
            if let Some(lease) = key(lease) {
                let progress = json(progress.as_ref(), "progress of a job", EXTEND)?;
                let (until, kept) = signs.entry(lease).or_insert((0, None));
                *until = micros(*ttl);
                *kept = progress.or(kept.take());
            }
        }
        let (leases, values): (Vec<_>, Vec<_>) = signs.into_iter().unzip();
        let (ids, fences): (Vec<i64>, Vec<i64>) = leases.into_iter().unzip();
        let (ttls, progress): (Vec<i64>, Vec<Option<String>>) = values.into_iter().unzip();
        self.check(EXTEND).await?;
        let kept: Vec<(i64, i64)> = again(|| async {
            let mut connection = self.any_connection(EXTEND).await?;
            sqlx::query_as(
                "UPDATE jobs AS j SET due_at = now_micros($1) + h.ttl, progress = coalesce(h.progress, j.progress) \
                 FROM unnest($2, $3, $4, $5) AS h (id, fence, ttl, progress) \
                 WHERE j.id = h.id AND j.fence = h.fence AND j.state = 2 RETURNING j.id, j.fence",
            )
            .bind(self.now())
            .bind(&ids)
            .bind(&fences)
            .bind(&ttls)
            .bind(&progress)
            .fetch_all(&mut *connection)
            .answered(EXTEND)
            .await
        })
        .await?;
        let kept: HashSet<(i64, i64)> = kept.into_iter().collect();
        let is_kept = |one: &Heartbeat| key(&one.lease).is_some_and(|lease| kept.contains(&lease));
        Ok(heartbeats.iter().map(is_kept).collect())
    }
}

impl Columns {
    fn push(&mut self, (id, fence): (i64, i64), settlement: &Settlement) -> Result<()> {
        let (state, delay) = match settlement.outcome {
            Outcome::Retry { after } => (0, micros(after)),
            Outcome::Release => (1, 0),
            Outcome::Done => (3, 0),
            Outcome::Dead => (4, 0),
        };
        self.failures.push(json(settlement.failure.as_ref(), "failure of a job", SETTLE)?);
        self.progress.push(json(settlement.progress.as_ref(), "progress of a job", SETTLE)?);
        self.ids.push(id);
        self.fences.push(fence);
        self.states.push(state);
        self.delays.push(delay);
        let repeat = settlement.repeat.as_ref();
        self.repeats.push(repeat.map(|repeat| micros(repeat.after)));
        let payload = repeat.and_then(|repeat| repeat.payload.as_ref());
        self.payloads.push(payload.map(|payload| payload.as_bytes().to_vec()));
        Ok(())
    }
}

fn json<T: serde::Serialize>(
    value: Option<&T>,
    what: &'static str,
    operation: &'static str,
) -> Result<Option<String>> {
    value.map(serde_json::to_string).transpose().map_err(|_| unwritable(what, operation))
}

/// The number and the fence of a lease; `None` for one that this queue cannot have given.
fn key(lease: &LeaseId) -> Option<(i64, i64)> {
    Some((number(&lease.job)?, i64::try_from(lease.fence.0).ok()?))
}
