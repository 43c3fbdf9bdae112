//! Tokens are refreshed before they expire, once, whoever asks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use integrations_core::auth::Vault;
use integrations_core::resilience::Limits;
use integrations_core::{ErrorKind, Gateway};
use integrations_google::GoogleCalendar;
use integrations_testkit::Fault;

use crate::host::{Host, calendar, config};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_token_is_refreshed_55_minutes_on_and_not_before() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.clock.advance(54 * MINUTE);
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.refreshes(), 0);
    host.clock.advance(MINUTE + Duration::from_secs(1));
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.refreshes(), 1);
    // The provider never saw an expired token.
    assert!(host.fake.requests().iter().all(|request| request.status != 401));
}

#[tokio::test]
async fn a_401_in_the_middle_of_a_page_refreshes_once_and_the_page_goes_on() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
    let connection = host.connect().await;
    host.fake.fault(Fault::on("events.list").nth(3).status(401));
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    assert_eq!(report.total().upserted, 23);
    assert_eq!(host.fake.refreshes(), 1);
    assert_eq!(host.fake.count("events.list"), 6, "five pages, one of them twice");
    host.assert_same(&connection);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_that_need_a_token_cause_one_exchange() {
    for rotate in [false, true] {
        let host =
            Host::with(|fake| fake.calendar(calendar()).rotate_refresh_tokens(rotate), |gateway| gateway)
                .await;
        let connection = host.connect().await;
        host.clock.advance(2 * 60 * MINUTE);
        let gateway = Arc::new(host.gateway.clone());
        let tasks = (0..1000).map(|_| {
            let (gateway, id) = (Arc::clone(&gateway), connection.id.clone());
            tokio::spawn(async move { gateway.check_health(&id).await })
        });
        for outcome in join_all(tasks).await {
            outcome.unwrap().unwrap();
        }
        assert_eq!(host.fake.refreshes(), 1, "rotate: {rotate}");
        assert_eq!(host.fake.count("calendarList.list"), 1000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_gateways_on_one_store_cause_one_exchange() {
    let vault = Vault::new("a", [7; 32]).unwrap();
    let host = Host::with(
        |fake| fake.calendar(calendar()).rotate_refresh_tokens(true),
        |gateway| gateway.vault(vault.clone()),
    )
    .await;
    let connection = host.connect().await;
    host.clock.advance(2 * 60 * MINUTE);
    // A gateway of its own stands for another process: they share nothing but the store.
    let gateways: Vec<_> = (0..4)
        .map(|_| {
            Gateway::builder()
                .adapter(GoogleCalendar::new(config(&host.fake)))
                .store(host.store.clone())
                .vault(vault.clone())
                .clock(Arc::new(host.clock.clone()))
                .limits("google_calendar", Limits::UNKNOWN)
                .build()
                .unwrap()
        })
        .collect();
    // Those who wait for another process wait on the clock. It goes slowly enough for no deadline to pass.
    let clock = host.clock.clone();
    let pace = tokio::spawn(async move {
        loop {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_millis(5));
        }
    });
    let id = &connection.id;
    let calls = gateways.iter().flat_map(|gateway| (0..50).map(move |_| gateway.check_health(id)));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    pace.abort();
    assert_eq!(host.fake.refreshes(), 1);
}

#[tokio::test]
async fn a_revoked_grant_is_noticed_said_and_not_tried_again() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.fake.revoke_grant();
    let error = host.gateway.sync(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert_eq!(
        host.gateway.connection(&connection.id).await.unwrap().status.as_str(),
        "reauthorization_required"
    );
    assert_eq!(host.heard.count("StatusChanged"), 1);
    let calls = host.fake.requests().len();
    let error = host.gateway.sync(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert_eq!(host.fake.requests().len(), calls, "nothing more is asked of the provider");

    // Connecting again mends it.
    let again = host.connect().await;
    assert_eq!(again.id, connection.id);
    host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
}

#[tokio::test]
async fn a_refresh_that_fails_for_now_does_no_harm_while_the_old_token_lives() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.fake.fault(Fault::on("token.refresh").status(503).always());
    host.clock.advance(56 * MINUTE);
    host.gateway.check_health(&connection.id).await.unwrap();
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.refreshes(), 1, "a failing token endpoint is not hammered");
    host.clock.advance(MINUTE);
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.refreshes(), 2);
    host.clock.advance(5 * MINUTE);
    let error = host.gateway.check_health(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServiceUnavailable);
    host.fake.clear_faults();
    host.gateway.check_health(&connection.id).await.unwrap();
}

#[tokio::test]
async fn a_wrong_client_secret_is_nobodys_grant_gone() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.fake.fault(
        Fault::on("token.refresh").status(401).body(r#"{"error":"invalid_client"}"#, "application/json"),
    );
    host.clock.advance(2 * 60 * MINUTE);
    let error = host.gateway.check_health(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert_eq!(host.gateway.connection(&connection.id).await.unwrap().status.as_str(), "active");
    assert_eq!(host.heard.count("ServicePaused"), 1);

    // The service rests for a minute: nobody asks again and again with a secret that is wrong.
    host.clock.advance(MINUTE / 2);
    let error = host.gateway.check_health(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert_eq!(error.retry_after(), Some(MINUTE / 2));
    assert_eq!(host.fake.refreshes(), 1);

    host.clock.advance(MINUTE / 2);
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.heard.count("ServiceResumed"), 1);
}
