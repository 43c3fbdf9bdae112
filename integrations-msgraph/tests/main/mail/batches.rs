//! Batches that succeed in part, or not at all.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::ErrorKind;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_testkit::Fault;
use serde_json::json;

use super::Mailbox;

/// A mailbox of 23 messages with a file each: two batches.
async fn mailbox() -> Mailbox {
    fill(Mailbox::new().await)
}

fn fill(mailbox: Mailbox) -> Mailbox {
    for number in 0..23 {
        let files = json!([{"name": format!("{number}.txt")}]);
        mailbox
            .fake
            .insert_message("inbox", json!({"subject": format!("No. {number}"), "attachments": files}));
    }
    mailbox.fake.reset_counters();
    mailbox
}

fn list() -> Fault {
    Fault::on("attachments.list")
}

#[tokio::test]
async fn the_parts_of_a_batch_are_asked_for_once_each() {
    let mailbox = mailbox().await;
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (23, 0));
    assert_eq!((mailbox.fake.count("batch"), mailbox.fake.count("attachments.list")), (2, 23));
    mailbox.assert_same("inbox");
}

#[tokio::test]
async fn what_failed_for_a_passing_reason_is_asked_for_again_alone() {
    for (fault, batches) in [
        (list().nth(3).status(429), 3),
        (list().nth(3).times(2).status(500), 3),
        (list().nth(3).status(409).reason("ErrorIrresolvableConflict"), 3),
        // Left out of the answer.
        (list().nth(3).times(2).reset(), 3),
        (list().nth(3).html(), 3),
        (list().times(20).status(503).reason("serviceNotAvailable"), 4),
    ] {
        let mailbox = Mailbox::with(
            |fake| fake,
            |gateway| {
                let retry = integrations_core::resilience::ExponentialRetry::default();
                super::one_at_a_time(gateway).retry_policy(Arc::new(retry))
            },
            |config| config,
        )
        .await;
        let mailbox = fill(mailbox);
        drop(mailbox.fake.fault(fault.clone()));
        let report = mailbox.sync().await;
        assert_eq!((report.upserted, report.quarantined), (23, 0), "{fault:?}");
        assert!(mailbox.fake.count("batch") <= batches, "{fault:?}");
        mailbox.assert_same("inbox");
    }
}

#[tokio::test]
async fn the_longest_wait_of_the_parts_is_kept_to() {
    let mailbox = mailbox().await;
    drop(mailbox.fake.fault(list().nth(2).status(429).header("retry-after", "7")));
    drop(mailbox.fake.fault(list().nth(5).status(429).header("retry-after", "11")));
    drop(mailbox.fake.fault(list().nth(9).status(429)));
    mailbox.waits.lock().unwrap().clear();
    mailbox.sync().await;
    assert!(mailbox.waits.lock().unwrap().contains(&Duration::from_secs(11)));
    // 20 and the 3 that were refused, and 3.
    assert_eq!((mailbox.fake.count("batch"), mailbox.fake.count("attachments.list")), (3, 26));
    mailbox.assert_same("inbox");
}

#[tokio::test]
async fn a_limit_that_does_not_pass_ends_the_run_and_quarantines_nothing() {
    for (seconds, batches) in [("12", 4), ("3600", 1)] {
        let mailbox = mailbox().await;
        let armed = mailbox.fake.fault(list().nth(3).status(429).header("retry-after", seconds).always());
        let error = mailbox.fail().await;
        let wait = Duration::from_secs(seconds.parse().unwrap());
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(wait)));
        assert!(mailbox.fake.count("batch") <= batches);
        assert!(mailbox.quarantine().is_empty() && mailbox.messages().is_empty());
        armed.take_back();
        mailbox.sync().await;
        mailbox.assert_same("inbox");
    }
}

#[tokio::test]
async fn a_service_that_gives_nothing_is_not_the_messages_fault() {
    for (operation, status, kind) in [
        ("attachments.list", 500, ErrorKind::ServiceUnavailable),
        ("attachments.list", 429, ErrorKind::RateLimited),
        ("attachments.list", 504, ErrorKind::Timeout),
        ("batch", 500, ErrorKind::ServiceUnavailable),
        ("batch", 429, ErrorKind::RateLimited),
    ] {
        let mailbox = mailbox().await;
        drop(mailbox.fake.fault(Fault::on(operation).status(status).always()));
        assert_eq!(mailbox.fail().await.kind(), kind, "{operation} {status}");
        mailbox.fake.clear_faults();
        assert!(mailbox.quarantine().is_empty());
        mailbox.sync().await;
        mailbox.assert_same("inbox");
    }
}

#[tokio::test]
async fn a_message_that_fails_for_ever_harms_itself_only() {
    let mailbox = mailbox().await;
    let ids = mailbox.fake.message_ids("inbox");
    drop(mailbox.fake.fault(list().nth(4).status(403).reason("ErrorAccessDenied")));
    // Deleted since its page was read.
    drop(mailbox.fake.fault(list().nth(6).status(404).reason("ErrorItemNotFound")));
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (22, 1));
    let reason = "$.attachments: Graph does not say which attachments it has, 403, ErrorAccessDenied";
    assert_eq!(mailbox.quarantine(), [(ids[3].clone(), reason.to_owned())]);
    assert_eq!(mailbox.message(&ids[5]).attachments, []);
    // The message itself is there to be read.
    let raw = mailbox.store.quarantined(&mailbox.folder("inbox")).remove(0).raw;
    let raw: serde_json::Value = serde_json::from_slice(raw.as_bytes()).unwrap();
    assert_eq!(raw["subject"], "No. 3");

    // Once it has changed, it comes again.
    mailbox.fake.mark_read(&ids[3], true);
    mailbox.fake.mark_read(&ids[5], true);
    mailbox.sync().await;
    mailbox.assert_same("inbox");
}

#[tokio::test]
async fn a_message_that_fails_for_long_while_others_are_given_is_quarantined() {
    let mailbox = mailbox().await;
    let ids = mailbox.fake.message_ids("inbox");
    drop(mailbox.fake.fault(list().nth(4).status(500)));
    // The call behind the first twenty is for this one again.
    drop(mailbox.fake.fault(list().nth(21).status(500)));
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (22, 1));
    let reason = "$.attachments: Graph does not say which attachments it has, 500, generalException";
    assert_eq!(mailbox.quarantine(), [(ids[3].clone(), reason.to_owned())]);

    // One that fails alone may be the service, or it may be the message: the inbox tells.
    mailbox.fake.mark_read(&ids[3], true);
    drop(mailbox.fake.fault(list().status(500).always()));
    let inbox = mailbox.fake.fault(Fault::on("mailFolders.get").status(500).always());
    assert_eq!(mailbox.fail().await.kind(), ErrorKind::ServiceUnavailable);
    inbox.take_back();
    assert_eq!(mailbox.sync().await.quarantined, 1);
    mailbox.fake.clear_faults();
    mailbox.fake.mark_read(&ids[3], false);
    mailbox.sync().await;
    mailbox.assert_same("inbox");
}

#[tokio::test]
async fn a_message_that_is_alone_in_its_batch_is_told_by_those_before_it() {
    let mailbox = mailbox().await;
    let ids = mailbox.fake.message_ids("inbox");
    for id in &ids[21..] {
        mailbox.fake.delete_message(id);
    }
    drop(mailbox.fake.fault(list().nth(21).status(503).always()));
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (20, 1));
    assert_eq!(mailbox.quarantine()[0].0, ids[20]);
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_middle_is_refreshed_and_the_batch_sent_again() {
    let mailbox = mailbox().await;
    let refreshes = mailbox.fake.refreshes();
    drop(mailbox.fake.fault(list().nth(5).status(401)));
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (23, 0));
    assert_eq!(mailbox.fake.refreshes() - refreshes, 1);
    mailbox.assert_same("inbox");
}

#[tokio::test]
async fn an_answer_that_is_no_batch_is_said_and_read_again_by_the_next_run() {
    let batch = || Fault::on("batch");
    for (fault, kind) in [
        (batch().html(), ErrorKind::DataFormat),
        (batch().body("{}", "application/json"), ErrorKind::DataFormat),
        (batch().body(r#"{"responses":[]}"#, "application/json"), ErrorKind::ServiceUnavailable),
        (
            batch().body(r#"{"responses":[7,{"id":"99","status":200}]}"#, "application/json"),
            ErrorKind::ServiceUnavailable,
        ),
        (batch().truncate(700), ErrorKind::Network),
        (batch().reset(), ErrorKind::Network),
        (batch().status(400), ErrorKind::InvalidRequest),
    ] {
        let mailbox = mailbox().await;
        drop(mailbox.fake.fault(fault.always()));
        assert_eq!(mailbox.fail().await.kind(), kind);
        mailbox.fake.clear_faults();
        mailbox.sync().await;
        mailbox.assert_same("inbox");
    }
}

/// Takes a fraction of what it may.
#[derive(Debug)]
struct Small(ReqwestTransport, usize);

#[async_trait]
impl Transport for Small {
    async fn send(&self, request: Request) -> integrations_core::Result<Response> {
        let most = match request.operation {
            "messages.delta" | "batch" => request.max_body / self.1,
            _ => request.max_body,
        };
        self.0.send(request.with_max_body(most)).await
    }
}

#[tokio::test]
async fn what_is_too_large_at_once_is_asked_for_in_halves() {
    // 4 KiB for a page or a batch, 16 KiB for a single message: nothing goes through whole.
    let small = Arc::new(Small(ReqwestTransport::new("tests").unwrap(), 8 << 10));
    let gateway = |gateway: integrations_core::GatewayBuilder| super::one_at_a_time(gateway).transport(small);
    let mailbox = fill(Mailbox::with(|fake| fake, gateway, |config| config).await);
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (23, 0));
    assert!(mailbox.fake.count("messages.delta") > 10, "{}", mailbox.fake.count("messages.delta"));
    mailbox.assert_same("inbox");
}
