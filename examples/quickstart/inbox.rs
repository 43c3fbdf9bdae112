//! What has been written to the user, by mail and in chats?

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::{ConnectionId, ServiceId};
use integrations_core::model::{Message, MessageKind, MessageStatus, RecordKind};
use integrations_core::sync::StreamKey;
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::{RecordQuery, StoredRecord};

use super::names::Names;

/// How many conversations are shown, and how many replies of each.
const SHOWN: usize = 14;
const REPLIES: usize = 3;
const PAGE: u32 = 200;

/// The latest conversations, the newest first.
pub(crate) struct Inbox {
    pub(crate) threads: Vec<Thread>,
    /// Whether there are older ones.
    pub(crate) more: bool,
}

/// A mail with those that went before, or a message of a chat with its replies.
pub(crate) struct Thread {
    pub(crate) service: ServiceId,
    is_chat: bool,
    /// The channel of a chat.
    pub(crate) place: Option<String>,
    /// The latest mail, or the message that the thread begins with.
    pub(crate) line: Option<Line>,
    /// `None` where the service does not say.
    pub(crate) unread: Option<bool>,
    /// The last replies, the oldest first.
    pub(crate) replies: Vec<Line>,
    /// How many mails or replies there are beside those.
    pub(crate) others: u64,
}

pub(crate) struct Line {
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) who: String,
    pub(crate) text: String,
    pub(crate) edited: bool,
}

type Key = (ConnectionId, String, String);

/// Reads messages from the newest on, page by page, until it has enough conversations.
pub(crate) async fn inbox(store: &SqliteStore, user: &str, names: &Names) -> Result<Inbox> {
    let mut query = RecordQuery::new().owner(user).kind(RecordKind::Message).newest_first().limit(PAGE);
    let mut inbox = Inbox { threads: Vec::new(), more: false };
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut begun: Vec<(StreamKey, String)> = Vec::new();
    while !inbox.more {
        let page = store.records(&query).await?;
        let Some(last) = page.last() else { break };
        query = query.after(last.cursor());
        for record in &page {
            let Some(message) = record.entity.as_message().filter(|message| is_shown(message)) else {
                continue;
            };
            let root = message.thread_id.as_ref().unwrap_or(&message.id);
            let key = (record.stream.connection.clone(), record.stream.stream.to_string(), root.clone());
            let place = match places.get(&key) {
                Some(&place) => place,
                None if inbox.threads.len() == SHOWN => {
                    inbox.more = true;
                    continue;
                }
                None => {
                    inbox.threads.push(Thread::of(record, message, names));
                    begun.push((record.stream.clone(), root.clone()));
                    places.insert(key, inbox.threads.len() - 1);
                    inbox.threads.len() - 1
                }
            };
            inbox.threads[place].take(&record.stream.connection, message, names);
        }
    }
    for (thread, (stream, root)) in inbox.threads.iter_mut().zip(begun) {
        thread.finish(store, &stream, &root, names).await?;
    }
    Ok(inbox)
}

/// Mails that stand in the inbox, and what people and programs say in chats.
fn is_shown(message: &Message) -> bool {
    let there = message.status == MessageStatus::Sent && !message.trashed && !message.spam;
    there
        && match message.kind {
            MessageKind::Mail => message.inbox,
            MessageKind::Chat => true,
            _ => false,
        }
}

impl Thread {
    fn of(record: &StoredRecord, message: &Message, names: &Names) -> Self {
        let connection = &record.stream.connection;
        Self {
            service: record.stream.service.clone(),
            is_chat: message.channel_id.is_some(),
            place: message.channel_id.as_deref().and_then(|channel| names.place(connection, channel)),
            line: None,
            unread: None,
            replies: Vec::new(),
            others: 0,
        }
    }

    /// Takes a message in; newer ones come first.
    fn take(&mut self, connection: &ConnectionId, message: &Message, names: &Names) {
        if let Some(read) = message.read {
            self.unread = Some(self.unread.unwrap_or(false) || !read);
        }
        if message.answers.is_none() {
            self.others += u64::from(self.line.is_some());
            self.line.get_or_insert_with(|| Line::of(connection, message, names));
        } else if self.replies.len() < REPLIES {
            self.replies.push(Line::of(connection, message, names));
        }
    }

    /// A reply may have been met without the message that it answers; that one counts its replies.
    async fn finish(
        &mut self,
        store: &SqliteStore,
        stream: &StreamKey,
        root: &str,
        names: &Names,
    ) -> Result<()> {
        self.replies.reverse();
        if !self.is_chat {
            return Ok(());
        }
        let record = store.record(stream, root).await?;
        let Some(root) = record.as_ref().and_then(|record| record.entity.as_message()) else { return Ok(()) };
        if self.line.is_none() && root.status != MessageStatus::Deleted {
            self.line = Some(Line::of(&stream.connection, root, names));
        }
        let replies = root.replies.as_ref().map_or(0, |replies| replies.count);
        self.others = replies.saturating_sub(self.replies.len() as u64);
        Ok(())
    }
}

impl Line {
    fn of(connection: &ConnectionId, message: &Message, names: &Names) -> Self {
        let who = message.from.as_ref().map(|from| names.person(connection, from));
        Self {
            at: message.sent_at,
            who: who.unwrap_or_else(|| "Somebody".to_owned()),
            text: names.line(connection, message),
            edited: message.edited_at.is_some(),
        }
    }
}
