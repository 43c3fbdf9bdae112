//! What does the host get, whichever provider it came from?
//!
//! A [`Record`] is one normalised [`Entity`] with its [`Source`] and the provider's raw JSON beside
//! it. A [`Change`] says that a record is there, or that it is gone.

mod event;
mod open_enum;
mod raw;
mod time;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::event::{
    Attachment, Attendee, Conference, ConferenceEntry, Event, EventKind, EventStatus, Person, Recurrence,
    Reminder, ReminderMethod, Reminders, ResponseStatus, Series, Transparency, Visibility,
};
pub use self::raw::Raw;
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

/// The kind of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordKind {
    /// A calendar event.
    Event,
}

impl RecordKind {
    /// The stable name, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
        }
    }
}

/// A normalised item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entity {
    /// A calendar event.
    Event(Box<Event>),
}

impl Entity {
    /// The kind of the item.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Event(_) => RecordKind::Event,
        }
    }

    /// The event, if it is one.
    pub fn as_event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
        }
    }

    /// The id of the item that this one belongs to: an exception belongs to its series.
    pub fn parent_id(&self) -> Option<&str> {
        match self {
            Self::Event(event) => event.series.as_ref().map(|series| series.id.as_str()),
        }
    }

    /// When the item starts, for items that have a time.
    pub fn starts_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Event(event) => Some(event.start.earliest_utc()),
        }
    }

    /// What a list of such items shows as their first line.
    pub fn title(&self) -> Option<&str> {
        match self {
            Self::Event(event) => event.title.as_deref(),
        }
    }
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
