//! The fake's own reading of recurrences, against the dates that other libraries' suites expect.

use std::path::PathBuf;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, TimeDelta};

use super::*;

const DAYS: [(&str, &str); 7] = [
    ("SU", "sunday"),
    ("MO", "monday"),
    ("TU", "tuesday"),
    ("WE", "wednesday"),
    ("TH", "thursday"),
    ("FR", "friday"),
    ("SA", "saturday"),
];

fn day(short: &str) -> Option<&'static str> {
    DAYS.iter().find(|(known, _)| *known == short).map(|(_, long)| *long)
}

fn index(number: &str) -> Option<&'static str> {
    match number.trim_start_matches('+') {
        "1" => Some("first"),
        "2" => Some("second"),
        "3" => Some("third"),
        "4" => Some("fourth"),
        "-1" => Some("last"),
        _ => None,
    }
}

/// A rule of RFC 5545 as a `patternedRecurrence`; `None` where Graph cannot say it, or says it otherwise.
fn patterned(rule: &str, start: NaiveDateTime) -> Option<Value> {
    let parts: Vec<(&str, &str)> = rule.split(';').map(|part| part.split_once('=').unwrap()).collect();
    let get = |name: &str| parts.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let known = ["FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"];
    if parts.iter().any(|(name, _)| !known.contains(name)) {
        return None;
    }
    let interval: u32 = get("INTERVAL").map_or(1, |interval| interval.parse().unwrap());
    let number = |name: &str| get(name).map(str::parse::<u32>).transpose().ok();
    let (month, month_day) = (number("BYMONTH")?, number("BYMONTHDAY")?);
    let days: Vec<&str> = get("BYDAY").map(|days| days.split(',').collect()).unwrap_or_default();
    let plain: Option<Vec<&str>> = days.iter().map(|short| day(short)).collect();
    // `3WE`, or `MO,TU` with a BYSETPOS.
    let relative = || match (days.as_slice(), get("BYSETPOS")) {
        ([only], None) => {
            let (number, short) = only.split_at(only.len() - 2);
            Some((vec![day(short)?], index(number)?))
        }
        ([_, ..], Some(position)) => Some((plain.clone()?, index(position)?)),
        _ => None,
    };
    let pattern = match (get("FREQ")?, month, month_day, get("BYSETPOS"), days.is_empty()) {
        ("DAILY", None, None, None, true) => json!({"type": "daily", "interval": interval}),
        ("WEEKLY", None, None, None, _) => {
            let own = vec![DAYS[start.weekday().num_days_from_sunday() as usize].1];
            let days = if days.is_empty() { own } else { plain? };
            let first = day(get("WKST").unwrap_or("MO"))?;
            json!({"type": "weekly", "interval": interval, "daysOfWeek": days, "firstDayOfWeek": first})
        }
        // Outlook takes the last day of a month that is too short; RFC 5545 leaves the month out.
        ("MONTHLY", None, day, None, true) if day.unwrap_or(start.day()) <= 28 => {
            json!({"type": "absoluteMonthly", "interval": interval, "dayOfMonth": day.unwrap_or(start.day())})
        }
        ("MONTHLY", None, None, _, false) => {
            let (days, index) = relative()?;
            json!({"type": "relativeMonthly", "interval": interval, "daysOfWeek": days, "index": index})
        }
        ("YEARLY", Some(month), Some(day), None, true) if day <= 28 => {
            json!({"type": "absoluteYearly", "interval": interval, "month": month, "dayOfMonth": day})
        }
        ("YEARLY", None, None, None, true) if start.day() <= 28 => {
            json!({"type": "absoluteYearly", "interval": interval, "month": start.month(), "dayOfMonth": start.day()})
        }
        ("YEARLY", Some(month), None, _, false) => {
            let (days, index) = relative()?;
            json!({"type": "relativeYearly", "interval": interval, "month": month, "daysOfWeek": days, "index": index})
        }
        _ => return None,
    };
    let first = start.date().to_string();
    let range = match (get("COUNT"), get("UNTIL")) {
        (Some(count), None) => {
            let count: u32 = count.parse().unwrap();
            json!({"type": "numbered", "startDate": first, "numberOfOccurrences": count})
        }
        (None, Some(until)) => {
            let last = time(until)?;
            // The last day counts if its occurrence begins in time.
            let last = if last.time() < start.time() { last - TimeDelta::days(1) } else { last };
            json!({"type": "endDate", "startDate": first, "endDate": last.date().to_string()})
        }
        _ => json!({"type": "noEnd", "startDate": first}),
    };
    Some(json!({"pattern": pattern, "range": range}))
}

fn time(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_end_matches('Z');
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S")
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok()?.and_hms_opt(0, 0, 0))
}

#[tokio::test]
async fn occurrences_are_those_that_other_libraries_expect() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/rrule/cases.jsonl");
    let Ok(cases) = std::fs::read_to_string(path) else {
        println!("skipped: no shared data");
        return;
    };
    let fake = builder(&clock()).calendar(berlin(0)).start().await;
    let mut checked = std::collections::BTreeMap::<String, u32>::new();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
        let tagged = |tag: &str| list("tags").iter().any(|known| known == tag);
        let alone = ["rdate", "exdate", "exrule"].iter().all(|name| list(name).is_empty());
        let [rule] = list("rrule").try_into().unwrap_or([Value::Null]);
        let (Some(rule), true, "all") = (rule.as_str(), alone, case["op"].as_str().unwrap_or_default())
        else {
            continue;
        };
        // A zone's day of the clocks is another test's.
        if !case["tzid"].is_null() || case["status"] == "contested" {
            continue;
        }
        let dates = list("expected").into_iter().map(|text| time(text.as_str().unwrap()).unwrap());
        let expected: Vec<NaiveDateTime> = dates.collect();
        // A series of Graph's begins with its first occurrence.
        let moved = tagged("dtstart-not-in-set");
        if moved && rule.contains("INTERVAL") {
            continue;
        }
        let start = if moved { expected[0] } else { time(case["dtstart"].as_str().unwrap()).unwrap() };
        let Some(recurrence) = patterned(rule, start) else { continue };
        let kind = text(&recurrence["pattern"], "type");
        let at = |time: NaiveDateTime| json!({"dateTime": time.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC"});
        let event =
            json!({"start": at(start), "end": at(start + TimeDelta::minutes(1)), "recurrence": recurrence});
        let series = fake.insert_event("Calendar", event);
        let end =
            format!("{}Z", (*expected.last().unwrap() + TimeDelta::days(40)).format("%Y-%m-%dT%H:%M:%S"));
        let mut found = Vec::new();
        let mut link = format!(
            "{}/v1.0/me/events/{series}/instances?startDateTime=1900-01-01T00:00:00Z&endDateTime={end}&$select=start&$top=1000",
            fake.url()
        );
        loop {
            let (status, page) = follow(&link, IMMUTABLE).await;
            assert_eq!(status, 200, "{page}");
            for occurrence in page["value"].as_array().unwrap() {
                found.push(text(&occurrence["start"], "dateTime").parse::<NaiveDateTime>().unwrap());
            }
            let Some(next) = page["@odata.nextLink"].as_str() else { break };
            next.clone_into(&mut link);
        }
        if !case["limit"].is_null() {
            found.truncate(expected.len());
        }
        assert_eq!(found, expected, "{rule} from {start}");
        *checked.entry(kind).or_default() += 1;
        fake.delete_event(&series);
    }
    println!("{checked:?}");
    assert!(checked.len() == 6 && checked.values().sum::<u32>() > 40, "{checked:?}");
}
