//! How much may a caller ask for?
//!
//! GitHub has two kinds of limits. The primary one counts the calls of an hour that begins with the first;
//! a 304 costs nothing. Secondary ones look at how calls come: how many at once, and how many points in a
//! minute at one endpoint.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::user::UserKey;

const HOUR: i64 = 3_600;
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// The secondary limits that a fake enforces.
///
/// ```
/// use integrations_testkit::github::SecondaryLimits;
///
/// let documented = SecondaryLimits::default();
/// assert_eq!((documented.concurrent, documented.points_per_minute), (100, 900));
/// let strict = SecondaryLimits { concurrent: 2, ..documented };
/// # drop(strict);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondaryLimits {
    /// How many requests may wait for their answer at a time, over all endpoints.
    pub concurrent: usize,
    /// How many points one caller may use up at one endpoint in a minute; reading costs one.
    pub points_per_minute: u64,
    /// The same for GraphQL.
    pub graphql_points_per_minute: u64,
}

impl Default for SecondaryLimits {
    /// What GitHub documents.
    fn default() -> Self {
        Self { concurrent: 100, points_per_minute: 900, graphql_points_per_minute: 2_000 }
    }
}

/// Who is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Payer {
    /// All tokens of a user.
    User(UserKey),
    Installation(u64),
    Anonymous,
}

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Resource {
    Core,
    Search,
    GraphQl,
}

impl Resource {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Search => "search",
            Self::GraphQl => "graphql",
        }
    }
}

/// The primary limits, in units of an hour; those of search are of a minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Primary {
    pub(super) user: u64,
    pub(super) installation: u64,
    pub(super) graphql: u64,
}

impl Primary {
    const fn of(self, payer: Payer, resource: Resource) -> u64 {
        match (resource, payer) {
            (Resource::Search, Payer::Anonymous) => 10,
            (Resource::Search, _) => 30,
            (Resource::GraphQl, Payer::Anonymous) => 0,
            (Resource::GraphQl, _) => self.graphql,
            (Resource::Core, Payer::Anonymous) => 60,
            (Resource::Core, Payer::User(_)) => self.user,
            (Resource::Core, Payer::Installation(_)) => self.installation,
        }
    }
}

/// How a caller stands, as the headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) limit: u64,
    pub(super) used: u64,
    /// In seconds of the epoch.
    pub(super) reset: i64,
    pub(super) resource: Resource,
}

impl Standing {
    pub(super) const fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// Why a call is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exceeded {
    Primary,
    /// Of a secondary limit; in so many seconds it may be tried again.
    Secondary(u64),
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    used: u64,
    reset: i64,
}

/// What a caller used at an endpoint in the last minute.
type Window = VecDeque<(DateTime<Utc>, u64)>;

#[derive(Debug, Default)]
struct Counts {
    buckets: HashMap<(Payer, Resource), Bucket>,
    windows: HashMap<(Payer, &'static str), Window>,
    not_modified: HashMap<&'static str, u64>,
    rate_limited: HashMap<&'static str, u64>,
    units: u64,
    last_poll: Option<DateTime<Utc>>,
    early_polls: u64,
}

/// Counts calls.
#[derive(Debug)]
pub(super) struct Meter {
    primary: Primary,
    secondary: Option<SecondaryLimits>,
    in_flight: Arc<AtomicUsize>,
    counts: Mutex<Counts>,
}

/// One request that waits for its answer.
struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meter {
    pub(super) fn new(primary: Primary, secondary: Option<SecondaryLimits>) -> Self {
        Self { primary, secondary, in_flight: Arc::default(), counts: Mutex::default() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request came; it counts as one at the same time as others until this is dropped.
    pub(super) fn arrive(&self) -> Box<dyn Any + Send + Sync> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Box::new(InFlight(Arc::clone(&self.in_flight)))
    }

    fn bucket(counts: &mut Counts, payer: Payer, resource: Resource, now: DateTime<Utc>) -> &mut Bucket {
        let length = if resource == Resource::Search { 60 } else { HOUR };
        let fresh = Bucket { used: 0, reset: now.timestamp() + length };
        let bucket = counts.buckets.entry((payer, resource)).or_insert(fresh);
        if now.timestamp() >= bucket.reset {
            *bucket = fresh;
        }
        bucket
    }

    pub(super) fn standing(&self, payer: Payer, resource: Resource, now: DateTime<Utc>) -> Standing {
        let limit = self.primary.of(payer, resource);
        let Bucket { used, reset } = *Self::bucket(&mut self.counts(), payer, resource, now);
        Standing { limit, used, reset, resource }
    }

    /// Lets a call of an operation in, and takes its units; what it does not use in the end is given back.
    pub(super) fn admit(
        &self,
        payer: Payer,
        resource: Resource,
        operation: &'static str,
        units: u64,
        now: DateTime<Utc>,
    ) -> Result<(), Exceeded> {
        let mut counts = self.counts();
        let limit = self.primary.of(payer, resource);
        let bucket = Self::bucket(&mut counts, payer, resource, now);
        if units > 0 && bucket.used >= limit {
            return Err(Exceeded::Primary);
        }
        if let Some(secondary) = self.secondary {
            if self.in_flight.load(Ordering::Relaxed) > secondary.concurrent {
                return Err(Exceeded::Secondary(1));
            }
            let most = match resource {
                Resource::GraphQl => secondary.graphql_points_per_minute,
                _ => secondary.points_per_minute,
            };
            take_point(counts.windows.entry((payer, operation)).or_default(), most, now)?;
        }
        Self::bucket(&mut counts, payer, resource, now).used += units;
        counts.units += units;
        Ok(())
    }

    /// Takes more units than a call was let in with.
    pub(super) fn take(&self, payer: Payer, resource: Resource, units: u64, now: DateTime<Utc>) {
        let mut counts = self.counts();
        counts.units += units;
        Self::bucket(&mut counts, payer, resource, now).used += units;
    }

    /// Gives the units of a call back.
    pub(super) fn give_back(&self, payer: Payer, resource: Resource, units: u64, now: DateTime<Utc>) {
        let mut counts = self.counts();
        counts.units = counts.units.saturating_sub(units);
        let bucket = Self::bucket(&mut counts, payer, resource, now);
        bucket.used = bucket.used.saturating_sub(units);
    }

    /// Leaves a caller so many units of the hour.
    pub(super) fn leave(&self, payer: Payer, resource: Resource, remaining: u64, now: DateTime<Utc>) {
        let limit = self.primary.of(payer, resource);
        Self::bucket(&mut self.counts(), payer, resource, now).used = limit.saturating_sub(remaining);
    }

    /// Counts an answer.
    pub(super) fn answered(&self, operation: &'static str, status: u16, limited: bool) {
        let mut counts = self.counts();
        if status == 304 {
            *counts.not_modified.entry(operation).or_default() += 1;
        }
        if limited {
            *counts.rate_limited.entry(operation).or_default() += 1;
        }
    }

    /// Somebody looks for news, as often as he is told or too early.
    pub(super) fn polled(&self, interval: TimeDelta, now: DateTime<Utc>) {
        let mut counts = self.counts();
        let early = counts.last_poll.is_some_and(|last| now < last + interval);
        counts.early_polls += u64::from(early);
        counts.last_poll = Some(now);
    }

    pub(super) fn not_modified(&self, operation: &str) -> u64 {
        self.counts().not_modified.get(operation).copied().unwrap_or(0)
    }

    pub(super) fn rate_limited(&self, operation: &str) -> u64 {
        self.counts().rate_limited.get(operation).copied().unwrap_or(0)
    }

    pub(super) fn units(&self) -> u64 {
        self.counts().units
    }

    pub(super) fn early_polls(&self) -> u64 {
        self.counts().early_polls
    }

    /// Forgets the counters; what was used of a limit stays used.
    pub(super) fn reset(&self) {
        let mut counts = self.counts();
        counts.not_modified.clear();
        counts.rate_limited.clear();
        counts.units = 0;
        counts.early_polls = 0;
    }
}

/// Takes a point of a minute, or says in how many seconds there is one.
fn take_point(window: &mut Window, most: u64, now: DateTime<Utc>) -> Result<(), Exceeded> {
    while window.front().is_some_and(|&(at, _)| at + MINUTE <= now) {
        window.pop_front();
    }
    let used: u64 = window.iter().map(|(_, points)| points).sum();
    match window.front() {
        Some(&(oldest, _)) if used >= most => {
            let wait = u64::try_from((oldest + MINUTE - now).num_milliseconds()).unwrap_or(0);
            Err(Exceeded::Secondary(wait.div_ceil(1_000).max(1)))
        }
        _ => {
            match window.back_mut() {
                Some((at, points)) if *at == now => *points += 1,
                _ => window.push_back((now, 1)),
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: Primary = Primary { user: 3, installation: 5, graphql: 10 };

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_772_355_600_000 + ms).unwrap()
    }

    fn call(meter: &Meter, payer: Payer, ms: i64) -> Result<(), Exceeded> {
        meter.admit(payer, Resource::Core, "issues.get", 1, at(ms))
    }

    #[test]
    fn an_hour_begins_with_the_first_call_and_ends_for_all_at_once() {
        let meter = Meter::new(PRIMARY, None);
        let payer = Payer::Installation(7);
        for ms in [0, 1_000, 3_599_000, 3_599_999, 3_599_999] {
            assert_eq!(call(&meter, payer, ms), Ok(()));
        }
        let standing = meter.standing(payer, Resource::Core, at(3_599_999));
        assert_eq!((standing.remaining(), standing.reset), (0, at(3_600_000).timestamp()));
        assert_eq!(call(&meter, payer, 3_599_999), Err(Exceeded::Primary));
        assert_eq!(call(&meter, Payer::Anonymous, 3_599_999), Ok(()));
        assert_eq!(call(&meter, payer, 3_600_000), Ok(()));
        meter.give_back(payer, Resource::Core, 1, at(3_600_000));
        assert_eq!(meter.standing(payer, Resource::Core, at(3_600_000)).used, 0);
        assert_eq!(meter.units(), 6);
    }

    #[test]
    fn points_come_back_a_minute_after_they_were_taken() {
        let secondary = SecondaryLimits { points_per_minute: 2, ..SecondaryLimits::default() };
        let meter = Meter::new(Primary { user: 100, ..PRIMARY }, Some(secondary));
        let payer = Payer::Installation(1);
        assert_eq!(call(&meter, payer, 0), Ok(()));
        assert_eq!(call(&meter, payer, 1_500), Ok(()));
        assert_eq!(call(&meter, payer, 2_000), Err(Exceeded::Secondary(58)));
        assert_eq!(call(&meter, Payer::Installation(2), 2_000), Ok(()));
        assert_eq!(call(&meter, payer, 60_000), Ok(()));
        assert_eq!(call(&meter, payer, 60_000), Err(Exceeded::Secondary(2)));
        let units = meter.units();
        assert_eq!(units, 4, "what is refused costs nothing");
    }

    #[test]
    fn a_request_is_one_of_many_until_its_answer_is_out() {
        let secondary = SecondaryLimits { concurrent: 1, ..SecondaryLimits::default() };
        let meter = Meter::new(PRIMARY, Some(secondary));
        let first = meter.arrive();
        assert_eq!(call(&meter, Payer::Installation(1), 0), Ok(()));
        let second = meter.arrive();
        assert_eq!(call(&meter, Payer::Installation(1), 0), Err(Exceeded::Secondary(1)));
        drop(first);
        assert_eq!(call(&meter, Payer::Installation(1), 0), Ok(()));
        drop(second);
    }
}
