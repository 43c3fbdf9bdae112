//! What does Graph send of a mailbox?
//!
//! The shapes of `message`, `mailFolder` and `attachment` (v1.0), with what the family reads of them. Whatever is
//! not selected, or has no value, may be absent or `null`.

use chrono::{DateTime, Datelike, Utc};
use integrations_core::json;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// Just the id, for an item that cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireId {
    pub id: String,
}

/// A message, or that it is in its folder no more. Only the id is sure to be there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireMessage {
    pub id: String,
    #[serde(rename = "@removed")]
    pub removed: Option<IgnoredAny>,
    #[serde(rename = "@odata.etag")]
    pub etag: Option<String>,
    pub change_key: Option<String>,
    pub conversation_id: Option<String>,
    pub internet_message_id: Option<String>,
    pub internet_message_headers: Option<Vec<WireHeader>>,
    pub parent_folder_id: Option<String>,
    pub subject: Option<String>,
    pub from: Option<WireRecipient>,
    pub sender: Option<WireRecipient>,
    pub to_recipients: Option<Vec<WireRecipient>>,
    pub cc_recipients: Option<Vec<WireRecipient>>,
    pub bcc_recipients: Option<Vec<WireRecipient>>,
    pub reply_to: Option<Vec<WireRecipient>>,
    pub received_date_time: Option<Instant>,
    pub sent_date_time: Option<Instant>,
    pub created_date_time: Option<Instant>,
    pub last_modified_date_time: Option<Instant>,
    pub body: Option<WireBody>,
    pub body_preview: Option<String>,
    pub is_read: Option<bool>,
    pub is_draft: Option<bool>,
    pub importance: Option<String>,
    pub flag: Option<WireFlag>,
    pub categories: Option<Vec<String>>,
    pub web_link: Option<String>,
    pub attachments: Option<Vec<WireAttachment>>,
    /// Why it is not whole; of this crate's making.
    #[serde(rename = "@error")]
    pub error: Option<WireError>,
}

/// What tells whether there is more to be asked for of a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_excessive_bools, reason = "what is there, and what is not")]
pub(super) struct WireHint {
    pub id: String,
    #[serde(rename = "@removed")]
    pub removed: Option<IgnoredAny>,
    pub has_attachments: Option<bool>,
    /// Whether they are named already.
    #[serde(default, deserialize_with = "is_there")]
    pub attachments: bool,
    #[serde(default, deserialize_with = "is_there")]
    body: bool,
    #[serde(default, deserialize_with = "is_there")]
    received_date_time: bool,
    #[serde(default, deserialize_with = "is_there")]
    last_modified_date_time: bool,
}

impl WireHint {
    /// Whether it has what every message has. When nothing has changed but that it was read, a round may tell
    /// just that and leave out the rest, whatever was selected.
    pub(super) fn is_whole(&self) -> bool {
        self.body && self.received_date_time && self.last_modified_date_time
    }
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[derive(Deserialize)]
pub(super) struct WireHeader {
    pub name: Option<String>,
    pub value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRecipient {
    pub email_address: Option<WireAddress>,
}

#[derive(Deserialize)]
pub(super) struct WireAddress {
    pub name: Option<String>,
    pub address: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBody {
    pub content_type: Option<String>,
    pub content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireFlag {
    pub flag_status: Option<String>,
}

/// A file, an item, or a reference to a file elsewhere.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireAttachment {
    #[serde(rename = "@odata.type")]
    pub kind: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub content_type: Option<String>,
    pub content_id: Option<String>,
    pub size: Option<u64>,
    pub is_inline: Option<bool>,
    pub source_url: Option<String>,
}

/// What could not be read beside the message, and why.
#[derive(Deserialize)]
pub(super) struct WireError {
    pub operation: Option<String>,
    pub status: Option<u16>,
    pub code: Option<String>,
}

/// A page of attachments; the items are cut out before.
#[derive(Deserialize)]
pub(super) struct WireAttachments {
    #[serde(default, rename = "value")]
    _items: [IgnoredAny; 0],
    #[serde(rename = "@odata.nextLink")]
    pub next: Option<String>,
}

/// A folder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireFolder {
    pub id: String,
    #[serde(rename = "@removed")]
    pub removed: Option<IgnoredAny>,
    #[serde(rename = "@odata.type")]
    pub kind: Option<String>,
    pub display_name: Option<String>,
    pub parent_folder_id: Option<String>,
    pub total_item_count: Option<u64>,
    pub unread_item_count: Option<u64>,
    pub is_hidden: Option<bool>,
    /// Which of the folders it is that every mailbox has; of this crate's making, as Graph's beta names it.
    pub well_known_name: Option<String>,
}

impl WireFolder {
    /// Whether it holds no messages of its own, and shows those of others.
    pub(super) fn is_search(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.ends_with("graph.mailSearchFolder"))
    }
}

/// An instant; `None` stands for the year 1, in which Exchange writes that there is none.
pub(super) struct Instant(pub Option<DateTime<Utc>>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::rfc3339(deserializer).map(|time| Self(time.filter(|time| time.year() > 1)))
    }
}
