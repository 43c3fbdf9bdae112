//! What does the host get, whichever provider it came from?
//!
//! A [`Record`] is one normalised [`Entity`] with its [`Source`] and the provider's raw JSON beside
//! it. A [`Change`] says that a record is there, or that it is gone.
//!
//! | Kind | Entity | From |
//! |---|---|---|
//! | `event` | [`Event`] | calendars |
//! | `message` | [`Message`] | mailboxes and chats |
//! | `channel` | [`Channel`] | chats; labels and folders of mailboxes |
//! | `person` | [`Person`] | directories |
//! | `task` | [`Task`] | lists of tasks |
//! | `issue`, `comment` | [`Issue`], [`Comment`] | trackers |
//! | `notification` | [`Notification`] | services that tell their users what is new |
//! | `meeting` | [`Meeting`] | conferencing services |
//!
//! Words that providers choose from a list are open enums: a word that this version does not know is kept as
//! it is. Who and what is the same at several services is found by [`identity`].

mod attachment;
mod channel;
mod entity;
mod event;
pub mod identity;
mod issue;
mod meeting;
mod message;
mod notification;
mod open_enum;
mod person;
mod raw;
mod task;
mod time;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::attachment::Attachment;
pub use self::channel::{Channel, ChannelKind};
pub use self::entity::{Entity, RecordKind};
pub use self::event::{
    Attendee, Conference, ConferenceEntry, Event, EventKind, EventStatus, Recurrence, Reminder,
    ReminderMethod, Reminders, ResponseStatus, Series, Transparency, Visibility,
};
pub use self::issue::{
    CheckState, Comment, CommentKind, Issue, IssueKind, IssueLabel, IssueState, Milestone, PullRequest,
    ReviewState,
};
pub use self::meeting::{Meeting, MeetingKind, MeetingOccurrence, MeetingStatus, Participant, Recording};
pub use self::message::{Header, Message, MessageKind, MessageStatus, Reaction, Replies};
pub use self::notification::Notification;
pub use self::person::{Person, PersonKind, PersonRef, PersonStatus, Presence};
pub use self::raw::Raw;
pub use self::task::{Link, Priority, Task, TaskStatus};
pub use self::time::{EventTime, Zone, ZonedTime};
use crate::connection::ServiceId;

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The service.
    pub service: ServiceId,
    /// The provider's id of the item, unique within its stream.
    pub id: String,
    /// The provider's version of the item (an ETag, a change key), verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The address of a page on which a person can see the item, as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When the item last changed at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<DateTime<Utc>>,
}

/// A normalised item, where it came from, and what the provider sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The item.
    pub entity: Entity,
    /// Where it came from.
    pub source: Source,
    /// The provider's JSON, verbatim.
    pub raw: Raw,
}

impl Record {
    /// The provider's id of the item, unique within its stream.
    pub fn id(&self) -> &str {
        &self.source.id
    }

    /// The kind of the item.
    pub fn kind(&self) -> RecordKind {
        self.entity.kind()
    }
}

/// What happened to an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The item is there, in this state.
    Upsert(Record),
    /// The provider says that the item is gone, and with it the items whose
    /// [parent](Entity::parent_id) it is.
    Delete {
        /// The provider's id of the item.
        id: String,
    },
}

impl Change {
    /// The provider's id of the item.
    pub fn id(&self) -> &str {
        match self {
            Self::Upsert(record) => record.id(),
            Self::Delete { id } => id,
        }
    }
}
