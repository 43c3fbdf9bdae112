//! Zoom's own examples, next to what the fake sends.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::*;

/// The body of one of Zoom's examples, or `None` with a printed line where the data is absent.
fn example(path: &str) -> Option<Value> {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/zoom-examples/api-2021"));
    let found = data.join(path);
    if !data.exists() {
        println!("skipped: ../shared/data/zoom-examples is not here");
        return None;
    }
    let file: Value = serde_json::from_slice(&std::fs::read(found).unwrap()).unwrap();
    Some(file["body"].clone())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Every field that both have is of the same type; returns how many there are. With `whole`, no field of the
/// example is missing but those of `but`.
fn alike(sent: &Value, example: &Value, path: &str, whole: bool, but: &[&str]) -> usize {
    let mut count = 0;
    match (sent, example) {
        (Value::Object(sent), Value::Object(example)) => {
            for (field, value) in example.iter().filter(|(field, _)| !but.contains(&field.as_str())) {
                let path = format!("{path}.{field}");
                let Some(found) = sent.get(field) else {
                    assert!(!whole, "{path} is missing");
                    continue;
                };
                assert_eq!(kind(found), kind(value), "{path}: {found} is not as {value}");
                count += 1 + alike(found, value, &path, whole, but);
            }
        }
        (Value::Array(sent), Value::Array(example)) => {
            for (one, other) in sent.iter().zip(example) {
                count += alike(one, other, path, whole, but);
            }
        }
        _ => {}
    }
    count
}

async fn held() -> (FakeZoom, u64, String) {
    let clock = clock();
    let fake = builder(&clock)
        .app_scopes(&["user:read:list_users:admin"])
        .open_scopes(&["user:read:admin", "meeting:read", "recording:read"])
        .start()
        .await;
    let id = fake.create_meeting(json!({"start_time": "2026-03-01T09:00:00Z"}));
    let uuid = fake.start_meeting(id);
    clock.advance(Duration::from_secs(600));
    fake.end_meeting(id);
    fake.record(&uuid);
    fake.finish_recording(&uuid);
    (fake, id, uuid)
}

#[tokio::test]
async fn users_have_all_the_fields_of_zooms_examples() {
    let (fake, ..) = held().await;
    let Some(user) = example("Users/user.200.response.json") else { return };
    // Only its administrator sees a host key, and nothing but that says who may use it.
    let but = ["host_key"];
    assert!(alike(&ok(&fake, "/users/me", &[]).await, &user, "user", true, &but) >= 25);
    let users = example("Users/users.200.response.json").unwrap();
    assert!(alike(&ok(&fake, "/users", &[]).await, &users, "users", true, &[]) >= 18);
}

#[tokio::test]
async fn a_meeting_has_the_fields_of_zooms_example_with_their_types() {
    let (fake, id, _) = held().await;
    let Some(mut created) = example("Meetings/meetingCreate.201.response.json") else { return };
    // The example has the brace of the settings at the wrong place: what follows them stands in them.
    for field in ["start_time", "start_url", "status", "timezone", "topic", "type", "uuid"] {
        created[field] = created["settings"].as_object_mut().unwrap().remove(field).unwrap();
    }
    for field in [
        "in_meeting",
        "host_video",
        "join_before_host",
        "mute_upon_entry",
        "participant_video",
        "registrants_confirmation_email",
        "registrants_email_notification",
    ] {
        let moved = created["settings"]["breakout_room"].as_object_mut().unwrap().remove(field);
        created["settings"][field] = moved.unwrap();
    }
    for field in ["use_pmi", "waiting_room", "watermark"] {
        if let Some(moved) = created["settings"]["breakout_room"].as_object_mut().unwrap().remove(field) {
            created["settings"][field] = moved;
        }
    }
    // Nobody is sent into a room.
    let sent = ok(&fake, &format!("/meetings/{id}"), &[]).await;
    assert!(alike(&sent, &created, "meeting", true, &["rooms"]) >= 45);
}

#[tokio::test]
async fn a_session_has_the_fields_of_zooms_description() {
    let (fake, id, _) = held().await;
    let Some(described) = example("Meetings/pastMeetingDetails.200.response.json") else { return };
    let sent = ok(&fake, &format!("/past_meetings/{id}"), &[]).await;
    for (field, description) in described.as_object().unwrap() {
        let wanted = match description.as_str().unwrap().split(' ').next().unwrap() {
            "integer" => "number",
            other => other,
        };
        // The id of a user is text wherever one was seen.
        let wanted = if field == "host_id" { "string" } else { wanted };
        assert_eq!(kind(&sent[field]), wanted, "{field}");
    }
}

#[tokio::test]
async fn recordings_have_the_fields_of_zooms_example_with_their_types() {
    let (fake, _, uuid) = held().await;
    let Some(recording) = example("CloudRecording/recordingGet.200.response.json") else { return };
    let sent = ok(&fake, &format!("/meetings/{}/recordings", twice(&uuid)), &[]).await;
    assert!(alike(&sent, &recording, "recording", true, &[]) >= 30);
    let Some(mut archived) = example("CloudRecording/listArchivedFiles.200.response.json") else { return };
    // Archives are listed alike; they have other files, and the time where recordings have the day.
    archived["meetings"][0].as_object_mut().unwrap().remove("archive_files").unwrap();
    // Of recordings the type is text in a list.
    let sent = ok(&fake, "/users/me/recordings", &[]).await;
    assert!(alike(&sent, &archived, "recordings", true, &["type"]) >= 14);
}
