//! What does event number `i` of a generated calendar look like?
//!
//! An event is a pure function of the seed, the calendar, the start day and its index, so a million of them
//! cost no memory. They are written straight into the answer as JSON text.

mod plan;
mod words;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use self::words::{BODIES, CATEGORIES, LOCATIONS, PEOPLE, RESPONSES, SUBJECTS};
use super::event::{EventField, ical_uid};
use super::render::put_uid;
use super::timing::Timing;
use crate::msgraph::fields::{Object, Select};
use crate::msgraph::prefer::BodyType;
use crate::msgraph::text::{put, put_number, truth};
use crate::random::{Draw, hash_text, mix};

const MS_PER_DAY: i64 = 86_400_000;

/// Writes the events of one calendar.
#[derive(Debug)]
pub(super) struct Generator {
    key: u64,
    today: NaiveDate,
    start: i64,
    zone: (String, Tz),
    /// The account as an `emailAddress`, in JSON.
    own: String,
}

impl Generator {
    pub(super) fn new(seed: u64, calendar: &str, zone: (String, Tz), own: &Value, now: i64) -> Self {
        Self {
            key: mix(seed ^ hash_text(calendar) ^ 0x6576_656e),
            today: crate::msgraph::text::moment(now).date(),
            start: now - now.rem_euclid(MS_PER_DAY),
            zone,
            own: own.to_string(),
        }
    }

    /// A stream of draws for one aspect of an event, so that what is left out does not shift the rest.
    fn draw(&self, index: u64, aspect: u64) -> Draw {
        Draw::new(mix(self.key.wrapping_add(index)) ^ mix(self.key ^ aspect))
    }

    pub(super) fn timing(&self, index: u64) -> Timing {
        plan::timing(&mut self.draw(index, 0), self.today, (&self.zone.0, self.zone.1))
    }

    /// When the event was created and last changed: some time before the start.
    pub(super) fn times(&self, index: u64) -> (i64, i64) {
        let mut draw = self.draw(index, 1);
        let modified = self.start - 1_000 - i64::from(draw.below(400 * 86_400)) * 1_000;
        (modified - i64::from(draw.below(90 * 86_400)) * 1_000, modified)
    }

    /// What an entry begins with when the test touches the event.
    pub(super) fn fields(&self, index: u64) -> Map<String, Value> {
        let mut text = Vec::new();
        let mut object = Object::begin(&mut text, Select::usual());
        self.put_content(index, &mut object, BodyType::Stored, None);
        object.end();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Writes everything that is not about time or identity.
    pub(super) fn put_content(
        &self,
        index: u64,
        object: &mut Object<'_, EventField>,
        body: BodyType,
        day: Option<NaiveDate>,
    ) {
        use EventField as F;
        let mut draw = self.draw(index, 2);
        let number = mix(self.key ^ index);
        let subject = *draw.pick(SUBJECTS);
        let (html, text, preview) = *draw.pick(BODIES);
        let (place, location) = *draw.pick(LOCATIONS);
        let located = draw.percent(45);
        let online = draw.percent(30);
        let all_day = self.timing(index).all_day;
        let cancelled = subject.starts_with("Canceled");
        let free = all_day || cancelled || draw.percent(5);
        let guests = if draw.percent(45) { 0 } else { 1 + draw.below(6) as usize };
        let host = (guests > 0 && draw.percent(50)).then(|| draw.below(9) as usize);
        let shown = if free {
            "free"
        } else {
            *draw.pick(&["busy", "busy", "busy", "tentative", "oof", "workingElsewhere"])
        };
        let own_answer = match host {
            None => "organizer",
            Some(_) if shown == "tentative" => "tentativelyAccepted",
            Some(_) => *draw.pick(&["accepted", "accepted", "notResponded", "none"]),
        };
        let categories = *draw.pick(CATEGORIES);
        let reminder = *draw.pick(&["15", "0", "30", "1080"]);
        let quoted = [
            (F::Subject, subject),
            (F::BodyPreview, preview),
            (F::Importance, *draw.pick(&["normal", "normal", "normal", "high", "low"])),
            (
                F::Sensitivity,
                *draw.pick(&["normal", "normal", "normal", "normal", "private", "personal", "confidential"]),
            ),
            (F::ShowAs, shown),
            (F::OnlineMeetingProvider, if online { "teamsForBusiness" } else { "unknown" }),
        ];
        let flags = [
            (F::IsAllDay, all_day),
            (F::IsCancelled, cancelled),
            (F::IsDraft, false),
            (F::IsOnlineMeeting, online),
            (F::IsOrganizer, host.is_none()),
            (F::IsReminderOn, draw.percent(85)),
            (F::HasAttachments, false),
            (F::HideAttendees, false),
            (F::AllowNewTimeProposals, true),
            (F::ResponseRequested, true),
        ];
        for (field, text) in quoted {
            if let Some(out) = object.field(field) {
                put!(out, "\"", text, "\"");
            }
        }
        for (field, flag) in flags {
            if let Some(out) = object.field(field) {
                put!(out, truth(flag));
            }
        }
        for field in [F::OnlineMeetingUrl, F::TransactionId] {
            if let Some(out) = object.field(field) {
                put!(out, "null");
            }
        }
        if let Some(out) = object.field(F::Categories) {
            put!(out, "[", categories, "]");
        }
        if let Some(out) = object.field(F::ReminderMinutesBeforeStart) {
            put!(out, reminder);
        }
        if let Some(out) = object.field(F::ICalUId) {
            put_uid(out, &ical_uid(number), day);
        }
        if let Some(out) = object.field(F::Body) {
            let (kind, content) = if body == BodyType::Text { ("text", text) } else { ("html", html) };
            put!(out, r#"{"contentType":""#, kind, r#"","content":""#, content, "\"}");
        }
        if let Some(out) = object.field(F::Location) {
            put_location(out, located.then_some((place, location)));
        }
        if let Some(out) = object.field(F::Locations) {
            out.push(b'[');
            if located {
                put_location(out, Some((place, location)));
            }
            out.push(b']');
        }
        if let Some(out) = object.field(F::OnlineMeeting) {
            if online { put_meeting(out, number) } else { put!(out, "null") }
        }
        if let Some(out) = object.field(F::ResponseStatus) {
            put!(out, r#"{"response":""#, own_answer, r#"","time":"0001-01-01T00:00:00Z"}"#);
        }
        if let Some(out) = object.field(F::Organizer) {
            put!(out, r#"{"emailAddress":"#);
            match host {
                Some(host) => put_person(out, host),
                None => put!(out, self.own),
            }
            out.push(b'}');
        }
        if let Some(out) = object.field(F::Attendees) {
            self.put_attendees(out, &mut draw, host.is_some(), guests, own_answer);
        }
    }

    fn put_attendees(
        &self,
        out: &mut Vec<u8>,
        draw: &mut Draw,
        invited: bool,
        guests: usize,
        own_answer: &str,
    ) {
        out.push(b'[');
        if invited {
            put!(out, r#"{"type":"required","status":{"response":""#, own_answer);
            put!(out, r#"","time":"0001-01-01T00:00:00Z"},"emailAddress":"#, self.own, "}");
        }
        // Neighbours in the list are different people.
        let first = draw.below(12) as usize;
        for guest in 0..guests {
            put!(out, if guest > 0 || invited { "," } else { "" });
            let kind = *draw.pick(&["required", "required", "required", "optional", "resource"]);
            put!(out, r#"{"type":""#, kind, r#"","status":{"response":""#, *draw.pick(RESPONSES));
            put!(out, r#"","time":"2026-01-15T10:00:00Z"},"emailAddress":"#);
            put_person(out, first + guest);
            out.push(b'}');
        }
        out.push(b']');
    }
}

fn put_person(out: &mut Vec<u8>, number: usize) {
    let (name, address) = PEOPLE[number % PEOPLE.len()];
    put!(out, r#"{"name":""#, name, r#"","address":""#, address, "\"}");
}

fn put_location(out: &mut Vec<u8>, location: Option<(&str, &str)>) {
    match location {
        Some((place, rest)) => put!(out, r#"{"displayName":""#, place, "\",", rest, "}"),
        None => put!(
            out,
            r#"{"displayName":"","locationType":"default","uniqueIdType":"unknown","address":{},"coordinates":{}}"#
        ),
    }
}

fn put_meeting(out: &mut Vec<u8>, number: u64) {
    put!(out, r#"{"joinUrl":"https://teams.microsoft.com/l/meetup-join/19%3ameeting_"#);
    put_number(out, number, 20);
    put!(
        out,
        r#"%40thread.v2/0?context=%7b%22Tid%22%3a%2272f988bf-86f1-41af-91ab-2d7cd011db47%22%7d","conferenceId":""#
    );
    put_number(out, number % 1_000_000_000, 9);
    put!(out, r#"","tollNumber":"+1 323-555-0166","quickDial":"tel:+13235550166,,"#);
    put_number(out, number % 1_000_000_000, 9);
    put!(out, "#\"}");
}

/// The account as Graph names a person.
pub(super) fn person(name: &str, address: &str) -> Value {
    json!({"name": name, "address": address})
}
