//! What does Exchange fill in, keep and refuse in an event that the test writes?

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::timing::{Timing, day_of_number};
use crate::msgraph::errors::Refusal;
use crate::msgraph::fields::fields;
use crate::msgraph::text::{moment, preview, put_local};
use crate::patch::merge;
use crate::random::mix;

fields! {
    /// The properties of an event.
    EventField of "microsoft.graph.event" without [CancelledOccurrences] {
        AllowNewTimeProposals = "allowNewTimeProposals",
        Attendees = "attendees",
        Body = "body",
        BodyPreview = "bodyPreview",
        CancelledOccurrences = "cancelledOccurrences",
        Categories = "categories",
        ChangeKey = "changeKey",
        CreatedDateTime = "createdDateTime",
        End = "end",
        HasAttachments = "hasAttachments",
        HideAttendees = "hideAttendees",
        ICalUId = "iCalUId",
        Importance = "importance",
        IsAllDay = "isAllDay",
        IsCancelled = "isCancelled",
        IsDraft = "isDraft",
        IsOnlineMeeting = "isOnlineMeeting",
        IsOrganizer = "isOrganizer",
        IsReminderOn = "isReminderOn",
        LastModifiedDateTime = "lastModifiedDateTime",
        Location = "location",
        Locations = "locations",
        OnlineMeeting = "onlineMeeting",
        OnlineMeetingProvider = "onlineMeetingProvider",
        OnlineMeetingUrl = "onlineMeetingUrl",
        Organizer = "organizer",
        OriginalEndTimeZone = "originalEndTimeZone",
        OriginalStart = "originalStart",
        OriginalStartTimeZone = "originalStartTimeZone",
        Recurrence = "recurrence",
        ReminderMinutesBeforeStart = "reminderMinutesBeforeStart",
        ResponseRequested = "responseRequested",
        ResponseStatus = "responseStatus",
        Sensitivity = "sensitivity",
        SeriesMasterId = "seriesMasterId",
        ShowAs = "showAs",
        Start = "start",
        Subject = "subject",
        TransactionId = "transactionId",
        Type = "type",
        WebLink = "webLink",
    }
}

/// What the server says of an event, whatever a test writes.
const COMPUTED: [&str; 10] = [
    "@odata.etag",
    "@odata.type",
    "changeKey",
    "createdDateTime",
    "id",
    "lastModifiedDateTime",
    "originalStart",
    "seriesMasterId",
    "type",
    "webLink",
];

/// What stands in the [`Timing`].
const TIMED: [&str; 5] = ["end", "originalEndTimeZone", "originalStartTimeZone", "recurrence", "start"];

/// What a calendar holds.
#[derive(Debug)]
pub(super) enum Item {
    Event(Box<Event>),
    /// Text of the test, served as it is.
    Raw(String),
}

/// An event that the test wrote or touched.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Everything but what is computed and what is in the timing.
    pub(super) fields: Map<String, Value>,
    pub(super) timing: Timing,
    /// Milliseconds.
    pub(super) created: i64,
    /// By the day on which they were to take place.
    pub(super) exceptions: BTreeMap<u32, Exception>,
    pub(super) cancelled: BTreeSet<u32>,
    /// Text of the test that is served in its place.
    pub(super) garbled: Option<String>,
}

/// An occurrence that is not like its series.
#[derive(Debug, Clone)]
pub(super) struct Exception {
    /// What differs.
    pub(super) fields: Map<String, Value>,
    pub(super) timing: Timing,
}

impl Event {
    /// Adds the fields that the server assigns, where they are missing.
    pub(super) fn fill(
        mut event: Map<String, Value>,
        organizer: &Value,
        number: u64,
        now: i64,
    ) -> Result<Self, Refusal> {
        let created = event.get("createdDateTime").and_then(Value::as_str);
        let created = created.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let created = created.map_or(now, |time| time.timestamp_millis());
        event.retain(|name, _| !COMPUTED.contains(&name.as_str()));
        let hour = now - now.rem_euclid(3_600_000) + 3_600_000;
        let at = |ms: i64| json!({"dateTime": written(ms), "timeZone": "UTC"});
        let defaults = json!({
            "allowNewTimeProposals": true,
            "attendees": [],
            "body": {"contentType": "html", "content": ""},
            "categories": [],
            "end": at(hour + 3_600_000),
            "hasAttachments": false,
            "hideAttendees": false,
            "iCalUId": ical_uid(number),
            "importance": "normal",
            "isAllDay": false,
            "isCancelled": false,
            "isDraft": false,
            "isOnlineMeeting": false,
            "isOrganizer": true,
            "isReminderOn": true,
            "onlineMeeting": null,
            "onlineMeetingProvider": "unknown",
            "onlineMeetingUrl": null,
            "organizer": {"emailAddress": organizer},
            "recurrence": null,
            "reminderMinutesBeforeStart": 15,
            "responseRequested": true,
            "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
            "sensitivity": "normal",
            "showAs": "busy",
            "start": at(hour),
            "subject": "",
            "transactionId": null,
        });
        places(&mut event);
        meeting(&mut event, number);
        if let Value::Object(defaults) = defaults {
            for (field, value) in defaults {
                event.entry(field).or_insert(value);
            }
        }
        show_beginning(&mut event);
        Self::of(event, created)
    }

    /// Takes what is in the timing out of an event that has all fields.
    pub(super) fn of(mut event: Map<String, Value>, created: i64) -> Result<Self, Refusal> {
        let timing = Timing::read(&event)?;
        event.retain(|name, _| !TIMED.contains(&name.as_str()));
        let (exceptions, cancelled) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { fields: event, timing, created, exceptions, cancelled, garbled: None })
    }

    /// The event as a test would write it, to be patched.
    fn written(&self) -> Map<String, Value> {
        let mut event = self.fields.clone();
        put_times(&mut event, &self.timing);
        if let Some(rule) = &self.timing.rule {
            let mut text = Vec::new();
            rule.put(&mut text, self.timing.zone.name());
            event.insert("recurrence".to_owned(), serde_json::from_slice(&text).unwrap_or_default());
        }
        event
    }

    /// Merges a patch into the event. Another recurrence, or none, ends every exception, as in Outlook.
    pub(super) fn patch(&mut self, patch: Map<String, Value>, number: u64, now: i64) -> Result<(), Refusal> {
        let mut event = self.written();
        let organizer = event["organizer"]["emailAddress"].clone();
        apply(&mut event, patch);
        let patched = Self::fill(event, &organizer, number, now)?;
        if patched.timing.rule == self.timing.rule {
            self.fields = patched.fields;
            self.timing = patched.timing;
        } else {
            *self = Self { created: self.created, ..patched };
        }
        Ok(())
    }

    /// Changes one occurrence.
    pub(super) fn except(&mut self, day: u32, patch: Map<String, Value>) -> Result<(), Refusal> {
        let date = day_of_number(day).ok_or_else(Refusal::not_found)?;
        let before = self.exceptions.get(&day);
        let (mut fields, timing) = match before {
            Some(exception) => (exception.fields.clone(), exception.timing.clone()),
            None => (Map::new(), Timing { rule: None, span: self.timing.on(date), ..self.timing.clone() }),
        };
        let mut whole = self.fields.clone();
        whole.extend(fields.clone());
        put_times(&mut whole, &timing);
        let known: Vec<String> = patch.keys().cloned().collect();
        apply(&mut whole, patch);
        whole.remove("recurrence");
        places(&mut whole);
        show_beginning(&mut whole);
        let timing = Timing::read(&whole)?;
        // What follows from what was changed differs too.
        let follows = [("body", "bodyPreview"), ("location", "locations"), ("locations", "location")];
        for name in known.iter().map(String::as_str) {
            let also = follows.iter().filter(|(from, _)| *from == name).map(|(_, to)| *to);
            for name in also.chain([name]).filter(|name| !TIMED.contains(name) && !COMPUTED.contains(name)) {
                fields.insert(name.to_owned(), whole.get(name).cloned().unwrap_or_default());
            }
        }
        self.exceptions.insert(day, Exception { fields, timing });
        self.cancelled.remove(&day);
        Ok(())
    }
}

/// Graph replaces a recurrence whole, and a place by all that is said of it; everything else is merged.
fn apply(event: &mut Map<String, Value>, patch: Map<String, Value>) {
    let body = patch.contains_key("body") && !patch.contains_key("bodyPreview");
    let stale = [
        ("recurrence", patch.contains_key("recurrence")),
        ("location", patch.contains_key("location") || patch.contains_key("locations")),
        ("locations", patch.contains_key("location") || patch.contains_key("locations")),
        ("bodyPreview", body),
        ("originalStartTimeZone", patch.contains_key("start")),
        ("originalEndTimeZone", patch.contains_key("end")),
    ];
    for (name, _) in stale.iter().filter(|(_, stale)| *stale) {
        event.remove(*name);
    }
    let mut whole = Value::Object(std::mem::take(event));
    merge(&mut whole, Value::Object(patch));
    if let Value::Object(whole) = whole {
        *event = whole;
    }
}

fn put_times(event: &mut Map<String, Value>, timing: &Timing) {
    let name = timing.zone.name();
    let names = ["originalStartTimeZone", "originalEndTimeZone"];
    for ((field, time), (original, zone)) in [("start", timing.span.start), ("end", timing.span.end)]
        .into_iter()
        .zip(names.iter().zip(&timing.zone_names))
    {
        let mut text = Vec::new();
        put_local(&mut text, time);
        let text = String::from_utf8_lossy(&text).into_owned();
        event.insert(field.to_owned(), json!({"dateTime": text, "timeZone": name}));
        event.insert((*original).to_owned(), json!(zone));
    }
}

/// `location` and `locations` say the same.
fn places(event: &mut Map<String, Value>) {
    let nowhere = json!({"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}});
    match (event.get("location").cloned(), event.get("locations").cloned()) {
        (Some(_), Some(_)) => {}
        (Some(mut location), None) => {
            let place = Value::as_object_mut(&mut location);
            if let Some(place) = place {
                place.entry("locationType").or_insert(json!("default"));
                place.entry("uniqueIdType").or_insert(json!("private"));
            }
            let named = location["displayName"].as_str().is_some_and(|name| !name.is_empty());
            event.insert("locations".to_owned(), if named { json!([location]) } else { json!([]) });
            event.insert("location".to_owned(), location);
        }
        (None, Some(locations)) => {
            let names: Vec<&str> = locations
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|l| l["displayName"].as_str())
                .collect();
            let name = names.join("; ");
            let location = match locations.as_array().map(Vec::as_slice) {
                Some([only]) => only.clone(),
                _ => {
                    json!({"displayName": name, "locationType": "default", "uniqueId": name, "uniqueIdType": "private"})
                }
            };
            event.insert("location".to_owned(), location);
        }
        (None, None) => {
            event.insert("location".to_owned(), nowhere);
            event.insert("locations".to_owned(), json!([]));
        }
    }
}

/// An online meeting is one of Teams, with its address, unless the test says otherwise.
fn meeting(event: &mut Map<String, Value>, number: u64) {
    if event.get("isOnlineMeeting") != Some(&json!(true)) {
        return;
    }
    event.entry("onlineMeetingProvider").or_insert(json!("teamsForBusiness"));
    if event["onlineMeetingProvider"] == "unknown" {
        event.insert("onlineMeetingProvider".to_owned(), json!("teamsForBusiness"));
    }
    if event.get("onlineMeeting").is_none_or(Value::is_null) {
        event.insert("onlineMeeting".to_owned(), teams(number));
    }
}

/// The meeting of Teams that an event is held in.
fn teams(number: u64) -> Value {
    let thread = mix(number ^ 0x7465_616d);
    let conference = thread % 1_000_000_000;
    json!({
        "joinUrl": format!("https://teams.microsoft.com/l/meetup-join/19%3ameeting_{thread:016x}%40thread.v2/0?context=%7b%22Tid%22%3a%22{0}%22%2c%22Oid%22%3a%22{0}%22%7d", "72f988bf-86f1-41af-91ab-2d7cd011db47"),
        "conferenceId": format!("{conference:09}"),
        "tollNumber": "+1 323-555-0166",
    })
}

fn show_beginning(event: &mut Map<String, Value>) {
    if event.contains_key("bodyPreview") {
        return;
    }
    let body = event.get("body").unwrap_or(&Value::Null);
    let is_html = body["contentType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
    let shown = preview(body["content"].as_str().unwrap_or_default(), is_html);
    event.insert("bodyPreview".to_owned(), json!(shown));
}

/// The global id of a meeting, with room for the day of an occurrence.
pub(super) fn ical_uid(number: u64) -> String {
    let (high, low) = (mix(number ^ 0x7569_6431), mix(number ^ 0x7569_6432));
    format!(
        "040000008200E00074C5B7101A82E00800000000{high:016X}000000000000000010000000{low:016X}{high:016X}"
    )
}

fn written(ms: i64) -> String {
    let mut text = Vec::new();
    put_local(&mut text, moment(ms));
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn event(value: Value) -> Event {
        Event::fill(object(value), &json!({"name": "Ada", "address": "ada@example.com"}), 1, 0).unwrap()
    }

    #[test]
    fn a_patch_keeps_what_it_does_not_name_and_replaces_a_recurrence_whole() {
        let at = |text: &str| json!({"dateTime": text, "timeZone": "Europe/Berlin"});
        let weekly = json!({
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
            "range": {"type": "noEnd", "startDate": "2026-03-02"},
        });
        let mut series = event(json!({
            "subject": "Standup", "start": at("2026-03-02T09:00:00"), "end": at("2026-03-02T09:15:00"),
            "recurrence": weekly, "body": {"contentType": "html", "content": "<p>Hello</p>"},
        }));
        assert_eq!(series.fields["bodyPreview"], "Hello");
        series
            .except(
                super::super::timing::day_number("2026-03-09".parse().unwrap()),
                object(json!({"subject": "Late"})),
            )
            .unwrap();
        series.patch(object(json!({"showAs": "free"})), 1, 5).unwrap();
        assert_eq!((series.exceptions.len(), &series.fields["showAs"]), (1, &json!("free")));
        assert_eq!(series.timing.zone_names[0], "Europe/Berlin");

        let daily = json!({
            "pattern": {"type": "daily", "interval": 1},
            "range": {"type": "noEnd", "startDate": "2026-03-02"},
        });
        series.patch(object(json!({"recurrence": daily})), 1, 6).unwrap();
        assert!(series.exceptions.is_empty());
        series.patch(object(json!({"recurrence": null})), 1, 7).unwrap();
        assert_eq!((&series.timing.rule, &series.fields["subject"]), (&None, &json!("Standup")));
    }

    #[test]
    fn places_follow_each_other() {
        let mut one = event(json!({"location": {"displayName": "Room 1"}}));
        assert_eq!(one.fields["locations"][0]["displayName"], "Room 1");
        one.patch(object(json!({"location": {"displayName": "Room 2"}})), 1, 0).unwrap();
        assert_eq!(one.fields["locations"], json!([one.fields["location"]]));
        let two = event(json!({"locations": [{"displayName": "A"}, {"displayName": "B"}]}));
        assert_eq!(two.fields["location"]["displayName"], "A; B");
        assert_eq!(event(json!({})).fields["locations"], json!([]));
    }

    #[test]
    fn an_online_meeting_has_its_address() {
        let meeting = event(json!({"isOnlineMeeting": true}));
        assert_eq!(meeting.fields["onlineMeetingProvider"], "teamsForBusiness");
        assert!(meeting.fields["onlineMeeting"]["joinUrl"].as_str().unwrap().contains("meetup-join"));
    }
}
