//! What does Slack fill in, keep and drop in a message that the test writes?

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::ids::{made_up_text, uuid};
use super::ts::Ts;
use crate::patch::merge;
use crate::random::{hash_text, mix};

/// What a parent knows of its thread, and a broadcast reply of its parent: made anew on the way out.
const DERIVED: &[&str] =
    &["reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked", "subscribed", "root"];

/// How many of those who replied a parent names.
const REPLY_USERS: usize = 5;

/// A message as Slack keeps it.
pub(super) type Message = Map<String, Value>;

/// What a message says of its workspace and of who posts it, where it does not say so itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Author<'a> {
    pub(super) team: &'a str,
    pub(super) user: &'a str,
}

/// A text field, empty when absent.
pub(super) fn text<'a>(message: &'a Message, field: &str) -> &'a str {
    message.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Adds what Slack adds to a message that is posted.
pub(super) fn fill(message: Message, ts: Ts, author: Author<'_>, parent: Option<(Ts, &Message)>) -> Message {
    let mut message = message;
    let mut broadcast = text(&message, "subtype") == "thread_broadcast";
    broadcast |= message.remove("reply_broadcast").is_some_and(|flag| flag == json!(true));
    message.insert("ts".to_owned(), json!(ts.to_string()));
    add(&mut message, "type", || json!("message"));
    add(&mut message, "text", || json!(""));
    if let Some((thread, parent)) = parent {
        message.insert("thread_ts".to_owned(), json!(thread.to_string()));
        let user = text(parent, "user").to_owned();
        if !user.is_empty() {
            add(&mut message, "parent_user_id", || json!(user));
        }
        if broadcast {
            message.insert("subtype".to_owned(), json!("thread_broadcast"));
        }
    }
    let by_bot = message.contains_key("bot_id") || text(&message, "subtype") == "bot_message";
    if by_bot {
        let id = made_up_text(b'B', hash_text(author.team));
        add(&mut message, "bot_id", || json!(id));
    } else {
        add(&mut message, "user", || json!(author.user));
    }
    let subtype = text(&message, "subtype");
    if by_bot || !["", "me_message", "thread_broadcast"].contains(&subtype) {
        return message;
    }
    let said = text(&message, "text").to_owned();
    add(&mut message, "team", || json!(author.team));
    let id: String = uuid(mix(ts.0)).iter().map(|&byte| char::from(byte)).collect();
    add(&mut message, "client_msg_id", || json!(id));
    if message.contains_key("files") {
        add(&mut message, "upload", || json!(false));
    }
    if !said.is_empty() {
        add(&mut message, "blocks", || rich_text(&said));
    }
    message
}

fn add(message: &mut Message, field: &str, value: impl FnOnce() -> Value) {
    if !message.contains_key(field) {
        message.insert(field.to_owned(), value());
    }
}

/// The blocks of a message that is plain text, in which Slack writes no entities.
fn rich_text(text: &str) -> Value {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let block = made_up_text(b'b', hash_text(text));
    let section = json!({"type": "rich_text_section", "elements": [{"type": "text", "text": plain}]});
    json!([{"type": "rich_text", "block_id": &block[..5], "elements": [section]}])
}

/// Changes a message; a new text without blocks has new blocks, where the message had some.
pub(super) fn edit(message: Message, changes: Value, now: DateTime<Utc>) -> Message {
    let new_text = changes.get("text").and_then(Value::as_str).map(str::to_owned);
    let new_blocks = changes.get("blocks").is_some();
    let editor = changes.get("edited").is_some();
    let mut message = Value::Object(message);
    merge(&mut message, changes);
    if let Some(text) = new_text.filter(|_| !new_blocks && message.get("blocks").is_some()) {
        message["blocks"] = rich_text(&text);
    }
    if !editor {
        let user = message.get("user").cloned().unwrap_or_else(|| message["bot_id"].clone());
        message["edited"] = json!({"user": user, "ts": format!("{}.000000", now.timestamp())});
    }
    match message {
        Value::Object(message) => message,
        _ => Message::new(),
    }
}

/// What is left of a parent that was deleted.
pub(super) fn tombstone(ts: Ts) -> Message {
    let left = json!({
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": "USLACKBOT",
        "hidden": true,
        "ts": ts.to_string(),
    });
    match left {
        Value::Object(left) => left,
        _ => Message::new(),
    }
}

/// Takes out what is made anew on the way out.
pub(super) fn strip(message: &mut Message) {
    message.retain(|field, _| !DERIVED.contains(&field.as_str()));
    if text(message, "thread_ts") == text(message, "ts") {
        message.remove("thread_ts");
    }
}

/// What a parent says of its thread: each reply by its `ts` and its author, if that is known.
pub(super) fn count_replies(message: &mut Message, replies: &[(Ts, String)]) {
    let Some((latest, _)) = replies.last() else { return };
    let mut users: Vec<&str> = Vec::new();
    for (_, user) in replies {
        if !user.is_empty() && !users.contains(&user.as_str()) {
            users.push(user);
        }
    }
    let ts = message.get("ts").cloned().unwrap_or_default();
    let thread = json!({
        "thread_ts": ts,
        "reply_count": replies.len(),
        "reply_users_count": users.len(),
        "latest_reply": latest.to_string(),
        "reply_users": users.iter().take(REPLY_USERS).collect::<Vec<_>>(),
        "is_locked": false,
        "subscribed": false,
    });
    if let Value::Object(thread) = thread {
        message.extend(thread);
    }
}

/// Who wrote a message, for the list of those who replied.
pub(super) fn author(message: &Message) -> String {
    let user = text(message, "user");
    if user.is_empty() { text(message, "bot_id") } else { user }.to_owned()
}

/// Adds a user's reaction; false when it is there.
pub(super) fn react(message: &mut Message, name: &str, user: &str) -> bool {
    let reactions = message.entry("reactions").or_insert_with(|| json!([]));
    let Value::Array(reactions) = reactions else { return false };
    let found = reactions.iter_mut().find(|reaction| reaction["name"] == name);
    let Some(reaction) = found else {
        reactions.push(json!({"name": name, "users": [user], "count": 1}));
        return true;
    };
    let Some(users) = reaction["users"].as_array_mut() else { return false };
    if users.iter().any(|known| known == user) {
        return false;
    }
    users.push(json!(user));
    reaction["count"] = json!(reaction["count"].as_u64().unwrap_or(0) + 1);
    true
}

/// Takes a user's reaction back; false when there is none.
pub(super) fn unreact(message: &mut Message, name: &str, user: &str) -> bool {
    let Some(Value::Array(reactions)) = message.get_mut("reactions") else { return false };
    let Some(place) = reactions.iter().position(|reaction| reaction["name"] == name) else { return false };
    let reaction = &mut reactions[place];
    let Some(users) = reaction["users"].as_array_mut() else { return false };
    let before = users.len();
    users.retain(|known| known != user);
    if users.len() == before {
        return false;
    }
    let left = users.is_empty();
    reaction["count"] = json!(reaction["count"].as_u64().unwrap_or(1).saturating_sub(1));
    if left {
        reactions.remove(place);
    }
    if reactions.is_empty() {
        message.remove("reactions");
    }
    true
}
