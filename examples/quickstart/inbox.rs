//! What has been written to the user, by mail, in chats, and about code?
//!
//! A mail that came to two mailboxes is shown once.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::{ConnectionId, ServiceId};
use integrations_core::model::identity;
use integrations_core::model::{
    Comment, Message, MessageKind, MessageStatus, Notification, RecordKind, ReviewState,
};
use integrations_core::sync::StreamKey;
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::{RecordQuery, StoredRecord};

use super::agenda::Titles;
use super::names::Names;

/// How many conversations are shown, and how many replies of each.
const SHOWN: usize = 18;
const REPLIES: u32 = 3;
const PAGE: u32 = 200;
/// How many notifications are looked at.
const NOTIFICATIONS: u32 = 50;

/// The latest conversations, the newest first.
pub(crate) struct Inbox {
    pub(crate) threads: Vec<Thread>,
    /// Whether there are older ones.
    pub(crate) more: bool,
}

/// A mail with those that went before, a message of a chat with its replies, or an issue with its comments.
pub(crate) struct Thread {
    pub(crate) service: ServiceId,
    /// The other services that have it, too.
    pub(crate) also: Vec<ServiceId>,
    is_chat: bool,
    /// The channel of a chat, or the number of an issue behind its project.
    pub(crate) place: Option<String>,
    /// The latest mail, or the message that the thread begins with.
    pub(crate) line: Option<Line>,
    /// Which mails are unread, by what they are called in every mailbox; nothing where the service does not say.
    unread: HashMap<String, bool>,
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

/// Reads messages from the newest on, page by page, until it has enough conversations; and what the services
/// have notified the user of.
pub(crate) async fn inbox(store: &SqliteStore, user: &str, names: &Names, titles: &Titles) -> Result<Inbox> {
    let mut inbox = messages(store, user, names).await?;
    let notifications = RecordQuery::new().owner(user).kind(RecordKind::Notification);
    for record in store.records(&notifications.newest_first().limit(NOTIFICATIONS)).await? {
        if let Some(notification) = record.entity.as_notification() {
            let thread = Thread::about(notification, &record, store, names, titles).await?;
            inbox.threads.push(thread);
        }
    }
    inbox.threads.sort_by_cached_key(|thread| (Reverse(thread.latest()), thread.service.to_string()));
    inbox.more |= inbox.threads.len() > SHOWN;
    inbox.threads.truncate(SHOWN);
    Ok(inbox)
}

async fn messages(store: &SqliteStore, user: &str, names: &Names) -> Result<Inbox> {
    let mut query = RecordQuery::new().owner(user).kind(RecordKind::Message).newest_first().limit(PAGE);
    let mut inbox = Inbox { threads: Vec::new(), more: false };
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut mails: HashMap<String, usize> = HashMap::new();
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
            let key = (record.stream.connection.clone(), thread_space(record, message), root.clone());
            let mail = identity::message_id(message).map(Cow::into_owned);
            if let Some(&place) = mail.as_ref().and_then(|mail| mails.get(mail)) {
                inbox.threads[place].have_again(record, message, mail.unwrap_or_default());
                places.entry(key).or_insert(place);
                continue;
            }
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
            let mail = mail.unwrap_or_else(|| message.id.clone());
            inbox.threads[place].take(&record.stream.connection, message, &mail, names);
            mails.insert(mail, place);
        }
    }
    for (thread, (stream, root)) in inbox.threads.iter_mut().zip(begun) {
        thread.finish(store, &stream, &root, names).await?;
    }
    Ok(inbox)
}

/// Within what the id of a thread is one: the channel of a chat, or the whole mailbox.
fn thread_space(record: &StoredRecord, message: &Message) -> String {
    if message.kind == MessageKind::Chat { record.stream.stream.to_string() } else { String::new() }
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
            also: Vec::new(),
            is_chat: message.kind == MessageKind::Chat,
            place: message.channel_id.as_deref().and_then(|channel| names.place(connection, channel)),
            line: None,
            unread: HashMap::new(),
            replies: Vec::new(),
            others: 0,
        }
    }

    /// Takes a message in; newer ones come first.
    fn take(&mut self, connection: &ConnectionId, message: &Message, mail: &str, names: &Names) {
        if let Some(read) = message.read {
            self.unread.insert(mail.to_owned(), !read);
        }
        if message.answers.is_none() {
            self.others += u64::from(self.line.is_some());
            self.line.get_or_insert_with(|| Line::of(connection, message, names));
        } else if self.replies.len() < REPLIES as usize {
            self.replies.push(Line::of(connection, message, names));
        }
    }

    /// The same mail, in another mailbox. Who has read it in one has read it.
    fn have_again(&mut self, record: &StoredRecord, message: &Message, mail: String) {
        let service = &record.stream.service;
        if *service != self.service && !self.also.contains(service) {
            self.also.push(service.clone());
            // Which of them was read first is chance.
            if service.as_str() < self.service.as_str()
                && let Some(last) = self.also.last_mut()
            {
                std::mem::swap(&mut self.service, last);
            }
        }
        if message.read == Some(true) {
            self.unread.insert(mail, false);
        }
    }

    /// Whether something of it is unread; `None` where the service does not say.
    pub(crate) fn is_unread(&self) -> Option<bool> {
        (!self.unread.is_empty()).then(|| self.unread.values().any(|unread| *unread))
    }

    /// When something was last said.
    fn latest(&self) -> Option<DateTime<Utc>> {
        self.line.iter().chain(&self.replies).filter_map(|line| line.at).max()
    }

    /// What the user was notified of: an issue, and what was last said of it.
    async fn about(
        notification: &Notification,
        record: &StoredRecord,
        store: &SqliteStore,
        names: &Names,
        titles: &Titles,
    ) -> Result<Self> {
        let connection = &record.stream.connection;
        let project = notification.project.as_deref().unwrap_or_default();
        let number = notification.subject_url.as_deref().and_then(|url| url.rsplit('/').next()?.parse().ok());
        let number = number.filter(|number: &u64| *number > 0);
        let short = project.rsplit('/').next().unwrap_or_default();
        let mut thread = Self {
            service: record.stream.service.clone(),
            also: Vec::new(),
            is_chat: false,
            place: Some(number.map_or_else(|| short.to_owned(), |number| format!("{short}#{number}"))),
            line: Some(Line {
                at: notification.updated_at,
                who: "Somebody".to_owned(),
                text: notification.title.clone().unwrap_or_else(|| "(no title)".to_owned()),
                edited: false,
            }),
            unread: HashMap::from([(notification.id.clone(), notification.unread)]),
            replies: Vec::new(),
            others: 0,
        };
        let stream = number.zip(titles.stream(connection, project));
        let Some((number, stream)) = stream else { return Ok(thread) };
        let id = number.to_string();
        let stream = StreamKey { stream: stream.clone(), ..record.stream.clone() };
        let issue = store.record(&stream, &id).await?;
        let issue = issue.as_ref().and_then(|record| record.entity.as_issue());
        let comments = RecordQuery::new().connection(connection).stream(&stream.stream);
        let comments = comments.kind(RecordKind::Comment).parent(&id).newest_first().limit(REPLIES);
        for record in store.records(&comments).await? {
            let Some(comment) = record.entity.as_comment() else { continue };
            thread.replies.insert(0, Line::of_comment(connection, comment, names));
        }
        if let (Some(issue), Some(line)) = (issue, &mut thread.line) {
            let author = issue.author.as_ref().map(|author| names.person(connection, author));
            line.who = author.unwrap_or_else(|| "Somebody".to_owned());
            line.at = issue.created_at.filter(|_| !thread.replies.is_empty()).or(line.at);
            let said = issue.comment_count.unwrap_or_default();
            thread.others = said.saturating_sub(thread.replies.len() as u64);
        }
        Ok(thread)
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

    /// What a review says is told by a mark.
    fn of_comment(connection: &ConnectionId, comment: &Comment, names: &Names) -> Self {
        let who = comment.author.as_ref().map(|author| names.person(connection, author));
        let text = comment.body.as_deref().and_then(|body| body.lines().next()).unwrap_or_default().trim();
        let text = match &comment.review {
            Some(ReviewState::Approved) => format!("✓ {text}"),
            Some(ReviewState::ChangesRequested) => format!("✗ {text}"),
            _ if text.is_empty() => "(no text)".to_owned(),
            _ => text.to_owned(),
        };
        Self {
            at: comment.created_at,
            who: who.unwrap_or_else(|| "Somebody".to_owned()),
            text: text.trim_end().to_owned(),
            edited: false,
        }
    }
}
