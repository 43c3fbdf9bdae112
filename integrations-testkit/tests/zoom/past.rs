//! Sessions that are over, and who was there.

use std::time::Duration;

use serde_json::json;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn scheduled() -> Value {
    json!({"topic": "Review", "start_time": "2026-03-01T09:00:00Z", "duration": 30})
}

#[tokio::test]
async fn a_session_is_known_by_its_uuid_and_the_meeting_gets_another() {
    let clock = clock();
    let fake = builder(&clock).meeting(scheduled()).start().await;
    let id = fake.meeting_ids()[0];
    let path = |named: &str| format!("/past_meetings/{}", once(named));
    assert_eq!(refused(&fake, &path(&id.to_string()), &[]).await, (404, 3_001));
    let uuid = fake.start_meeting(id);
    assert_eq!(ok(&fake, &format!("/meetings/{id}"), &[]).await["uuid"], uuid);
    assert_eq!(refused(&fake, &path(&id.to_string()), &[]).await, (404, 3_001), "it is under way");
    clock.advance(MINUTE * 10);
    fake.join_meeting(id, json!({"name": "Linus", "user_email": "linus@elsewhere.example"}));
    clock.advance(MINUTE * 20 + Duration::from_secs(1));
    assert_eq!(fake.end_meeting(id), uuid);
    let meeting = ok(&fake, &format!("/meetings/{id}"), &[]).await;
    assert_ne!(meeting["uuid"], uuid);
    assert_eq!(meeting["status"], "waiting");

    let past = ok(&fake, &path(&id.to_string()), &[]).await;
    assert_eq!(past, ok(&fake, &format!("/past_meetings/{}", twice(&uuid)), &[]).await);
    assert_eq!(
        (&past["uuid"], &past["id"], &past["topic"], &past["type"]),
        (&json!(uuid), &json!(id), &json!("Review"), &json!(2))
    );
    assert_eq!(
        (&past["start_time"], &past["end_time"]),
        (&json!("2026-03-01T09:00:00Z"), &json!("2026-03-01T09:30:01Z"))
    );
    assert_eq!(
        (&past["duration"], &past["total_minutes"], &past["participants_count"]),
        (&json!(31), &json!(51), &json!(2))
    );
    assert_eq!((&past["user_name"], &past["user_email"]), (&json!("Ada Lovelace"), &json!(fake.user())));
    fake.delete_meeting(id);
    assert_eq!(fake.past_meeting(&uuid).unwrap(), past, "a session outlives its meeting");
    assert_eq!(refused(&fake, "/past_meetings/nobody%3D%3D", &[]).await, (404, 3_001));
}

#[tokio::test]
async fn a_session_that_zoom_forgets_is_nowhere_any_more() {
    let fake = builder(&clock()).start().await;
    let id = fake.create_meeting(json!({"type": 3}));
    let [gone, kept] = [(); 2].map(|()| {
        fake.start_meeting(id);
        fake.end_meeting(id)
    });
    fake.record(&gone);
    fake.finish_recording(&gone);
    fake.forget_session(&gone);
    assert_eq!(refused(&fake, &format!("/past_meetings/{}", twice(&gone)), &[]).await, (404, 3_001));
    assert_eq!(refused(&fake, &format!("/meetings/{}/recordings", twice(&gone)), &[]).await, (404, 3_001));
    let listed = ok(&fake, &format!("/past_meetings/{id}/instances"), &[]).await;
    assert_eq!(all(listed["meetings"].as_array().unwrap(), "uuid"), [kept]);
    assert_eq!(fake.recorded(), [""; 0]);
}

#[tokio::test]
async fn the_sessions_of_a_meeting_are_listed_as_far_back_as_is_chosen() {
    let clock = clock();
    let fake = builder(&clock).instances_of_the_last(Duration::from_secs(86_400 * 2)).start().await;
    let id = fake.create_meeting(json!({"type": 3}));
    let path = format!("/past_meetings/{id}/instances");
    assert_eq!(ok(&fake, &path, &[]).await, json!({"meetings": []}));
    for _ in 0..3 {
        fake.start_meeting(id);
        clock.advance(MINUTE);
        fake.end_meeting(id);
        clock.advance(Duration::from_secs(86_400));
    }
    let uuids = fake.session_uuids(id);
    let listed = ok(&fake, &path, &[]).await;
    assert_eq!(all(listed["meetings"].as_array().unwrap(), "uuid"), uuids[2..]);
    assert_eq!(listed["meetings"][0]["start_time"], "2026-03-03T09:02:00Z");
    assert_eq!(uuids.len(), 3);
    assert!(uuids[0] != uuids[1] && uuids[1] != uuids[2]);
    assert_eq!(refused(&fake, "/past_meetings/12345/instances", &[]).await, (404, 3_001));
}

#[tokio::test]
async fn a_uuid_with_two_slashes_in_a_row_has_to_be_encoded_twice() {
    let clock = clock();
    let fake = builder(&clock).awkward_uuids().meeting(scheduled()).start().await;
    let id = fake.meeting_ids()[0];
    let uuid = fake.start_meeting(id);
    fake.join_meeting(id, json!({"name": "Linus"}));
    clock.advance(MINUTE);
    fake.end_meeting(id);
    fake.record(&uuid);
    fake.finish_recording(&uuid);
    assert!(uuid.starts_with('/') && uuid.contains("//"), "{uuid}");
    for (before, after) in
        [("/past_meetings/", ""), ("/past_meetings/", "/participants"), ("/meetings/", "/recordings")]
    {
        let path = |uuid: &str| format!("{before}{uuid}{after}");
        ok(&fake, &path(&twice(&uuid)), &[]).await;
        assert_eq!(refused(&fake, &path(&once(&uuid)), &[]).await, (404, 3_001), "{before}…{after}");
        assert_eq!(refused(&fake, &path(&uuid), &[]).await, (404, 2_300), "{before}…{after}");
    }
}

#[tokio::test]
async fn participants_stand_there_once_for_each_time_they_came_in() {
    let clock = clock();
    let fake = builder(&clock).account("grace@example.com").meeting(scheduled()).start().await;
    let id = fake.meeting_ids()[0];
    let uuid = fake.start_meeting(id);
    clock.advance(MINUTE);
    fake.join_meeting(id, json!({"user_email": "grace@example.com"}));
    clock.advance(MINUTE);
    fake.leave_meeting(id, "Grace");
    fake.join_meeting(id, json!({"name": "Linus", "user_email": "linus@elsewhere.example"}));
    clock.advance(MINUTE);
    fake.join_meeting(id, json!({"user_email": "grace@example.com"}));
    clock.advance(MINUTE);
    fake.end_meeting(id);
    let path = format!("/past_meetings/{}/participants", once(&uuid));
    let people = drain(&fake, &path, "participants", &[("page_size", "2")]).await;
    assert_eq!(all(&people, "name"), ["Ada Lovelace", "Grace", "Linus", "Grace"]);
    assert_eq!(all(&people, "name"), fake.participants(&uuid));
    assert_eq!(all(&people, "user_email"), [fake.user(), "grace@example.com", "", "grace@example.com"]);
    let seconds: Vec<_> = people.iter().map(|one| one["duration"].as_i64().unwrap()).collect();
    assert_eq!(seconds, [240, 60, 120, 60]);
    assert_eq!(people[1]["leave_time"], "2026-03-01T09:02:00Z");
    let internal: Vec<_> = people.iter().map(|one| one["internal_user"].as_bool().unwrap()).collect();
    assert_eq!(internal, [true, true, false, true]);
    assert_eq!(people[2]["id"], "");
    // By the number of the meeting: the latest session.
    let latest = drain(&fake, &format!("/past_meetings/{id}/participants"), "participants", &[]).await;
    assert_eq!(latest, people);
}

#[tokio::test]
async fn who_was_alone_is_shown_only_if_that_is_chosen() {
    for shown in [false, true] {
        let clock = clock();
        let mut builder = builder(&clock).meeting(scheduled());
        if shown {
            builder = builder.with_lone_participants();
        }
        let fake = builder.start().await;
        let id = fake.meeting_ids()[0];
        let uuid = fake.start_meeting(id);
        clock.advance(MINUTE);
        fake.end_meeting(id);
        let path = format!("/past_meetings/{}/participants", twice(&uuid));
        assert_eq!(drain(&fake, &path, "participants", &[]).await.len(), usize::from(shown));
    }
}
