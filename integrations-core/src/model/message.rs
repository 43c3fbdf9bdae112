//! What is a message?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attachment::Attachment;
use super::open_enum::open_enum;
use super::person::PersonRef;

/// A message: a mail, or one of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "marks that stand side by side")]
pub struct Message {
    /// The provider's id, unique within its stream.
    pub id: String,
    /// What sort of message it is.
    #[serde(default)]
    pub kind: MessageKind,
    /// Whether it was sent.
    #[serde(default)]
    pub status: MessageStatus,
    /// The provider's id of the chat's channel; `None` for mail, which has [`labels`](Self::labels).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The provider's id of the conversation that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The provider's id of the message that it answers, in chats that say so; `None` for one that begins a
    /// thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
    /// The `Message-ID`, without angle brackets (RFC 5322): the same in every mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internet_message_id: Option<String>,
    /// The `Message-ID`s that `In-Reply-To` names, without angle brackets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<String>,
    /// The `Message-ID`s that `References` names, without angle brackets, the first of the thread first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The subject; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PersonRef>,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<PersonRef>,
    /// Who gets a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<PersonRef>,
    /// Who gets a copy that the others do not see; known to the sender alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<PersonRef>,
    /// Where answers should go, if not to [`from`](Self::from).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<PersonRef>,
    /// Whom the text mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<PersonRef>,
    /// When it was sent or came in, by the provider's clock: what a list is sorted by. The date that the
    /// sender wrote into a mail stands in the [`headers`](Self::headers).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime<Utc>>,
    /// When its text was last changed; `None` for one that was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<DateTime<Utc>>,
    /// The text, plain. For a mail that has HTML alone, what a reader would see of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The text as HTML, as the sender sent it: not safe to show as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The beginning of the text, as the provider cuts it, plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// Whether the user has read it; `None` where the provider does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<bool>,
    /// Whether the user has marked it with a star or a flag.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starred: bool,
    /// Whether it is marked as important.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub important: bool,
    /// Whether it stands in the inbox.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inbox: bool,
    /// Whether it was thrown away, and can be taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trashed: bool,
    /// Whether it is taken for spam.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spam: bool,
    /// The provider's ids of the labels, folders and categories that it stands under; what they are called
    /// is said by the [`Channel`](super::Channel)s with these ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// How people reacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// What the provider counts of its answers; `None` where it has none, or does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
    /// The headers of a mail that have no field here, in their order; those of its way (`Received`, `DKIM-…`,
    /// `ARC-…` and their like) stand in the raw item alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// How many bytes it has with all its parts, as the provider estimates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Message {
    /// A message with nothing but an id and a kind.
    pub fn new(id: impl Into<String>, kind: MessageKind) -> Self {
        Self {
            id: id.into(),
            kind,
            status: MessageStatus::default(),
            channel_id: None,
            thread_id: None,
            answers: None,
            internet_message_id: None,
            in_reply_to: Vec::new(),
            references: Vec::new(),
            subject: None,
            from: None,
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            mentions: Vec::new(),
            sent_at: None,
            edited_at: None,
            text: None,
            html: None,
            snippet: None,
            read: None,
            starred: false,
            important: false,
            inbox: false,
            trashed: false,
            spam: false,
            labels: Vec::new(),
            attachments: Vec::new(),
            reactions: Vec::new(),
            replies: None,
            headers: Vec::new(),
            size: None,
        }
    }

    /// What a list shows of it in one line: the subject, else the beginning of the text.
    pub fn title(&self) -> Option<&str> {
        let first_line = |text: &'_ str| text.lines().map(str::trim).find(|line| !line.is_empty()).is_some();
        self.subject
            .as_deref()
            .filter(|subject| !subject.trim().is_empty())
            .or(self.snippet.as_deref().filter(|snippet| first_line(snippet)))
            .or_else(|| self.text.as_deref()?.lines().map(str::trim).find(|line| !line.is_empty()))
    }
}

open_enum! {
    /// What sort of message it is.
    #[derive(Default)]
    MessageKind {
        /// A mail.
        #[default]
        Mail = "mail",
        /// A message of a chat.
        Chat = "chat",
        /// A line that the service wrote into a chat, e.g. that somebody has joined.
        System = "system",
    }
}

open_enum! {
    /// Whether a message was sent.
    #[derive(Default)]
    MessageStatus {
        /// It was.
        #[default]
        Sent = "sent",
        /// It is being written.
        Draft = "draft",
        /// It will be sent.
        Scheduled = "scheduled",
        /// It was taken back; its place stays for the sake of its answers.
        Deleted = "deleted",
    }
}

/// How people reacted to an item, with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reaction {
    /// The emoji's name, without colons, e.g. `thumbsup`, or the emoji itself.
    pub name: String,
    /// How many people.
    pub count: u64,
    /// Who they are; may be fewer than [`count`](Self::count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonRef>,
}

/// What a provider counts of a message's answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Replies {
    /// How many there are.
    pub count: u64,
    /// When the last one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<DateTime<Utc>>,
    /// Who wrote them; may not be all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonRef>,
}

/// A header of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Header {
    /// The name, as it was sent.
    pub name: String,
    /// The value, decoded.
    pub value: String,
}
