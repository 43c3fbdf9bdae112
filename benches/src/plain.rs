//! What would somebody write who needs Google's events and nothing more?
//!
//! Derived structs with the fields that our normaliser reads, in owned types as rich as the model's. A
//! page is read in one go: one bad item fails all of it, no unknown word is kept, and no raw JSON is.

#![allow(
    missing_docs,
    reason = "the names are Google's: developers.google.com/calendar/api/v3/reference/events"
)]

pub mod chat;
pub mod mail;
pub mod task;
pub mod tracker;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    #[serde(default)]
    pub items: Vec<Event>,
    pub next_page_token: Option<String>,
    pub next_sync_token: Option<String>,
    pub time_zone: Option<Tz>,
    #[serde(default)]
    pub default_reminders: Vec<Reminder>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub id: String,
    pub etag: Option<String>,
    pub status: Option<Status>,
    #[serde(rename = "iCalUID")]
    pub ical_uid: Option<String>,
    pub sequence: Option<u64>,
    pub event_type: Option<EventType>,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub start: Option<Time>,
    pub end: Option<Time>,
    #[serde(default)]
    pub end_time_unspecified: bool,
    #[serde(default)]
    pub recurrence: Vec<String>,
    pub recurring_event_id: Option<String>,
    pub original_start_time: Option<Time>,
    pub organizer: Option<Person>,
    pub creator: Option<Person>,
    #[serde(default)]
    pub attendees: Vec<Attendee>,
    #[serde(default)]
    pub attendees_omitted: bool,
    pub reminders: Option<Reminders>,
    pub visibility: Option<Visibility>,
    pub transparency: Option<Transparency>,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    pub conference_data: Option<Conference>,
    pub hangout_link: Option<String>,
    pub color_id: Option<String>,
    pub event_label_id: Option<String>,
    pub html_link: Option<String>,
    pub created: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    Confirmed,
    Tentative,
    Cancelled,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventType {
    Default,
    Birthday,
    FocusTime,
    FromGmail,
    OutOfOffice,
    WorkingLocation,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Visibility {
    Default,
    Public,
    Private,
    Confidential,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transparency {
    Opaque,
    Transparent,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResponseStatus {
    NeedsAction,
    Accepted,
    Tentative,
    Declined,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReminderMethod {
    Popup,
    Email,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Time {
    pub date: Option<NaiveDate>,
    pub date_time: Option<DateTime<FixedOffset>>,
    pub time_zone: Option<Tz>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub email: Option<String>,
    pub display_name: Option<String>,
    #[serde(default, rename = "self")]
    pub is_self: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_excessive_bools, reason = "Google's fields")]
pub struct Attendee {
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
    pub response_status: Option<ResponseStatus>,
    pub comment: Option<String>,
    #[serde(default)]
    pub additional_guests: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminders {
    #[serde(default)]
    pub use_default: bool,
    #[serde(default)]
    pub overrides: Vec<Reminder>,
}

#[derive(Debug, Deserialize)]
pub struct Reminder {
    pub method: ReminderMethod,
    pub minutes: i32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub file_url: Option<String>,
    pub title: Option<String>,
    pub mime_type: Option<String>,
    pub file_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conference {
    pub conference_id: Option<String>,
    pub conference_solution: Option<Solution>,
    #[serde(default)]
    pub entry_points: Vec<EntryPoint>,
    pub notes: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Solution {
    pub key: Option<SolutionKey>,
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct SolutionKey {
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryPoint {
    pub entry_point_type: Option<String>,
    pub uri: Option<String>,
    pub label: Option<String>,
    pub meeting_code: Option<String>,
    pub access_code: Option<String>,
    pub passcode: Option<String>,
    pub password: Option<String>,
    pub pin: Option<String>,
}
