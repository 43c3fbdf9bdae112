//! Slack's own examples, next to what the fake sends.

use std::collections::BTreeSet;
use std::path::Path;

use integrations_testkit::slack::{ChannelSpec, UserSpec};
use serde_json::{Value, json};

use super::*;

/// A file of the data, or `None` with a printed line where it is absent.
fn data(path: &str) -> Option<Value> {
    let found = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(path);
    if !found.exists() {
        println!("skipped: ../shared/data/{path} is not here");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(found).unwrap()).unwrap())
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Every field of the example is in what was sent, with the same type.
fn has_all(sent: &Value, example: &Value, path: &str, but: &[&str]) {
    for (field, value) in example.as_object().into_iter().flatten() {
        if but.contains(&field.as_str()) {
            continue;
        }
        let path = format!("{path}.{field}");
        let found = sent.get(field).unwrap_or_else(|| panic!("{path} is missing in {sent}"));
        let same = kind(found) == kind(value) || [found, value].iter().any(|value| value.is_null());
        assert!(same, "{path}: {found} is not as {value}");
        if value.is_object() {
            has_all(found, value, &path, but);
        }
    }
}

async fn fake() -> FakeSlack {
    let fake = builder(&clock())
        .add_user(UserSpec::new("grace").id("U0GRACE"))
        .channel(general().topic("Topic").purpose("Purpose"))
        .channel(ChannelSpec::im("U0GRACE"))
        .start()
        .await;
    fake.post(CHANNEL, json!({"text": "hello"}));
    fake
}

#[tokio::test]
async fn channels_have_the_fields_of_slacks_examples_and_no_others_than_it_has_shown() {
    let fake = fake().await;
    let query = [("types", "public_channel,im"), ("limit", "999")];
    for method in ["conversations.list", "users.conversations"] {
        let Some(example) = data(&format!("slack-openapi/examples/{method}.ok.json")) else { return };
        let sent = ok(&fake, method, &query).await;
        // A channel that is not a direct conversation.
        has_all(&sent["channels"][0], &example["response"]["channels"][0], method, &[]);
        has_all(
            &sent,
            &json!({"ok": true, "channels": [], "response_metadata": {"next_cursor": ""}}),
            method,
            &[],
        );
    }
    let Some(example) = data("slack-openapi/examples/conversations.info.ok.json") else { return };
    let query = [("channel", CHANNEL), ("include_locale", "true"), ("include_num_members", "true")];
    let sent = ok(&fake, "conversations.info", &query).await;
    // What a user has read, and whether a channel is read-only, this fake does not know.
    has_all(&sent, &example["response"], "conversations.info", &["last_read", "is_read_only"]);

    let mut known = BTreeSet::new();
    for (file, place) in [("conversations.list", "/channels/0"), ("conversations.info", "/channel")] {
        let Some(sample) = data(&format!("slack-java-samples/api/{file}.json")) else { return };
        known.extend(keys(sample.pointer(place).unwrap()));
    }
    known.insert("parent_conversation".to_owned());
    let listed = drain(&fake, "conversations.list", "channels", &query[..0]).await;
    for channel in listed.iter().chain([&sent["channel"]]) {
        assert_eq!(keys(channel).difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

#[tokio::test]
async fn the_other_answers_have_the_fields_of_slacks_examples() {
    let fake = fake().await;
    for (method, query, but) in [
        ("auth.test", [].as_slice(), [].as_slice()),
        // Only a workspace of an organization names one; the icon has more sizes.
        (
            "team.info",
            &[],
            [
                "enterprise_id",
                "enterprise_name",
                "image_44",
                "image_68",
                "image_88",
                "image_102",
                "image_132",
            ]
            .as_slice(),
        ),
        ("conversations.members", &[("channel", CHANNEL)], &[]),
    ] {
        let Some(example) = data(&format!("slack-openapi/examples/{method}.ok.json")) else { return };
        has_all(&ok(&fake, method, query).await, &example["response"], method, but);
    }
}

#[tokio::test]
async fn users_and_messages_have_the_fields_that_slacks_description_requires() {
    let Some(spec) = data("slack-openapi/spec/slack_web_openapi_v2_without_examples.json") else { return };
    let fake = fake().await;
    let required = |pointer: &str| {
        let names = spec.pointer(pointer).unwrap().as_array().unwrap().clone();
        names.iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let user = fake.user_object("U0GRACE").unwrap();
    let message = fake.message(CHANNEL, &fake.history(CHANNEL)[0]).unwrap();
    for (sent, pointer) in [
        (&user, "/definitions/objs_user/items/0/required"),
        (&user["profile"], "/definitions/objs_user_profile/required"),
        (&message, "/definitions/objs_message/required"),
    ] {
        let missing: Vec<_> = required(pointer).difference(&keys(sent)).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "{pointer}");
    }
    for pointer in ["/conversations.history", "/conversations.list", "/users.list", "/conversations.members"]
    {
        let method = &pointer[1..];
        let schema = &spec["paths"][pointer]["get"]["responses"]["200"]["schema"]["required"];
        let query = [("channel", CHANNEL)];
        let query =
            &query[..usize::from(method == "conversations.history" || method == "conversations.members")];
        let sent = keys(&ok(&fake, method, query).await);
        for name in schema.as_array().unwrap() {
            assert!(sent.contains(name.as_str().unwrap()), "{method}: {name}");
        }
    }
}

#[tokio::test]
async fn a_tombstone_is_as_slack_sent_one() {
    let Some(event) = data("slack-events-real/java.MessageChangedEventTest.3.message.json") else { return };
    let fake = fake().await;
    let parent = fake.history(CHANNEL)[0].clone();
    fake.reply(CHANNEL, &parent, json!({"text": "yes"}));
    fake.delete(CHANNEL, &parent);
    let sent = fake.message(CHANNEL, &parent).unwrap();
    has_all(&sent, &event["message"], "message", &[]);
    for field in ["subtype", "text", "user", "hidden"] {
        assert_eq!(sent[field], event["message"][field]);
    }
}
