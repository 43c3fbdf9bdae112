//! Threads: their counters, their pages, what is left of a deleted parent.

use std::time::Duration;

use integrations_testkit::slack::FakeSlack;
use serde_json::{Value, json};

use super::*;

const REPLIES: &str = "conversations.replies";

/// A parent of Ada's, and a reply each of these users.
async fn with_thread(users: &[&str]) -> (FakeSlack, String, Vec<String>) {
    let clock = clock();
    let fake = builder(&clock).channel(general()).start().await;
    let parent = fake.post(CHANNEL, json!({"text": "the question"}));
    let replies = users.iter().map(|user| {
        clock.advance(Duration::from_secs(1));
        fake.reply(CHANNEL, &parent, json!({"text": format!("says {user}"), "user": user}))
    });
    let replies = replies.collect();
    (fake, parent, replies)
}

fn counters(message: &Value) -> Value {
    json!([
        message["reply_count"],
        message["reply_users_count"],
        message["reply_users"],
        message["latest_reply"]
    ])
}

#[tokio::test]
async fn a_parent_counts_its_replies_and_a_reply_names_its_parent() {
    let (fake, parent, replies) = with_thread(&["U1", "U2", "U1"]).await;
    let (shown, listed) = thread(&fake, CHANNEL, &parent, &[]).await;
    assert_eq!(counters(&shown), json!([3, 2, ["U1", "U2"], replies[2]]));
    assert_eq!((&shown["thread_ts"], &shown["is_locked"]), (&json!(parent), &json!(false)));
    assert_eq!(all(&listed, "ts"), replies);
    for reply in &listed {
        assert_eq!((&reply["thread_ts"], &reply["parent_user_id"]), (&json!(parent), &json!(fake.user_id())));
        assert_eq!(reply.get("subtype"), None);
    }
    let top = history(&fake, CHANNEL, &[]).await;
    assert_eq!(top, [shown], "replies are not in the history");
    assert_eq!((fake.thread(CHANNEL, &parent), fake.message_count(CHANNEL)), (replies, 4));
}

#[tokio::test]
async fn a_parent_names_five_of_those_who_replied_and_counts_all() {
    let users = ["U1", "U2", "U3", "U4", "U5", "U6", "U7"];
    let (fake, parent, replies) = with_thread(&users).await;
    let shown = fake.message(CHANNEL, &parent).unwrap();
    assert_eq!(counters(&shown), json!([7, 7, users[..5], replies[6]]));
}

#[tokio::test]
async fn deleting_replies_lowers_the_counters_and_at_last_there_is_no_thread() {
    let (fake, parent, replies) = with_thread(&["U1", "U2", "U3"]).await;
    fake.delete(CHANNEL, &replies[2]);
    assert_eq!(counters(&fake.message(CHANNEL, &parent).unwrap()), json!([2, 2, ["U1", "U2"], replies[1]]));
    fake.delete(CHANNEL, &replies[0]);
    assert_eq!(counters(&fake.message(CHANNEL, &parent).unwrap()), json!([1, 1, ["U2"], replies[1]]));
    fake.edit(CHANNEL, &parent, json!({"text": "the question, again"}));
    assert_eq!(counters(&fake.message(CHANNEL, &parent).unwrap()), json!([1, 1, ["U2"], replies[1]]));
    fake.delete(CHANNEL, &replies[1]);
    let (alone, none) = thread(&fake, CHANNEL, &parent, &[]).await;
    assert_eq!((alone.get("thread_ts"), alone.get("reply_count"), none.len()), (None, None, 0));
    fake.delete(CHANNEL, &parent);
    assert!(history(&fake, CHANNEL, &[]).await.is_empty());
}

#[tokio::test]
async fn a_deleted_parent_leaves_a_tombstone_as_long_as_it_has_replies() {
    let (fake, parent, replies) = with_thread(&["U1", "U2"]).await;
    let before = fake.post(CHANNEL, json!({"text": "later"}));
    fake.delete(CHANNEL, &parent);
    let tombstone = json!({
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": "USLACKBOT",
        "hidden": true,
        "ts": parent,
        "thread_ts": parent,
        "reply_count": 2,
        "reply_users_count": 2,
        "reply_users": ["U1", "U2"],
        "latest_reply": replies[1],
        "is_locked": false,
        "subscribed": false,
    });
    let top = history(&fake, CHANNEL, &[]).await;
    assert_eq!((&top[1], all(&top, "ts")), (&tombstone, vec![before.as_str(), parent.as_str()]));
    let (shown, listed) = thread(&fake, CHANNEL, &parent, &[]).await;
    assert_eq!((shown, all(&listed, "ts")), (tombstone, replies.iter().map(String::as_str).collect()));
    fake.delete(CHANNEL, &replies[0]);
    assert_eq!(history(&fake, CHANNEL, &[]).await[1]["reply_count"], 1);
    let more = fake.reply(CHANNEL, &parent, json!({"text": "still here"}));
    assert_eq!(fake.message(CHANNEL, &parent).unwrap()["latest_reply"], json!(more));
    fake.delete(CHANNEL, &more);
    fake.delete(CHANNEL, &replies[1]);
    assert_eq!(all(&history(&fake, CHANNEL, &[]).await, "ts"), [before]);
    assert_eq!(refused(&fake, REPLIES, &[("channel", CHANNEL), ("ts", &parent)]).await, "thread_not_found");
}

#[tokio::test]
async fn a_broadcast_reply_is_in_the_history_with_its_root() {
    let (fake, parent, replies) = with_thread(&["U1"]).await;
    let reply = json!({"text": "everybody!", "user": "U2", "reply_broadcast": true});
    let broadcast = fake.reply(CHANNEL, &parent, reply);
    let top = history(&fake, CHANNEL, &[("limit", "1")]).await;
    assert_eq!(all(&top, "ts"), [&broadcast, &parent]);
    assert_eq!((&top[0]["subtype"], &top[0]["thread_ts"]), (&json!("thread_broadcast"), &json!(parent)));
    assert_eq!((&top[0]["root"], top[0].get("reply_broadcast")), (&top[1], None));
    assert_eq!(top[1]["reply_count"], 2);
    assert_eq!(fake.thread(CHANNEL, &parent), [replies[0].clone(), broadcast.clone()]);
    let (_, listed) = thread(&fake, CHANNEL, &parent, &[]).await;
    assert_eq!(listed[1], top[0]);

    fake.edit(CHANNEL, &broadcast, json!({"text": "all!"}));
    fake.delete(CHANNEL, &parent);
    let top = history(&fake, CHANNEL, &[]).await;
    assert_eq!((&top[0]["text"], &top[0]["root"]["subtype"]), (&json!("all!"), &json!("tombstone")));
    fake.delete(CHANNEL, &broadcast);
    assert_eq!(all(&history(&fake, CHANNEL, &[]).await, "ts"), [parent]);
}

#[tokio::test]
async fn every_page_begins_with_the_parent_or_just_the_first() {
    for every in [true, false] {
        let fake = builder(&clock()).channel(general()).parent_on_every_page(every).start().await;
        let parent = fake.post(CHANNEL, json!({"text": "the question"}));
        let replies: Vec<_> = (0..5).map(|_| fake.reply(CHANNEL, &parent, json!({"text": "x"}))).collect();
        let query = [("channel", CHANNEL), ("ts", parent.as_str()), ("limit", "3")];
        let pages = pages(&fake, REPLIES, &query).await;
        let read: Vec<Vec<&str>> =
            pages.iter().map(|page| all(page["messages"].as_array().unwrap(), "ts")).collect();
        let r = |index: usize| replies[index].as_str();
        let expected = if every {
            vec![
                vec![parent.as_str(), r(0), r(1)],
                vec![parent.as_str(), r(2), r(3)],
                vec![parent.as_str(), r(4)],
            ]
        } else {
            vec![vec![parent.as_str(), r(0), r(1)], vec![r(2), r(3), r(4)]]
        };
        assert_eq!(read, expected);
        assert_eq!(fake.messages_served(), expected.iter().map(Vec::len).sum::<usize>() as u64);
    }
}

#[tokio::test]
async fn a_range_leaves_out_replies_and_never_the_parent() {
    let (fake, parent, replies) = with_thread(&["U1", "U2", "U3", "U4"]).await;
    let read = async |query: Query<'_>| {
        let (shown, listed) = thread(&fake, CHANNEL, &parent, query).await;
        assert_eq!(shown["ts"], json!(parent));
        all(&listed, "user").join(" ")
    };
    for limit in ["1", "2", "3", "99"] {
        let limit = ("limit", limit);
        assert_eq!(read(&[("oldest", &replies[1]), limit]).await, "U3 U4");
        assert_eq!(read(&[("oldest", &replies[1]), ("inclusive", "true"), limit]).await, "U2 U3 U4");
        assert_eq!(read(&[("latest", &replies[2]), limit]).await, "U1 U2");
        assert_eq!(read(&[("oldest", &replies[0]), ("latest", &replies[2]), limit]).await, "U2");
        assert_eq!(read(&[("oldest", &replies[3]), limit]).await, "");
    }
    let bad = [("channel", CHANNEL), ("ts", parent.as_str()), ("oldest", "1.5")];
    assert_eq!(refused(&fake, REPLIES, &bad).await, "invalid_ts_oldest");
}

#[tokio::test]
async fn what_is_no_thread_is_not_found() {
    let (fake, parent, replies) = with_thread(&["U1"]).await;
    let query = |ts: &'static str| [("channel", CHANNEL), ("ts", ts)];
    for ts in ["1772355600.000009", "1772355600", "1772355600.0", "nonsense"] {
        assert_eq!(refused(&fake, REPLIES, &query(ts)).await, "thread_not_found", "{ts}");
    }
    assert_eq!(refused(&fake, REPLIES, &[("channel", CHANNEL)]).await, "invalid_arguments");
    fake.join_channel(CHANNEL, "U0GRACE");
    let join = fake.history(CHANNEL)[0].clone();
    assert_eq!(refused(&fake, REPLIES, &[("channel", CHANNEL), ("ts", &join)]).await, "thread_not_found");
    // A reply by itself, and a message that nobody replied to, are threads of one.
    let (alone, none) = thread(&fake, CHANNEL, &replies[0], &[]).await;
    assert_eq!((&alone["ts"], &alone["thread_ts"], none.len()), (&json!(replies[0]), &json!(parent), 0));
    let single = fake.post(CHANNEL, json!({"text": "single"}));
    assert_eq!(thread(&fake, CHANNEL, &single, &[]).await.1.len(), 0);
}

#[tokio::test]
async fn a_late_reply_shows_only_at_its_parent() {
    let (fake, parent, _) = with_thread(&[]).await;
    let newest = fake.post(CHANNEL, json!({"text": "newest"}));
    let reply = fake.reply(CHANNEL, &parent, json!({"text": "late"}));
    assert!(history(&fake, CHANNEL, &[("oldest", &newest)]).await.is_empty());
    assert_eq!(history(&fake, CHANNEL, &[]).await[1]["latest_reply"], json!(reply));
}

#[tokio::test]
async fn a_raw_reply_is_served_in_its_thread_and_counted() {
    let (fake, parent, _) = with_thread(&["U1"]).await;
    fake.raw_reply(CHANNEL, &parent, r#"{"odd":true}"#);
    let (shown, listed) = thread(&fake, CHANNEL, &parent, &[]).await;
    assert_eq!((&shown["reply_count"], &shown["reply_users"]), (&json!(2), &json!(["U1"])));
    assert_eq!(listed[1], json!({"odd": true}));
}

#[tokio::test]
#[should_panic(expected = "nothing to reply to")]
async fn a_reply_to_a_reply_is_a_mistake_of_the_test() {
    let (fake, _, replies) = with_thread(&["U1"]).await;
    fake.reply(CHANNEL, &replies[0], json!({"text": "no"}));
}
