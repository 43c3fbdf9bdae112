//! A channel's messages.

use std::time::Duration;

use integrations_testkit::slack::FakeSlack;
use serde_json::{Value, json};

use super::*;

async fn with_messages(count: usize) -> (FakeSlack, Vec<String>) {
    let clock = clock();
    let fake = builder(&clock).channel(general()).start().await;
    let posted = (0..count).map(|number| {
        clock.advance(Duration::from_secs(1));
        fake.post(CHANNEL, json!({"text": number.to_string()}))
    });
    let posted = posted.collect();
    (fake, posted)
}

#[tokio::test]
async fn a_message_has_what_slack_adds_and_a_ts_of_its_own() {
    let fake = start().await;
    let first = fake.post(CHANNEL, json!({"text": "R&amp;D <@U1>"}));
    let second = fake.post(CHANNEL, json!({"text": "", "files": [{"id": "F1"}]}));
    assert_eq!((first.as_str(), second.as_str()), ("1772355600.000000", "1772355600.000001"));
    let page = ok(&fake, "conversations.history", &[("channel", CHANNEL)]).await;
    assert_eq!((&page["has_more"], &page["pin_count"]), (&json!(false), &json!(0)));
    assert!(page["channel_actions_ts"].is_null() && page.get("response_metadata").is_none());
    let [newest, message] = page["messages"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!(
        (&message["type"], &message["user"], &message["ts"]),
        (&json!("message"), &json!(fake.user_id()), &json!(first))
    );
    assert_eq!(message["team"], fake.team_id());
    assert_eq!(message["client_msg_id"].as_str().unwrap().len(), 36);
    let element = &message["blocks"][0]["elements"][0]["elements"][0];
    assert_eq!(element, &json!({"type": "text", "text": "R&D <@U1>"}));
    assert!(message.get("thread_ts").is_none() && message.get("reply_count").is_none());
    assert_eq!((&newest["upload"], newest.get("blocks")), (&json!(false), None));
    assert_eq!(fake.message(CHANNEL, &first).as_ref(), Some(message));
    assert_eq!(fake.messages_served(), 2);
}

#[tokio::test]
async fn a_bot_has_no_user_and_keeps_what_it_says() {
    let fake = start().await;
    let ts = fake.post(
        CHANNEL,
        json!({"subtype": "bot_message", "text": "deployed", "username": "ci", "bot_id": "B0CI"}),
    );
    let mine = fake.post(
        CHANNEL,
        json!({"bot_id": fake.bot_id(), "user": fake.bot_user_id(), "text": "hi", "blocks": []}),
    );
    let message = fake.message(CHANNEL, &ts).unwrap();
    assert_eq!(
        message,
        json!({"type": "message", "subtype": "bot_message", "text": "deployed", "username": "ci", "bot_id": "B0CI", "ts": ts})
    );
    assert_eq!(fake.message(CHANNEL, &mine).unwrap()["user"], json!(fake.bot_user_id()));
}

#[tokio::test]
async fn a_range_is_open_at_both_ends_unless_it_is_inclusive() {
    let (fake, ts) = with_messages(5).await;
    let read = async |query: Query<'_>| {
        let messages = history(&fake, CHANNEL, query).await;
        all(&messages, "text").join(" ")
    };
    let (one, three) = (ts[1].as_str(), ts[3].as_str());
    assert_eq!(read(&[]).await, "4 3 2 1 0");
    assert_eq!(read(&[("inclusive", "true")]).await, "4 3 2 1 0");
    assert_eq!(read(&[("oldest", one)]).await, "4 3 2");
    assert_eq!(read(&[("latest", three)]).await, "2 1 0");
    assert_eq!(read(&[("oldest", one), ("latest", three)]).await, "2");
    assert_eq!(read(&[("oldest", one), ("latest", three), ("inclusive", "1")]).await, "3 2 1");
    assert_eq!(read(&[("oldest", one), ("latest", one), ("inclusive", "true"), ("limit", "1")]).await, "1");
    assert_eq!(read(&[("oldest", three), ("latest", one)]).await, "");
    assert_eq!(read(&[("oldest", "1772355602")]).await, "4 3 2");
    assert_eq!(read(&[("oldest", "1772355602"), ("inclusive", "true")]).await, "4 3 2 1");
    assert_eq!(read(&[("oldest", "0"), ("limit", "2")]).await, "4 3 2 1 0");
    let page = ok(&fake, "conversations.history", &[("channel", CHANNEL), ("oldest", one)]).await;
    assert_eq!((&page["oldest"], page.get("latest")), (&json!(one), None));

    // What went through a floating-point number has lost digits.
    for wrong in ["", "now", "-1", "1772355602.00000", "1772355602.0", "1.7723556e9", "1772355602,000000"] {
        for (name, code) in [("oldest", "invalid_ts_oldest"), ("latest", "invalid_ts_latest")] {
            assert_eq!(
                refused(&fake, "conversations.history", &[("channel", CHANNEL), (name, wrong)]).await,
                code
            );
        }
    }
}

#[tokio::test]
async fn a_range_is_paged_at_every_boundary() {
    let (fake, ts) = with_messages(6).await;
    for from in 0..5 {
        for to in from..6 {
            let query = [("oldest", ts[from].as_str()), ("latest", ts[to].as_str()), ("inclusive", "true")];
            for limit in 1..=7_usize {
                let limit_text = limit.to_string();
                let query =
                    [&[("channel", CHANNEL), ("limit", limit_text.as_str())], query.as_slice()].concat();
                let pages = pages(&fake, "conversations.history", &query).await;
                let read: Vec<_> =
                    pages.iter().flat_map(|page| all(page["messages"].as_array().unwrap(), "ts")).collect();
                let expected: Vec<_> = ts[from..=to].iter().rev().map(String::as_str).collect();
                assert_eq!((read, pages.len()), (expected, (to - from + 1).div_ceil(limit)));
            }
        }
    }
}

#[tokio::test]
async fn what_is_posted_while_the_pages_are_read_is_above_them() {
    let (fake, ts) = with_messages(6).await;
    let query = [("channel", CHANNEL), ("limit", "2")];
    let first = ok(&fake, "conversations.history", &query).await;
    let late = fake.post(CHANNEL, json!({"text": "late"}));
    fake.delete(CHANNEL, &ts[3]);
    fake.delete(CHANNEL, &ts[5]);
    fake.edit(CHANNEL, &ts[2], json!({"text": "changed"}));
    let next = [query.as_slice(), &[("cursor", cursor(&first).unwrap())]].concat();
    let second = ok(&fake, "conversations.history", &next).await;
    assert_eq!(all(second["messages"].as_array().unwrap(), "text"), ["changed", "1"]);
    let since = history(&fake, CHANNEL, &[("oldest", &ts[5])]).await;
    assert_eq!(all(&since, "ts"), [late]);
}

#[tokio::test]
async fn an_edit_shows_who_and_when_and_a_patch_does_not() {
    let clock = clock();
    let fake = builder(&clock).channel(general()).start().await;
    let ts = fake.post(CHANNEL, json!({"text": "helo", "user": "U0GRACE"}));
    clock.advance(Duration::from_millis(90_500));
    fake.edit(CHANNEL, &ts, json!({"text": "hello"}));
    let message = fake.message(CHANNEL, &ts).unwrap();
    assert_eq!(message["edited"], json!({"user": "U0GRACE", "ts": "1772355690.000000"}));
    assert_eq!((&message["text"], &message["ts"]), (&json!("hello"), &json!(ts)));
    assert_eq!(message["blocks"][0]["elements"][0]["elements"][0]["text"], "hello");
    assert_eq!(history(&fake, CHANNEL, &[]).await, [message]);

    let ts = fake.post(CHANNEL, json!({"text": "https://example.com"}));
    fake.patch_message(CHANNEL, &ts, json!({"attachments": [{"id": 1}]}));
    let message = fake.message(CHANNEL, &ts).unwrap();
    assert_eq!((message.get("edited"), &message["attachments"]), (None, &json!([{"id": 1}])));
    fake.edit(CHANNEL, &ts, json!({"blocks": null, "edited": {"user": "U1", "ts": "1.000000"}}));
    let message = fake.message(CHANNEL, &ts).unwrap();
    assert_eq!((message.get("blocks"), &message["edited"]["user"]), (None, &json!("U1")));
}

#[tokio::test]
async fn reactions_are_counted() {
    let (fake, ts) = with_messages(1).await;
    let ts = &ts[0];
    fake.react(CHANNEL, ts, "+1", "U1");
    fake.react(CHANNEL, ts, "tada", "U1");
    fake.react(CHANNEL, ts, "+1", "U2");
    let reactions = || fake.message(CHANNEL, ts).unwrap().get("reactions").cloned();
    assert_eq!(
        reactions().unwrap(),
        json!([{"name": "+1", "users": ["U1", "U2"], "count": 2}, {"name": "tada", "users": ["U1"], "count": 1}])
    );
    fake.unreact(CHANNEL, ts, "tada", "U1");
    fake.unreact(CHANNEL, ts, "+1", "U1");
    assert_eq!(reactions().unwrap(), json!([{"name": "+1", "users": ["U2"], "count": 1}]));
    fake.unreact(CHANNEL, ts, "+1", "U2");
    assert_eq!(reactions(), None);
    assert_eq!(fake.message(CHANNEL, ts).unwrap().get("edited"), None);
}

#[tokio::test]
async fn a_deleted_message_is_gone() {
    let (fake, ts) = with_messages(3).await;
    fake.delete(CHANNEL, &ts[1]);
    assert_eq!(fake.message(CHANNEL, &ts[1]), None);
    assert_eq!(all(&history(&fake, CHANNEL, &[]).await, "ts"), [&ts[2], &ts[0]]);
    let query = [("channel", CHANNEL), ("ts", ts[1].as_str())];
    assert_eq!(refused(&fake, "conversations.replies", &query).await, "thread_not_found");
    assert_eq!((fake.history(CHANNEL).len(), fake.message_count(CHANNEL)), (2, 2));
}

#[tokio::test]
async fn a_raw_message_is_served_as_it_is() {
    let (fake, ts) = with_messages(2).await;
    fake.raw_message(CHANNEL, r#"{"ts":17,"text":null}"#);
    let messages = history(&fake, CHANNEL, &[("limit", "1")]).await;
    assert_eq!(messages[0], json!({"ts": 17, "text": null}));
    assert_eq!(all(&messages[1..], "ts"), [&ts[1], &ts[0]]);
    let odd = fake.raw_message(CHANNEL, "{");
    let answer = get(&fake, "conversations.history", &[("channel", CHANNEL), ("limit", "1")]).await;
    assert!(answer.json::<Value>().await.is_err());
    assert_eq!(fake.message(CHANNEL, &odd), None);
}

#[tokio::test]
async fn metadata_comes_when_it_is_asked_for() {
    let fake = start().await;
    let metadata = json!({"event_type": "created", "event_payload": {"id": 1}});
    fake.post(CHANNEL, json!({"text": "new", "metadata": metadata}));
    assert_eq!(history(&fake, CHANNEL, &[]).await[0].get("metadata"), None);
    assert_eq!(history(&fake, CHANNEL, &[("include_all_metadata", "true")]).await[0]["metadata"], metadata);
}

#[tokio::test]
async fn who_joins_and_leaves_is_in_the_history() {
    let fake = start().await;
    fake.join_channel(CHANNEL, "U0GRACE");
    fake.join_channel(CHANNEL, "U0GRACE");
    fake.leave_channel(CHANNEL, "U0GRACE");
    let messages = history(&fake, CHANNEL, &[]).await;
    assert_eq!(all(&messages, "subtype"), ["channel_leave", "channel_join"]);
    assert_eq!(all(&messages, "text")[1], "<@U0GRACE> has joined the channel");
    assert_eq!(messages[1].get("blocks"), None);
}
