//! How does a series of Zoom's repeat, as a rule of RFC 5545?
//!
//! | `recurrence` | RRULE |
//! |---|---|
//! | `type` 1, daily | `FREQ=DAILY` |
//! | `type` 2, weekly, `weekly_days` from 1, which is Sunday | `FREQ=WEEKLY;BYDAY=…;WKST=SU` |
//! | `type` 3, monthly, `monthly_day` | `FREQ=MONTHLY;BYMONTHDAY=…` |
//! | `type` 3, monthly, `monthly_week` 1 to 4 or -1, and `monthly_week_day` | `FREQ=MONTHLY;BYDAY=2TU` |
//! | `repeat_interval` | `INTERVAL=…` |
//! | `end_times` | `COUNT=…` |
//! | `end_date_time` | `UNTIL=…`, in UTC |
//!
//! It counts in the zone of the meeting. What cannot be read as such a rule has none; the times that Zoom names
//! one by one are there all the same.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::wire::{Number, WireRecurrence};

/// From 1 on.
const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/// Which days a rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    /// Each of those that the interval leaves.
    All,
    /// Of a week; counted from 0, which is Sunday.
    OfWeek(Vec<usize>),
    OfMonth(u32),
    /// The so-manieth weekday of a month; -1 is the last.
    Nth(i64, usize),
}

/// A rule that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    frequency: &'static str,
    interval: i64,
    days: Days,
    count: Option<i64>,
    until: Option<DateTime<Utc>>,
}

impl Rule {
    /// `until` is the end of the series as an instant, if it has such an end.
    pub(super) fn of(wire: &WireRecurrence, until: Option<DateTime<Utc>>) -> Option<Self> {
        let number =
            |number: Option<Number>| number.map(|Number(number)| number).filter(|number| *number != 0);
        let (frequency, days) = match number(wire.kind)? {
            1 => ("DAILY", Days::All),
            2 => ("WEEKLY", wire.weekly_days.as_deref().map_or(Some(Days::All), of_week)?),
            3 => (
                "MONTHLY",
                match (number(wire.monthly_week), number(wire.monthly_week_day), number(wire.monthly_day)) {
                    (Some(week @ (-1 | 1..=4)), Some(day), _) => Days::Nth(week, index(day)?),
                    (None, None, Some(day @ 1..=31)) => Days::OfMonth(u32::try_from(day).ok()?),
                    (None, None, None) => Days::All,
                    _ => return None,
                },
            ),
            _ => return None,
        };
        let interval = number(wire.repeat_interval).unwrap_or(1);
        let count = number(wire.end_times);
        if interval < 1 || count.is_some_and(|count| count < 1) {
            return None;
        }
        // Of both, which Zoom does not take, RFC 5545 allows one.
        Some(Self { frequency, interval, days, count, until: until.filter(|_| count.is_none()) })
    }

    /// Whether it gives a day, apart from its interval.
    pub(super) fn gives(&self, day: NaiveDate) -> bool {
        let of_week = day.weekday().num_days_from_sunday() as usize;
        match &self.days {
            Days::All => true,
            Days::OfWeek(days) => days.contains(&of_week),
            Days::OfMonth(of_month) => day.day() == *of_month,
            Days::Nth(-1, weekday) => {
                of_week == *weekday
                    && day
                        .checked_add_days(chrono::Days::new(7))
                        .is_none_or(|next| next.month() != day.month())
            }
            Days::Nth(week, weekday) => of_week == *weekday && i64::from(day.day0() / 7) + 1 == *week,
        }
    }

    /// The value of an RRULE.
    pub(super) fn text(&self) -> String {
        let mut rule = format!("FREQ={}", self.frequency);
        if self.interval > 1 {
            let _ = write!(rule, ";INTERVAL={}", self.interval);
        }
        match &self.days {
            Days::All => {}
            Days::OfWeek(days) => {
                let names: Vec<_> = days.iter().filter_map(|day| DAYS.get(*day).copied()).collect();
                let _ = write!(rule, ";BYDAY={}", names.join(","));
            }
            Days::OfMonth(day) => {
                let _ = write!(rule, ";BYMONTHDAY={day}");
            }
            Days::Nth(week, day) => {
                let _ = write!(rule, ";BYDAY={week}{}", DAYS.get(*day).copied().unwrap_or_default());
            }
        }
        if self.frequency == "WEEKLY" {
            rule.push_str(";WKST=SU");
        }
        if let Some(count) = self.count {
            let _ = write!(rule, ";COUNT={count}");
        }
        if let Some(until) = self.until {
            let _ = write!(rule, ";UNTIL={}", until.format("%Y%m%dT%H%M%SZ"));
        }
        rule
    }
}

fn of_week(text: &str) -> Option<Days> {
    let mut days = text.split(',').map(|day| index(day.trim().parse().ok()?)).collect::<Option<Vec<_>>>()?;
    days.sort_unstable();
    days.dedup();
    Some(Days::OfWeek(days))
}

/// A day of the week from 0 on.
fn index(day: i64) -> Option<usize> {
    usize::try_from(day - 1).ok().filter(|day| *day < DAYS.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(wire: &serde_json::Value) -> Option<Rule> {
        let wire: WireRecurrence = serde_json::from_value(wire.clone()).unwrap();
        let until = wire.end_date_time.map(|until| match until {
            super::super::wire::WireTime::Instant(at) => at,
            super::super::wire::WireTime::Local(wall) => wall.and_utc(),
        });
        Rule::of(&wire, until)
    }

    #[test]
    fn each_kind_of_recurrence_is_a_rule() {
        for (wire, expected) in [
            (json!({"type": 1, "repeat_interval": 1, "end_times": 7}), "FREQ=DAILY;COUNT=7"),
            (json!({"type": 1, "repeat_interval": 3}), "FREQ=DAILY;INTERVAL=3"),
            (
                json!({"type": 2, "repeat_interval": 2, "weekly_days": "4,2", "end_date_time": "2026-05-01T15:59:00Z"}),
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU;UNTIL=20260501T155900Z",
            ),
            (json!({"type": "2", "weekly_days": 1}), "FREQ=WEEKLY;BYDAY=SU;WKST=SU"),
            (json!({"type": 2, "weekly_days": ""}), "FREQ=WEEKLY;WKST=SU"),
            (json!({"type": 3, "monthly_day": 31, "end_times": 2}), "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2"),
            (json!({"type": 3, "monthly_week": -1, "monthly_week_day": 6}), "FREQ=MONTHLY;BYDAY=-1FR"),
            (
                json!({"type": 3, "repeat_interval": 2, "monthly_week": 2, "monthly_week_day": 3, "monthly_day": 0}),
                "FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU",
            ),
            (
                json!({"type": 1, "end_times": 3, "end_date_time": "2026-05-01T15:59:00Z"}),
                "FREQ=DAILY;COUNT=3",
            ),
            (json!({"type": 1, "end_times": 0, "end_date_time": ""}), "FREQ=DAILY"),
        ] {
            assert_eq!(rule(&wire).map(|rule| rule.text()).as_deref(), Some(expected), "{wire}");
        }
    }

    #[test]
    fn what_is_no_such_rule_has_none() {
        for wire in [
            json!({}),
            json!({"type": 4}),
            json!({"type": 1, "repeat_interval": -1}),
            json!({"type": 1, "end_times": -2}),
            json!({"type": 2, "weekly_days": "2,8"}),
            json!({"type": 2, "weekly_days": "0"}),
            json!({"type": 2, "weekly_days": "MO"}),
            json!({"type": 3, "monthly_day": 32}),
            json!({"type": 3, "monthly_week": 5, "monthly_week_day": 1}),
            json!({"type": 3, "monthly_week": 1}),
        ] {
            assert_eq!(rule(&wire), None, "{wire}");
        }
    }

    #[test]
    fn a_rule_tells_the_days_that_it_gives() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (wire, gives, not) in [
            (json!({"type": 2, "weekly_days": "1,4"}), "2026-03-04", "2026-03-02"),
            (json!({"type": 3, "monthly_day": 31}), "2026-03-31", "2026-04-30"),
            (json!({"type": 3, "monthly_week": -1, "monthly_week_day": 6}), "2026-03-27", "2026-03-20"),
            (json!({"type": 3, "monthly_week": 1, "monthly_week_day": 1}), "2026-03-01", "2026-03-08"),
            (json!({"type": 3, "monthly_week": 4, "monthly_week_day": 1}), "2026-03-22", "2026-03-29"),
        ] {
            let rule = rule(&wire).unwrap();
            assert!(rule.gives(day(gives)) && !rule.gives(day(not)), "{wire}");
        }
        assert!(rule(&json!({"type": 1})).unwrap().gives(day("2026-03-02")));
    }
}
