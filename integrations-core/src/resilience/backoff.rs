//! How does a policy of the crate `backoff` decide here?
//!
//! For hosts that have such policies already. That crate is not maintained any more (RUSTSEC-2025-0012,
//! and RUSTSEC-2024-0384 for its clock), so this stands behind the feature `backoff`, which is off by
//! default. New policies are better made of [`ExponentialRetry`](super::ExponentialRetry).

use std::fmt;
use std::time::Duration;

use ::backoff::backoff::Backoff;

use super::retry::{Attempt, RetryPolicy};

/// A policy of `backoff`, under the same law as every other: only what may be repeated is, the
/// provider's word is the least wait, and no wait outlives the deadline.
///
/// A `Backoff` changes from wait to wait, and a [`RetryPolicy`] does not: each decision makes a new one
/// and asks it as often as there were failed tries. So its own clock does not count: `max_elapsed_time`
/// has no effect, and the number of retries is limited here, to 3 by default. Randomness is its own.
///
/// ```
/// use backoff::ExponentialBackoff;
/// use integrations_core::resilience::backoff::BackoffPolicy;
///
/// let policy = BackoffPolicy::new(ExponentialBackoff::default).with_retries(5);
/// ```
pub struct BackoffPolicy<F> {
    make: F,
    retries: u32,
    longest_told: Duration,
}

impl<F> BackoffPolicy<F> {
    /// A policy that asks what this makes.
    pub fn new<B>(make: F) -> Self
    where
        F: Fn() -> B + Send + Sync + 'static,
        B: Backoff,
    {
        Self { make, retries: 3, longest_told: Duration::from_secs(3_600) }
    }

    /// How many tries follow the first: 3 by default.
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How long the provider may ask to wait before the call gives up instead: 1 h by default.
    pub fn with_longest_told(mut self, longest: Duration) -> Self {
        self.longest_told = longest;
        self
    }
}

impl<F> fmt::Debug for BackoffPolicy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackoffPolicy").field("retries", &self.retries).finish_non_exhaustive()
    }
}

impl<F, B> RetryPolicy for BackoffPolicy<F>
where
    F: Fn() -> B + Send + Sync + 'static,
    B: Backoff + 'static,
{
    fn decide(&self, failure: &Attempt<'_>) -> Option<Duration> {
        let told = failure.error.retry_after().unwrap_or_default();
        if !failure.may_repeat() || failure.number > self.retries || told > self.longest_told {
            return None;
        }
        let mut backoff = (self.make)();
        let mut wait = backoff.next_backoff()?;
        for _ in 1..failure.number {
            wait = backoff.next_backoff()?;
        }
        let spread = told.saturating_add(failure.part_of(told / 10));
        let wait = wait.max(if spread < failure.remaining { spread } else { told });
        (wait < failure.remaining).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use ::backoff::ExponentialBackoff;
    use ::backoff::backoff::{Constant, Stop};

    use super::*;
    use crate::error::{Error, ErrorKind};

    fn after(error: &Error) -> Attempt<'_> {
        Attempt {
            error,
            number: 1,
            idempotent: true,
            elapsed: Duration::ZERO,
            remaining: Duration::from_secs(1_000),
            jitter: 0.5,
        }
    }

    fn doubling() -> ExponentialBackoff {
        ExponentialBackoff {
            current_interval: Duration::from_secs(1),
            initial_interval: Duration::from_secs(1),
            multiplier: 2.0,
            randomization_factor: 0.0,
            ..ExponentialBackoff::default()
        }
    }

    #[test]
    fn it_waits_as_its_backoff_says_try_for_try() {
        let error = Error::from(ErrorKind::Network);
        let policy = BackoffPolicy::new(doubling);
        let wait = |number| policy.decide(&Attempt { number, ..after(&error) }).map(|wait| wait.as_secs());
        assert_eq!([1, 2, 3, 4].map(wait), [Some(1), Some(2), Some(4), None]);
        assert_eq!(BackoffPolicy::new(|| Stop {}).decide(&after(&error)), None);
    }

    #[test]
    fn the_same_law_holds() {
        let policy = BackoffPolicy::new(|| Constant::new(Duration::from_secs(2)));
        let told =
            |secs| Error::from(ErrorKind::ServiceUnavailable).with_retry_after(Duration::from_secs(secs));
        assert_eq!(policy.decide(&after(&told(100))), Some(Duration::from_secs(105)));
        assert_eq!(policy.decide(&after(&told(1))), Some(Duration::from_secs(2)));
        assert_eq!(policy.decide(&after(&told(1_000))), None);
        assert_eq!(policy.decide(&after(&told(3_601))), None);
        assert_eq!(policy.decide(&Attempt { idempotent: false, ..after(&told(1)) }), None);
        assert_eq!(policy.decide(&after(&Error::from(ErrorKind::NotFound))), None);
    }
}
