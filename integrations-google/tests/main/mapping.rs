//! Every field that Google has for an event, and where it goes.

use bytes::Bytes;
use integrations_core::model::{Change, Entity, Raw, Reminder, ReminderMethod};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_google::{GoogleCalendar, GoogleConfig};
use serde_json::{Value, json};

fn change(wire: &Value) -> Change {
    let adapter = GoogleCalendar::new(GoogleConfig::builder().client("id", "secret").build().unwrap());
    let stream = StreamKey {
        owner: "ada".into(),
        service: adapter.info().id.clone(),
        connection: "cn_1".into(),
        stream: "ada@example.com".into(),
    };
    let mut page = PageContext::default();
    page.time_zone = Some(chrono_tz::Europe::Berlin);
    page.default_reminders = vec![Reminder { method: ReminderMethod::Popup, minutes_before: 10 }];
    let raw = Raw::new(Bytes::from(wire.to_string()));
    let mut done = Stages::new(adapter.normalizer()).run(std::slice::from_ref(&raw), &stream, &page);
    assert_eq!(done.quarantined, []);
    let change = done.changes.remove(0);
    if let Change::Upsert(record) = &change {
        assert_eq!(record.raw, raw);
        // What a store keeps comes back as it was.
        let stored = serde_json::to_string(&record.entity).unwrap();
        assert_eq!(serde_json::from_str::<Entity>(&stored).unwrap(), record.entity);
    }
    change
}

fn upsert(wire: &Value) -> Value {
    match change(wire) {
        Change::Upsert(record) => json!({"entity": record.entity, "source": record.source}),
        Change::Delete { id } => panic!("{id} is deleted"),
    }
}

/// Without the expression, which only repeats the test.
macro_rules! snapshot {
    ($value:expr) => {
        insta::with_settings!({omit_expression => true}, { insta::assert_json_snapshot!($value) })
    };
}

#[test]
fn an_event_with_everything() {
    snapshot!(upsert(&json!({
        "kind": "calendar#event",
        "etag": "\"3181161784712000\"",
        "id": "review",
        "status": "tentative",
        "htmlLink": "https://www.google.com/calendar/event?eid=cmV2aWV3",
        "created": "2026-01-05T08:00:00.000Z",
        "updated": "2026-02-10T15:31:32.356Z",
        "summary": "Review 📈",
        "description": "<b>Bring</b> figures",
        "location": "Room 4",
        "colorId": "7",
        "creator": {"email": "bob@example.com", "displayName": "Bob"},
        "organizer": {"email": "ada@example.com", "self": true},
        "start": {"dateTime": "2026-03-03T16:00:00+01:00", "timeZone": "America/New_York"},
        "end": {"dateTime": "2026-03-03T17:30:00+01:00", "timeZone": "America/New_York"},
        "recurrence": [
            "RRULE:FREQ=MONTHLY;BYDAY=1TU",
            "EXDATE;TZID=America/New_York:20260407T100000",
            "RDATE;VALUE=DATE:20260501",
        ],
        "transparency": "transparent",
        "visibility": "confidential",
        "iCalUID": "review@google.com",
        "sequence": 3,
        "attendees": [
            {"email": "ada@example.com", "organizer": true, "self": true, "responseStatus": "accepted"},
            {"email": "eve@example.com", "displayName": "Eve", "optional": true, "responseStatus": "declined",
             "comment": "On leave", "additionalGuests": 2},
            {"email": "room4@resource.example.com", "resource": true, "responseStatus": "needsAction"},
        ],
        "attendeesOmitted": true,
        "reminders": {"useDefault": false, "overrides": [{"method": "email", "minutes": 1440}]},
        "conferenceData": {
            "conferenceId": "abc-defg-hij",
            "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
            "entryPoints": [
                {"entryPointType": "video", "uri": "https://meet.google.com/abc-defg-hij", "label": "meet.google.com/abc-defg-hij"},
                {"entryPointType": "phone", "uri": "tel:+1-555-0100", "pin": "123456"},
            ],
            "notes": "Doors open early",
        },
        "attachments": [
            {"fileUrl": "https://docs.google.com/document/d/1", "title": "Agenda", "mimeType": "text/plain", "fileId": "1"},
        ],
        "eventType": "default",
    })));
}

#[test]
fn an_event_with_nothing_but_its_days_follows_its_calendar() {
    snapshot!(upsert(&json!({
        "id": "holidays",
        "start": {"date": "2026-03-05"},
        "end": {"date": "2026-03-07"},
        "eventType": "outOfOffice",
        "hangoutLink": "https://meet.google.com/old",
        "htmlLink": "not an address",
    })));
}

#[test]
fn a_moved_occurrence_keeps_its_identity() {
    snapshot!(upsert(&json!({
        "id": "standup_20260306T083000Z",
        "status": "confirmed",
        "recurringEventId": "standup",
        "originalStartTime": {"dateTime": "2026-03-06T09:30:00+01:00", "timeZone": "Europe/Berlin"},
        "start": {"dateTime": "2026-03-06T11:00:00+01:00"},
        "end": {"dateTime": "2026-03-06T11:15:00+01:00"},
        "endTimeUnspecified": true,
    })));
}

#[test]
fn a_cancelled_occurrence_is_an_event_and_a_cancelled_event_a_deletion() {
    let original = json!({"date": "2026-03-06"});
    let occurrence = json!({
        "id": "fast_20260306", "status": "cancelled", "recurringEventId": "fast", "originalStartTime": original,
    });
    snapshot!(upsert(&occurrence));
    let event = json!({"id": "fast", "status": "cancelled"});
    assert_eq!(change(&event), Change::Delete { id: "fast".into() });
}

#[test]
fn a_local_time_that_clocks_skip_or_repeat_is_an_instant_all_the_same() {
    for (local, instant) in [
        // 29 March 2026, 02:30 does not exist in Berlin: the offset before the gap counts.
        ("2026-03-29T02:30:00", "2026-03-29T03:30:00+02:00"),
        // 25 October 2026, 02:30 comes twice: the first one counts.
        ("2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00"),
    ] {
        let event = upsert(&json!({"id": "x", "start": {"dateTime": local}, "end": {"dateTime": local}}));
        assert_eq!(event["entity"]["start"]["date_time"], instant);
    }
}
