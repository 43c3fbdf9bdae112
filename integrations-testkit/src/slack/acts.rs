//! What may a test do in the workspace?
//!
//! What people do in Slack, and what only a test does. Whatever a person does to a channel leaves the
//! message that Slack leaves (`channel_join`, `channel_name`, ...).

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::FakeSlack;
use super::channel::{Channel, Kind, Note, View};
use super::message::{self, Author, Message};
use super::roster::Shown;
use super::spec::{ChannelSpec, UserSpec};
use super::ts::Ts;

/// Users.
impl FakeSlack {
    /// Adds a user, or replaces the one with the same id; returns the id.
    ///
    /// # Panics
    /// When the time zone is not an IANA name.
    pub fn add_user(&self, user: UserSpec) -> String {
        self.slack.workspace_mut().add_user(user, self.now())
    }

    /// Merges a patch into a user: null removes a field. The user has a new `updated`.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn update_user(&self, user: &str, patch: Value) {
        let known = self.slack.workspace_mut().roster.change(user, patch, self.now());
        assert!(known, "no user {user:?} in this fake");
    }

    /// Deactivates a user: `deleted` is true, and much of what is known of a user is gone.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn deactivate_user(&self, user: &str) {
        let known = self.slack.workspace_mut().roster.deactivate(user, self.now());
        assert!(known, "no user {user:?} in this fake");
    }

    /// Takes a user out of every answer, which does not happen at Slack.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn remove_user(&self, user: &str) {
        assert!(self.slack.workspace_mut().roster.remove(user), "no user {user:?} in this fake");
    }

    /// Serves this text as an item of `users.list`, as it is.
    pub fn raw_user(&self, raw_json_text: &str) {
        self.slack.workspace_mut().roster.raw(raw_json_text);
    }

    /// A user as `users.info` shows it, with the address.
    pub fn user_object(&self, user: &str) -> Option<Value> {
        self.slack.workspace().roster.show(user, Shown { email: true, locale: false })
    }

    /// The users, in the order of `users.list`.
    pub fn user_ids(&self) -> Vec<String> {
        self.slack.workspace().roster.ids().map(str::to_owned).collect()
    }
}

/// Channels. Methods that name one panic when there is no such channel.
impl FakeSlack {
    fn now(&self) -> DateTime<Utc> {
        self.slack.clock.now()
    }

    fn read<T>(&self, channel: &str, work: impl FnOnce(&Channel) -> T) -> T {
        match self.slack.workspace().channel(channel) {
            Some(channel) => work(channel),
            None => panic!("no channel {channel:?} in this fake"),
        }
    }

    fn write<T>(&self, channel: &str, work: impl FnOnce(&mut Channel, Author<'_>) -> T) -> T {
        let author = Author { team: self.team_id(), user: self.user_id() };
        match self.slack.workspace_mut().channel_mut(channel) {
            Some(channel) => work(channel, author),
            None => panic!("no channel {channel:?} in this fake"),
        }
    }

    /// Changes a channel, and leaves the message that says so.
    fn alter(&self, channel: &str, change: impl FnOnce(&mut Channel) -> Value) {
        let now = self.now();
        self.write(channel, |channel, author| {
            let message = object(change(channel));
            channel.touch(now);
            if !channel.kind.is_direct() {
                channel.timeline.post(message, author, now);
            }
        });
    }

    /// Adds a channel; returns its id.
    ///
    /// # Panics
    /// When it names a user who is not there, or there is a channel with its id.
    pub fn add_channel(&self, channel: ChannelSpec) -> String {
        self.slack.workspace_mut().add_channel(channel, self.now())
    }

    /// Removes a channel: it is in no listing any more, and answers `channel_not_found`.
    pub fn remove_channel(&self, channel: &str) {
        assert!(self.slack.workspace_mut().remove(channel), "no channel {channel:?} in this fake");
    }

    /// Archives a channel.
    pub fn archive_channel(&self, channel: &str) {
        let user = self.user_id();
        self.alter(channel, |channel| {
            channel.archived = true;
            let text = format!("<@{user}> archived the channel");
            json!({"subtype": "channel_archive", "user": user, "text": text})
        });
    }

    /// Takes a channel out of the archive.
    pub fn unarchive_channel(&self, channel: &str) {
        let user = self.user_id();
        self.alter(channel, |channel| {
            channel.archived = false;
            let text = format!("<@{user}> un-archived the channel");
            json!({"subtype": "channel_unarchive", "user": user, "text": text})
        });
    }

    /// Renames a channel; the name it had is among its `previous_names`.
    pub fn rename_channel(&self, channel: &str, name: &str) {
        let user = self.user_id();
        self.alter(channel, |channel| {
            let before = channel.rename(name);
            let text = format!("<@{user}> has renamed the channel from \"{before}\" to \"{name}\"");
            json!({"subtype": "channel_name", "user": user, "text": text, "old_name": before, "name": name})
        });
    }

    /// Sets the topic.
    pub fn set_topic(&self, channel: &str, topic: &str) {
        let (user, now) = (self.user_id(), self.now());
        self.alter(channel, |channel| {
            channel.topic = Note::new(topic, user, now);
            let text = format!("<@{user}> set the channel topic: {topic}");
            json!({"subtype": "channel_topic", "user": user, "text": text, "topic": topic})
        });
    }

    /// Sets the purpose.
    pub fn set_purpose(&self, channel: &str, purpose: &str) {
        let (user, now) = (self.user_id(), self.now());
        self.alter(channel, |channel| {
            channel.purpose = Note::new(purpose, user, now);
            let text = format!("<@{user}> set the channel purpose: {purpose}");
            json!({"subtype": "channel_purpose", "user": user, "text": text, "purpose": purpose})
        });
    }

    /// Makes a public channel private; its id stays.
    pub fn make_private(&self, channel: &str) {
        let user = self.user_id();
        self.alter(channel, |channel| {
            channel.kind = Kind::Private;
            let text = "made this channel *private*. Now, it can only be viewed or joined by invitation.";
            json!({"subtype": "channel_convert_to_private", "user": user, "text": text})
        });
    }

    /// A user joins a channel; nothing happens when the user is in it.
    pub fn join_channel(&self, channel: &str, user: &str) {
        let now = self.now();
        self.write(channel, |channel, author| {
            if channel.join(user) && !channel.kind.is_direct() {
                let text = format!("<@{user}> has joined the channel");
                let message = json!({"subtype": "channel_join", "user": user, "text": text});
                channel.timeline.post(object(message), author, now);
            }
        });
    }

    /// A user leaves a channel; nothing happens when the user is not in it.
    pub fn leave_channel(&self, channel: &str, user: &str) {
        let now = self.now();
        self.write(channel, |channel, author| {
            if channel.leave(user) && !channel.kind.is_direct() {
                let text = format!("<@{user}> has left the channel");
                let message = json!({"subtype": "channel_leave", "user": user, "text": text});
                channel.timeline.post(object(message), author, now);
            }
        });
    }

    /// Serves this text as an item of the listings of channels, as it is.
    pub fn raw_channel(&self, raw_json_text: &str) {
        self.slack.workspace_mut().raw(raw_json_text);
    }

    /// A channel as `conversations.list` shows it to the first account.
    pub fn channel_object(&self, channel: &str) -> Option<Value> {
        let workspace = self.slack.workspace();
        let channel = workspace.channel(channel)?;
        let view = View { viewer: self.user_id(), num_members: true, is_member: true, locale: false };
        let peer_deleted = channel.peer.as_ref().is_some_and(|peer| workspace.roster.is_deleted(peer));
        Some(channel.object(view, &workspace.ground.team, peer_deleted))
    }

    /// The channels of every type, in the order of the listings.
    pub fn channel_ids(&self) -> Vec<String> {
        let workspace = self.slack.workspace();
        let listed = workspace.listed(0).filter_map(|(_, listed)| match listed {
            super::workspace::Listed::Channel(channel) => Some(channel.id.clone()),
            super::workspace::Listed::Raw(_) => None,
        });
        listed.collect()
    }
}

/// Messages. Methods that name a channel or a message panic when there is none.
impl FakeSlack {
    /// Posts a message; returns its `ts`. What Slack adds is added where it is missing: `user` is that of the
    /// first account, and a user's text has `blocks`. With `bot_id`, or `"subtype": "bot_message"`, it is a
    /// bot's. With `thread_ts` it is a reply; with `"reply_broadcast": true` that stands in the history too.
    ///
    /// # Panics
    /// When there is no such channel, the message is no JSON object, or it replies to what is not there, is a
    /// reply itself, or takes no replies.
    pub fn post(&self, channel: &str, message: Value) -> String {
        let (message, now) = (object(message), self.now());
        let ts = self.write(channel, |channel, author| channel.timeline.post(message, author, now));
        ts.unwrap_or_else(|| panic!("nothing to reply to in channel {channel:?}")).to_string()
    }

    /// Posts a reply in the thread of a message; returns its `ts`.
    ///
    /// # Panics
    /// As [`post`](Self::post) does.
    pub fn reply(&self, channel: &str, thread_ts: &str, message: Value) -> String {
        let mut message = object(message);
        message.insert("thread_ts".to_owned(), json!(thread_ts));
        self.post(channel, Value::Object(message))
    }

    fn change(&self, channel: &str, ts: &str, change: impl FnOnce(Message) -> Message) {
        let place = parse(ts);
        let known = self.write(channel, |channel, _| channel.timeline.change(place, change));
        assert!(known, "no message {ts} in channel {channel:?}");
    }

    /// Edits a message: the changes are merged into it, null removes a field, and it is `edited` by its
    /// author now. A new text brings new blocks.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn edit(&self, channel: &str, ts: &str, changes: Value) {
        let (changes, now) = (Value::Object(object(changes)), self.now());
        self.change(channel, ts, |message| message::edit(message, changes, now));
    }

    /// Changes a message without a trace, as Slack does when it unfurls a link.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn patch_message(&self, channel: &str, ts: &str, patch: Value) {
        self.change(channel, ts, |message| {
            let mut message = Value::Object(message);
            crate::patch::merge(&mut message, patch);
            object(message)
        });
    }

    /// Deletes a message. A parent that has replies leaves a tombstone, as long as it has them.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn delete(&self, channel: &str, ts: &str) {
        let place = parse(ts);
        let known = self.write(channel, |channel, _| channel.timeline.delete(place));
        assert!(known, "no message {ts} in channel {channel:?}");
    }

    /// A user reacts to a message with an emoji, named without its colons.
    ///
    /// # Panics
    /// When there is no such message, or the reaction is there.
    pub fn react(&self, channel: &str, ts: &str, emoji: &str, user: &str) {
        self.change(channel, ts, |mut message| {
            assert!(message::react(&mut message, emoji, user), "{user} has reacted with {emoji} to {ts}");
            message
        });
    }

    /// A user takes a reaction back.
    ///
    /// # Panics
    /// When there is no such message or reaction.
    pub fn unreact(&self, channel: &str, ts: &str, emoji: &str, user: &str) {
        self.change(channel, ts, |mut message| {
            assert!(message::unreact(&mut message, emoji, user), "{user} has no {emoji} at {ts}");
            message
        });
    }

    /// Serves this text as a message of the channel's history, as it is. Returns the `ts` of its place, which
    /// need not be what the text says.
    pub fn raw_message(&self, channel: &str, raw_json_text: &str) -> String {
        let now = self.now();
        let ts = self.write(channel, |channel, _| channel.timeline.raw(raw_json_text, None, now));
        ts.map(|ts| ts.to_string()).unwrap_or_default()
    }

    /// Serves this text as a reply of a thread, as it is; its parent counts it.
    ///
    /// # Panics
    /// When there is no such parent.
    pub fn raw_reply(&self, channel: &str, thread_ts: &str, raw_json_text: &str) -> String {
        let now = self.now();
        let raw = self.write(channel, |channel, _| channel.timeline.raw(raw_json_text, Some(thread_ts), now));
        raw.unwrap_or_else(|| panic!("nothing to reply to in channel {channel:?}")).to_string()
    }

    /// A message as Slack shows it; `None` when it is not there, or is text that is no JSON.
    pub fn message(&self, channel: &str, ts: &str) -> Option<Value> {
        let ts = Ts::parse(ts)?;
        self.read(channel, |channel| channel.timeline.message(ts))
    }

    /// The `ts` of everything in the channel's history, the newest first: what `conversations.history` shows.
    pub fn history(&self, channel: &str) -> Vec<String> {
        self.read(channel, |channel| {
            channel.timeline.history(Ts(u64::MAX)).map(|ts| ts.to_string()).collect()
        })
    }

    /// The `ts` of the replies in a thread, the oldest first, without its parent.
    pub fn thread(&self, channel: &str, thread_ts: &str) -> Vec<String> {
        let parent = parse(thread_ts);
        self.read(channel, |channel| {
            channel.timeline.replies_from(parent, Ts(0)).map(|ts| ts.to_string()).collect()
        })
    }

    /// How many messages the channel has, replies included.
    pub fn message_count(&self, channel: &str) -> u64 {
        self.read(channel, |channel| channel.timeline.len())
    }

    /// The cursors handed out so far answer `invalid_cursor`.
    pub fn expire_cursors(&self) {
        self.slack.epoch.fetch_add(1, Ordering::Relaxed);
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("a message is a JSON object, not {other}"),
    }
}

fn parse(ts: &str) -> Ts {
    Ts::parse(ts).unwrap_or_else(|| panic!("{ts:?} is no ts"))
}
