//! What is a meeting of a conferencing service?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use super::event::Recurrence;
use super::open_enum::open_enum;
use super::person::PersonRef;
use super::time::EventTime;

/// A meeting of a conferencing service: one that is planned, is held, or was held. What a calendar says of
/// it is an [`Event`](super::Event); [`identity`](super::identity) finds the two that are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Meeting {
    /// The provider's id, unique within its stream.
    pub id: String,
    /// The number or the code that people join by, which an occurrence shares with its series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's id of one time that it was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What sort of meeting it is.
    #[serde(default)]
    pub kind: MeetingKind,
    /// Whether it is planned, held, or over.
    #[serde(default)]
    pub status: MeetingStatus,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agenda: Option<String>,
    /// When it starts, or started; `None` for one that has no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<EventTime>,
    /// When it ends, or ended, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EventTime>,
    /// How it repeats; empty for a single one.
    #[serde(default, skip_serializing_if = "Recurrence::is_empty")]
    pub recurrence: Recurrence,
    /// The times of a series that the provider names one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub occurrences: Vec<MeetingOccurrence>,
    /// Who invites to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<PersonRef>,
    /// Where people join; as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// The code that lets people in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<String>,
    /// The iCalendar UID (RFC 5545), where the provider knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ical_uid: Option<String>,
    /// Who was there, for one that was held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// What was recorded of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<Recording>,
    /// When it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl Meeting {
    /// A meeting with nothing but an id and a kind.
    pub fn new(id: impl Into<String>, kind: MeetingKind) -> Self {
        Self {
            id: id.into(),
            code: None,
            session_id: None,
            kind,
            status: MeetingStatus::default(),
            title: None,
            agenda: None,
            start: None,
            end: None,
            recurrence: Recurrence::default(),
            occurrences: Vec::new(),
            host: None,
            join_url: None,
            passcode: None,
            ical_uid: None,
            participants: Vec::new(),
            recordings: Vec::new(),
            created_at: None,
            updated_at: None,
        }
    }

    /// The address to join by, if it is one.
    pub fn join_url(&self) -> Option<Url> {
        self.join_url.as_deref()?.parse().ok()
    }
}

open_enum! {
    /// What sort of meeting it is.
    #[derive(Default)]
    MeetingKind {
        /// At a time.
        #[default]
        Scheduled = "scheduled",
        /// At once.
        Instant = "instant",
        /// Again and again.
        Recurring = "recurring",
        /// In a room that is always there.
        Personal = "personal",
        /// With an audience.
        Webinar = "webinar",
    }
}

open_enum! {
    /// Whether a meeting is planned, held, or over.
    #[derive(Default)]
    MeetingStatus {
        /// It is planned.
        #[default]
        Scheduled = "scheduled",
        /// It is held now.
        Started = "started",
        /// It is over.
        Ended = "ended",
        /// It does not take place.
        Cancelled = "cancelled",
    }
}

/// One time of a series of meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MeetingOccurrence {
    /// The provider's id of the occurrence.
    pub id: String,
    /// When it starts.
    pub start: EventTime,
    /// When it ends, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EventTime>,
    /// Whether it takes place.
    #[serde(default)]
    pub status: MeetingStatus,
}

/// Somebody who was at a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Participant {
    /// Who it is.
    #[serde(flatten)]
    pub person: PersonRef,
    /// When they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<DateTime<Utc>>,
    /// When they left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<DateTime<Utc>>,
    /// How many seconds they were there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// Something that was recorded of a meeting. Its content stays at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recording {
    /// The provider's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's word for what it is, e.g. `shared_screen_with_speaker_view`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The provider's word for the sort of file, e.g. `MP4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<String>,
    /// How many bytes it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// The provider's word for how far it is, e.g. `completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Where a person sees it; as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where a program fetches it, with the connection's credentials; as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_url: Option<String>,
}
