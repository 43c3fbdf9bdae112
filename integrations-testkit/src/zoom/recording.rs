//! What is a recording?

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::session::Session;
use super::time::text;
use super::user::User;
use crate::patch::merge_all;
use crate::random::{hash_text, mix};

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
    /// Zoom's `file_type`.
    pub(super) form: String,
    /// Zoom's `recording_type`.
    pub(super) content: String,
    pub(super) size: u64,
    pub(super) status: String,
}

impl File {
    pub(super) fn new(uuid: &str, form: &str, content: &str, size: u64) -> Self {
        let key = hash_text(uuid) ^ mix(hash_text(form) ^ hash_text(content));
        Self {
            id: super::ids::opaque(key),
            form: form.to_owned(),
            content: content.to_owned(),
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
                "file_type": file.form,
                "file_extension": extension(&file.form),
                "file_size": file.size,
                "download_url": format!("https://us02web.zoom.us/rec/download/{}{canary}", file.id),
                "status": file.status,
                "recording_type": file.content,
            });
            if matches!(file.form.as_str(), "MP4" | "M4A") {
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

fn extension(form: &str) -> &str {
    match form {
        "TRANSCRIPT" | "CC" => "VTT",
        "TIMELINE" | "SUMMARY" => "JSON",
        "CHAT" => "TXT",
        other => other,
    }
}
