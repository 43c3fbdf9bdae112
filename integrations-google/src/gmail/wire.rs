//! What does Gmail send?
//!
//! The shapes of `getProfile`, `messages.list`, `messages.get`, `history.list` and `labels.list`, with what
//! the family reads of them. A message is read in place: its headers and bodies are not copied.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use integrations_core::json;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    #[serde(deserialize_with = "history_id")]
    pub history_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageList {
    #[serde(default)]
    pub messages: Vec<WireRef>,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireRef {
    pub id: String,
}

/// A page of changes. Without any, there is no list of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct History {
    #[serde(default, rename = "history")]
    pub changes: Vec<WireChanges>,
    pub next_page_token: Option<String>,
    #[serde(rename = "historyId", deserialize_with = "history_id")]
    pub id: String,
}

/// What changed at once.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(super) struct WireChanges {
    /// All messages that changed; those whose change has no list of its own stand here alone.
    pub messages: Vec<WireRef>,
    pub messages_added: Vec<WireChange>,
    pub messages_deleted: Vec<WireChange>,
    pub labels_added: Vec<WireChange>,
    pub labels_removed: Vec<WireChange>,
}

#[derive(Deserialize)]
pub(super) struct WireChange {
    pub message: WireRef,
}

/// The labels; the items are cut out before, and read one by one.
#[derive(Deserialize)]
pub(super) struct Labels {
    #[serde(default, rename = "labels")]
    _labels: [IgnoredAny; 0],
}

impl Labels {
    /// Why a body is no list of labels.
    pub(super) fn unreadable(body: &[u8], operation: &'static str) -> integrations_core::Error {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "the shape is what matters")]
        struct Shape {
            #[serde(default)]
            labels: Vec<IgnoredAny>,
        }
        json::unreadable::<Shape>(body, operation)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLabel<'a> {
    pub id: String,
    pub name: Option<String>,
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'a, str>>,
    pub messages_total: Option<u64>,
    pub messages_unread: Option<u64>,
    pub color: Option<WireColor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireColor {
    pub background_color: Option<String>,
}

/// A message, or why there is none. Only the id is sure to be there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireMessage<'a> {
    pub id: String,
    pub error: Option<WireError>,
    pub thread_id: Option<String>,
    #[serde(default)]
    pub label_ids: Vec<String>,
    #[serde(borrow)]
    pub snippet: Option<Text<'a>>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub history_id: Option<u64>,
    #[serde(default, deserialize_with = "instant")]
    pub internal_date: Option<DateTime<Utc>>,
    #[serde(borrow)]
    pub payload: Option<WirePart<'a>>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub size_estimate: Option<u64>,
}

/// Just the id, for an item that cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireId {
    pub id: String,
}

/// Google's error, where an item should be.
#[derive(Deserialize)]
pub(super) struct WireError {
    pub code: Option<u16>,
    pub status: Option<String>,
    #[serde(default)]
    pub errors: Vec<WireReason>,
}

#[derive(Deserialize)]
pub(super) struct WireReason {
    pub reason: Option<String>,
}

/// A part of the MIME tree. The root has the message's headers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(super) struct WirePart<'a> {
    pub part_id: String,
    #[serde(borrow)]
    pub mime_type: Text<'a>,
    #[serde(borrow)]
    pub filename: Text<'a>,
    #[serde(borrow)]
    pub headers: Vec<WireHeader<'a>>,
    #[serde(borrow)]
    pub body: WireBody<'a>,
    #[serde(borrow)]
    pub parts: Vec<WirePart<'a>>,
}

impl WirePart<'_> {
    /// The first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name.0.eq_ignore_ascii_case(name))?;
        Some(&header.value.0)
    }
}

#[derive(Deserialize)]
pub(super) struct WireHeader<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub value: Text<'a>,
}

/// What a part holds: its bytes, or an id by which they are got.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBody<'a> {
    #[serde(borrow)]
    pub data: Option<Text<'a>>,
    pub attachment_id: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub size: Option<u64>,
}

/// Text that stands in the answer as it is, or that had to be unescaped.
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A number of 64 bits, which Google writes as a string.
fn history_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = json::lenient_u64(deserializer)?;
    id.map(|id| id.to_string()).ok_or_else(|| D::Error::custom("invalid value, expected a history id"))
}

/// Milliseconds since 1970, which Google writes as a string; an imported mail may be from before.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let millis = match Value::deserialize(deserializer)? {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    let time = millis.and_then(DateTime::from_timestamp_millis);
    time.map(Some).ok_or_else(|| D::Error::custom("invalid value, expected milliseconds since 1970"))
}
