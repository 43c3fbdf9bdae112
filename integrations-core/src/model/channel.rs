//! Where do messages stand?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::open_enum::open_enum;
use super::person::PersonRef;

/// A place that messages stand in: a channel or a conversation of a chat, a label or a folder of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Channel {
    /// The provider's id: what [`Message::channel_id`](super::Message::channel_id) or
    /// [`Message::labels`](super::Message::labels) names.
    pub id: String,
    /// What sort of place it is.
    #[serde(default)]
    pub kind: ChannelKind,
    /// Its name; `None` for a conversation that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is spoken of at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The provider's id of the place that it stands in, e.g. the folder above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Whether the provider made it, as it made the inbox.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub system: bool,
    /// Whether nothing more may be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    /// Whether it is shared with another organisation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Whether the account is a member; `None` where there are no members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<bool>,
    /// How many members it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_count: Option<u64>,
    /// The other side of a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<PersonRef>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<PersonRef>,
    /// How many messages stand in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_count: Option<u64>,
    /// How many of them the user has not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// Its colour, as `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl Channel {
    /// A place with nothing but an id and a kind.
    pub fn new(id: impl Into<String>, kind: ChannelKind) -> Self {
        Self {
            id: id.into(),
            kind,
            name: None,
            topic: None,
            description: None,
            parent_id: None,
            system: false,
            archived: false,
            shared: false,
            member: None,
            member_count: None,
            with: None,
            creator: None,
            message_count: None,
            unread_count: None,
            color: None,
            created_at: None,
            updated_at: None,
        }
    }
}

open_enum! {
    /// What sort of place messages stand in.
    #[derive(Default)]
    ChannelKind {
        /// A channel that everybody of the organisation may see.
        #[default]
        Public = "public",
        /// A channel for those who were asked in.
        Private = "private",
        /// A conversation of two.
        Direct = "direct",
        /// A conversation of a few.
        Group = "group",
        /// A label of a mailbox: a message has any number of them.
        Label = "label",
        /// A folder of a mailbox: a message stands in one.
        Folder = "folder",
    }
}
