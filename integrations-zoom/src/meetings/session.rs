//! How is a meeting that was held read?
//!
//! Three calls: what it was, who was there, and what was recorded. The answers go side by side into one item
//! (`held.rs`). Without a paid plan, or without a scope, Zoom does not tell who was there or what was recorded:
//! then the item goes without.

use chrono::{DateTime, Utc};
use integrations_core::model::{Fingerprint, Raw};
use integrations_core::{ErrorKind, Result};
use serde_json::json;

use super::api::{Api, PAST_MEETING, SESSION_RECORDINGS, is_gone, is_refused, is_scope_missing, session};
use super::wire::{WireFile, WireRecordings, WireSpan};

/// What was read of a session.
pub(super) struct Session {
    pub(super) item: Raw,
    /// When it began and ended, as far as Zoom says.
    pub(super) start: Option<DateTime<Utc>>,
    pub(super) end: Option<DateTime<Utc>>,
    /// The [fingerprint](files) of what was recorded; `None` for nothing.
    pub(super) recordings: Option<Fingerprint>,
    /// Whether Zoom does not give it.
    pub(super) refused: bool,
}

/// A session; `None` for one that Zoom does not know (any more).
pub(super) async fn read(api: Api<'_>, uuid: &str) -> Result<Option<Session>> {
    let segment = session(uuid);
    let past = match api.get(PAST_MEETING, &["past_meetings", &segment], &[]).await {
        Ok(past) => past,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) if is_refused(&error) => return Ok(Some(refused(uuid))),
        Err(error) => return Err(error),
    };
    let people = people(api, uuid).await?;
    let recordings = recordings(api, &segment).await?;
    let span: WireSpan =
        serde_json::from_slice(past.as_bytes()).unwrap_or(WireSpan { start_time: None, end_time: None });
    let mut item = format!(r#"{{"uuid":{},"past_meeting":"#, json!(uuid)).into_bytes();
    item.extend_from_slice(past.as_bytes());
    item.extend_from_slice(format!(r#","participants":[{}]"#, people.join(",")).as_bytes());
    if let Some(recordings) = &recordings {
        item.extend_from_slice(br#","recordings":"#);
        item.extend_from_slice(recordings.as_bytes());
    }
    item.push(b'}');
    let recordings = recordings.as_ref().and_then(files);
    Ok(Some(Session {
        item: Raw::new(item),
        start: span.start_time,
        end: span.end_time,
        recordings,
        refused: false,
    }))
}

/// One that Zoom does not give, while it gives others: it goes to the quarantine under its id.
fn refused(uuid: &str) -> Session {
    let item = json!({"uuid": uuid, "refused": "by Zoom"}).to_string();
    Session { item: Raw::new(item), start: None, end: None, recordings: None, refused: true }
}

async fn people(api: Api<'_>, uuid: &str) -> Result<Vec<String>> {
    match api.participants(uuid).await {
        Err(error) if is_not_to_be_had(&error) => Ok(Vec::new()),
        outcome => outcome,
    }
}

async fn recordings(api: Api<'_>, segment: &str) -> Result<Option<Raw>> {
    match api.get(SESSION_RECORDINGS, &["meetings", segment, "recordings"], &[]).await {
        Ok(recordings) => Ok(Some(recordings)),
        Err(error) if is_not_to_be_had(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// There is none, the plan has none, or the grant does not open it.
pub(super) fn is_not_to_be_had(error: &integrations_core::Error) -> bool {
    (error.kind() == ErrorKind::NotFound && error.provider_code().is_some())
        || is_refused(error)
        || is_scope_missing(error)
}

/// A fingerprint of what was recorded, without addresses, which may be others each time; `None` for nothing.
pub(super) fn files(recordings: &Raw) -> Option<Fingerprint> {
    let Ok(wire) = serde_json::from_slice::<WireRecordings>(recordings.as_bytes()) else {
        return Some(Fingerprint::of(recordings));
    };
    let of = |file: &WireFile| {
        let WireFile {
            id, file_type, recording_type, file_size, recording_start, recording_end, status, ..
        } = file;
        let said = json!([id, file_type, recording_type, file_size, recording_start, recording_end, status]);
        Fingerprint::of_bytes(said.to_string().as_bytes())
    };
    wire.recording_files.iter().map(of).reduce(Fingerprint::and)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_the_same_in_any_order_and_under_any_address() {
        let print = |files: serde_json::Value| {
            super::files(&Raw::new(json!({"uuid": "a==", "recording_files": files}).to_string()))
        };
        let file =
            |id: &str, status: &str, url: &str| json!({"id": id, "status": status, "download_url": url});
        let before =
            print(json!([file("1", "completed", "https://x/1"), file("2", "processing", "https://x/2")]));
        let moved =
            print(json!([file("2", "processing", "https://y/2"), file("1", "completed", "https://y/1")]));
        let done =
            print(json!([file("1", "completed", "https://x/1"), file("2", "completed", "https://x/2")]));
        assert_eq!(before, moved);
        assert_ne!(before, done);
        assert_eq!(print(json!([])), None);
        assert_ne!(print(json!([{"file_size": "x"}])), None);
    }
}
