//! How often may an account call?
//!
//! Zoom labels its operations, and counts the calls of a label in a second and in a day (UTC), for the whole
//! account. Here a window of a second slides.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// What the account pays for, which says how often it may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// 4 light calls and 2 medium ones a second; 6,000 and 2,000 a day.
    Free,
    /// 30 light calls and 20 medium ones a second.
    Pro,
    /// 80 light calls and 60 medium ones a second.
    Business,
}

/// Zoom's labels; operations with the other two this fake does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Category {
    Light,
    Medium,
}

impl Category {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Light => "Light",
            Self::Medium => "Medium",
        }
    }
}

impl Plan {
    /// The calls of a second, and of a day where they are counted.
    const fn calls(self, category: Category) -> (usize, Option<usize>) {
        match (self, category) {
            (Self::Free, Category::Light) => (4, Some(6_000)),
            (Self::Free, Category::Medium) => (2, Some(2_000)),
            (Self::Pro, Category::Light) => (30, None),
            (Self::Pro, Category::Medium) => (20, None),
            (Self::Business, Category::Light) => (80, None),
            (Self::Business, Category::Medium) => (60, None),
        }
    }
}

/// How the account stands after a call, as the headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) category: Category,
    pub(super) daily: bool,
    pub(super) limit: usize,
    pub(super) remaining: usize,
    /// When there is a place, of a call that found none.
    pub(super) refused_until: Option<DateTime<Utc>>,
}

/// Counts calls.
#[derive(Debug)]
pub(super) struct Meter {
    plan: Option<Plan>,
    state: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    windows: HashMap<Category, VecDeque<DateTime<Utc>>>,
    days: HashMap<Category, (NaiveDate, usize)>,
    answered: HashMap<&'static str, u64>,
    rate_limited: HashMap<&'static str, u64>,
}

impl Meter {
    pub(super) fn new(plan: Option<Plan>) -> Self {
        Self { plan, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, Counts> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a call its place, if there is one. `None`: nothing is counted.
    pub(super) fn admit(&self, category: Category, now: DateTime<Utc>) -> Option<Standing> {
        let (per_second, per_day) = self.plan?.calls(category);
        let mut state = self.state();
        let (day, used) = state.days.entry(category).or_insert((now.date_naive(), 0));
        if *day != now.date_naive() {
            (*day, *used) = (now.date_naive(), 0);
        }
        let used = *used;
        if let Some(limit) = per_day.filter(|limit| used >= *limit) {
            let midnight = now.date_naive().checked_add_days(Days::new(1)).unwrap_or(now.date_naive());
            let until = Some(midnight.and_time(NaiveTime::MIN).and_utc());
            return Some(Standing { category, daily: true, limit, remaining: 0, refused_until: until });
        }
        let window = state.windows.entry(category).or_default();
        while window.front().is_some_and(|&call| call + SECOND <= now) {
            window.pop_front();
        }
        if window.len() >= per_second {
            let until = window.front().map(|&oldest| oldest + SECOND);
            return Some(Standing {
                category,
                daily: false,
                limit: per_second,
                remaining: 0,
                refused_until: until,
            });
        }
        window.push_back(now);
        let remaining = per_second - window.len();
        if let Some((_, used)) = state.days.get_mut(&category) {
            *used += 1;
        }
        Some(Standing { category, daily: false, limit: per_second, remaining, refused_until: None })
    }

    /// Leaves so many calls of the day, where they are counted.
    pub(super) fn leave(&self, remaining: usize, now: DateTime<Utc>) {
        let Some(plan) = self.plan else { return };
        for category in [Category::Light, Category::Medium] {
            if let (_, Some(limit)) = plan.calls(category) {
                self.state().days.insert(category, (now.date_naive(), limit.saturating_sub(remaining)));
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

    fn admitted(meter: &Meter, category: Category, ms: i64) -> bool {
        meter.admit(category, at(ms)).unwrap().refused_until.is_none()
    }

    #[test]
    fn labels_are_counted_apart_in_a_second_that_slides() {
        let meter = Meter::new(Some(Plan::Free));
        assert!(admitted(&meter, Category::Medium, 0) && admitted(&meter, Category::Medium, 400));
        let refused = meter.admit(Category::Medium, at(500)).unwrap();
        assert_eq!((refused.refused_until, refused.daily, refused.limit), (Some(at(1_000)), false, 2));
        assert!(admitted(&meter, Category::Light, 500));
        assert!(admitted(&meter, Category::Medium, 1_000));
        assert!(!admitted(&meter, Category::Medium, 1_000));
        assert!(Meter::new(None).admit(Category::Medium, at(0)).is_none());
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let meter = Meter::new(Some(Plan::Free));
        meter.leave(1, at(0));
        assert!(admitted(&meter, Category::Light, 0));
        let refused = meter.admit(Category::Light, at(5_000)).unwrap();
        let midnight = "2026-03-02T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!((refused.daily, refused.refused_until), (true, Some(midnight)));
        assert!(meter.admit(Category::Light, midnight).unwrap().refused_until.is_none());
    }
}
