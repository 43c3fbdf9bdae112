//! What is a calendar event?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use super::attachment::Attachment;
use super::open_enum::open_enum;
use super::person::PersonRef;
use super::time::EventTime;
use crate::connection::StreamId;

/// A calendar event: a single one, the master of a series, or an exception of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Event {
    /// The provider's id, unique within its calendar.
    pub id: String,
    /// The provider's id of the calendar.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub calendar_id: StreamId,
    /// The iCalendar UID (RFC 5545): the same for a meeting in every attendee's calendar, and for all
    /// parts of a series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ical_uid: Option<String>,
    /// The iCalendar SEQUENCE: counts the organiser's essential changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// What sort of entry it is.
    #[serde(default)]
    pub kind: EventKind,
    /// The title; `None` for an untitled event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description. It may hold HTML, as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The place, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it starts. For a cancelled exception, when it would have started.
    pub start: EventTime,
    /// When it ends, exclusive; `None` where the provider knows no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EventTime>,
    /// How it repeats; empty for a single event or an exception.
    #[serde(default, skip_serializing_if = "Recurrence::is_empty")]
    pub recurrence: Recurrence,
    /// The series that this event is an exception of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// Who organises it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizer: Option<PersonRef>,
    /// Who entered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<PersonRef>,
    /// Who is invited, rooms among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// Whether the provider left attendees out of the list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attendees_omitted: bool,
    /// When the user is reminded.
    #[serde(default)]
    pub reminders: Reminders,
    /// Whether it takes place.
    #[serde(default)]
    pub status: EventStatus,
    /// Who may see it.
    #[serde(default)]
    pub visibility: Visibility,
    /// Whether it blocks the user's time.
    #[serde(default)]
    pub transparency: Transparency,
    /// Files that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// How to join it on line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conference: Option<Conference>,
    /// The provider's id of the colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// When it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl Event {
    /// An event with nothing but its id, its calendar and its start.
    pub fn new(id: impl Into<String>, calendar_id: impl Into<StreamId>, start: EventTime) -> Self {
        Self {
            id: id.into(),
            calendar_id: calendar_id.into(),
            ical_uid: None,
            sequence: None,
            kind: EventKind::default(),
            title: None,
            description: None,
            location: None,
            start,
            end: None,
            recurrence: Recurrence::default(),
            series: None,
            organizer: None,
            creator: None,
            attendees: Vec::new(),
            attendees_omitted: false,
            reminders: Reminders::default(),
            status: EventStatus::default(),
            visibility: Visibility::default(),
            transparency: Transparency::default(),
            attachments: Vec::new(),
            conference: None,
            color: None,
            created_at: None,
            updated_at: None,
        }
    }

    /// Whether it is the master of a series.
    pub fn is_series(&self) -> bool {
        !self.recurrence.is_empty()
    }
}

open_enum! {
    /// What sort of entry an event is.
    #[derive(Default)]
    EventKind {
        /// An ordinary event.
        #[default]
        Default = "default",
        /// A birthday.
        Birthday = "birthday",
        /// Time set aside for work.
        FocusTime = "focus_time",
        /// Made by the provider from a mail.
        FromMail = "from_mail",
        /// The user is away.
        OutOfOffice = "out_of_office",
        /// Where the user works that day.
        WorkingLocation = "working_location",
    }
}

open_enum! {
    /// Whether an event takes place.
    #[derive(Default)]
    EventStatus {
        /// It takes place.
        #[default]
        Confirmed = "confirmed",
        /// It may take place.
        Tentative = "tentative",
        /// It does not take place.
        Cancelled = "cancelled",
    }
}

open_enum! {
    /// Who may see an event.
    #[derive(Default)]
    Visibility {
        /// Whoever may see the calendar.
        #[default]
        Default = "default",
        /// Everybody.
        Public = "public",
        /// The attendees alone.
        Private = "private",
        /// The attendees alone; the provider tells it apart from private.
        Confidential = "confidential",
    }
}

open_enum! {
    /// Whether an event blocks the user's time (RFC 5545 TRANSP).
    #[derive(Default)]
    Transparency {
        /// The user is busy.
        #[default]
        Busy = "busy",
        /// The user is free.
        Free = "free",
    }
}

/// How an event repeats: the lines of RFC 5545, without their names, as the provider gave them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recurrence {
    /// The RRULE values, e.g. `FREQ=WEEKLY;BYDAY=MO`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rrule: Vec<String>,
    /// The RDATE lines from their parameters on, e.g. `;VALUE=DATE:20260301` or `:20260301T090000Z`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rdate: Vec<String>,
    /// The EXDATE lines from their parameters on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exdate: Vec<String>,
    /// The EXRULE values (RFC 2445; no longer in RFC 5545, still sent).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exrule: Vec<String>,
    /// Lines with any other name, whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<String>,
}

impl Recurrence {
    /// Whether the event does not repeat.
    pub fn is_empty(&self) -> bool {
        self.rrule.is_empty()
            && self.rdate.is_empty()
            && self.exdate.is_empty()
            && self.exrule.is_empty()
            && self.other.is_empty()
    }

    /// Takes in a whole line, e.g. `RRULE:FREQ=DAILY` or `EXDATE;TZID=Europe/Berlin:20260301T090000`.
    pub fn push_line(&mut self, line: String) {
        let name_end = line.find([':', ';']).unwrap_or(line.len());
        let (name, rest) = line.split_at(name_end);
        let is = |word: &str| name.eq_ignore_ascii_case(word);
        if is("RRULE") || is("EXRULE") {
            let list = if is("RRULE") { &mut self.rrule } else { &mut self.exrule };
            list.push(rest.trim_start_matches([':', ';']).to_owned());
        } else if is("RDATE") {
            self.rdate.push(rest.to_owned());
        } else if is("EXDATE") {
            self.exdate.push(rest.to_owned());
        } else {
            self.other.push(line);
        }
    }
}

/// Which series an event is an exception of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Series {
    /// The provider's id of the series.
    pub id: String,
    /// When the occurrence would have started: its identity within the series (RFC 5545
    /// RECURRENCE-ID), which stays when the exception moves.
    pub original_start: EventTime,
}

/// Somebody who is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Attendee {
    /// Who it is.
    #[serde(flatten)]
    pub person: PersonRef,
    /// What they answered.
    #[serde(default)]
    pub response: ResponseStatus,
    /// Whether their coming is optional.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Whether it is a room or a thing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resource: bool,
    /// Whether they organise the event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub organizer: bool,
    /// What they wrote with their answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// How many guests they bring.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub additional_guests: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Attendee {
    /// An attendee who has not answered yet.
    pub fn new(person: PersonRef) -> Self {
        Self {
            person,
            response: ResponseStatus::default(),
            optional: false,
            resource: false,
            organizer: false,
            comment: None,
            additional_guests: 0,
        }
    }
}

open_enum! {
    /// What an attendee answered (RFC 5545 PARTSTAT).
    #[derive(Default)]
    ResponseStatus {
        /// Nothing yet.
        #[default]
        NeedsAction = "needs_action",
        /// They come.
        Accepted = "accepted",
        /// They may come.
        Tentative = "tentative",
        /// They do not come.
        Declined = "declined",
    }
}

/// When the user is reminded of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reminders {
    /// Whether these are the calendar's own defaults, and not set on the event.
    #[serde(default)]
    pub from_calendar: bool,
    /// The reminders; empty for none.
    #[serde(default)]
    pub list: Vec<Reminder>,
}

/// One reminder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reminder {
    /// How the user is reminded.
    pub method: ReminderMethod,
    /// How many minutes before the start; negative is after it.
    pub minutes_before: i32,
}

open_enum! {
    /// How a user is reminded.
    ReminderMethod {
        /// A note on the screen.
        Popup = "popup",
        /// A mail.
        Email = "email",
    }
}

/// How to join an event on line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conference {
    /// The provider's id of the conference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The provider's word for the kind of conference, e.g. `hangoutsMeet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// The name of the kind of conference, e.g. `Google Meet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ways in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<ConferenceEntry>,
    /// What the organiser wrote about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

impl Conference {
    /// The address to join by video.
    pub fn join_url(&self) -> Option<Url> {
        self.entries.iter().filter(|entry| entry.kind == "video").find_map(|entry| entry.uri.parse().ok())
    }
}

/// One way into a conference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConferenceEntry {
    /// The way: `video`, `phone`, `sip` or another word.
    pub kind: String,
    /// The address, e.g. `https:`, `tel:` or `sip:`.
    pub uri: String,
    /// What to show for the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The code that lets the caller in (meeting code, access code, passcode, password or PIN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recurrence_lines_are_kept_as_given() {
        let mut recurrence = Recurrence::default();
        for line in [
            "RRULE:FREQ=WEEKLY;BYDAY=MO",
            "EXDATE;TZID=Europe/Berlin:20260302T090000",
            "RDATE:20260303T090000Z",
            "rrule:FREQ=DAILY",
            "X-ODD;A=B:C",
        ] {
            recurrence.push_line(line.to_owned());
        }
        assert_eq!(recurrence.rrule, ["FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY"]);
        assert_eq!(recurrence.exdate, [";TZID=Europe/Berlin:20260302T090000"]);
        assert_eq!(recurrence.rdate, [":20260303T090000Z"]);
        assert_eq!(recurrence.other, ["X-ODD;A=B:C"]);
    }

    #[test]
    fn an_unknown_word_is_kept() {
        let status: EventStatus = serde_json::from_str(r#""postponed""#).unwrap();
        assert_eq!(status, EventStatus::Other("postponed".into()));
        assert_eq!(serde_json::to_string(&status).unwrap(), r#""postponed""#);
    }
}
