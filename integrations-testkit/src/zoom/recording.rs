//! What is a recording?

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::session::Session;
use super::time::text;
use super::user::User;
use crate::patch::merge_all;
use crate::random::{hash_text, mix};

/// What the list of recordings makes of a window of more than a month. Zoom documents that a month is the
/// most, and not what it does with more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongWindow {
    /// It refuses it.
    Refused,
    /// It shows the last month before `to`, and says so in `from`.
    Cut,
}

/// How far a recording has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Zoom still works on it: it is in no listing.
    Processing,
    There,
    Trashed,
}

/// A file of a recording.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) file_type: String,
    pub(super) recording_type: String,
    pub(super) size: u64,
    pub(super) status: String,
}

impl File {
    pub(super) fn new(uuid: &str, file_type: &str, recording_type: &str, size: u64) -> Self {
        let key = hash_text(uuid) ^ mix(hash_text(file_type) ^ hash_text(recording_type));
        Self {
            id: super::ids::opaque(key),
            file_type: file_type.to_owned(),
            recording_type: recording_type.to_owned(),
            size,
            status: "completed".to_owned(),
        }
    }
}

/// What was recorded of a session.
#[derive(Debug)]
pub(super) struct Recording {
    /// The session, by place.
    pub(super) session: usize,
    pub(super) stage: Stage,
    pub(super) files: Vec<File>,
    /// What a test said about what is shown, in order.
    pub(super) patches: Vec<Value>,
}

impl Recording {
    /// As a listing shows it; by itself it has its `type` as a number, as Zoom's example has it.
    pub(super) fn object(
        &self,
        session: &Session,
        host: &User,
        account: &str,
        canary: &str,
        now: DateTime<Utc>,
        listed: bool,
    ) -> Value {
        let end = session.end.unwrap_or(now);
        let file = |file: &File| {
            let mut value = json!({
                "id": file.id,
                "meeting_id": session.uuid,
                "recording_start": text(session.start),
                "recording_end": text(end),
                "file_type": file.file_type,
                "file_extension": extension(&file.file_type),
                "file_size": file.size,
                "download_url": format!("https://us02web.zoom.us/rec/download/{}{canary}", file.id),
                "status": file.status,
                "recording_type": file.recording_type,
            });
            if matches!(file.file_type.as_str(), "MP4" | "M4A") {
                value["play_url"] = json!(format!("https://us02web.zoom.us/rec/play/{}{canary}", file.id));
            }
            value
        };
        let kind = session.kind.number();
        let mut object = json!({
            "uuid": session.uuid,
            "id": session.meeting,
            "account_id": account,
            "host_id": host.id,
            "topic": session.topic,
            "type": if listed { json!(kind.to_string()) } else { json!(kind) },
            "start_time": text(session.start),
            "timezone": session.zone.name(),
            "duration": session.minutes(now),
            "total_size": self.files.iter().map(|file| file.size).sum::<u64>(),
            "recording_count": self.files.len(),
            "share_url": format!("https://us02web.zoom.us/rec/share/{}{canary}", super::ids::opaque(hash_text(&session.uuid))),
            "recording_files": self.files.iter().map(file).collect::<Vec<_>>(),
        });
        if listed {
            object["host_email"] = json!(host.email);
        }
        merge_all(&mut object, &self.patches);
        object
    }
}

fn extension(file_type: &str) -> &str {
    match file_type {
        "TRANSCRIPT" | "CC" => "VTT",
        "TIMELINE" | "SUMMARY" => "JSON",
        "CHAT" => "TXT",
        other => other,
    }
}
