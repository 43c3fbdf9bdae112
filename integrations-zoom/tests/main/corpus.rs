//! Payloads that no one here wrote: every meeting, session and recording in them is normalised, or quarantined for
//! a reason that is listed here by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use integrations_core::model::{Meeting, Record};
use integrations_zoom::ZoomConfigBuilder;
use integrations_zoom::meetings::{MEETINGS, PAST_MEETINGS};
use serde_json::{Value, json};

use crate::host::{ADMIN, Host};
use crate::mapping::normalise;

/// How many of each kind there are at the least.
const LEAST: [usize; 4] = [1, 1, 2, 2];
const KINDS: [&str; 4] = ["meetings", "sessions", "recordings", "users"];

/// What cannot be read, and why. This one has the names of types in the place of values.
const QUARANTINED: &[(&str, &str)] = &[(
    "Meetings/pastMeetingDetails.200.response.json",
    "$.past_meeting.duration: expected a string of digits",
)];

fn data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/zoom-examples/api-2021");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/data/zoom-examples is not here");
    None
}

/// All examples, with their names.
fn examples(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for below in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(below.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            let example: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            found.push((name, example["body"].clone()));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Meeting,
    Session,
    Recordings,
    User,
}

/// What is a resource that is read. Webinars are another API's; of people who were at a meeting there is no example.
fn kind(value: &Value, name: &str) -> Option<Kind> {
    let has = |field: &str| value.get(field).is_some();
    if name.starts_with("Webinars") {
        None
    } else if has("participants_count") && has("user_email") && has("uuid") {
        Some(Kind::Session)
    } else if has("uuid") && (has("recording_files") || has("archive_files")) {
        Some(Kind::Recordings)
    } else if has("id") && has("join_url") && has("host_id") && has("settings") {
        Some(Kind::Meeting)
    } else if has("id") && has("last_client_version") {
        Some(Kind::User)
    } else {
        None
    }
}

/// Everything in a value that is such a resource, wherever it stands.
fn resources(value: &Value, name: &str, found: &mut Vec<(Kind, Value)>) {
    found.extend(kind(value, name).map(|kind| (kind, value.clone())));
    match value {
        Value::Array(items) => items.iter().for_each(|item| resources(item, name, found)),
        Value::Object(fields) => fields.values().for_each(|value| resources(value, name, found)),
        _ => {}
    }
}

/// The item as the family puts it together.
fn item(kind: Kind, wire: &Value) -> (&'static str, Value) {
    let past = |wire: &Value| json!({"id": wire["id"], "topic": wire["topic"], "start_time": wire["start_time"], "duration": wire["duration"], "host_id": wire["host_id"], "type": wire["type"]});
    match kind {
        Kind::Meeting => (MEETINGS, wire.clone()),
        Kind::Session => (PAST_MEETINGS, json!({"uuid": wire["uuid"], "past_meeting": wire})),
        Kind::Recordings => {
            let mut recordings = wire.clone();
            if let Some(files) = recordings.get("archive_files").cloned() {
                recordings["recording_files"] = files;
            }
            (
                PAST_MEETINGS,
                json!({"uuid": wire["uuid"], "past_meeting": past(wire), "recordings": recordings}),
            )
        }
        Kind::User => unreachable!("a user is no item"),
    }
}

/// A user is whose streams these are.
async fn user(wire: &Value) -> Result<(), String> {
    let host =
        Host::with(|fake| fake.app_scopes(ADMIN), ZoomConfigBuilder::whole_account, |gateway| gateway).await;
    let connection = host.gateway.connect_application("acme", "zoom", host.fake.account_id()).await.unwrap();
    let mut wire = wire.clone();
    wire["display_name"] = Value::Null;
    host.fake.patch_user(host.fake.user_id(), wire.clone());
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    let stream = streams.first().ok_or("no stream")?;
    let name = [&wire["first_name"], &wire["last_name"]].map(|part| part.as_str().unwrap()).join(" ");
    assert!(stream.title.starts_with(&name), "{stream:?}");
    assert_eq!(stream.id.to_string(), format!("{}/{MEETINGS}", wire["id"].as_str().unwrap()));
    assert_eq!(stream.time_zone.map(|zone| zone.to_string()), wire["timezone"].as_str().map(str::to_owned));
    Ok(())
}

#[tokio::test]
async fn every_resource_is_normalised_or_quarantined_by_name() {
    let Some(folder) = data() else { return };
    let mut counts = [[0_usize; 3]; 4];
    let mut quarantined = BTreeMap::new();
    for (name, body) in examples(&folder) {
        let mut found = Vec::new();
        resources(&body, &name, &mut found);
        for (kind, wire) in found {
            counts[kind as usize][0] += 1;
            if kind == Kind::User {
                user(&wire).await.unwrap_or_else(|reason| panic!("{name}: {reason}"));
                counts[kind as usize][1] += 1;
                continue;
            }
            let (stream, item) = item(kind, &wire);
            match normalise(stream, &item) {
                Ok(record) => {
                    counts[kind as usize][1] += 1;
                    keeps_every_field(&name, kind, &wire, &record);
                }
                Err(reason) => {
                    counts[kind as usize][2] += 1;
                    quarantined.insert(name.clone(), reason);
                }
            }
        }
    }
    for (kind, [seen, normalised, quarantined]) in KINDS.iter().zip(counts) {
        println!("{seen} {kind} seen, {normalised} normalised, {quarantined} quarantined");
    }
    for (name, reason) in &quarantined {
        println!("quarantined: {name}: {reason}");
    }
    assert!(counts.iter().zip(LEAST).all(|(count, least)| count[0] >= least), "{counts:?}");
    let found: Vec<_> = quarantined.iter().map(|(name, reason)| (&**name, &**reason)).collect();
    assert_eq!(found, QUARANTINED);
}

fn text(wire: &Value, field: &str) -> Option<String> {
    match &wire[field] {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Each field that the model has, and the payload too, has arrived.
fn keeps_every_field(name: &str, kind: Kind, wire: &Value, record: &Record) {
    let meeting: &Meeting = record.entity.as_meeting().unwrap();
    match kind {
        Kind::Meeting => {
            assert_eq!(Some(&meeting.id), text(wire, "id").as_ref(), "{name}");
            assert_eq!(meeting.join_url, text(wire, "join_url"), "{name}");
            assert_eq!(meeting.passcode, text(wire, "password"), "{name}");
            assert_eq!(meeting.title, text(wire, "topic"), "{name}");
            assert_eq!(meeting.created_at.is_some(), text(wire, "created_at").is_some(), "{name}");
        }
        Kind::Session => assert_eq!(Some(&meeting.id), text(wire, "uuid").as_ref(), "{name}"),
        Kind::Recordings => {
            assert_eq!(meeting.session_id, text(wire, "uuid"), "{name}");
            assert_eq!((&meeting.code, &meeting.title), (&text(wire, "id"), &text(wire, "topic")), "{name}");
            let files =
                wire.get("recording_files").or(wire.get("archive_files")).unwrap().as_array().unwrap();
            assert_eq!(meeting.recordings.len(), files.len(), "{name}");
            for (file, recording) in files.iter().zip(&meeting.recordings) {
                assert_eq!(recording.id, text(file, "id"), "{name}");
                assert_eq!(recording.kind, text(file, "recording_type"), "{name}");
                assert_eq!(recording.file_type, text(file, "file_type"), "{name}");
                assert_eq!(recording.size, file["file_size"].as_u64(), "{name}");
                assert_eq!(recording.status, text(file, "status"), "{name}");
                assert_eq!(recording.url, text(file, "play_url"), "{name}");
                assert_eq!(recording.content_url, text(file, "download_url"), "{name}");
                assert_eq!(recording.started_at.is_some(), text(file, "recording_start").is_some(), "{name}");
                assert_eq!(recording.ended_at.is_some(), text(file, "recording_end").is_some(), "{name}");
            }
        }
        Kind::User => unreachable!("a user is no item"),
    }
}
