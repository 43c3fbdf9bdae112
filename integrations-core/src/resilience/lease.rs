//! How do several processes share one quota, with a key-value store between them?
//!
//! Time is cut into intervals by the wall clock, `S` of them to a window, and each interval is given
//! `units / (S + 2)` units: any window touches `S + 2` intervals at most, even where the processes' clocks
//! differ by up to half an interval, so it never sees more than the quota. An interval's units lie in up
//! to 16 slots, which open one after the other. Whoever writes a slot's key first
//! ([`put_if_absent`](crate::cache::KeyValueStore::put_if_absent)) owns its units until the interval is
//! over; what is not used by then is lost.
//!
//! * It never overruns while the wall clocks (and the ways to the provider) differ by less than half an
//!   interval: 600 ms for most quotas by the minute, 5 ms for one by the second.
//! * No more goes at once than the quota's burst, where that is at least four units and a sixtieth of the quota
//!   and calls cost 1; else about a fiftieth of it.
//! * It uses `S / (S + 2)` of the quota, at least 95 % from 40 units a window up, if calls cost 1. Dear
//!   calls leave up to one call's cost for each process and interval.
//! * It costs a process with calls to make one write for each slot: 13 a second for most quotas by the minute,
//!   whatever the number of calls and connections; and none when there is nothing to do.
//! * A process that has won many of the last slots tries a little later than the others, so the shares of
//!   processes that all want more than they get become even.

use std::time::Duration;

use super::quota::Quota;

/// The most intervals that a window is cut into.
const MOST_INTERVALS: u32 = 98;
const SLOTS: u32 = 16;

/// How a quota is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// In nanoseconds.
    length: u128,
    pub(super) units: u32,
    slots: u32,
}

impl Cut {
    pub(super) fn of(quota: &Quota, dearest: u32) -> Self {
        let least = dearest.clamp(1, quota.units);
        let all = (1..=MOST_INTERVALS).map(|intervals| (intervals, quota.units / (intervals + 2)));
        let cuts = all.filter(|(_, units)| *units >= least);
        let used = |(intervals, units): &(u32, u32)| intervals * units;
        // Long intervals bear with larger differences of clocks: do not look for the last percent.
        let mut enough = cuts.clone().filter(|cut| f64::from(used(cut)) >= 0.96 * f64::from(quota.units));
        // Where two intervals meet, the rest of one and the first slot of the other go at once.
        let fits = |(_, units): &(u32, u32)| units + units.div_ceil(SLOTS) <= quota.burst;
        let best =
            enough.clone().find(fits).or_else(|| enough.next()).or_else(|| cuts.rev().max_by_key(used));
        let (intervals, units) = best.unwrap_or((1, (quota.units / 3).max(1)));
        Self { length: (quota.per.as_nanos() / u128::from(intervals)).max(1), units, slots: units.min(SLOTS) }
    }

    fn interval(&self, wall: u128) -> u128 {
        wall / self.length
    }

    fn slot_units(&self, slot: u32) -> u32 {
        self.units / self.slots + u32::from(slot < self.units % self.slots)
    }

    /// How long a slot's mark has to be kept: until no clock can be in the interval any more.
    pub(super) fn keep(&self) -> Duration {
        to_duration(self.length * 3).max(Duration::from_secs(5))
    }
}

/// What this process holds of a shared quota.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) cut: Cut,
    interval: u128,
    units: u32,
    next_slot: u32,
    /// The last 32 slots, the newest in the lowest bit: was it won?
    won: u32,
}

/// What a shared quota answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Enough,
    /// A slot is open: try for it.
    Try,
    Wait(Duration),
}

impl Lease {
    pub(super) fn new(cut: Cut) -> Self {
        Self { cut, interval: 0, units: 0, next_slot: 0, won: 0 }
    }

    pub(super) fn check(&mut self, cost: u32, wall: u128) -> Held {
        self.roll(wall);
        if self.units >= self.charge(cost) {
            return Held::Enough;
        }
        let into = wall % self.cut.length;
        let rest = self.cut.length - into;
        if self.next_slot >= self.cut.slots {
            return Held::Wait(to_duration(rest));
        }
        // The last quarter is left for using what was won.
        let each = self.cut.length * 3 / 4 / u128::from(self.cut.slots);
        // Those who had less go first.
        let delay = each * 3 / 4 * u128::from(self.won.count_ones()) / 32;
        let opens = each * u128::from(self.next_slot) + delay;
        if into >= opens { Held::Try } else { Held::Wait(to_duration((opens - into).min(rest))) }
    }

    pub(super) fn take(&mut self, cost: u32) {
        self.units -= self.charge(cost).min(self.units);
    }

    /// Units of an interval that is over are not worth anything, and are dropped with the rest of it.
    pub(super) fn put_back(&mut self, cost: u32, wall: u128) {
        self.roll(wall);
        let owned = (0..self.next_slot).map(|slot| self.cut.slot_units(slot)).sum::<u32>();
        self.units = (self.units + self.charge(cost)).min(owned);
    }

    /// The slot to try for: interval and number.
    pub(super) fn slot(&self) -> (u128, u32) {
        (self.interval, self.next_slot)
    }

    /// What came of it.
    pub(super) fn tried(&mut self, slot: (u128, u32), won: bool) {
        if slot == (self.interval, self.next_slot) {
            self.next_slot += 1;
            self.won = self.won << 1 | u32::from(won);
            self.units += if won { self.cut.slot_units(slot.1) } else { 0 };
        } else if won && slot.0 == self.interval {
            self.units += self.cut.slot_units(slot.1);
        }
    }

    /// A call dearer than an interval's units is counted as all of them.
    fn charge(&self, cost: u32) -> u32 {
        cost.min(self.cut.units)
    }

    fn roll(&mut self, wall: u128) {
        let interval = self.cut.interval(wall);
        if interval != self.interval {
            let missed = self.cut.slots - self.next_slot.min(self.cut.slots);
            self.won = self.won.checked_shl(missed).unwrap_or(0);
            (self.interval, self.units, self.next_slot) = (interval, 0, 0);
        }
    }
}

fn to_duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::quota::Scope;
    use super::*;

    #[test]
    fn a_cut_quota_is_used_to_95_percent_and_never_overrun() {
        for units in (40..3_000).chain([10_000, 50_000, 1_200_000]) {
            let quota = Quota::new(Scope::App, units, Duration::from_secs(60));
            let cut = Cut::of(&quota, 1);
            let intervals = u32::try_from(quota.per.as_nanos() / cut.length).unwrap();
            assert!(cut.units * (intervals + 2) <= units, "{units}: {cut:?}");
            assert!(f64::from(cut.units * intervals) >= 0.95 * f64::from(units), "{units}: {cut:?}");
            assert_eq!((0..cut.slots).map(|slot| cut.slot_units(slot)).sum::<u32>(), cut.units);
        }
    }

    #[test]
    fn no_more_goes_at_once_than_the_burst() {
        for (units, burst) in (240..20_000).map(|units| (units, units / 60)) {
            let cut = Cut::of(&Quota::new(Scope::App, units, Duration::from_secs(60)).burst(burst), 1);
            assert!(cut.units + cut.slot_units(0) <= burst, "{burst} of {units}: {cut:?}");
            assert!(f64::from(cut.units) * 60e9 / to_f64(cut.length) >= 0.95 * f64::from(units), "{units}");
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "below 2^52")]
    fn to_f64(number: u128) -> f64 {
        number as f64
    }

    #[test]
    fn a_call_dearer_than_most_finds_an_interval_that_holds_it() {
        let quota = Quota::new(Scope::App, 6_000, Duration::from_secs(60));
        assert!(Cut::of(&quota, 100).units >= 100);
    }
}
