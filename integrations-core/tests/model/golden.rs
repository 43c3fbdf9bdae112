//! Is everything that an earlier version wrote still read, and read as what it was?
//!
//! The records in `v1` are of format 1. They are never changed: what is added to the form gets another file.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::NaiveDate;
use integrations_core::model::{
    Channel, ChannelKind, Comment, CommentKind, Entity, Event, EventTime, Issue, IssueKind, Meeting,
    MeetingKind, Message, MessageKind, Notification, Person, Record, RecordKind, Source, Task,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::any::fields_of;
use crate::schema::{SCHEMA, complaints};

/// Every golden record, with the beginning of the SHA-256 of its text.
macro_rules! golden {
    ($($name:literal $digest:literal,)*) => {
        const GOLDEN: &[(&str, &str, &str)] =
            &[$((concat!($name, ".json"), $digest, include_str!(concat!("v1/", $name, ".json"))),)*];
    };
}

golden! {
    "channel.full" "08d3bc317bd9",
    "channel.minimal" "179dd7fd0a8a",
    "comment.full" "1a515c22def9",
    "comment.minimal" "79b063a77f01",
    "event.full" "c6173e3f64d2",
    "event.minimal" "6b306fa17b53",
    "issue.full" "c0bc94aaf4a9",
    "issue.minimal" "b247dec8426e",
    "issue.typed" "28ae29d0c6c8",
    "meeting.full" "23470d10d8e3",
    "meeting.minimal" "8c484761b363",
    "message.full" "61cd021d079b",
    "message.minimal" "49efa4bf4669",
    "notification.full" "482b441e1f97",
    "notification.minimal" "5ea2dbd48dae",
    "person.full" "a5473eaea8ba",
    "person.minimal" "ddf1bbd0254d",
    "task.full" "d0e93cf781d0",
    "task.minimal" "eb19a3752543",
}

fn records() -> impl Iterator<Item = (&'static str, &'static str, Record)> {
    GOLDEN.iter().map(|(name, _, text)| (*name, *text, Record::from_json(text.as_bytes()).unwrap()))
}

#[test]
fn golden_records_never_change() {
    for (name, digest, text) in GOLDEN {
        let found = format!("{:x}", Bytes::copy_from_slice(&Sha256::digest(text.as_bytes())));
        assert_eq!(
            &found[..12],
            *digest,
            "{name}: a golden record is never changed; add another one beside it"
        );
    }
}

#[test]
fn every_golden_record_is_written_as_it_was_read() {
    /// Whether all of a value is in another, which may have more fields.
    fn holds(later: &Value, earlier: &Value) -> bool {
        match (later, earlier) {
            (Value::Object(later), Value::Object(earlier)) => {
                earlier.iter().all(|(name, value)| later.get(name).is_some_and(|later| holds(later, value)))
            }
            (Value::Array(later), Value::Array(earlier)) => {
                later.len() == earlier.len()
                    && later.iter().zip(earlier).all(|(later, earlier)| holds(later, earlier))
            }
            (later, earlier) => later == earlier,
        }
    }
    for (name, text, record) in records() {
        let written = record.to_json().unwrap();
        let (earlier, later) = (serde_json::from_str(text).unwrap(), serde_json::from_str(&written).unwrap());
        assert!(holds(&later, &earlier), "{name}: {written}");
        assert_eq!(complaints(&earlier), Vec::<String>::new(), "{name}");
        assert_eq!(complaints(&later), Vec::<String>::new(), "{name}");
        if let Some((_, raw)) = text.split_once("\"raw\": ") {
            assert_eq!(record.raw.to_text(), raw.strip_suffix("\n}\n").unwrap(), "{name}");
        }
        // As stores keep them, each alone.
        let part = |name: &str| earlier[name].to_string();
        assert_eq!(serde_json::from_str::<Entity>(&part("entity")).unwrap(), record.entity, "{name}");
        assert_eq!(serde_json::from_str::<Source>(&part("source")).unwrap(), record.source, "{name}");
    }
}

#[test]
fn every_kind_has_golden_records_and_they_have_every_field() {
    let mut fields = BTreeMap::new();
    for (_, text, _) in records() {
        fields_of(&serde_json::from_str(text).unwrap(), &SCHEMA, "Record", &mut fields);
    }
    let missing = fields.iter().filter(|(_, seen)| !**seen).map(|(name, _)| name).collect::<Vec<_>>();
    assert!(missing.is_empty(), "add another golden record with {missing:?}");
    for kind in RecordKind::ALL {
        let sizes = ["minimal", "full"].map(|size| format!("{}.{size}.json", kind.as_str()));
        assert!(sizes.iter().all(|size| GOLDEN.iter().any(|(name, ..)| name == size)), "{kind:?}");
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    for (name, _, record) in records().filter(|(name, ..)| name.ends_with(".minimal.json")) {
        let id = record.id();
        let expected = match record.kind() {
            RecordKind::Event => {
                let start = EventTime::day(NaiveDate::from_ymd_opt(2026, 3, 1).unwrap());
                Event::new(id, "primary", start).into()
            }
            RecordKind::Message => Message::new(id, MessageKind::Mail).into(),
            RecordKind::Channel => Channel::new(id, ChannelKind::Public).into(),
            RecordKind::Person => Person::new(id).into(),
            RecordKind::Task => Task::new(id, "inbox").into(),
            RecordKind::Issue => Issue::new(id, IssueKind::Issue).into(),
            RecordKind::Comment => Comment::new(id, CommentKind::Comment).into(),
            RecordKind::Notification => {
                let mut notification = Notification::new(id);
                notification.unread = false;
                Entity::from(notification)
            }
            RecordKind::Meeting => Meeting::new(id, MeetingKind::Scheduled).into(),
            kind => panic!("{kind:?} has no minimal record"),
        };
        assert_eq!(record.entity, expected, "{name}");
        assert!(record.raw.is_empty() && record.source.version.is_none(), "{name}");
    }
}
