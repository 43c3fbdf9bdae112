//! Is a failed call worth another try, and when?
//!
//! A [`RetryPolicy`] proposes; [`Attempt::ask`] holds every policy, the host's own too, to the law: what
//! is not idempotent is sent again only if the provider surely did not process it, nothing is sent
//! earlier than the provider asked, and no wait outlives the call's deadline.

use std::fmt;
use std::time::Duration;

use crate::error::{Disposition, Error};

/// A try that failed, and what is known about its call.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Why it failed.
    pub error: &'a Error,
    /// How many tries were made so far, this one included: 1 after the first.
    pub number: u32,
    /// Whether sending the request twice does the same as sending it once.
    pub idempotent: bool,
    /// The time since the call began.
    pub elapsed: Duration,
    /// The time until the call's deadline.
    pub remaining: Duration,
    /// The caller's randomness: uniform in `[0, 1)`, drawn anew for every attempt.
    pub jitter: f64,
}

impl Attempt<'_> {
    /// Whether the same request may be sent again at all: the failure passes by itself, and a second
    /// sending does no harm.
    pub fn may_repeat(&self) -> bool {
        matches!(self.error.disposition(), Disposition::Retry { .. })
            && (self.idempotent || self.error.not_processed())
    }

    /// Asks a policy, and holds it to the law: how long to wait before the next try, or `None` to give
    /// up. The wait is never less than [`Error::retry_after`] and always ends before the deadline.
    pub fn ask(&self, policy: &dyn RetryPolicy) -> Option<Duration> {
        if !self.may_repeat() {
            return None;
        }
        let wait = policy.decide(self)?.max(self.error.retry_after().unwrap_or_default());
        (wait < self.remaining).then_some(wait)
    }

    /// The share of `time` that the jitter picks: uniform from nothing to all of it.
    pub(super) fn part_of(&self, time: Duration) -> Duration {
        let jitter = if self.jitter.is_finite() { self.jitter.clamp(0.0, 1.0) } else { 0.5 };
        Duration::try_from_secs_f64(time.as_secs_f64() * jitter).map_or(time, |part| part.min(time))
    }
}

/// Decides on the next try after a failed one. It decides only: the caller waits.
///
/// Ask it through [`Attempt::ask`].
pub trait RetryPolicy: fmt::Debug + Send + Sync + 'static {
    /// How long to wait before the next try; `None` to give up.
    fn decide(&self, failure: &Attempt<'_>) -> Option<Duration>;
}

/// Waits twice as long from try to try, each time a random part of it (full jitter), unless the
/// provider says how long.
///
/// By default: 3 retries; the first within 2 s, then 4 s, then 8 s, never more than 64 s. The provider's
/// word replaces that; up to 10 % is added, so that not everybody comes back at the same moment. A wait of
/// more than an hour is not waited for: the error goes up, and what is behind it may come back later.
///
/// ```
/// use std::time::Duration;
/// use integrations_core::resilience::{Attempt, ExponentialRetry};
/// use integrations_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::RateLimited, "").with_retry_after(Duration::from_secs(10));
/// let mut failure = Attempt {
///     error: &error,
///     number: 1,
///     idempotent: false,
///     elapsed: Duration::from_secs(1),
///     remaining: Duration::from_secs(29),
///     jitter: 0.5,
/// };
/// let policy = ExponentialRetry::default();
/// assert_eq!(failure.ask(&policy), Some(Duration::from_millis(10_500)));
/// failure.number = 4;
/// assert_eq!(failure.ask(&policy), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialRetry {
    retries: u32,
    base: Duration,
    factor: f64,
    cap: Duration,
    longest_told: Duration,
}

impl Default for ExponentialRetry {
    fn default() -> Self {
        Self {
            retries: 3,
            base: Duration::from_secs(2),
            factor: 2.0,
            cap: Duration::from_secs(64),
            longest_told: Duration::from_secs(3_600),
        }
    }
}

impl ExponentialRetry {
    /// How much is added to the provider's own word, at most: a tenth of it.
    const SPREAD: u32 = 10;

    /// The default policy.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many tries follow the first: 3 by default.
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The longest wait before the first retry: 2 s by default.
    pub fn with_base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// By what the longest wait grows from retry to retry: 2 by default; less than 1 counts as 1.
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.factor = factor.max(1.0);
        self
    }

    /// What the computed wait never exceeds: 64 s by default.
    pub fn with_cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// How long the provider may ask to wait before the call gives up instead: 1 h by default, fit for
    /// calls that somebody waits for.
    pub fn with_longest_told(mut self, longest: Duration) -> Self {
        self.longest_told = longest;
        self
    }

    fn computed(&self, failure: &Attempt<'_>) -> Duration {
        let power = i32::try_from(failure.number.saturating_sub(1)).unwrap_or(i32::MAX);
        let longest = Duration::try_from_secs_f64(self.base.as_secs_f64() * self.factor.powi(power))
            .map_or(self.cap, |longest| longest.min(self.cap));
        failure.part_of(longest)
    }

    fn told(&self, told: Duration, failure: &Attempt<'_>) -> Option<Duration> {
        if told > self.longest_told {
            return None;
        }
        let spread = told.saturating_add(failure.part_of(told / Self::SPREAD));
        // The spread is ours to give up; the provider's word is not.
        Some(if spread < failure.remaining { spread } else { told })
    }
}

impl RetryPolicy for ExponentialRetry {
    fn decide(&self, failure: &Attempt<'_>) -> Option<Duration> {
        if !failure.may_repeat() || failure.number > self.retries {
            return None;
        }
        let wait = match failure.error.retry_after() {
            // "Now", or a date that has passed, is no leave to hurry.
            None | Some(Duration::ZERO) => self.computed(failure),
            Some(told) => self.told(told, failure)?,
        };
        (wait < failure.remaining).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn after(error: &Error) -> Attempt<'_> {
        Attempt {
            error,
            number: 1,
            idempotent: true,
            elapsed: Duration::ZERO,
            remaining: Duration::from_secs(100_000),
            jitter: 0.5,
        }
    }

    fn secs(wait: Option<Duration>) -> Option<u64> {
        wait.inspect(|wait| assert_eq!(wait.subsec_nanos(), 0)).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_wait_doubles_up_to_the_cap_and_the_tries_end() {
        let error = Error::from(ErrorKind::ServiceUnavailable);
        let policy = ExponentialRetry::default().with_retries(u32::MAX);
        let wait = |number| secs(policy.decide(&Attempt { number, ..after(&error) }));
        assert_eq!([1, 2, 3, 6, 7, 1_000, u32::MAX].map(wait), [1, 2, 4, 32, 32, 32, 32].map(Some));
        let policy = ExponentialRetry::default();
        assert!(policy.decide(&Attempt { number: 3, ..after(&error) }).is_some());
        assert_eq!(policy.decide(&Attempt { number: 4, ..after(&error) }), None);
    }

    #[test]
    fn jitter_is_full_and_no_number_of_the_callers_breaks_it() {
        let error = Error::from(ErrorKind::Timeout);
        let wait = |jitter| secs(ExponentialRetry::new().decide(&Attempt { jitter, ..after(&error) }));
        assert_eq!([0.0, -1.0, 1.0, 7.0, f64::NAN].map(wait), [0, 0, 2, 2, 1].map(Some));
    }

    #[test]
    fn the_providers_word_wins_up_to_the_cap_and_the_deadline() {
        let wait = |told, remaining| {
            let error = Error::from(ErrorKind::RateLimited).with_retry_after(Duration::from_secs(told));
            let remaining = Duration::from_secs(remaining);
            secs(Attempt { remaining, ..after(&error) }.ask(&ExponentialRetry::default()))
        };
        assert_eq!(wait(100, 1_000), Some(105));
        assert_eq!(wait(100, 104), Some(100), "the spread gives way to the deadline");
        assert_eq!(wait(100, 100), None, "nothing would be left for the call");
        assert_eq!(wait(3_600, 10_000), Some(3_780));
        assert_eq!(wait(3_601, 10_000), None);
        assert_eq!(wait(u64::MAX, u64::MAX), None);
        assert_eq!(wait(0, 1_000), Some(1), "no hurry even where the provider allows it");
    }

    #[test]
    fn what_may_have_been_processed_is_not_sent_twice() {
        let wait = |error: Error| {
            Attempt { idempotent: false, ..after(&error) }.ask(&ExponentialRetry::default()).is_some()
        };
        assert!(!wait(ErrorKind::Timeout.into()));
        assert!(!wait(ErrorKind::Network.into()));
        assert!(!wait(Error::from(ErrorKind::ServiceUnavailable).with_retry_after(Duration::from_secs(1))));
        assert!(wait(ErrorKind::RateLimited.into()));
        assert!(wait(Error::from(ErrorKind::Network).with_code("not_connected")));
        assert!(wait(Error::from(ErrorKind::ServiceUnavailable).with_not_processed()));
    }

    #[test]
    fn only_what_passes_by_itself_is_retried() {
        for kind in [ErrorKind::TokenExpired, ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::Store] {
            let error = Error::from(kind).with_not_processed();
            assert_eq!(ExponentialRetry::default().decide(&after(&error)), None, "{kind}");
        }
    }

    #[test]
    fn a_hosts_policy_is_held_to_the_law() {
        #[derive(Debug)]
        struct Hasty;
        impl RetryPolicy for Hasty {
            fn decide(&self, _: &Attempt<'_>) -> Option<Duration> {
                Some(Duration::ZERO)
            }
        }
        let told = Error::from(ErrorKind::ServiceUnavailable).with_retry_after(Duration::from_secs(9));
        assert_eq!(secs(after(&told).ask(&Hasty)), Some(9));
        assert_eq!(Attempt { idempotent: false, ..after(&told) }.ask(&Hasty), None);
        assert_eq!(Attempt { remaining: Duration::from_secs(9), ..after(&told) }.ask(&Hasty), None);
        assert_eq!(after(&Error::from(ErrorKind::NotFound)).ask(&Hasty), None);
    }
}
