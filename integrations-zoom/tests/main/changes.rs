//! What happens to planned meetings, and what a run costs.

use integrations_core::ErrorKind;
use integrations_core::model::{MeetingKind, MeetingStatus};
use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use integrations_testkit::zoom::SeriesRows;
use integrations_zoom::meetings::{MEETINGS, PAST_MEETINGS};
use serde_json::json;

use crate::host::{DAY, HOUR, Host, MINUTE};

#[tokio::test]
async fn a_run_without_news_costs_two_lists_and_twenty_looks_and_writes_nothing() {
    let host = Host::on(|fake| fake.page_cap(300)).await;
    let connection = host.connect().await;
    for number in 0..45 {
        host.fake
            .create_meeting(json!({"topic": format!("No. {number}"), "start_time": "2026-03-04T09:00:00Z"}));
    }
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!(
        (report.upserted, host.fake.count("meetings.list"), host.fake.count("meetings.get")),
        (45, 2, 45)
    );
    for _ in 0..4 {
        let report = host.sync_one(&connection, MEETINGS).await;
        assert_eq!((report.upserted, report.deleted, report.swept), (0, 0, 0));
        let calls = [host.fake.count("meetings.list"), host.fake.count("meetings.get")];
        assert_eq!(calls, [2, 20]);
    }
    assert!(host.position_bytes(&connection, MEETINGS).await < 4 << 10);
}

#[tokio::test]
async fn what_a_list_does_not_show_is_seen_in_turn() {
    for (meetings, runs) in [(10, 1), (45, 3)] {
        let host = Host::on(|fake| fake.page_cap(300)).await;
        let connection = host.connect().await;
        let ids: Vec<_> = (0..meetings).map(|_| host.fake.create_meeting(json!({}))).collect();
        host.sync_one(&connection, MEETINGS).await;
        for id in &ids {
            host.fake.update_meeting(*id, json!({"settings": {"waiting_room": true}, "password": "n3w"}));
        }
        let mut upserted = 0;
        for _ in 0..runs {
            // The first password is in the address to join by, which lists show; what is not, comes in turn.
            upserted += host.sync_one(&connection, MEETINGS).await.upserted;
        }
        assert_eq!(upserted, meetings);
        for id in &ids {
            assert_eq!(host.planned(&connection, *id).unwrap().passcode.as_deref(), Some("n3w"));
        }
        for id in &ids {
            host.fake.update_meeting(*id, json!({"settings": {"waiting_room": false}}));
        }
        let mut upserted = 0;
        for run in 1..=runs {
            upserted += host.sync_one(&connection, MEETINGS).await.upserted;
            assert_eq!(upserted, (20 * run).min(meetings));
        }
    }
}

#[tokio::test]
async fn a_series_is_one_record_whatever_its_rows() {
    for rows in [SeriesRows::Occurrences, SeriesRows::Series] {
        let host = Host::on(|fake| fake.series_rows(rows)).await;
        let connection = host.connect().await;
        let id = host.fake.create_meeting(json!({
            "type": 8, "start_time": "2026-03-02T09:30:00", "timezone": "Europe/Berlin",
            "recurrence": {"type": 1, "repeat_interval": 1, "end_times": 17},
        }));
        let report = host.sync_one(&connection, MEETINGS).await;
        assert_eq!((report.upserted, host.fake.count("meetings.get")), (1, 1), "{rows:?}");
        let report = host.sync_one(&connection, MEETINGS).await;
        assert_eq!((report.upserted, host.fake.count("meetings.get")), (0, 1));
        assert_eq!(host.records(&connection, MEETINGS).len(), 1);
        assert_eq!(host.planned(&connection, id).unwrap().occurrences.len(), 17);
    }
}

#[tokio::test]
async fn a_meeting_is_planned_then_live_then_held() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host
        .fake
        .create_meeting(json!({"topic": "Review", "start_time": "2026-03-02T10:00:00Z", "duration": 30}));
    host.sync(&connection).await;
    assert_eq!(host.planned(&connection, id).unwrap().status, MeetingStatus::Scheduled);
    assert_eq!(host.records(&connection, PAST_MEETINGS).len(), 0);

    host.clock.advance(HOUR);
    let uuid = host.fake.start_meeting(id);
    host.fake.join_meeting(id, json!({"name": "Grace Hopper"}));
    host.sync(&connection).await;
    assert_eq!(host.planned(&connection, id).unwrap().status, MeetingStatus::Started);
    assert_eq!(host.records(&connection, PAST_MEETINGS).len(), 0);

    host.clock.advance(31 * MINUTE);
    host.fake.end_meeting(id);
    host.sync(&connection).await;
    assert_eq!(host.planned(&connection, id).unwrap().status, MeetingStatus::Scheduled);
    let held = host.held(&connection, &uuid).unwrap();
    assert_eq!((held.status, held.participants.len()), (MeetingStatus::Ended, 2));
    assert_eq!(held.code.as_deref(), Some(id.to_string().as_str()));

    // A month later the number has expired. What was held is still known.
    host.clock.advance(31 * DAY);
    let report = host.sync(&connection).await.total();
    assert_eq!((report.deleted, report.swept), (1, 0));
    assert_eq!(host.planned(&connection, id), None);
    assert!(host.held(&connection, &uuid).is_some());
    host.gateway.sync_with(&connection.id, SyncRequest::full()).await.unwrap().into_result().unwrap();
    assert!(host.held(&connection, &uuid).is_some());
}

#[tokio::test]
async fn a_meeting_that_begins_is_seen_among_many() {
    let host = Host::with(|fake| fake.page_cap(300), |config| config.rechecks(0), |gateway| gateway).await;
    let connection = host.connect().await;
    let ids: Vec<_> = (0..30).map(|_| host.fake.create_meeting(json!({}))).collect();
    host.sync_one(&connection, MEETINGS).await;
    host.fake.start_meeting(ids[17]);
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, host.fake.count("meetings.get")), (1, 1));
    host.fake.end_meeting(ids[17]);
    assert_eq!(host.sync_one(&connection, MEETINGS).await.upserted, 1);
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, host.fake.count("meetings.get")), (0, 0));
}

#[tokio::test]
async fn one_that_is_not_listed_is_gone_when_zoom_says_so_of_it() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let kept = host.fake.create_meeting(json!({"topic": "Kept"}));
    let gone = host.fake.create_meeting(json!({"topic": "Gone"}));
    host.sync_one(&connection, MEETINGS).await;
    host.fake.delete_meeting(gone);

    // Any other 404 is no proof.
    host.fake.fault(Fault::on("meetings.get").always().status(404).reason("2300"));
    let outcome = host.try_one(&connection, MEETINGS, SyncRequest::incremental()).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(host.planned(&connection, gone).is_some());

    host.fake.clear_faults();
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.deleted, report.upserted), (1, 0));
    assert_eq!(host.planned(&connection, gone), None);
    assert!(host.planned(&connection, kept).is_some());
}

#[tokio::test]
async fn a_page_that_zoom_has_forgotten_begins_the_lists_anew_and_loses_nothing() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let ids: Vec<_> = (0..12).map(|_| host.fake.create_meeting(json!({}))).collect();
    host.sync_one(&connection, MEETINGS).await;
    for id in &ids {
        host.fake.update_meeting(*id, json!({"topic": "New"}));
    }
    let message = "The next page token is invalid or expired.";
    host.fake.fault(Fault::on("meetings.list").nth(2).status(400).reason(message));
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.resyncs, report.upserted, report.deleted), (0, 12, 0));

    // Zoom that forgets every page: the family lists anew, and then gives up.
    host.fake.fault(Fault::on("meetings.list").nth(2).always().status(400).reason(message));
    let error = host.try_one(&connection, MEETINGS, SyncRequest::incremental()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CursorExpired);
    host.fake.clear_faults();
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!(report.withheld, None);
    assert_eq!(host.records(&connection, MEETINGS).len(), 12);
}

#[tokio::test]
async fn a_meeting_without_a_time_and_one_in_the_own_room() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let standing = host.fake.create_meeting(json!({"type": 3, "topic": "Standing"}));
    let own = host.fake.create_meeting(json!({"settings": {"use_pmi": true}}));
    host.sync_one(&connection, MEETINGS).await;
    let meeting = host.planned(&connection, standing).unwrap();
    assert_eq!((meeting.kind, meeting.start, meeting.end), (MeetingKind::Recurring, None, None));
    let room = host.fake.personal_room(host.fake.user()).to_string();
    assert_eq!(host.planned(&connection, own).unwrap().code.as_deref(), Some(room.as_str()));
}

/// More than are remembered from run to run.
#[tokio::test]
async fn whoever_plans_thousands_has_them_listed_anew_by_each_run() {
    let host = Host::on(|fake| fake.page_cap(300)).await;
    let connection = host.connect().await;
    let ids: Vec<_> = (0..2_010).map(|_| host.fake.create_meeting(json!({}))).collect();
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, report.started_in), (2_010, "start"));
    for id in &ids[..20] {
        host.fake.delete_meeting(*id);
    }
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.started_in, report.upserted, report.swept), ("listed", 1_990, 20));
    // Now they can be remembered.
    assert!(host.position_bytes(&connection, MEETINGS).await < 100 << 10);
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.started_in, report.upserted, report.swept), ("tracking", 0, 0));
}
