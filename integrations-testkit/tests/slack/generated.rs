//! Messages that are made up on the way out.

use std::collections::{BTreeMap, HashMap, HashSet};

use integrations_testkit::slack::{ChannelSpec, FakeSlack};
use serde_json::{Value, json};

use super::*;

const TYPES: (&str, &str) = ("types", "public_channel,private_channel,mpim,im");

async fn with_generated(messages: u64) -> FakeSlack {
    builder(&clock()).channel(general().generated(messages)).start().await
}

/// What a message's blocks say, in the words of its text.
fn said(blocks: &Value) -> String {
    fn element(element: &Value) -> String {
        let text = |field: &str| element[field].as_str().unwrap().to_owned();
        let escaped =
            |field: &str| text(field).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        match element["type"].as_str().unwrap() {
            "user" => format!("<@{}>", text("user_id")),
            "channel" => format!("<#{}|>", text("channel_id")),
            "broadcast" => format!("<!{}>", text("range")),
            "emoji" => format!(":{}:", text("name")),
            "link" => match element.get("text") {
                Some(_) => format!("<{}|{}>", escaped("url"), escaped("text")),
                None => format!("<{}>", escaped("url")),
            },
            _ if element["style"]["code"] == true => format!("`{}`", escaped("text")),
            _ if element["style"]["bold"] == true => format!("*{}*", escaped("text")),
            _ => escaped("text"),
        }
    }
    let line = |part: &Value| part["elements"].as_array().unwrap().iter().map(element).collect::<String>();
    let parts = blocks[0]["elements"].as_array().unwrap().iter();
    let parts: Vec<_> = parts
        .map(|part| match part["type"].as_str().unwrap() {
            "rich_text_section" => line(part),
            "rich_text_list" => {
                let items = part["elements"].as_array().unwrap().iter();
                items.map(|item| format!("\u{2022} {}", line(item))).collect::<Vec<_>>().join("\n")
            }
            "rich_text_preformatted" => format!("```{}```", line(part)),
            "rich_text_quote" => format!("&gt; {}", line(part)),
            other => panic!("{other}"),
        })
        .collect();
    parts.join("\n")
}

#[tokio::test]
async fn ten_thousand_messages_come_once_each_and_make_sense() {
    let fake = with_generated(10_000).await;
    let messages = history(&fake, CHANNEL, &[("limit", "999")]).await;
    let listed = all(&messages, "ts");
    assert_eq!(listed, fake.history(CHANNEL));
    assert!(listed.is_sorted_by(|a, b| a > b), "the newest first, each once");
    assert!(listed[0] < "1772355600.000000", "before the fake's start");
    let top: Vec<&Value> =
        messages.iter().filter(|message| message["subtype"] != "thread_broadcast").collect();
    assert_eq!(top.len(), 10_000);

    let share = |test: &dyn Fn(&Value) -> bool| top.iter().filter(|message| test(message)).count();
    assert!((700..900).contains(&share(&|message| message.get("reply_count").is_some())));
    assert!((600..900).contains(&share(&|message| message.get("bot_id").is_some())));
    assert!((50..150).contains(&share(&|message| message["subtype"] == "channel_join")));
    assert!((200..400).contains(&share(&|message| message.get("edited").is_some())));
    assert!((1_000..1_400).contains(&share(&|message| message.get("reactions").is_some())));
    assert!((250..500).contains(&share(&|message| message.get("files").is_some())));
    assert!(share(&|message| !message["text"].as_str().unwrap().is_ascii()) > 1_000);
    let bytes: usize = messages.iter().map(|message| message.to_string().len()).sum();
    assert!((500..1_000).contains(&(bytes / messages.len())), "{} bytes a message", bytes / messages.len());

    let users: HashSet<_> = fake.user_ids().into_iter().collect();
    let mut kinds = HashSet::new();
    for message in &messages {
        check(message, &users);
        for part in message["blocks"][0]["elements"].as_array().into_iter().flatten() {
            kinds.insert(part["type"].as_str().unwrap().to_owned());
            let elements = part["elements"].as_array().unwrap().iter();
            kinds.extend(elements.map(|element| element["type"].as_str().unwrap().to_owned()));
        }
    }
    for kind in [
        "user",
        "channel",
        "broadcast",
        "emoji",
        "link",
        "rich_text_list",
        "rich_text_preformatted",
        "rich_text_quote",
    ] {
        assert!(kinds.contains(kind), "{kind}");
    }
}

/// What must hold for any message.
fn check(message: &Value, users: &HashSet<String>) {
    assert_eq!(message["type"], "message");
    let ts = message["ts"].as_str().unwrap();
    let bot = message["bot_id"].is_string();
    assert!(bot || message["user"].is_string(), "{message}");
    if let Some(user) = message["user"].as_str() {
        assert!(users.contains(user), "{message}");
    }
    if let Some(blocks) = message.get("blocks") {
        assert_eq!(said(blocks), message["text"].as_str().unwrap(), "{message}");
    }
    if let Some(edited) = message.get("edited") {
        let edited = edited["ts"].as_str().unwrap();
        assert!(edited > ts && edited < "1772355600.000000", "{message}");
    }
    for reaction in message["reactions"].as_array().into_iter().flatten() {
        let who: HashSet<_> = reaction["users"].as_array().unwrap().iter().collect();
        assert_eq!(reaction["count"], who.len(), "{message}");
    }
    if message.get("thread_ts").is_none() {
        assert!(message.get("reply_count").is_none() && message.get("parent_user_id").is_none());
    }
}

#[tokio::test]
async fn threads_history_and_the_handle_agree() {
    let fake = with_generated(2_000).await;
    let users: HashSet<_> = fake.user_ids().into_iter().collect();
    let messages = history(&fake, CHANNEL, &[("limit", "100")]).await;
    let (mut sizes, mut broadcasts, mut replies) = (BTreeMap::new(), HashMap::new(), 0);
    for message in &messages {
        let ts = message["ts"].as_str().unwrap();
        assert_eq!(fake.message(CHANNEL, ts).as_ref(), Some(message));
        if message["subtype"] == "thread_broadcast" {
            broadcasts.insert(message["thread_ts"].as_str().unwrap(), message);
        }
    }
    for parent in messages.iter().filter(|message| message.get("reply_count").is_some()) {
        let ts = parent["ts"].as_str().unwrap();
        let (shown, listed) = thread(&fake, CHANNEL, ts, &[("limit", "3")]).await;
        assert_eq!(&shown, parent);
        assert_eq!(all(&listed, "ts"), fake.thread(CHANNEL, ts));
        assert_eq!(parent["reply_count"], listed.len());
        assert_eq!(parent["latest_reply"], listed.last().unwrap()["ts"]);
        assert!(all(&listed, "ts").is_sorted() && listed[0]["ts"].as_str().unwrap() > ts);
        let mut authors = Vec::new();
        for reply in &listed {
            check(reply, &users);
            assert_eq!((&reply["thread_ts"], reply.get("parent_user_id")), (&json!(ts), parent.get("user")));
            assert_eq!(fake.message(CHANNEL, reply["ts"].as_str().unwrap()).as_ref(), Some(reply));
            if !authors.contains(&reply["user"]) {
                authors.push(reply["user"].clone());
            }
        }
        assert_eq!(
            (&parent["reply_users"], &parent["reply_users_count"]),
            (&json!(authors), &json!(authors.len()))
        );
        if let Some(broadcast) = broadcasts.remove(ts) {
            assert_eq!((&broadcast["root"], broadcast), (parent, listed.last().unwrap()));
        }
        *sizes.entry(listed.len()).or_insert(0) += 1;
        replies += listed.len() as u64;
    }
    assert!(broadcasts.is_empty());
    assert_eq!(sizes.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5], "{sizes:?}");
    assert_eq!(fake.message_count(CHANNEL), 2_000 + replies);
}

#[tokio::test]
async fn a_generated_thread_can_be_touched_in_every_way() {
    let fake = with_generated(500).await;
    let messages = history(&fake, CHANNEL, &[]).await;
    let long = |message: &&Value| message["reply_count"].as_u64().unwrap_or(0) >= 3;
    let parent = messages.iter().find(long).unwrap().clone();
    let ts = parent["ts"].as_str().unwrap();
    let replies = fake.thread(CHANNEL, ts);
    let count = parent["reply_count"].as_u64().unwrap();
    let (_, before) = thread(&fake, CHANNEL, ts, &[]).await;

    fake.edit(CHANNEL, ts, json!({"text": "edited"}));
    fake.edit(CHANNEL, &replies[0], json!({"text": "edited too"}));
    fake.react(CHANNEL, &replies[0], "unicorn", "U1");
    fake.delete(CHANNEL, &replies[1]);
    let late = fake.reply(CHANNEL, ts, json!({"text": "late", "user": "U0LATE"}));
    let (shown, listed) = thread(&fake, CHANNEL, ts, &[("limit", "2")]).await;
    assert_eq!(
        (&shown["text"], &shown["reply_count"], &shown["latest_reply"]),
        (&json!("edited"), &json!(count), &json!(late))
    );
    assert!(shown["reply_users"].as_array().unwrap().contains(&json!("U0LATE")));
    let expected: Vec<_> = [&replies[0]].into_iter().chain(&replies[2..]).chain([&late]).collect();
    assert_eq!(all(&listed, "ts"), expected);
    assert_eq!(listed[0]["text"], "edited too");
    assert_eq!(listed[0]["reactions"].as_array().unwrap().last().unwrap()["name"], "unicorn");
    assert_eq!(listed[1], before[2], "what was not touched is what it was");
    assert!(listed.iter().all(|reply| reply["thread_ts"] == json!(ts)));

    fake.delete(CHANNEL, ts);
    let after = history(&fake, CHANNEL, &[]).await;
    let tombstone = after.iter().find(|message| message["ts"] == json!(ts)).unwrap();
    assert_eq!((&tombstone["subtype"], &tombstone["reply_count"]), (&json!("tombstone"), &json!(count)));
    for reply in fake.thread(CHANNEL, ts) {
        fake.delete(CHANNEL, &reply);
    }
    assert_eq!(fake.message(CHANNEL, ts), None);
    let others = |messages: &[Value]| {
        let others =
            messages.iter().filter(|message| message["ts"] != json!(ts) && message["thread_ts"] != json!(ts));
        others.cloned().collect::<Vec<_>>()
    };
    assert_eq!(others(&history(&fake, CHANNEL, &[]).await), others(&messages));
}

#[tokio::test]
async fn posted_messages_lie_above_the_generated_ones() {
    let fake = with_generated(20).await;
    let posted = fake.post(CHANNEL, json!({"text": "new"}));
    let listed = fake.history(CHANNEL);
    assert_eq!((listed.first(), listed[1..].iter().all(|ts| *ts < posted)), (Some(&posted), true));
    let middle = &listed[10];
    for limit in ["1", "3", "50"] {
        let below =
            history(&fake, CHANNEL, &[("latest", middle), ("inclusive", "true"), ("limit", limit)]).await;
        assert_eq!(all(&below, "ts"), listed[10..]);
        let above = history(&fake, CHANNEL, &[("oldest", middle), ("limit", limit)]).await;
        assert_eq!(all(&above, "ts"), listed[..10]);
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_messages_and_another_makes_others() {
    let read = async |seed| {
        let fake = builder(&clock()).channel(general().generated(200)).seed(seed).start().await;
        history(&fake, CHANNEL, &[]).await
    };
    let first = read(7).await;
    assert_eq!(first, read(7).await);
    let other = read(8).await;
    assert!(first.iter().zip(&other).all(|(a, b)| a["ts"] != b["ts"]));
}

#[tokio::test]
async fn a_million_messages_cost_what_is_read_of_them() {
    let fake = with_generated(1_000_000).await;
    let page = ok(&fake, "conversations.history", &[("channel", CHANNEL), ("limit", "999")]).await;
    assert_eq!((page["messages"].as_array().unwrap().len(), &page["has_more"]), (999, &json!(true)));
    // A year ago, and before everything.
    let old = [("channel", CHANNEL), ("latest", "1740819600"), ("limit", "10")];
    let page = ok(&fake, "conversations.history", &old).await;
    let messages = page["messages"].as_array().unwrap();
    assert!(messages.iter().all(|message| message["ts"].as_str().unwrap() < "1740819600"));
    assert!(messages[0]["ts"].as_str().unwrap() > "1740819400", "about 35 s apart");
    let oldest = [("channel", CHANNEL), ("latest", "1737800000")];
    let page = ok(&fake, "conversations.history", &oldest).await;
    assert_eq!((page["messages"].as_array().unwrap().len(), &page["has_more"]), (100, &json!(true)));
    let none = ok(&fake, "conversations.history", &[("channel", CHANNEL), ("latest", "1737000000")]).await;
    assert_eq!((&none["messages"], &none["has_more"]), (&json!([]), &json!(false)));
    let ts = messages[3]["ts"].as_str().unwrap();
    fake.edit(CHANNEL, ts, json!({"text": "deep down"}));
    assert_eq!(ok(&fake, "conversations.history", &old).await["messages"][3]["text"], "deep down");
}

#[tokio::test]
async fn a_thousand_channels_of_every_type_have_a_hundred_messages_each() {
    let fake = builder(&clock()).generated_channels(1_000, 100).start().await;
    let channels = drain(&fake, "users.conversations", "channels", &[TYPES, ("limit", "200")]).await;
    assert_eq!(all(&channels, "id"), fake.channel_ids());
    assert_eq!(channels.len(), 1_000);
    let of = |flag: &str| channels.iter().filter(|channel| channel[flag] == true).count();
    assert!(of("is_im") >= 12 && of("is_mpim") >= 30 && of("is_private") > 100 && of("is_archived") > 30);
    let names: HashSet<_> = all(&channels, "name").into_iter().collect();
    assert_eq!(names.len(), 1_000 - of("is_im"));
    for channel in
        channels.iter().step_by(83).chain(channels.iter().filter(|channel| channel["is_im"] == true).take(2))
    {
        let id = channel["id"].as_str().unwrap();
        let messages = history(&fake, id, &[]).await;
        let top = messages.iter().filter(|message| message["subtype"] != "thread_broadcast").count();
        assert_eq!(top, 100, "{channel}");
        let members = drain(&fake, "conversations.members", "members", &[("channel", id)]).await;
        if channel["is_im"] == true {
            let authors: HashSet<_> = messages
                .iter()
                .filter(|message| message.get("bot_id").is_none())
                .map(|message| &message["user"])
                .collect();
            assert!(authors.is_subset(&members.iter().collect()), "only the two write");
        }
    }
    let again = builder(&clock()).generated_channels(1_000, 100).start().await;
    assert_eq!(again.channel_ids(), fake.channel_ids());
}

#[tokio::test]
async fn a_channel_with_messages_can_be_added_later() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    clock.advance(std::time::Duration::from_secs(86_400));
    let id = fake.add_channel(ChannelSpec::public("late").generated(5));
    let messages = history(&fake, &id, &[]).await;
    assert!(messages.len() >= 5 && messages[0]["ts"].as_str().unwrap() < "1772355600.000000");
    let users: HashSet<_> = fake.user_ids().into_iter().collect();
    for message in &messages {
        check(message, &users);
    }
}
