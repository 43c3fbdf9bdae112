//! Do series give the dates that other libraries and the RFC give, and agendas what a person sees?
#![cfg(feature = "recurrence")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use integrations_core::calendar::{Agenda, Limits, Starts, Window, agenda, occurrences};
use integrations_core::model::{Event, EventStatus, EventTime, Series, Zone, ZonedTime};
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
    let mut window =
        Window { from: utc(1800, 1, 1, 0), to: utc(2400, 1, 1, 0), zone: "UTC".parse().unwrap() };
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
            let agrees = match case["op"].as_str() {
                Some("count") => Some(got.len()) == count(case),
                _ => {
                    expected.truncate(limit.unwrap_or(usize::MAX));
                    got == expected
                }
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
