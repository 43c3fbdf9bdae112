//! What one odd answer does to the others, and what nobody may keep.

use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use integrations_zoom::meetings::{MEETINGS, PAST_MEETINGS};
use serde_json::json;

use crate::host::{HOUR, Host, MINUTE};

#[tokio::test]
async fn a_row_that_cannot_be_read_is_quarantined_once_and_the_others_come() {
    let odd =
        [r#"{"topic":"no id"}"#, r#"{"id":,"topic":"unsound"}"#, r#"{"id":""}"#, "7", "null", r#"{"id":{}}"#];
    let host = Host::on(|fake| fake.page_cap(300)).await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(json!({"topic": "Sound"}));
    for row in odd {
        host.fake.raw_meeting(row);
    }
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, report.quarantined), (1, odd.len() as u64));
    assert!(host.planned(&connection, id).is_some());
    for item in host.quarantined(&connection, MEETINGS) {
        assert!(item.path.starts_with('$') && odd.contains(&&*item.raw.to_text()), "{item:?}");
    }
    // It is not given again, and proves nothing.
    host.fake.update_meeting(id, json!({"topic": "Changed"}));
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, report.quarantined, report.deleted), (1, 0, 0));

    let held = host.sync_one(&connection, PAST_MEETINGS).await;
    assert!(held.quarantined > 0);
    assert_eq!(host.sync_one(&connection, PAST_MEETINGS).await.quarantined, 0);
}

#[tokio::test]
async fn an_id_is_a_number_or_a_text() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(json!({"topic": "Text"}));
    host.fake.patch_meeting(id, json!({"id": id.to_string(), "type": "2", "duration": "45"}));
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, report.quarantined), (1, 0));
    let meeting = host.planned(&connection, id).unwrap();
    let length = meeting.end.unwrap().earliest_utc() - meeting.start.unwrap().earliest_utc();
    assert_eq!(length.num_minutes(), 45);
    host.fake.unpatch_meeting(id);
    assert_eq!(host.sync_one(&connection, MEETINGS).await.upserted, 1);
    assert_eq!(host.records(&connection, MEETINGS).len(), 1);
}

#[tokio::test]
async fn a_hostile_id_names_no_other_path() {
    let host = Host::on(|fake| fake.page_cap(300)).await;
    let connection = host.connect().await;
    for id in ["..", "../../users/me", "1?x=y", "1#", "%2e%2e"] {
        host.fake.raw_meeting(&json!({"id": id, "topic": "x", "type": 2}).to_string());
    }
    host.sync_one(&connection, MEETINGS).await;
    for request in host.fake.requests() {
        let known = request.path == "/v2/users/me/meetings" || request.path.starts_with("/v2/meetings/");
        assert!(known && request.path.matches('/').count() <= 4, "{}", request.path);
    }
    // What no path can hold is told by its id.
    assert_eq!(host.records(&connection, MEETINGS).len(), 0);
}

#[tokio::test]
async fn a_meeting_that_zoom_refuses_to_give_harms_itself_alone() {
    for (operation, stream) in [("meetings.get", MEETINGS), ("pastMeetings.get", PAST_MEETINGS)] {
        let host = Host::new().await;
        let connection = host.connect().await;
        for topic in ["One", "Two", "Three"] {
            host.hold(json!({"topic": topic, "duration": 5}), 10 * MINUTE);
        }
        host.fake.fault(Fault::on(operation).nth(2).status(400).reason("300"));
        let report = host.sync_one(&connection, stream).await;
        assert_eq!((report.upserted, report.quarantined), (2, 1), "{operation}");
        let quarantine = host.quarantined(&connection, stream);
        assert_eq!((&*quarantine[0].path, quarantine[0].id.is_some()), ("$.refused", true));
        // Once it is given, it comes.
        host.clock.advance(HOUR);
        let report = host.sync_one(&connection, stream).await;
        assert_eq!((report.upserted, report.quarantined), (1, 0), "{operation}");
        assert_eq!(host.records(&connection, stream).len(), 3);
    }
}

#[tokio::test]
async fn times_that_say_nothing_are_none() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(json!({"topic": "Never"}));
    host.fake.patch_meeting(
        id,
        json!({"start_time": "0001-01-01T00:00:00Z", "created_at": "", "agenda": null, "recurrence": null, "occurrences": null}),
    );
    let report = host.sync_one(&connection, MEETINGS).await;
    assert_eq!((report.upserted, report.quarantined), (1, 0));
    let meeting = host.planned(&connection, id).unwrap();
    assert_eq!((meeting.start, meeting.end, meeting.created_at, meeting.agenda), (None, None, None, None));
}

#[tokio::test]
async fn the_hosts_own_address_is_kept_nowhere() {
    let host = Host::on(|fake| fake.canary("CANARY-7f3a")).await;
    let connection = host.connect().await;
    let (id, uuid) = host.hold(json!({"topic": "Secret", "duration": 5}), 10 * MINUTE);
    let malformed = host.fake.create_meeting(json!({"topic": "Malformed"}));
    host.fake.patch_meeting(malformed, json!({"topic": ["no", "text"]}));
    host.fake.record(&uuid);
    host.fake.finish_recording(&uuid);
    host.sync(&connection).await;
    let record = &host.records(&connection, MEETINGS)[0];
    let raw: serde_json::Value = serde_json::from_slice(record.raw.as_bytes()).unwrap();
    assert_eq!(raw["start_url"], json!(null));
    // All the rest is as it was sent.
    let mut sent = host.fake.meeting(id).unwrap();
    assert!(sent["start_url"].as_str().unwrap().contains("CANARY"));
    sent["start_url"] = json!(null);
    assert_eq!(raw, sent);
    let entity = serde_json::to_string(&record.entity).unwrap();
    assert!(!entity.contains("CANARY") && !record.raw.to_text().contains("CANARY"));
    let quarantined = host.quarantined(&connection, MEETINGS);
    assert_eq!((quarantined.len(), quarantined[0].raw.to_text().contains("CANARY")), (1, false));
}

#[tokio::test]
async fn a_list_without_its_rows_is_no_list() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let id = host.fake.create_meeting(json!({"topic": "There"}));
    host.sync(&connection).await;
    for body in ["{}", r#"{"meetings":null}"#, r#"{"page_count":1,"next_page_token":""}"#, "[]"] {
        host.fake.fault(Fault::on("meetings.list").status(200).body(body, "application/json"));
        let error = host.try_one(&connection, MEETINGS, SyncRequest::full()).await.unwrap_err();
        assert_eq!(error.kind(), integrations_core::ErrorKind::DataFormat, "{body}");
        assert!(host.planned(&connection, id).is_some());
    }
}
