//! Threads: those within the look-back by their counters, those of late that begin before it by themselves.

use integrations_core::Connection;
use integrations_testkit::Fault;
use integrations_testkit::slack::FakeSlackBuilder;
use serde_json::json;

use crate::host::{DAY, GENERAL, HOUR, Host, REPLIES, general};

/// A channel whose thread began four days ago, and has had its last of so many replies two days ago.
async fn with_old_thread(
    fake: impl FnOnce(FakeSlackBuilder) -> FakeSlackBuilder,
    replies: usize,
) -> (Host, Connection, String) {
    let host =
        Host::with(|builder| fake(builder.channel(general())), |config| config, |gateway| gateway).await;
    let parent = host.fake.post(GENERAL, json!({"text": "it begins"}));
    host.clock.advance(2 * DAY);
    for number in 0..replies {
        host.fake.reply(GENERAL, &parent, json!({"text": format!("reply {number}")}));
    }
    host.clock.advance(2 * DAY);
    host.fake.post(GENERAL, json!({"text": "today"}));
    let connection = host.settled().await;
    (host, connection, parent)
}

#[tokio::test]
async fn a_reply_in_an_old_thread_that_is_of_late_is_seen() {
    let (host, connection, parent) = with_old_thread(|fake| fake, 3).await;
    // With nothing new, the thread costs a call.
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted, host.calls()), (0, 0, (1, 1)));

    let replies = host.fake.thread(GENERAL, &parent);
    let new = host.fake.reply(GENERAL, &parent, json!({"text": "and on"}));
    let report = host.sync_general(&connection).await;
    // The reply, and the message that counts it.
    assert_eq!((report.upserted, host.calls()), (2, (1, 1)));
    host.assert_same(&connection, GENERAL);
    assert_eq!(host.message(&connection, &parent).replies.unwrap().count, 4);
    assert_eq!(host.message(&connection, &new).answers.as_deref(), Some(parent.as_str()));

    host.fake.edit(GENERAL, &replies[1], json!({"text": "edited"}));
    host.fake.react(GENERAL, &replies[2], "eyes", "U0ADA");
    host.fake.delete(GENERAL, &replies[0]);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (3, 1));
    host.assert_same(&connection, GENERAL);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));

    // The message that it began with changes, too.
    host.fake.react(GENERAL, &parent, "tada", "U0ADA");
    assert_eq!(host.sync_general(&connection).await.upserted, 1);
    host.fake.delete(GENERAL, &parent);
    assert_eq!(host.sync_general(&connection).await.upserted, 1);
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_thread_that_has_been_quiet_for_a_week_is_left_alone() {
    let (host, connection, parent) = with_old_thread(|fake| fake, 3).await;
    host.clock.advance(5 * DAY - HOUR);
    assert_eq!((host.sync_general(&connection).await.upserted, host.calls()), (0, (1, 1)));
    host.clock.advance(2 * HOUR);
    assert_eq!((host.sync_general(&connection).await.upserted, host.calls()), (0, (1, 0)));
    let late = host.fake.reply(GENERAL, &parent, json!({"text": "too late to be seen"}));
    assert_eq!((host.sync_general(&connection).await.upserted, host.calls()), (0, (1, 0)));
    assert!(host.records(&connection, GENERAL).iter().all(|record| record.id() != late));
}

#[tokio::test]
async fn of_a_long_thread_the_end_alone_is_read_again() {
    for parent_on_every_page in [true, false] {
        let fake = |fake: FakeSlackBuilder| fake.parent_on_every_page(parent_on_every_page);
        let (host, connection, parent) = with_old_thread(fake, 100).await;
        let replies = host.fake.thread(GENERAL, &parent);
        for _ in 0..12 {
            host.fake.reply(GENERAL, &parent, json!({"text": "new"}));
        }
        host.fake.delete(GENERAL, &replies[80]);
        host.fake.edit(GENERAL, &replies[76], json!({"text": "seen"}));
        // Further back than 25 replies, nothing is looked at.
        host.fake.edit(GENERAL, &replies[74], json!({"text": "too far back"}));
        let report = host.sync_general(&connection).await;
        assert_eq!((report.upserted, report.deleted), (12 + 1 + 1, 1));
        let pages = if parent_on_every_page { 9 } else { 8 };
        assert_eq!(host.calls(), (1, pages));
        let report = host.sync_general(&connection).await;
        assert_eq!((report.upserted, report.deleted), (0, 0));
    }
}

#[tokio::test]
async fn a_thread_within_the_look_back_is_read_when_its_counters_change() {
    let host = Host::new().await;
    let parent = host.fake.post(GENERAL, json!({"text": "it begins"}));
    for number in 0..30 {
        host.fake.reply(GENERAL, &parent, json!({"text": format!("reply {number}")}));
    }
    let connection = host.settled().await;
    host.fake.react(GENERAL, &parent, "eyes", "U0ADA");
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, host.calls()), (1, (1, 0)), "a reaction is no reply");

    host.fake.reply(GENERAL, &parent, json!({"text": "31st"}));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, host.calls().0), (2, 1));
    assert!(host.calls().1 < 8, "from the first of those that are remembered on");
    host.assert_same(&connection, GENERAL);

    let replies = host.fake.thread(GENERAL, &parent);
    host.fake.delete(GENERAL, replies.last().unwrap());
    host.fake.delete(GENERAL, &replies[20]);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (1, 2));
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_thread_that_loses_all_its_replies_is_none_any_more() {
    let host = Host::new().await;
    let parent = host.fake.post(GENERAL, json!({"text": "it begins"}));
    let replies: Vec<_> = (0..3).map(|_| host.fake.reply(GENERAL, &parent, json!({"text": "no"}))).collect();
    let connection = host.settled().await;
    for reply in &replies {
        host.fake.delete(GENERAL, reply);
    }
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (1, 3));
    host.assert_same(&connection, GENERAL);
    assert_eq!(host.message(&connection, &parent).replies, None);
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted, host.calls()), (0, 0, (1, 0)));
}

#[tokio::test]
async fn no_more_threads_are_looked_at_than_the_host_wants() {
    for (most, polled) in [(None, 20), (Some(3), 3), (Some(0), 0)] {
        let config = |config: integrations_slack::SlackConfigBuilder| match most {
            Some(most) => config.threads(most),
            None => config,
        };
        let host = Host::with(|fake| fake.channel(general()), config, |gateway| gateway).await;
        let parents: Vec<_> =
            (0..30).map(|_| host.fake.post(GENERAL, json!({"text": "it begins"}))).collect();
        host.clock.advance(2 * DAY);
        for parent in &parents {
            host.clock.advance(HOUR / 60);
            host.fake.reply(GENERAL, parent, json!({"text": "yes"}));
        }
        host.clock.advance(DAY);
        host.fake.post(GENERAL, json!({"text": "today"}));
        let connection = host.settled().await;
        // Those with the latest replies are.
        host.fake.reply(GENERAL, &parents[29], json!({"text": "seen"}));
        let report = host.sync_general(&connection).await;
        assert_eq!(host.calls(), (1, polled), "{most:?}");
        assert_eq!(report.upserted, if polled > 0 { 2 } else { 0 });
    }
}

#[tokio::test]
async fn a_thread_that_slack_does_not_find_proves_nothing() {
    let (host, connection, parent) = with_old_thread(|fake| fake, 3).await;
    host.fake.fault(Fault::on(REPLIES).reason("thread_not_found"));
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted), (0, 0));
    host.assert_same(&connection, GENERAL);
    // It is looked at again.
    host.fake.reply(GENERAL, &parent, json!({"text": "still here"}));
    assert_eq!(host.sync_general(&connection).await.upserted, 2);
    host.assert_same(&connection, GENERAL);
}

#[tokio::test]
async fn a_thread_whose_reading_breaks_off_is_taken_up_and_proves_nothing_before_its_end() {
    let (host, connection, parent) = with_old_thread(|fake| fake, 20).await;
    let replies = host.fake.thread(GENERAL, &parent);
    host.fake.delete(GENERAL, &replies[3]);
    host.fake.edit(GENERAL, &replies[18], json!({"text": "edited"}));
    for nth in [1, 2] {
        host.fake.fault(Fault::on(REPLIES).nth(nth).reset());
        host.try_general(&connection, <_>::default()).await.unwrap_err();
        host.fake.expire_cursors();
    }
    let report = host.sync_general(&connection).await;
    assert_eq!((report.upserted, report.deleted, report.resyncs), (2, 1, 0));
    host.assert_same(&connection, GENERAL);
}
