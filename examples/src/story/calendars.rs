//! What stands in Ada's calendars?

use chrono::{SecondsFormat, TimeDelta};
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use serde_json::{Value, json};

use super::{ADA, at};

pub(super) const TEAM: &str = "team@group.calendar.google.com";
const TOKYO: &str = "tokyo@group.calendar.google.com";

const BERLIN: &str = "Europe/Berlin";
const NEW_YORK: &str = "America/New_York";

pub(super) const REVIEW: &str = "review00";
pub(super) const LUNCH: &str = "lunch000";
pub(super) const PLANNING: &str = "planning";

/// An appointment: the calendar and the zone it is kept in, its id and title, the day and the time that it
/// begins in Berlin, how many minutes it takes, and where it is.
type Row = (&'static str, &'static str, &'static str, &'static str, i64, (i64, i64), i64, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (TEAM,  NEW_YORK,     "retro000",  "Retrospective",               -3, (16,  0), 60,  ""),
    (ADA,   BERLIN,       LUNCH,       "Lunch with Charles",           0, (12, 30), 45,  "Café am Park"),
    (ADA,   BERLIN,       "slides00",  "Finish the slides",            0, (14,  0), 120, ""),
    (TEAM,  NEW_YORK,     "dryrun00",  "Dry run for the review",       1, (10, 30), 30,  "Video call"),
    (TEAM,  NEW_YORK,     REVIEW,      "Quarterly review",             1, (16,  0), 90,  "New York, room 4"),
    (TOKYO, "Asia/Tokyo", "allhands",  "All hands, Tokyo",             2, ( 1,  0), 60,  "17F, the long table"),
    (TOKYO, "Asia/Tokyo", "hanami00",  "花見: who brings what?",       2, ( 7,  0), 30,  ""),
    (ADA,   BERLIN,       "dentist0",  "Dentist",                      2, ( 8, 30), 45,  "Kastanienallee 12"),
    (ADA,   BERLIN,       "parents0",  "Parents’ evening",             2, (19,  0), 90,  "School, room 2.04"),
    (TOKYO, "Asia/Tokyo", "handover",  "Handover with Tokyo",          3, ( 9,  0), 45,  "Video call"),
    (TEAM,  NEW_YORK,     "cake0000",  "Ten years of Charles",           4, (15,  0), 30,  "Kitchen, and on video"),
    (ADA,   BERLIN,       "piano000",  "Piano lesson, Annabella",      4, (16, 30), 45,  ""),
    (ADA,   BERLIN,       "hamburg0",  "Train to Hamburg",            10, ( 8, 36), 106, "Berlin Hbf, platform 8"),
];

pub(super) fn specs() -> Vec<CalendarSpec> {
    let calendar = |id: &str, name: &str, zone: &str| CalendarSpec::new(id).summary(name).time_zone(zone);
    vec![
        calendar(ADA, "Ada", BERLIN).primary().access_role("owner"),
        calendar(TEAM, "Team", NEW_YORK).access_role("writer"),
        calendar(TOKYO, "Tokyo office", "Asia/Tokyo").access_role("reader"),
    ]
}

/// An event as Google has it.
fn event(&(_, zone, id, title, day, (hour, minute), minutes, place): &Row) -> Value {
    let start = at(day, hour, minute);
    let time = |time: chrono::DateTime<chrono::Utc>| json!({"dateTime": time.to_rfc3339_opts(SecondsFormat::Secs, true), "timeZone": zone});
    let mut event = json!({
        "id": id, "summary": title, "start": time(start), "end": time(start + TimeDelta::minutes(minutes)),
    });
    if !place.is_empty() {
        event["location"] = json!(place);
    }
    event
}

/// Half an hour of Ada's.
pub(super) fn half_hour(id: &'static str, title: &'static str, day: i64, hour: i64) -> Value {
    event(&(ADA, BERLIN, id, title, day, (hour, 0), 30, ""))
}

/// What is in the calendars before anybody looks.
pub(super) fn fill(google: &FakeGoogle) {
    for row in ROWS {
        google.insert_event(row.0, event(row));
    }
    let holidays = json!({
        "id": "holiday0", "summary": "School holidays", "start": {"date": "2026-03-05"}, "end": {"date": "2026-03-07"},
    });
    google.insert_event(ADA, holidays);
    let mut planning = event(&(TEAM, NEW_YORK, PLANNING, "Planning", -14, (17, 0), 45, "Video call"));
    planning["recurrence"] = json!(["RRULE:FREQ=WEEKLY;BYDAY=MO"]);
    google.insert_event(TEAM, planning);
    // Every weekday, but not on Wednesday, and late on Friday.
    let mut standup = event(&(ADA, BERLIN, "standup0", "Stand-up", -14, (9, 30), 15, ""));
    standup["recurrence"] = json!(["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"]);
    let standup = google.insert_event(ADA, standup);
    google.cancel_instance(ADA, &standup, "2026-03-04T08:30:00Z");
    let late = event(&(ADA, BERLIN, "", "Stand-up, in the garden", 4, (11, 0), 15, "Garden"));
    let late = json!({"summary": late["summary"], "start": late["start"], "end": late["end"], "location": late["location"]});
    google.override_instance(ADA, &standup, "2026-03-06T08:30:00Z", late);
}
