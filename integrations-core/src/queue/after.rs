//! What follows a job that has failed?

use std::time::Duration;

use super::store::Outcome;
use crate::error::{Disposition, Error, ErrorKind};

/// How jobs of a kind are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRetries {
    /// How many tries follow the first; 3 by default.
    pub retries: u32,
    /// How long to wait before the first of them; 2 s by default. Each further wait is twice as long.
    pub base: Duration,
    /// The longest wait that is not a provider's wish; 10 min by default.
    pub longest: Duration,
}

impl Default for JobRetries {
    fn default() -> Self {
        Self { retries: 3, base: Duration::from_secs(2), longest: Duration::from_secs(600) }
    }
}

impl JobRetries {
    /// So many tries after the first.
    pub fn new(retries: u32) -> Self {
        Self { retries, ..Self::default() }
    }

    /// Waits so long before the first of them.
    pub fn with_base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// How long to wait before the next try after so many failures, without a provider's wish; `spread` is uniform
    /// in `[0, 1)` and makes it up to a quarter longer.
    pub fn wait(&self, failures: u32, spread: f64) -> Duration {
        let wait = self.base.saturating_mul(2_u32.saturating_pow(failures.min(31))).min(self.longest);
        wait + wait.mul_f64(0.25 * spread.clamp(0.0, 1.0))
    }
}

/// What follows a failure, by what the error says is to be done:
///
/// | [`Disposition`] | what follows |
/// |---|---|
/// | `Retry`, `Refresh`, `Resync` | another try, not before the provider's own time |
/// | `Fix` of the host's storage | another try |
/// | `Fix`, `Reauthorize`, `GiveUp` | a dead letter |
/// | `GiveUp` of what was stopped | the job is handed back |
///
/// `failures` counts those before this one. When no try is left, it is a dead letter.
pub fn after(error: &Error, failures: u32, retries: JobRetries, spread: f64) -> Outcome {
    let told = match (error.disposition(), error.kind()) {
        (_, ErrorKind::Cancelled) => return Outcome::Release,
        (Disposition::Retry { after }, _) => after.unwrap_or_default(),
        (Disposition::Refresh | Disposition::Resync, _) | (_, ErrorKind::Store) => Duration::ZERO,
        (Disposition::Fix | Disposition::Reauthorize | Disposition::GiveUp, _) => return Outcome::Dead,
    };
    if failures >= retries.retries {
        return Outcome::Dead;
    }
    let spread_told = told + told.mul_f64(0.1 * spread.clamp(0.0, 1.0));
    Outcome::Retry { after: retries.wait(failures, spread).max(spread_told) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(error: &Error, failures: u32) -> Option<u64> {
        match after(error, failures, JobRetries::default(), 0.0) {
            Outcome::Retry { after } => Some(after.as_secs()),
            Outcome::Dead => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_more_tries_each_after_twice_the_wait() {
        let error = Error::from(ErrorKind::Network);
        assert_eq!([0, 1, 2, 3].map(|failures| seconds(&error, failures)), [Some(2), Some(4), Some(8), None]);
        let patient = JobRetries::new(40);
        assert_eq!(patient.wait(35, 0.0), Duration::from_secs(600));
        assert_eq!(patient.wait(0, 1.0), Duration::from_millis(2_500));
    }

    #[test]
    fn the_provider_is_not_called_before_its_own_time() {
        let told = Error::from(ErrorKind::RateLimited).with_retry_after(Duration::from_secs(1_000));
        assert_eq!(seconds(&told, 0), Some(1_000));
        assert_eq!(seconds(&told, 3), None);
        let soon = Error::from(ErrorKind::RateLimited).with_retry_after(Duration::from_secs(1));
        assert_eq!(seconds(&soon, 2), Some(8));
        let Outcome::Retry { after } = after(&told, 0, JobRetries::default(), 0.999) else { panic!() };
        assert!(after >= Duration::from_secs(1_000) && after < Duration::from_secs(1_101));
    }

    #[test]
    fn every_kind_has_its_answer() {
        for kind in ErrorKind::ALL {
            let outcome = after(&Error::from(*kind), 0, JobRetries::default(), 0.0);
            let expected = match kind {
                ErrorKind::Cancelled => "release",
                ErrorKind::RateLimited
                | ErrorKind::Network
                | ErrorKind::ServiceUnavailable
                | ErrorKind::Timeout
                | ErrorKind::TokenExpired
                | ErrorKind::Conflict
                | ErrorKind::CursorExpired
                | ErrorKind::CircuitOpen
                | ErrorKind::Store => "retry",
                _ => "dead",
            };
            let found = match outcome {
                Outcome::Release => "release",
                Outcome::Retry { .. } => "retry",
                Outcome::Dead => "dead",
                Outcome::Done => "done",
            };
            assert_eq!(found, expected, "{kind}");
        }
    }
}
