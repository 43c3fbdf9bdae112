//! Payloads that no one here wrote: every message, conversation and user in them is normalised, or quarantined for
//! a reason that is listed here by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use integrations_core::model::{Change, Channel, Entity, Message, Person, Raw, Record};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_slack::workspace::{CHANNELS, SlackNormalizer, USERS};
use serde_json::{Value, json};

/// The folders, and how many of each there are at the least: messages, conversations, users.
const FOLDERS: &[(&str, [usize; 3])] =
    &[("slack-java-samples", [42, 25, 3]), ("slack-events-real", [20, 1, 1]), ("slack-openapi", [0, 4, 0])];

const NO_TS: &str = "$.ts: expected a timestamp of 10 digits, a point and 6 digits";
const NO_ID: &str = "$.id: the id is empty";

/// What cannot be read, and why, and how often in a file. Those in `slack-java-samples` are shapes whose texts are
/// all empty, ids and timestamps among them; filled in, they can be read.
#[rustfmt::skip]
const QUARANTINED: &[(&str, &str, usize)] = &[
    ("api/chat.postMessage.json", NO_TS, 6),
    ("api/conversations.requestSharedInvite.list.json", NO_ID, 1),
    ("app-backend/interactive-components/BlockActionPayload.json", NO_TS, 2),
    ("events/ChannelCreatedPayload.json", NO_ID, 1),
    ("events/ChannelRenamePayload.json", NO_ID, 1),
    ("events/GroupRenamePayload.json", NO_ID, 1),
    ("events/MessageChangedPayload.json", NO_TS, 2),
    ("events/MessageChannelArchivePayload.json", NO_TS, 1),
    ("events/MessageChannelLeavePayload.json", NO_TS, 1),
    ("events/MessageChannelUnarchivePayload.json", NO_TS, 1),
    ("events/MessageGroupTopicPayload.json", NO_TS, 1),
    ("events/MessagePayload.json", NO_TS, 1),
    ("events/MessageRepliedPayload.json", NO_TS, 1),
    ("events/MessageThreadBroadcastPayload.json", NO_TS, 2),
    ("events/TeamJoinPayload.json", NO_ID, 1),
    ("rtm/ChannelCreatedEvent.json", NO_ID, 1),
    ("rtm/ChannelRenameEvent.json", NO_ID, 1),
    ("rtm/GroupRenameEvent.json", NO_ID, 1),
    ("rtm/PinAddedEvent.json", NO_TS, 3),
    ("rtm/StarAddedEvent.json", NO_TS, 3),
    ("rtm/StarRemovedEvent.json", NO_TS, 3),
    ("rtm/TeamJoinEvent.json", NO_ID, 1),
];

fn data(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/data/{folder} is not here");
    None
}

/// All JSON files below a folder, with their names from there on.
fn files(folder: &Path, below: &Path, found: &mut Vec<(String, Value)>) {
    let mut entries: Vec<_> = std::fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "spec" {
            files(folder, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push((name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Channel,
    User,
}

/// What is a resource that the model has. Events about messages are none: the message stands in them.
fn kind(value: &Value, name: &str) -> Option<Kind> {
    let has = |field: &str| value.get(field).is_some();
    let about = ["message_changed", "message_deleted", "message_replied"];
    let event = value.get("subtype").and_then(Value::as_str).is_some_and(|subtype| about.contains(&subtype));
    let of_message = value.get("type").is_some_and(|kind| kind == "message" || kind == "");
    let said = ["text", "blocks", "reply_count", "subtype"].into_iter().any(has);
    if has("ts") && of_message && said && !event && !has("item_user") {
        Some(Kind::Message)
    } else if has("id") && ["is_channel", "is_im", "is_group", "is_mpim"].into_iter().any(has) {
        Some(Kind::Channel)
    } else if has("id") && has("profile") && (has("deleted") || has("name")) && name != "bot_profile" {
        Some(Kind::User)
    } else {
        None
    }
}

/// Everything in a value that is such a resource, wherever it stands.
fn resources(value: &Value, name: &str, found: &mut Vec<(Kind, Value)>) {
    if let Some(kind) = kind(value, name) {
        found.push((kind, value.clone()));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| resources(item, name, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| resources(value, name, found)),
        _ => {}
    }
}

/// The record, or why there is none.
fn normalise(kind: Kind, wire: &Value) -> Result<Record, String> {
    let stream = match kind {
        Kind::Message => "C024BE91L",
        Kind::Channel => CHANNELS,
        Kind::User => USERS,
    };
    let stream = StreamKey {
        owner: "ada".into(),
        service: "slack".into(),
        connection: "cn_1".into(),
        stream: stream.into(),
    };
    let raw = Raw::new(Bytes::from(wire.to_string()));
    let mut done = Stages::new(Arc::new(SlackNormalizer)).run(&[raw], &stream, &PageContext::default());
    match done.quarantined.pop() {
        Some(item) => Err(format!("{}: {}", item.path, item.reason)),
        None => match done.changes.pop() {
            Some(Change::Upsert(record)) => Ok(record),
            other => panic!("{other:?}"),
        },
    }
}

/// A shape without values, with what nothing can be without.
fn filled(kind: Kind, wire: &Value) -> Value {
    let mut wire = wire.clone();
    let (field, value) = match kind {
        Kind::Message => ("ts", "1772440000.123459"),
        Kind::Channel => ("id", "C024BE91L"),
        Kind::User => ("id", "U012A3CDE"),
    };
    if wire[field] == "" {
        wire[field] = json!(value);
    }
    wire
}

#[test]
fn every_resource_is_normalised_or_quarantined_by_name() {
    let mut quarantined: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut missing = false;
    for (folder, least) in FOLDERS {
        let Some(path) = data(folder) else {
            missing = true;
            continue;
        };
        let mut all = Vec::new();
        files(&path, &path, &mut all);
        let mut counts = [[0_usize; 3]; 3];
        for (name, value) in all {
            let mut found = Vec::new();
            resources(&value, "", &mut found);
            for (kind, wire) in found {
                counts[kind as usize][0] += 1;
                match normalise(kind, &wire) {
                    Ok(record) => {
                        counts[kind as usize][1] += 1;
                        keeps_every_field(&name, &wire, &record);
                    }
                    Err(reason) => {
                        counts[kind as usize][2] += 1;
                        *quarantined.entry((name.clone(), reason)).or_default() += 1;
                        // Nothing but that is wrong with it.
                        let wire = filled(kind, &wire);
                        let record =
                            normalise(kind, &wire).unwrap_or_else(|reason| panic!("{name}: {reason}"));
                        keeps_every_field(&name, &wire, &record);
                    }
                }
            }
        }
        for (kind, [seen, normalised, quarantined]) in
            ["messages", "conversations", "users"].iter().zip(counts)
        {
            println!("{folder}: {seen} {kind} seen, {normalised} normalised, {quarantined} quarantined");
        }
        assert!(counts.iter().zip(least).all(|(count, least)| count[0] >= *least), "{folder}: {counts:?}");
    }
    if missing {
        return;
    }
    let found: Vec<_> =
        quarantined.iter().map(|((name, reason), count)| (name.as_str(), reason.as_str(), *count)).collect();
    assert_eq!(found, QUARANTINED);
}

/// Each field that the model has, and the payload too, has arrived.
fn keeps_every_field(name: &str, wire: &Value, record: &Record) {
    assert_eq!(record.raw.as_bytes(), wire.to_string().as_bytes());
    match &record.entity {
        Entity::Message(message) => message_keeps_every_field(name, wire, message, record),
        Entity::Channel(channel) => channel_keeps_every_field(name, wire, channel),
        Entity::Person(person) => person_keeps_every_field(name, wire, person),
        other => panic!("{name}: {other:?}"),
    }
}

/// A text of the payload that is not empty.
fn text<'a>(wire: &'a Value, path: &str) -> Option<&'a str> {
    wire.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn length(wire: &Value, path: &str) -> usize {
    wire.pointer(path).and_then(Value::as_array).map_or(0, Vec::len)
}

fn message_keeps_every_field(name: &str, wire: &Value, message: &Message, record: &Record) {
    assert_eq!(Some(message.id.as_str()), text(wire, "/ts"), "{name}");
    assert_eq!(message.sent_at.unwrap().timestamp().to_string().len().max(10), 10, "{name}");
    assert_eq!(message.thread_id.as_deref(), text(wire, "/thread_ts"), "{name}");
    let answers = text(wire, "/thread_ts").filter(|thread| Some(*thread) != text(wire, "/ts"));
    assert_eq!(message.answers.as_deref(), answers, "{name}");
    let from = message.from.as_ref();
    let id = text(wire, "/user").or(text(wire, "/bot_id"));
    assert_eq!(from.and_then(|from| from.id.as_deref()), id, "{name}");
    if let Some(username) = text(wire, "/username").or(text(wire, "/bot_profile/name")) {
        assert_eq!(from.and_then(|from| from.name.as_deref()), Some(username), "{name}");
    }
    assert_eq!(from.is_some_and(|from| from.is_bot), text(wire, "/bot_id").is_some(), "{name}");
    assert_eq!(message.attachments.len(), length(wire, "/files"), "{name}");
    for (file, attachment) in wire["files"].as_array().into_iter().flatten().zip(&message.attachments) {
        assert_eq!(attachment.id.as_deref(), text(file, "/id"), "{name}");
        assert_eq!(attachment.title.as_deref(), text(file, "/title").or(text(file, "/name")), "{name}");
        assert_eq!(attachment.media_type.as_deref(), text(file, "/mimetype"), "{name}");
        assert_eq!(attachment.size, file["size"].as_u64(), "{name}");
        assert_eq!(attachment.url.as_deref(), text(file, "/permalink"), "{name}");
        let private = text(file, "/url_private").filter(|_| file["is_external"] != true);
        assert_eq!(attachment.content_url.as_deref(), private, "{name}");
    }
    assert_eq!(message.reactions.len(), length(wire, "/reactions"), "{name}");
    for (given, reaction) in wire["reactions"].as_array().into_iter().flatten().zip(&message.reactions) {
        assert_eq!(
            (Some(reaction.count), reaction.people.len()),
            (given["count"].as_u64(), length(given, "/users"))
        );
    }
    let count = wire["reply_count"].as_u64().filter(|count| *count > 0);
    assert_eq!(message.replies.as_ref().map(|replies| replies.count), count, "{name}");
    if let Some(replies) = &message.replies {
        assert_eq!(replies.people.len(), length(wire, "/reply_users"), "{name}");
        assert_eq!(replies.last_at.is_some(), text(wire, "/latest_reply").is_some(), "{name}");
    }
    assert_eq!(message.edited_at.is_some(), text(wire, "/edited/ts").is_some(), "{name}");
    assert_eq!(record.source.version.as_deref(), text(wire, "/edited/ts"), "{name}");
    assert_eq!(record.source.link.as_deref(), text(wire, "/permalink"), "{name}");
    assert_eq!(message.starred, wire["is_starred"] == true, "{name}");
    assert_eq!(message.status.as_str() == "deleted", wire["subtype"] == "tombstone", "{name}");
    if let Some(said) = text(wire, "/text") {
        let read = message.text.as_deref().unwrap_or_default();
        assert!(!read.is_empty(), "{name}: {said}");
        // Where there are no blocks, the words of the text are those that are read.
        if length(wire, "/blocks") == 0 {
            let first = said.split(['<', '>', '&']).next().unwrap_or_default().trim_end();
            assert!(read.starts_with(first), "{name}: {said} is read as {read}");
        }
    }
    // Every word of a block is found in the text.
    let mut words = Vec::new();
    readable(&wire["blocks"], &mut words);
    let read = message.text.as_deref().unwrap_or_default();
    for word in words {
        assert!(read.contains(&word), "{name}: {word:?} is not in {read:?}");
    }
}

/// The texts of rich text, sections and headers, which have no markup in them.
fn readable(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| readable(item, words)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            let said = fields.get("text").and_then(Value::as_str);
            let inline = ["text", "mrkdwn", "plain_text", "link"].contains(&kind);
            if let Some(said) = said.filter(|said| inline && !said.contains(['<', '&', '\n'])) {
                words.push(said.to_owned());
            }
            let parts = ["elements", "fields", "text"].into_iter().filter_map(|name| fields.get(name));
            parts.for_each(|part| readable(part, words));
        }
        _ => {}
    }
}

fn channel_keeps_every_field(name: &str, wire: &Value, channel: &Channel) {
    let is = |field: &str| wire.get(field).is_some_and(|value| value == true);
    let kind = match () {
        () if is("is_im") => "direct",
        () if is("is_mpim") => "group",
        () if is("is_private") || is("is_group") => "private",
        () => "public",
    };
    assert_eq!(channel.kind.as_str(), kind, "{name}");
    assert_eq!(Some(channel.id.as_str()), text(wire, "/id"), "{name}");
    assert_eq!(channel.name.as_deref(), text(wire, "/name"), "{name}");
    assert_eq!(channel.topic.as_deref(), text(wire, "/topic/value"), "{name}");
    assert_eq!(channel.description.as_deref(), text(wire, "/purpose/value"), "{name}");
    assert_eq!(channel.creator.as_ref().and_then(|who| who.id.as_deref()), text(wire, "/creator"), "{name}");
    assert_eq!(channel.with.as_ref().and_then(|who| who.id.as_deref()), text(wire, "/user"), "{name}");
    assert_eq!((channel.archived, channel.shared), (is("is_archived"), is("is_ext_shared")), "{name}");
    assert_eq!(channel.member_count, wire["num_members"].as_u64(), "{name}");
    assert_eq!(channel.unread_count, wire["unread_count"].as_u64(), "{name}");
    let created = channel.created_at.map(|at| at.timestamp());
    assert_eq!(created, wire["created"].as_i64(), "{name}");
    assert_eq!(channel.updated_at.map(|at| at.timestamp_millis()), wire["updated"].as_i64(), "{name}");
    if kind != "direct" && wire.get("is_member").is_some() {
        assert_eq!(channel.member, wire["is_member"].as_bool(), "{name}");
    }
}

fn person_keeps_every_field(name: &str, wire: &Value, person: &Person) {
    let profile = |field: &str| text(wire, &format!("/profile/{field}"));
    assert_eq!(Some(person.id.as_str()), text(wire, "/id"), "{name}");
    let full = text(wire, "/real_name").or(profile("real_name"));
    assert_eq!(person.full_name.as_deref(), full, "{name}");
    assert_eq!(person.name.as_deref(), profile("display_name").or(full).or(text(wire, "/name")), "{name}");
    assert_eq!(person.login.as_deref(), text(wire, "/name"), "{name}");
    assert_eq!(
        (person.email.as_deref(), person.phone.as_deref()),
        (profile("email"), profile("phone")),
        "{name}"
    );
    assert_eq!(person.job_title.as_deref(), profile("title"), "{name}");
    assert_eq!(person.organization_id.as_deref(), text(wire, "/team_id"), "{name}");
    assert_eq!(person.locale.as_deref(), text(wire, "/locale"), "{name}");
    assert_eq!(person.time_zone.is_some(), text(wire, "/tz").is_some(), "{name}");
    assert_eq!(person.updated_at.map(|at| at.timestamp()), wire["updated"].as_i64(), "{name}");
    assert_eq!(person.avatar_url.is_some(), profile("image_512").or(profile("image_72")).is_some(), "{name}");
    assert_eq!(person.status.as_str() == "deactivated", wire["deleted"] == true, "{name}");
}
