//! When does a generated event take place?

use std::borrow::Cow;

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Weekday};
use chrono_tz::Tz;

use super::words::ZONES;
use crate::msgraph::calendar::recurrence::{DaySet, Pattern, Range, Rule};
use crate::msgraph::calendar::timing::{Span, Timing};
use crate::random::Draw;

const WORKDAYS: [Weekday; 5] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];

/// Makes up when an event takes place, around a day.
pub(super) fn timing(draw: &mut Draw, today: NaiveDate, own: (&str, Tz)) -> Timing {
    let recurring = draw.percent(10);
    let spread = match draw.below(20) {
        0..10 => 14,
        10..17 => 90,
        _ => 365,
    };
    // A series mostly began some time ago.
    let shift = if recurring {
        30 - i64::from(draw.below(spread + 30))
    } else {
        i64::from(draw.below(2 * spread + 1)) - i64::from(spread)
    };
    let date = today + TimeDelta::days(shift);
    let foreign = !draw.percent(70);
    let (name, zone) = *draw.pick(ZONES);
    let (name, zone) =
        if foreign { (Cow::Borrowed(name), zone) } else { (Cow::Owned(own.0.to_owned()), own.1) };
    let all_day = draw.percent(10);
    // Between 07:00 and 22:45 no zone changes its offset.
    let (minute, length) = (420 + 15 * draw.below(52), *draw.pick(&[15, 30, 30, 45, 60, 60, 90, 180]));
    let days = 1 + draw.below(3);
    let rule = recurring.then(|| rule(draw, date));
    let midnight = date.and_time(NaiveTime::MIN);
    let span = if all_day {
        Span { start: midnight, end: midnight + TimeDelta::days(i64::from(days)) }
    } else {
        let start = midnight + TimeDelta::minutes(i64::from(minute));
        Span { start, end: start + TimeDelta::minutes(length) }
    };
    Timing { all_day, zone, zone_names: [name.clone(), name], span, rule }
}

/// A rule that has this day as its first.
fn rule(draw: &mut Draw, first: NaiveDate) -> Rule {
    let day = first.weekday();
    let only = DaySet::of(&[day]);
    let week = |days| Pattern::Weekly { days, week_start: Weekday::Sun };
    let workday = WORKDAYS.contains(&day);
    let weeks = |draw: &mut Draw| Range::EndDate(first + Days::new(u64::from(28 + 7 * draw.below(40))));
    let index = (first.day0() / 7) as usize;
    let (pattern, interval, range) = match draw.below(10) {
        0 => (week(only), 1, Range::NoEnd),
        1 => (Pattern::Weekly { days: only, week_start: Weekday::Mon }, 2, Range::NoEnd),
        2 if workday => (week(DaySet::of(&WORKDAYS)), 1, weeks(draw)),
        2 | 3 => (week(only), 1, weeks(draw)),
        4 => (Pattern::Daily, 1, Range::Numbered(3 + draw.below(20))),
        5 => (Pattern::Daily, 2, Range::EndDate(first + Days::new(u64::from(5 + draw.below(60))))),
        6 => (Pattern::AbsoluteMonthly { day: first.day() }, 1, Range::NoEnd),
        7 => (Pattern::RelativeMonthly { days: only, index }, 1, Range::Numbered(12)),
        8 => (Pattern::AbsoluteYearly { month: first.month(), day: first.day() }, 1, Range::NoEnd),
        _ => (Pattern::RelativeYearly { month: first.month(), days: only, index }, 1, Range::NoEnd),
    };
    Rule { pattern, interval, first, range }
}
