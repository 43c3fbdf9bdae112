//! What if an answer is not what it should be?

use bytes::Bytes;
use integrations_core::model::{Change, Raw};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::{StreamKey, SyncReport};
use integrations_core::{Error, ErrorKind};
use integrations_msgraph::{GraphConfig, OutlookCalendar};
use integrations_testkit::Fault;
use serde_json::{Value, json};

use super::{Host, NAME, at, event, weekly};

/// What becomes of one item: its id, or the id that could be read, with the path and the reason.
fn read(item: &str) -> Result<Change, (Option<String>, String)> {
    let adapter = OutlookCalendar::new(GraphConfig::builder().public_client("id").build().unwrap()).unwrap();
    let stream = StreamKey {
        owner: "ada".into(),
        service: adapter.info().id.clone(),
        connection: "cn_1".into(),
        stream: "c".into(),
    };
    let raw = Raw::new(Bytes::copy_from_slice(item.as_bytes()));
    let mut done = Stages::new(adapter.normalizer()).run(&[raw], &stream, &PageContext::default());
    match done.quarantined.pop() {
        Some(item) => Err((item.id, format!("{}: {}", item.path, item.reason))),
        None => Ok(done.changes.remove(0)),
    }
}

#[test]
fn an_item_that_is_no_event_says_where_and_why() {
    let whole = || {
        json!({
            "id": "1", "subject": "s3cret", "start": at("2026-03-02T09:00:00.0000000", "UTC"),
            "end": at("2026-03-02T10:00:00.0000000", "UTC"),
        })
    };
    let with = |name: &str, value: Value| {
        let mut event = whole();
        event[name] = value;
        event.to_string()
    };
    assert!(read(&whole().to_string()).is_ok());
    let one = || Some("1".to_owned());
    for (item, id, why) in [
        ("7".to_owned(), None, "$: expected struct WireEvent"),
        ("{".to_owned(), None, "$: not JSON"),
        (json!({"start": {}}).to_string(), None, "$.start: missing field `dateTime`"),
        (with("id", json!("")), Some(String::new()), "$.id: the id is empty"),
        (with("start", json!(null)), one(), "$.start: missing"),
        (
            with("start", at("tomorrow", "UTC")),
            one(),
            "$.start.dateTime: expected a local time such as 2026-03-01T09:00:00",
        ),
        (
            with("start", at("2026-03-02T09:00:00", "Nowhere")),
            one(),
            "$.start.timeZone: a local time in a zone that is not known",
        ),
        (with("end", at("2026-03-02T08:00:00", "UTC")), one(), "$.end: the end lies before the start"),
        (with("isAllDay", json!("yes")), one(), "$.isAllDay: expected a boolean"),
        (with("attendees", json!([{}, 7])), one(), "$.attendees[1]: expected struct WireAttendee"),
        (with("createdDateTime", json!("yesterday")), one(), "$.createdDateTime: expected an RFC 3339 time"),
        (
            with("cancelledOccurrences", json!(["OID.1.monday"])),
            one(),
            "$.cancelledOccurrences[0]: expected the id of an occurrence with its day",
        ),
        (with("recurrence", json!({})), one(), "$.recurrence: missing field `pattern`"),
    ] {
        assert_eq!(read(&item), Err((id, why.to_owned())), "{item}");
    }
}

#[test]
fn null_is_no_error_wherever_it_stands() {
    let names = [
        "@odata.etag",
        "changeKey",
        "iCalUId",
        "seriesMasterId",
        "originalStart",
        "originalStartTimeZone",
        "originalEndTimeZone",
        "end",
        "isAllDay",
        "recurrence",
        "cancelledOccurrences",
        "exceptionOccurrences",
        "subject",
        "body",
        "location",
        "locations",
        "isCancelled",
        "isOrganizer",
        "organizer",
        "attendees",
        "hideAttendees",
        "responseStatus",
        "showAs",
        "sensitivity",
        "isReminderOn",
        "reminderMinutesBeforeStart",
        "onlineMeeting",
        "onlineMeetingProvider",
        "onlineMeetingUrl",
        "webLink",
        "createdDateTime",
        "lastModifiedDateTime",
        "@removed",
        "error",
    ];
    let mut event = json!({"id": "1", "start": at("2026-03-02T09:00:00.0000000", "UTC")});
    for name in names {
        event[name] = json!(null);
    }
    assert!(matches!(read(&event.to_string()), Ok(Change::Upsert(_))));
    for inner in [
        json!({"body": {"content": null}, "location": {"displayName": null}, "locations": [{}]}),
        json!({"organizer": {"emailAddress": null}, "attendees": [{"type": null, "status": null, "emailAddress": {}}]}),
        json!({"onlineMeeting": {"joinUrl": null, "phones": [{"number": null}], "tollFreeNumbers": null}}),
        json!({"recurrence": {"pattern": {"type": null, "daysOfWeek": null}, "range": null}}),
        json!({"recurrence": {"pattern": {}, "range": {"type": null, "endDate": null}}}),
    ] {
        let mut event = json!({"id": "1", "start": at("2026-03-02T09:00:00.0000000", "UTC")});
        event.as_object_mut().unwrap().extend(inner.as_object().unwrap().clone());
        assert!(matches!(read(&event.to_string()), Ok(Change::Upsert(_))), "{event}");
    }
}

#[tokio::test]
async fn a_bad_item_in_a_round_harms_itself_alone() {
    let host = Host::new().await;
    let good = host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
    let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
    for odd in
        ["7", "[]", r#"{"id":5}"#, r#"{"subject":"no id"}"#, r#"{"id":"odd","start":{"dateTime":"x"}}"#]
    {
        host.fake.raw_event(NAME, odd);
    }
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (2, 5));
    let mut known = [good, series];
    known.sort();
    assert_eq!(host.ids(), known);
    let ids: Vec<_> = host.store.quarantined(&host.key()).into_iter().filter_map(|item| item.id).collect();
    assert_eq!(ids, ["odd"]);
}

async fn failure(host: &Host) -> Error {
    host.gateway.sync(&host.connection.id).await.and_then(SyncReport::into_result).unwrap_err()
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_no_empty_page() {
    let host = Host::new().await;
    host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
    host.sync().await;
    let foreign = r#"{"value":[],"@odata.nextLink":"https://graph.microsoft.com.evil.example/v1.0/x"}"#;
    for (body, kind) in [
        ("{}", ErrorKind::DataFormat),
        (r#"{"value":[]}"#, ErrorKind::DataFormat),
        (r#"{"value":null,"@odata.deltaLink":"x"}"#, ErrorKind::DataFormat),
        (foreign, ErrorKind::InvalidRequest),
    ] {
        host.fake.fault(Fault::on("calendarView.delta").status(200).body(body, "application/json"));
        let error = failure(&host).await;
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert!(!error.to_string().contains("evil.example/v1.0"), "{error}");
        assert_eq!(host.ids().len(), 1);
    }
    host.sync().await;
}

#[tokio::test]
async fn a_batch_that_is_no_batch_fails_the_page_and_is_made_good() {
    let host = Host::new().await;
    let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
    for body in ["{}", r#"{"responses":null}"#, "7"] {
        host.fake.fault(Fault::on("batch").status(200).body(body, "application/json"));
        assert_eq!(failure(&host).await.kind(), ErrorKind::DataFormat, "{body}");
        assert_eq!(host.ids().len(), 0);
    }
    // A part that is no event is a bad item.
    host.fake.fault(Fault::on("events.get").status(200).body(r#"{"subject":"x"}"#, "application/json"));
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (0, 1));
    assert_eq!(host.store.quarantined(&host.key())[0].id.as_deref(), Some(&*series));
    // One that is no object is no answer, and is asked for again.
    host.then(|| host.fake.patch_event(&series, json!({"subject": "Renamed"})));
    host.fake.fault(Fault::on("events.get").status(200).body("[]", "application/json"));
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (1, 0));
}

#[tokio::test]
async fn a_cursor_of_somebody_else_lists_again() {
    let host = Host::new().await;
    let id = host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
    host.sync().await;
    for reason in ["syncStateNotFound", "syncStateInvalid", "BadRequest/resyncRequired"] {
        host.fake.fault(Fault::on("calendarView.delta").status(400).reason(reason));
        let report = host.sync().await;
        assert_eq!((report.resyncs, report.swept), (1, 0), "{reason}");
        assert_eq!(host.ids(), std::slice::from_ref(&id));
    }
}
