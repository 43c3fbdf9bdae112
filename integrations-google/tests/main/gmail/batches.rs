//! Batches that succeed in part, or not at all.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::resilience::ExponentialRetry;
use integrations_core::{ErrorKind, Result};
use integrations_testkit::Fault;
use serde_json::json;

use super::{Mailbox, mail};

/// A mailbox of 20 messages: two batches.
async fn twenty() -> Mailbox {
    Mailbox::of(20).await
}

/// The message that the `nth` call asks for.
fn asked(host: &Mailbox, nth: usize) -> String {
    host.fake.message_ids().swap_remove(nth - 1)
}

#[tokio::test]
async fn what_failed_for_a_passing_reason_is_asked_for_again_alone() {
    for fault in [
        Fault::on("messages.get").nth(3).status(429).reason("rateLimitExceeded"),
        Fault::on("messages.get").nth(3).status(403).reason("userRateLimitExceeded"),
        Fault::on("messages.get").nth(3).times(4).status(500),
        Fault::on("messages.get").nth(3).status(409).reason("conflict"),
        // Left out of the answer, and cut off.
        Fault::on("messages.get").nth(3).times(2).reset(),
        Fault::on("messages.get").nth(3).truncate(100),
        Fault::on("messages.get").nth(3).body(r#"{"id": "#, "application/json"),
        Fault::on("messages.get").nth(3).html(),
    ] {
        let host = twenty().await;
        host.fake.reset_counters();
        host.fake.fault(fault.clone());
        let report = host.sync().await;
        assert_eq!((report.upserted, report.quarantined), (20, 0), "{fault:?}");
        assert_eq!(host.fake.count("batch"), 3, "{fault:?}");
        assert!((21..=24).contains(&host.fake.count("messages.get")), "{fault:?}");
        host.assert_same();
    }
}

#[tokio::test]
async fn a_limit_that_does_not_pass_ends_the_run_and_quarantines_nothing() {
    let host = twenty().await;
    host.fake.fault(Fault::on("messages.get").nth(3).status(429).header("retry-after", "30").always());
    let error = host.fail().await;
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(30))));
    assert!(host.quarantine().is_empty() && host.records().is_empty());
    host.fake.clear_faults();
    host.sync().await;
    host.assert_same();
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_is_the_services_failure() {
    for (status, kind) in
        [(500, ErrorKind::ServiceUnavailable), (429, ErrorKind::RateLimited), (504, ErrorKind::Timeout)]
    {
        let host = twenty().await;
        host.fake.fault(Fault::on("messages.get").status(status).always());
        let error = host.fail().await;
        assert_eq!((error.kind(), error.operation()), (kind, Some("messages.get")), "{error}");
        host.fake.clear_faults();
        host.fake.fault(Fault::on("batch").status(status).always());
        let error = host.fail().await;
        assert_eq!((error.kind(), error.operation()), (kind, Some("batch")), "{error}");
        host.fake.clear_faults();
        assert!(host.quarantine().is_empty());
        host.sync().await;
        host.assert_same();
    }
}

#[tokio::test]
async fn a_message_that_fails_for_ever_harms_itself_only() {
    // Eleven messages are a batch, and one that is alone in its batch.
    for nth in [4, 11] {
        let host = Mailbox::of(11).await;
        let id = asked(&host, nth);
        host.fake.fault(Fault::on("messages.get").nth(nth as u64).status(500));
        // The call behind the last message is for this one again.
        host.fake.fault(Fault::on("messages.get").nth(12).status(500));
        let report = host.sync().await;
        assert_eq!((report.upserted, report.quarantined), (10, 1), "{nth}");
        let reason = "$.error: Gmail gives an error and no message, 500, backendError";
        assert_eq!(host.quarantine(), [(id.clone(), reason.to_owned())]);

        // It is there again as soon as it changes.
        host.fake.clear_faults();
        host.fake.add_labels(&id, &["STARRED"]);
        host.sync().await;
        host.assert_same();
    }
}

#[tokio::test]
async fn a_message_that_fails_alone_may_be_the_service() {
    let host = twenty().await;
    host.sync().await;
    host.fake.add_labels(&asked(&host, 1), &["STARRED"]);
    host.fake.fault(Fault::on("messages.get").status(500).always());
    let error = host.fail().await;
    assert_eq!(error.kind(), ErrorKind::ServiceUnavailable);
    // Once another one is read, it is known to be the message.
    let other = asked(&host, 2);
    host.fake.add_labels(&other, &["STARRED"]);
    host.fake.clear_faults();
    host.fake.fault(Fault::on("messages.get").nth(1).status(500));
    host.fake.fault(Fault::on("messages.get").nth(3).status(500).always());
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (1, 1));
    assert!(host.message(&other).starred);
}

#[tokio::test]
async fn a_refusal_of_one_message_is_its_own() {
    let host = twenty().await;
    let id = asked(&host, 3);
    host.fake.fault(Fault::on("messages.get").nth(3).status(400).reason("invalidArgument"));
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (19, 1));
    let reason = "$.error: Gmail gives an error and no message, 400, invalidArgument";
    assert_eq!(host.quarantine(), [(id.clone(), reason.to_owned())]);
    let raw = host.store.quarantined(&host.key("messages")).remove(0).raw;
    let raw: serde_json::Value = serde_json::from_slice(raw.as_bytes()).unwrap();
    assert_eq!((&raw["id"], &raw["error"]["code"]), (&json!(id), &json!(400)));
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_middle_is_refreshed_and_the_batch_sent_again() {
    let host = twenty().await;
    host.fake.fault(Fault::on("messages.get").nth(5).status(401));
    let refreshes = host.fake.refreshes();
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (20, 0));
    assert_eq!(host.fake.refreshes() - refreshes, 1);
    host.assert_same();

    host.fake.expire_access_tokens();
    host.fake.expire_history();
    let report = host.sync().await;
    assert_eq!((report.resyncs, report.upserted), (1, 20));
    assert_eq!(host.fake.refreshes() - refreshes, 2);
}

#[tokio::test]
async fn a_whole_batch_is_waited_for_as_it_says() {
    let host = Mailbox::with(
        |fake| fake.messages(5),
        |gateway| gateway.retry_policy(Arc::new(ExponentialRetry::default())),
    )
    .await;
    host.fake.fault(Fault::on("messages.get").times(5).status(429).header("retry-after", "7"));
    let started = host.fake.count("batch");
    let (report, ()) = futures_util::join!(host.sync(), async {
        while host.clock.sleepers() < 2 || host.fake.count("batch") == started {
            tokio::task::yield_now().await;
        }
        for _ in 0..80 {
            host.clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(report.upserted, 5);
    assert_eq!(host.fake.count("batch"), started + 2);
}

#[tokio::test]
async fn an_answer_that_is_no_batch_is_said_and_read_again_by_the_next_run() {
    for (fault, kind) in [
        (Fault::on("batch").html(), ErrorKind::DataFormat),
        (Fault::on("batch").body("{}", "application/json"), ErrorKind::DataFormat),
        (Fault::on("batch").body("--a--", "multipart/mixed; boundary=b"), ErrorKind::DataFormat),
        (Fault::on("batch").truncate(700), ErrorKind::Network),
        (Fault::on("batch").reset(), ErrorKind::Network),
        (Fault::on("batch").status(404), ErrorKind::NotFound),
        (Fault::on("messages.list").html(), ErrorKind::DataFormat),
        (Fault::on("getProfile").body("{}", "application/json"), ErrorKind::DataFormat),
    ] {
        let host = twenty().await;
        host.fake.fault(fault);
        let error = host.fail().await;
        assert_eq!(error.kind(), kind, "{error}");
        host.sync().await;
        host.assert_same();
    }
}

/// Takes a 64th of what it may: 128 KiB for a batch, and 512 KiB for a single message.
#[derive(Debug)]
struct Small(ReqwestTransport);

#[async_trait]
impl Transport for Small {
    async fn send(&self, request: Request) -> Result<Response> {
        let most = request.max_body / 64;
        self.0.send(request.with_max_body(most)).await
    }
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_asked_for_in_halves() {
    let small = Arc::new(Small(ReqwestTransport::new("tests").unwrap()));
    let host = Mailbox::with(|fake| fake, |gateway| gateway.transport(small)).await;
    for number in 0..7 {
        host.fake.add_message(mail(&format!("No. {number}")));
    }
    let text = "0123456789abcdef".repeat(10 << 10);
    let large = host.fake.add_message(mail("large").text(&text));
    let larger = host.fake.add_message(mail("larger").text(&text.repeat(3)));
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (8, 1));
    assert_eq!(host.message(&large).text.unwrap().len(), text.len());
    let reason = "$.error: Gmail gives an error and no message, 413, body_too_large";
    assert_eq!(host.quarantine(), [(larger, reason.to_owned())]);
}

#[tokio::test]
async fn one_malformed_message_is_quarantined_and_its_page_goes_on() {
    let host = Mailbox::of(3).await;
    for item in [
        r#"{"id":"odd-date","internalDate":"yesterday"}"#,
        r#"{"id":"odd-labels","labelIds":["INBOX",7]}"#,
        r#"{"id":"odd-text","payload":{"parts":[{"mimeType":"text/plain","body":{"data":"?"}}]}}"#,
        r#"{"id":"odd-words","labelIds":["CATEGORY_SÉANCE"],"payload":{"mimeType":"x/y","headers":[{"name":"To"}]}}"#,
        r#"{"threadId":"x"}"#,
        r#""not an object""#,
    ] {
        host.fake.raw_message(item);
    }
    let report = host.sync().await;
    assert_eq!((report.upserted, report.quarantined), (4, 5));
    let row = |id: &str, reason: &str| (id.to_owned(), reason.to_owned());
    let mut quarantine = host.quarantine();
    quarantine.sort();
    assert_eq!(
        quarantine,
        [
            row("", "$: expected struct WireMessage"),
            row("", "$: missing field `id`"),
            row("odd-date", "$.internalDate: expected milliseconds since 1970"),
            row("odd-labels", "$.labelIds[1]: expected a string"),
            row("odd-text", "$.payload.parts[0].body.data: expected base64"),
        ]
    );
    assert_eq!(host.message("odd-words").labels, ["CATEGORY_SÉANCE"]);
}
