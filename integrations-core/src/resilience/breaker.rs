//! Is a provider worth a call at all?
//!
//! While most calls to a host fail, each further one costs a timeout here and load there. A
//! [`CircuitBreaker`] holds them back for a while, then lets one through to see. This file states what a
//! breaker is; [`RollingBreaker`](super::RollingBreaker) is the ready one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::clock::Clock;
use crate::connection::ServiceId;
use crate::error::{Error, ErrorKind, Result};

/// What fails together: one host of one service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BreakerKey {
    /// The service.
    pub service: ServiceId,
    /// The host, with the port if it is not the scheme's own.
    pub host: Arc<str>,
}

impl BreakerKey {
    /// The key of a call to this address.
    pub fn of(service: &ServiceId, url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.into(), |port| format!("{host}:{port}").into());
        Self { service: service.clone(), host }
    }
}

impl fmt::Display for BreakerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.service, self.host)
    }
}

/// What a call's end says about the provider's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Success,
    /// It does not.
    Failure,
    /// Nothing: the call was stopped, or it never reached the provider, or it was one too many.
    Ignored,
}

impl Outcome {
    /// What an answer says, or its absence.
    ///
    /// A failure is what is the provider's fault: no connection, no answer in time, a 5xx. An answer
    /// that refuses the call (4xx) shows a provider that works; one for the rate says nothing.
    pub fn of<T>(result: &Result<T>) -> Self {
        match result {
            Ok(_) => Self::Success,
            Err(error) => Self::of_error(error),
        }
    }

    /// What an error says.
    pub fn of_error(error: &Error) -> Self {
        let refused = error.status().is_some_and(|status| (400..500).contains(&status));
        match error.kind() {
            ErrorKind::Network | ErrorKind::Timeout | ErrorKind::ServiceUnavailable if !refused => {
                Self::Failure
            }
            ErrorKind::RateLimited
            | ErrorKind::CircuitOpen
            | ErrorKind::Cancelled
            | ErrorKind::Store
            | ErrorKind::Configuration => Self::Ignored,
            _ if error.status().is_some() => Self::Success,
            _ => Self::Ignored,
        }
    }
}

/// Whether calls go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls are held back.
    Open {
        /// Until when, in monotonic time.
        until: Duration,
    },
    /// One call at a time goes through, to see.
    HalfOpen,
}

impl BreakerState {
    /// The stable name for logs and metrics, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// A circuit went from one state to another. For the observer and the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerChange {
    /// The state before.
    pub from: BreakerState,
    /// The state now.
    pub to: BreakerState,
}

/// The leave for one call. Everyone who gets one gives it back with [`CircuitBreaker::record`]: a
/// [`BreakerPermit`] does that even for a call that is dropped.
#[derive(Debug)]
#[must_use]
pub struct Admission {
    /// Whether this call is the one that tries whether the provider works again.
    pub probe: bool,
    /// Which life of the circuit admitted it: the breaker's own count. What was admitted in an earlier
    /// life says nothing about this one.
    pub generation: u64,
    /// The change of state that came with it.
    pub change: Option<BreakerChange>,
}

/// Decides whether calls to a host go through. Time is passed in, as
/// [monotonic time](crate::clock::Clock::monotonic).
pub trait CircuitBreaker: fmt::Debug + Send + Sync + 'static {
    /// Asks whether a call may be made now. Use [`BreakerPermit::acquire`], which cannot be forgotten.
    ///
    /// # Errors
    /// [`ErrorKind::CircuitOpen`] with the time to wait as [`Error::retry_after`].
    fn admit(&self, key: &BreakerKey, now: Duration) -> Result<Admission>;

    /// Hears how an admitted call ended, and says whether that changed the state.
    fn record(
        &self,
        key: &BreakerKey,
        admission: Admission,
        outcome: Outcome,
        now: Duration,
    ) -> Option<BreakerChange>;

    /// Holds calls back until then, because the provider has said so ("503, `Retry-After`"). Never
    /// shortens a time that they are held back already.
    fn hold_open(&self, key: &BreakerKey, until: Duration, now: Duration) -> Option<BreakerChange>;

    /// The state, for health checks and metrics.
    fn state(&self, key: &BreakerKey, now: Duration) -> BreakerState;
}

/// One call's leave to go through. Dropped without a word, it counts as [`Outcome::Ignored`]: a call that
/// was cancelled leaves no probe behind.
#[derive(Debug)]
pub struct BreakerPermit {
    breaker: Arc<dyn CircuitBreaker>,
    clock: Arc<dyn Clock>,
    key: BreakerKey,
    admission: Option<Admission>,
}

impl BreakerPermit {
    /// Asks for leave.
    ///
    /// # Errors
    /// [`ErrorKind::CircuitOpen`], as [`CircuitBreaker::admit`].
    pub fn acquire(
        breaker: &Arc<dyn CircuitBreaker>,
        clock: &Arc<dyn Clock>,
        key: BreakerKey,
    ) -> Result<Self> {
        let admission = breaker.admit(&key, clock.monotonic())?;
        Ok(Self { breaker: Arc::clone(breaker), clock: Arc::clone(clock), key, admission: Some(admission) })
    }

    /// The circuit.
    pub fn key(&self) -> &BreakerKey {
        &self.key
    }

    /// The change of state that the leave came with: from open to half-open.
    pub fn change(&self) -> Option<BreakerChange> {
        self.admission.as_ref()?.change
    }

    /// Says how the call ended; the answer is the change of state that follows.
    pub fn finish(mut self, outcome: Outcome) -> Option<BreakerChange> {
        self.give_back(outcome)
    }

    fn give_back(&mut self, outcome: Outcome) -> Option<BreakerChange> {
        let admission = self.admission.take()?;
        self.breaker.record(&self.key, admission, outcome, self.clock.monotonic())
    }
}

impl Drop for BreakerPermit {
    fn drop(&mut self) {
        self.give_back(Outcome::Ignored);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_providers_own_failures_count() {
        use ErrorKind as Kind;
        let of = |kind: Kind, status| {
            let error = Error::from(kind);
            Outcome::of_error(&if status == 0 { error } else { error.with_status(status) })
        };
        for (kind, status, outcome) in [
            (Kind::Network, 0, Outcome::Failure),
            (Kind::Timeout, 0, Outcome::Failure),
            (Kind::Timeout, 504, Outcome::Failure),
            (Kind::ServiceUnavailable, 503, Outcome::Failure),
            (Kind::ServiceUnavailable, 200, Outcome::Failure),
            (Kind::Timeout, 408, Outcome::Success),
            (Kind::RateLimited, 429, Outcome::Ignored),
            (Kind::RateLimited, 503, Outcome::Ignored),
            (Kind::NotFound, 404, Outcome::Success),
            (Kind::TokenExpired, 401, Outcome::Success),
            (Kind::InsufficientPermissions, 403, Outcome::Success),
            (Kind::ReauthorizationRequired, 0, Outcome::Ignored),
            (Kind::Store, 0, Outcome::Ignored),
            (Kind::Cancelled, 0, Outcome::Ignored),
        ] {
            assert_eq!(of(kind, status), outcome, "{kind} {status}");
        }
    }

    #[test]
    fn a_key_tells_ports_apart() {
        let key = |url: &str| BreakerKey::of(&"s".into(), &Url::parse(url).unwrap()).to_string();
        assert_eq!(key("https://api.example/x?y"), "s at api.example");
        assert_eq!(key("http://127.0.0.1:4000/"), "s at 127.0.0.1:4000");
    }
}
