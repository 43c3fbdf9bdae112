//! Whose turn is it?
//!
//! Start-time fair queueing, where each job counts the same: a job that becomes ready takes the turn after its user's
//! last, but none that is past. So who has many jobs spreads them over turns to come, and who comes anew is served in
//! the present one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use integrations_core::connection::Owner;

/// The ready jobs of a kind and priority.
#[derive(Default)]
pub(super) struct Lane {
    /// By turn, and within a turn by number: by the order in which they came.
    ready: BTreeSet<(u64, u128)>,
    /// The last turn of each user that may still be ahead of the present one.
    last: HashMap<Arc<Owner>, u64>,
    /// The highest turn that was given.
    highest: u64,
    /// The present turn. It never goes back, even if a job comes back that had its turn long ago: users whose last
    /// turn is past are forgotten, and could have their past turns again.
    present: u64,
    /// How many users may be remembered before those are forgotten.
    crowd: usize,
}

/// Below so many users, forgetting is not worth the while.
const CROWD: usize = 64;

impl Lane {
    /// Gives a user the next turn.
    pub(super) fn turn(&mut self, owner: &Arc<Owner>) -> u64 {
        let lowest = self.ready.first().map_or(self.highest + 1, |(turn, _)| *turn);
        self.present = self.present.max(lowest);
        let turn = self.last.get(owner).map_or(self.present, |last| self.present.max(last + 1));
        self.highest = self.highest.max(turn);
        self.last.insert(Arc::clone(owner), turn);
        if self.last.len() > self.crowd.max(CROWD) {
            self.last.retain(|_, last| *last >= self.present);
            self.crowd = 2 * self.last.len();
        }
        turn
    }

    pub(super) fn insert(&mut self, turn: u64, number: u128) {
        self.ready.insert((turn, number));
    }

    pub(super) fn remove(&mut self, turn: u64, number: u128) {
        self.ready.remove(&(turn, number));
    }

    /// Forgets the users when no job is left: all turns that were given are past.
    pub(super) fn forget_past(&mut self) {
        if self.ready.is_empty() {
            self.last.clear();
        }
    }

    /// The jobs, the one that comes first first.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u128> {
        self.ready.iter().map(|(_, number)| *number)
    }

    pub(super) fn len(&self) -> usize {
        self.ready.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(lane: &mut Lane, owner: &str, number: u128) {
        let turn = lane.turn(&Arc::new(owner.into()));
        lane.insert(turn, number);
    }

    fn take(lane: &mut Lane) -> u128 {
        let (turn, number) = *lane.ready.first().unwrap();
        lane.remove(turn, number);
        number
    }

    #[test]
    fn users_take_turns() {
        let mut lane = Lane::default();
        for number in 0..5 {
            put(&mut lane, "noisy", number);
        }
        assert_eq!([take(&mut lane), take(&mut lane)], [0, 1]);
        put(&mut lane, "quiet", 10);
        put(&mut lane, "quiet", 11);
        let order: Vec<u128> = (0..5).map(|_| take(&mut lane)).collect();
        assert_eq!(order, [2, 10, 3, 11, 4]);
    }

    #[test]
    fn users_whose_turn_is_past_are_forgotten() {
        let mut lane = Lane::default();
        put(&mut lane, "stays", 0);
        put(&mut lane, "stays", 1);
        for number in 2..10_000 {
            put(&mut lane, &format!("user {number}"), number);
            take(&mut lane);
            put(&mut lane, "stays", 10_000 + number);
            take(&mut lane);
        }
        assert!(lane.last.len() <= 2 * CROWD, "{} users", lane.last.len());
        while lane.len() > 0 {
            take(&mut lane);
        }
        lane.forget_past();
        assert_eq!(lane.last.len(), 0);
    }
}
