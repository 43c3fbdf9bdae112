//! Whatever goes wrong has an error of its own, loses nothing and shows no secret.

use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::Vault;
use integrations_core::http::{Pipeline, PipelineParts, Request, Session};
use integrations_core::resilience::{Limits, Unlimited};
use integrations_core::{Disposition, Error, ErrorKind, Gateway};
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_testkit::Fault;
use serde_json::json;
use url::Url;

use crate::host::{CALENDAR, Host, REDIRECT, calendar, config};

/// Kind, code and text, once it is sure that the text holds no secret.
fn seen(host: &Host, error: &Error) -> (ErrorKind, String) {
    let text = format!("{error} {error:?}");
    assert!(!text.contains(host.fake.client_secret()), "{text}");
    assert!(!text.contains("ya29."), "{text}");
    assert!(!text.contains("1//"), "{text}");
    assert!(!text.contains('?'), "a query string: {text}");
    (error.kind(), error.provider_code().unwrap_or_default().to_owned())
}

async fn complete(host: &Host, callback: &str) -> (ErrorKind, String) {
    seen(host, &host.gateway.complete("ada", callback).await.unwrap_err())
}

#[tokio::test]
async fn states_that_will_not_do_are_told_apart() {
    let host = Host::new().await;
    let refused = |code: &str| (ErrorKind::InvalidRequest, code.to_owned());
    let callback = host.callback().await;
    let url = Url::parse(&callback).unwrap();

    assert_eq!(complete(&host, "code=4/abc").await, refused("state_missing"));
    assert_eq!(complete(&host, "code=4/abc&state=invented").await, refused("state_unknown"));
    let twice = format!("{callback}&code=4/other");
    assert_eq!(complete(&host, &twice).await, refused("repeated_parameter"));

    // Somebody else who got hold of the address can neither use it nor use it up.
    let error = host.gateway.complete("mallory", &callback).await.unwrap_err();
    assert_eq!(seen(&host, &error), refused("state_of_another_user"));

    host.gateway.complete("ada", url.query().unwrap()).await.unwrap();
    assert_eq!(complete(&host, &callback).await, refused("state_reused"));
    assert_eq!(complete(&host, &callback).await, refused("state_reused"));

    let late = host.callback().await;
    host.clock.advance(Duration::from_secs(600));
    assert_eq!(complete(&host, &late).await, refused("state_expired"));
    assert_eq!(complete(&host, &late).await, refused("state_reused"));
    assert_eq!(host.gateway.connections("ada").await.unwrap().len(), 1);
    assert_eq!(host.fake.count("token.code"), 1);
}

#[tokio::test]
async fn a_state_just_in_time_will_do() {
    let host = Host::new().await;
    let callback = host.callback().await;
    host.clock.advance(Duration::from_millis(599_999));
    host.gateway.complete("ada", &callback).await.unwrap();
}

#[tokio::test]
async fn of_many_who_come_back_at_once_one_is_let_in() {
    let host = Host::new().await;
    let callback = host.callback().await;
    let tries = (0..20).map(|_| host.gateway.complete("ada", &callback));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(host.fake.count("token.code"), 1);
}

#[tokio::test]
async fn a_user_who_says_no_is_no_alarm() {
    let host = Host::new().await;
    host.fake.deny_next_consent();
    let callback = host.callback().await;
    let error = host.gateway.complete("ada", &callback).await.unwrap_err();
    assert_eq!(seen(&host, &error), (ErrorKind::ReauthorizationRequired, "access_denied".into()));
    assert_eq!(error.disposition(), Disposition::Reauthorize);
    assert!(host.gateway.connections("ada").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_scope_that_was_not_granted_is_said_and_fails_its_feature_alone() {
    let host = Host::new().await;
    host.fake.grant_only(&[
        "openid",
        "email",
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    ]);
    let connection = host.connect().await;
    let missing = r#"missing_scopes: ["https://www.googleapis.com/auth/calendar.events.readonly"]"#;
    assert!(host.heard.all().iter().any(|notice| notice.contains(missing)));
    assert_eq!(host.gateway.streams(&connection.id).await.unwrap().len(), 1);
    let report = host.gateway.sync(&connection.id).await.unwrap();
    let error = report.failures().next().unwrap().1;
    assert_eq!(seen(&host, error).0, ErrorKind::InsufficientPermissions);
}

#[tokio::test]
async fn a_token_endpoint_that_answers_nonsense_stores_nothing() {
    for (fault, kind) in [
        (Fault::on("token.code").html(), ErrorKind::DataFormat),
        (Fault::on("token.code").body("{", "application/json"), ErrorKind::DataFormat),
        (
            Fault::on("token.code").body(r#"{"token_type":"Bearer"}"#, "application/json"),
            ErrorKind::DataFormat,
        ),
        (Fault::on("token.code").truncate(20), ErrorKind::Network),
        (Fault::on("token.code").reset(), ErrorKind::Network),
        (Fault::on("token.code").status(500), ErrorKind::ServiceUnavailable),
        (Fault::on("userinfo").html(), ErrorKind::DataFormat),
        (Fault::on("userinfo").body(r#"{"id":"5"}"#, "application/json"), ErrorKind::DataFormat),
    ] {
        let host = Host::new().await;
        let callback = host.callback().await;
        host.fake.fault(fault);
        assert_eq!(complete(&host, &callback).await.0, kind);
        assert!(host.gateway.connections("ada").await.unwrap().is_empty());
        // The code is not tried again: it may be burned.
        assert_eq!(host.fake.count("token.code"), 1);
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_read_again_by_the_next_run() {
    for (fault, kind) in [
        (Fault::on("events.list").nth(2).html(), ErrorKind::DataFormat),
        (Fault::on("events.list").nth(2).body(r#"{"items":[{"#, "application/json"), ErrorKind::DataFormat),
        (Fault::on("events.list").nth(2).body(r#"{"items":[]}"#, "application/json"), ErrorKind::DataFormat),
        (Fault::on("events.list").nth(2).truncate(100), ErrorKind::Network),
        (Fault::on("events.list").nth(2).reset(), ErrorKind::Network),
        (Fault::on("events.list").nth(2).status(503), ErrorKind::ServiceUnavailable),
        (Fault::on("events.list").nth(2).status(403).reason("userRateLimitExceeded"), ErrorKind::RateLimited),
        (Fault::on("events.list").nth(2).status(302), ErrorKind::InvalidRequest),
    ] {
        let host = Host::with(|fake| fake.calendar(calendar().generated(12)), |gateway| gateway).await;
        let connection = host.connect().await;
        host.fake.fault(fault);
        let report = host.gateway.sync(&connection.id).await.unwrap();
        let error = report.failures().next().unwrap().1;
        assert_eq!(seen(&host, error).0, kind, "{error}");
        assert_eq!(error.service().unwrap().as_str(), "google_calendar");
        assert_eq!(error.operation(), Some("events.list"));
        host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
        host.assert_same(&connection);
    }
}

#[tokio::test]
async fn a_page_whose_next_page_is_itself_is_no_endless_loop() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let page = r#"{"items":[],"nextPageToken":"again"}"#;
    host.fake.fault(Fault::on("events.list").body(page, "application/json").always());
    let report = host.gateway.sync(&connection.id).await.unwrap();
    let error = report.failures().next().unwrap().1;
    assert_eq!(seen(&host, error), (ErrorKind::DataFormat, "too_many_pages".into()));
    assert!(host.fake.count("events.list") <= 3);
}

#[tokio::test]
async fn a_provider_that_forgets_every_position_is_not_asked_for_ever() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(12)), |gateway| gateway).await;
    let connection = host.connect().await;
    host.gateway.sync(&connection.id).await.unwrap();
    host.fake.fault(Fault::on("events.list").status(410).reason("fullSyncRequired").always());
    let report = host.gateway.sync(&connection.id).await.unwrap();
    assert_eq!(seen(&host, report.failures().next().unwrap().1).0, ErrorKind::CursorExpired);
    assert!(host.fake.count("events.list") < 10);
    assert_eq!(host.records(&connection).len(), 12);
    host.fake.clear_faults();
    host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    host.assert_same(&connection);
}

#[tokio::test]
async fn one_malformed_event_is_quarantined_and_its_page_goes_on() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(3)), |gateway| gateway).await;
    for item in [
        r#"{"id":"odd-start","start":{"dateTime":"tomorrow"},"end":{"date":"2026-03-02"}}"#,
        r#"{"id":"odd-attendee","start":{"date":"2026-03-02"},"end":{"date":"2026-03-03"},"attendees":[{"email":"a@example.com"},{"email":7}]}"#,
        r#"{"id":"backwards","start":{"date":"2026-03-05"},"end":{"date":"2026-03-03"}}"#,
        r#"{"start":{"date":"2026-03-02"}}"#,
        r#"{"id":"odd-words","status":"postponed","visibility":"secret","eventType":"séance","start":{"date":"2026-03-02"},"end":{"date":"2026-03-03"},"attendees":[{"email":"a@example.com","responseStatus":"asleep"}]}"#,
        r#""not an object""#,
    ] {
        host.fake.raw_item(CALENDAR, item);
    }
    let connection = host.connect().await;
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap().total();
    assert_eq!((report.upserted, report.quarantined), (4, 5));
    let quarantine: Vec<_> = host
        .store
        .quarantined(&Host::key(&connection))
        .into_iter()
        .map(|item| (item.id.unwrap_or_default(), item.stage, item.path, item.reason))
        .collect();
    let row = |id: &str, stage, path: &str, reason: &str| {
        (id.to_owned(), stage, path.to_owned(), reason.to_owned())
    };
    assert_eq!(
        quarantine,
        [
            row("odd-start", "map", "$.start.dateTime", "expected an RFC 3339 time, or a local one"),
            row("odd-attendee", "map", "$.attendees[1].email", "expected a string"),
            row("backwards", "validate", "$.end", "the end lies before the start"),
            row("", "map", "$", "missing field `id`"),
            row("", "map", "$", "expected struct WireEvent"),
        ]
    );
    let odd = host.events(&connection).into_iter().find(|event| event.id == "odd-words").unwrap();
    assert_eq!(odd.status.as_str(), "postponed");
    assert_eq!(odd.visibility.as_str(), "secret");
    assert_eq!(odd.kind.as_str(), "séance");
    assert_eq!(odd.attendees[0].response.as_str(), "asleep");
}

#[tokio::test]
async fn a_record_that_turns_malformed_is_not_swept_as_if_it_were_gone() {
    let host = Host::with(|fake| fake.calendar(calendar().generated(3)), |gateway| gateway).await;
    let id = host
        .fake
        .insert_event(CALENDAR, json!({"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}));
    let connection = host.connect().await;
    host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    host.fake.patch_event(CALENDAR, &id, json!({"start": {"date": "2 March"}}));
    host.fake.expire_sync_tokens(CALENDAR);
    let report = host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap().total();
    assert_eq!((report.quarantined, report.swept), (1, 0));
    assert!(host.events(&connection).iter().any(|event| event.id == id));
}

#[tokio::test]
async fn credentials_go_to_no_other_host() {
    // A foreign host that would gladly take the token.
    let foreign = wiremock::MockServer::start().await;
    let host = Host::new().await;
    let adapter = GoogleCalendar::new(config(&host.fake));
    let http = integrations_core::http::reqwest::ReqwestTransport::new("test").unwrap();
    let token = integrations_core::auth::AccessToken::new("ya29.canary").unwrap();
    let parts = PipelineParts::new(
        Arc::new(http),
        Arc::new(host.clock.clone()),
        Arc::new(host.store.clone()),
        Arc::new(Unlimited),
    );
    let pipeline = Arc::new(Pipeline::new(parts, 1));
    let session = Session::with_token(adapter, pipeline, "cn_1".into(), token);
    for link in [
        format!("{}/calendar/v3/calendars/x/events?pageToken=2", foreign.uri()),
        format!("{}/next?token=1", host.fake.url().replace("127.0.0.1", "localhost")),
        "https://www.googleapis.com.evil.example/calendar/v3/".to_owned(),
    ] {
        let error = session.send(Request::get("events.list", Url::parse(&link).unwrap())).await.unwrap_err();
        assert_eq!(seen(&host, &error), (ErrorKind::InvalidRequest, "foreign_host".into()));
    }
    // Nor does an upload go where somebody else says.
    let upload = Url::parse(&format!("{}/upload/1", foreign.uri())).unwrap();
    let error = session.send(Request::new("upload", http::Method::PUT, upload)).await.unwrap_err();
    assert_eq!(seen(&host, &error), (ErrorKind::InvalidRequest, "foreign_host".into()));
    // Nor does a redirect take them there.
    let fault = Fault::on("events.list").status(307).header("location", &foreign.uri());
    host.fake.fault(fault);
    let connection = host.connect().await;
    let report = host.gateway.sync(&connection.id).await.unwrap();
    assert_eq!(seen(&host, report.failures().next().unwrap().1).0, ErrorKind::InvalidRequest);
    assert!(foreign.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn wrong_missing_and_changed_keys_are_told_apart() {
    let right = Vault::new("2026", [1; 32]).unwrap();
    let host = Host::with(|fake| fake.calendar(calendar()), |gateway| gateway.vault(right)).await;
    let connection = host.connect().await;
    for (vault, code) in [
        (Vault::new("2026", [2; 32]).unwrap(), "unsealing_failed"),
        (Vault::new("2027", [1; 32]).unwrap(), "unknown_key"),
    ] {
        let gateway = Gateway::builder()
            .adapter(GoogleCalendar::new(config(&host.fake)))
            .store(host.store.clone())
            .vault(vault)
            .clock(Arc::new(host.clock.clone()))
            .limits("google_calendar", Limits::UNKNOWN)
            .build()
            .unwrap();
        let error = gateway.sync(&connection.id).await.unwrap_err();
        assert_eq!(seen(&host, &error), (ErrorKind::Configuration, code.into()));
        // The connection is as it was: the right key still opens it.
        host.gateway.check_health(&connection.id).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_host_has_left_out_is_said_when_it_builds() {
    let fake = Host::new().await.fake;
    let missing = Gateway::builder().build().unwrap_err();
    assert_eq!(
        missing.to_string(),
        "configuration: the gateway needs an adapter: call `adapter` on its builder"
    );
    let missing = Gateway::builder()
        .adapter(GoogleCalendar::new(config(&fake)))
        .store(integrations_core::memory::MemoryStore::new())
        .build()
        .unwrap_err();
    assert_eq!(missing.to_string(), "configuration: the gateway needs a vault: call `vault` on its builder");
    let missing = GoogleConfig::builder().build().unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Configuration);
    let host = Host::new().await;
    for redirect in ["http://app.example/callback", "not an address", "https://app.example/#here"] {
        let begun = host.gateway.connect("ada", "google_calendar").redirect_uri(redirect).begin().await;
        assert_eq!(begun.unwrap_err().provider_code(), Some("redirect_uri"), "{redirect}");
    }
    let begun = host.gateway.connect("ada", "icq").redirect_uri(REDIRECT).begin().await;
    assert_eq!(begun.unwrap_err().kind(), ErrorKind::UnsupportedOperation);
}
