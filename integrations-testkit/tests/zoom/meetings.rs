//! One meeting, and what happens to it.

use std::time::Duration;

use serde_json::json;

use super::*;

fn weekly() -> Value {
    json!({
        "topic": "Weekly", "type": 8, "start_time": "2026-03-16T09:00:00", "duration": 45,
        "timezone": "Europe/Berlin",
        "recurrence": {"type": 2, "weekly_days": "2", "repeat_interval": 1, "end_times": 4},
    })
}

#[tokio::test]
async fn a_meeting_is_shown_as_it_was_made_and_changed() {
    let fake = start().await;
    let id = fake.create_meeting(json!({
        "topic": "Kick-off", "start_time": "2026-03-10T10:00:00", "timezone": "America/New_York",
        "duration": 90, "agenda": "Why", "settings": {"alternative_hosts": "grace@example.com"},
    }));
    let path = format!("/meetings/{id}");
    let meeting = ok(&fake, &path, &[]).await;
    assert_eq!(
        (&meeting["id"], &meeting["topic"], &meeting["type"], &meeting["status"]),
        (&json!(id), &json!("Kick-off"), &json!(2), &json!("waiting"))
    );
    assert_eq!(
        (&meeting["start_time"], &meeting["timezone"], &meeting["duration"]),
        (&json!("2026-03-10T14:00:00Z"), &json!("America/New_York"), &json!(90))
    );
    assert_eq!(meeting["settings"]["alternative_hosts"], "grace@example.com");
    assert_eq!((&meeting["host_id"], &meeting["host_email"]), (&json!(fake.user_id()), &json!(fake.user())));
    assert!(id > u64::from(u32::MAX));

    fake.update_meeting(id, json!({"topic": "Start", "start_time": "2026-03-11T10:00:00Z", "duration": 30}));
    let changed = ok(&fake, &path, &[]).await;
    assert_eq!(
        (&changed["topic"], &changed["start_time"], &changed["duration"]),
        (&json!("Start"), &json!("2026-03-11T10:00:00Z"), &json!(30))
    );
    assert_eq!(changed["uuid"], meeting["uuid"]);
    fake.delete_meeting(id);
    assert_eq!(refused(&fake, &path, &[]).await, (404, 3_001));
    assert_eq!(fake.meeting(id), None);
}

#[tokio::test]
async fn a_series_is_expanded_in_its_zone() {
    let fake = start().await;
    let id = fake.create_meeting(weekly());
    let meeting = ok(&fake, &format!("/meetings/{id}"), &[]).await;
    let occurrences = meeting["occurrences"].as_array().unwrap();
    // On the 29th the clocks change.
    assert_eq!(
        all(occurrences, "start_time"),
        ["2026-03-16T08:00:00Z", "2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z", "2026-04-06T07:00:00Z"]
    );
    assert_eq!(occurrences[0]["occurrence_id"], "1773648000000");
    assert_eq!((&occurrences[0]["duration"], &occurrences[0]["status"]), (&json!(45), &json!("available")));
    assert_eq!(
        meeting["recurrence"],
        json!({"type": 2, "weekly_days": "2", "repeat_interval": 1, "end_times": 4})
    );
    assert_eq!(meeting["start_time"], "2026-03-16T08:00:00Z");
}

#[tokio::test]
async fn one_meeting_of_a_series_can_be_moved_and_deleted() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let id = fake.create_meeting(weekly());
    let ids = fake.occurrence_ids(id);
    fake.update_occurrence(id, &ids[1], json!({"start_time": "2026-03-24T15:00:00Z", "duration": 20}));
    fake.delete_occurrence(id, &ids[2]);
    let path = format!("/meetings/{id}");
    let meeting = ok(&fake, &path, &[]).await;
    let occurrences = meeting["occurrences"].as_array().unwrap();
    assert_eq!(all(occurrences, "occurrence_id"), ids, "the ids stay");
    assert_eq!(all(occurrences, "status"), ["available", "available", "deleted", "available"]);
    assert_eq!(occurrences[1]["start_time"], "2026-03-24T15:00:00Z");

    let one = ok(&fake, &path, &[("occurrence_id", &ids[1])]).await;
    assert_eq!((&one["start_time"], &one["duration"]), (&json!("2026-03-24T15:00:00Z"), &json!(20)));
    assert_eq!(refused(&fake, &path, &[("occurrence_id", "1")]).await, (404, 3_001));
    // The first is over: it is shown to who asks for it.
    clock.advance(Duration::from_secs(16 * 86_400));
    let left = ok(&fake, &path, &[]).await;
    assert_eq!(all(left["occurrences"].as_array().unwrap(), "occurrence_id"), ids[1..]);
    let whole = ok(&fake, &path, &[("show_previous_occurrences", "true")]).await;
    assert_eq!(all(whole["occurrences"].as_array().unwrap(), "occurrence_id"), ids);

    fake.update_meeting(id, json!({"start_time": "2026-03-16T10:00:00"}));
    let anew = fake.occurrence_ids(id);
    assert!(anew.len() == 4 && anew.iter().all(|new| !ids.contains(new)), "another time, other ids");
}

#[tokio::test]
async fn what_is_not_known_of_series_can_be_chosen() {
    let fake = builder(&clock())
        .without_deleted_occurrences()
        .without_series_start()
        .meeting(weekly())
        .start()
        .await;
    let id = fake.meeting_ids()[0];
    fake.delete_occurrence(id, &fake.occurrence_ids(id)[0]);
    let meeting = ok(&fake, &format!("/meetings/{id}"), &[]).await;
    assert_eq!(meeting["occurrences"].as_array().unwrap().len(), 3);
    assert_eq!((meeting.get("start_time"), meeting.get("duration")), (None, None));
    // A row of a listing has them still.
    assert_eq!(rows(&fake, "upcoming").await[0].1, "2026-03-23T08:00:00Z");
}

#[tokio::test]
async fn a_meeting_id_expires_unless_it_is_a_personal_one() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let single = fake.create_meeting(json!({"start_time": "2026-03-02T09:00:00Z"}));
    let held = fake.create_meeting(json!({"start_time": "2026-03-02T09:00:00Z"}));
    let series = fake.create_meeting(weekly());
    let instant = fake.create_meeting(json!({"type": 1}));
    let room = fake.personal_room(fake.user());
    let path = |id: u64| format!("/meetings/{id}");
    assert_eq!(ok(&fake, &path(instant), &[]).await["status"], "started");
    fake.end_meeting(instant);
    assert_eq!(refused(&fake, &path(instant), &[]).await, (404, 3_001));

    clock.advance(Duration::from_secs(20 * 86_400));
    fake.start_meeting(held);
    fake.end_meeting(held);
    clock.advance(Duration::from_secs(11 * 86_400));
    assert_eq!(refused(&fake, &path(single), &[]).await, (404, 3_001));
    assert_eq!(fake.meeting_ids().len(), 2);
    ok(&fake, &path(held), &[]).await;
    clock.advance(Duration::from_secs(19 * 86_400));
    assert_eq!(refused(&fake, &path(held), &[]).await, (404, 3_001));
    ok(&fake, &path(series), &[]).await;
    clock.advance(Duration::from_secs(365 * 86_400));
    assert_eq!(refused(&fake, &path(series), &[]).await, (404, 3_001));
    assert_eq!(ok(&fake, &path(room), &[]).await["type"], 4);
}

#[tokio::test]
async fn a_patch_shows_everywhere_until_it_is_taken_back() {
    let fake = start().await;
    let id = fake.create_meeting(json!({"start_time": "2026-03-02T09:00:00Z"}));
    fake.patch_meeting(id, json!({"start_time": "tomorrow", "type": 77, "topic": null}));
    let row = drain(&fake, "/users/me/meetings", "meetings", &[]).await.remove(0);
    for shown in [row, ok(&fake, &format!("/meetings/{id}"), &[]).await] {
        assert_eq!((&shown["start_time"], &shown["type"]), (&json!("tomorrow"), &json!(77)));
        assert_eq!(shown.get("topic"), None);
    }
    fake.unpatch_meeting(id);
    assert_eq!(fake.meeting(id).unwrap()["topic"], "Zoom Meeting");
}
