//! Which instants does an hourly, minutely or secondly rule give?
//!
//! Not the crate `rrule`: it doubles hours when summer time begins and loses one when it ends, reads
//! MINUTELY with BYHOUR and a day part wrongly, and walks every second from the start. Here periods are
//! counted in seconds that pass, BYxxx parts look at the wall clock, and what a part excludes is jumped
//! over.

use std::ops::ControlFlow;

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};

use super::clock::WallClock;
use super::filter::day_matches;
use super::limits::Budget;
use super::rule::{Freq, Rule};
use crate::error::Result;

/// What is called with each instant.
pub(super) type Visit<'a> = dyn FnMut(DateTime<Utc>) -> ControlFlow<()> + 'a;

/// How many seconds a period of the rule lasts, without INTERVAL; `None` if it is daily or coarser.
pub(super) fn seconds(freq: Freq) -> Option<i64> {
    match freq {
        Freq::Hourly => Some(3600),
        Freq::Minutely => Some(60),
        Freq::Secondly => Some(1),
        _ => None,
    }
}

/// Calls `visit` with each instant of the rule, ascending, from the period that holds `from` (with
/// COUNT, `start`) on, until it breaks or a period begins after `to`. The first may lie before `start`.
pub(super) fn visit(
    rule: &Rule,
    clock: WallClock,
    start: DateTime<Utc>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    budget: &mut Budget,
    visit: &mut Visit<'_>,
) -> Result<()> {
    let Some(unit) = seconds(rule.freq) else { return Ok(()) };
    let step = unit * i64::from(rule.interval);
    let wall = clock.wall(start).time();
    let lead = i64::from(wall.num_seconds_from_midnight()) % unit;
    let base = start - TimeDelta::seconds(lead);
    let offsets = Offsets::new(rule, wall);
    let mut index = if rule.count.is_some() { 0 } else { ((from - base).num_seconds() / step).max(0) };
    loop {
        budget.spend(1)?;
        let begin = base + TimeDelta::seconds(index * step);
        if begin > to {
            return Ok(());
        }
        if let Some(next) = next_candidate(rule, clock, begin, unit) {
            let ahead = (next - base).num_seconds();
            index = (index + 1).max((ahead + step - 1) / step);
            continue;
        }
        let mut times = Vec::new();
        for seconds in offsets.iter() {
            let at = begin + TimeDelta::seconds(seconds);
            if matches(rule, clock, at) {
                times.push(at);
            }
        }
        // A long list of minutes and seconds is work too, even when none of them fits.
        budget.spend(offsets.len() / 60)?;
        for at in positions(rule, &times) {
            budget.spend(1)?;
            if visit(at).is_break() {
                return Ok(());
            }
        }
        index += 1;
    }
}

/// The seconds within a period that may be meant.
struct Offsets {
    minutes: std::ops::Range<i64>,
    seconds: Vec<i64>,
}

impl Offsets {
    fn new(rule: &Rule, start: NaiveTime) -> Self {
        let minute = i64::from(start.minute());
        let minutes = match rule.freq {
            // Every minute is tried, since a clock change of half an hour moves the wall clock's.
            Freq::Hourly if !rule.by_minute.is_empty() => 0..60,
            Freq::Hourly => minute..minute + 1,
            _ => 0..1,
        };
        let seconds = match rule.freq {
            Freq::Secondly => vec![0],
            _ if rule.by_second.is_empty() => vec![i64::from(start.second())],
            _ => rule.by_second.iter().copied().map(i64::from).collect(),
        };
        Self { minutes, seconds }
    }

    fn iter(&self) -> impl Iterator<Item = i64> {
        self.minutes.clone().flat_map(|minute| self.seconds.iter().map(move |second| minute * 60 + second))
    }

    fn len(&self) -> usize {
        self.minutes.clone().count() * self.seconds.len()
    }
}

/// The next instant worth looking at, if nothing in this period can satisfy the rule.
fn next_candidate(rule: &Rule, clock: WallClock, begin: DateTime<Utc>, unit: i64) -> Option<DateTime<Utc>> {
    let wall = clock.wall(begin);
    let last = clock.wall(begin + TimeDelta::seconds(unit - 1));
    if !day_matches(rule, wall.date()) && !day_matches(rule, last.date()) {
        let tomorrow = last.date().succ_opt()?.and_time(NaiveTime::MIN);
        return Some(clock.instant(tomorrow));
    }
    let in_hour = i64::from(wall.minute() * 60 + wall.second());
    if unit < 3600 && !has(&rule.by_hour, wall.hour()) {
        return Some(begin + TimeDelta::seconds(3600 - in_hour));
    }
    if unit < 60 && !has(&rule.by_minute, wall.minute()) {
        return Some(begin + TimeDelta::seconds(60 - in_hour % 60));
    }
    None
}

fn matches(rule: &Rule, clock: WallClock, at: DateTime<Utc>) -> bool {
    let wall = clock.wall(at);
    has(&rule.by_hour, wall.hour())
        && has(&rule.by_minute, wall.minute())
        && has(&rule.by_second, wall.second())
        && day_matches(rule, wall.date())
}

fn has(list: &[i16], value: u32) -> bool {
    list.is_empty() || list.iter().any(|wanted| u32::try_from(*wanted) == Ok(value))
}

/// Those of a period's times that BYSETPOS picks, all of them if there is none.
fn positions(rule: &Rule, times: &[DateTime<Utc>]) -> Vec<DateTime<Utc>> {
    if rule.by_set_pos.is_empty() {
        return times.to_vec();
    }
    let picked = |index: usize| {
        rule.by_set_pos.iter().any(|pos| match usize::try_from(*pos) {
            Ok(pos) => pos == index + 1,
            Err(_) => index + usize::from(pos.unsigned_abs()) == times.len(),
        })
    };
    times.iter().enumerate().filter(|(index, _)| picked(*index)).map(|(_, at)| *at).collect()
}
