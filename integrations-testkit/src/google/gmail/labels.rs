//! Which labels are there, and what do `labels.list` and `labels.get` answer?

use serde_json::{Value, json};

use super::mailbox::Mailbox;
use crate::google::errors;
use crate::server::Reply;

/// The id of a system label, and whether Gmail hides it in its lists.
const SYSTEM: [(&str, bool); 14] = [
    ("INBOX", false),
    ("UNREAD", false),
    ("STARRED", false),
    ("IMPORTANT", true),
    ("SENT", false),
    ("DRAFT", false),
    ("SPAM", true),
    ("TRASH", true),
    ("CATEGORY_PERSONAL", true),
    ("CATEGORY_SOCIAL", true),
    ("CATEGORY_PROMOTIONS", true),
    ("CATEGORY_UPDATES", true),
    ("CATEGORY_FORUMS", true),
    ("CHAT", true),
];

/// A set of labels, with a bit for each that the mailbox knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Labels(u128);

impl Labels {
    pub(super) const NONE: Self = Self(0);
    pub(super) const INBOX: Self = Self(1);
    pub(super) const UNREAD: Self = Self(1 << 1);
    pub(super) const STARRED: Self = Self(1 << 2);
    pub(super) const IMPORTANT: Self = Self(1 << 3);
    pub(super) const SENT: Self = Self(1 << 4);
    pub(super) const DRAFT: Self = Self(1 << 5);
    pub(super) const SPAM: Self = Self(1 << 6);
    pub(super) const TRASH: Self = Self(1 << 7);
    pub(super) const PERSONAL: Self = Self(1 << 8);
    pub(super) const SOCIAL: Self = Self(1 << 9);
    pub(super) const PROMOTIONS: Self = Self(1 << 10);
    pub(super) const UPDATES: Self = Self(1 << 11);
    pub(super) const FORUMS: Self = Self(1 << 12);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn contains(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }

    pub(super) const fn meets(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The labels of a mailbox: those that every one has, and the user's own.
#[derive(Debug, Default)]
pub(super) struct LabelTable {
    own: Vec<String>,
}

impl LabelTable {
    /// Adds a label of the user; `None` when the fake's sets have no bit left for it.
    pub(super) fn add(&mut self, name: &str) -> Option<String> {
        let full = SYSTEM.len() + self.own.len() >= 128;
        (!full).then(|| {
            self.own.push(name.to_owned());
            format!("Label_{}", self.own.len())
        })
    }

    pub(super) fn find(&self, id: &str) -> Option<Labels> {
        let own = || {
            let number: usize = id.strip_prefix("Label_")?.parse().ok()?;
            let known = (1..=self.own.len()).contains(&number) && id == format!("Label_{number}");
            known.then(|| SYSTEM.len() + number - 1)
        };
        SYSTEM.iter().position(|row| row.0 == id).or_else(own).map(|bit| Labels(1 << bit))
    }

    fn ids(&self) -> impl Iterator<Item = String> {
        let own = (1..=self.own.len()).map(|number| format!("Label_{number}"));
        SYSTEM.iter().map(|row| row.0.to_owned()).chain(own)
    }

    /// The ids in a set, in the order of the table.
    pub(super) fn names(&self, set: Labels) -> Vec<String> {
        let ids = self.ids().enumerate();
        ids.filter(|(bit, _)| set.contains(Labels(1 << bit))).map(|(_, id)| id).collect()
    }

    /// A label without the counts, which only `labels.get` gives.
    fn shown(&self, id: &str) -> Value {
        if let Some((_, hidden)) = SYSTEM.iter().find(|row| row.0 == id) {
            let mut label = json!({"id": id, "name": id, "type": "system"});
            if *hidden {
                label["messageListVisibility"] = json!("hide");
                label["labelListVisibility"] = json!("labelHide");
            }
            return label;
        }
        let number = id.strip_prefix("Label_").and_then(|number| number.parse::<usize>().ok());
        let name = number.and_then(|number| self.own.get(number.wrapping_sub(1)));
        json!({
            "id": id,
            "name": name,
            "messageListVisibility": "show",
            "labelListVisibility": "labelShow",
            "type": "user",
        })
    }
}

pub(super) fn list(mailbox: &Mailbox) -> Reply {
    let labels: Vec<Value> = mailbox.labels.ids().map(|id| mailbox.labels.shown(&id)).collect();
    Reply::json(200, json!({ "labels": labels }).to_string())
}

pub(super) fn get(mailbox: &Mailbox, id: &str) -> Reply {
    let Some(label) = mailbox.labels.find(id) else { return errors::newer(404, None, None) };
    let unread = label.with(Labels::UNREAD);
    let (mut messages, mut threads) = ((0_u64, 0_u64), (0_u64, 0_u64));
    for thread in mailbox.threads() {
        let (mut any, mut any_unread) = (false, false);
        for labels in mailbox.members(thread).filter_map(|position| mailbox.live_labels(position)) {
            messages.0 += u64::from(labels.contains(label));
            messages.1 += u64::from(labels.contains(unread));
            any |= labels.contains(label);
            any_unread |= labels.contains(unread);
        }
        threads.0 += u64::from(any);
        threads.1 += u64::from(any_unread);
    }
    let mut shown = mailbox.labels.shown(id);
    for (field, count) in [
        ("messagesTotal", messages.0),
        ("messagesUnread", messages.1),
        ("threadsTotal", threads.0),
        ("threadsUnread", threads.1),
    ] {
        shown[field] = json!(count);
    }
    Reply::json(200, shown.to_string())
}
