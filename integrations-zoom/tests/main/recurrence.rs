//! A series that Zoom works out and the family works out take place at the same times.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use integrations_core::calendar::{Limits, Window, occurrences};
use integrations_core::model::{Event, Meeting, MeetingKind, MeetingStatus};
use integrations_testkit::zoom::{FakeZoomBuilder, SeriesRows};
use integrations_zoom::meetings::MEETINGS;
use serde_json::{Value, json};

use crate::chaos::Random;
use crate::host::Host;

const ZONES: &[&str] =
    &["Europe/London", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"];
const SERIES: usize = 360;

/// A series that begins somewhere in two years, so that most meet a change of the clocks.
fn series(random: &mut Random) -> Value {
    let zone = ZONES[random.below(ZONES.len())];
    let day = NaiveDate::from_ymd_opt(2026, 3, 3).unwrap() + days(random.below(700));
    // Where half an hour is skipped, nobody knows what Zoom makes of it.
    let hour = [0, 1, 2, 9, 14, 23][random.below(6)];
    let hour = if zone == "Australia/Lord_Howe" && hour == 2 { 3 } else { hour };
    let start = format!("{day}T{hour:02}:{:02}:00", [0, 15, 30, 45][random.below(4)]);
    let mut rule = match random.below(5) {
        0 => json!({"type": 1, "repeat_interval": 1 + random.below(15)}),
        1 | 2 => {
            let days: Vec<_> = (1..=7).filter(|_| random.below(3) == 0).map(|day| day.to_string()).collect();
            let days = if days.is_empty() { "3".to_owned() } else { days.join(",") };
            json!({"type": 2, "repeat_interval": 1 + random.below(4), "weekly_days": days})
        }
        3 => json!({"type": 3, "repeat_interval": 1 + random.below(3), "monthly_day": 1 + random.below(31)}),
        _ => json!({
            "type": 3,
            "repeat_interval": 1 + random.below(3),
            "monthly_week": ([-1, 1, 2, 3, 4][random.below(5)]),
            "monthly_week_day": 1 + random.below(7),
        }),
    };
    if random.below(2) == 0 {
        rule["end_times"] = json!(1 + random.below(50));
    } else {
        let end = day + days(40 + random.below(400));
        rule["end_date_time"] = json!(format!("{end}T{:02}:59:00Z", random.below(24)));
    }
    json!({
        "topic": "Series", "type": 8, "start_time": start, "timezone": zone, "duration": 30, "recurrence": rule,
    })
}

fn days(days: usize) -> TimeDelta {
    TimeDelta::days(days.try_into().unwrap())
}

/// When a meeting of the model takes place, by its rule alone.
fn by_rule(meeting: &Meeting) -> Vec<DateTime<Utc>> {
    let mut event = Event::new("1", "c", meeting.start.clone().unwrap());
    event.end.clone_from(&meeting.end);
    event.recurrence = meeting.recurrence.clone();
    let day = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
    let window = Window { from: day(2025), to: day(2040), zone: chrono_tz::UTC };
    let found = occurrences(&event, &window, &Limits::default()).unwrap();
    assert!(!found.truncated);
    found.starts.iter().map(integrations_core::model::EventTime::earliest_utc).collect()
}

/// When it takes place for Zoom.
fn by_zoom(meeting: &Value) -> Vec<DateTime<Utc>> {
    let listed = meeting["occurrences"].as_array().unwrap().iter();
    listed.map(|one| one["start_time"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn hundreds_of_series_take_place_when_zoom_says() {
    let seed = std::env::var("RECURRENCE_SEED").map_or(20_260_302, |seed| seed.parse().unwrap());
    println!("RECURRENCE_SEED={seed}");
    let mut random = Random(seed);
    // Whether or not a series shows its own start, and in one row or in many.
    for (rows, start) in [(SeriesRows::Occurrences, true), (SeriesRows::Series, false)] {
        let host = Host::on(|fake| {
            let fake = fake.page_cap(300).series_rows(rows);
            if start { fake } else { fake.without_series_start() }
        })
        .await;
        let connection = host.connect().await;
        let mut made = Vec::new();
        for _ in 0..SERIES / 2 {
            let wire = series(&mut random);
            let id = host.fake.create_meeting(wire.clone());
            // A rule may end before its first time.
            if host.fake.occurrence_ids(id).is_empty() {
                host.fake.delete_meeting(id);
            } else {
                made.push((id, wire));
            }
        }
        host.sync_one(&connection, MEETINGS).await;
        let (mut times, mut shifted) = (0, 0);
        for (id, wire) in &made {
            let zoom = by_zoom(&host.fake.meeting(*id).unwrap());
            let meeting = host.planned(&connection, *id).unwrap();
            assert_eq!(meeting.kind, MeetingKind::Recurring);
            assert_eq!(by_rule(&meeting), zoom, "RECURRENCE_SEED={seed}: {wire} is {:?}", meeting.recurrence);
            let named: Vec<_> = meeting.occurrences.iter().map(|one| one.start.earliest_utc()).collect();
            assert_eq!(named, zoom, "{wire}");
            times += zoom.len();
            let offset = |at: &DateTime<Utc>| at.time();
            shifted += usize::from(zoom.iter().any(|at| offset(at) != offset(&zoom[0])));
        }
        println!("{} series with {times} times, {shifted} of them over a change of the clocks", made.len());
        assert!(made.len() > 150 && shifted > 20, "{} {shifted}", made.len());
    }
}

fn weekly() -> Value {
    json!({
        "topic": "Weekly", "type": 8, "start_time": "2026-03-10T09:00:00", "timezone": "Europe/London",
        "duration": 30, "recurrence": {"type": 2, "weekly_days": "3", "repeat_interval": 1, "end_times": 6},
    })
}

#[tokio::test]
async fn what_was_moved_or_deleted_of_a_series_is_told_by_its_times() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(weekly());
    host.sync_one(&connection, MEETINGS).await;
    let before = host.planned(&connection, id).unwrap();

    let ids = host.fake.occurrence_ids(id);
    host.fake.delete_occurrence(id, &ids[1]);
    let moved = json!({"start_time": "2026-03-26T15:00:00", "duration": 45});
    host.fake.update_occurrence(id, &ids[2], moved);
    // The first one, too: the rule counts from where it would have been.
    host.fake.update_occurrence(id, &ids[0], json!({"start_time": "2026-03-11T08:00:00"}));
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, report.deleted), (1, 0));

    let after = host.planned(&connection, id).unwrap();
    assert_eq!((&after.start, &after.recurrence), (&before.start, &before.recurrence));
    assert_eq!(by_rule(&after), by_rule(&before));
    let shown: Vec<_> = after
        .occurrences
        .iter()
        .map(|one| {
            let end = one.end.as_ref().unwrap().earliest_utc();
            format!("{} {} {}", one.start, (end - one.start.earliest_utc()).num_minutes(), one.status)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "2026-03-11T08:00:00+00:00[Europe/London] 30 scheduled",
            "2026-03-17T09:00:00+00:00[Europe/London] 30 cancelled",
            "2026-03-26T15:00:00+00:00[Europe/London] 45 scheduled",
            "2026-03-31T09:00:00+01:00[Europe/London] 30 scheduled",
            "2026-04-07T09:00:00+01:00[Europe/London] 30 scheduled",
            "2026-04-14T09:00:00+01:00[Europe/London] 30 scheduled",
        ]
    );
    assert_eq!(after.occurrences[1].status, MeetingStatus::Cancelled);
    assert_eq!(after.occurrences.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn the_first_time_that_is_deleted_and_not_shown_still_counts_where_the_series_has_a_start() {
    let host = Host::on(FakeZoomBuilder::without_deleted_occurrences).await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(weekly());
    host.fake.delete_occurrence(id, &host.fake.occurrence_ids(id)[0]);
    host.sync_one(&connection, MEETINGS).await;
    let meeting = host.planned(&connection, id).unwrap();
    assert_eq!(meeting.start.as_ref().unwrap().to_string(), "2026-03-10T09:00:00+00:00[Europe/London]");
    assert_eq!((by_rule(&meeting).len(), meeting.occurrences.len()), (6, 5));
}

#[tokio::test]
async fn times_that_are_over_stay_and_the_rule_does_not_move_on() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(weekly());
    host.sync_one(&connection, MEETINGS).await;
    let before = host.planned(&connection, id).unwrap();
    host.clock.advance(20 * crate::host::DAY);
    host.sync_one(&connection, MEETINGS).await;
    assert_eq!(host.planned(&connection, id).unwrap(), before);
}
