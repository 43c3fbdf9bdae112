//! When does a recurring meeting take place?
//!
//! The fake's own reading of `recurrence`: a rule names days, the first start names the time of day in the
//! meeting's zone. A month that does not have the day has no meeting.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::time::{in_zone, text};

/// No series has more meetings than this; Zoom documents fewer.
const MOST: usize = 1_000;
/// After so many days, weeks or months without a meeting no further one is looked for.
const PATIENCE: u32 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pattern {
    Daily,
    /// Sunday in the lowest bit.
    Weekly(u8),
    MonthDay(u32),
    /// The week, -1 for the last, and the day from 0, which is Sunday.
    MonthWeek(i64, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Times(u32),
    Until(DateTime<Utc>),
}

/// When a series repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recurrence {
    pattern: Pattern,
    interval: u32,
    end: End,
}

impl Recurrence {
    /// Reads a `recurrence`; `None` when it is none.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        let number = |name: &str| value[name].as_u64().and_then(|number| u32::try_from(number).ok());
        let pattern = match number("type")? {
            1 => Pattern::Daily,
            2 => {
                let day = |text: &str| text.trim().parse::<u8>().ok().filter(|day| (1..=7).contains(day));
                let days: Option<Vec<u8>> = value["weekly_days"].as_str()?.split(',').map(day).collect();
                Pattern::Weekly(days?.iter().fold(0, |set, day| set | 1 << (day - 1)))
            }
            3 => {
                if let Some(day) = number("monthly_day") {
                    Pattern::MonthDay(Some(day).filter(|day| (1..=31).contains(day))?)
                } else {
                    let week = value["monthly_week"].as_i64().filter(|week| matches!(week, -1 | 1..=4))?;
                    let day = number("monthly_week_day").filter(|day| (1..=7).contains(day))?;
                    Pattern::MonthWeek(week, day - 1)
                }
            }
            _ => return None,
        };
        let end = match (number("end_times"), value["end_date_time"].as_str()) {
            (Some(times), None) => End::Times(times),
            (None, Some(until)) => End::Until(DateTime::parse_from_rfc3339(until).ok()?.to_utc()),
            _ => return None,
        };
        let interval = if value["repeat_interval"].is_null() { 1 } else { number("repeat_interval")? };
        Some(Self { pattern, interval: Some(interval).filter(|interval| *interval > 0)?, end })
    }

    /// As Zoom writes it.
    pub(super) fn show(&self) -> Value {
        let mut value = match self.pattern {
            Pattern::Daily => json!({"type": 1}),
            Pattern::Weekly(days) => {
                let days: Vec<_> =
                    (0..7).filter(|day| days & (1 << day) != 0).map(|day| (day + 1).to_string()).collect();
                json!({"type": 2, "weekly_days": days.join(",")})
            }
            Pattern::MonthDay(day) => json!({"type": 3, "monthly_day": day}),
            Pattern::MonthWeek(week, day) => {
                json!({"type": 3, "monthly_week": week, "monthly_week_day": day + 1})
            }
        };
        value["repeat_interval"] = json!(self.interval);
        match self.end {
            End::Times(times) => value["end_times"] = json!(times),
            End::Until(until) => value["end_date_time"] = json!(text(until)),
        }
        value
    }

    /// Every start, the first one at `first` or on the first day after it that the rule names.
    pub(super) fn starts(&self, first: DateTime<Utc>, zone: Tz) -> Vec<DateTime<Utc>> {
        let local = first.with_timezone(&zone).naive_local();
        let mut starts = Vec::new();
        let mut empty = 0;
        for period in 0_u32.. {
            let Some(dates) = self.period(local.date(), period) else { break };
            empty = if dates.is_empty() { empty + 1 } else { 0 };
            for date in dates.into_iter().filter(|date| *date >= local.date()) {
                let start = in_zone(date.and_time(local.time()), zone);
                let over = match self.end {
                    End::Times(times) => starts.len() >= times as usize,
                    End::Until(until) => start > until,
                };
                if over || starts.len() >= MOST {
                    return starts;
                }
                starts.push(start);
            }
            if empty > PATIENCE {
                break;
            }
        }
        starts
    }

    /// The days of a period; `None` when the calendar does not reach as far.
    fn period(&self, first: NaiveDate, period: u32) -> Option<Vec<NaiveDate>> {
        let units = period.checked_mul(self.interval)?;
        Some(match self.pattern {
            Pattern::Daily => vec![first.checked_add_days(Days::new(u64::from(units)))?],
            Pattern::Weekly(days) => {
                let sunday =
                    first.checked_sub_days(Days::new(u64::from(first.weekday().num_days_from_sunday())))?;
                let sunday = sunday.checked_add_days(Days::new(u64::from(units) * 7))?;
                let named = |date: &NaiveDate| days & (1 << date.weekday().num_days_from_sunday()) != 0;
                sunday.iter_days().take(7).filter(named).collect()
            }
            Pattern::MonthDay(day) => {
                let (year, month) = month_after(first, units)?;
                NaiveDate::from_ymd_opt(year, month, day).into_iter().collect()
            }
            Pattern::MonthWeek(week, day) => {
                let (year, month) = month_after(first, units)?;
                let begin = NaiveDate::from_ymd_opt(year, month, 1)?;
                let within = |date: &NaiveDate| date.month() == month;
                let named: Vec<_> = begin
                    .iter_days()
                    .take_while(within)
                    .filter(|date| date.weekday().num_days_from_sunday() == day)
                    .collect();
                let index = if week < 0 { named.len() - 1 } else { usize::try_from(week - 1).ok()? };
                named.get(index).copied().into_iter().collect()
            }
        })
    }
}

/// The year and the month that come so many months after a day's.
fn month_after(day: NaiveDate, months: u32) -> Option<(i32, u32)> {
    let months = day.month0().checked_add(months)?;
    Some((day.year().checked_add(i32::try_from(months / 12).ok()?)?, months % 12 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(rule: &Value, first: &str, zone: Tz) -> Vec<String> {
        let first = DateTime::parse_from_rfc3339(first).unwrap().to_utc();
        Recurrence::parse(rule).unwrap().starts(first, zone).into_iter().map(text).collect()
    }

    #[test]
    fn each_pattern_has_its_days() {
        let rows = [
            (
                json!({"type": 1, "repeat_interval": 3, "end_times": 3}),
                ["2026-03-02T09:00:00Z", "2026-03-05T09:00:00Z", "2026-03-08T09:00:00Z"],
            ),
            // A Monday; every other week on Sundays and Wednesdays. The week begins with Sunday.
            (
                json!({"type": 2, "weekly_days": "1,4", "repeat_interval": 2, "end_times": 3}),
                ["2026-03-04T09:00:00Z", "2026-03-15T09:00:00Z", "2026-03-18T09:00:00Z"],
            ),
            (
                json!({"type": 3, "monthly_day": 31, "end_times": 3}),
                ["2026-03-31T09:00:00Z", "2026-05-31T09:00:00Z", "2026-07-31T09:00:00Z"],
            ),
            (
                json!({"type": 3, "monthly_week": -1, "monthly_week_day": 6, "repeat_interval": 1, "end_times": 3}),
                ["2026-03-27T09:00:00Z", "2026-04-24T09:00:00Z", "2026-05-29T09:00:00Z"],
            ),
            (
                json!({"type": 3, "monthly_week": 1, "monthly_week_day": 1, "repeat_interval": 2, "end_date_time": "2026-09-10T00:00:00Z"}),
                ["2026-05-03T09:00:00Z", "2026-07-05T09:00:00Z", "2026-09-06T09:00:00Z"],
            ),
        ];
        for (rule, expected) in rows {
            assert_eq!(starts(&rule, "2026-03-02T09:00:00Z", Tz::UTC), expected, "{rule}");
            assert_eq!(
                Recurrence::parse(&Recurrence::parse(&rule).unwrap().show()),
                Recurrence::parse(&rule)
            );
        }
    }

    #[test]
    fn the_time_of_day_stays_when_the_clocks_change() {
        let rule = json!({"type": 2, "weekly_days": "2", "end_times": 3});
        assert_eq!(
            starts(&rule, "2026-03-23T08:00:00Z", chrono_tz::Europe::Berlin),
            ["2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z", "2026-04-06T07:00:00Z"]
        );
    }

    #[test]
    fn what_is_no_recurrence_is_none() {
        for wrong in [
            json!({"type": 4, "end_times": 3}),
            json!({"type": 1}),
            json!({"type": 1, "end_times": 3, "end_date_time": "2026-05-01T00:00:00Z"}),
            json!({"type": 1, "end_times": 3, "repeat_interval": 0}),
            json!({"type": 2, "end_times": 3}),
            json!({"type": 2, "weekly_days": "0", "end_times": 3}),
            json!({"type": 3, "monthly_day": 32, "end_times": 3}),
            json!({"type": 3, "monthly_week": 5, "monthly_week_day": 1, "end_times": 3}),
        ] {
            assert_eq!(Recurrence::parse(&wrong), None, "{wrong}");
        }
    }
}
