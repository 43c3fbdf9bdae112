//! Connect, sync, and follow what changes.

use integrations_core::model::{EventStatus, EventTime, ReminderMethod};
use integrations_core::sync::{Position, SyncRequest, SyncSink};
use integrations_core::{Connection, ErrorKind};
use integrations_testkit::Fault;
use serde_json::json;

use crate::host::{CALENDAR, Host, calendar};

async fn synced(host: &Host) -> (Connection, integrations_core::sync::StreamReport) {
    let connection = host.connect().await;
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    (connection, report.total())
}

#[tokio::test]
async fn a_connection_knows_its_account_and_its_grant() {
    let host = Host::new().await;
    let connection = host.connect().await;
    assert_eq!(connection.account.email.as_deref(), Some("ada@example.com"));
    assert_eq!(connection.status.as_str(), "active");
    assert!(connection.scopes.iter().any(|scope| scope.ends_with("calendar.events.readonly")));
    let asked = &host.fake.authorizations()[0];
    assert_eq!(asked.access_type.as_deref(), Some("offline"));
    assert_eq!(asked.prompt.as_deref(), Some("consent"));
    assert_eq!(asked.include_granted_scopes.as_deref(), Some("true"));
    host.gateway.check_health(&connection.id).await.unwrap();
}

#[tokio::test]
async fn connecting_again_keeps_the_connection_and_its_position() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(12)), |gateway| gateway).await;
    let (first, _) = synced(&host).await;
    let again = host.connect().await;
    assert_eq!(first.id, again.id);
    assert_eq!(first.created_at, again.created_at);
    let report = host.gateway.sync(&again.id).await.unwrap();
    assert_eq!(report.streams[0].1.as_ref().unwrap().started_in, "tracking");
}

#[tokio::test]
async fn a_full_sync_brings_every_event_once_and_the_next_one_nothing() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let (connection, report) = synced(&host).await;
    assert_eq!((report.pages, report.upserted, report.quarantined), (5, 23, 0));
    host.assert_same(&connection);

    host.fake.reset_counters();
    let report = host.gateway.sync(&connection.id).await.unwrap().total();
    assert_eq!((report.pages, report.upserted, report.deleted), (1, 0, 0));
    assert_eq!(host.fake.items_served(), 0);
}

#[tokio::test]
async fn an_incremental_sync_fetches_exactly_what_has_changed() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let (connection, _) = synced(&host).await;
    let ids = host.fake.event_ids(CALENDAR);
    host.fake.patch_event(CALENDAR, &ids[3], json!({"summary": "Moved to the big room"}));
    host.fake.delete_event(CALENDAR, &ids[7]);
    let added = host.fake.insert_event(
        CALENDAR,
        json!({"summary": "Tea", "start": {"date": "2026-03-04"}, "end": {"date": "2026-03-05"}}),
    );
    host.fake.reset_counters();
    let report = host.gateway.sync(&connection.id).await.unwrap().total();
    assert_eq!((report.upserted, report.deleted), (2, 1));
    assert_eq!(host.fake.items_served(), 3);
    host.assert_same(&connection);
    let events = host.events(&connection);
    let tea = events.iter().find(|event| event.id == added).unwrap();
    assert!(matches!(tea.start, EventTime::Day { .. }));
    assert!(events.iter().any(|event| event.title.as_deref() == Some("Moved to the big room")));
}

#[tokio::test]
async fn a_cancelled_occurrence_is_kept_and_a_deleted_event_is_not() {
    let host = Host::new().await;
    let series = host.fake.insert_event(
        CALENDAR,
        json!({
            "summary": "Stand-up",
            "start": {"dateTime": "2026-03-02T09:00:00+01:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-03-02T09:15:00+01:00", "timeZone": "Europe/Berlin"},
            "recurrence": ["RRULE:FREQ=DAILY;COUNT=10"],
        }),
    );
    let (connection, _) = synced(&host).await;
    let cancelled = host.fake.cancel_instance(CALENDAR, &series, "2026-03-04T08:00:00Z");
    host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    let events = host.events(&connection);
    let exception = events.iter().find(|event| event.id == cancelled).unwrap();
    assert_eq!(exception.status, EventStatus::Cancelled);
    assert_eq!(exception.series.as_ref().unwrap().id, series);
    assert_eq!(exception.start.earliest_utc().to_rfc3339(), "2026-03-04T08:00:00+00:00");
    assert_eq!(exception.end, None);

    // Google names the master alone when a series is deleted; its exceptions go with it.
    host.fake.delete_event(CALENDAR, &series);
    let report = host.gateway.sync(&connection.id).await.unwrap().total();
    assert_eq!((report.upserted, report.deleted), (0, 1));
    assert!(host.events(&connection).is_empty());
}

#[tokio::test]
async fn a_change_in_the_middle_of_a_listing_is_not_lost() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let connection = host.connect().await;
    // The third page breaks: two pages are committed, then the calendar changes on both sides of the break.
    host.fake.fault(Fault::on("events.list").nth(3).status(500));
    let report = host.gateway.sync(&connection.id).await.unwrap();
    assert_eq!(report.failures().next().unwrap().1.kind(), ErrorKind::ServiceUnavailable);
    let stored = host.store.load(&Host::key(&connection)).await.unwrap();
    assert_eq!(stored.position.phase(), "listing");
    let ids = host.fake.event_ids(CALENDAR);
    host.fake.patch_event(CALENDAR, &ids[0], json!({"summary": "Changed on a page that was read"}));
    host.fake.delete_event(CALENDAR, &ids[1]);
    host.fake.insert_event(CALENDAR, json!({"start": {"date": "2026-03-04"}, "end": {"date": "2026-03-05"}}));

    // The next run goes on from the third page, and the one after it brings what changed meanwhile.
    host.fake.reset_counters();
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    assert_eq!(report.streams[0].1.as_ref().unwrap().started_in, "listing");
    assert!(host.fake.items_served() < 23, "the pages that were committed are not read again");
    host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    host.assert_same(&connection);
}

#[tokio::test]
async fn a_lost_sync_token_leads_to_a_new_listing_that_deletes_what_is_gone() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let (connection, _) = synced(&host).await;
    let ids = host.fake.event_ids(CALENDAR);
    host.fake.delete_event(CALENDAR, &ids[2]);
    host.fake.delete_event(CALENDAR, &ids[20]);
    host.fake.expire_sync_tokens(CALENDAR);
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap().total();
    assert_eq!((report.resyncs, report.swept), (1, 2));
    host.assert_same(&connection);
    assert_eq!(host.heard.count("StreamResync"), 1);
}

#[tokio::test]
async fn a_lost_page_token_leads_to_a_new_listing() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let connection = host.connect().await;
    host.fake.fault(Fault::on("events.list").nth(3).status(500));
    host.gateway.sync(&connection.id).await.unwrap();
    host.fake.expire_page_tokens(CALENDAR);
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap().total();
    assert_eq!(report.resyncs, 1);
    host.assert_same(&connection);
}

#[tokio::test]
async fn an_empty_listing_after_a_lost_token_deletes_nothing_until_the_host_says_so() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let (connection, _) = synced(&host).await;
    for id in host.fake.event_ids(CALENDAR) {
        host.fake.delete_event(CALENDAR, &id);
    }
    host.fake.expire_sync_tokens(CALENDAR);
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    let withheld = report.streams[0].1.as_ref().unwrap().withheld.unwrap();
    assert_eq!((withheld.seen, withheld.unseen), (0, 23));
    assert_eq!(host.records(&connection).len(), 23);
    assert_eq!(host.heard.count("DeletionsWithheld"), 1);

    // It stays so, without listing again, and is said again.
    let report = host.gateway.sync(&connection.id).await.unwrap();
    assert!(report.streams[0].1.as_ref().unwrap().withheld.is_some());
    assert_eq!(host.records(&connection).len(), 23);

    let accept = SyncRequest::incremental().accept_shrink();
    let report = host.gateway.sync_with(&connection.id, accept).await.unwrap().total();
    assert_eq!(report.swept, 23);
    host.assert_same(&connection);
}

#[tokio::test]
async fn a_full_sync_on_request_lists_again_and_keeps_what_is_there() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let (connection, _) = synced(&host).await;
    let report = host.gateway.sync_with(&connection.id, SyncRequest::full()).await.unwrap().total();
    assert_eq!((report.upserted, report.swept), (23, 0));
    host.assert_same(&connection);
}

#[tokio::test]
async fn an_empty_page_with_a_next_page_is_no_end() {
    let host =
        Host::with(|fake| fake.calendar(calendar().generated(23)).empty_pages(true), |gateway| gateway).await;
    let (connection, report) = synced(&host).await;
    assert_eq!((report.pages, report.upserted), (6, 23));
    host.assert_same(&connection);
}

#[tokio::test]
async fn every_calendar_that_can_be_read_is_a_stream_of_its_own() {
    use integrations_testkit::google::CalendarSpec;
    let host = Host::with(
        |fake| {
            fake.calendar(CalendarSpec::new("odd/id?&#@group.example").summary("Odd").generated(3))
                .calendar(calendar().generated(2))
                .calendar(CalendarSpec::new("busy@example.com").access_role("freeBusyReader"))
        },
        |gateway| gateway,
    )
    .await;
    let connection = host.connect().await;
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    let ids: Vec<&str> = streams.iter().map(|stream| stream.id.as_str()).collect();
    assert_eq!(ids, [CALENDAR, "odd/id?&#@group.example"]);
    assert_eq!(streams[0].time_zone, Some(chrono_tz::Europe::Berlin));
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    assert_eq!(report.total().upserted, 5);
}

#[tokio::test]
async fn one_failing_calendar_does_not_stop_the_others() {
    use integrations_testkit::google::CalendarSpec;
    let host = Host::with(
        |fake| {
            fake.calendar(calendar().generated(2)).calendar(CalendarSpec::new("b@example.com").generated(3))
        },
        |gateway| gateway,
    )
    .await;
    let connection = host.connect().await;
    host.fake.fault(Fault::on("events.list").nth(1).status(403).reason("forbidden"));
    let report = host.gateway.sync(&connection.id).await.unwrap();
    let failures: Vec<_> = report.failures().collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].1.kind(), ErrorKind::InsufficientPermissions);
    assert_eq!(report.total().upserted, 3);
}

#[tokio::test]
async fn reminders_and_zones_follow_the_calendar_where_the_event_is_silent() {
    let host = Host::new().await;
    let silent = host.fake.insert_event(
        CALENDAR,
        json!({
            "start": {"dateTime": "2026-07-01T09:00:00"}, "end": {"dateTime": "2026-07-01T10:00:00"},
            "reminders": {"useDefault": false, "overrides": [{"method": "email", "minutes": 60}, {"method": "sms", "minutes": 5}]},
        }),
    );
    let (connection, _) = synced(&host).await;
    let events = host.events(&connection);
    let event = events.iter().find(|event| event.id == silent).unwrap();
    let EventTime::At(start) = &event.start else { panic!("{:?}", event.start) };
    assert_eq!(start.at.to_rfc3339(), "2026-07-01T09:00:00+02:00");
    assert_eq!(start.zone.name(), "Europe/Berlin");
    assert!(!event.reminders.from_calendar);
    assert_eq!(event.reminders.list[0].method, ReminderMethod::Email);
    assert_eq!(event.reminders.list[1].method, ReminderMethod::Other("sms".into()));
}

#[tokio::test]
async fn disconnecting_revokes_the_grant_and_erasing_deletes_the_records() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(4)), |gateway| gateway).await;
    let (connection, _) = synced(&host).await;
    host.gateway.disconnect(&connection.id).await.unwrap();
    assert_eq!(host.fake.count("revoke"), 1);
    assert_eq!(host.gateway.sync(&connection.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(host.records(&connection).len(), 4);
    assert_eq!(host.gateway.erase(&connection.id).await.unwrap(), 4);
    assert_eq!(host.store.load(&Host::key(&connection)).await.unwrap().position, Position::Start);
}
