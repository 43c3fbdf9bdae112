//! Every field that Graph has for an event, and where it goes.

use bytes::Bytes;
use integrations_core::model::{Change, Entity, Raw};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_msgraph::{GraphConfig, OutlookCalendar};
use serde_json::{Value, json};

fn change(wire: &Value) -> Change {
    let adapter = OutlookCalendar::new(GraphConfig::builder().public_client("id").build().unwrap()).unwrap();
    let stream = StreamKey {
        owner: "ada".into(),
        service: adapter.info().id.clone(),
        connection: "cn_1".into(),
        stream: "AQMkCalendar=".into(),
    };
    let mut page = PageContext::default();
    page.time_zone = Some(chrono_tz::Europe::Berlin);
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

fn utc(time: &str) -> Value {
    json!({"dateTime": format!("{time}.0000000"), "timeZone": "UTC"})
}

#[test]
fn a_series_with_everything() {
    let mut series = json!({
        "@odata.etag": "W/\"ZlnW4RIAV06KYYwlrfNZvQAAKGWwbw==\"",
        "id": "AAMkSeries=",
        "createdDateTime": "2026-01-05T08:00:00.1234567Z",
        "lastModifiedDateTime": "2026-02-10T15:31:32.3561234Z",
        "changeKey": "ZlnW4RIAV06KYYwlrfNZvQAAKGWwbw==",
        "categories": ["Red category"],
        "originalStartTimeZone": "Eastern Standard Time",
        "originalEndTimeZone": "Pacific Standard Time",
        "iCalUId": "040000008200E00074C5B7101A82E008",
        "reminderMinutesBeforeStart": 30,
        "isReminderOn": true,
        "hasAttachments": false,
        "subject": "Review 📈",
        "bodyPreview": "Bring figures",
        "importance": "high",
        "sensitivity": "confidential",
        "isAllDay": false,
        "isCancelled": false,
        "isOrganizer": true,
        "responseRequested": true,
        "seriesMasterId": null,
        "showAs": "tentative",
        "type": "seriesMaster",
        "webLink": "https://outlook.office365.com/owa/?itemid=AAMkSeries%3D",
        "onlineMeetingUrl": null,
        "isOnlineMeeting": true,
        "onlineMeetingProvider": "teamsForBusiness",
        "hideAttendees": false,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {"contentType": "html", "content": "<html><body><b>Bring</b> figures</body></html>"},
        "start": utc("2026-03-03T15:00:00"),
        "end": utc("2026-03-03T16:30:00"),
        "location": {"displayName": "Room 4", "locationType": "default"},
        "locations": [{"displayName": "Room 4"}],
    });
    let more = [
        json!({
        "recurrence": {
            "pattern": {"type": "relativeMonthly", "interval": 2, "month": 0, "dayOfMonth": 0,
                "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday", "index": "first"},
            "range": {"type": "endDate", "startDate": "2026-03-03", "endDate": "2026-12-31",
                "recurrenceTimeZone": "Eastern Standard Time", "numberOfOccurrences": 0},
        },
        "cancelledOccurrences": ["OID.AAMkSeries=.2026-07-07"],
        "exceptionOccurrences": [
            {"id": "AAMkMoved", "isAllDay": false, "originalStart": "2026-05-05T14:00:00Z"},
            {"id": "AAMkDay", "isAllDay": true, "originalStart": "2026-09-01T14:00:00Z",
                "originalStartTimeZone": "Eastern Standard Time"},
        ],
        }),
        json!({
        "attendees": [
            {"type": "required", "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
                "emailAddress": {"name": "Ada Lovelace", "address": "Ada@example.com"}},
            {"type": "optional", "status": {"response": "declined"},
                "emailAddress": {"name": "Eve", "address": "eve@example.com"}},
            {"type": "resource", "status": {"response": "tentativelyAccepted"},
                "emailAddress": {"name": "Room 4", "address": "room4@example.com"}},
            {"type": "required", "status": {"response": "nobody-knows-this-word"}, "emailAddress": {}},
        ],
        "organizer": {"emailAddress": {"name": "Ada Lovelace", "address": "ada@example.com"}},
        "onlineMeeting": {
            "joinUrl": "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0",
            "conferenceId": "291633251",
            "tollNumber": "+1 323-555-0166",
            "tollFreeNumbers": ["+1 866-555-0100"],
            "phones": [{"number": "+1 323-555-0166", "type": "business"}],
            "quickDial": "+1 323-555-0166,,291633251#",
        },
        }),
    ];
    for more in more {
        series.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    snapshot!(upsert(&series));
}

#[test]
fn an_event_with_nothing_but_its_days() {
    snapshot!(upsert(&json!({
        "id": "AAMkHoliday=",
        "subject": "",
        "isAllDay": true,
        "showAs": "oof",
        "sensitivity": "personal",
        "isReminderOn": false,
        "reminderMinutesBeforeStart": 900,
        "originalStartTimeZone": "tzone://Microsoft/Custom",
        "isOrganizer": false,
        "hideAttendees": true,
        "responseStatus": {"response": "tentativelyAccepted"},
        "start": utc("2026-03-05T00:00:00"),
        "end": utc("2026-03-07T00:00:00"),
        "onlineMeetingUrl": "https://meet.lync.com/contoso/ada/X",
        "onlineMeetingProvider": "unknown",
        "body": {"contentType": "html", "content": ""},
        "location": {"displayName": ""},
        "locations": [{"displayName": "A"}, {"displayName": ""}, {"displayName": "B"}],
        "createdDateTime": "0001-01-01T00:00:00Z",
    })));
}

#[test]
fn a_moved_occurrence_keeps_its_identity() {
    snapshot!(upsert(&json!({
        "id": "AAMkMoved=",
        "type": "exception",
        "seriesMasterId": "AAMkSeries=",
        "originalStart": "2026-03-06T08:30:00Z",
        "originalStartTimeZone": "W. Europe Standard Time",
        "originalEndTimeZone": "W. Europe Standard Time",
        "isCancelled": true,
        "showAs": "workingElsewhere",
        "start": utc("2026-03-06T10:00:00"),
        "end": utc("2026-03-06T10:15:00"),
        "changeKey": "without an etag",
    })));
}

#[test]
fn what_is_removed_is_a_deletion() {
    let removed =
        json!({"@odata.type": "#microsoft.graph.event", "id": "x", "@removed": {"reason": "deleted"}});
    assert_eq!(change(&removed), Change::Delete { id: "x".into() });
}

#[test]
fn words_go_where_the_model_has_them_and_others_are_kept() {
    let of = |field: &str, word: &str| {
        let event = upsert(&json!({"id": "x", "start": utc("2026-03-06T10:00:00"), field: word}));
        let entity = &event["entity"];
        [&entity["kind"], &entity["transparency"], &entity["visibility"], &entity["status"]]
            .map(|value| value.as_str().unwrap().to_owned())
            .join(" ")
    };
    for (field, word, expected) in [
        ("showAs", "busy", "default busy default confirmed"),
        ("showAs", "free", "default free default confirmed"),
        ("showAs", "tentative", "default busy default tentative"),
        ("showAs", "oof", "out_of_office busy default confirmed"),
        ("showAs", "workingElsewhere", "working_location free default confirmed"),
        ("showAs", "unknown", "default busy default confirmed"),
        ("showAs", "asleep", "default asleep default confirmed"),
        ("sensitivity", "normal", "default busy default confirmed"),
        ("sensitivity", "personal", "default busy private confirmed"),
        ("sensitivity", "private", "default busy private confirmed"),
        ("sensitivity", "confidential", "default busy confidential confirmed"),
        ("sensitivity", "secret", "default busy secret confirmed"),
        ("type", "somethingNew", "default busy default confirmed"),
    ] {
        assert_eq!(of(field, word), expected, "{field} {word}");
    }
}

#[test]
fn a_local_time_is_an_instant_in_the_zone_that_is_said() {
    for (time, zone, instant) in [
        ("2026-03-02T09:00:00.0000000", "UTC", "2026-03-02T10:00:00+01:00"),
        ("2026-03-02T09:00:00", "Pacific Standard Time", "2026-03-02T18:00:00+01:00"),
        ("2026-03-29T02:30:00", "W. Europe Standard Time", "2026-03-29T03:30:00+02:00"),
        ("2026-03-02T09:00:00Z", "Pacific Standard Time", "2026-03-02T10:00:00+01:00"),
    ] {
        let wire = json!({
            "id": "x", "start": {"dateTime": time, "timeZone": zone}, "originalStartTimeZone": "Europe/Berlin",
        });
        assert_eq!(upsert(&wire)["entity"]["start"], json!({"date_time": instant, "zone": "Europe/Berlin"}));
    }
}
