//! What time is it in the story?

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::clock::{Clock, SystemClock};

/// A clock that jumps to where the story is, and goes on from there as the machine's does. While something
/// is told it stands still, so that what is told again has the same times.
#[derive(Debug, Clone)]
pub(super) struct StoryClock {
    machine: SystemClock,
    hand: Arc<Mutex<Hand>>,
}

/// It was this time when the machine's clock showed that; or it is this time until further notice.
#[derive(Debug, Clone, Copy)]
struct Hand {
    at: DateTime<Utc>,
    since: Option<Duration>,
}

impl StoryClock {
    pub(super) fn standing_at(at: DateTime<Utc>) -> Self {
        Self { machine: SystemClock::new(), hand: Arc::new(Mutex::new(Hand { at, since: None })) }
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stand_at(&self, at: DateTime<Utc>) {
        *self.hand() = Hand { at, since: None };
    }

    pub(super) fn go_on(&self) {
        self.hand().since = Some(self.machine.monotonic());
    }
}

#[async_trait]
impl Clock for StoryClock {
    fn now(&self) -> DateTime<Utc> {
        let Hand { at, since } = *self.hand();
        let gone = since.map(|since| self.machine.monotonic().saturating_sub(since)).unwrap_or_default();
        at + TimeDelta::from_std(gone).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        self.machine.sleep(duration).await;
    }
}
