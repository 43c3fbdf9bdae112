//! Which dates does a daily, weekly, monthly or yearly rule give?
//!
//! The crate `rrule` works them out, behind a guard. It sees neither zones nor ends: the rule is
//! expanded on the wall clock as if that were UTC, and UNTIL, COUNT and the start are the caller's.
//! What the guard keeps from it:
//!
//! - a start far from the window: moved up by whole intervals, after what the rule takes from its start
//!   has been written into the rule;
//! - a start within a week: moved to the week's first day, since the crate would count BYSETPOS from
//!   the start;
//! - a search for dates that never come: the crate searches up to the year 10 000, so the calendar is
//!   moved as near to it as whole Gregorian cycles allow;
//! - lists of more than a hundred thousand times, which it makes whole: refused;
//! - numbered and plain weekdays in one BYDAY: it would take what satisfies both;
//! - parts that RFC 5545 forbids at this frequency, which the crate refuses: taken out, and applied to
//!   what it gives.

use std::ops::ControlFlow;

use chrono::{DateTime, Datelike, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Tz};

use super::filter::day_matches;
use super::limits::{Budget, too_large};
use super::rule::{Freq, Rule, unsupported};
use crate::error::Result;

/// After so many years the Gregorian calendar begins again, on the same day of the week.
const CYCLE_YEARS: i32 = 400;
const CYCLE_DAYS: i64 = 146_097;
/// The last year that the crate expands, with room for the week that begins in it.
const LAST_YEAR: i32 = 9_999;
/// The crate lists all times of a year, a month or a week at once.
const MOST_TIMES_A_PERIOD: usize = 100_000;
/// A rule with COUNT is walked from its start; so many days are a thousand years.
const MOST_DAYS_COUNTED: i64 = 366_000;

/// Calls `visit` with each wall time of the rule, ascending, from the period that holds `from` (with
/// COUNT, `start`) to `to`, until it breaks. The first may lie before `start`.
pub(super) fn visit(
    rule: &Rule,
    start: NaiveDateTime,
    (from, to): (NaiveDateTime, NaiveDateTime),
    budget: &mut Budget,
    visit: &mut dyn FnMut(NaiveDateTime) -> ControlFlow<()>,
) -> Result<()> {
    let counted = rule.count.is_some();
    if counted && (to - start).num_days() > MOST_DAYS_COUNTED {
        return Err(too_large("a rule with COUNT that began more than a thousand years before the window"));
    }
    let mut explicit = rule.clone();
    let narrowed = take_out_forbidden(&mut explicit)?;
    spell_out(&mut explicit, start, narrowed);
    if most_times(&explicit) > MOST_TIMES_A_PERIOD {
        return Err(too_large("a rule with more than 100 000 times in one of its periods"));
    }

    let begin = period_of(rule, start.date(), if counted { start.date() } else { from.date() });
    let cycles = i64::from((LAST_YEAR - to.year().max(begin.year())) / CYCLE_YEARS).max(0);
    let moved = TimeDelta::days(cycles * CYCLE_DAYS);
    let begin = (begin.and_time(NaiveTime::MIN) + moved).and_utc().with_timezone(&Tz::UTC);
    let set = RRuleSet::new(begin).rrule(crate_rule(&explicit, begin)?);
    for at in &set {
        budget.spend(1)?;
        let wall = at.naive_utc() - moved;
        if wall > to {
            break;
        }
        if (!narrowed || day_matches(rule, wall.date())) && visit(wall).is_break() {
            break;
        }
    }
    Ok(())
}

/// Takes out the parts that RFC 5545 forbids at this frequency, and makes the rule give every day that
/// they could let through. Whether there were any.
fn take_out_forbidden(rule: &mut Rule) -> Result<bool> {
    let month_days = rule.freq == Freq::Weekly && !rule.by_month_day.is_empty();
    let others = rule.freq > Freq::Yearly && !(rule.by_year_day.is_empty() && rule.by_week_no.is_empty());
    if !(month_days || others) {
        return Ok(false);
    }
    if !rule.by_set_pos.is_empty() {
        return Err(unsupported(&rule.text, "BYSETPOS with a part that RFC 5545 forbids at this frequency"));
    }
    rule.by_year_day.clear();
    rule.by_week_no.clear();
    if rule.freq == Freq::Weekly {
        rule.by_month_day.clear();
        if rule.by_day.is_empty() {
            rule.by_day = (0..7).map(|day| (0, day)).collect();
        }
    }
    if rule.freq == Freq::Monthly && !rule.has_day_parts() {
        rule.by_month_day = (1..=31).collect();
    }
    Ok(true)
}

/// Writes into the rule what it takes from its start, and plain weekdays beside numbered ones as numbers.
fn spell_out(rule: &mut Rule, start: NaiveDateTime, narrowed: bool) {
    let small = |number: u32| i16::try_from(number).unwrap_or(0);
    if !rule.has_day_parts() && !narrowed {
        match rule.freq {
            Freq::Yearly => {
                if rule.by_month.is_empty() {
                    rule.by_month = vec![small(start.month())];
                }
                rule.by_month_day = vec![small(start.day())];
            }
            Freq::Monthly => rule.by_month_day = vec![small(start.day())],
            Freq::Weekly => {
                let day = start.weekday().num_days_from_monday();
                rule.by_day = vec![(0, u8::try_from(day).unwrap_or(0))];
            }
            _ => {}
        }
    }
    for (list, value) in [
        (&mut rule.by_hour, start.hour()),
        (&mut rule.by_minute, start.minute()),
        (&mut rule.by_second, start.second()),
    ] {
        if list.is_empty() {
            list.push(small(value));
        }
    }
    if !rule.by_week_no.is_empty() {
        // A week has one Monday: RFC 5545 forbids its number, and it says nothing.
        rule.by_day.iter_mut().for_each(|(nth, _)| *nth = 0);
    } else if rule.by_day.iter().any(|(nth, _)| *nth != 0) {
        let most = if rule.freq == Freq::Monthly || !rule.by_month.is_empty() { 5 } else { 53 };
        rule.by_day = rule
            .by_day
            .iter()
            .flat_map(|(nth, day)| if *nth == 0 { 1..=most } else { *nth..=*nth }.map(|nth| (nth, *day)))
            .collect();
    }
}

/// How many times one period of the rule can hold.
fn most_times(rule: &Rule) -> usize {
    let days = match rule.freq {
        Freq::Yearly => 366,
        Freq::Monthly if rule.by_month_day.is_empty() => 31,
        Freq::Monthly => rule.by_month_day.len(),
        Freq::Weekly => rule.by_day.len(),
        _ => 1,
    };
    days * rule.by_hour.len() * rule.by_minute.len() * rule.by_second.len()
}

/// The first day of the last period of the rule that begins on or before a day; of its first period if
/// the day lies before the start.
fn period_of(rule: &Rule, start: NaiveDate, day: NaiveDate) -> NaiveDate {
    let day = day.max(start);
    let interval = i64::from(rule.interval);
    let whole = |difference: i64| difference / interval * interval;
    let month_index = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
    let month = |index: i64| {
        let year = i32::try_from(index.div_euclid(12)).ok()?;
        NaiveDate::from_ymd_opt(year, u32::try_from(index.rem_euclid(12)).ok()? + 1, 1)
    };
    let week =
        |date: NaiveDate| date - TimeDelta::days(i64::from(date.weekday().days_since(rule.week_start)));
    let found = match rule.freq {
        Freq::Yearly => month((i64::from(start.year()) + whole(i64::from(day.year() - start.year()))) * 12),
        Freq::Monthly => month(month_index(start) + whole(month_index(day) - month_index(start))),
        Freq::Weekly => {
            let weeks = (week(day) - week(start)).num_days() / 7;
            Some(week(start) + TimeDelta::days(whole(weeks) * 7))
        }
        _ => Some(start + TimeDelta::days(whole((day - start).num_days()))),
    };
    found.unwrap_or(start)
}

fn crate_rule(rule: &Rule, begin: DateTime<Tz>) -> Result<RRule> {
    let unsupported = |what| unsupported(&rule.text, what);
    let frequency = match rule.freq {
        Freq::Yearly => Frequency::Yearly,
        Freq::Monthly => Frequency::Monthly,
        Freq::Weekly => Frequency::Weekly,
        Freq::Daily => Frequency::Daily,
        _ => return Err(unsupported("an hourly or finer rule")),
    };
    let interval = u16::try_from(rule.interval).map_err(|_| unsupported("an INTERVAL above 65535"))?;
    let bytes =
        |list: &[i16]| list.iter().filter_map(|number| u8::try_from(*number).ok()).collect::<Vec<_>>();
    let signed =
        |list: &[i16]| list.iter().filter_map(|number| i8::try_from(*number).ok()).collect::<Vec<_>>();
    let months: Vec<Month> =
        bytes(&rule.by_month).into_iter().filter_map(|month| Month::try_from(month).ok()).collect();
    let days = rule.by_day.iter().filter_map(|(nth, day)| {
        let day = Weekday::try_from(*day).ok()?;
        Some(if *nth == 0 { NWeekday::Every(day) } else { NWeekday::Nth(*nth, day) })
    });
    RRule::new(frequency)
        .interval(interval)
        .week_start(rule.week_start)
        .by_month(&months)
        .by_week_no(signed(&rule.by_week_no))
        .by_year_day(rule.by_year_day.clone())
        .by_month_day(signed(&rule.by_month_day))
        .by_weekday(days.collect())
        .by_hour(bytes(&rule.by_hour))
        .by_minute(bytes(&rule.by_minute))
        .by_second(bytes(&rule.by_second))
        .by_set_pos(rule.by_set_pos.iter().map(|pos| i32::from(*pos)).collect())
        .validate(begin)
        .map_err(|_| unsupported("a combination of parts"))
}
