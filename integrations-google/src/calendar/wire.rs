//! What does Google Calendar send?
//!
//! The shapes of `calendarList.list` and `events.list`, with what the family reads of them. Words that
//! Google may add to are read into open enums; times are read by the shape that they have.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Utc};
use integrations_core::model::{
    EventKind, EventStatus, PersonRef, Reminder, ReminderMethod, ResponseStatus, Transparency, Visibility,
};
use integrations_core::{Error, json, words};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarList {
    #[serde(default)]
    pub items: Vec<CalendarEntry>,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarEntry {
    pub id: String,
    pub summary: Option<String>,
    pub summary_override: Option<String>,
    pub time_zone: Option<String>,
    pub access_role: Option<String>,
    pub background_color: Option<String>,
    #[serde(default)]
    pub primary: bool,
    #[serde(default)]
    pub deleted: bool,
}

/// A page of events; the items are cut out of it before, and read one by one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Events {
    #[serde(default, rename = "items")]
    _items: [IgnoredAny; 0],
    pub next_page_token: Option<String>,
    pub next_sync_token: Option<String>,
    pub time_zone: Option<String>,
    #[serde(default)]
    pub default_reminders: Vec<WireReminder>,
}

impl Events {
    /// Why a body is no page of events.
    pub(super) fn unreadable(body: &[u8], operation: &'static str) -> Error {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(dead_code, reason = "the shape is what matters")]
        struct Shape {
            #[serde(default)]
            items: Vec<IgnoredAny>,
            next_page_token: Option<String>,
            next_sync_token: Option<String>,
            time_zone: Option<String>,
            #[serde(default)]
            default_reminders: Vec<WireReminder>,
        }
        json::unreadable::<Shape>(body, operation)
    }
}

/// An event. Only the id is sure to be there: a deleted one has nothing more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEvent {
    pub id: String,
    pub etag: Option<String>,
    #[serde(default, deserialize_with = "status")]
    pub status: Option<EventStatus>,
    #[serde(rename = "iCalUID")]
    pub ical_uid: Option<String>,
    pub sequence: Option<u64>,
    #[serde(default, deserialize_with = "event_type")]
    pub event_type: EventKind,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub start: Option<WireTime>,
    pub end: Option<WireTime>,
    #[serde(default)]
    pub end_time_unspecified: bool,
    #[serde(default)]
    pub recurrence: Vec<String>,
    pub recurring_event_id: Option<String>,
    pub original_start_time: Option<WireTime>,
    #[serde(default, deserialize_with = "optional_person")]
    pub organizer: Option<PersonRef>,
    #[serde(default, deserialize_with = "optional_person")]
    pub creator: Option<PersonRef>,
    #[serde(default)]
    pub attendees: Vec<WireAttendee>,
    #[serde(default)]
    pub attendees_omitted: bool,
    pub reminders: Option<WireReminders>,
    #[serde(default, deserialize_with = "visibility")]
    pub visibility: Visibility,
    #[serde(default, deserialize_with = "transparency")]
    pub transparency: Transparency,
    #[serde(default)]
    pub attachments: Vec<WireAttachment>,
    pub conference_data: Option<WireConference>,
    pub hangout_link: Option<String>,
    pub color_id: Option<String>,
    pub event_label_id: Option<String>,
    pub html_link: Option<String>,
    #[serde(default, deserialize_with = "json::rfc3339")]
    pub created: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::rfc3339")]
    pub updated: Option<DateTime<Utc>>,
}

/// Just the id, for an event that cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireId {
    pub id: String,
}

/// A start or an end: a date, or a time with an offset or with a zone, or both.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTime {
    #[serde(default, deserialize_with = "date")]
    pub date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "date_time")]
    pub date_time: Option<WireDateTime>,
    #[serde(default, deserialize_with = "zone")]
    pub time_zone: Option<integrations_core::model::Zone>,
}

/// A time with an offset (RFC 3339), or without one: then the zone says which instant it is.
#[derive(Clone, Copy)]
pub(super) enum WireDateTime {
    Instant(DateTime<FixedOffset>),
    Local(NaiveDateTime),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_excessive_bools, reason = "Google's shape")]
pub(super) struct WireAttendee {
    pub email: Option<String>,
    pub display_name: Option<String>,
    #[serde(default, rename = "self")]
    pub is_self: bool,
    #[serde(default)]
    pub organizer: bool,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub resource: bool,
    #[serde(default, deserialize_with = "response_status")]
    pub response_status: ResponseStatus,
    pub comment: Option<String>,
    #[serde(default)]
    pub additional_guests: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireReminders {
    #[serde(default)]
    pub use_default: bool,
    #[serde(default)]
    pub overrides: Vec<WireReminder>,
}

#[derive(Deserialize)]
pub(super) struct WireReminder {
    method: ReminderMethod,
    minutes: i32,
}

impl From<WireReminder> for Reminder {
    fn from(WireReminder { method, minutes }: WireReminder) -> Self {
        Self { method, minutes_before: minutes }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireAttachment {
    pub file_url: Option<String>,
    pub title: Option<String>,
    pub mime_type: Option<String>,
    pub file_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireConference {
    pub conference_id: Option<String>,
    pub conference_solution: Option<WireSolution>,
    #[serde(default)]
    pub entry_points: Vec<WireEntryPoint>,
    pub notes: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireSolution {
    pub key: Option<WireSolutionKey>,
    pub name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireSolutionKey {
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEntryPoint {
    pub entry_point_type: Option<String>,
    pub uri: Option<String>,
    pub label: Option<String>,
    pub meeting_code: Option<String>,
    pub access_code: Option<String>,
    pub passcode: Option<String>,
    pub password: Option<String>,
    pub pin: Option<String>,
}

words!(event_type -> EventKind {
    "default" => Default,
    "birthday" => Birthday,
    "focusTime" => FocusTime,
    "fromGmail" => FromMail,
    "outOfOffice" => OutOfOffice,
    "workingLocation" => WorkingLocation,
});

words!(visibility -> Visibility {
    "default" => Default,
    "public" => Public,
    "private" => Private,
    "confidential" => Confidential,
});

words!(transparency -> Transparency {
    "opaque" => Busy,
    "transparent" => Free,
});

words!(response_status -> ResponseStatus {
    "needsAction" => NeedsAction,
    "accepted" => Accepted,
    "tentative" => Tentative,
    "declined" => Declined,
});

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EventStatus>, D::Error> {
    json::text(deserializer, |word| Some(EventStatus::from(word)))
}

fn zone<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<integrations_core::model::Zone>, D::Error> {
    json::text(deserializer, |name| Some(integrations_core::model::Zone::from_name(name)))
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    json::try_text(deserializer, "a date", |text| text.parse().ok().map(Some))
}

fn date_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WireDateTime>, D::Error> {
    json::try_text(deserializer, "an RFC 3339 time, or a local one", |text| {
        let instant = DateTime::parse_from_rfc3339(text).map(WireDateTime::Instant);
        instant.or_else(|_| text.parse().map(WireDateTime::Local)).ok().map(Some)
    })
}

fn optional_person<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PersonRef>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WirePerson {
        email: Option<String>,
        display_name: Option<String>,
        #[serde(default, rename = "self")]
        is_self: bool,
    }
    let person = Option::<WirePerson>::deserialize(deserializer)?;
    Ok(person.map(|person| PersonRef {
        email: person.email,
        name: person.display_name,
        is_self: person.is_self,
        ..PersonRef::default()
    }))
}
