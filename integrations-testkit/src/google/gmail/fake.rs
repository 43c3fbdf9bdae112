//! What may a test do with the mailbox?

use serde_json::Value;

use super::MailSpec;
use super::history;
use super::labels::Labels;
use super::mailbox::{Content, Mailbox};
use super::message;
use crate::google::FakeGoogle;

/// Mail. Methods that name a message panic when there is none of that id, and those that name a label when
/// there is no such label.
impl FakeGoogle {
    /// Adds a message; returns its id.
    ///
    /// # Panics
    /// When there is no such label, or no such thread.
    pub fn add_message(&self, mail: MailSpec) -> String {
        let mut mailbox = self.google.gmail.mailbox_mut();
        let names: Vec<&str> = mail.labels.iter().map(String::as_str).collect();
        let labels = set(&mailbox, &names);
        let thread = mail.thread.as_ref().map(|thread| {
            let member = mailbox.position(thread);
            let Some(member) = member else { panic!("no thread {thread:?} in this fake") };
            mailbox.thread(member)
        });
        let date = mail.date.unwrap_or_else(|| self.google.clock.now());
        let position = mailbox.add(Content::Mail(Box::new(mail)), labels, thread, date);
        mailbox.id(position)
    }

    /// Adds an unread message to the inbox for which `messages.get` answers this text, as it is, whatever
    /// the format; returns the id that listings give it.
    pub fn raw_message(&self, raw_json_text: &str) -> String {
        let content = Content::Raw(raw_json_text.to_owned());
        let labels = Labels::INBOX.with(Labels::UNREAD);
        let mut mailbox = self.google.gmail.mailbox_mut();
        let position = mailbox.add(content, labels, None, self.google.clock.now());
        mailbox.id(position)
    }

    /// Adds a label of the user; returns its id, such as `Label_1`.
    ///
    /// # Panics
    /// When the fake has more labels than it can keep: about a hundred.
    pub fn add_label(&self, name: &str) -> String {
        let id = self.google.gmail.mailbox_mut().labels.add(name);
        id.unwrap_or_else(|| panic!("the fake keeps no more labels than it has"))
    }

    /// Adds labels to a message.
    ///
    /// # Panics
    /// When there is no such message or label.
    pub fn add_labels(&self, message: &str, labels: &[&str]) {
        self.modify_messages(&[message], labels, &[]);
    }

    /// Takes labels from a message.
    ///
    /// # Panics
    /// When there is no such message or label.
    pub fn remove_labels(&self, message: &str, labels: &[&str]) {
        self.modify_messages(&[message], &[], labels);
    }

    /// Adds labels to messages and takes others from them, in one record of the history. Labels that a
    /// message has already, or has not, change nothing.
    ///
    /// # Panics
    /// When there is no such message or label.
    pub fn modify_messages(&self, messages: &[&str], add: &[&str], remove: &[&str]) {
        let mut mailbox = self.google.gmail.mailbox_mut();
        let positions: Vec<u64> = messages.iter().map(|message| live(&mailbox, message)).collect();
        let (add, remove) = (set(&mailbox, add), set(&mailbox, remove));
        mailbox.relabel(&positions, add, remove);
    }

    /// Moves a message to the trash: it gets the label `TRASH` and keeps the others.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn trash_message(&self, message: &str) {
        self.add_labels(message, &["TRASH"]);
    }

    /// Takes a message out of the trash.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn untrash_message(&self, message: &str) {
        self.remove_labels(message, &["TRASH"]);
    }

    /// Deletes a message for ever: it answers 404, and the history tells of it in `messagesDeleted`.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn delete_message(&self, message: &str) {
        let mut mailbox = self.google.gmail.mailbox_mut();
        let position = live(&mailbox, message);
        mailbox.delete(position);
    }

    /// A message as `messages.get` shows it in full; `None` when it was deleted, or its text is no JSON.
    pub fn message(&self, message: &str) -> Option<Value> {
        message::value(&self.google, message)
    }

    /// The ids of all messages, also of those in spam and trash, the newest first.
    pub fn message_ids(&self) -> Vec<String> {
        let mailbox = self.google.gmail.mailbox();
        let all = mailbox.older((i64::MAX, u64::MAX)).map(|(_, position)| position);
        all.filter(|&position| !mailbox.state(position).deleted)
            .map(|position| mailbox.id(position))
            .collect()
    }

    /// How many messages there are, spam and trash included.
    pub fn live_messages(&self) -> u64 {
        self.google.gmail.mailbox().live()
    }

    /// The current history id, as `getProfile` tells it.
    pub fn history_id(&self) -> String {
        history::id(self.google.gmail.mailbox().version()).to_string()
    }

    /// Every history id so far is too old: as a start it answers 404. The current one is a new one.
    pub fn expire_history(&self) {
        self.google.gmail.mailbox_mut().expire();
    }

    /// The page tokens handed out by `messages.list` and `history.list` answer 400.
    pub fn expire_mail_page_tokens(&self) {
        self.google.gmail.mailbox_mut().page_epoch += 1;
    }

    /// How many quota units Gmail has charged. A call costs as soon as it is admitted, also one that is
    /// answered 400 or 404; one without authority, over the quota, or answered by a fault that does no work
    /// costs nothing.
    pub fn units_used(&self) -> u64 {
        self.google.gmail.meter.used()
    }
}

fn live(mailbox: &Mailbox, id: &str) -> u64 {
    let position = mailbox.position(id).filter(|&position| !mailbox.state(position).deleted);
    position.unwrap_or_else(|| panic!("no message {id:?} in this fake"))
}

fn set(mailbox: &Mailbox, labels: &[&str]) -> Labels {
    let bit = |label: &&str| {
        mailbox.labels.find(label).unwrap_or_else(|| panic!("no label {label:?} in this fake"))
    };
    labels.iter().map(bit).fold(Labels::NONE, Labels::with)
}
