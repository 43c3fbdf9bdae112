//! The streams of a connection are read side by side, and the host says which.

use integrations_core::sync::SyncRequest;
use integrations_testkit::google::CalendarSpec;
use integrations_testkit::{Fault, Gate};

use crate::host::Host;

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
