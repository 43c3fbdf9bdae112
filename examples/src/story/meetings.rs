//! What does Ada plan and hold at Zoom?
//!
//! Most of it is in one of her calendars, too, by the address that people join at.

use chrono::{DateTime, SecondsFormat, Utc};
use integrations_testkit::google::FakeGoogle;
use integrations_testkit::oauth::AccountSpec;
use integrations_testkit::zoom::{FakeZoom, FakeZoomBuilder};
use serde_json::{Value, json};

use super::calendars::{self, TEAM};
use super::chapters::Threads;
use super::clock::StoryClock;
use super::{ADA, CHARLES, Colleague, GRACE, KATHERINE, at};

const BERLIN: &str = "Europe/Berlin";
const NEW_YORK: &str = "America/New_York";

const RETROSPECTIVE: u64 = 81_510_001_834;
const PLANNING: u64 = 81_510_001_843;
const SEMINAR: u64 = 81_510_001_882;

/// The number, the title, the day and the time that it begins in Berlin, how many minutes it takes, and the event
/// of the team's calendar, if it is in there.
type Row = (u64, &'static str, i64, (i64, i64), i64, &'static str);

/// Before anybody looks.
pub(super) const FIRST_CALL: &str = "Ten minutes for the slides";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (RETROSPECTIVE,  "Retrospective",                -3, (16,  0), 60, "retro000"),
    (81_510_001_828, "Dry run for the review",        1, (10, 30), 30, "dryrun00"),
    (SEMINAR,        "Seminar: Symmetries",           2, (11,  0), 60, ""),
    (81_510_001_815, "Interview: a mathematician",    2, (13,  0), 30, ""),
];

pub(super) fn fake() -> FakeZoomBuilder {
    use integrations_zoom::scope;
    // Users grant what the app is set up for: this one reads, and writes nothing.
    let scopes =
        [scope::FOR_CONNECTING, scope::FOR_MEETINGS, scope::FOR_PAST_MEETINGS, scope::FOR_RECORDINGS]
            .concat();
    let grace = AccountSpec::new("grace@example.com").name(GRACE.name);
    FakeZoom::builder().user(ADA).account(grace).time_zone(BERLIN).app_scopes(&scopes)
}

/// A meeting as Zoom takes it.
pub(super) fn meeting(title: &str, start: DateTime<Utc>, minutes: i64) -> Value {
    let start = start.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({"topic": title, "start_time": start, "duration": minutes, "timezone": BERLIN})
}

/// Where people join.
fn address(zoom: &FakeZoom, meeting: u64) -> String {
    let meeting = zoom.meeting(meeting).unwrap_or_default();
    meeting["join_url"].as_str().unwrap_or_default().to_owned()
}

/// What is planned, and what was held, before anybody looks. Returns the address of the seminar.
pub(super) fn fill(
    zoom: &FakeZoom,
    google: &FakeGoogle,
    clock: &StoryClock,
    threads: &mut Threads,
) -> String {
    let in_the_calendar = |event: &str, meeting| {
        let entry = json!({"entryPointType": "video", "uri": address(zoom, meeting)});
        let solution = json!({"key": {"type": "addOn"}, "name": "Zoom Meeting"});
        let conference = json!({"conferenceSolution": solution, "entryPoints": [entry]});
        google.patch_event(TEAM, event, json!({"conferenceData": conference, "location": null}));
    };
    for &(id, title, day, (hour, minute), minutes, event) in ROWS {
        let mut meeting = meeting(title, at(day, hour, minute), minutes);
        meeting["id"] = json!(id);
        zoom.create_meeting(meeting);
        if !event.is_empty() {
            in_the_calendar(event, id);
        }
    }
    let mut planning = meeting("Planning", at(-14, 17, 0), 45);
    planning["id"] = json!(PLANNING);
    planning["type"] = json!(8);
    planning["timezone"] = json!(NEW_YORK);
    planning["recurrence"] = json!({"type": 2, "repeat_interval": 1, "weekly_days": "2", "end_times": 26});
    zoom.create_meeting(planning);
    in_the_calendar(calendars::PLANNING, PLANNING);

    let began = at(-3, 16, 1);
    let session = hold(zoom, clock, RETROSPECTIVE, began, 52, &[GRACE, KATHERINE, CHARLES]);
    zoom.record(&session);
    zoom.finish_recording(&session);
    clock.stand_at(at(0, 8, 21));
    threads.call = (zoom.create_meeting(meeting(FIRST_CALL, at(0, 9, 0), 10)), FIRST_CALL);
    address(zoom, SEMINAR)
}

/// Ada and others meet; returns the id of the session.
pub(super) fn hold(
    zoom: &FakeZoom,
    clock: &StoryClock,
    meeting: u64,
    from: DateTime<Utc>,
    minutes: i64,
    others: &[Colleague],
) -> String {
    clock.stand_at(from);
    zoom.start_meeting(meeting);
    for other in others {
        let address = format!("{}@example.com", other.login);
        zoom.join_meeting(meeting, json!({"name": other.name, "user_email": address}));
    }
    clock.stand_at(from + chrono::TimeDelta::minutes(minutes));
    zoom.end_meeting(meeting)
}
