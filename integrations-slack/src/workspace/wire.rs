//! What does Slack send?
//!
//! The shapes of the answers of the Web API, with what the family reads of them. Slack writes the empty text
//! for many things that are not there; blocks and attachments are read as [`Node`]s, whatever they look like.

use std::borrow::Cow;

use integrations_core::{Error, json};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::node::Node;
use super::ts::Ts;

/// A page of users, conversations or messages; the items are cut out of it before, and read one by one. A page
/// without its items is no page: nothing may be taken for gone because of it.
#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(rename = "messages", alias = "members", alias = "channels")]
    _items: [IgnoredAny; 0],
    #[serde(default)]
    pub has_more: bool,
    pub response_metadata: Option<WireMetadata>,
}

#[derive(Deserialize)]
pub(super) struct WireMetadata {
    pub next_cursor: Option<String>,
}

impl Page {
    /// Why a body is no page.
    pub(super) fn unreadable(body: &[u8], operation: &'static str) -> Error {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "the shape is what matters")]
        struct Shape {
            #[serde(rename = "messages", alias = "members", alias = "channels")]
            items: Vec<IgnoredAny>,
            #[serde(default)]
            has_more: bool,
            response_metadata: Option<WireMetadata>,
        }
        json::unreadable::<Shape>(body, operation)
    }
}

/// The refusal of a call for which a scope is missing.
#[derive(Deserialize)]
pub(super) struct WireRefusal {
    pub ok: bool,
    pub provided: Option<String>,
}

/// Just the id, for an entry that cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireId {
    pub id: String,
}

/// Just the `ts`, for a message that cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireTs {
    pub ts: Ts,
}

/// What a sync has to know of a message.
#[derive(Deserialize)]
pub(super) struct WireGlance {
    pub ts: Ts,
    #[serde(default, deserialize_with = "optional_ts")]
    pub thread_ts: Option<Ts>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub reply_count: Option<u64>,
    #[serde(default, deserialize_with = "optional_ts")]
    pub latest_reply: Option<Ts>,
}

#[derive(Deserialize)]
pub(super) struct WireMessage<'a> {
    pub ts: Ts,
    #[serde(borrow)]
    pub subtype: Option<Cow<'a, str>>,
    pub user: Option<String>,
    pub bot_id: Option<String>,
    pub bot_profile: Option<WireBot>,
    pub user_profile: Option<WireProfile>,
    pub username: Option<String>,
    #[serde(borrow)]
    pub text: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub blocks: Node<'a>,
    #[serde(default, borrow)]
    pub attachments: Node<'a>,
    #[serde(default, deserialize_with = "list")]
    pub files: Vec<WireFile>,
    #[serde(default, deserialize_with = "list")]
    pub reactions: Vec<WireReaction>,
    pub edited: Option<WireEdited>,
    #[serde(default, deserialize_with = "optional_ts")]
    pub thread_ts: Option<Ts>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub reply_count: Option<u64>,
    #[serde(default, deserialize_with = "optional_ts")]
    pub latest_reply: Option<Ts>,
    #[serde(default, deserialize_with = "list")]
    pub reply_users: Vec<String>,
    #[serde(default)]
    pub is_starred: bool,
    pub permalink: Option<String>,
}

/// An app, where one of its messages names it.
#[derive(Deserialize)]
pub(super) struct WireBot {
    pub name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireEdited {
    #[serde(default, deserialize_with = "optional_ts")]
    pub ts: Option<Ts>,
}

#[derive(Deserialize)]
pub(super) struct WireReaction {
    pub name: String,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub count: Option<u64>,
    #[serde(default, deserialize_with = "list")]
    pub users: Vec<String>,
}

/// A file. Of one that was deleted, or is hidden, little more than the id is there.
#[derive(Deserialize)]
pub(super) struct WireFile {
    pub id: Option<String>,
    pub name: Option<String>,
    pub title: Option<String>,
    pub mimetype: Option<String>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub size: Option<u64>,
    pub mode: Option<String>,
    pub file_access: Option<String>,
    #[serde(default)]
    pub is_external: bool,
    pub url_private: Option<String>,
    pub permalink: Option<String>,
}

#[derive(Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "Slack's shape")]
pub(super) struct WireChannel {
    pub id: String,
    pub name: Option<String>,
    pub user: Option<String>,
    pub creator: Option<String>,
    pub topic: Option<WireNote>,
    pub purpose: Option<WireNote>,
    pub parent_conversation: Option<String>,
    #[serde(default)]
    pub is_im: bool,
    #[serde(default)]
    pub is_mpim: bool,
    #[serde(default)]
    pub is_group: bool,
    #[serde(default)]
    pub is_private: bool,
    #[serde(default)]
    pub is_archived: bool,
    #[serde(default)]
    pub is_general: bool,
    #[serde(default)]
    pub is_ext_shared: bool,
    pub is_member: Option<bool>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub num_members: Option<u64>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub unread_count: Option<u64>,
    /// In seconds.
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub created: Option<u64>,
    /// In milliseconds.
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub updated: Option<u64>,
}

/// A topic or a purpose.
#[derive(Deserialize)]
pub(super) struct WireNote {
    pub value: Option<String>,
}

#[derive(Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "Slack's shape")]
pub(super) struct WireUser {
    pub id: String,
    pub team_id: Option<String>,
    pub name: Option<String>,
    pub real_name: Option<String>,
    pub tz: Option<String>,
    pub locale: Option<String>,
    pub profile: Option<WireProfile>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub is_admin: bool,
    #[serde(default)]
    pub is_owner: bool,
    #[serde(default)]
    pub is_primary_owner: bool,
    #[serde(default)]
    pub is_restricted: bool,
    #[serde(default)]
    pub is_ultra_restricted: bool,
    #[serde(default)]
    pub is_stranger: bool,
    #[serde(default)]
    pub is_invited_user: bool,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default)]
    pub is_workflow_bot: bool,
    #[serde(default)]
    pub is_connector_bot: bool,
    /// In seconds.
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub updated: Option<u64>,
}

/// What a user says of themselves; in a message, a part of it.
#[derive(Deserialize)]
pub(super) struct WireProfile {
    pub display_name: Option<String>,
    pub real_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub title: Option<String>,
    pub status_text: Option<String>,
    pub status_emoji: Option<String>,
    /// In seconds; 0 for no end.
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub status_expiration: Option<u64>,
    pub image_original: Option<String>,
    pub image_1024: Option<String>,
    pub image_512: Option<String>,
    pub image_192: Option<String>,
    pub image_72: Option<String>,
    pub image_48: Option<String>,
}

/// A text that is not empty.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A list; `null` is an empty one.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A `ts`, where Slack may write the empty text, or nothing.
fn optional_ts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ts>, D::Error> {
    struct Maybe(Option<Ts>);

    impl<'de> Deserialize<'de> for Maybe {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let read = |text: &str| if text.is_empty() { Some(None) } else { Ts::parse(text).map(Some) };
            json::try_text(deserializer, "a timestamp of 10 digits, a point and 6 digits", read).map(Self)
        }
    }

    Ok(Option::<Maybe>::deserialize(deserializer)?.and_then(|Maybe(ts)| ts))
}
