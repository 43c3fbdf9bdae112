//! Whose turn is it?
//!
//! Start-time fair queueing, where each job counts the same. A lane holds the ready jobs of a kind and priority. One
//! that becomes ready takes the turn after its user's last, but none that is past: so who has many jobs
//! spreads them over turns to come, and who comes anew is served in the present one.

use std::collections::{HashMap, HashSet};

use integrations_core::Result;
use integrations_core::connection::Owner;
use integrations_core::queue::{JobKind, Priority};
use sqlx::SqliteConnection;

use super::super::failure::OrStore;
use super::desk::OPERATION;
use super::row::json;

pub(super) type LaneId = (JobKind, Priority);

/// What was read of lanes, and is to be written.
#[derive(Default)]
pub(super) struct Lanes(HashMap<LaneId, Lane>);

struct Lane {
    /// Of the ready jobs.
    lowest: Option<i64>,
    /// The present turn. It never goes back, even if a job comes back that had its turn long ago: users whose
    /// last turn is past are forgotten, and could have their past turns again.
    present: i64,
    /// The highest turn that was given.
    highest: i64,
    /// The last turns of those users that were asked for; `None` when it is past.
    last: HashMap<Owner, Option<i64>>,
    changed: HashSet<Owner>,
    /// How many users have come who had no turn, or a past one.
    new: i64,
}

impl Lanes {
    pub(super) fn knows(&self, lane: &LaneId) -> bool {
        self.0.contains_key(lane)
    }

    /// Reads of a lane what giving turns to these users needs. Of a lane that is not known yet, all jobs must be
    /// in the table.
    pub(super) async fn load<'o>(
        &mut self,
        connection: &mut SqliteConnection,
        id: &LaneId,
        owners: impl IntoIterator<Item = &'o Owner>,
    ) -> Result<()> {
        if !self.knows(id) {
            let lane = read(connection, id).await?;
            self.0.insert(id.clone(), lane);
        }
        let Some(lane) = self.0.get_mut(id) else { return Ok(()) };
        let owners: HashSet<&Owner> =
            owners.into_iter().filter(|owner| !lane.last.contains_key(*owner)).collect();
        if owners.is_empty() {
            return Ok(());
        }
        let list: Vec<_> = owners.iter().map(|owner| (owner.tenant.as_str(), owner.user.as_str())).collect();
        let found: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT t.tenant, t.user, t.turn FROM json_each(?3) AS o CROSS JOIN job_turns AS t \
             ON t.kind = ?1 AND t.priority = ?2 AND t.tenant = o.value ->> 0 AND t.user = o.value ->> 1",
        )
        .bind(id.0.as_str())
        .bind(id.1.rank())
        .bind(json(&list, OPERATION)?)
        .fetch_all(connection)
        .await
        .or_store(OPERATION)?;
        lane.last.extend(owners.into_iter().map(|owner| (owner.clone(), None)));
        lane.last
            .extend(found.into_iter().map(|(tenant, user, turn)| (Owner::new(tenant, user), Some(turn))));
        Ok(())
    }

    /// Gives the next turn to a user, for a job that becomes ready. The lane and the user must be loaded.
    pub(super) fn turn(&mut self, id: &LaneId, owner: &Owner) -> Option<i64> {
        let lane = self.0.get_mut(id)?;
        lane.present = lane.present.max(lane.lowest.unwrap_or(lane.highest + 1));
        let last = lane.last.get(owner).copied().flatten();
        let turn = last.map_or(lane.present, |last| lane.present.max(last + 1));
        lane.highest = lane.highest.max(turn);
        lane.new += i64::from(last.is_none());
        lane.last.insert(owner.clone(), Some(turn));
        lane.changed.insert(owner.clone());
        lane.enter(turn);
        Some(turn)
    }

    /// A job comes back with the turn that it had.
    pub(super) fn comes_back(&mut self, id: &LaneId, turn: i64) {
        if let Some(lane) = self.0.get_mut(id) {
            lane.enter(turn);
        }
    }

    /// A job has left the lane: what is known of it is to be read anew. All must have been written.
    pub(super) fn forget(&mut self, id: &LaneId) {
        self.0.remove(id);
    }

    /// Writes what has changed.
    pub(super) async fn write(&mut self, connection: &mut SqliteConnection) -> Result<()> {
        let (mut lanes, mut turns, mut past) = (Vec::new(), Vec::new(), Vec::new());
        for (id, lane) in &mut self.0 {
            let (kind, priority) = id;
            let changed: Vec<Owner> = lane.changed.drain().collect();
            if changed.is_empty() {
                continue;
            }
            lanes.push((kind.as_str(), priority.rank(), lane.present, lane.highest));
            if lane.new > 0 {
                // More go than come.
                past.push((id, lane.present, 2 * std::mem::take(&mut lane.new)));
            }
            for owner in changed {
                let turn = lane.last.get(&owner).copied().flatten();
                turns.push((kind.as_str(), priority.rank(), owner.tenant, owner.user, turn));
            }
        }
        if lanes.is_empty() {
            return Ok(());
        }
        for (sql, list) in [
            (
                "INSERT INTO job_lanes (kind, priority, present, highest) \
                 SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true \
                 ON CONFLICT DO UPDATE SET present = excluded.present, highest = excluded.highest",
                json(&lanes, OPERATION)?,
            ),
            (
                "INSERT INTO job_turns (kind, priority, tenant, user, turn) SELECT value ->> 0, value ->> 1, \
                 value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true \
                 ON CONFLICT DO UPDATE SET turn = excluded.turn",
                json(&turns, OPERATION)?,
            ),
        ] {
            sqlx::query(sql).bind(list).execute(&mut *connection).await.or_store(OPERATION)?;
        }
        for (id, present, most) in past {
            prune(&mut *connection, id, present, most).await?;
        }
        Ok(())
    }
}

impl Lane {
    fn enter(&mut self, turn: i64) {
        self.lowest = Some(self.lowest.map_or(turn, |lowest| lowest.min(turn)));
    }
}

async fn read(connection: &mut SqliteConnection, id: &LaneId) -> Result<Lane> {
    let (lowest, present, highest): (Option<i64>, Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT turn FROM jobs WHERE state = 'waiting' AND turn IS NOT NULL AND kind = ?1 \
         AND priority = ?2 ORDER BY turn LIMIT 1), l.present, l.highest \
         FROM (SELECT 1) LEFT JOIN job_lanes AS l ON l.kind = ?1 AND l.priority = ?2",
    )
    .bind(id.0.as_str())
    .bind(id.1.rank())
    .fetch_one(connection)
    .await
    .or_store(OPERATION)?;
    Ok(Lane {
        lowest,
        present: present.unwrap_or_default(),
        highest: highest.unwrap_or_default(),
        last: HashMap::new(),
        changed: HashSet::new(),
        new: 0,
    })
}

/// Forgets some of the users whose turn is past.
async fn prune(connection: &mut SqliteConnection, id: &LaneId, present: i64, most: i64) -> Result<()> {
    sqlx::query(
        "DELETE FROM job_turns WHERE kind = ?1 AND priority = ?2 AND (tenant, user) IN (SELECT tenant, user \
         FROM job_turns WHERE kind = ?1 AND priority = ?2 AND turn < ?3 ORDER BY turn LIMIT ?4)",
    )
    .bind(id.0.as_str())
    .bind(id.1.rank())
    .bind(present)
    .bind(most)
    .execute(connection)
    .await
    .or_store(OPERATION)?;
    Ok(())
}
