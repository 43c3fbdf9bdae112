//! How much of a static quota is left?
//!
//! One [`Cell`] counts one quota for one key, by the cell-rate algorithm of the `governor` crate. That
//! crate knows neither our clock nor a way back: the clock it gets here stands still at the moment that
//! the caller names, and its state lies outside it, where units can be put back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, RateLimiter, StateStore};

use super::quota::Quota;

/// The time of all cells of a limiter. It is only read and set under the limiter's lock.
#[derive(Debug, Clone, Default)]
pub(super) struct Ticks(Arc<AtomicU64>);

impl Ticks {
    pub(super) fn set(&self, now: Duration) {
        self.0.store(nanos(now), Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.get())
    }
}

/// When the cell is full again ("theoretical arrival time"), counted from the cell's start; 0 is unset.
#[derive(Debug, Clone, Default)]
struct Arrival(Arc<AtomicU64>);

impl StateStore for Arrival {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        // The limiter's lock is held, so nobody comes between.
        let before = self.0.load(Relaxed);
        let (answer, after) = decide((before > 0).then(|| Nanos::new(before)))?;
        self.0.store(after.as_u64(), Relaxed);
        Ok(answer)
    }
}

/// The rate at which a quota may be used so that no window sees too much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Nanoseconds for each unit.
    period: u64,
    burst: u32,
}

impl Rate {
    /// With a period `t` and a burst `b`, a window of length `w` sees `b - 1 + ceil(w / t)` units at most.
    /// So `t` is `w / (units - b + 1)`, and the window is taken a little longer than it is, because calls
    /// do not arrive in the very rhythm in which they leave.
    pub(super) fn of(quota: &Quota, dearest: u32) -> Self {
        let burst = quota.burst.max(dearest).clamp(1, quota.units);
        let margin = (quota.per / 100).min(Duration::from_secs(2));
        let period = nanos(quota.per + margin).div_ceil(u64::from(quota.units - burst + 1));
        Self { period: period.max(1), burst }
    }
}

#[derive(Debug)]
pub(super) struct Cell {
    limiter: RateLimiter<NotKeyed, Arrival, Ticks, NoOpMiddleware<Nanos>>,
    arrival: Arrival,
    ticks: Ticks,
    start: u64,
    rate: Rate,
}

impl Cell {
    pub(super) fn new(rate: Rate, ticks: &Ticks) -> Self {
        let arrival = Arrival::default();
        let one = std::num::NonZeroU32::MIN;
        let quota = governor::Quota::with_period(Duration::from_nanos(rate.period))
            .unwrap_or(governor::Quota::per_second(one))
            .allow_burst(rate.burst.try_into().unwrap_or(one));
        let limiter = RateLimiter::new(quota, arrival.clone(), ticks.clone());
        Self { limiter, arrival, ticks: ticks.clone(), start: ticks.get(), rate }
    }

    /// Takes the units, or says how long it takes until they are there.
    ///
    /// A call dearer than the burst needs the cell to have rested for as long as what is above the burst
    /// takes to fill, and pays that part afterwards too: so no window sees too much even then.
    pub(super) fn take(&self, units: u32) -> Result<(), Duration> {
        let Ok(n) = units.min(self.rate.burst).max(1).try_into() else { return Ok(()) };
        let above = u64::from(units.saturating_sub(self.rate.burst)).saturating_mul(self.rate.period);
        let arrival = self.arrival.0.load(Relaxed);
        if above > 0 && arrival > 0 {
            let rested = self.now().saturating_sub(arrival);
            if rested < above {
                return Err(Duration::from_nanos(arrival.saturating_add(above) - self.now()));
            }
        }
        match self.limiter.check_n(n) {
            Ok(Ok(())) => {
                self.arrival.0.fetch_add(above, Relaxed);
                Ok(())
            }
            Ok(Err(not_until)) => {
                Err(not_until.wait_time_from(Nanos::new(self.ticks.get())).max(Duration::from_nanos(1)))
            }
            // Not reached: `n` is at most the burst.
            Err(_) => Err(Duration::from_secs(1)),
        }
    }

    /// Puts back what [`take`](Self::take) took.
    pub(super) fn put_back(&self, units: u32) {
        let back = u64::from(units.max(1)).saturating_mul(self.rate.period);
        let before = self.arrival.0.load(Relaxed);
        self.arrival.0.store(before.saturating_sub(back), Relaxed);
    }

    /// Whether it is full, so that forgetting it forgets nothing.
    pub(super) fn rested(&self) -> bool {
        self.arrival.0.load(Relaxed) <= self.now()
    }

    fn now(&self) -> u64 {
        self.ticks.get().saturating_sub(self.start)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::quota::Scope;
    use super::*;

    /// The most units in any window of the quota's length.
    fn densest(sent: &[(u64, u32)], per: Duration) -> u32 {
        let per = nanos(per);
        let window = |from: usize| {
            sent[from..].iter().take_while(|(at, _)| at - sent[from].0 < per).map(|(_, units)| units).sum()
        };
        (0..sent.len()).map(window).max().unwrap_or(0)
    }

    #[test]
    fn no_window_sees_more_than_the_quota_and_hardly_any_less() {
        for (units, per, cost, declared) in [
            (600, 60, 1, true),
            (5_000, 3_600, 1, true),
            (6_000, 60, 20, true),
            (20, 1, 1, true),
            (1, 60, 1, true),
            (50, 60, 1, true),
            (600, 60, 40, false),
        ] {
            let quota = Quota::new(Scope::App, units, Duration::from_secs(per));
            let ticks = Ticks::default();
            let cell = Cell::new(Rate::of(&quota, if declared { cost } else { 1 }), &ticks);
            let (mut now, mut sent) = (0, Vec::new());
            while now < nanos(quota.per) * 5 {
                ticks.set(Duration::from_nanos(now));
                match cell.take(cost) {
                    Ok(()) => sent.push((now, cost)),
                    Err(wait) => now += nanos(wait),
                }
            }
            assert!(densest(&sent, quota.per) <= units, "{quota:?}");
            let used = f64::from(sent.iter().map(|(_, units)| units).sum::<u32>()) / f64::from(5 * units);
            assert!(used >= if declared { 0.95 } else { 0.55 }, "{quota:?}: {used}");
        }
    }

    #[test]
    fn what_is_put_back_can_be_taken_again() {
        let ticks = Ticks::default();
        ticks.set(Duration::from_secs(9));
        let quota = Quota::new(Scope::App, 10, Duration::from_secs(10)).burst(3);
        let cell = Cell::new(Rate::of(&quota, 1), &ticks);
        for _ in 0..100 {
            assert_eq!(cell.take(2), Ok(()));
            cell.put_back(2);
        }
        assert!(cell.rested());
        assert_eq!(cell.take(3), Ok(()));
        assert!(cell.take(1).is_err() && !cell.rested());
    }
}
