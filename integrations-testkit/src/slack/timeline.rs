//! Which messages has a channel, and which of them stand in its history and in its threads?
//!
//! A message is known by its `ts`. Generated ones are made up on the way out; what a test posts or touches
//! lies over them, by the same `ts`. Counters of threads are never kept: they are counted when they are
//! shown, so they agree with the replies whatever became of these.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::generate::{Generator, Place};
use super::message::{self, Author, Message};
use super::ts::Ts;

/// What became of a message.
#[derive(Debug)]
enum Content {
    Message(Message),
    /// A deleted parent: shown as long as it has replies.
    Tombstone,
    Gone,
    /// Text of the test, served as it is.
    Raw(String),
}

#[derive(Debug)]
struct Entry {
    content: Content,
    /// The parent of a reply.
    thread: Option<Ts>,
    broadcast: bool,
}

/// The messages of one channel.
#[derive(Debug)]
pub(super) struct Timeline {
    generator: Generator,
    /// What the test posted or touched.
    entries: BTreeMap<Ts, Entry>,
    /// The replies that the test posted, by their parent.
    replies: HashMap<Ts, BTreeSet<Ts>>,
    latest: Ts,
}

impl Timeline {
    pub(super) fn new(generator: Generator) -> Self {
        Self { generator, entries: BTreeMap::new(), replies: HashMap::new(), latest: Ts(0) }
    }

    /// The next `ts`: now, or just behind the last one.
    fn next(&mut self, now: DateTime<Utc>) -> Ts {
        self.latest = Ts::of(now).max(Ts(self.latest.0 + 1));
        self.latest
    }

    fn generated(&self, ts: Ts) -> Option<Place> {
        self.generator.find(ts)
    }

    /// The parent of a reply; `None` for what stands by itself.
    fn thread(&self, ts: Ts) -> Option<Ts> {
        match self.entries.get(&ts) {
            Some(entry) => entry.thread,
            None => self.generated(ts).and_then(|place| place.parent()),
        }
    }

    fn is_broadcast(&self, ts: Ts) -> bool {
        match self.entries.get(&ts) {
            Some(entry) => entry.broadcast,
            None => self.generated(ts).is_some_and(|place| place.is_broadcast()),
        }
    }

    /// Whether anything is shown under this `ts`.
    pub(super) fn exists(&self, ts: Ts) -> bool {
        match self.entries.get(&ts).map(|entry| &entry.content) {
            Some(Content::Message(_) | Content::Raw(_)) => true,
            Some(Content::Tombstone) => self.replies_from(ts, Ts(0)).next().is_some(),
            Some(Content::Gone) => false,
            None => self.generated(ts).is_some(),
        }
    }

    /// Whether it stands by itself in the history, not in a thread.
    pub(super) fn is_top(&self, ts: Ts) -> bool {
        self.exists(ts) && self.thread(ts).is_none()
    }

    /// The history down from a `ts`, the newest first.
    pub(super) fn history(&self, from: Ts) -> impl Iterator<Item = Ts> + '_ {
        let mut generated = self.generator.history(from).peekable();
        let mut entries = self.entries.range(..=from).rev().map(|(&ts, _)| ts).peekable();
        let all = std::iter::from_fn(move || match (generated.peek(), entries.peek()) {
            (Some(generated_ts), Some(ts)) if generated_ts > ts => generated.next(),
            (same, Some(ts)) => {
                if same == Some(ts) {
                    generated.next();
                }
                entries.next()
            }
            (_, None) => generated.next(),
        });
        all.filter(move |&ts| match self.entries.get(&ts) {
            Some(entry) => (entry.thread.is_none() || entry.broadcast) && self.exists(ts),
            None => true,
        })
    }

    /// The replies of a thread up from a `ts`, the oldest first.
    pub(super) fn replies_from(&self, parent: Ts, from: Ts) -> impl Iterator<Item = Ts> + '_ {
        let made_up = self.generated(parent).filter(|place| place.parent().is_none());
        let mut generated = made_up.into_iter().flat_map(|place| place.replies()).peekable();
        let mut posted = self.replies.get(&parent).into_iter().flatten().copied().peekable();
        let all = std::iter::from_fn(move || match (generated.peek(), posted.peek()) {
            (Some(first), Some(second)) if first > second => posted.next(),
            (Some(_), _) => generated.next(),
            (None, _) => posted.next(),
        });
        all.filter(move |&ts| ts >= from && self.exists(ts))
    }

    /// The message as it is kept; `None` for what is text of the test or not there.
    fn kept(&self, ts: Ts) -> Option<Message> {
        match self.entries.get(&ts).map(|entry| &entry.content) {
            Some(Content::Message(message)) => Some(message.clone()),
            Some(Content::Tombstone) => Some(message::tombstone(ts)),
            Some(Content::Gone | Content::Raw(_)) => None,
            None => {
                let mut text = Vec::new();
                self.generator.write(&self.generated(ts)?, &mut text);
                let mut message = serde_json::from_slice(&text).ok()?;
                message::strip(&mut message);
                Some(message)
            }
        }
    }

    /// Who wrote a message; empty when nobody knows.
    fn author(&self, ts: Ts) -> String {
        match self.entries.get(&ts).map(|entry| &entry.content) {
            Some(Content::Message(message)) => message::author(message),
            _ => self.kept(ts).as_ref().map(message::author).unwrap_or_default(),
        }
    }

    /// Whether nothing of a generated thread has been touched, so that it is what it was made up as.
    fn is_untouched(&self, place: &Place) -> bool {
        let (first, end) = place.span();
        self.entries.range(first..end).next().is_none() && !self.replies.contains_key(&place.message())
    }

    /// The message as Slack shows it, thread and all.
    fn shown(&self, ts: Ts) -> Option<Message> {
        let mut message = self.kept(ts)?;
        if let Some(parent) = self.thread(ts) {
            if let Some(root) = self.is_broadcast(ts).then(|| self.shown(parent)).flatten() {
                message.insert("root".to_owned(), Value::Object(root));
            }
            return Some(message);
        }
        let replies: Vec<_> = self.replies_from(ts, Ts(0)).map(|reply| (reply, self.author(reply))).collect();
        message::count_replies(&mut message, &replies);
        Some(message)
    }

    /// Appends a message as JSON, without its metadata unless that is asked for.
    pub(super) fn write(&self, ts: Ts, metadata: bool, out: &mut Vec<u8>) {
        if let Some(place) = self.generated(ts).filter(|place| self.is_untouched(place)) {
            self.generator.write(&place, out);
        } else if let Some(Entry { content: Content::Raw(text), .. }) = self.entries.get(&ts) {
            out.extend_from_slice(text.as_bytes());
        } else if let Some(mut message) = self.shown(ts) {
            if !metadata {
                message.remove("metadata");
            }
            out.extend_from_slice(Value::Object(message).to_string().as_bytes());
        }
    }

    /// A message as Slack shows it with its metadata; `None` when it is not there, or no JSON.
    pub(super) fn message(&self, ts: Ts) -> Option<Value> {
        if !self.exists(ts) {
            return None;
        }
        let mut text = Vec::new();
        self.write(ts, true, &mut text);
        serde_json::from_slice(&text).ok()
    }

    /// How many messages there are, replies included.
    pub(super) fn len(&self) -> u64 {
        let top = self.history(Ts(u64::MAX)).filter(|&ts| self.thread(ts).is_none());
        top.map(|ts| 1 + self.replies_from(ts, Ts(0)).count() as u64).sum()
    }

    /// Whether the message is one that nobody can reply to.
    pub(super) fn takes_no_replies(&self, ts: Ts) -> bool {
        let message = self.kept(ts);
        let subtype = message.as_ref().map_or("", |message| message::text(message, "subtype"));
        matches!(subtype, "channel_join" | "channel_leave")
    }
}

/// What a test does to the messages.
impl Timeline {
    /// Posts a message; `None` when it is a reply to what is not there or takes no replies.
    pub(super) fn post(&mut self, message: Message, author: Author<'_>, now: DateTime<Utc>) -> Option<Ts> {
        let thread = match message.get("thread_ts") {
            None => None,
            Some(thread) => Some(self.parent(thread.as_str()?)?),
        };
        let parent = thread.map(|thread| self.kept(thread).unwrap_or_default());
        let ts = self.next(now);
        let message = message::fill(message, ts, author, thread.zip(parent.as_ref()));
        let broadcast = message::text(&message, "subtype") == "thread_broadcast";
        self.put(ts, Entry { content: Content::Message(message), thread, broadcast });
        Some(ts)
    }

    /// Adds text that is served as it is, in the history or in a thread.
    pub(super) fn raw(&mut self, text: &str, thread: Option<&str>, now: DateTime<Utc>) -> Option<Ts> {
        let thread = match thread {
            None => None,
            Some(thread) => Some(self.parent(thread)?),
        };
        let ts = self.next(now);
        self.put(ts, Entry { content: Content::Raw(text.to_owned()), thread, broadcast: false });
        Some(ts)
    }

    fn parent(&self, thread: &str) -> Option<Ts> {
        Ts::parse(thread).filter(|&thread| self.is_top(thread) && !self.takes_no_replies(thread))
    }

    fn put(&mut self, ts: Ts, entry: Entry) {
        if let Some(thread) = entry.thread.filter(|_| self.generated(ts).is_none()) {
            self.replies.entry(thread).or_default().insert(ts);
        }
        self.entries.insert(ts, entry);
    }

    /// Changes a message; false when there is none, or what is there is no message any more.
    pub(super) fn change(&mut self, ts: Ts, change: impl FnOnce(Message) -> Message) -> bool {
        if let Some(Entry { content: Content::Tombstone | Content::Raw(_), .. }) = self.entries.get(&ts) {
            return false;
        }
        let Some(message) = self.kept(ts) else { return false };
        let entry = Entry {
            content: Content::Message(change(message)),
            thread: self.thread(ts),
            broadcast: self.is_broadcast(ts),
        };
        self.put(ts, entry);
        true
    }

    /// Deletes a message; a parent with replies leaves a tombstone. False when there is none.
    pub(super) fn delete(&mut self, ts: Ts) -> bool {
        let tombstone = matches!(self.entries.get(&ts), Some(Entry { content: Content::Tombstone, .. }));
        if tombstone || !self.exists(ts) {
            return false;
        }
        let has_replies = self.is_top(ts) && self.replies_from(ts, Ts(0)).next().is_some();
        let content = if has_replies { Content::Tombstone } else { Content::Gone };
        self.put(ts, Entry { content, thread: self.thread(ts), broadcast: self.is_broadcast(ts) });
        true
    }
}
