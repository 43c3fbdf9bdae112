//! On which days does a series take place?
//!
//! The fake's own reading of `patternedRecurrence`. A rule repeats in periods (days, weeks, months, years) of
//! which every one but the first has the same number of dates, so an expansion can begin anywhere without
//! counting from the start. A day of the month that a month does not have is its last one, as in Outlook.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use serde_json::Value;

use crate::msgraph::errors::Refusal;
use crate::msgraph::text::{put, put_date, put_number};

const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const INDEXES: [&str; 5] = ["first", "second", "third", "fourth", "last"];

/// A set of weekdays, Sunday in the lowest bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DaySet(u8);

impl DaySet {
    pub(super) fn of(days: &[Weekday]) -> Self {
        Self(days.iter().fold(0, |set, day| set | 1 << day.num_days_from_sunday()))
    }

    fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.num_days_from_sunday()) != 0
    }

    const fn len(self) -> u32 {
        self.0.count_ones()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    Daily,
    Weekly {
        days: DaySet,
        week_start: Weekday,
    },
    AbsoluteMonthly {
        day: u32,
    },
    /// `index` counts from 0; 4 is the last.
    RelativeMonthly {
        days: DaySet,
        index: usize,
    },
    AbsoluteYearly {
        month: u32,
        day: u32,
    },
    RelativeYearly {
        month: u32,
        days: DaySet,
        index: usize,
    },
}

/// When a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    NoEnd,
    EndDate(NaiveDate),
    Numbered(u32),
}

/// When a series repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    pub(super) interval: u32,
    pub(super) first: NaiveDate,
    pub(super) range: Range,
}

impl Rule {
    /// Reads a `patternedRecurrence`.
    pub(super) fn parse(recurrence: &Value) -> Result<Self, Refusal> {
        let (pattern, range) = (&recurrence["pattern"], &recurrence["range"]);
        let wrong = |what: &str| {
            let part = if what.starts_with("range") { "Range" } else { "Pattern" };
            let code = format!("ErrorInvalidRecurrence{part}");
            Refusal::new(400, code, format!("The recurrence is not valid: {what}."))
        };
        let number = |part: &Value, name: &str| part[name].as_u64().and_then(|n| u32::try_from(n).ok());
        let within = |name: &str, most: u32| {
            number(pattern, name)
                .filter(|n| (1..=most).contains(n))
                .ok_or_else(|| wrong(&format!("pattern.{name}")))
        };
        let days = || days(&pattern["daysOfWeek"]).ok_or_else(|| wrong("pattern.daysOfWeek"));
        let index = || match &pattern["index"] {
            Value::Null => Ok(0),
            name => INDEXES.iter().position(|known| name == known).ok_or_else(|| wrong("pattern.index")),
        };
        let week_start = || match &pattern["firstDayOfWeek"] {
            Value::Null => Ok(Weekday::Sun),
            name => weekday(name).ok_or_else(|| wrong("pattern.firstDayOfWeek")),
        };
        let kind = match pattern["type"].as_str() {
            Some("daily") => Pattern::Daily,
            Some("weekly") => Pattern::Weekly { days: days()?, week_start: week_start()? },
            Some("absoluteMonthly") => Pattern::AbsoluteMonthly { day: within("dayOfMonth", 31)? },
            Some("relativeMonthly") => Pattern::RelativeMonthly { days: days()?, index: index()? },
            Some("absoluteYearly") => {
                Pattern::AbsoluteYearly { month: within("month", 12)?, day: within("dayOfMonth", 31)? }
            }
            Some("relativeYearly") => {
                Pattern::RelativeYearly { month: within("month", 12)?, days: days()?, index: index()? }
            }
            _ => return Err(wrong("pattern.type")),
        };
        let date = |name: &str| range[name].as_str().and_then(|text| text.parse::<NaiveDate>().ok());
        let first = date("startDate").ok_or_else(|| wrong("range.startDate"))?;
        let end = match range["type"].as_str() {
            Some("noEnd") => Range::NoEnd,
            Some("endDate") => {
                let last = date("endDate").filter(|last| *last >= first);
                Range::EndDate(last.ok_or_else(|| wrong("range.endDate"))?)
            }
            Some("numbered") => {
                let count = number(range, "numberOfOccurrences").filter(|count| *count > 0);
                Range::Numbered(count.ok_or_else(|| wrong("range.numberOfOccurrences"))?)
            }
            _ => return Err(wrong("range.type")),
        };
        Ok(Self { pattern: kind, interval: within("interval", 999)?, first, range: end })
    }

    /// Its dates from a day on, in order.
    pub(super) fn dates(&self, from: NaiveDate) -> Dates<'_> {
        let period = self.period_of(from).saturating_sub(1);
        Dates { rule: self, from, period, position: self.before(period), ready: Vec::new() }
    }

    pub(super) fn has(&self, date: NaiveDate) -> bool {
        self.dates(date).next() == Some(date)
    }

    /// The period that a day lies in; that of a day before the start is the first.
    fn period_of(&self, date: NaiveDate) -> u32 {
        let days = |from: NaiveDate| (date - from).num_days();
        let months = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
        let units = match self.pattern {
            Pattern::Daily => days(self.first),
            Pattern::Weekly { week_start, .. } => days(self.first.week(week_start).first_day()) / 7,
            Pattern::AbsoluteMonthly { .. } | Pattern::RelativeMonthly { .. } => {
                months(date) - months(self.first)
            }
            Pattern::AbsoluteYearly { .. } | Pattern::RelativeYearly { .. } => {
                i64::from(date.year()) - i64::from(self.first.year())
            }
        };
        u32::try_from(units.max(0) / i64::from(self.interval)).unwrap_or(u32::MAX)
    }

    /// How many dates lie before a period.
    fn before(&self, period: u32) -> u32 {
        let Some(whole) = period.checked_sub(1) else { return 0 };
        let each = match self.pattern {
            Pattern::Weekly { days, .. } => days.len(),
            _ => 1,
        };
        let first = u32::try_from(self.period(0).map_or(0, |dates| dates.len())).unwrap_or(0);
        whole.saturating_mul(each).saturating_add(first)
    }

    /// The dates of a period; `None` when the calendar does not reach as far.
    fn period(&self, period: u32) -> Option<Vec<NaiveDate>> {
        let units = period.checked_mul(self.interval)?;
        let mut dates = match self.pattern {
            Pattern::Daily => vec![self.first.checked_add_days(Days::new(u64::from(units)))?],
            Pattern::Weekly { days, week_start } => {
                let week = self.first.week(week_start).first_day();
                let week = week.checked_add_days(Days::new(u64::from(units) * 7))?;
                week.iter_days().take(7).filter(|day| days.has(day.weekday())).collect()
            }
            Pattern::AbsoluteMonthly { day } => {
                let month = self.first.month0() + units;
                vec![clamped(self.first.year() + i32::try_from(month / 12).ok()?, month % 12 + 1, day)?]
            }
            Pattern::RelativeMonthly { days, index } => {
                let month = self.first.month0() + units;
                vec![relative(
                    self.first.year() + i32::try_from(month / 12).ok()?,
                    month % 12 + 1,
                    days,
                    index,
                )?]
            }
            Pattern::AbsoluteYearly { month, day } => {
                vec![clamped(self.first.year() + i32::try_from(units).ok()?, month, day)?]
            }
            Pattern::RelativeYearly { month, days, index } => {
                vec![relative(self.first.year() + i32::try_from(units).ok()?, month, days, index)?]
            }
        };
        if period == 0 {
            dates.retain(|date| *date >= self.first);
        }
        Some(dates)
    }

    /// Appends it as Graph writes it, with every property that the pattern does not use at its zero.
    pub(super) fn put(&self, out: &mut Vec<u8>, zone_name: &str) {
        let (name, month, day, days, week_start, index) = match self.pattern {
            Pattern::Daily => ("daily", 0, 0, None, Weekday::Sun, 0),
            Pattern::Weekly { days, week_start } => ("weekly", 0, 0, Some(days), week_start, 0),
            Pattern::AbsoluteMonthly { day } => ("absoluteMonthly", 0, day, None, Weekday::Sun, 0),
            Pattern::RelativeMonthly { days, index } => {
                ("relativeMonthly", 0, 0, Some(days), Weekday::Sun, index)
            }
            Pattern::AbsoluteYearly { month, day } => ("absoluteYearly", month, day, None, Weekday::Sun, 0),
            Pattern::RelativeYearly { month, days, index } => {
                ("relativeYearly", month, 0, Some(days), Weekday::Sun, index)
            }
        };
        put!(out, r#"{"pattern":{"type":""#, name, r#"","interval":"#);
        put_number(out, u64::from(self.interval), 1);
        put!(out, r#","month":"#);
        put_number(out, u64::from(month), 1);
        put!(out, r#","dayOfMonth":"#);
        put_number(out, u64::from(day), 1);
        if let Some(days) = days {
            put!(out, r#","daysOfWeek":["#);
            let names = (0..7).filter(|day| days.0 & (1 << day) != 0).map(|day| DAYS[day]);
            for (number, name) in names.enumerate() {
                put!(out, if number == 0 { "\"" } else { ",\"" }, name, "\"");
            }
            put!(out, "]");
        }
        let week_start = DAYS[week_start.num_days_from_sunday() as usize];
        put!(out, r#","firstDayOfWeek":""#, week_start, r#"","index":""#, INDEXES[index], "\"}");

        let (name, last, count) = match self.range {
            Range::NoEnd => ("noEnd", None, 0),
            Range::EndDate(last) => ("endDate", Some(last), 0),
            Range::Numbered(count) => ("numbered", None, count),
        };
        put!(out, r#","range":{"type":""#, name, r#"","startDate":""#);
        put_date(out, &self.first);
        put!(out, r#"","endDate":""#);
        match last {
            Some(last) => put_date(out, &last),
            None => put!(out, "0001-01-01"),
        }
        put!(out, r#"","recurrenceTimeZone":""#, zone_name, r#"","numberOfOccurrences":"#);
        put_number(out, u64::from(count), 1);
        put!(out, "}}");
    }
}

fn days(names: &Value) -> Option<DaySet> {
    let days: Option<Vec<Weekday>> = names.as_array()?.iter().map(weekday).collect();
    days.filter(|days| !days.is_empty()).map(|days| DaySet::of(&days))
}

fn weekday(name: &Value) -> Option<Weekday> {
    let number =
        DAYS.iter().position(|known| name.as_str().is_some_and(|n| n.eq_ignore_ascii_case(known)))?;
    Weekday::try_from(u8::try_from((number + 6) % 7).ok()?).ok()
}

fn last_of_month(year: i32, month: u32) -> Option<NaiveDate> {
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)?.pred_opt()
}

fn clamped(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).or_else(|| last_of_month(year, month))
}

/// The n-th day of a month that is one of these weekdays.
fn relative(year: i32, month: u32, days: DaySet, index: usize) -> Option<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let last = last_of_month(year, month)?;
    let mut matching = first.iter_days().take_while(|day| *day <= last).filter(|day| days.has(day.weekday()));
    if index == 4 { matching.last() } else { matching.nth(index) }
}

/// The dates of a rule.
#[derive(Debug)]
pub(super) struct Dates<'a> {
    rule: &'a Rule,
    from: NaiveDate,
    period: u32,
    /// How many dates of the series lie before those in `ready`.
    position: u32,
    /// In reverse order.
    ready: Vec<NaiveDate>,
}

impl Iterator for Dates<'_> {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        loop {
            while let Some(date) = self.ready.pop() {
                let over = match self.rule.range {
                    Range::NoEnd => false,
                    Range::EndDate(last) => date > last,
                    Range::Numbered(count) => self.position >= count,
                };
                if over {
                    return None;
                }
                self.position += 1;
                if date >= self.from {
                    return Some(date);
                }
            }
            self.ready = self.rule.period(self.period)?;
            self.ready.reverse();
            self.period += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn rule(pattern: &Value, range: &Value) -> Rule {
        Rule::parse(&json!({"pattern": pattern, "range": range})).unwrap()
    }

    fn no_end(first: &str) -> Value {
        json!({"type": "noEnd", "startDate": first})
    }

    fn dates(rule: &Rule, from: &str, count: usize) -> Vec<String> {
        rule.dates(day(from)).take(count).map(|date| date.to_string()).collect()
    }

    #[test]
    fn each_pattern_has_its_days() {
        let weekly = json!({"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "sunday"], "firstDayOfWeek": "monday"});
        let rows = [
            (
                json!({"type": "daily", "interval": 3}),
                "2026-02-27",
                ["2026-02-27", "2026-03-02", "2026-03-05"],
            ),
            (weekly, "2026-03-01", ["2026-03-01", "2026-03-09", "2026-03-15"]),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
                "2026-01-31",
                ["2026-01-31", "2026-02-28", "2026-03-31"],
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "second"}),
                "2026-03-10",
                ["2026-03-10", "2026-04-14", "2026-05-12"],
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"], "index": "last"}),
                "2026-01-30",
                ["2026-01-30", "2026-02-27", "2026-03-31"],
            ),
            (
                json!({"type": "absoluteYearly", "interval": 1, "month": 2, "dayOfMonth": 29}),
                "2024-02-29",
                ["2024-02-29", "2025-02-28", "2026-02-28"],
            ),
            (
                json!({"type": "relativeYearly", "interval": 2, "month": 11, "daysOfWeek": ["thursday"], "index": "fourth"}),
                "2026-11-26",
                ["2026-11-26", "2028-11-23", "2030-11-28"],
            ),
        ];
        for (pattern, first, expected) in rows {
            assert_eq!(dates(&rule(&pattern, &no_end(first)), first, 3), expected, "{pattern}");
        }
    }

    #[test]
    fn the_first_day_of_the_week_says_which_weeks_count() {
        let pattern = |first: &str| json!({"type": "weekly", "interval": 2, "daysOfWeek": ["tuesday", "sunday"], "firstDayOfWeek": first});
        let by_monday = dates(&rule(&pattern("monday"), &no_end("1997-08-05")), "1997-08-05", 4);
        assert_eq!(by_monday, ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]);
        let by_sunday = dates(&rule(&pattern("sunday"), &no_end("1997-08-05")), "1997-08-05", 4);
        assert_eq!(by_sunday, ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]);
    }

    #[test]
    fn an_expansion_that_begins_later_goes_on_as_one_from_the_start() {
        let patterns = [
            json!({"type": "daily", "interval": 4}),
            json!({"type": "weekly", "interval": 3, "daysOfWeek": ["monday", "wednesday", "saturday"], "firstDayOfWeek": "wednesday"}),
            json!({"type": "absoluteMonthly", "interval": 5, "dayOfMonth": 30}),
            json!({"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["friday"], "index": "first"}),
            json!({"type": "absoluteYearly", "interval": 1, "month": 1, "dayOfMonth": 2}),
            json!({"type": "relativeYearly", "interval": 3, "month": 6, "daysOfWeek": ["sunday"], "index": "third"}),
        ];
        for pattern in patterns {
            let range = json!({"type": "numbered", "startDate": "2024-01-10", "numberOfOccurrences": 40});
            let rule = rule(&pattern, &range);
            let all: Vec<NaiveDate> = rule.dates(day("2020-01-01")).collect();
            assert_eq!(all.len(), 40, "{pattern}");
            for from in day("2024-01-01").iter_days().take(900) {
                let rest: Vec<NaiveDate> = rule.dates(from).collect();
                let wanted: Vec<NaiveDate> = all.iter().copied().filter(|date| *date >= from).collect();
                assert_eq!(rest, wanted, "{pattern} from {from}");
            }
            assert!(all.iter().all(|date| rule.has(*date)) && !rule.has(all[39].succ_opt().unwrap()));
        }
    }

    #[test]
    fn a_range_ends_on_its_last_day() {
        let range = json!({"type": "endDate", "startDate": "2026-03-02", "endDate": "2026-03-16"});
        let weekly = json!({"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]});
        assert_eq!(
            dates(&rule(&weekly, &range), "2026-03-01", 9),
            ["2026-03-02", "2026-03-09", "2026-03-16"]
        );
    }

    #[test]
    fn it_is_written_as_graph_writes_it() {
        let weekly = json!({"type": "weekly", "interval": 1, "daysOfWeek": ["friday", "monday"]});
        let rule = rule(&weekly, &no_end("2016-09-12"));
        let mut out = Vec::new();
        rule.put(&mut out, "FLE Standard Time");
        let written: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            written,
            json!({
                "pattern": {"type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday", "friday"], "firstDayOfWeek": "sunday", "index": "first"},
                "range": {"type": "noEnd", "startDate": "2016-09-12", "endDate": "0001-01-01", "recurrenceTimeZone": "FLE Standard Time", "numberOfOccurrences": 0},
            })
        );
        assert_eq!(Rule::parse(&written).unwrap(), rule);
    }

    #[test]
    fn what_is_no_recurrence_is_refused() {
        let code = |pattern: Value, range: Value| {
            let refused = Rule::parse(&json!({"pattern": pattern, "range": range})).unwrap_err();
            refused.code.into_owned()
        };
        let good = || no_end("2026-03-02");
        for pattern in [
            json!({"type": "hourly", "interval": 1}),
            json!({"type": "daily", "interval": 0}),
            json!({"type": "weekly", "interval": 1}),
            json!({"type": "weekly", "interval": 1, "daysOfWeek": ["caturday"]}),
            json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 32}),
            json!({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday"], "index": "first"}),
        ] {
            assert_eq!(code(pattern.clone(), good()), "ErrorInvalidRecurrencePattern", "{pattern}");
        }
        let daily = || json!({"type": "daily", "interval": 1});
        for range in [
            json!({"type": "endDate", "startDate": "2026-03-02", "endDate": "2026-03-01"}),
            json!({"type": "numbered", "startDate": "2026-03-02"}),
            json!({"type": "noEnd"}),
        ] {
            assert_eq!(code(daily(), range.clone()), "ErrorInvalidRecurrenceRange", "{range}");
        }
    }
}
