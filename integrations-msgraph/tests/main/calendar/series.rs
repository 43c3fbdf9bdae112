//! Series: what a round does not say of them, and what becomes of what it says.

use integrations_core::model::{EventStatus, EventTime};
use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use integrations_testkit::msgraph::FakeGraphBuilder;
use serde_json::json;

use super::{Host, NAME, at, event, weekly};

/// In every way in which a round may word what has happened to a series.
async fn in_every_wording(test: impl AsyncFn(Host)) {
    let wordings: [fn(FakeGraphBuilder) -> FakeGraphBuilder; 7] = [
        |fake| fake,
        |fake| fake.one_reason_for_removed(true),
        |fake| fake.one_reason_for_removed(true).announce_removed_occurrences(true),
        |fake| fake.announce_removed_occurrences(true),
        |fake| fake.without_masters(true),
        |fake| fake.page_cap(3).repeated_items(true),
        |fake| fake.page_cap(2).without_masters(true).announce_removed_occurrences(true).empty_pages(true),
    ];
    for wording in wordings {
        test(Host::with(wording, |config| config).await).await;
    }
}

#[tokio::test]
async fn a_series_is_its_master_and_its_exceptions() {
    in_every_wording(async |host| {
        let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
        let moved = host.fake.change_occurrence(
            &series,
            "2026-03-16",
            event("Standup, late", "2026-03-17T11:00:00", "2026-03-17T11:15:00"),
        );
        host.fake.cancel_occurrence(&series, "2026-03-23");
        host.sync().await;
        assert_eq!(host.ids().len(), 2, "no plain occurrence is kept");
        let events = host.events();
        let master = &events[&series];
        assert_eq!(master.recurrence.rrule, ["FREQ=WEEKLY;BYDAY=MO;WKST=SU"]);
        assert_eq!(master.recurrence.exdate, [";VALUE=DATE:20260323"]);
        let exception = &events[&moved];
        let of = exception.series.as_ref().unwrap();
        assert_eq!(of.id, series);
        // The clocks have not changed yet, and the original start is that of the series.
        assert_eq!(of.original_start.to_string(), "2026-03-16T09:00:00+01:00[Europe/Berlin]");
        host.assert_same("listed").await;
    })
    .await;
}

#[tokio::test]
async fn what_happens_to_an_occurrence_is_noticed() {
    in_every_wording(async |host| {
        let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
        host.sync().await;
        let changed =
            host.then(|| host.fake.change_occurrence(&series, "2026-03-16", json!({"subject": "Moved"})));
        host.sync().await;
        assert_eq!(host.events()[&changed].title.as_deref(), Some("Moved"));
        host.assert_same("an occurrence is changed").await;

        // Out of the stretch of time: it must not come back at its old time.
        host.then(|| {
            host.fake.patch_event(&changed, event("Far", "2029-03-16T09:00:00", "2029-03-16T09:15:00"));
        });
        host.sync().await;
        host.assert_same("an occurrence is moved far away").await;

        // An exception that is cancelled is nobody's any more.
        host.then(|| host.fake.delete_event(&changed));
        host.sync().await;
        assert_eq!(host.ids(), std::slice::from_ref(&series));
        assert_eq!(host.events()[&series].recurrence.exdate, [";VALUE=DATE:20260316"]);
        host.assert_same("an exception is cancelled").await;

        host.then(|| host.fake.cancel_occurrence(&series, "2026-03-30"));
        host.sync().await;
        host.assert_same("an occurrence is cancelled").await;

        // Another recurrence ends every exception; no item says so.
        let again =
            host.then(|| host.fake.change_occurrence(&series, "2026-04-13", json!({"subject": "Again"})));
        host.sync().await;
        assert_eq!(host.ids().len(), 2);
        host.then(|| {
            host.fake.patch_event(
                &series,
                json!({"recurrence": {
                    "pattern": {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 2},
                    "range": {"type": "noEnd", "startDate": "2026-03-02"},
                }}),
            );
        });
        host.sync().await;
        assert_eq!(host.ids(), std::slice::from_ref(&series), "{again} is an occurrence of nothing");
        host.assert_same("another recurrence").await;

        host.then(|| host.fake.patch_event(&series, json!({"recurrence": null})));
        host.sync().await;
        assert!(!host.events()[&series].is_series());
        host.assert_same("no recurrence").await;

        host.then(|| host.fake.delete_event(&series));
        host.sync().await;
        assert_eq!(host.ids(), [""; 0]);
    })
    .await;
}

/// What was an exception is not told of, and is not known to be one: an agenda leaves it out, and a full sync
/// deletes it.
#[tokio::test]
async fn a_series_that_becomes_a_single_event_leaves_its_exceptions_behind() {
    let host = Host::new().await;
    let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
    host.fake.change_occurrence(&series, "2026-03-16", json!({"subject": "Late"}));
    host.sync().await;
    host.then(|| host.fake.patch_event(&series, json!({"recurrence": null})));
    host.sync().await;
    host.assert_same("a single event").await;
    assert_eq!(host.ids().len(), 2);
    let report = host.sync_with(SyncRequest::full()).await;
    assert_eq!((report.swept, report.withheld), (1, None));
    assert_eq!(host.ids(), [series]);
}

#[tokio::test]
async fn a_series_that_is_deleted_takes_its_exceptions_with_it() {
    in_every_wording(async |host| {
        let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
        let single = host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
        for day in ["2026-03-16", "2026-04-13"] {
            host.fake.change_occurrence(&series, day, json!({"subject": day}));
        }
        host.sync().await;
        assert_eq!(host.ids().len(), 4);
        host.then(|| host.fake.delete_event(&series));
        host.sync().await;
        assert_eq!(host.ids(), [single]);
    })
    .await;
}

#[tokio::test]
async fn an_exception_outside_of_the_stretch_takes_its_occurrence_away_all_the_same() {
    let host = Host::new().await;
    let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
    let far = event("Far", "2029-03-16T09:00:00", "2029-03-16T09:15:00");
    let moved = host.fake.change_occurrence(&series, "2026-03-16", far);
    host.sync().await;
    assert!(host.events().contains_key(&moved));
    host.assert_same("listed").await;
}

#[tokio::test]
async fn an_exception_that_lasts_all_day_stands_in_its_place() {
    let host = Host::new().await;
    let timed = host.insert(weekly("Standup", "2026-03-02", "monday"));
    let day = json!({
        "subject": "All day", "isAllDay": true,
        "start": at("2026-03-16T00:00:00", "UTC"), "end": at("2026-03-17T00:00:00", "UTC"),
    });
    host.fake.change_occurrence(&timed, "2026-03-16", day);
    let mut days = weekly("Cleaning", "2026-03-03", "tuesday");
    days["isAllDay"] = json!(true);
    days["start"] = at("2026-03-03T00:00:00", "Europe/Berlin");
    days["end"] = at("2026-03-04T00:00:00", "Europe/Berlin");
    let days = host.insert(days);
    let hour = json!({
        "subject": "An hour", "isAllDay": false,
        "start": at("2026-03-17T09:00:00", "UTC"), "end": at("2026-03-17T10:00:00", "UTC"),
    });
    host.fake.change_occurrence(&days, "2026-03-17", hour);
    host.fake.change_occurrence(&days, "2026-03-24", json!({"subject": "Deep cleaning"}));
    host.sync().await;
    let events = host.events();
    let deep = events.values().find(|event| event.title.as_deref() == Some("Deep cleaning")).unwrap();
    let original = &deep.series.as_ref().unwrap().original_start;
    assert_eq!(*original, EventTime::day("2026-03-24".parse().unwrap()));
    assert_eq!(events[&days].recurrence.exdate, [";VALUE=DATE:20260317"]);
    host.assert_same("exceptions of another kind").await;
}

#[tokio::test]
async fn a_series_that_began_long_ago_is_known_by_its_occurrences() {
    in_every_wording(async |host| {
        let series = host.insert(weekly("Old", "2019-03-04", "monday"));
        host.sync().await;
        host.assert_same("listed").await;
        host.then(|| host.fake.patch_event(&series, json!({"subject": "Renamed"})));
        host.sync().await;
        host.assert_same("renamed").await;
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_meeting_stays_until_it_is_deleted() {
    let host = Host::new().await;
    let meeting = host.insert(event("Review", "2026-03-03T09:00:00", "2026-03-03T10:00:00"));
    host.sync().await;
    host.then(|| host.fake.cancel_event(&meeting));
    host.sync().await;
    assert_eq!(host.events()[&meeting].status, EventStatus::Cancelled);
    host.assert_same("cancelled").await;
    host.then(|| host.fake.delete_event(&meeting));
    host.sync().await;
    assert_eq!(host.ids(), [""; 0]);
}

#[tokio::test]
async fn a_series_that_graph_does_not_give_is_quarantined_and_stays_as_it_was() {
    for (status, reason, why) in [
        (404, "ErrorItemNotFound", "Graph gives an error and no event: 404: ErrorItemNotFound"),
        (403, "ErrorAccessDenied", "Graph gives an error and no event: 403: ErrorAccessDenied"),
    ] {
        let host = Host::new().await;
        let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
        let other = host.insert(weekly("Other", "2026-03-03", "tuesday"));
        host.sync().await;
        let before = host.records();
        host.then(|| host.fake.patch_event(&series, json!({"subject": "Renamed"})));
        host.fake.fault(Fault::on("events.get").status(status).reason(reason));
        let report = host.sync().await;
        assert_eq!((report.quarantined, report.deleted), (1, 0));
        assert_eq!(host.records(), before);
        let quarantined = host.store.quarantined(&host.key());
        let [item] = &quarantined[..] else { panic!("{quarantined:?}") };
        assert_eq!(
            (item.id.as_deref(), item.path.as_str(), item.reason.as_str()),
            (Some(&*series), "$.error", why)
        );
        // The next change mends it.
        host.then(|| host.fake.patch_event(&series, json!({"subject": "Renamed again"})));
        host.then(|| host.fake.delete_event(&other));
        host.sync().await;
        assert_eq!(host.store.quarantined(&host.key()).len(), 0);
        host.assert_same("mended").await;
    }
}

/// Whoever is invited to one occurrence alone does not see the series.
#[tokio::test]
async fn an_exception_without_its_series_stands_for_itself() {
    let host = Host::new().await;
    let gone = host.insert(weekly("Standup", "2026-03-02", "monday"));
    host.fake.delete_event(&gone);
    let alone = json!({
        "id": "AAMkAlone", "type": "exception", "seriesMasterId": gone, "subject": "Guest",
        "originalStart": "2026-03-09T08:00:00Z", "originalStartTimeZone": "Europe/Berlin",
        "start": at("2026-03-09T08:00:00.0000000", "UTC"), "end": at("2026-03-09T09:00:00.0000000", "UTC"),
    });
    host.fake.raw_event(NAME, &alone.to_string());
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (1, 0));
    assert_eq!(host.events()["AAMkAlone"].series.as_ref().unwrap().id, gone);
}

#[tokio::test]
async fn a_series_with_a_part_that_cannot_be_read_keeps_what_was_there() {
    let host = Host::new().await;
    let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
    let one = host.fake.change_occurrence(&series, "2026-03-16", json!({"subject": "One"}));
    host.sync().await;
    let before = host.events()[&one].clone();
    host.then(|| host.fake.patch_event(&one, json!({"reminderMinutesBeforeStart": "soon"})));
    let report = host.sync().await;
    assert_eq!((report.quarantined, report.deleted), (1, 0));
    assert_eq!(host.events()[&one], before);
    host.then(|| host.fake.patch_event(&one, json!({"reminderMinutesBeforeStart": 5, "subject": "Two"})));
    host.sync().await;
    assert_eq!(host.events()[&one].title.as_deref(), Some("Two"));
    assert_eq!(host.store.quarantined(&host.key()).len(), 0);
}

#[tokio::test]
async fn many_series_are_got_twenty_at_a_time() {
    let host = Host::new().await;
    for number in 0..45 {
        host.insert(weekly(&format!("{number}"), "2026-03-02", "monday"));
    }
    host.sync().await;
    assert_eq!(host.ids().len(), 45);
    let pages = host.fake.count("calendarView.delta");
    // A page that begins within a series has it again.
    assert!(host.fake.count("events.get") <= 45 + pages, "{}", host.fake.count("events.get"));
    host.assert_same("listed").await;
}

#[tokio::test]
async fn an_event_that_comes_in_part_is_got_whole() {
    let host = Host::new().await;
    let lunch = host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
    host.sync().await;
    let before = host.records();
    host.fake.raw_event(NAME, &json!({"id": lunch, "subject": "Dinner"}).to_string());
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (1, 0));
    assert_eq!(host.events()[&lunch].title.as_deref(), Some("Lunch"), "as it is when it is got");
    assert_eq!(host.records()[0].source.version, before[0].source.version);
}
