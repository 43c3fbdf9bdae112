//! When do the occurrences of one series start?
//!
//! The rules of RFC 5545 put together: RRULE and RDATE give, EXRULE and EXDATE take away. All of it is
//! worked out in instants; those of an all-day series are the midnights of its days in UTC.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};

use super::clock::WallClock;
use super::dates::{DateLine, Stamp, invalid};
use super::limits::{Budget, Limits, too_large};
use super::reach::{Reach, has_year, length};
use super::rule::{Freq, Rule, unsupported};
use super::{days, ticks};
use crate::error::Result;
use crate::model::{Event, EventTime};

/// More rules than any calendar program writes.
const MOST_RULES: usize = 16;

/// The starts of a series that overlap a window.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) starts: Vec<DateTime<Utc>>,
    pub(super) truncated: bool,
}

/// A series, ready to be worked out.
#[derive(Debug)]
pub(super) struct Series<'a> {
    event: &'a Event,
    clock: WallClock,
    start: DateTime<Utc>,
    length: TimeDelta,
}

impl<'a> Series<'a> {
    /// # Errors
    ///
    /// `recurrence_invalid` if it starts in a year that no calendar means.
    pub(super) fn new(event: &'a Event) -> Result<Self> {
        // iCalendar knows no parts of seconds, and no rule would meet the start if it had them.
        let start = event.start.earliest_utc().trunc_subsecs(0);
        if !has_year(start.date_naive()) {
            return Err(invalid("a series that starts before the year 1 or after 9998"));
        }
        let clock = WallClock::of(&event.start);
        Ok(Self { event, clock, start, length: length(&event.start, event.end.as_ref()) })
    }

    /// The start of an occurrence, as the master writes its own.
    pub(super) fn start_time(&self, at: DateTime<Utc>) -> EventTime {
        self.clock.event_time(at, &self.event.start)
    }

    /// The end of an occurrence, as the master writes its own.
    pub(super) fn end_time(&self, at: DateTime<Utc>) -> Option<EventTime> {
        let end = self.event.end.as_ref()?;
        Some(WallClock::of(end).event_time(at + self.length, end))
    }

    /// The starts of the occurrences that overlap the window.
    ///
    /// # Errors
    ///
    /// `recurrence_invalid`, `recurrence_unsupported`, `recurrence_too_large`.
    pub(super) fn starts(&self, reach: &Reach, limits: &Limits) -> Result<Found> {
        let recurrence = &self.event.recurrence;
        if recurrence.rrule.len() + recurrence.exrule.len() > MOST_RULES {
            return Err(too_large("a series with more than 16 rules"));
        }
        let mut budget = Budget::new(limits);
        let exdates = self.exdates()?;
        let cap = limits.per_series.saturating_add(exdates.len()).saturating_add(1);

        let mut found = BTreeSet::new();
        let mut horizon: Option<DateTime<Utc>> = None;
        if recurrence.rrule.is_empty() && self.overlaps(reach, self.start) {
            found.insert(self.start);
        }
        let (from, to) = self.span(reach);
        let rules = recurrence.rrule.iter().map(|text| self.rule(text)).collect::<Result<Vec<_>>>()?;
        let start_first = !(rules.len() > 1 && self.any_gives_start(&rules, &mut budget)?);
        for rule in &rules {
            let mut walk = Walk::new(self, reach, to, cap, rule, start_first);
            walk.run(rule, &mut budget)?;
            // What one rule was not asked for any more is unknown for all of them.
            horizon = horizon.into_iter().chain(walk.stopped).min();
            found.append(&mut walk.found);
        }
        found.extend(self.rdates()?.into_iter().filter(|at| self.overlaps(reach, *at)));
        if let Some(horizon) = horizon {
            found.retain(|at| *at <= horizon);
        }

        let to = found.last().map_or(from, |last| *last + TimeDelta::seconds(1));
        for text in &recurrence.exrule {
            let rule = self.rule(text)?;
            let mut walk = Walk::new(self, reach, to, usize::MAX, &rule, false);
            walk.run(&rule, &mut budget)?;
            found.retain(|at| !walk.found.contains(at));
        }
        found.retain(|at| !exdates.contains(&Excluded::At(*at)));
        found.retain(|at| !exdates.contains(&Excluded::On(self.clock.wall(*at).date())));

        let truncated = horizon.is_some() || found.len() > limits.per_series;
        Ok(Found { starts: found.into_iter().take(limits.per_series).collect(), truncated })
    }

    /// Whether the start needs not be put before the dates of all rules, since one of them gives it.
    fn any_gives_start(&self, rules: &[Rule], budget: &mut Budget) -> Result<bool> {
        let second = self.start + TimeDelta::seconds(1);
        let reach = Reach { from: self.start, to: second, ..Reach::of_day(self.start.date_naive()) };
        for rule in rules {
            let mut walk = Walk::new(self, &reach, second, 1, rule, false);
            walk.run(rule, budget)?;
            if walk.found.contains(&self.start) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn all_day(&self) -> bool {
        self.event.start.is_all_day()
    }

    /// The window in the instants of this series, which for an all-day one are not those of the window's
    /// zone.
    fn span(&self, reach: &Reach) -> (DateTime<Utc>, DateTime<Utc>) {
        let midnight = |date: NaiveDate| EventTime::day(date).earliest_utc();
        if self.all_day() {
            (midnight(reach.first_day), midnight(reach.last_day) + TimeDelta::days(1))
        } else {
            (reach.from, reach.to)
        }
    }

    fn overlaps(&self, reach: &Reach, at: DateTime<Utc>) -> bool {
        if self.all_day() {
            reach.has_days(at.date_naive(), (at + self.length).date_naive())
        } else {
            reach.has_time(at, at + self.length)
        }
    }

    fn rule(&self, text: &str) -> Result<Rule> {
        let mut rule = Rule::parse(text)?;
        if self.all_day() {
            if rule.freq > Freq::Daily {
                return Err(unsupported(text, "an hourly or finer rule for all-day events"));
            }
            rule.by_hour.clear();
            rule.by_minute.clear();
            rule.by_second.clear();
        }
        Ok(rule)
    }

    fn until(&self, rule: &Rule) -> DateTime<Utc> {
        let end_of = |date: NaiveDate| date.and_hms_opt(23, 59, 59).unwrap_or_default();
        match rule.until {
            None => DateTime::<Utc>::MAX_UTC,
            Some(stamp) if self.all_day() => end_of(stamp.date()).and_utc(),
            Some(Stamp::Day(date)) => self.clock.instant(end_of(date)),
            Some(Stamp::Local(wall)) => self.clock.instant(wall),
            Some(Stamp::Utc(wall)) => wall.and_utc(),
        }
    }

    fn rdates(&self) -> Result<Vec<DateTime<Utc>>> {
        let time = self.clock.wall(self.start).time();
        let mut dates = Vec::new();
        for line in &self.event.recurrence.rdate {
            let line = DateLine::parse(line, self.clock)?;
            dates.extend(line.stamps.iter().map(|stamp| match line.instant(*stamp) {
                Some(at) if !self.all_day() => at,
                _ => self.clock.instant(stamp.date().and_time(time)),
            }));
        }
        Ok(dates)
    }

    fn exdates(&self) -> Result<BTreeSet<Excluded>> {
        let mut dates = BTreeSet::new();
        for line in &self.event.recurrence.exdate {
            let line = DateLine::parse(line, self.clock)?;
            dates.extend(line.stamps.iter().map(|stamp| match line.instant(*stamp) {
                Some(at) if !self.all_day() => Excluded::At(at),
                _ => Excluded::On(stamp.date()),
            }));
        }
        Ok(dates)
    }
}

/// What an EXDATE takes out: one instant, or all of a day on the wall clock.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Excluded {
    At(DateTime<Utc>),
    On(NaiveDate),
}

/// The walk over the dates of one rule: applies what the rule says of its start and its end.
struct Walk<'a> {
    series: &'a Series<'a>,
    reach: &'a Reach,
    /// No start is wanted from here on.
    to: DateTime<Utc>,
    until: DateTime<Utc>,
    left: Option<u32>,
    /// Whether the start of the series is still to be put before all others.
    start_first: bool,
    met: BTreeSet<DateTime<Utc>>,
    cap: usize,
    found: BTreeSet<DateTime<Utc>>,
    /// Where the cap ended the walk.
    stopped: Option<DateTime<Utc>>,
}

impl<'a> Walk<'a> {
    fn new(
        series: &'a Series<'a>,
        reach: &'a Reach,
        to: DateTime<Utc>,
        cap: usize,
        rule: &Rule,
        start_first: bool,
    ) -> Self {
        Self {
            series,
            reach,
            to,
            until: series.until(rule),
            left: rule.count,
            start_first,
            met: BTreeSet::new(),
            cap,
            found: BTreeSet::new(),
            stopped: None,
        }
    }

    fn run(&mut self, rule: &Rule, budget: &mut Budget) -> Result<()> {
        let start = self.series.start;
        if self.until < start || start >= self.to {
            return Ok(());
        }
        let from = self.series.span(self.reach).0 - self.series.length;
        match ticks::seconds(rule.freq) {
            Some(unit) => self.run_ticks(rule, unit, from, budget)?,
            None => self.run_days(rule, from, budget)?,
        }
        if self.start_first {
            let _ = self.take(start);
        }
        Ok(())
    }

    fn run_ticks(&mut self, rule: &Rule, unit: i64, from: DateTime<Utc>, budget: &mut Budget) -> Result<()> {
        let Series { start, clock, .. } = *self.series;
        let mut rule = rule.clone();
        if rule.is_plain()
            && let Some(count) = rule.count.take()
        {
            // Nothing lies between the steps, so the last one is known without a walk.
            self.left = None;
            let seconds = i64::from(count - 1).saturating_mul(unit * i64::from(rule.interval));
            let last = TimeDelta::try_seconds(seconds).and_then(|length| start.checked_add_signed(length));
            self.until = self.until.min(last.unwrap_or(DateTime::<Utc>::MAX_UTC));
        }
        let end = self.until.min(self.to);
        ticks::visit(&rule, clock, start, (from, end), budget, &mut |at| {
            if at > end { ControlFlow::Break(()) } else { self.meet(at) }
        })
    }

    fn run_days(&mut self, rule: &Rule, from: DateTime<Utc>, budget: &mut Budget) -> Result<()> {
        let Series { start, clock, .. } = *self.series;
        // A clock change may bring a wall time out of turn, by a day at most.
        let slack = TimeDelta::days(1);
        let end = clock.wall(self.until.min(self.to)) + slack;
        let reach = (clock.wall(from) - slack, end);
        days::visit(rule, clock.wall(start), reach, budget, &mut |wall| {
            let at = clock.instant(wall);
            // Two wall times are one instant where the clock skips the first of them.
            if at < start || !self.met.insert(at) {
                return ControlFlow::Continue(());
            }
            self.meet(at)
        })
    }

    fn meet(&mut self, at: DateTime<Utc>) -> ControlFlow<()> {
        let start = self.series.start;
        if at < start {
            return ControlFlow::Continue(());
        }
        if std::mem::take(&mut self.start_first) && at != start && self.take(start).is_break() {
            return ControlFlow::Break(());
        }
        if at > self.until || at >= self.to {
            return ControlFlow::Continue(());
        }
        self.take(at)
    }

    fn take(&mut self, at: DateTime<Utc>) -> ControlFlow<()> {
        if self.series.overlaps(self.reach, at) {
            self.found.insert(at);
            if self.found.len() >= self.cap {
                self.stopped = Some(at);
                return ControlFlow::Break(());
            }
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
            if *left == 0 {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}
