//! What has changed within the look-back is seen, once; what cannot be known is not made up.

use integrations_core::ErrorKind;
use integrations_core::model::MessageStatus;
use integrations_core::sync::{Position, SyncRequest};
use integrations_testkit::Fault;
use serde_json::json;

use crate::host::{DAY, GENERAL, HISTORY, HOUR, Host, general};

fn post(host: &Host, messages: usize) -> Vec<String> {
    let post = |number| {
        host.clock.advance(HOUR / 60);
        host.fake.post(GENERAL, json!({"text": format!("message {number}")}))
    };
    (0..messages).map(post).collect()
}

#[tokio::test]
async fn whatever_changes_within_the_look_back_comes_once() {
    let host = Host::new().await;
    let messages = post(&host, 13);
    let connection = host.settled().await;

    host.fake.edit(GENERAL, &messages[1], json!({"text": "edited"}));
    host.fake.react(GENERAL, &messages[3], "tada", "U0ADA");
    host.fake.patch_message(GENERAL, &messages[5], json!({"attachments": [{"fallback": "unfurled"}]}));
    host.fake.delete(GENERAL, &messages[7]);
    host.fake.delete(GENERAL, &messages[12]);
    let added = post(&host, 2);
    host.fake.reply(GENERAL, &messages[0], json!({"text": "a first reply"}));
    let report = host.sync_general(&connection).await;
    // Three that changed, the parent and its reply, two that are new.
    assert_eq!((report.upserted, report.deleted), (7, 2));
    host.assert_same(&connection, GENERAL);
    let edited = host.message(&connection, &messages[1]);
    assert_eq!((edited.text.as_deref(), edited.edited_at.is_some()), (Some("edited"), true));
    let reacted = host.message(&connection, &messages[3]);
    assert_eq!((reacted.reactions[0].name.as_str(), reacted.reactions[0].count), ("tada", 1));
    assert_eq!(host.message(&connection, &messages[0]).replies.unwrap().count, 1);

    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));

    host.fake.unreact(GENERAL, &messages[3], "tada", "U0ADA");
    host.fake.delete(GENERAL, &added[1]);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (1, 1));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn the_look_back_is_counted_from_the_newest_message() {
    let host = Host::new().await;
    let old = post(&host, 3);
    host.clock.advance(DAY);
    let new = post(&host, 2);
    let connection = host.settled().await;
    host.clock.advance(300 * DAY);
    // A day before the newest message: these are not read again, and it cannot be known.
    host.fake.edit(GENERAL, &old[0], json!({"text": "too late"}));
    host.fake.delete(GENERAL, &old[1]);
    // These are, however long ago they are.
    host.fake.edit(GENERAL, &new[0], json!({"text": "seen"}));
    host.fake.delete(GENERAL, &new[1]);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted, host.calls()), (1, 1, (1, 0)));
    assert_eq!(host.message(&connection, &old[0]).text.as_deref(), Some("message 0"));

    // A full sync finds the rest.
    let report = host.try_general(&connection, SyncRequest::full()).await.unwrap();
    assert_eq!((report.upserted, report.swept), (3, 1));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn the_host_says_how_far_back_to_look() {
    let host = Host::with(
        |fake| fake.channel(general()).page_cap(usize::MAX),
        |config| config.look_back(3 * DAY),
        |gateway| gateway,
    )
    .await;
    let old = post(&host, 3);
    host.clock.advance(2 * DAY);
    post(&host, 1);
    let connection = host.settled().await;
    host.fake.edit(GENERAL, &old[0], json!({"text": "seen"}));
    assert_eq!(host.sync_general(&connection).await.upserted, 1);
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_deleted_message_with_replies_leaves_a_mark_in_its_place() {
    let host = Host::new().await;
    let messages = post(&host, 3);
    let reply = host.fake.reply(GENERAL, &messages[1], json!({"text": "why?"}));
    let connection = host.settled().await;
    host.fake.delete(GENERAL, &messages[1]);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (1, 0));
    assert_eq!(host.message(&connection, &messages[1]).status, MessageStatus::Deleted);
    host.assert_same(&connection, GENERAL);

    // With its last reply, it is gone.
    host.fake.delete(GENERAL, &reply);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 2));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_re_read_of_many_pages_tells_what_is_gone_at_its_end_and_only_if_it_was_whole() {
    let host = Host::new().await;
    let messages = post(&host, 12);
    let connection = host.settled().await;
    host.fake.delete(GENERAL, &messages[0]);
    host.fake.delete(GENERAL, &messages[6]);
    host.fake.edit(GENERAL, &messages[2], json!({"text": "edited"}));
    post(&host, 22);
    // Every page fails once, and what was read before is kept.
    for nth in [1, 3, 3, 2] {
        host.fake.fault(Fault::on(HISTORY).nth(nth).status(500));
        let error = host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServiceUnavailable);
        let ids: Vec<_> =
            host.records(&connection, GENERAL).iter().map(|record| record.id().to_owned()).collect();
        assert!(ids.contains(&messages[0]) && ids.contains(&messages[6]), "a partial read proves nothing");
    }
    host.fake.expire_cursors();
    let report = host.sync_general(&connection).await;
    assert_eq!((report.started_in, report.deleted, report.resyncs), ("tracking", 2, 0));
    host.assert_same(&connection, GENERAL);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));
}

#[tokio::test]
async fn a_re_read_that_hardly_meets_anything_is_not_believed() {
    let host = Host::new().await;
    let messages = post(&host, 30);
    let connection = host.settled().await;
    for ts in &messages[..25] {
        host.fake.delete(GENERAL, ts);
    }
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));
    assert_eq!(host.records(&connection, GENERAL).len(), 30);
    // It is still open whether they are gone; a listing that the host believes says so.
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));
    let report = host.try_general(&connection, SyncRequest::full().accept_shrink()).await.unwrap();
    assert_eq!(report.swept, 25);
    host.assert_same(&connection, GENERAL);

    // An answer without any message proves nothing, however few there were; the next message is proof enough.
    for ts in &messages[25..] {
        host.fake.delete(GENERAL, ts);
    }
    assert_eq!(host.sync_general(&connection).await.deleted, 0);
    assert_eq!(host.records(&connection, GENERAL).len(), 5);
    post(&host, 1);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (1, 5));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn an_empty_answer_of_slacks_deletes_nothing_that_matters() {
    let host = Host::new().await;
    post(&host, 12);
    let connection = host.settled().await;
    for body in
        [r#"{"ok":true}"#, r#"{"ok":true,"messages":null}"#, r#"{"ok":true,"messages":{}}"#, "<html>", ""]
    {
        host.fake.fault(Fault::on(HISTORY).body(body, "application/json"));
        let error = host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataFormat, "{body}");
    }
    let empty = r#"{"ok":true,"messages":[],"has_more":false}"#;
    host.fake.fault(Fault::on(HISTORY).body(empty, "application/json"));
    assert_eq!(host.sync_general(&connection).await.deleted, 0);
    host.assert_same(&connection, GENERAL);
    let more = r#"{"ok":true,"messages":[],"has_more":true}"#;
    host.fake.fault(Fault::on(HISTORY).body(more, "application/json"));
    let error = host.try_general(&connection, SyncRequest::incremental()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataFormat);
    assert_eq!(host.sync_general(&connection).await.upserted, 0);
    host.assert_same(&connection, GENERAL);
}

/// Answers without a cursor that say there is more, as Slack gave them before there were cursors.
#[tokio::test]
async fn more_without_a_cursor_goes_on_from_the_last_message() {
    let host = Host::new().await;
    let messages = post(&host, 8);
    let connection = host.connect().await;
    let page: Vec<_> = messages[4..].iter().rev().map(|ts| host.fake.message(GENERAL, ts).unwrap()).collect();
    let body = json!({"ok": true, "messages": page, "has_more": true}).to_string();
    host.fake.fault(Fault::on(HISTORY).body(&body, "application/json"));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, host.calls()), (8, (2, 0)));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_busy_channel_is_remembered_within_bounds() {
    let host = Host::with(
        |fake| fake.channel(general()).page_cap(usize::MAX),
        |config| config.threads(1_000),
        |gateway| gateway,
    )
    .await;
    let post = |number: usize| {
        host.clock.advance(HOUR / 120);
        let ts = host.fake.post(GENERAL, json!({"text": format!("message {number}")}));
        if number.is_multiple_of(5) {
            for reply in 0..30 {
                host.fake.reply(GENERAL, &ts, json!({"text": format!("reply {reply}")}));
            }
        }
        ts
    };
    let messages: Vec<_> = (0..700).map(post).collect();
    let connection = host.settled().await;
    let Position::Tracking { since, .. } = host.position(&connection).await else { panic!() };
    // Five times as many threads as by default.
    assert!((60_000..110_000).contains(&since.as_str().len()), "{}", since.as_str().len());

    // Only what is remembered is read again.
    host.fake.edit(GENERAL, &messages[199], json!({"text": "too far back"}));
    host.fake.edit(GENERAL, &messages[201], json!({"text": "seen"}));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted, host.calls()), (1, 0, (3, 0)));
}

#[tokio::test]
async fn a_position_of_another_version_is_lost_and_not_misread() {
    let host = Host::new().await;
    post(&host, 3);
    let connection = host.settled().await;
    let odd = integrations_core::sync::Cursor::new(r#"{"seen":["1"]}"#);
    let sink: &dyn integrations_core::sync::SyncSink = &host.store;
    let key = integrations_core::sync::StreamKey::new(&connection, &GENERAL.into());
    let state = sink.load(&key).await.unwrap();
    let Position::Tracking { generation, leftover, window, .. } = state.position else { panic!() };
    sink.commit(integrations_core::sync::Commit {
        stream: key,
        fence: state.fence,
        expected_revision: state.revision,
        generation,
        changes: Vec::new(),
        quarantined: Vec::new(),
        sweep: None,
        position: serde_json::from_value(json!({
            "phase": "tracking", "generation": generation, "since": odd, "leftover": leftover, "window": window,
        }))
        .unwrap(),
    })
    .await
    .unwrap();
    let report = host.sync_general(&connection).await;
    assert_eq!((report.resyncs, report.upserted), (1, 3));
    host.assert_same(&connection, GENERAL);
}
