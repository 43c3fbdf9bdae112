//! How much has the application asked of the mailbox, and may it ask for more?
//!
//! Outlook's limits hold for each application and mailbox, and one fake has one of each. A part of a batch is
//! a request, and the batch itself is one that is under way.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::errors::Refusal;

/// The limits of a mailbox; what goes beyond them is answered with 429 and `Retry-After`.
///
/// ```
/// use std::time::Duration;
/// use integrations_testkit::msgraph::Throttling;
///
/// let strict = Throttling { concurrent: 1, ..Throttling::OUTLOOK };
/// assert_eq!((strict.requests, strict.window), (10_000, Duration::from_secs(600)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttling {
    /// How many requests are let through in any span of [`window`](Self::window).
    pub requests: usize,
    /// The span in which requests are counted.
    pub window: Duration,
    /// How many requests may be under way at once.
    pub concurrent: usize,
}

impl Throttling {
    /// What Outlook documents: 10,000 requests in 10 minutes, and 4 at once.
    pub const OUTLOOK: Self = Self { requests: 10_000, window: Duration::from_secs(600), concurrent: 4 };
}

/// Counts requests, and holds the application to its share of them.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Option<Throttling>,
    under_way: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the requests of the running window came, in milliseconds.
    recent: VecDeque<i64>,
    refused: u64,
    most: usize,
}

/// A request that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Meter {
    pub(super) fn new(limits: Option<Throttling>) -> Self {
        Self { limits, under_way: Arc::default(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request begin, or refuses it. A batch does not count for itself.
    pub(super) fn begin(&self, now: DateTime<Utc>, is_batch: bool) -> Result<UnderWay, Refusal> {
        let under_way = UnderWay(Arc::clone(&self.under_way));
        let count = self.under_way.fetch_add(1, Ordering::AcqRel) + 1;
        if self.limits.is_some_and(|limits| count > limits.concurrent) {
            self.state().refused += 1;
            return Err(Refusal::of(429, "ApplicationThrottled").retry_after(1));
        }
        let mut state = self.state();
        state.most = state.most.max(count);
        drop(state);
        if !is_batch {
            self.count(now)?;
        }
        Ok(under_way)
    }

    /// Counts a request that is part of another, or refuses it. A request that is refused is not counted.
    pub(super) fn count(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let Some(limits) = self.limits else { return Ok(()) };
        let now = now.timestamp_millis();
        let window = i64::try_from(limits.window.as_millis()).unwrap_or(i64::MAX);
        let mut state = self.state();
        while state.recent.pop_front_if(|then| *then <= now - window).is_some() {}
        if state.recent.len() < limits.requests {
            state.recent.push_back(now);
            return Ok(());
        }
        state.refused += 1;
        let wait = state.recent.front().map_or(window, |first| first + window - now);
        let seconds = u64::try_from(wait).unwrap_or(0).div_ceil(1_000).max(1);
        let text = "Application is over its request limit for this mailbox.";
        Err(Refusal::new(429, "ApplicationThrottled", text).retry_after(seconds))
    }

    /// How many requests were refused.
    pub(super) fn refused(&self) -> u64 {
        self.state().refused
    }

    /// How many requests were under way at once, at most.
    pub(super) fn most(&self) -> usize {
        self.state().most
    }

    /// Forgets what was counted; the running window stays as full as it is.
    pub(super) fn reset(&self) {
        let mut state = self.state();
        (state.refused, state.most) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_and_tells_when_there_is_room() {
        let limits = Throttling { requests: 2, window: Duration::from_secs(60), concurrent: 9 };
        let meter = Meter::new(Some(limits));
        let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap();
        assert!(meter.count(at(0)).is_ok() && meter.count(at(10)).is_ok());
        let refused = meter.count(at(20)).unwrap_err();
        let stamp = crate::msgraph::errors::Stamp {
            date: String::new(),
            request_id: String::new(),
            client_request_id: String::new(),
        };
        let reply = refused.reply(&stamp);
        let wait = reply.headers.iter().find(|(name, _)| name == "retry-after").unwrap();
        assert_eq!((reply.status, wait.1.to_str().unwrap()), (429, "40"));
        assert!(meter.count(at(60)).is_ok() && meter.count(at(61)).is_err());
        assert_eq!(meter.refused(), 2);
    }

    #[test]
    fn so_many_may_be_under_way() {
        let meter = Meter::new(Some(Throttling { concurrent: 2, ..Throttling::OUTLOOK }));
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let first = meter.begin(now, false).unwrap();
        let second = meter.begin(now, false).unwrap();
        assert_eq!(meter.begin(now, false).unwrap_err().status, 429);
        drop(first);
        assert!(meter.begin(now, false).is_ok());
        drop(second);
        assert_eq!((meter.refused(), meter.most()), (1, 2));
    }
}
