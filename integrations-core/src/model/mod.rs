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
//!
//! # The JSON form
//!
//! A record is written as one JSON object, by [`Record::to_json`] or any `serde_json` writer, and read by
//! [`Record::from_json`]:
//!
//! ```
//! use integrations_core::model::Record;
//!
//! let json = r#"{
//!     "format": 1,
//!     "source": { "service": "google_tasks", "id": "t1", "modified_at": "2026-03-01T09:00:00Z" },
//!     "entity": { "type": "task", "id": "t1", "list_id": "inbox", "title": "Call Ada", "status": "someday" },
//!     "raw": { "id": "t1",   "title": "Call Ada" }
//! }"#;
//! let record = Record::from_json(json.as_bytes())?;
//! assert_eq!(record.entity.title(), Some("Call Ada"));
//! // A word that no one has heard of, and the provider's spaces, are there as they were.
//! assert!(record.to_json()?.contains(r#""status":"someday""#));
//! assert!(record.to_json()?.contains(r#""raw":{ "id": "t1",   "title": "Call Ada" }"#));
//! # Ok::<_, integrations_core::Error>(())
//! ```
//!
//! | Question | Answer |
//! |---|---|
//! | What does `format` count? | [`MODEL_FORMAT`]: a new number when something that was written is read otherwise, or not at all. A version reads every number up to its own; a higher one is refused, with code `model_format`. |
//! | What may change within a number? | Fields, words and kinds are added. Nothing is renamed, takes another meaning or another type, or goes. |
//! | What does a reader do with a field that it does not know? | It ignores it. |
//! | With a word that it does not know? | It keeps it: the open enums have `Other`, and zones [`Zone::Unknown`]. |
//! | With an `entity.type` that it does not know? | It refuses that record. |
//! | What is left out when it is written? | Whatever has its default: a field without a value, an empty list, `false` where `false` is usual. |
//! | What does a field mean that is not there? | Its default: no value, an empty list, `false`, 0, or the first word of an enum that has a usual one. The schema names each. |
//! | What does `null` mean? | For a field that holds one value or none: the same as if it were not there. It is never written. Anywhere else it is an error, except in `raw`, where it is what the provider sent. |
//! | How are instants written? | RFC 3339, with up to nine digits of a second: at UTC, or in an [`EventTime`] at the offset that the provider gave, beside the name of the zone. The years are 0 to 9999. |
//! | How are days written? | `2026-03-01`, in a field `date` of their own: a day is never midnight. |
//! | In which units? | The name or the docs of a field say so: sizes are bytes, `seconds` seconds, `minutes_before` minutes. |
//! | How large are numbers? | Whole, and below 2^64 where they count: more than a reader holds whose numbers are floating. |
//! | Which fields are ids? | Those named `id` or `…_id`, and `answers`: the provider's, as text, also where the provider sends a number. |
//! | What is in `raw`? | The provider's JSON, byte for byte, also its spaces, line breaks and doubled fields. A reader that goes through [`serde_json::Value`] keeps the meaning and not the bytes. |
//! | And what is no JSON? | Text is in `raw_text`, anything else in `raw_base64`; nothing at all is in none of the three. |
//!
//! The JSON of an [`Entity`] and that of a [`Source`] alone, as stores keep them, follow the same rules.
//! `schema/record.v1.json` says all of it as a JSON Schema; with the feature `schema`, `record_schema` gives
//! it, and the types of the model have `JsonSchema`.

mod attachment;
mod channel;
mod entity;
mod event;
mod fingerprint;
mod form;
pub mod identity;
mod issue;
mod meeting;
mod message;
mod notification;
mod open_enum;
mod person;
mod raw;
#[cfg(feature = "schema")]
mod schema;
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
pub use self::fingerprint::Fingerprint;
pub use self::form::MODEL_FORMAT;
pub use self::issue::{
    CheckState, Comment, CommentKind, Issue, IssueKind, IssueLabel, IssueState, Milestone, PullRequest,
    ReviewState,
};
pub use self::meeting::{Meeting, MeetingKind, MeetingOccurrence, MeetingStatus, Participant, Recording};
pub use self::message::{Header, Message, MessageKind, MessageStatus, Reaction, Replies};
pub use self::notification::Notification;
pub use self::person::{Person, PersonKind, PersonRef, PersonStatus, Presence};
pub use self::raw::Raw;
#[cfg(feature = "schema")]
pub use self::schema::record_schema;
pub use self::task::{Link, Priority, Task, TaskStatus};
pub use self::time::{EventTime, Zone, ZonedTime};
use crate::connection::ServiceId;

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// The service.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub service: ServiceId,
    /// The provider's id of the item, unique within its stream.
    pub id: String,
    /// The provider's version of the item (an ETag, a change key), verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The address of a page on which a person can see the item: as the provider sent it, or put together from
    /// addresses that it sent.
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
