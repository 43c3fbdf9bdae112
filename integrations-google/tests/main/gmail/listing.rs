//! The whole mailbox, page by page.

use integrations_core::ErrorKind;
use integrations_core::model::{ChannelKind, RecordKind};
use integrations_core::sync::{SyncRequest, SyncSink, Window};
use integrations_google::Gmail;
use integrations_google::gmail::{LABELS, MESSAGES};
use integrations_testkit::Fault;

use super::{Mailbox, mail};
use crate::host::config;

#[tokio::test]
async fn a_mailbox_is_connected_with_what_it_needs_and_its_health_is_told() {
    let host = Mailbox::of(0).await;
    assert_eq!(host.connection.account.email.as_deref(), Some("ada@example.com"));
    assert!(host.connection.scopes.iter().any(|scope| scope.ends_with("gmail.readonly")));
    assert!(!host.connection.scopes.iter().any(|scope| scope.ends_with("gmail.modify")));
    host.fake.reset_counters();
    host.gateway.check_health(&host.connection.id).await.unwrap();
    assert_eq!((host.fake.count("getProfile"), host.fake.units_used()), (1, 1));
    let adapter = Gmail::new(config(&host.fake));
    assert_eq!(adapter.info().capabilities.kinds, [RecordKind::Message, RecordKind::Channel]);
}

#[tokio::test]
async fn both_streams_are_read_with_one_sync() {
    let host = Mailbox::of(3).await;
    let label = host.fake.add_label("Projects/Engine");
    let report = host.gateway.sync(&host.connection.id).await.unwrap().into_result().unwrap();
    let streams: Vec<_> = report.streams.iter().map(|(key, _)| key.stream.as_str()).collect();
    assert_eq!(streams, [MESSAGES, LABELS]);
    host.assert_same();

    let labels = host.labels();
    let own = labels.iter().find(|channel| channel.id == label).unwrap();
    assert_eq!((own.name.as_deref(), own.system), (Some("Projects/Engine"), false));
    let inbox = labels.iter().find(|channel| channel.id == "INBOX").unwrap();
    assert!(inbox.system && labels.iter().all(|label| label.kind == ChannelKind::Label));
    let known = |id: &String| labels.iter().any(|label| label.id == *id);
    assert!(host.messages().iter().flat_map(|message| &message.labels).all(known));

    // A label has no history: each sync lists them again.
    let second = host.fake.add_label("Later");
    let report = host.gateway.sync(&host.connection.id).await.unwrap().into_result().unwrap();
    let report = report.streams[1].1.as_ref().unwrap();
    assert_eq!((report.started_in, report.pages), ("listed", 1));
    assert!(host.labels().iter().any(|label| label.id == second));
}

#[tokio::test]
async fn a_full_sync_brings_every_message_once_and_the_next_one_nothing() {
    for (messages, pages) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (230, 3)] {
        let host = Mailbox::of(messages).await;
        host.fake.reset_counters();
        let report = host.sync().await;
        assert_eq!((report.pages, report.upserted, report.quarantined), (pages, messages, 0), "{messages}");
        host.assert_same();
        assert_eq!(host.fake.count("messages.get"), messages);
        assert_eq!(host.fake.units_used(), 1 + pages * 5 + messages * 20, "{messages}");

        host.fake.reset_counters();
        let report = host.sync().await;
        assert_eq!((report.started_in, report.pages, report.upserted, report.deleted), ("tracking", 1, 0, 0));
        assert_eq!((host.fake.units_used(), host.fake.items_served()), (2, 0));
    }
}

#[tokio::test]
async fn a_page_may_be_short_or_empty_while_another_follows() {
    let host = Mailbox::with(|fake| fake.messages(23).page_cap(5).empty_pages(true), |gateway| gateway).await;
    let report = host.sync().await;
    assert_eq!(report.upserted, 23);
    assert!(report.pages > 5, "{report:?}");
    host.assert_same();
}

#[tokio::test]
async fn spam_trash_drafts_and_sent_mail_are_there() {
    let host = Mailbox::of(0).await;
    let add = |labels: &[&str]| host.fake.add_message(mail("x").labels(labels));
    let (spam, trash, draft) = (add(&["SPAM"]), add(&["TRASH", "UNREAD"]), add(&["DRAFT"]));
    let (sent, archived) = (add(&["SENT", "STARRED", "IMPORTANT"]), add(&[]));
    host.sync().await;
    host.assert_same();
    assert!(host.message(&spam).spam && !host.message(&spam).trashed);
    assert!(host.message(&trash).trashed && host.message(&trash).read == Some(false));
    assert_eq!(host.message(&draft).status.as_str(), "draft");
    let sent = host.message(&sent);
    assert!(sent.starred && sent.important && !sent.inbox && sent.read == Some(true));
    assert!(host.message(&archived).labels.is_empty());
}

#[tokio::test]
async fn a_listing_that_breaks_is_taken_up_and_what_changed_meanwhile_is_not_lost() {
    let host = Mailbox::with(|fake| fake.messages(23).page_cap(5), |gateway| gateway).await;
    host.fake.fault(Fault::on("messages.list").nth(3).status(500));
    assert_eq!(host.fail().await.kind(), ErrorKind::ServiceUnavailable);
    let stored = host.store.load(&host.key(MESSAGES)).await.unwrap();
    assert_eq!(stored.position.phase(), "listing");

    // On pages that were read, and on one that is still to be.
    let ids = host.fake.message_ids();
    host.fake.add_labels(&ids[0], &["STARRED"]);
    host.fake.delete_message(&ids[1]);
    host.fake.delete_message(&ids[20]);
    host.fake.add_message(mail("new"));
    host.fake.reset_counters();
    let report = host.sync().await;
    assert_eq!((report.started_in, report.upserted), ("listing", 12));
    assert_eq!(host.fake.count("getProfile"), 0, "the listing keeps its mark");
    host.sync().await;
    host.assert_same();
}

#[tokio::test]
async fn a_message_that_goes_between_the_listing_and_its_reading_is_gone() {
    let host = Mailbox::of(0).await;
    host.fake.add_message(mail("stays"));
    let goes = host.fake.add_message(mail("goes"));
    host.fake.fault(Fault::on("messages.get").nth(2).status(404));
    let report = host.sync().await;
    assert_eq!((report.upserted, report.deleted, report.quarantined), (1, 1, 0));
    assert!(host.records().iter().all(|record| record.id() != goes || host.records().len() == 1));
}

#[tokio::test]
async fn a_page_token_that_is_refused_begins_the_listing_anew() {
    let host = Mailbox::with(|fake| fake.messages(23).page_cap(5), |gateway| gateway).await;
    host.fake.fault(Fault::on("messages.list").nth(3).status(500));
    host.fail().await;
    host.fake.expire_mail_page_tokens();
    let report = host.sync().await;
    assert_eq!((report.resyncs, report.upserted), (1, 23));
    host.assert_same();
}

#[tokio::test]
async fn a_window_is_asked_for_kept_to_and_widened() {
    let host = Mailbox::of(0).await;
    let at = |text: &str| text.parse().unwrap();
    let add = |date: &str| host.fake.add_message(mail(date).date(at(date)));
    let ids = [
        add("2026-03-01T00:00:00Z"),
        add("2026-03-05T00:00:00Z"),
        add("2026-03-10T12:00:00Z"),
        add("2026-03-14T23:59:59Z"),
        add("2026-03-15T00:00:00Z"),
    ];
    let window = Window::since(at("2026-03-05T00:00:00Z")).until(at("2026-03-15T00:00:00Z"));
    host.fake.reset_counters();
    host.sync_with(SyncRequest::incremental().within(window)).await.unwrap().into_result().unwrap();
    let stored = || {
        let mut ids: Vec<_> = host.messages().into_iter().map(|message| message.id).collect();
        ids.sort_by_key(|id| host.message(id).sent_at);
        ids
    };
    assert_eq!(stored(), ids[1..4]);
    assert!(host.fake.count("messages.get") <= 4, "those further away are not even fetched");

    // What changes outside of it does not come in.
    host.fake.add_labels(&ids[0], &["STARRED"]);
    add("2026-02-01T00:00:00Z");
    let inside = add("2026-03-06T00:00:00Z");
    let report = host.sync().await;
    assert_eq!((report.upserted, report.outside), (1, 2));
    assert!(stored().contains(&inside));

    let wide = SyncRequest::incremental().within(Window::since(at("2026-01-01T00:00:00Z")));
    host.sync_with(wide).await.unwrap().into_result().unwrap();
    host.assert_same();
}

#[tokio::test]
async fn a_grant_without_the_scope_says_so() {
    let host = Mailbox::of(3).await;
    host.fake.fault(Fault::on("messages.get").status(403).reason("insufficientPermissions").always());
    assert_eq!(host.fail().await.kind(), ErrorKind::InsufficientPermissions);
    assert!(host.quarantine().is_empty(), "it is not the messages' fault");
}
