//! A conversation is listed: page by page, thread by thread, and wherever it is interrupted, it goes on.

use integrations_core::sync::{SyncRequest, Window};
use integrations_core::{Connection, ErrorKind};
use integrations_testkit::{Fault, Gate};
use serde_json::json;

use crate::host::{GENERAL, HISTORY, HOUR, Host, REPLIES, general};

const PAGE: usize = 5;

/// Posts so many messages, one an hour, and returns their `ts`.
fn post(host: &Host, messages: usize) -> Vec<String> {
    let post = |number| {
        host.clock.advance(HOUR);
        host.fake.post(GENERAL, json!({"text": format!("message {number}")}))
    };
    (0..messages).map(post).collect()
}

fn reply(host: &Host, thread: &str, replies: usize) {
    for number in 0..replies {
        host.fake.reply(GENERAL, thread, json!({"text": format!("reply {number}")}));
    }
}

async fn listed(host: &Host) -> Connection {
    let connection = host.connect().await;
    let report = host.sync_general(&connection).await;
    assert_eq!((report.started_in, report.deleted, report.quarantined), ("start", 0, 0));
    host.assert_same(&connection, GENERAL);
    connection
}

#[tokio::test]
async fn every_number_of_messages_around_a_page_is_listed_and_the_next_run_costs_one_call() {
    for messages in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1] {
        let host = Host::new().await;
        // All but the last few lie outside of the look-back.
        post(&host, messages);
        host.clock.advance(48 * HOUR);
        post(&host, messages.min(2));
        listed(&host).await;
        let pages = (messages + messages.min(2)).div_ceil(PAGE).max(1) as u64;
        assert_eq!(host.calls(), (pages, 0), "{messages} messages");

        let connection = host.connect().await;
        let report = host.sync_general(&connection).await;
        assert_eq!((report.started_in, report.upserted, report.deleted), ("tracking", 0, 0));
        assert_eq!(host.calls(), (1, 0), "{messages} messages");
    }
}

#[tokio::test]
async fn every_length_of_a_thread_around_a_page_is_listed() {
    for (parent_on_every_page, empty_pages) in [(true, false), (false, false), (true, true), (false, true)] {
        let fake = |fake: integrations_testkit::slack::FakeSlackBuilder| {
            fake.channel(general()).parent_on_every_page(parent_on_every_page).empty_pages(empty_pages)
        };
        let host = Host::with(fake, |config| config, |gateway| gateway).await;
        for replies in [0, 1, 3, 4, 5, 6, 8, 9, 10, 11] {
            let parent = post(&host, 1).remove(0);
            reply(&host, &parent, replies);
        }
        let connection = listed(&host).await;
        let report = host.sync_general(&connection).await;
        assert_eq!((report.upserted, report.deleted), (0, 0));
    }
}

#[tokio::test]
async fn a_broadcast_reply_is_one_message() {
    let host = Host::new().await;
    let parent = post(&host, 1).remove(0);
    reply(&host, &parent, 2);
    let loud = host.fake.reply(GENERAL, &parent, json!({"text": "to all", "reply_broadcast": true}));
    let connection = listed(&host).await;
    assert_eq!(host.records(&connection, GENERAL).len(), 4);
    let loud = host.message(&connection, &loud);
    assert_eq!((loud.answers.as_deref(), loud.kind.as_str()), (Some(parent.as_str()), "chat"));
}

/// With full pages, and in as many calls as it takes.
#[tokio::test]
async fn a_thread_of_ten_thousand_replies_is_listed_page_by_page() {
    let fake = |fake: integrations_testkit::slack::FakeSlackBuilder| {
        fake.channel(general()).page_cap(usize::MAX).parent_on_every_page(false)
    };
    let host = Host::with(fake, |config| config, |gateway| gateway).await;
    let parent = post(&host, 1).remove(0);
    reply(&host, &parent, 10_000);
    let connection = host.connect().await;
    // Killed in its middle, it goes on from there.
    host.fake.fault(Fault::on(REPLIES).nth(31).status(500));
    let error = host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServiceUnavailable);
    let so_far = host.records(&connection, GENERAL).len() as u64;
    assert!(so_far > 5_000, "{so_far}");
    let report = host.sync_general(&connection).await;
    assert_eq!(report.started_in, "listing");
    assert_eq!(report.upserted + so_far, 10_001);
    assert_eq!(host.records(&connection, GENERAL).len(), 10_001);
    assert_eq!(host.calls(), (0, 21));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, host.calls()), (0, (1, 0)));
}

#[tokio::test]
async fn a_listing_whose_cursors_are_lost_goes_on_from_where_it_was() {
    let host = Host::new().await;
    let messages = post(&host, 4 * PAGE);
    reply(&host, &messages[10], 3 * PAGE);
    reply(&host, &messages[2], 1);
    let connection = host.connect().await;
    for (operation, nth) in [(HISTORY, 2), (REPLIES, 2), (HISTORY, 2)] {
        host.fake.fault(Fault::on(operation).nth(nth).status(500));
        host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
        host.fake.expire_cursors();
    }
    let before = host.records(&connection, GENERAL).len() as u64;
    let report = host.sync_general(&connection).await;
    assert_eq!((report.started_in, report.resyncs), ("listing", 0));
    assert_eq!(report.upserted + before, 7 * PAGE as u64 + 1, "nothing comes twice");
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn whoever_is_killed_at_any_call_loses_no_more_than_that_call() {
    for operation in [HISTORY, REPLIES] {
        for nth in 1.. {
            let host = Host::new().await;
            let messages = post(&host, 3 * PAGE);
            for message in &messages {
                reply(&host, message, 2);
            }
            let connection = host.connect().await;
            let gate = Gate::new();
            host.fake.fault(Fault::on(operation).nth(nth).hold(&gate));
            host.fake.reset_counters();
            let run = tokio::spawn({
                let (gateway, id) = (host.gateway.clone(), connection.id.clone());
                async move { gateway.sync_stream(&id, &GENERAL.into(), SyncRequest::incremental()).await }
            });
            tokio::select! {
                () = gate.arrived(1) => {}
                () = async { while !run.is_finished() { tokio::task::yield_now().await; } } => {}
            }
            if run.is_finished() {
                run.await.unwrap().unwrap();
                assert!(nth > 3, "{operation}: every call was tried");
                break;
            }
            run.abort();
            assert!(run.await.unwrap_err().is_cancelled());
            let killed = host.calls();
            let report = host.sync_general(&connection).await;
            assert_eq!((report.resyncs, report.deleted), (0, 0));
            host.assert_same(&connection, GENERAL);
            let again = host.calls();
            // The call that was under way, those of the piece of work that it belongs to, and the piece that was
            // being committed.
            let (history, replies) = (killed.0 + again.0 - 3, killed.1 + again.1 - 3 * PAGE as u64);
            assert!(history <= 2 && replies <= 10, "{operation} {nth}: {history} and {replies} more");
        }
    }
}

#[tokio::test]
async fn messages_that_come_while_a_listing_is_under_way_come_with_the_next_run() {
    let host = Host::new().await;
    post(&host, 3 * PAGE);
    let connection = host.connect().await;
    host.fake.fault(Fault::on(HISTORY).nth(2).status(500));
    host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
    let new = post(&host, PAGE + 1);
    reply(&host, &new[0], 2);
    host.sync_general(&connection).await;
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (PAGE as u64 + 3, 0));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_window_is_asked_for_and_kept_to() {
    let host = Host::new().await;
    let messages = post(&host, 30);
    reply(&host, &messages[12], 1);
    let time = |ts: &str| {
        let (seconds, micros) = ts.split_once('.').unwrap();
        chrono::DateTime::from_timestamp(seconds.parse().unwrap(), micros.parse::<u32>().unwrap() * 1_000)
            .unwrap()
    };
    let window = Window::since(time(&messages[10])).until(time(&messages[20]));
    let connection = host.connect().await;
    let report = host.try_general(&connection, SyncRequest::incremental().within(window)).await.unwrap();
    // One more is read at its end, which is left out; so is the reply, which was written behind it.
    assert_eq!((report.upserted, report.outside), (10, 2));
    assert_eq!(host.calls(), (3, 1));
    let ids: Vec<_> =
        host.records(&connection, GENERAL).iter().map(|record| record.id().to_owned()).collect();
    assert_eq!(ids, messages[10..20]);
    post(&host, 3);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));
    assert_eq!(host.records(&connection, GENERAL).len(), 10);

    // From a time on.
    let wider = SyncRequest::incremental().within(Window::since(time(&messages[5])));
    let report = host.try_general(&connection, wider).await.unwrap();
    assert_eq!(report.upserted, 25 + 3 + 1);
    host.fake.edit(GENERAL, &messages[29], json!({"text": "edited"}));
    assert_eq!(host.sync_general(&connection).await.upserted, 1);
}
