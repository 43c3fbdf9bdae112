//! What changes in a mailbox, and what is fetched of it.

use integrations_core::ErrorKind;
use integrations_core::sync::{Position, SyncSink};
use integrations_google::gmail::MESSAGES;
use integrations_testkit::{Fault, Gate};

use super::{Mailbox, mail};

#[tokio::test]
async fn an_incremental_sync_fetches_exactly_what_has_changed() {
    let host = Mailbox::of(30).await;
    host.sync().await;
    let ids = host.fake.message_ids();
    host.fake.add_labels(&ids[3], &["STARRED"]);
    host.fake.trash_message(&ids[4]);
    host.fake.delete_message(&ids[5]);
    let label = host.fake.add_label("Bills");
    host.fake.modify_messages(&[&ids[6], &ids[7]], &[&label], &["INBOX"]);
    let added = host.fake.add_message(mail("new"));
    host.fake.reset_counters();
    let report = host.sync().await;
    assert_eq!((report.upserted, report.deleted, report.pages), (5, 1, 1));
    assert_eq!((host.fake.count("messages.get"), host.fake.units_used()), (5, 2 + 5 * 20));
    assert!(host.message(&ids[3]).starred && host.message(&ids[4]).trashed);
    assert!(host.message(&ids[6]).labels.contains(&label) && !host.message(&ids[7]).inbox);
    assert_eq!(host.message(&added).subject.as_deref(), Some("new"));
    host.assert_same();
    host.fake.untrash_message(&ids[4]);
    host.sync().await;
    assert!(!host.message(&ids[4]).trashed);
}

#[tokio::test]
async fn a_message_that_changed_often_is_fetched_once_and_one_that_came_and_went_never() {
    let host = Mailbox::of(3).await;
    host.sync().await;
    let id = host.fake.message_ids().remove(0);
    for _ in 0..5 {
        host.fake.add_labels(&id, &["STARRED"]);
        host.fake.remove_labels(&id, &["STARRED"]);
    }
    let brief = host.fake.add_message(mail("brief"));
    host.fake.add_labels(&brief, &["STARRED"]);
    host.fake.delete_message(&brief);
    host.fake.reset_counters();
    let report = host.sync().await;
    assert_eq!((report.upserted, report.deleted), (1, 1));
    assert_eq!(host.fake.count("messages.get"), 1);
    host.assert_same();
}

#[tokio::test]
async fn a_long_history_comes_in_pages_and_its_mark_is_that_of_the_first() {
    let host = Mailbox::with(|fake| fake.messages(10).page_cap(4).empty_pages(true), |gateway| gateway).await;
    host.sync().await;
    for number in 0..11 {
        host.fake.add_message(mail(&format!("No. {number}")));
    }
    let first = host.fake.history_id();
    let ids = host.fake.message_ids();
    // While the second page is on its way, what the first one had changes once more, and goes.
    let gate = Gate::new();
    host.fake.fault(Fault::on("history.list").nth(2).hold(&gate));
    let change = async {
        gate.arrived(1).await;
        host.fake.add_labels(&ids[10], &["STARRED"]);
        host.fake.delete_message(&ids[9]);
        gate.open();
    };
    let (report, ()) = futures_util::join!(host.sync(), change);
    assert!(report.pages >= 4, "{report:?}");
    let stored = host.store.load(&host.key(MESSAGES)).await.unwrap();
    let Position::Tracking { since, page: None, .. } = stored.position else { panic!("{stored:?}") };
    assert_eq!(since.as_str(), first);
    host.sync().await;
    host.assert_same();
}

#[tokio::test]
async fn one_change_of_many_messages_comes_in_pages_too() {
    let host = Mailbox::of(250).await;
    host.sync().await;
    let ids = host.fake.message_ids();
    let many: Vec<&str> = ids.iter().take(230).map(String::as_str).collect();
    let label = host.fake.add_label("Bills");
    host.fake.modify_messages(&many, &[&label], &[]);
    host.fake.delete_message(&ids[3]);
    host.fake.add_message(mail("after"));
    host.fake.reset_counters();
    let report = host.sync().await;
    assert_eq!((report.pages, report.upserted, report.deleted), (3, 230, 1));
    assert_eq!((host.fake.count("messages.get"), host.fake.count("history.list")), (230, 3));
    host.assert_same();
}

#[tokio::test]
async fn a_history_that_google_has_forgotten_leads_to_a_new_listing() {
    let host = Mailbox::of(23).await;
    host.sync().await;
    let ids = host.fake.message_ids();
    host.fake.delete_message(&ids[2]);
    host.fake.add_labels(&ids[3], &["STARRED"]);
    host.fake.expire_history();
    let report = host.sync().await;
    assert_eq!((report.resyncs, report.swept), (1, 1));
    assert_eq!(host.heard.count("StreamResync"), 1);
    host.assert_same();
    assert_eq!(host.sync().await.resyncs, 0);
}

#[tokio::test]
async fn a_page_of_the_history_that_is_forgotten_costs_no_new_listing() {
    let host = Mailbox::with(|fake| fake.messages(10).page_cap(4), |gateway| gateway).await;
    host.sync().await;
    for number in 0..11 {
        host.fake.add_message(mail(&format!("No. {number}")));
    }
    host.fake.fault(Fault::on("history.list").nth(3).status(500));
    assert_eq!(host.fail().await.kind(), ErrorKind::ServiceUnavailable);
    host.fake.expire_mail_page_tokens();
    host.fake.reset_counters();
    let report = host.sync().await;
    assert_eq!((report.resyncs, host.fake.count("messages.list")), (0, 0));
    host.assert_same();

    // A provider that forgets each of them is not asked for ever.
    for number in 0..11 {
        host.fake.add_message(mail(&format!("No. {number}")));
    }
    let refused = r#"{"error":{"code":400,"message":"Invalid page token.","status":"INVALID_ARGUMENT"}}"#;
    for call in [2, 3, 4, 5] {
        let fault = Fault::on("history.list").nth(call).status(400).body(refused, "application/json");
        if call % 2 == 0 {
            host.fake.fault(fault);
        }
    }
    host.fake.reset_counters();
    let report = host.sync().await;
    assert_eq!(report.resyncs, 1);
    assert!(host.fake.count("history.list") < 10);
    host.sync().await;
    host.assert_same();
}

#[tokio::test]
async fn a_message_that_turns_malformed_is_not_swept_as_if_it_were_gone() {
    let host = Mailbox::of(5).await;
    host.sync().await;
    let id = host.fake.message_ids().remove(0);
    let odd = format!(r#"{{"id":"{id}","threadId":7}}"#);
    host.fake.expire_history();
    // The newest is the first that is asked for.
    host.fake.fault(Fault::on("messages.get").nth(1).body(&odd, "application/json"));
    let report = host.sync().await;
    assert_eq!((report.quarantined, report.swept, report.withheld), (1, 0, None));
    assert_eq!(host.quarantine(), [(id, "$.threadId: expected a string".to_owned())]);
    assert_eq!(host.records().len(), 5);
}
