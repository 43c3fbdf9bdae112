//! Recordings: late, in windows, in the trash.

use std::time::Duration;

use integrations_testkit::zoom::LongWindow;
use serde_json::json;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const LIST: &str = "/users/me/recordings";

/// A session of a meeting that is recorded; its uuid.
fn recorded(fake: &FakeZoom, clock: &ManualClock) -> String {
    let id = fake.create_meeting(json!({"type": 3, "topic": "Recorded"}));
    let uuid = fake.start_meeting(id);
    clock.advance(Duration::from_secs(600));
    fake.end_meeting(id);
    fake.record(&uuid);
    uuid
}

async fn listed(fake: &FakeZoom, query: Query<'_>) -> Vec<String> {
    let items = drain(fake, LIST, "meetings", query).await;
    items.iter().map(|item| item["uuid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_recording_appears_late_under_the_day_of_its_session() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let uuid = recorded(&fake, &clock);
    let path = format!("/meetings/{}/recordings", twice(&uuid));
    let march = [("from", "2026-03-01"), ("to", "2026-03-31")];
    clock.advance(DAY * 2);
    assert_eq!(refused(&fake, &path, &[]).await, (404, 3_310));
    assert!(listed(&fake, &march).await.is_empty());
    fake.finish_recording(&uuid);
    assert_eq!(listed(&fake, &march).await, [uuid.as_str()]);
    assert!(listed(&fake, &[("from", "2026-03-02"), ("to", "2026-03-31")]).await.is_empty());
    assert!(listed(&fake, &[]).await.is_empty(), "without dates it is the last day");
    assert_eq!(fake.recorded(), [uuid.as_str()]);

    fake.add_recording_file(&uuid, json!({"file_type": "TRANSCRIPT", "status": "processing"}));
    let recording = ok(&fake, &path, &[]).await;
    let files = recording["recording_files"].as_array().unwrap();
    assert_eq!(all(files, "file_type"), ["MP4", "M4A", "TRANSCRIPT"]);
    assert_eq!(all(files, "status"), ["completed", "completed", "processing"]);
    assert_eq!(all(files, "file_extension"), ["MP4", "M4A", "VTT"]);
    assert_eq!((&recording["recording_count"], &recording["duration"]), (&json!(3), &json!(10)));
    assert_eq!(files[0]["meeting_id"], uuid);
    assert_eq!(recording["type"], 3);
    // A list writes the type as text.
    assert_eq!(drain(&fake, LIST, "meetings", &march).await[0]["type"], "3");
    // By the number of the meeting, too.
    let id = recording["id"].as_u64().unwrap();
    assert_eq!(ok(&fake, &format!("/meetings/{id}/recordings"), &[]).await, recording);
    fake.patch_recording(&uuid, json!({"topic": "Another"}));
    assert_eq!(fake.recording(&uuid).unwrap()["topic"], "Another");
    fake.unpatch_recording(&uuid);
    assert_eq!(fake.recording(&uuid).unwrap()["topic"], "Recorded");
}

#[tokio::test]
async fn what_is_in_the_trash_is_listed_there_only() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let uuid = recorded(&fake, &clock);
    fake.finish_recording(&uuid);
    assert_eq!(listed(&fake, &[]).await, [uuid.as_str()]);
    fake.trash_recording(&uuid);
    assert!(listed(&fake, &[]).await.is_empty());
    assert_eq!(listed(&fake, &[("trash", "true")]).await, [uuid.as_str()]);
    let path = format!("/meetings/{}/recordings", twice(&uuid));
    assert_eq!(refused(&fake, &path, &[]).await, (404, 3_301));
    fake.recover_recording(&uuid);
    assert_eq!(listed(&fake, &[("trash", "false")]).await, [uuid.as_str()]);
    fake.delete_recording(&uuid);
    assert_eq!(refused(&fake, &path, &[]).await, (404, 3_301));
    assert!(listed(&fake, &[("trash", "true")]).await.is_empty());
    assert_eq!(refused(&fake, LIST, &[("trash", "true"), ("from", "2026-03-01")]).await, (400, 300));
    assert_eq!(refused(&fake, "/meetings/12345/recordings", &[]).await, (404, 3_001));
}

#[tokio::test]
async fn a_window_of_more_than_a_month_is_refused_or_cut() {
    let clock = clock();
    let month = [("from", "2026-01-31"), ("to", "2026-02-28")];
    let longer = [("from", "2026-01-31"), ("to", "2026-03-01")];
    let fake = builder(&clock).start().await;
    let page = ok(&fake, LIST, &month).await;
    assert_eq!((&page["from"], &page["to"]), (&json!("2026-01-31"), &json!("2026-02-28")));
    assert_eq!(refused(&fake, LIST, &longer).await, (400, 300));
    assert_eq!(refused(&fake, LIST, &[("from", "2026-03-02"), ("to", "2026-03-01")]).await, (400, 300));
    let page = ok(&fake, LIST, &[]).await;
    assert_eq!((&page["from"], &page["to"]), (&json!("2026-03-01"), &json!("2026-03-02")));

    let fake = builder(&clock).long_window(LongWindow::Cut).start().await;
    let page = ok(&fake, LIST, &[("from", "2025-01-01"), ("to", "2026-03-01")]).await;
    assert_eq!((&page["from"], &page["to"]), (&json!("2026-02-01"), &json!("2026-03-01")));
}

#[tokio::test]
async fn recordings_come_in_the_order_of_their_sessions_page_by_page() {
    let clock = clock();
    let fake = builder(&clock).page_cap(2).start().await;
    let mut uuids = Vec::new();
    for _ in 0..5 {
        let uuid = recorded(&fake, &clock);
        fake.finish_recording(&uuid);
        uuids.push(uuid);
    }
    fake.raw_recording("{\"uuid\":\"raw\"}");
    uuids.push("raw".to_owned());
    assert_eq!(pages(&fake, LIST, &[]).await.len(), 3);
    assert_eq!(listed(&fake, &[]).await, uuids);
    let id = ok(&fake, &format!("/meetings/{}/recordings", twice(&uuids[3])), &[]).await["id"].to_string();
    assert_eq!(listed(&fake, &[("meeting_id", &id)]).await, [uuids[3].clone(), "raw".to_owned()]);
}

#[tokio::test]
async fn an_account_that_does_not_pay_has_no_recordings_and_no_participants() {
    let clock = clock();
    let fake = builder(&clock).without_paid_plan().start().await;
    let uuid = recorded(&fake, &clock);
    assert_eq!(refused(&fake, LIST, &[]).await, (400, 200));
    let path = format!("/past_meetings/{}", twice(&uuid));
    assert_eq!(refused(&fake, &format!("{path}/participants"), &[]).await, (400, 200));
    ok(&fake, &path, &[]).await;
}
