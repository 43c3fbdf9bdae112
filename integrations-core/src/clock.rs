//! Where does the time come from?
//!
//! Every wait and every expiry in the family asks a [`Clock`]. Hosts run on [`SystemClock`]; tests run
//! on [`ManualClock`], which stands still until it is told to move, so no test ever sleeps. This file
//! is the only one that reads the machine's clock, and the `disallowed_methods` lint keeps it so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// The only source of time.
///
/// # Cancel safety
/// Dropping the future of [`sleep`](Clock::sleep) ends the wait and leaves nothing behind.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall-clock time now, in UTC. It may jump, in either direction.
    fn now(&self) -> DateTime<Utc>;

    /// The time since an arbitrary start that lies in the past. It never runs backwards.
    fn monotonic(&self) -> Duration;

    /// Waits until `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// A shared clock, ready for the builders.
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
#[allow(clippy::disallowed_methods, reason = "this is the clock")]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock that moves only when it is told to. For tests and simulations.
///
/// Clones share the same time.
///
/// ```
/// use std::time::Duration;
/// use integrations_core::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::at("2026-03-01T09:00:00Z");
/// let before = clock.now();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!((clock.now() - before).num_seconds(), 90);
/// ```
#[derive(Clone)]
pub struct ManualClock {
    time: Arc<watch::Sender<ManualTime>>,
}

#[derive(Debug, Clone, Copy)]
struct ManualTime {
    wall: DateTime<Utc>,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock that stands at the given time.
    pub fn new(now: DateTime<Utc>) -> Self {
        let time = ManualTime { wall: now, monotonic: Duration::from_secs(1_000) };
        Self { time: Arc::new(watch::Sender::new(time)) }
    }

    /// A clock that stands at an RFC 3339 time.
    ///
    /// # Panics
    /// When the text is not an RFC 3339 time.
    pub fn at(rfc3339: &str) -> Self {
        match DateTime::parse_from_rfc3339(rfc3339) {
            Ok(time) => Self::new(time.to_utc()),
            Err(error) => panic!("ManualClock::at({rfc3339:?}): {error}"),
        }
    }

    /// Moves both the wall clock and the monotonic clock forward, and wakes the sleepers that are due.
    pub fn advance(&self, by: Duration) {
        self.time.send_modify(|time| {
            time.wall += TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
            time.monotonic += by;
        });
    }

    /// Sets the wall clock alone, as a user or a time server does. Sleepers do not notice.
    pub fn set_wall(&self, now: DateTime<Utc>) {
        self.time.send_modify(|time| time.wall = now);
    }

    /// How many futures sleep on this clock.
    pub fn sleepers(&self) -> usize {
        self.time.receiver_count()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.time.borrow().wall
    }

    fn monotonic(&self) -> Duration {
        self.time.borrow().monotonic
    }

    async fn sleep(&self, duration: Duration) {
        let mut time = self.time.subscribe();
        let due = time.borrow_and_update().monotonic + duration;
        // The sender lives in `self`, so the wait cannot fail before it is due.
        let _ = time.wait_for(|time| time.monotonic >= due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_passes_its_time_and_not_before() {
        let clock = ManualClock::at("2026-03-01T09:00:00Z");
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(10)).await }
        });
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert!(sleeper.await.is_ok());
    }

    #[test]
    fn setting_the_wall_clock_back_leaves_the_monotonic_clock_alone() {
        let clock = ManualClock::at("2026-03-01T09:00:00Z");
        let before = clock.monotonic();
        clock.set_wall(clock.now() - TimeDelta::hours(2));
        assert_eq!(clock.monotonic(), before);
    }
}
