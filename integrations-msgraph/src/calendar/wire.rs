//! What does Outlook's calendar send?
//!
//! The shapes of `calendar` and `event`, with what the family reads of them. Nearly every property may be null.
//! Words are kept as they are: Graph adds to its lists.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use integrations_core::json;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// A calendar.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireCalendar {
    pub id: String,
    pub name: Option<String>,
    pub hex_color: Option<String>,
    pub can_edit: Option<bool>,
    pub is_default_calendar: Option<bool>,
}

/// What has to be known of an item of a round before it is read: what it is, and of what it is a part.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireHead {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub series_master_id: Option<String>,
    pub recurrence: Option<IgnoredAny>,
    pub start: Option<IgnoredAny>,
}

/// The zones that an item names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireZones {
    pub is_all_day: Option<bool>,
    pub original_start_time_zone: Option<String>,
    pub original_end_time_zone: Option<String>,
}

/// Just the id, for an event that cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireId {
    pub id: String,
}

/// An event: a single one, a series, or an exception.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEvent {
    pub id: String,
    #[serde(rename = "@odata.etag")]
    pub etag: Option<String>,
    pub change_key: Option<String>,
    #[serde(rename = "@removed")]
    pub removed: Option<IgnoredAny>,
    /// Stands in the place of an event that Graph did not give.
    pub error: Option<WireError>,
    pub i_cal_u_id: Option<String>,
    pub series_master_id: Option<String>,
    pub original_start: Option<Instant>,
    pub original_start_time_zone: Option<String>,
    pub original_end_time_zone: Option<String>,
    pub start: Option<WireTime>,
    pub end: Option<WireTime>,
    pub is_all_day: Option<bool>,
    pub recurrence: Option<WireRecurrence>,
    pub cancelled_occurrences: Option<Vec<CancelledDay>>,
    pub exception_occurrences: Option<Vec<WireException>>,
    pub subject: Option<String>,
    pub body: Option<WireBody>,
    pub location: Option<WireLocation>,
    pub locations: Option<Vec<WireLocation>>,
    pub is_cancelled: Option<bool>,
    pub is_organizer: Option<bool>,
    pub organizer: Option<WireRecipient>,
    pub attendees: Option<Vec<WireAttendee>>,
    pub hide_attendees: Option<bool>,
    pub response_status: Option<WireResponse>,
    pub show_as: Option<String>,
    pub sensitivity: Option<String>,
    pub is_reminder_on: Option<bool>,
    pub reminder_minutes_before_start: Option<i32>,
    pub online_meeting: Option<WireMeeting>,
    pub online_meeting_provider: Option<String>,
    pub online_meeting_url: Option<String>,
    pub web_link: Option<String>,
    pub created_date_time: Option<Instant>,
    pub last_modified_date_time: Option<Instant>,
}

/// Graph's answer in the place of an event.
#[derive(Deserialize)]
pub(super) struct WireError {
    pub status: Option<u16>,
    pub code: Option<String>,
}

/// As much of an exception as its series has to know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireException {
    pub is_all_day: Option<bool>,
    pub original_start: Option<Instant>,
    pub original_start_time_zone: Option<String>,
}

/// A `dateTimeTimeZone`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTime {
    pub date_time: WireDateTime,
    pub time_zone: Option<String>,
}

/// A time on the wall clock of its zone; with an offset, should one be there.
#[derive(Clone, Copy)]
pub(super) enum WireDateTime {
    Wall(NaiveDateTime),
    Instant(DateTime<chrono::FixedOffset>),
}

impl WireDateTime {
    /// The day that is written there.
    pub(super) fn date(self) -> NaiveDate {
        match self {
            Self::Wall(time) => time.date(),
            Self::Instant(time) => time.date_naive(),
        }
    }
}

impl<'de> Deserialize<'de> for WireDateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::try_text(deserializer, "a local time such as 2026-03-01T09:00:00", |text| {
            let wall = text.parse().ok();
            let day = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN));
            let instant = || DateTime::parse_from_rfc3339(text).ok().map(Self::Instant);
            wall.or_else(day).map(Self::Wall).or_else(instant)
        })
    }
}

/// An instant. Graph's for none, in the year 1, is none.
#[derive(Clone, Copy)]
pub(super) struct Instant(pub Option<DateTime<Utc>>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unset = NaiveDate::from_ymd_opt(2, 1, 1).unwrap_or_default();
        let time = json::rfc3339(deserializer)?;
        Ok(Self(time.filter(|time| time.date_naive() >= unset)))
    }
}

/// The day of an occurrence that was cancelled: the end of `OID.{series}.2026-03-09`.
#[derive(Clone, Copy)]
pub(super) struct CancelledDay(pub NaiveDate);

impl<'de> Deserialize<'de> for CancelledDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::try_text(deserializer, "the id of an occurrence with its day", |text| {
            let (_, day) = text.rsplit_once('.')?;
            day.parse().ok().map(Self)
        })
    }
}

/// A `patternedRecurrence`.
#[derive(Deserialize)]
pub(super) struct WireRecurrence {
    pub pattern: WirePattern,
    pub range: Option<WireRange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WirePattern {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub interval: Option<u32>,
    pub month: Option<u32>,
    pub day_of_month: Option<u32>,
    pub days_of_week: Option<Vec<String>>,
    pub first_day_of_week: Option<String>,
    pub index: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRange {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub end_date: Option<NaiveDate>,
    pub recurrence_time_zone: Option<String>,
    pub number_of_occurrences: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct WireBody {
    pub content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLocation {
    pub display_name: Option<String>,
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
pub(super) struct WireAttendee {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub status: Option<WireResponse>,
    pub email_address: Option<WireAddress>,
}

#[derive(Deserialize)]
pub(super) struct WireResponse {
    pub response: Option<String>,
}

/// An `onlineMeetingInfo`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireMeeting {
    pub conference_id: Option<String>,
    pub join_url: Option<String>,
    pub phones: Option<Vec<WirePhone>>,
    pub quick_dial: Option<String>,
    pub toll_free_numbers: Option<Vec<String>>,
    pub toll_number: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WirePhone {
    pub number: Option<String>,
}
