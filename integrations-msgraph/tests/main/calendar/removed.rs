//! What Graph says is removed, and what has become of it.

use integrations_core::ErrorKind;
use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use integrations_testkit::msgraph::{CalendarSpec, FakeGraphBuilder};
use serde_json::{Value, json};

use super::{Host, NAME, at, event, weekly};

/// That it is not in the stretch.
fn removed(id: &str, reason: &str) -> String {
    json!({"id": id, "@removed": {"reason": reason}}).to_string()
}

/// Graph says of what lies outside, and has changed, that it is removed, and of all of it that it was deleted: a
/// series that reaches into the stretch all the same is not.
#[tokio::test]
async fn a_series_of_which_graph_says_that_it_is_removed_is_asked_for() {
    for reason in ["changed", "deleted", "a word of tomorrow"] {
        let host = Host::new().await;
        let series = host.insert(weekly("Old", "2019-03-04", "monday"));
        let single = host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
        let exception = host.fake.change_occurrence(&series, "2026-03-16", json!({"subject": "Late"}));
        host.sync().await;
        host.fake.raw_event(NAME, &removed(&series, reason));
        host.sync().await;
        assert_eq!(host.ids().len(), 3);
        host.assert_same("said to be removed").await;
        // Neither is the series when it is its exception that is said to be.
        host.fake.raw_event(NAME, &removed(&exception, reason));
        host.sync().await;
        assert_eq!(host.ids().len(), 3);
        // A single event is, if Graph says so, and one that is not there at all.
        host.fake.raw_event(NAME, &removed(&single, reason));
        host.fake.raw_event(NAME, &removed("AAMkNobody", reason));
        host.sync().await;
        assert_eq!(host.ids().len(), 2);

        // One that does not reach into it any more is.
        host.then(|| {
            let end = json!({"type": "endDate", "startDate": "2019-03-04", "endDate": "2019-06-01"});
            let weekly = json!({"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]});
            host.fake.patch_event(&series, json!({"recurrence": {"pattern": weekly, "range": end}}));
        });
        host.sync().await;
        assert_eq!(host.ids(), [""; 0]);
    }
}

/// The parts of a series come in no order.
#[tokio::test]
async fn a_series_that_is_removed_and_mentioned_in_one_page_is_what_it_is_when_it_is_got() {
    let part = |kind: &str, series: &str| -> Value {
        json!({
            "id": "AAMkPart", "type": kind, "seriesMasterId": series, "subject": "Part",
            "originalStart": "2026-03-16T08:00:00Z", "originalStartTimeZone": "Europe/Berlin",
            "start": at("2026-03-16T08:00:00.0000000", "UTC"), "end": at("2026-03-16T08:15:00.0000000", "UTC"),
        })
    };
    // An exception may be all that the user is invited to.
    for (kind, left) in [("occurrence", &[][..]), ("exception", &["AAMkPart"])] {
        let host = Host::new().await;
        let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
        host.fake.change_occurrence(&series, "2026-03-23", json!({"subject": "Late"}));
        host.sync().await;
        host.then(|| host.fake.delete_event(&series));
        host.fake.raw_event(NAME, &part(kind, &series).to_string());
        let report = host.sync().await;
        assert_eq!(report.quarantined, 0, "{kind}");
        assert_eq!(host.ids(), left, "{kind}");

        let there = host.insert(weekly("Standup", "2026-03-02", "monday"));
        host.sync().await;
        host.fake.raw_event(NAME, &removed(&there, "deleted"));
        host.fake.raw_event(NAME, &part("occurrence", &there).to_string());
        host.sync().await;
        assert!(host.ids().contains(&there));
    }
}

/// A series that fails for ever may be the only one that a page mentions.
#[tokio::test]
async fn a_series_that_fails_alone_harms_itself_alone_unless_the_service_fails() {
    let host = Host::new().await;
    let series = host.insert(weekly("Standup", "2026-03-02", "monday"));
    host.sync().await;
    let before = host.events()[&series].clone();
    host.then(|| host.fake.patch_event(&series, json!({"subject": "Renamed"})));
    host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
    let fails = host.fake.fault(Fault::on("events.get").status(500).always());
    let lists = host.fake.fault(Fault::on("calendars.list").status(500).always());
    let stream = host.key().stream;
    let run = host.gateway.sync_stream(&host.connection.id, &stream, SyncRequest::incremental());
    assert_eq!(run.await.unwrap_err().kind(), ErrorKind::ServiceUnavailable);
    assert_eq!(host.store.quarantined(&host.key()).len(), 0);
    lists.take_back();
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (1, 1));
    assert_eq!(host.events()[&series], before);
    // What is removed, too: nobody can tell whether it is, and it stays.
    host.then(|| host.fake.delete_event(&series));
    let report = host.sync().await;
    assert_eq!((report.deleted, report.quarantined), (0, 1));
    assert_eq!(host.events()[&series], before);
    fails.take_back();
    host.fake.raw_event(NAME, &removed(&series, "deleted"));
    host.sync().await;
    assert_eq!(host.store.quarantined(&host.key()).len(), 0);
    host.assert_same("mended").await;
}

/// The service may have come back when it is asked whether it lives.
#[tokio::test]
async fn a_series_that_failed_until_the_service_came_back_is_read() {
    let host = Host::new().await;
    host.insert(weekly("Standup", "2026-03-02", "monday"));
    drop(host.fake.fault(Fault::on("events.get").status(500)));
    assert_eq!(host.sync().await.quarantined, 0);
    host.assert_same("listed").await;
}

/// An event is got by its id wherever it is.
#[tokio::test]
async fn what_was_moved_to_another_calendar_is_gone_from_this_one() {
    for announced in [false, true] {
        let fake = |fake: FakeGraphBuilder| {
            fake.calendar(CalendarSpec::new("Other")).announce_removed_occurrences(announced)
        };
        let host = Host::with(fake, |config| config).await;
        let series = host.insert(weekly("Old", "2019-03-04", "monday"));
        host.fake.change_occurrence(&series, "2026-03-16", json!({"subject": "Late"}));
        let single = host.insert(event("Lunch", "2026-03-02T12:00:00", "2026-03-02T13:00:00"));
        host.sync().await;
        assert_eq!(host.ids().len(), 3);
        host.then(|| host.fake.move_event(&series, "Other"));
        host.then(|| host.fake.move_event(&single, "Other"));
        let report = host.sync().await;
        assert_eq!((host.ids().len(), report.quarantined), (0, 0));
        host.then(|| host.fake.move_event(&series, NAME));
        host.sync().await;
        assert_eq!(host.ids().len(), 2);
        host.assert_same("back").await;
    }
}
