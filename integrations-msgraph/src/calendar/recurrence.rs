//! How does a `patternedRecurrence` read as a rule of iCalendar (RFC 5545)?
//!
//! A word that is not in Graph's list stands in the rule where its own would: whoever works the rule out then
//! says that it cannot, instead of giving wrong days.
//!
//! Outlook has a monthly event on the 31st in every month, on the last day of the shorter ones, where
//! `BYMONTHDAY=31` would leave those out. Of days that not every month has, the rule gives the last there is.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use integrations_core::model::{EventTime, ZonedTime};

use super::wire::{WirePattern, WireRange, WireRecurrence};

/// `(Graph's word, FREQ)`.
const TYPES: &[(&str, &str)] = &[
    ("daily", "DAILY"),
    ("weekly", "WEEKLY"),
    ("absoluteMonthly", "MONTHLY"),
    ("relativeMonthly", "MONTHLY"),
    ("absoluteYearly", "YEARLY"),
    ("relativeYearly", "YEARLY"),
];

/// `(Graph's word, the day in BYDAY and WKST)`.
const DAYS: &[(&str, &str)] = &[
    ("sunday", "SU"),
    ("monday", "MO"),
    ("tuesday", "TU"),
    ("wednesday", "WE"),
    ("thursday", "TH"),
    ("friday", "FR"),
    ("saturday", "SA"),
];

/// `(Graph's word, which of the month)`.
const INDEXES: &[(&str, &str)] =
    &[("first", "1"), ("second", "2"), ("third", "3"), ("fourth", "4"), ("last", "-1")];

/// The value of the RRULE. `start` is that of the series, in the zone in which it repeats.
pub(super) fn rule(recurrence: &WireRecurrence, start: &EventTime) -> String {
    let WirePattern { kind, interval, month, day_of_month, days_of_week, first_day_of_week, index } =
        &recurrence.pattern;
    let kind = kind.as_deref().unwrap_or_default();
    let mut rule = format!("FREQ={}", word(TYPES, kind));
    if let Some(interval @ 2..) = interval {
        put(&mut rule, "INTERVAL", interval);
    }
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    let yearly = is("absoluteYearly") || is("relativeYearly");
    // What is missing, or zero, is that of the start (RFC 5545, 3.3.10).
    let month = month.filter(|month| yearly && *month > 0);
    if let Some(month) = month {
        put(&mut rule, "BYMONTH", month);
    }
    if is("absoluteMonthly") || is("absoluteYearly") {
        if let Some(day @ 1..) = day_of_month {
            put_month_day(&mut rule, month, yearly, *day);
        }
    } else if let Some(days) = days_of_week.as_deref().filter(|days| !days.is_empty() && !is("daily")) {
        let days: Vec<_> = days.iter().map(|day| word(DAYS, day)).collect();
        let relative = is("relativeMonthly") || is("relativeYearly");
        let nth = relative.then(|| word(INDEXES, index.as_deref().unwrap_or("first")));
        match (&nth, &days[..]) {
            (Some(nth), [day]) if nth.parse::<i8>().is_ok() => put(&mut rule, "BYDAY", format!("{nth}{day}")),
            (nth, days) => {
                put(&mut rule, "BYDAY", days.join(","));
                if let Some(nth) = nth {
                    put(&mut rule, "BYSETPOS", nth);
                }
            }
        }
    }
    if is("weekly") {
        // Without one, RFC 5545 has Monday, and Graph has Sunday.
        put(&mut rule, "WKST", word(DAYS, first_day_of_week.as_deref().unwrap_or("sunday")));
    }
    if let Some(range) = &recurrence.range {
        put_end(&mut rule, range, start);
    }
    rule
}

fn put(rule: &mut String, name: &str, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(rule, ";{name}={value}");
}

/// A day of the month, or the last one where there is no such day.
fn put_month_day(rule: &mut String, month: Option<u32>, yearly: bool, day: u32) {
    let (shortest, longest) = match month.filter(|_| yearly) {
        Some(2) => (28, 29),
        Some(4 | 6 | 9 | 11) => (30, 30),
        Some(_) => (31, 31),
        None => (28, 31),
    };
    match day {
        // No month has it: the rule is refused by whoever reads it.
        32.. => put(rule, "BYMONTHDAY", day),
        day if day <= shortest => put(rule, "BYMONTHDAY", day),
        day if day >= longest => put(rule, "BYMONTHDAY", -1),
        day => {
            let days: Vec<_> = (shortest..=day).map(|day| day.to_string()).collect();
            put(rule, "BYMONTHDAY", days.join(","));
            put(rule, "BYSETPOS", -1);
        }
    }
}

fn put_end(rule: &mut String, range: &WireRange, start: &EventTime) {
    let kind = range.kind.as_deref().unwrap_or("noEnd");
    if kind.eq_ignore_ascii_case("noEnd") {
        return;
    }
    if kind.eq_ignore_ascii_case("numbered") {
        put(rule, "COUNT", range.number_of_occurrences.unwrap_or(0));
    } else if !kind.eq_ignore_ascii_case("endDate") {
        put(rule, "UNTIL", sane(kind));
    } else if let Some(last) = range.end_date.filter(|last| is_meant(*last)) {
        match start {
            EventTime::Day { .. } => put(rule, "UNTIL", last.format("%Y%m%d")),
            EventTime::At(start) => put(rule, "UNTIL", end_of(last, start)),
        }
    }
}

/// Graph's day for none is in the year 1; an end in the last of all years is none either.
fn is_meant(day: NaiveDate) -> bool {
    (2..9998).contains(&day.year())
}

/// The last second of a day in the zone of a series, in UTC.
fn end_of(day: NaiveDate, start: &ZonedTime) -> String {
    let next = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
    let midnight = match start.zone.iana() {
        Some(zone) => ZonedTime::at_wall(next, zone).at.to_utc(),
        None => (next - *start.at.offset()).and_utc(),
    };
    (midnight - TimeDelta::seconds(1)).format("%Y%m%dT%H%M%SZ").to_string()
}

/// The EXDATE line of the days on which a series does not take place, if there are any.
pub(super) fn exdate(mut days: Vec<NaiveDate>) -> Option<String> {
    days.sort_unstable();
    days.dedup();
    let days: Vec<_> = days.iter().map(|day| day.format("%Y%m%d").to_string()).collect();
    (!days.is_empty()).then(|| format!("EXDATE;VALUE=DATE:{}", days.join(",")))
}

/// The day on which an occurrence was to take place, by its `originalStart`. That of an all-day one is midnight
/// in UTC, or in the zone it was made in; whichever it is, it is no more than a day's half away.
pub(super) fn original_day(at: DateTime<Utc>, zone: Option<Tz>) -> NaiveDate {
    let local = zone.map(|zone| zone.from_utc_datetime(&at.naive_utc()).naive_local());
    let midnight =
        [Some(at.naive_utc()), local].into_iter().flatten().find(|time| time.time() == NaiveTime::MIN);
    midnight.unwrap_or(at.naive_utc() + TimeDelta::hours(12)).date()
}

/// The word of iCalendar for one of Graph's; one that is not in the list stays, as far as a rule can hold it.
fn word(table: &[(&str, &'static str)], word: &str) -> String {
    let known = table.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map_or_else(|| sane(word), |(_, ours)| (*ours).to_owned())
}

fn sane(word: &str) -> String {
    let kept = word.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').take(40);
    let kept: String = kept.map(|letter| letter.to_ascii_uppercase()).collect();
    if kept.is_empty() { "UNKNOWN".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule_of(pattern: Value, range: Value, start: &EventTime) -> String {
        let parts = [("pattern".to_owned(), pattern), ("range".to_owned(), range)];
        rule(&serde_json::from_value(Value::from_iter(parts)).unwrap(), start)
    }

    fn day() -> EventTime {
        EventTime::day("2026-01-31".parse().unwrap())
    }

    #[test]
    fn each_pattern_has_its_rule() {
        let none = || json!({"type": "noEnd", "startDate": "2026-01-31", "endDate": "0001-01-01"});
        let zeros = |mut pattern: Value| {
            for (name, value) in [("month", json!(0)), ("dayOfMonth", json!(0)), ("index", json!("first"))] {
                pattern.as_object_mut().unwrap().entry(name).or_insert(value);
            }
            pattern
        };
        let five = json!(["monday", "tuesday", "wednesday", "thursday", "friday"]);
        for (pattern, expected) in [
            (json!({"type": "daily", "interval": 3, "daysOfWeek": []}), "FREQ=DAILY;INTERVAL=3"),
            (
                json!({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "monday"], "firstDayOfWeek": "monday"}),
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO",
            ),
            (
                json!({"type": "weekly", "interval": 1, "daysOfWeek": ["Friday"]}),
                "FREQ=WEEKLY;BYDAY=FR;WKST=SU",
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 28}),
                "FREQ=MONTHLY;BYMONTHDAY=28",
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 29}),
                "FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1",
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 30}),
                "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
                "FREQ=MONTHLY;BYMONTHDAY=-1",
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "second"}),
                "FREQ=MONTHLY;BYDAY=2TU",
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": five, "index": "last"}),
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            ),
            (
                json!({"type": "absoluteYearly", "interval": 1, "month": 2, "dayOfMonth": 29}),
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
            ),
            (
                json!({"type": "absoluteYearly", "interval": 1, "month": 4, "dayOfMonth": 31}),
                "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=-1",
            ),
            (
                json!({"type": "absoluteYearly", "interval": 1, "month": 12, "dayOfMonth": 31}),
                "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31",
            ),
            (
                json!({"type": "relativeYearly", "interval": 1, "month": 11, "daysOfWeek": ["thursday"], "index": "fourth"}),
                "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            ),
        ] {
            assert_eq!(rule_of(zeros(pattern.clone()), none(), &day()), expected, "{pattern}");
        }
    }

    #[test]
    fn a_range_ends_with_its_day_in_the_zone_of_the_series() {
        let daily = || json!({"type": "daily", "interval": 1});
        let until = |day: &str| json!({"type": "endDate", "startDate": "2026-01-31", "endDate": day});
        assert_eq!(rule_of(daily(), until("2026-03-08"), &day()), "FREQ=DAILY;UNTIL=20260308");
        assert_eq!(rule_of(daily(), until("0001-01-01"), &day()), "FREQ=DAILY");
        let at = "2026-01-31T12:00:00Z".parse().unwrap();
        for (zone, last, expected) in [
            // The clocks change on that day.
            (chrono_tz::America::New_York, "2026-03-08", "20260309T035959Z"),
            (chrono_tz::Asia::Tokyo, "2026-03-08", "20260308T145959Z"),
            // The next day has no midnight.
            (chrono_tz::Africa::Cairo, "2026-04-23", "20260423T215959Z"),
        ] {
            let start = EventTime::At(ZonedTime::in_iana(at, zone));
            let rule = rule_of(daily(), until(last), &start);
            assert_eq!(rule, format!("FREQ=DAILY;UNTIL={expected}"));
        }
        let count = json!({"type": "numbered", "startDate": "2026-01-31", "numberOfOccurrences": 7});
        assert_eq!(rule_of(daily(), count, &day()), "FREQ=DAILY;COUNT=7");
    }

    #[test]
    fn a_word_that_nobody_knows_stands_where_its_own_would() {
        let range = |kind: &str| json!({"type": kind, "startDate": "2026-01-31"});
        for (pattern, kind, expected) in [
            (json!({"type": "lunar", "interval": 1}), "noEnd", "FREQ=LUNAR"),
            (json!({"type": "a;COUNT=1\r\nX"}), "noEnd", "FREQ=ACOUNT1X"),
            (
                json!({"type": "weekly", "daysOfWeek": ["caturday"]}),
                "noEnd",
                "FREQ=WEEKLY;BYDAY=CATURDAY;WKST=SU",
            ),
            (
                json!({"type": "relativeMonthly", "daysOfWeek": ["monday"], "index": "fifth"}),
                "noEnd",
                "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=FIFTH",
            ),
            (json!({"type": "daily"}), "whenever", "FREQ=DAILY;UNTIL=WHENEVER"),
            (json!({}), "noEnd", "FREQ=UNKNOWN"),
        ] {
            assert_eq!(rule_of(pattern, range(kind), &day()), expected);
        }
    }

    #[test]
    fn the_day_of_an_all_day_occurrence_is_told_from_any_midnight() {
        for (at, zone, expected) in [
            ("2026-03-09T00:00:00Z", Some(chrono_tz::America::New_York), "2026-03-09"),
            ("2026-03-08T23:00:00Z", Some(chrono_tz::Europe::Berlin), "2026-03-09"),
            ("2026-03-09T04:00:00Z", Some(chrono_tz::America::New_York), "2026-03-09"),
            ("2026-03-08T15:00:00Z", None, "2026-03-09"),
            ("2026-03-09T07:00:00Z", None, "2026-03-09"),
        ] {
            assert_eq!(original_day(at.parse().unwrap(), zone).to_string(), expected, "{at}");
        }
    }

    #[test]
    fn days_without_it_stand_in_one_line() {
        let days = ["2026-03-16", "2026-03-09", "2026-03-16"].map(|day| day.parse().unwrap());
        assert_eq!(exdate(days.to_vec()).unwrap(), "EXDATE;VALUE=DATE:20260309,20260316");
        assert_eq!(exdate(Vec::new()), None);
    }
}
