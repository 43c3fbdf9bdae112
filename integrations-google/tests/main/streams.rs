//! The streams of a connection are read side by side, and the host says which.

use integrations_core::sync::{StreamKey, SyncRequest, SyncSink, Window};
use integrations_testkit::google::CalendarSpec;
use integrations_testkit::{Fault, Gate};
use serde_json::json;

use crate::host::{CALENDAR, Host};

async fn six() -> Host {
    let calendar = |number: u32| CalendarSpec::new(&format!("calendar-{number}@example.com")).generated(3);
    Host::with(|fake| (1..=6).fold(fake, |fake, number| fake.calendar(calendar(number))), |gateway| gateway)
        .await
}

#[tokio::test]
async fn four_streams_are_read_at_once_and_no_more() {
    let host = six().await;
    let connection = host.connect().await;
    let gate = Gate::new();
    host.fake.fault(Fault::on("events.list").always().hold(&gate));
    let run = tokio::spawn({
        let (gateway, id) = (host.gateway.clone(), connection.id.clone());
        async move { gateway.sync(&id).await }
    });
    gate.arrived(4).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gate.waiting(), 4);
    gate.open();
    let report = run.await.unwrap().unwrap().into_result().unwrap();
    assert_eq!(report.total().upserted, 18);
    let order: Vec<_> = report.streams.iter().map(|(key, _)| key.stream.as_str().to_owned()).collect();
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(order, sorted, "the report is in the order of the provider's list");
}

#[tokio::test]
async fn the_host_chooses_and_one_that_fails_does_not_stop_the_others() {
    let host = six().await;
    let connection = host.connect().await;
    let chosen = |stream: &integrations_core::adapter::Stream| stream.id.as_str() < "calendar-4";
    host.fake.fault(Fault::on("events.list").nth(2).status(403).reason("forbidden"));
    let request = SyncRequest::incremental().parallel(1);
    let report = host.gateway.sync_selected(&connection.id, request, chosen).await.unwrap();
    assert_eq!(report.streams.len(), 3);
    let failed: Vec<_> = report.failures().map(|(key, _)| key.stream.as_str()).collect();
    assert_eq!(failed, ["calendar-2@example.com"]);
    assert_eq!(report.total().upserted, 6);
}

#[tokio::test]
async fn a_calendar_that_is_gone_is_named_and_its_events_stay_until_they_are_forgotten() {
    let host = six().await;
    let connection = host.connect().await;
    let report = host.gateway.sync(&connection.id).await.unwrap();
    assert!(report.vanished.is_empty());
    assert_eq!(host.heard.count("StreamsVanished"), 0);

    host.fake.remove_calendar("calendar-2@example.com");
    host.fake.add_calendar(CalendarSpec::new("calendar-7@example.com").generated(2));
    let report = host.gateway.sync(&connection.id).await.unwrap();
    let gone = StreamKey::new(&connection, &"calendar-2@example.com".into());
    assert_eq!(report.vanished, std::slice::from_ref(&gone));
    assert_eq!(host.heard.count("StreamsVanished"), 1);
    assert_eq!(host.store.records(&gone).len(), 3);
    let new = report.streams.iter().find(|(key, _)| key.stream == "calendar-7@example.com").unwrap();
    let new = new.1.as_ref().unwrap();
    assert_eq!((new.started_in, new.upserted), ("start", 2));

    assert_eq!(host.gateway.forget_stream(&connection.id, &gone.stream).await.unwrap(), 3);
    assert!(host.store.records(&gone).is_empty());
    assert!(host.gateway.sync(&connection.id).await.unwrap().vanished.is_empty());
}

#[tokio::test]
async fn a_window_is_asked_for_kept_to_and_widened() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let on = |day: u32| json!({"dateTime": format!("2026-03-{day:02}T10:00:00+01:00")});
    let event = |day: u32| json!({"id": format!("day{day:02}"), "start": on(day), "end": on(day)});
    for day in [1, 10, 20] {
        host.fake.insert_event(CALENDAR, event(day));
    }
    let at = |day: u32| format!("2026-03-{day:02}T00:00:00Z").parse().unwrap();
    let narrow = SyncRequest::incremental().within(Window::since(at(5)).until(at(15)));
    let ids = || host.records(&connection).iter().map(|record| record.id().to_owned()).collect::<Vec<_>>();
    let report = host.gateway.sync_with(&connection.id, narrow).await.unwrap();
    assert_eq!(ids(), ["day10"]);
    let report = report.into_result().unwrap();
    assert_eq!(report.streams[0].1.as_ref().unwrap().started_in, "start");
    assert_eq!(host.fake.items_served(), 1, "the others are not even fetched");

    // What moves out of the window goes, what moves into it comes; a sync without a word keeps to it.
    host.fake.patch_event(CALENDAR, "day10", json!({"start": on(25), "end": on(25)}));
    host.fake.patch_event(CALENDAR, "day01", json!({"start": on(7), "end": on(7)}));
    host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    assert_eq!(ids(), ["day01"]);

    // A narrower one changes nothing yet; a wider one lists again.
    let narrower = SyncRequest::incremental().within(Window::since(at(10)).until(at(15)));
    host.gateway.sync_with(&connection.id, narrower).await.unwrap().into_result().unwrap();
    assert_eq!(ids(), ["day01"]);
    let wide = SyncRequest::incremental().within(Window::since(at(1)));
    host.gateway.sync_with(&connection.id, wide).await.unwrap().into_result().unwrap();
    assert_eq!(ids(), ["day01", "day10", "day20"]);
    host.gateway.sync_with(&connection.id, wide).await.unwrap().into_result().unwrap();
    let state = host.store.load(&Host::key(&connection)).await.unwrap();
    assert_eq!(state.position.window(), Window::since(at(1)));
    assert_eq!(state.position.generation(), 2, "one listing for the first window, one for the wider");
}
