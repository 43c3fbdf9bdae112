//! What does Zoom send?
//!
//! The shapes of the answers, with what the family reads of them. Zoom writes the empty text, 0 or the year 1 for
//! many things that are not there, and numbers as text in some places.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use integrations_core::model::MeetingStatus;
use integrations_core::{Error, json, words};
use serde::de::{IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

/// A page of meetings, recordings or users; the items are cut out of it before, and read one by one. A page
/// without its items is no page: nothing may be taken for gone because of it.
#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(rename = "meetings", alias = "users")]
    _items: [IgnoredAny; 0],
    pub next_page_token: Option<String>,
}

impl Page {
    /// Why a body is no page.
    pub(super) fn unreadable(body: &[u8], operation: &'static str) -> Error {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "the shape is what matters")]
        struct Shape {
            #[serde(rename = "meetings", alias = "users")]
            items: Vec<IgnoredAny>,
            next_page_token: Option<String>,
        }
        json::unreadable::<Shape>(body, operation)
    }
}

/// A page of participants, which go into their meeting as they are.
#[derive(Deserialize)]
pub(super) struct Participants {
    pub participants: Vec<Box<serde_json::value::RawValue>>,
    pub next_page_token: Option<String>,
}

/// The sessions of a meeting.
#[derive(Deserialize)]
pub(super) struct Instances {
    pub meetings: Vec<WireInstance>,
}

#[derive(Deserialize)]
pub(super) struct WireInstance {
    pub uuid: String,
    #[serde(default, deserialize_with = "instant")]
    pub start_time: Option<DateTime<Utc>>,
}

/// A user of the account.
#[derive(Deserialize)]
pub(super) struct WireUser {
    #[serde(deserialize_with = "id")]
    pub id: String,
    pub email: Option<String>,
    pub display_name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub timezone: Option<String>,
}

/// Just the id, for what cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireId {
    #[serde(deserialize_with = "id")]
    pub id: String,
}

/// The same of a session.
#[derive(Deserialize)]
pub(super) struct WireUuid {
    #[serde(deserialize_with = "id")]
    pub uuid: String,
}

/// What a sync has to know of a row of a listing.
#[derive(Deserialize)]
pub(super) struct WireRow {
    #[serde(deserialize_with = "id")]
    pub id: String,
    pub uuid: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<Number>,
    #[serde(default, deserialize_with = "instant")]
    pub start_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub duration: Option<u64>,
}

/// What a sync has to know of a meeting.
#[derive(Deserialize)]
pub(super) struct WireGlance {
    pub status: Option<String>,
}

/// What a sync has to know of a session.
#[derive(Deserialize)]
pub(super) struct WireSpan {
    #[serde(default, deserialize_with = "instant")]
    pub start_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub end_time: Option<DateTime<Utc>>,
}

/// A meeting that is planned or held.
#[derive(Deserialize)]
pub(super) struct WireMeeting {
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// What the family writes where Zoom does not give the meeting.
    pub refused: Option<String>,
    pub host_id: Option<String>,
    pub host_email: Option<String>,
    pub topic: Option<String>,
    pub agenda: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<Number>,
    #[serde(default, deserialize_with = "status")]
    pub status: MeetingStatus,
    #[serde(default, deserialize_with = "time")]
    pub start_time: Option<WireTime>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub duration: Option<u64>,
    pub timezone: Option<String>,
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<DateTime<Utc>>,
    pub join_url: Option<String>,
    pub password: Option<String>,
    #[serde(default, deserialize_with = "optional_id")]
    pub pmi: Option<String>,
    pub recurrence: Option<WireRecurrence>,
    #[serde(default, deserialize_with = "list")]
    pub occurrences: Vec<WireOccurrence>,
    pub settings: Option<WireSettings>,
}

#[derive(Deserialize)]
pub(super) struct WireSettings {
    pub use_pmi: Option<bool>,
}

/// One time of a series.
#[derive(Deserialize)]
pub(super) struct WireOccurrence {
    #[serde(deserialize_with = "id")]
    pub occurrence_id: String,
    #[serde(default, deserialize_with = "time")]
    pub start_time: Option<WireTime>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub duration: Option<u64>,
    #[serde(default, deserialize_with = "occurrence_status")]
    pub status: MeetingStatus,
}

/// How a series repeats.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireRecurrence {
    #[serde(rename = "type")]
    pub kind: Option<Number>,
    pub repeat_interval: Option<Number>,
    /// Days from 1, which is Sunday, as `2,4`.
    #[serde(default, deserialize_with = "optional_id")]
    pub weekly_days: Option<String>,
    pub monthly_day: Option<Number>,
    pub monthly_week: Option<Number>,
    pub monthly_week_day: Option<Number>,
    pub end_times: Option<Number>,
    #[serde(default, deserialize_with = "time")]
    pub end_date_time: Option<WireTime>,
}

/// A meeting that was held, with who was there and what was recorded: the answers of three calls, put together by
/// the family.
#[derive(Deserialize)]
pub(super) struct WireHeld {
    #[serde(deserialize_with = "id")]
    pub uuid: String,
    /// What the family writes where Zoom does not give the meeting.
    pub refused: Option<String>,
    pub past_meeting: Option<WirePast>,
    #[serde(default)]
    pub participants: Vec<WireParticipant>,
    pub recordings: Option<WireRecordings>,
}

#[derive(Deserialize)]
pub(super) struct WirePast {
    #[serde(default, deserialize_with = "optional_id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "optional_id")]
    pub host_id: Option<String>,
    pub user_name: Option<String>,
    pub user_email: Option<String>,
    pub topic: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<Number>,
    #[serde(default, deserialize_with = "instant")]
    pub start_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub end_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub duration: Option<u64>,
}

/// Somebody, from one time of coming to the next of leaving.
#[derive(Deserialize)]
pub(super) struct WireParticipant {
    pub id: Option<String>,
    pub name: Option<String>,
    pub user_email: Option<String>,
    #[serde(default, deserialize_with = "instant")]
    pub join_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub leave_time: Option<DateTime<Utc>>,
    /// In seconds.
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub duration: Option<u64>,
}

/// What a sync has to know of an entry of the list of recordings.
#[derive(Deserialize)]
pub(super) struct WireRecorded {
    #[serde(deserialize_with = "id")]
    pub uuid: String,
    #[serde(default, deserialize_with = "optional_id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "instant")]
    pub start_time: Option<DateTime<Utc>>,
}

/// What was recorded of a session: an entry of the list of recordings, or the answer for one session.
#[derive(Deserialize)]
pub(super) struct WireRecordings {
    pub timezone: Option<String>,
    pub share_url: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub recording_files: Vec<WireFile>,
}

#[derive(Deserialize)]
pub(super) struct WireFile {
    pub id: Option<String>,
    pub file_type: Option<String>,
    pub recording_type: Option<String>,
    #[serde(default, deserialize_with = "json::lenient_u64")]
    pub file_size: Option<u64>,
    #[serde(default, deserialize_with = "instant")]
    pub recording_start: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub recording_end: Option<DateTime<Utc>>,
    pub status: Option<String>,
    pub play_url: Option<String>,
    pub download_url: Option<String>,
}

words!(status -> MeetingStatus {
    "waiting" => Scheduled,
    "started" => Started,
    "ended" => Ended,
});

words!(occurrence_status -> MeetingStatus {
    "available" => Scheduled,
    "deleted" => Cancelled,
});

/// A time: of UTC, or without an offset, then of the meeting's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireTime {
    Instant(DateTime<Utc>),
    Local(NaiveDateTime),
}

/// A number, or the text of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(pub i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or the text of one")
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
                i64::try_from(number).map(Number).map_err(|_| E::custom("invalid value, expected a number"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.trim().parse().map(Number).map_err(|_| E::custom("invalid value, expected a number"))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

/// A text that is not empty.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// An id, which Zoom sends as a number or as text.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Read;

    impl Visitor<'_> for Read {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an id: a number, or a text that is not empty")
        }

        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
            if text.is_empty() {
                return Err(E::custom("invalid value, expected an id: a text that is not empty"));
            }
            Ok(text.to_owned())
        }
    }

    deserializer.deserialize_any(Read)
}

/// An id that need not be there; the empty text is none.
fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Maybe {
        Number(u64),
        Text(String),
    }

    Ok(Option::<Maybe>::deserialize(deserializer)?.and_then(|id| match id {
        Maybe::Number(number) => Some(number.to_string()),
        Maybe::Text(text) => filled(Some(text)),
    }))
}

/// A list; `null` is an empty one.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A time, where Zoom may write `null`, the empty text, or the first day of the year 1.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WireTime>, D::Error> {
    Ok(Option::<Told>::deserialize(deserializer)?.and_then(|Told(time)| time))
}

/// The same, of a time that is always one of UTC.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(time(deserializer)?.map(|time| match time {
        WireTime::Instant(at) => at,
        WireTime::Local(wall) => wall.and_utc(),
    }))
}

struct Told(Option<WireTime>);

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::try_text(deserializer, "an RFC 3339 time, or a local one", |text| {
            if text.is_empty() {
                return Some(Self(None));
            }
            let at = DateTime::parse_from_rfc3339(text).map(|at| WireTime::Instant(at.to_utc()));
            let time = at.or_else(|_| text.parse().map(WireTime::Local)).ok()?;
            let year = match time {
                WireTime::Instant(at) => at.year(),
                WireTime::Local(wall) => wall.year(),
            };
            Some(Self(Some(time).filter(|_| year > 1)))
        })
    }
}
