//! Whatever goes wrong has an error of its own, loses nothing, harms nothing else and shows no secret.

use std::sync::Arc;
use std::time::Duration;

use integrations_core::error::Disposition;
use integrations_core::model::MessageKind;
use integrations_core::sync::SyncRequest;
use integrations_core::{Error, ErrorKind};
use integrations_testkit::Fault;
use serde_json::json;

use crate::host::{GENERAL, HISTORY, Host, REPLIES, general};

/// Kind and code, once it is sure that the text holds no secret.
fn seen(host: &Host, error: &Error) -> (ErrorKind, String) {
    let text = format!("{error} {error:?}");
    assert!(!text.contains(host.fake.client_secret()), "{text}");
    for secret in host.fake.issued_secrets() {
        assert!(!text.contains(&secret), "{text}");
    }
    assert!(!text.contains('?') && !text.contains("cursor="), "a query string: {text}");
    (error.kind(), error.provider_code().unwrap_or_default().to_owned())
}

async fn with_messages(messages: usize) -> (Host, integrations_core::Connection) {
    let host = Host::new().await;
    for number in 0..messages {
        host.fake.post(GENERAL, json!({"text": format!("message {number}")}));
    }
    let connection = host.connect().await;
    (host, connection)
}

#[tokio::test]
#[rustfmt::skip]
async fn every_failure_has_a_kind_and_the_next_run_goes_on() {
    for (fault, kind, code) in [
        (Fault::on(HISTORY).reason("channel_not_found"), ErrorKind::NotFound,                "channel_not_found"),
        (Fault::on(HISTORY).reason("not_in_channel"),    ErrorKind::InsufficientPermissions, "not_in_channel"),
        (Fault::on(HISTORY).reason("missing_scope"),     ErrorKind::InsufficientPermissions, "missing_scope"),
        (Fault::on(HISTORY).reason("internal_error"),    ErrorKind::ServiceUnavailable,      "internal_error"),
        (Fault::on(HISTORY).reason("ratelimited"),       ErrorKind::RateLimited,             "ratelimited"),
        (Fault::on(HISTORY).reason("brand_new_code"),    ErrorKind::InvalidRequest,          "brand_new_code"),
        (Fault::on(HISTORY).status(429),                 ErrorKind::RateLimited,             "ratelimited"),
        (Fault::on(HISTORY).status(500),                 ErrorKind::ServiceUnavailable,      ""),
        (Fault::on(HISTORY).html(),                      ErrorKind::DataFormat,              ""),
        (Fault::on(HISTORY).truncate(100),               ErrorKind::Network,                 ""),
        (Fault::on(HISTORY).reset(),                     ErrorKind::Network,                 ""),
    ] {
        let (host, connection) = with_messages(12).await;
        host.fake.fault(fault.clone().nth(2));
        let error = host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
        assert_eq!(seen(&host, &error), (kind, code.to_owned()), "{fault:?}");
        assert_eq!(error.operation(), Some(HISTORY));
        host.sync_general(&connection).await;
        host.assert_same(&connection, GENERAL);
        // And so it is with changes.
        host.fake.post(GENERAL, json!({"text": "new"}));
        host.fake.fault(fault.clone());
        let error = host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
        assert_eq!(seen(&host, &error).0, kind);
        host.sync_general(&connection).await;
        host.assert_same(&connection, GENERAL);
    }
}

#[tokio::test]
async fn a_429_says_for_how_long_and_is_waited_for() {
    let (host, connection) = with_messages(3).await;
    host.fake.fault(Fault::on(HISTORY).status(429).header("retry-after", "17"));
    let error = host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry { after: Some(Duration::from_secs(17)) });

    // With the family's own patience.
    let patient = |gateway: integrations_core::GatewayBuilder| {
        gateway.retry_policy(Arc::new(integrations_core::resilience::ExponentialRetry::default()))
    };
    let host = Host::with(|fake| fake.channel(general()), |config| config, patient).await;
    host.fake.post(GENERAL, json!({"text": "hello"}));
    let connection = host.connect().await;
    host.fake.fault(Fault::on(HISTORY).status(429).header("retry-after", "17"));
    host.fake.reset_counters();
    let stream = GENERAL.into();
    let run = host.gateway.sync_stream(&connection.id, &stream, SyncRequest::incremental());
    let before = integrations_core::clock::Clock::monotonic(&host.clock);
    let waits = async {
        loop {
            // While the call is under way nothing is to be waited for but its answer.
            if host.fake.requests().iter().filter(|request| request.operation == HISTORY).count() == 1 {
                host.clock.advance(Duration::from_millis(250));
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        report = run => assert_eq!(report.unwrap().upserted, 1),
        () = waits => {}
    }
    let waited = integrations_core::clock::Clock::monotonic(&host.clock) - before;
    assert!((17..60).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!((host.fake.rate_limited(HISTORY), host.fake.answered(HISTORY)), (1, 1));
}

#[tokio::test]
async fn a_message_that_cannot_be_read_harms_itself_alone() {
    let (host, connection) = with_messages(4).await;
    for text in [
        r#"{"type":"message","text":"no ts"}"#,
        r#"{"type":"message","ts":1772440000.1,"text":"a number"}"#,
        r#"{"type":"message","ts":"1772440001.000001","text":7}"#,
        r#"{"type":"message","ts":"1772440002.000001","reactions":[{"count":1}]}"#,
        r#"{"type":"message","ts":"1772440003.000001","reply_count":"many"}"#,
        r#"{"type":"message","ts":"17724400.00001","text":"too short"}"#,
        "null",
    ] {
        host.fake.raw_message(GENERAL, text);
    }
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.quarantined), (4, 7));
    let mut found: Vec<_> = host
        .quarantined(&connection, GENERAL)
        .into_iter()
        .map(|item| (item.id, format!("{}: {}", item.path, item.reason)))
        .collect();
    found.sort();
    let ts = "expected a timestamp of 10 digits, a point and 6 digits";
    let expected: Vec<(Option<String>, String)> = vec![
        (None, "$: missing field `ts`".into()),
        (None, "$: expected struct WireMessage".into()),
        (None, format!("$.ts: {ts}")),
        (None, format!("$.ts: {ts}")),
        (Some("1772440001.000001".into()), "$.text: expected a string".into()),
        (Some("1772440002.000001".into()), "$.reactions[0]: missing field `name`".into()),
        (Some("1772440003.000001".into()), "$.reply_count: expected a string of digits".into()),
    ];
    let mut expected = expected;
    expected.sort();
    assert_eq!(found, expected);

    // They are not given again, and as long as they are there, nothing is taken for gone.
    let messages = host.fake.history(GENERAL);
    let gone = messages.last().unwrap();
    host.fake.delete(GENERAL, gone);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));
    assert_eq!(report.quarantined, 0, "what is known to be odd is not told twice");
    assert!(host.records(&connection, GENERAL).iter().any(|record| record.id() == gone));
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_harms_itself_alone() {
    let (host, connection) = with_messages(1).await;
    let parent = host.fake.history(GENERAL).remove(0);
    host.fake.reply(GENERAL, &parent, json!({"text": "fine"}));
    host.fake.raw_reply(GENERAL, &parent, r#"{"type":"message","text":"no ts"}"#);
    let bad = r#"{"type":"message","ts":"1772440002.000001","thread_ts":"PARENT","edited":{"ts":"now"}}"#;
    host.fake.raw_reply(GENERAL, &parent, &bad.replace("PARENT", &parent));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.quarantined), (2, 2));
    host.fake.reply(GENERAL, &parent, json!({"text": "fine, too"}));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.quarantined, report.deleted), (2, 0, 0));
}

#[tokio::test]
async fn what_is_not_known_is_kept() {
    let (host, connection) = with_messages(0).await;
    let odd = host.fake.post(GENERAL, json!({"subtype": "dream_share", "text": "zzz"}));
    let block = json!([{"type": "hologram", "beam": {"title": 7}}, {"type": "hologram", "text": "seen"}]);
    let odder = host.fake.post(GENERAL, json!({"text": "stands in", "blocks": block}));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.quarantined), (2, 0));
    assert_eq!(host.message(&connection, &odd).kind, MessageKind::Other("dream_share".into()));
    assert_eq!(host.message(&connection, &odder).text.as_deref(), Some("seen"));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_cursor_is_percent_encoded_and_the_token_stands_in_no_address() {
    // The fake's cursors end with `=` and hold `+` and `/`; it refuses one that has suffered.
    let (host, connection) = with_messages(40).await;
    host.sync(&connection).await;
    host.assert_same(&connection, GENERAL);
    for request in host.fake.requests() {
        assert_eq!(request.status, 200, "{request:?}");
    }
    let read = [HISTORY, REPLIES, "users.list", "users.conversations"];
    for request in host.fake.requests().iter().filter(|request| read.contains(&request.operation)) {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("GET", &*format!("/api/{}", request.operation))
        );
    }
}

#[tokio::test]
async fn a_grant_that_ends_stops_the_run_and_no_other_stream_is_tried() {
    let (host, connection) = with_messages(3).await;
    host.fake.revoke_grant();
    let error = host.gateway.sync(&connection.id).await.unwrap_err();
    assert_eq!(seen(&host, &error), (ErrorKind::ReauthorizationRequired, "token_revoked".into()));
}

#[tokio::test]
async fn an_access_token_that_expires_on_the_way_is_refreshed() {
    let (host, connection) = with_messages(12).await;
    host.fake.fault(Fault::on(HISTORY).nth(2).reason("token_expired"));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, host.fake.refreshes()), (12, 1));
    host.assert_same(&connection, GENERAL);
}
