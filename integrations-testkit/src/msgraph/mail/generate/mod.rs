//! What does message number `i` of a generated folder look like?
//!
//! A message is a pure function of the seed, the folder, the start day and its index, so a million of them
//! cost no memory. The higher the index, the younger the message.

mod words;

use serde_json::{Map, Value};

use self::words::{BODIES, FILES, PEOPLE, SUBJECTS};
use super::attachment::Attachment;
use super::message::MessageField;
use crate::msgraph::fields::{Object, Select};
use crate::msgraph::ids::guid;
use crate::msgraph::prefer::BodyType;
use crate::msgraph::text::{moment, put, put_number, put_seconds, truth};
use crate::random::{Draw, hash_text, mix};

const MS_PER_DAY: i64 = 86_400_000;
/// Generated messages were received in this span before the start day.
const SPAN: i64 = 400 * MS_PER_DAY;
/// One message in so many is unread.
const UNREAD: u64 = 16;

/// Whose messages a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Received,
    Sent,
    Draft,
}

/// Writes the messages of one folder.
#[derive(Debug)]
pub(super) struct Generator {
    key: u64,
    pub(super) count: u64,
    role: Role,
    first: i64,
    step: i64,
    /// The account as an `emailAddress`, in JSON.
    own: String,
}

impl Generator {
    pub(super) fn new(seed: u64, folder: &str, role: Role, count: u64, own: &Value, now: i64) -> Self {
        let start = now - now.rem_euclid(MS_PER_DAY);
        Self {
            key: mix(seed ^ hash_text(folder) ^ 0x6d61_696c),
            count,
            role,
            first: start - SPAN,
            step: SPAN / i64::try_from(count.max(1)).unwrap_or(i64::MAX),
            own: own.to_string(),
        }
    }

    fn draw(&self, index: u64, aspect: u64) -> Draw {
        Draw::new(mix(self.key.wrapping_add(index)) ^ mix(self.key ^ aspect))
    }

    /// When the message was received, in milliseconds; grows with the index.
    pub(super) fn received(&self, index: u64) -> i64 {
        let at = self.first + self.step * i64::try_from(index).unwrap_or(i64::MAX);
        at - at.rem_euclid(1_000)
    }

    pub(super) fn is_read(&self, index: u64) -> bool {
        self.role != Role::Received || index % UNREAD != 3
    }

    /// How many of the messages are unread.
    pub(super) const fn unread(&self) -> u64 {
        match self.role {
            Role::Received => (self.count + UNREAD - 4) / UNREAD,
            Role::Sent | Role::Draft => 0,
        }
    }

    /// What hangs on the message.
    pub(super) fn attachments(&self, index: u64) -> Vec<Attachment> {
        let mut draw = self.draw(index, 1);
        if !draw.percent(12) {
            return Vec::new();
        }
        let modified = self.received(index);
        (0..=draw.below(3))
            .map(|_| {
                let (name, kind) = *draw.pick(FILES);
                let inline = kind == "image/jpeg" && draw.percent(70);
                let size = 200 + draw.below(12_000) as usize;
                let mut content = Vec::with_capacity(size + 8);
                while content.len() < size {
                    content.extend_from_slice(&draw.next().to_be_bytes());
                }
                content.truncate(size);
                Attachment::file(name, kind, content, inline, modified)
            })
            .collect()
    }

    /// Whether something hangs on the message that is not inline.
    fn has_attachments(&self, index: u64) -> bool {
        self.draw(index, 1).percent(12) && self.attachments(index).iter().any(|attachment| !attachment.inline)
    }

    /// What an entry begins with when the test touches the message.
    pub(super) fn fields(&self, index: u64) -> Map<String, Value> {
        let mut text = Vec::new();
        let mut object = Object::begin(&mut text, Select::of_bits(u64::MAX));
        self.put_content(index, &mut object, BodyType::Stored);
        object.end();
        let mut fields: Map<String, Value> = serde_json::from_slice(&text).unwrap_or_default();
        fields.remove("hasAttachments");
        fields
    }

    /// Writes everything that does not depend on the folder or on a change.
    pub(super) fn put_content(&self, index: u64, object: &mut Object<'_, MessageField>, body: BodyType) {
        use MessageField as F;
        let mut draw = self.draw(index, 2);
        let received = self.received(index);
        let sent = received - i64::from(1 + draw.below(30)) * 1_000;
        let other = draw.below(10) as usize;
        // Messages of one conversation follow each other.
        let thread = mix(self.key ^ (index / 4));
        let number = mix(self.key ^ index.rotate_left(32));
        let subject = *draw.pick(SUBJECTS);
        let (html, text, preview) = *draw.pick(BODIES);
        let plain = draw.percent(15);
        let importance = *draw.pick(&["normal", "normal", "normal", "normal", "high", "low"]);
        let flag =
            *draw.pick(&["notFlagged", "notFlagged", "notFlagged", "notFlagged", "flagged", "complete"]);
        let classified = if draw.percent(70) { "focused" } else { "other" };
        let category = draw.percent(8);
        let (more, copies) =
            (draw.below(3) as usize, if draw.percent(30) { 1 + draw.below(3) as usize } else { 0 });
        let answers_elsewhere = draw.percent(5);
        for (field, time) in
            [(F::CreatedDateTime, received), (F::ReceivedDateTime, received), (F::SentDateTime, sent)]
        {
            if let Some(out) = object.field(field) {
                out.push(b'"');
                put_seconds(out, moment(time));
                put!(out, "Z\"");
            }
        }
        let quoted = [
            (F::Subject, subject),
            (F::BodyPreview, preview),
            (F::Importance, importance),
            (F::InferenceClassification, classified),
        ];
        for (field, text) in quoted {
            if let Some(out) = object.field(field) {
                put!(out, "\"", text, "\"");
            }
        }
        let flags = [
            (F::IsRead, self.is_read(index)),
            (F::IsDraft, self.role == Role::Draft),
            (F::IsReadReceiptRequested, false),
            (F::IsDeliveryReceiptRequested, false),
        ];
        for (field, flag) in flags {
            if let Some(out) = object.field(field) {
                put!(out, truth(flag));
            }
        }
        if let Some(out) = object.field(F::HasAttachments) {
            put!(out, truth(self.has_attachments(index)));
        }
        if let Some(out) = object.field(F::Categories) {
            put!(out, if category { "[\"Red category\"]" } else { "[]" });
        }
        if let Some(out) = object.field(F::Flag) {
            put!(out, r#"{"flagStatus":""#, flag, "\"}");
        }
        if let Some(out) = object.field(F::InternetMessageId) {
            put!(out, "\"<", guid(number), "@mail.example.com>\"");
        }
        for (field, number) in [(F::ConversationId, thread), (F::ConversationIndex, number)] {
            if let Some(out) = object.field(field) {
                put!(out, "\"AAQkADIw");
                put_number(out, number, 20);
                put!(out, "AAQA=\"");
            }
        }
        for field in [F::Body, F::UniqueBody] {
            if let Some(out) = object.field(field) {
                let as_text = body == BodyType::Text || (plain && body == BodyType::Stored);
                let (kind, content) = if as_text { ("text", text) } else { ("html", html) };
                put!(out, r#"{"contentType":""#, kind, r#"","content":""#, content, "\"}");
            }
        }
        for field in [F::From, F::Sender] {
            if let Some(out) = object.field(field) {
                if self.role == Role::Received { put_person(out, other) } else { self.put_own(out) }
            }
        }
        if let Some(out) = object.field(F::ToRecipients) {
            out.push(b'[');
            if self.role == Role::Received {
                self.put_own(out);
            } else {
                put_person(out, other);
            }
            put_others(out, other + 1, more);
            out.push(b']');
        }
        for (field, first, count) in [
            (F::CcRecipients, other + 4, copies),
            (F::BccRecipients, other, usize::from(self.role == Role::Sent && copies == 1)),
            (F::ReplyTo, other + 7, usize::from(answers_elsewhere)),
        ] {
            if let Some(out) = object.field(field) {
                out.push(b'[');
                if count > 0 {
                    put_person(out, first);
                    put_others(out, first + 1, count - 1);
                }
                out.push(b']');
            }
        }
        if let Some(out) = object.field(F::InternetMessageHeaders) {
            put!(out, r#"[{"name":"MIME-Version","value":"1.0"},{"name":"From","value":""#, PEOPLE[other].1);
            put!(out, r#""},{"name":"Message-ID","value":"<"#, guid(number), r#"@mail.example.com>"},"#);
            put!(out, r#"{"name":"Received","value":"from a.example by b.example"},"#);
            put!(out, r#"{"name":"Received","value":"from c.example by a.example"}]"#);
        }
    }

    fn put_own(&self, out: &mut Vec<u8>) {
        put!(out, r#"{"emailAddress":"#, self.own, "}");
    }
}

fn put_person(out: &mut Vec<u8>, number: usize) {
    let (name, address) = PEOPLE[number % PEOPLE.len()];
    put!(out, r#"{"emailAddress":{"name":""#, name, r#"","address":""#, address, "\"}}");
}

fn put_others(out: &mut Vec<u8>, first: usize, count: usize) {
    for number in first..first + count {
        out.push(b',');
        put_person(out, number);
    }
}
