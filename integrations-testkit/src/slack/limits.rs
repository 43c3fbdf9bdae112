//! How often may a method be called?
//!
//! Slack counts each method by itself, for each workspace and app. Here a window slides: a call has a place
//! for a minute, and who finds no place is told when the oldest one is free.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::method::Method;

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// Which of Slack's limits a fake enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tiers {
    /// Those of an app that is in Slack's Marketplace or is a customer's own: 20 calls a minute in tier 2,
    /// 50 in tier 3, 100 in tier 4; `conversations.history` and `conversations.replies` are of tier 3.
    Standard,
    /// Those of an app that is sold outside the Marketplace: `conversations.history` and
    /// `conversations.replies` once a minute each, with at most 15 messages a page.
    Restricted,
}

impl Tiers {
    /// The most messages on a page of a history or a thread.
    pub(super) const fn messages(self) -> usize {
        match self {
            Self::Standard => usize::MAX,
            Self::Restricted => 15,
        }
    }

    const fn calls(self, tier: Tier) -> usize {
        match (self, tier) {
            (_, Tier::Two) => 20,
            (_, Tier::Three) | (Self::Standard, Tier::History) => 50,
            (_, Tier::Four) => 100,
            (Self::Restricted, Tier::History) => 1,
        }
    }
}

/// What Slack puts its methods in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Two,
    Three,
    Four,
    /// What reads messages: tier 3, or what is restricted.
    History,
}

/// Counts calls.
#[derive(Debug)]
pub(super) struct Meter {
    tiers: Option<Tiers>,
    state: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    windows: HashMap<(String, Method), VecDeque<DateTime<Utc>>>,
    answered: HashMap<&'static str, u64>,
    rate_limited: HashMap<&'static str, u64>,
}

impl Meter {
    pub(super) fn new(tiers: Option<Tiers>) -> Self {
        Self { tiers, state: Mutex::default() }
    }

    pub(super) const fn tiers(&self) -> Option<Tiers> {
        self.tiers
    }

    fn state(&self) -> MutexGuard<'_, Counts> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a call its place, or says in how many seconds there is one.
    pub(super) fn admit(&self, team: &str, method: Method, now: DateTime<Utc>) -> Result<(), u64> {
        let Some(tiers) = self.tiers else { return Ok(()) };
        let mut state = self.state();
        let window = state.windows.entry((team.to_owned(), method)).or_default();
        while window.front().is_some_and(|&call| call + MINUTE <= now) {
            window.pop_front();
        }
        match window.front() {
            Some(&oldest) if window.len() >= tiers.calls(method.row().tier) => {
                let wait = (oldest + MINUTE - now).num_milliseconds();
                Err(u64::try_from(wait).unwrap_or(0).div_ceil(1_000).max(1))
            }
            _ => {
                window.push_back(now);
                Ok(())
            }
        }
    }

    /// Counts an answer.
    pub(super) fn count(&self, operation: &'static str, status: u16) {
        let mut state = self.state();
        let counts = if status == 429 { &mut state.rate_limited } else { &mut state.answered };
        *counts.entry(operation).or_default() += 1;
    }

    pub(super) fn answered(&self, operation: &str) -> u64 {
        self.state().answered.get(operation).copied().unwrap_or(0)
    }

    pub(super) fn rate_limited(&self, operation: &str) -> u64 {
        self.state().rate_limited.get(operation).copied().unwrap_or(0)
    }

    /// Forgets the counts; the places that calls have taken stay taken.
    pub(super) fn reset(&self) {
        let mut state = self.state();
        state.answered.clear();
        state.rate_limited.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_772_355_600_000 + ms).unwrap()
    }

    #[test]
    fn a_place_is_free_a_minute_after_it_was_taken() {
        let meter = Meter::new(Some(Tiers::Standard));
        for call in 0..20 {
            assert_eq!(meter.admit("T1", Method::UsersList, at(call * 100)), Ok(()));
        }
        assert_eq!(meter.admit("T1", Method::UsersList, at(2_000)), Err(58));
        assert_eq!(meter.admit("T1", Method::UsersList, at(59_999)), Err(1));
        assert_eq!(meter.admit("T1", Method::UsersList, at(60_000)), Ok(()));
        assert_eq!(meter.admit("T1", Method::UsersList, at(60_000)), Err(1));
        assert_eq!(meter.admit("T1", Method::UsersList, at(60_100)), Ok(()));
    }

    #[test]
    fn methods_and_workspaces_are_counted_apart() {
        let meter = Meter::new(Some(Tiers::Restricted));
        let (history, replies) = (Method::ConversationsHistory, Method::ConversationsReplies);
        assert_eq!(meter.admit("T1", history, at(0)), Ok(()));
        assert_eq!(meter.admit("T1", history, at(1_500)), Err(59));
        assert_eq!(meter.admit("T1", replies, at(1_500)), Ok(()));
        assert_eq!(meter.admit("T2", history, at(1_500)), Ok(()));
        assert_eq!(Meter::new(None).admit("T1", history, at(0)), Ok(()));
    }
}
