//! Rounds over the messages of a folder: moves, links, and what is asked for.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use integrations_core::ErrorKind;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::sync::{Position, SyncRequest, SyncSink};
use integrations_testkit::Fault;
use integrations_testkit::msgraph::{FolderSpec, SyncLoss};
use serde_json::json;

use super::Mailbox;

/// Writes down what is asked for.
#[derive(Debug)]
struct Recorder(ReqwestTransport, Arc<Mutex<Vec<(String, String)>>>);

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Request) -> integrations_core::Result<Response> {
        if request.operation == "messages.delta" {
            let prefer = request.headers.get("prefer").map(|value| value.to_str().unwrap().to_owned());
            self.1.lock().unwrap().push((request.url.to_string(), prefer.unwrap_or_default()));
        }
        self.0.send(request).await
    }
}

#[tokio::test]
async fn every_page_prefers_the_same_and_a_link_is_followed_as_it_is() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::new(Recorder(ReqwestTransport::new("tests").unwrap(), Arc::clone(&asked)));
    let mailbox = Mailbox::with(
        |fake| fake.page_cap(5).folder(FolderSpec::well_known("inbox").generated(12)),
        |gateway| gateway.transport(recorder),
        |config| config,
    )
    .await;
    mailbox.sync().await;
    let id = mailbox.fake.insert_message("inbox", json!({}));
    mailbox.sync().await;
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 4);
    for (_, prefer) in &asked {
        assert!(
            prefer.contains(r#"IdType="ImmutableId""#) && prefer.contains("odata.maxpagesize=100"),
            "{prefer}"
        );
    }
    assert!(asked[0].0.contains("?$select=") && asked[1].0.contains("?$skiptoken="), "{asked:?}");
    assert!(asked[3].0.contains("?$deltatoken="), "{asked:?}");
    // The link that is stored is the one that came.
    let state = mailbox.store.load(&mailbox.folder("inbox")).await.unwrap();
    let Position::Tracking { since, page: None, .. } = state.position else { panic!("{:?}", state.position) };
    assert!(since.as_str().starts_with(mailbox.fake.url()) && since.as_str().contains("$deltatoken="));
    assert!(id.starts_with("AAkA"), "an immutable id: {id}");
    mailbox.assert_same("inbox");
}

#[tokio::test]
async fn a_message_that_moves_is_the_same_in_another_stream() {
    let mailbox = Mailbox::new().await;
    let id = mailbox.fake.insert_message("inbox", json!({"subject": "Lunch"}));
    let sync = async || mailbox.sync_all(SyncRequest::incremental()).await.unwrap().into_result().unwrap();
    sync().await;
    let message = mailbox.message(&id);
    assert!(message.inbox && !message.trashed);
    for (folder, inbox, trashed, spam) in [
        ("archive", false, false, false),
        ("deleteditems", false, true, false),
        ("junkemail", false, false, true),
        ("inbox", true, false, false),
    ] {
        mailbox.fake.move_message(&id, folder);
        sync().await;
        let everywhere: Vec<_> = ["inbox", "archive", "deleteditems", "junkemail"]
            .into_iter()
            .filter(|folder| mailbox.records(folder).iter().any(|record| record.id() == id))
            .collect();
        assert_eq!(everywhere, [folder]);
        let record = mailbox.records(folder).remove(0);
        let message = record.entity.as_message().unwrap();
        assert_eq!((message.inbox, message.trashed, message.spam), (inbox, trashed, spam), "{folder}");
        assert_eq!(message.labels, [mailbox.fake.folder_id(folder)]);
    }
}

#[tokio::test]
async fn a_lost_position_is_known_in_all_its_words() {
    for loss in [SyncLoss::SyncStateNotFound, SyncLoss::ResyncRequired, SyncLoss::SyncStateInvalid] {
        let mailbox = Mailbox::new().await;
        mailbox.fake.lose_state_with(loss);
        let gone = mailbox.fake.insert_message("inbox", json!({}));
        mailbox.fake.insert_message("inbox", json!({}));
        mailbox.sync().await;
        mailbox.fake.expire_delta_tokens();
        mailbox.fake.delete_message(&gone);
        let report = mailbox.sync().await;
        assert_eq!((report.resyncs, report.swept), (1, 1), "{loss:?}");
        mailbox.assert_same("inbox");
    }
    for reason in ["BadRequest/syncStateNotFound", "x/y/SYNCSTATEINVALID", "ErrorX/resyncRequired"] {
        let mailbox = Mailbox::new().await;
        mailbox.sync().await;
        drop(mailbox.fake.fault(Fault::on("messages.delta").status(400).reason(reason)));
        assert_eq!(mailbox.sync().await.resyncs, 1, "{reason}");
    }
}

#[tokio::test]
async fn a_page_that_goes_on_elsewhere_or_nowhere_is_refused_and_not_stored() {
    for (page, kind, code) in [
        (
            r#"{"value":[],"@odata.nextLink":"https://evil.example/v1.0/x"}"#,
            ErrorKind::InvalidRequest,
            Some("foreign_host"),
        ),
        (
            r#"{"value":[],"@odata.deltaLink":"http://127.0.0.1:1/x"}"#,
            ErrorKind::InvalidRequest,
            Some("foreign_host"),
        ),
        (r#"{"value":[],"@odata.nextLink":"me/messages"}"#, ErrorKind::DataFormat, None),
        (r#"{"value":[]}"#, ErrorKind::DataFormat, None),
        (r#"{"@odata.context":"x"}"#, ErrorKind::DataFormat, None),
        (r#"{"value":[{"id":"1"}"#, ErrorKind::DataFormat, None),
    ] {
        let mailbox = Mailbox::new().await;
        mailbox.fake.insert_message("inbox", json!({}));
        drop(mailbox.fake.fault(Fault::on("messages.delta").body(page, "application/json")));
        let error = mailbox.fail().await;
        assert_eq!((error.kind(), error.provider_code()), (kind, code), "{page}: {error}");
        mailbox.sync().await;
        mailbox.assert_same("inbox");
    }
}

#[tokio::test]
async fn a_folder_is_read_whole_whatever_the_window_is() {
    let mailbox = Mailbox::new().await;
    let old = mailbox.fake.insert_message("inbox", json!({"receivedDateTime": "2025-01-01T00:00:00Z"}));
    let new = mailbox.fake.insert_message("inbox", json!({"receivedDateTime": "2026-03-01T00:00:00Z"}));
    let window = integrations_core::sync::Window::since("2026-01-01T00:00:00Z".parse().unwrap());
    let report = mailbox.sync_all(SyncRequest::incremental().within(window)).await.unwrap();
    report.into_result().unwrap();
    assert_eq!(mailbox.messages().iter().map(|message| &message.id).collect::<Vec<_>>(), [&new]);
    // What is outside and changes is followed all the same: it may come inside.
    mailbox.fake.patch_message(&old, json!({"receivedDateTime": "2026-02-01T00:00:00Z"}));
    mailbox.sync_all(SyncRequest::incremental()).await.unwrap().into_result().unwrap();
    assert_eq!(mailbox.messages().len(), 2);
}

#[tokio::test]
async fn the_mailbox_is_looked_at_by_one_cheap_call() {
    let mailbox = Mailbox::new().await;
    mailbox.fake.reset_counters();
    mailbox.gateway.check_health(&mailbox.connection.id).await.unwrap();
    let asked: Vec<_> = mailbox.fake.requests().iter().map(|request| request.operation).collect();
    assert_eq!(asked, ["mailFolders.get"]);
}
