//! Meetings that were held: who was there, what was recorded, and how far back that is known.

use chrono::TimeDelta;
use integrations_core::clock::Clock as _;
use integrations_core::model::MeetingKind;
use integrations_core::sync::{SyncRequest, Window};
use integrations_testkit::zoom::FakeZoomBuilder;
use integrations_zoom::meetings::PAST_MEETINGS;
use serde_json::json;

use crate::host::{DAY, HOUR, Host, MINUTE};

#[tokio::test]
async fn whoever_comes_twice_is_there_twice_however_many_pages_it_takes() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(json!({"topic": "All hands", "duration": 60}));
    let uuid = host.fake.start_meeting(id);
    for guest in 0..12 {
        host.fake.join_meeting(id, json!({"name": format!("Guest {guest}")}));
    }
    host.clock.advance(10 * MINUTE);
    host.fake.leave_meeting(id, "Guest 3");
    host.clock.advance(MINUTE);
    host.fake.join_meeting(id, json!({"name": "Guest 3"}));
    host.clock.advance(HOUR);
    host.fake.end_meeting(id);
    host.sync_one(&connection, PAST_MEETINGS).await;

    let held = host.held(&connection, &uuid).unwrap();
    let mut names: Vec<_> = held.participants.iter().map(|one| one.person.name.clone().unwrap()).collect();
    let mut expected = host.fake.participants(&uuid);
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
    let twice: Vec<_> = held
        .participants
        .iter()
        .filter(|one| one.person.name.as_deref() == Some("Guest 3"))
        .map(|one| one.seconds)
        .collect();
    assert_eq!(twice, [Some(600), Some(3_600)]);
    // A guest has no id, and of an outsider Zoom tells no address.
    assert!(held.participants.iter().filter(|one| one.person.email.is_some()).count() == 1);
    assert_eq!(held.start.unwrap().earliest_utc().to_rfc3339(), "2026-03-02T09:00:00+00:00");
    assert_eq!(held.end.unwrap().earliest_utc().to_rfc3339(), "2026-03-02T10:11:00+00:00");
}

#[tokio::test]
async fn a_session_is_found_by_its_id_however_odd() {
    let host = Host::on(FakeZoomBuilder::awkward_uuids).await;
    let connection = host.connect().await;
    let (_, uuid) = host.hold(json!({"topic": "Odd", "duration": 5}), 10 * MINUTE);
    assert!(uuid.starts_with('/') && uuid.contains("//"), "{uuid}");
    host.fake.record(&uuid);
    host.fake.finish_recording(&uuid);
    host.sync_one(&connection, PAST_MEETINGS).await;
    let held = host.held(&connection, &uuid).unwrap();
    assert_eq!(
        (held.session_id.as_deref(), held.participants.len(), held.recordings.len()),
        (Some(&*uuid), 2, 2)
    );
    let asked: Vec<_> =
        host.fake.requests().into_iter().filter(|one| one.path.contains("/v2/past_meetings/%252F")).collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn files_that_appear_late_come_and_those_that_go_are_gone() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let (_, uuid) = host.hold(json!({"topic": "Demo", "duration": 5}), 10 * MINUTE);
    host.fake.record(&uuid);
    host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!(host.held(&connection, &uuid).unwrap().recordings, []);

    host.clock.advance(DAY);
    host.fake.finish_recording(&uuid);
    let report = host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!((report.upserted, host.held(&connection, &uuid).unwrap().recordings.len()), (1, 2));

    host.clock.advance(DAY);
    host.fake.add_recording_file(&uuid, json!({"status": "processing"}));
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.upserted, 1);
    let held = host.held(&connection, &uuid).unwrap();
    assert_eq!(held.recordings[2].status.as_deref(), Some("processing"));

    host.fake.trash_recording(&uuid);
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.upserted, 1);
    assert_eq!(host.held(&connection, &uuid).unwrap().recordings, []);
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.upserted, 0);

    // Later than that, a full sync finds out.
    host.clock.advance(4 * DAY);
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.upserted, 0);
    host.fake.recover_recording(&uuid);
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.upserted, 0);
    host.try_one(&connection, PAST_MEETINGS, SyncRequest::full()).await.unwrap();
    assert_eq!(host.held(&connection, &uuid).unwrap().recordings.len(), 3);
}

#[tokio::test]
async fn a_run_without_news_costs_three_lists() {
    let host = Host::on(|fake| fake.page_cap(300)).await;
    let connection = host.connect().await;
    for number in 0..8 {
        let (_, uuid) = host.hold(json!({"topic": format!("No. {number}"), "duration": 5}), 10 * MINUTE);
        if number % 2 == 0 {
            host.fake.record(&uuid);
            host.fake.finish_recording(&uuid);
        }
    }
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.upserted, 8);
    // What ended within the hour is looked at once more.
    let report = host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!((report.upserted, host.fake.count("pastMeetings.get")), (0, 6));
    host.clock.advance(HOUR);
    let report = host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!((report.upserted, host.fake.count("pastMeetings.get")), (0, 6));
    for _ in 0..2 {
        host.clock.advance(HOUR);
        let report = host.sync_one(&connection, PAST_MEETINGS).await;
        assert_eq!((report.upserted, report.deleted), (0, 0));
        let calls = ["meetings.list", "recordings.list", "pastMeetings.instances", "pastMeetings.get"];
        assert_eq!(calls.map(|call| host.fake.count(call)), [2, 1, 0, 0]);
    }
    assert!(host.position_bytes(&connection, PAST_MEETINGS).await < 4 << 10);
}

#[tokio::test]
async fn sessions_of_meetings_that_repeat_come_one_by_one() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let (standing, first) = host.hold(json!({"type": 3, "topic": "Standing"}), 10 * MINUTE);
    let series = json!({
        "type": 8, "topic": "Daily", "start_time": "2026-03-01T12:00:00Z", "duration": 15,
        "recurrence": {"type": 1, "repeat_interval": 1, "end_times": 9},
    });
    let (daily, other) = host.hold(series, 15 * MINUTE);
    host.sync_one(&connection, PAST_MEETINGS).await;
    let ids = |host: &Host| -> Vec<String> {
        let mut ids: Vec<_> =
            host.records(&connection, PAST_MEETINGS).iter().map(|record| record.id().to_owned()).collect();
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(ids(&host), sorted(vec![first.clone(), other.clone()]));
    host.clock.advance(DAY);
    let second = host.hold_again(standing, 10 * MINUTE);
    let third = host.hold_again(daily, 10 * MINUTE);
    let report = host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!((report.upserted, report.deleted), (2, 0));
    assert_eq!(ids(&host), sorted(vec![first, other, second.clone(), third]));
    assert_eq!(host.held(&connection, &second).unwrap().code, Some(standing.to_string()));
}

#[tokio::test]
async fn one_that_nobody_had_planned_is_known_by_its_recording() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(json!({"type": 1, "topic": "Right now"}));
    host.clock.advance(10 * MINUTE);
    let uuid = host.fake.end_meeting(id);
    host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!(host.held(&connection, &uuid), None, "Zoom does not list it");
    host.fake.record(&uuid);
    host.fake.finish_recording(&uuid);
    host.sync_one(&connection, PAST_MEETINGS).await;
    let held = host.held(&connection, &uuid).unwrap();
    assert_eq!((held.kind, held.recordings.len()), (MeetingKind::Instant, 2));
    // It was held, also without a recording.
    host.fake.delete_recording(&uuid);
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.deleted, 0);
    assert_eq!(host.held(&connection, &uuid).unwrap().recordings, []);
}

#[tokio::test]
async fn what_zoom_forgets_of_late_is_gone_and_what_it_does_not_list_is_not() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let (_, gone) = host.hold(json!({"topic": "Gone", "duration": 5}), 10 * MINUTE);
    let (meeting, kept) = host.hold(json!({"topic": "Kept", "duration": 5}), 10 * MINUTE);
    host.sync_one(&connection, PAST_MEETINGS).await;
    host.fake.forget_session(&gone);
    host.fake.delete_meeting(meeting);
    let report = host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!((report.deleted, report.upserted), (1, 0));
    assert_eq!(host.held(&connection, &gone), None);
    assert!(host.held(&connection, &kept).is_some());
    // No full listing meets it, and it stays.
    host.try_one(&connection, PAST_MEETINGS, SyncRequest::full().accept_shrink()).await.unwrap();
    assert!(host.held(&connection, &kept).is_some());
}

#[tokio::test]
async fn without_a_paid_plan_or_a_scope_the_rest_is_there() {
    let free = Host::on(FakeZoomBuilder::without_paid_plan).await;
    let few = Host::on(|fake| {
        fake.app_scopes(&[
            "user:read:user",
            "meeting:read:list_meetings",
            "meeting:read:meeting",
            "meeting:read:past_meeting",
            "meeting:read:list_past_instances",
        ])
    })
    .await;
    for host in [free, few] {
        let connection = host.connect().await;
        let (_, uuid) = host.hold(json!({"topic": "Demo", "duration": 5}), 10 * MINUTE);
        host.fake.record(&uuid);
        host.fake.finish_recording(&uuid);
        host.sync_one(&connection, PAST_MEETINGS).await;
        let held = host.held(&connection, &uuid).unwrap();
        assert_eq!(
            (held.title.as_deref(), held.participants.len(), held.recordings.len()),
            (Some("Demo"), 0, 0)
        );
    }
}

#[tokio::test]
async fn a_listing_goes_back_half_a_year_and_further_when_the_host_wants_it() {
    for (days, since, found) in
        [(100, None, true), (200, None, false), (200, Some(220), true), (100, Some(50), false)]
    {
        // A series: the number of a single meeting would have expired.
        let host = Host::on(|fake| fake.refresh_token_lifetime(900 * DAY)).await;
        let connection = host.connect().await;
        let series = json!({
            "type": 8, "start_time": "2026-03-02T09:00:00Z", "duration": 5,
            "recurrence": {"type": 1, "repeat_interval": 1, "end_times": 300},
        });
        let (_, uuid) = host.hold(series, 10 * MINUTE);
        host.clock.advance(days * DAY);
        let window =
            since.map_or(Window::ALL, |days| Window::since(host.clock.now() - TimeDelta::days(days)));
        let request = SyncRequest::incremental().within(window);
        let report = host.try_one(&connection, PAST_MEETINGS, request).await.unwrap();
        assert_eq!(
            host.held(&connection, &uuid).is_some(),
            found,
            "{days} days ago, since {since:?}: {report:?}"
        );
        assert_eq!(report.outside, 0);
    }
}

#[tokio::test]
async fn a_row_of_other_days_than_were_asked_for_is_passed_over() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let row = |kind: u8| {
        let start = "2025-03-02T09:00:00Z";
        json!({"id": 77, "uuid": "aDYlohsHRtCd4ii1uC2+hA==", "type": kind, "start_time": start}).to_string()
    };
    host.fake.raw_meeting(&row(2));
    host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!(host.fake.count("pastMeetings.instances"), 0);
    // One that repeats may have been held since, and is asked for once.
    host.fake.raw_meeting(&row(8));
    host.sync_one(&connection, PAST_MEETINGS).await;
    assert_eq!(host.fake.count("pastMeetings.instances"), 1);
}

#[tokio::test]
async fn a_clock_that_was_ahead_hides_nothing() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.sync_one(&connection, PAST_MEETINGS).await;
    let now = host.clock.now();
    host.clock.set_wall(now + TimeDelta::days(20));
    host.sync_one(&connection, PAST_MEETINGS).await;
    host.clock.set_wall(now);
    let (_, uuid) = host.hold(json!({"topic": "Here", "duration": 5}), 10 * MINUTE);
    host.sync_one(&connection, PAST_MEETINGS).await;
    assert!(host.held(&connection, &uuid).is_some());
    // And one that was behind.
    host.clock.set_wall(now - TimeDelta::days(20));
    host.sync_one(&connection, PAST_MEETINGS).await;
    host.clock.set_wall(now + TimeDelta::hours(1));
    let (_, other) = host.hold(json!({"topic": "There", "duration": 5}), 10 * MINUTE);
    host.sync_one(&connection, PAST_MEETINGS).await;
    assert!(host.held(&connection, &uuid).is_some() && host.held(&connection, &other).is_some());
}
