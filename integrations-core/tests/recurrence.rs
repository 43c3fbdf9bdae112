//! Do series give the dates that other libraries and the RFC give, and agendas what a person sees?
#![cfg(feature = "recurrence")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests to us, but not to clippy")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use integrations_core::calendar::{Agenda, Limits, Starts, Window, agenda, occurrences};
use integrations_core::model::{Event, EventStatus, EventTime, Recurrence, Series, Zone, ZonedTime};
use integrations_core::{ErrorKind, Result};
use proptest::prelude::*;
use serde_json::Value;

// ---- the cases of other libraries -------------------------------------------------------------

/// Confirmed cases that do not agree, with the reason. The list is exact: a case that begins to agree
/// fails the test as one that ceases to does.
const KNOWN: &[(&str, &str)] = &[
    ("19fa9121af", "no date ever satisfies the rule, and the start counts all the same"),
    ("8cd7f981f8", "no date ever satisfies the rule, and the start counts all the same"),
    ("bf2eb0f4b3", "no date ever satisfies the rule, and the start counts all the same"),
];

/// The cases: facts from the test suites of eight libraries, kept outside the repository.
fn cases(file: &str) -> Option<Vec<Value>> {
    let path = format!("{}/../../shared/data/rrule/{file}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

fn wall(text: &str) -> NaiveDateTime {
    let text = text.trim_end_matches('Z');
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S")
        .unwrap_or_else(|_| NaiveDate::parse_from_str(text, "%Y%m%d").unwrap().into())
}

/// The master that a case describes. A floating one is planned in UTC.
fn master(case: &Value) -> Event {
    let text = case["dtstart"].as_str().unwrap();
    let start = if text.contains('T') {
        let zone: Tz = case["tzid"].as_str().unwrap_or("UTC").parse().unwrap();
        let at = zone.from_local_datetime(&wall(text)).earliest().unwrap();
        EventTime::At(ZonedTime::in_iana(at.to_utc(), zone))
    } else {
        EventTime::day(wall(text).date())
    };
    let mut event = Event::new("case", "cases", start);
    for (name, key) in [("RRULE", "rrule"), ("EXRULE", "exrule"), ("RDATE", "rdate"), ("EXDATE", "exdate")] {
        for value in words(&case[key]) {
            event.recurrence.push_line(format!("{name}:{value}"));
        }
    }
    event
}

fn shown(start: &EventTime) -> String {
    match start {
        EventTime::At(time) => time.at.naive_local().format("%Y%m%dT%H%M%S").to_string(),
        EventTime::Day { date } => date.format("%Y%m%d").to_string(),
    }
}

/// What a case expects of us. Its start always counts as the first occurrence here, so where the start
/// does not match the rule, it is put before the expected ones, and COUNT has one less for the rest.
fn expected(case: &Value) -> Vec<String> {
    let mut list: Vec<String> =
        words(&case["expected"]).into_iter().map(|text| text.trim_end_matches('Z').to_owned()).collect();
    let start = case["dtstart"].as_str().unwrap().trim_end_matches('Z').to_owned();
    if words(&case["tags"]).contains(&"dtstart-not-in-set") && !list.contains(&start) {
        let counted = words(&case["rrule"]).iter().any(|rule| rule.contains("COUNT="));
        list.insert(0, start);
        if counted && list.len() > 1 {
            list.pop();
        }
    }
    list
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
enum Outcome {
    Agrees,
    Differs,
    Refused,
}

fn outcome(case: &Value) -> (Outcome, String) {
    let event = master(case);
    let limit = case["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let mut expected = expected(case);
    let mut window = Window { from: utc(1800, 1, 1, 0), to: utc(2400, 1, 1, 0), zone: Tz::UTC };
    if case["op"] == "between" {
        let second = TimeDelta::seconds(1);
        let inclusive = case["inc"] == true;
        window.from = wall(case["after"].as_str().unwrap()).and_utc() + second * i32::from(!inclusive);
        window.to = wall(case["before"].as_str().unwrap()).and_utc() + second * i32::from(inclusive);
        expected = words(&case["expected"]).into_iter().map(str::to_owned).collect();
    }
    let mut limits = Limits::default();
    if let Some(limit) = limit {
        limits = limits.with_per_series(limit.max(1));
    }
    match occurrences(&event, &window, &limits) {
        Err(error) => (Outcome::Refused, error.to_string()),
        Ok(Starts { starts, .. }) => {
            let got: Vec<String> = starts.iter().map(shown).collect();
            let agrees = if case["op"] == "count" {
                Some(got.len()) == count(case)
            } else {
                expected.truncate(limit.unwrap_or(usize::MAX));
                got == expected
            };
            let outcome = if agrees { Outcome::Agrees } else { Outcome::Differs };
            (outcome, format!("expected {:?}, got {:?}", head(&expected), head(&got)))
        }
    }
}

fn count(case: &Value) -> Option<usize> {
    case["expected_count"].as_u64().and_then(|count| usize::try_from(count).ok())
}

fn head(list: &[String]) -> &[String] {
    &list[..list.len().min(6)]
}

#[test]
fn the_cases_of_other_libraries() {
    let Some(cases) = cases("cases.jsonl") else { return };
    let mut counts: BTreeMap<(String, Outcome), usize> = BTreeMap::new();
    let mut astray = Vec::new();
    for case in &cases {
        let status = case["status"].as_str().unwrap().to_owned();
        let (outcome, why) = outcome(case);
        *counts.entry((status.clone(), outcome.clone())).or_default() += 1;
        let id = case["id"].as_str().unwrap();
        if outcome != Outcome::Agrees {
            println!("{id} {status} {outcome:?} {} {} {why}", case["dtstart"], case["rrule"]);
            if status == "confirmed" {
                astray.push(id);
            }
        }
    }
    for ((status, outcome), count) in counts {
        println!("{status} {outcome:?}: {count}");
    }
    let known: BTreeSet<&str> = KNOWN.iter().map(|(id, _)| *id).collect();
    assert_eq!(astray.into_iter().collect::<BTreeSet<_>>(), known);
}

/// Rules that a strict parser refuses, and we read over, since nothing of them is lost: stray
/// semicolons, and a part that is said twice with the same value.
const READ_OVER: &[&str] = &[
    "FREQ=MONTHLY;;INTERVAL=3;BYMONTHDAY=1",
    "FREQ=MONTHLY;UNTIL=20120215T115959Z;;BYDAY=3WE;WKST=SU",
    "FREQ=WEEKLY;FREQ=WEEKLY;INTERVAL=2",
    "FREQ=WEEKLY;;INTERVAL=3",
    // Forbidden at this frequency; read as a limit.
    "FREQ=DAILY;BYWEEKNO=1,5,8",
];

#[test]
fn rules_that_are_not_valid_are_refused() {
    let Some(cases) = cases("invalid.jsonl") else { return };
    let accepted: BTreeSet<&str> = cases
        .iter()
        .map(|case| case["rule"].as_str().unwrap())
        .filter(|rule| dates("20110101T090000", "UTC", &[&format!("RRULE:{rule}")]).is_ok())
        .collect();
    assert_eq!(accepted, READ_OVER.iter().copied().collect());
}

#[test]
fn rules_that_say_the_same_give_the_same() {
    let Some(cases) = cases("equivalent.jsonl") else { return };
    for case in &cases {
        let start = case["dtstart"].as_str().unwrap();
        let rules = words(&case["equivalent_rules"]);
        if start.len() == 8 && rules.iter().any(|rule| rule.contains("HOURLY")) {
            continue; // refused for all-day events
        }
        let first = |rule: &&str| {
            let list = dates(start, "UTC", &[&format!("RRULE:{rule}")]).unwrap_or_default();
            list.into_iter().filter(|date| date != start).take(10).collect::<Vec<_>>()
        };
        let lists: Vec<_> = rules.iter().map(first).collect();
        assert!(lists.iter().all(|list| *list == lists[0] && !list.is_empty()), "{case} gives {lists:#?}");
    }
}

#[test]
fn rules_found_in_the_wild() {
    let Some(cases) = cases("properties.jsonl") else { return };
    let window = Window { from: utc(1900, 1, 1, 0), to: utc(2100, 1, 1, 0), zone: Tz::UTC };
    let mut refused = Vec::new();
    for case in &cases {
        let rule = case["rule"].as_str().unwrap();
        let event = event(case["dtstart"].as_str().unwrap(), "UTC", &[&format!("RRULE:{rule}")]);
        let Ok(Starts { starts, truncated, .. }) = occurrences(&event, &window, &Limits::default()) else {
            refused.push(rule);
            continue;
        };
        // The first is the start, which need not satisfy the rule.
        for date in starts.iter().skip(1).map(|start| start.date_in(Tz::UTC)) {
            let weekday = date.weekday().to_string()[..2].to_uppercase();
            let holds =
                |key: &str, value: Value| case[key].as_array().is_none_or(|list| list.contains(&value));
            // The source of these rules takes the start's weekday for a week without BYDAY; we take all seven.
            let whole_week = rule.contains("BYWEEKNO") && !rule.contains("BYDAY");
            assert!(whole_week || holds("weekdays", weekday.into()), "{rule}: {date}");
            assert!(holds("months", date.month().into()), "{rule}: {date}");
            assert!(holds("monthdays", date.day().into()), "{rule}: {date}");
        }
        if let Some(count) = case["count"].as_u64().filter(|_| !truncated) {
            assert_eq!(starts.len() as u64, count, "{rule}");
        }
        if let Some(last) = case["last_instance"].as_str() {
            assert_eq!(starts.last().map(shown).as_deref(), Some(last), "{rule}");
        }
    }
    // INTERVAL=0, hours for all-day events, SKIP, and a comma where a semicolon is due.
    let known = ["INTERVAL=0", "FREQ=HOURLY;INTERVAL=24", "SKIP=", "BYMONTH=10,BYMONTHDAY"];
    assert_eq!(refused.len(), 13, "{refused:#?}");
    assert!(refused.iter().all(|rule| known.iter().any(|known| rule.contains(known))), "{refused:#?}");
}

// ---- helpers ------------------------------------------------------------------------------------

/// An event that starts at this wall time, or on this day.
fn event(start: &str, zone: &str, lines: &[&str]) -> Event {
    let case = serde_json::json!({ "dtstart": start, "tzid": zone });
    let mut event = master(&case);
    for line in lines {
        event.recurrence.push_line((*line).to_owned());
    }
    event
}

/// The starts of such a series, at the wall times of its zone, up to the year 2031.
fn dates(start: &str, zone: &str, lines: &[&str]) -> Result<Vec<String>> {
    let window = Window { from: utc(1900, 1, 1, 0), to: utc(2031, 1, 1, 0), zone: Tz::UTC };
    let limits = Limits::default().with_per_series(60);
    Ok(occurrences(&event(start, zone, lines), &window, &limits)?.starts.iter().map(shown).collect())
}

fn utc(year: i32, month: u32, day: u32, hour: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(year, month, day, hour, 0, 0).unwrap()
}

// ---- zones, starts and ends of a series -----------------------------------------------------------

/// `start`, zone, lines, and the starts in full.
fn instants(start: &str, zone: &str, lines: &[&str]) -> Vec<String> {
    let window = Window { from: utc(2026, 1, 1, 0), to: utc(2027, 1, 1, 0), zone: Tz::UTC };
    let found = occurrences(&event(start, zone, lines), &window, &Limits::default()).unwrap();
    found
        .starts
        .iter()
        .map(|start| match start {
            EventTime::At(time) => time.at.format("%m-%d %H:%M %:z").to_string(),
            EventTime::Day { date } => date.to_string(),
        })
        .collect()
}

#[test]
fn the_wall_time_stays_when_the_clock_changes() {
    let weekly = ["RRULE:FREQ=WEEKLY;COUNT=2"];
    for (start, zone, expected) in [
        ("20260323T090000", "Europe/Berlin", ["03-23 09:00 +01:00", "03-30 09:00 +02:00"]),
        ("20261024T090000", "Europe/Berlin", ["10-24 09:00 +02:00", "10-31 09:00 +01:00"]),
        ("20260302T090000", "America/New_York", ["03-02 09:00 -05:00", "03-09 09:00 -04:00"]),
        ("20261003T090000", "Australia/Lord_Howe", ["10-03 09:00 +10:30", "10-10 09:00 +11:00"]),
    ] {
        assert_eq!(instants(start, zone, &weekly), expected, "{start} {zone}");
    }
}

#[test]
fn a_skipped_wall_time_moves_on_and_one_that_comes_twice_comes_once() {
    let daily = ["RRULE:FREQ=DAILY;COUNT=3"];
    assert_eq!(
        instants("20260328T023000", "Europe/Berlin", &daily),
        ["03-28 02:30 +01:00", "03-29 03:30 +02:00", "03-30 02:30 +02:00"]
    );
    assert_eq!(
        instants("20261024T023000", "Europe/Berlin", &daily),
        ["10-24 02:30 +02:00", "10-25 02:30 +02:00", "10-26 02:30 +01:00"]
    );
    assert_eq!(
        instants("20261003T020000", "Australia/Lord_Howe", &daily),
        ["10-03 02:00 +10:30", "10-04 02:30 +11:00", "10-05 02:00 +11:00"]
    );
    // Both wall times of the 29th are one instant.
    assert_eq!(
        instants("20260328T020000", "Europe/Berlin", &["RRULE:FREQ=DAILY;BYHOUR=2,3;COUNT=4"]),
        ["03-28 02:00 +01:00", "03-28 03:00 +01:00", "03-29 03:00 +02:00", "03-30 02:00 +02:00"]
    );
}

#[test]
fn hours_pass_one_by_one_when_the_clock_changes() {
    let hourly = ["RRULE:FREQ=HOURLY;COUNT=3"];
    assert_eq!(
        instants("20260329T010000", "Europe/Berlin", &hourly),
        ["03-29 01:00 +01:00", "03-29 03:00 +02:00", "03-29 04:00 +02:00"]
    );
    assert_eq!(
        instants("20261025T020000", "Europe/Berlin", &hourly),
        ["10-25 02:00 +02:00", "10-25 02:00 +01:00", "10-25 03:00 +01:00"]
    );
    assert_eq!(
        instants("20260329T010000", "Europe/Berlin", &["RRULE:FREQ=HOURLY;BYHOUR=1,2,3;COUNT=4"]),
        ["03-29 01:00 +01:00", "03-29 03:00 +02:00", "03-30 01:00 +02:00", "03-30 02:00 +02:00"]
    );
}

#[test]
fn minutes_with_hours_and_a_weekday() {
    // The crate `rrule` gives wrong dates here.
    assert_eq!(
        instants(
            "20260302T090000",
            "Europe/Berlin",
            &["RRULE:FREQ=MINUTELY;INTERVAL=30;BYHOUR=9;BYDAY=MO,WE;COUNT=5"]
        ),
        [
            "03-02 09:00 +01:00",
            "03-02 09:30 +01:00",
            "03-04 09:00 +01:00",
            "03-04 09:30 +01:00",
            "03-09 09:00 +01:00"
        ]
    );
}

#[test]
fn a_series_without_an_iana_zone_repeats_at_its_offset() {
    let at = DateTime::parse_from_rfc3339("2026-03-23T09:00:00+01:00").unwrap();
    for zone in [Zone::Offset, Zone::from_name("Romance Standard Time")] {
        let mut event = Event::new("e", "c", EventTime::At(ZonedTime::new(at, zone.clone())));
        event.recurrence.push_line("RRULE:FREQ=WEEKLY;COUNT=2".to_owned());
        let window = Window { from: utc(2026, 1, 1, 0), to: utc(2027, 1, 1, 0), zone: Tz::UTC };
        let starts = occurrences(&event, &window, &Limits::default()).unwrap().starts;
        let second = at + TimeDelta::days(7);
        assert_eq!(starts[1], EventTime::At(ZonedTime::new(second, zone)));
    }
}

#[test]
fn until_is_read_in_every_form() {
    for (start, zone, until, count) in [
        // A day: all of it, in the zone of the series, though in UTC the start is the day after.
        ("20260302T200000", "America/New_York", "20260304", 3),
        ("20260302T200000", "America/New_York", "20260304T200000", 3),
        ("20260302T200000", "America/New_York", "20260304T195959", 2),
        ("20260302T200000", "America/New_York", "20260305T010000Z", 3),
        ("20260302T200000", "America/New_York", "20260305T005959Z", 2),
        ("20260302T200000", "America/New_York", "20260305t010000z", 3),
        ("20260302", "UTC", "20260304", 3),
        ("20260302", "UTC", "20260304T000000Z", 3),
        ("20260302", "UTC", "20260304T235959", 3),
        // Cut off before it began, as when all of a series is moved to another.
        ("20260302T200000", "America/New_York", "20260301T000000Z", 0),
    ] {
        let rule = format!("RRULE:FREQ=DAILY;UNTIL={until}");
        assert_eq!(dates(start, zone, &[&rule]).unwrap().len(), count, "{until}");
    }
    assert_eq!(dates("20260302", "UTC", &["RRULE:FREQ=DAILY"]).unwrap().len(), 60);
    let both = |rule| dates("20260302", "UTC", &[rule]).unwrap().len();
    assert_eq!(both("RRULE:FREQ=DAILY;UNTIL=20260304;COUNT=9"), 3);
    assert_eq!(both("RRULE:FREQ=DAILY;UNTIL=20260304;COUNT=2"), 2);
    let error = dates("20260302", "UTC", &["RRULE:FREQ=DAILY;UNTIL=someday"]).unwrap_err();
    assert_eq!(error.provider_code(), Some("recurrence_invalid"));
    assert_eq!(error.kind(), ErrorKind::DataFormat);
}

#[test]
fn the_start_is_the_first_occurrence_even_if_its_rule_does_not_give_it() {
    // A Wednesday.
    let start = "20260304T090000";
    assert_eq!(
        dates(start, "UTC", &["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3"]).unwrap(),
        ["20260304T090000", "20260309T090000", "20260316T090000"]
    );
    assert_eq!(
        dates(start, "UTC", &["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3", "EXDATE:20260304T090000Z"]).unwrap(),
        ["20260309T090000", "20260316T090000"]
    );
    assert_eq!(dates(start, "UTC", &["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=1"]).unwrap(), [start]);
    assert_eq!(
        dates(start, "UTC", &["RDATE:20260301T090000Z,20260304T090000Z"]).unwrap(),
        ["20260301T090000", start]
    );
    assert_eq!(dates(start, "UTC", &["X-UNKNOWN:1"]).unwrap(), [start]);
}

#[test]
fn dates_are_added_and_taken_out() {
    let daily = "RRULE:FREQ=DAILY;COUNT=4";
    for (line, left) in [
        ("EXDATE:20260303T080000Z", "02 04 05"),
        ("EXDATE:20260303T090000", "02 04 05"),
        ("EXDATE;TZID=Europe/Berlin:20260303T090000,20260304T090000", "02 05"),
        ("EXDATE;TZID=America/New_York:20260303T030000", "02 04 05"),
        ("EXDATE;TZID=Romance Standard Time:20260303T090000", "02 04 05"),
        ("EXDATE;VALUE=DATE:20260303", "02 04 05"),
        ("EXDATE:20260303T100000", "02 03 04 05"),
        ("EXRULE:FREQ=DAILY;INTERVAL=2", "03 05"),
        ("RDATE:20260310T080000Z", "02 03 04 05 10"),
        ("RDATE;VALUE=DATE:20260310", "02 03 04 05 10"),
        ("RDATE;VALUE=PERIOD:20260310T080000Z/PT3H,20260304T080000Z/20260304T083000Z", "02 03 04 05 10"),
    ] {
        let days: Vec<String> = dates("20260302T090000", "Europe/Berlin", &[daily, line])
            .unwrap()
            .iter()
            .map(|date| {
                assert_eq!(&date[8..], "T090000", "{line}");
                date[6..8].to_owned()
            })
            .collect();
        assert_eq!(days.join(" "), left, "{line}");
    }
    for line in ["EXDATE;VALUE=DATE:20260303", "EXDATE:20260303T000000Z", "EXDATE:20260303T120000"] {
        assert_eq!(
            dates("20260302", "UTC", &["RRULE:FREQ=DAILY;COUNT=3", line]).unwrap(),
            ["20260302", "20260304"]
        );
    }
    let error = dates("20260302", "UTC", &[daily, "EXDATE:whenever"]).unwrap_err();
    assert_eq!(error.provider_code(), Some("recurrence_invalid"));
}

// ---- hostile rules ----------------------------------------------------------------------------------

#[test]
fn a_rule_that_began_long_ago_is_taken_up_at_the_window() {
    // A walk from the start would take far more than these steps.
    let limits = Limits::default().with_steps(50);
    let window = Window { from: utc(2026, 3, 2, 9), to: utc(2026, 3, 2, 10), zone: Tz::UTC };
    for (rule, count) in [
        ("FREQ=SECONDLY;INTERVAL=600", 6),
        ("FREQ=SECONDLY;INTERVAL=600;COUNT=2000000000", 6),
        ("FREQ=MINUTELY;INTERVAL=20", 3),
        ("FREQ=HOURLY", 1),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0,30", 2),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", 1),
        ("FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9", 1),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2;BYHOUR=9", 1),
    ] {
        let event = event("19000101T000000", "UTC", &[&format!("RRULE:{rule}")]);
        let found = occurrences(&event, &window, &limits).unwrap();
        assert_eq!(found.starts.len(), count, "{rule}");
    }
}

#[test]
fn what_never_comes_is_not_searched_for_beyond_the_window() {
    let limits = Limits::default().with_steps(500);
    let window = Window { from: utc(2026, 1, 1, 0), to: utc(2027, 1, 1, 0), zone: Tz::UTC };
    for rule in [
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=7",
        "FREQ=WEEKLY;BYMONTHDAY=31;BYYEARDAY=1",
    ] {
        let event = event("20200101T000000", "UTC", &[&format!("RRULE:{rule}")]);
        assert_eq!(occurrences(&event, &window, &limits).unwrap().starts, [], "{rule}");
    }
}

#[test]
fn what_would_cost_too_much_is_refused_or_cut_off() {
    let sixty = (0..60).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let all_day_long = format!("FREQ=YEARLY;BYMINUTE={sixty};BYSECOND={sixty};BYHOUR=1,2,3;BYDAY=MO");
    let seventeen = vec!["RRULE:FREQ=DAILY"; 17];
    for (start, lines) in [
        ("20200101T000000", vec!["RRULE:FREQ=SECONDLY;BYSECOND=1;COUNT=2000000000"]),
        ("20200101T000000", vec!["RRULE:FREQ=MINUTELY;BYDAY=MO;COUNT=2000000000"]),
        ("20200101T000000", vec!["RRULE:FREQ=DAILY", "EXRULE:FREQ=SECONDLY"]),
        ("00100101T000000", vec!["RRULE:FREQ=DAILY;COUNT=2000000000"]),
        ("20200101T000000", vec![&format!("RRULE:{all_day_long}")]),
        ("20200101T000000", seventeen),
    ] {
        let window = Window { from: utc(2025, 1, 1, 0), to: utc(2026, 1, 1, 0), zone: Tz::UTC };
        let error = occurrences(&event(start, "UTC", &lines), &window, &Limits::default()).unwrap_err();
        assert_eq!(error.provider_code(), Some("recurrence_too_large"), "{}", lines[0]);
    }
    let window = Window { from: utc(2020, 1, 1, 0), to: utc(2026, 1, 1, 0), zone: Tz::UTC };
    let secondly = event("20200101T000000", "UTC", &["RRULE:FREQ=SECONDLY"]);
    let found = occurrences(&secondly, &window, &Limits::default()).unwrap();
    assert_eq!((found.starts.len(), found.truncated), (10_000, true));
    let agenda = agenda([&secondly, &secondly], &window, &Limits::default().with_total(15_000));
    assert_eq!((agenda.occurrences.len(), agenda.truncated), (15_000, true));
}

#[test]
fn the_widest_window_and_the_oddest_years_do_no_harm() {
    let window = Window { from: DateTime::<Utc>::MIN_UTC, to: DateTime::<Utc>::MAX_UTC, zone: Tz::UTC };
    let mut events = vec![
        event("20260101", "UTC", &["RRULE:FREQ=YEARLY"]),
        event("20260101T000000", "Pacific/Apia", &["RRULE:FREQ=YEARLY;INTERVAL=7"]),
        event("99981231", "UTC", &["RRULE:FREQ=DAILY"]),
    ];
    for date in [NaiveDate::MIN, NaiveDate::MAX] {
        let mut odd = Event::new("odd", "c", EventTime::day(date));
        odd.end = Some(EventTime::day(NaiveDate::MAX));
        events.push(odd.clone());
        odd.recurrence.push_line("RRULE:FREQ=DAILY".to_owned());
        events.push(odd);
    }
    let found = agenda(&events, &window, &Limits::default());
    assert_eq!(found.failures.len(), 2);
    assert!(found.occurrences.len() > 9_000, "{}", found.occurrences.len());
}

// ---- agendas ----------------------------------------------------------------------------------------

const BERLIN: Tz = Tz::Europe__Berlin;

fn march() -> Window {
    Window { from: utc(2026, 3, 1, 0), to: utc(2026, 4, 1, 0), zone: BERLIN }
}

/// A series on four Mondays at nine in Berlin, an hour each.
fn mondays() -> Event {
    let mut event = event("20260302T090000", "Europe/Berlin", &["RRULE:FREQ=WEEKLY;COUNT=4"]);
    event.id = "mondays".into();
    event.end = Some(EventTime::At(ZonedTime::in_iana(utc(2026, 3, 2, 9), BERLIN)));
    event
}

/// An exception of it: the occurrence of that day in March, moved to another instant.
fn moved(day: u32, to: DateTime<Utc>) -> Event {
    let original = EventTime::At(ZonedTime::in_iana(utc(2026, 3, day, if day < 29 { 8 } else { 7 }), BERLIN));
    let mut event = Event::new(format!("x{day}"), "cases", EventTime::At(ZonedTime::in_iana(to, BERLIN)));
    event.end = Some(EventTime::At(ZonedTime::in_iana(to + TimeDelta::hours(1), BERLIN)));
    event.series = Some(Series { id: "mondays".into(), original_start: original });
    event
}

fn listed(agenda: &Agenda<'_>) -> Vec<String> {
    agenda.occurrences.iter().map(|one| format!("{} {}", one.event.id, shown(&one.start))).collect()
}

#[test]
fn exceptions_take_the_place_of_their_occurrences() {
    let mut cancelled = moved(16, utc(2026, 3, 16, 8));
    cancelled.status = EventStatus::Cancelled;
    let events = [mondays(), moved(9, utc(2026, 3, 10, 13)), cancelled, moved(23, utc(2026, 4, 7, 8))];
    let found = agenda(&events, &march(), &Limits::default());
    assert_eq!(listed(&found), ["mondays 20260302T090000", "x9 20260310T140000"]);
    assert_eq!(found.occurrences[1].original_start.as_ref().map(shown).as_deref(), Some("20260309T090000"));
    assert_eq!(found.occurrences[0].end.as_ref().map(shown).as_deref(), Some("20260302T100000"));
    // Moved into the window of April, where the series itself has nothing.
    let april = Window { from: utc(2026, 4, 1, 0), to: utc(2026, 5, 1, 0), zone: BERLIN };
    assert_eq!(listed(&agenda(&events, &april, &Limits::default())), ["x23 20260407T100000"]);
}

#[test]
fn an_exception_of_what_does_not_repeat_any_more_is_left_out() {
    let limits = Limits::default();
    let exception = moved(9, utc(2026, 3, 10, 13));
    let mut single = mondays();
    single.recurrence = Recurrence::default();
    let agenda = agenda([&exception, &single], &march(), &limits);
    let titles: Vec<_> = agenda.occurrences.iter().map(|one| one.event.id.as_str()).collect();
    assert_eq!(titles, [single.id.as_str()]);
}

#[test]
fn a_cancelled_master_takes_its_exceptions_along_and_a_stray_exception_stands_alone() {
    let mut master = mondays();
    master.status = EventStatus::Cancelled;
    let exception = moved(9, utc(2026, 3, 10, 13));
    let mut single = event("20260305T090000", "Europe/Berlin", &[]);
    let limits = Limits::default();
    assert_eq!(agenda([&master, &exception], &march(), &limits).occurrences, []);
    assert_eq!(
        listed(&agenda([&exception, &single], &march(), &limits)),
        ["case 20260305T090000", "x9 20260310T140000"]
    );
    single.status = EventStatus::Cancelled;
    assert_eq!(agenda([&single], &march(), &limits).occurrences, []);
}

#[test]
fn an_exception_belongs_to_the_series_of_its_own_calendar() {
    let mut elsewhere = moved(9, utc(2026, 3, 10, 13));
    elsewhere.calendar_id = "other".into();
    let events = [mondays(), elsewhere];
    let found = agenda(&events, &march(), &Limits::default());
    assert_eq!(found.occurrences.len(), 5, "four of the series and the other calendar's own");
}

#[test]
fn a_bad_rule_harms_its_own_series_only() {
    let mut bad = mondays();
    bad.id = "bad".into();
    bad.recurrence.rrule = vec!["FREQ=SOMETIMES".into()];
    let events = [bad, mondays()];
    let found = agenda(&events, &march(), &Limits::default());
    assert_eq!(found.occurrences.len(), 4);
    assert_eq!(found.failures.len(), 1);
    assert_eq!(found.failures[0].event.id, "bad");
    assert_eq!(found.failures[0].error.provider_code(), Some("recurrence_invalid"));
}

#[test]
fn an_all_day_event_is_its_day_in_every_zone() {
    let mut daily = event("20260301", "UTC", &["RRULE:FREQ=DAILY"]);
    daily.end = Some(EventTime::day(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()));
    let mut replaced = Event::new("x", "cases", EventTime::day(NaiveDate::from_ymd_opt(2026, 4, 1).unwrap()));
    let original_start = EventTime::day(NaiveDate::from_ymd_opt(2026, 3, 29).unwrap());
    replaced.series = Some(Series { id: "case".into(), original_start });
    let events = [daily, replaced];
    for zone in [
        Tz::UTC,
        BERLIN,
        Tz::Pacific__Kiritimati,
        Tz::Pacific__Pago_Pago,
        Tz::America__Havana,
        Tz::Asia__Kolkata,
    ] {
        let midnight =
            |day: u32| EventTime::day(NaiveDate::from_ymd_opt(2026, 3, day).unwrap()).in_zone(zone).to_utc();
        let window = Window { from: midnight(28), to: midnight(31), zone };
        let found = agenda(&events, &window, &Limits::default());
        assert_eq!(listed(&found), ["case 20260328", "case 20260330"], "{zone}");
        let noon = midnight(8) + TimeDelta::hours(12);
        let window = Window { from: noon, to: noon + TimeDelta::minutes(1), zone };
        assert_eq!(listed(&agenda(&events, &window, &Limits::default())), ["case 20260308"], "{zone}");
    }
}

#[test]
fn an_occurrence_that_began_before_the_window_reaches_into_it() {
    let mut trip = event("20260227T180000", "Europe/Berlin", &["RRULE:FREQ=MONTHLY"]);
    trip.end = Some(EventTime::At(ZonedTime::in_iana(utc(2026, 3, 2, 18), BERLIN)));
    assert_eq!(
        listed(&agenda([&trip], &march(), &Limits::default())),
        ["case 20260227T180000", "case 20260327T180000"]
    );
}

// ---- laws -------------------------------------------------------------------------------------------

fn rules() -> impl Strategy<Value = String> {
    let parts = prop::sample::subsequence(
        vec![
            "INTERVAL=2",
            "COUNT=7",
            "UNTIL=20260402T120000Z",
            "BYMONTH=3,4",
            "BYWEEKNO=10,-40",
            "BYYEARDAY=80,-1",
            "BYMONTHDAY=1,15,-1",
            "BYDAY=MO,1TU,-1SU,WE",
            "BYHOUR=2,9",
            "BYMINUTE=0,30",
            "BYSECOND=15",
            "BYSETPOS=1,-1",
            "WKST=SU",
        ],
        0..5,
    );
    let freq =
        prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]);
    (freq, parts).prop_map(|(freq, parts)| format!("RRULE:FREQ={freq};{}", parts.join(";")))
}

fn series() -> impl Strategy<Value = Event> {
    let zones = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]);
    let length = prop::sample::select(vec![None, Some(0), Some(1), Some(50)]);
    (rules(), zones, length, 0..900_i64, any::<bool>()).prop_map(|(rule, zone, length, quarter, all_day)| {
        let at = utc(2026, 2, 25, 0) + TimeDelta::minutes(15 * quarter);
        let zone: Tz = zone.parse().unwrap();
        let time = |at: DateTime<Utc>| {
            if all_day {
                EventTime::day(at.date_naive())
            } else {
                EventTime::At(ZonedTime::in_iana(at, zone))
            }
        };
        let mut event = Event::new("e", "c", time(at));
        event.end = length.map(|hours| time(at + TimeDelta::hours(hours)));
        event.recurrence.push_line(rule);
        event
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn an_agenda_is_the_union_of_its_halves(
        events in prop::collection::vec(series(), 1..4),
        minutes in 1..40_000_i64,
        cut in 0.0..1.0_f64,
        zone in prop::sample::select(vec![Tz::UTC, BERLIN, Tz::America__New_York, Tz::Pacific__Apia]),
    ) {
        let limits = Limits::default().with_per_series(usize::MAX).with_steps(20_000);
        let from = utc(2026, 3, 20, 5);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any cut will do")]
        let middle = from + TimeDelta::minutes((minutes as f64 * cut) as i64);
        let to = from + TimeDelta::minutes(minutes);
        let of = |from, to| {
            let found = agenda(&events, &Window { from, to, zone }, &limits);
            let set: BTreeSet<String> = found
                .occurrences
                .iter()
                .map(|one| format!("{} {} {:?}", one.event.recurrence.rrule[0], one.start, one.end))
                .collect();
            let failed = found.failures.iter().any(|failure| {
                failure.error.provider_code() == Some("recurrence_too_large")
            });
            (set, failed)
        };
        let (whole, cut_off) = of(from, to);
        prop_assume!(!cut_off);
        let halves: BTreeSet<String> = of(from, middle).0.into_iter().chain(of(middle, to).0).collect();
        prop_assert_eq!(whole, halves);
    }

    #[test]
    fn no_text_is_too_odd(rule in "([A-Z]{2,10}=[-+0-9A-Z,]{0,8};?){0,4}", dates in ";?[A-Z=:;/,0-9TZ\"é]{0,30}") {
        let lines = [format!("RRULE:FREQ=DAILY;{rule}"), format!("RDATE{dates}"), format!("EXDATE{dates}")];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let event = event("20260302T090000", "Europe/Berlin", &lines);
        let found = agenda([&event], &march(), &Limits::default());
        prop_assert!(found.failures.len() <= 1);
    }
}
