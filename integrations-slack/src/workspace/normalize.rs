//! How does an item of Slack's become a record of the model?
//!
//! Its stream says what it is: a user, a conversation, or a message of the conversation that the stream is.

use integrations_core::json;
use integrations_core::model::{
    Attachment, Change, Message, MessageKind, MessageStatus, PersonRef, Raw, Reaction, Record, Replies,
    Source,
};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};

use super::text::Plain;
use super::ts::Ts;
use super::wire::{WireFile, WireId, WireMessage, WireReaction, WireTs, filled};
use super::{CHANNELS, USERS, channels, people};

/// Subtypes of messages that somebody wrote; one without a subtype is such a message, too.
#[rustfmt::skip]
const WRITTEN: &[&str] = &[
    "assistant_app_thread", "bot_message", "document_comment_root", "document_mention", "file_comment",
    "file_mention", "file_share", "me_message", "reply_broadcast", "slackbot_response", "thread_broadcast", TOMBSTONE,
];

/// Subtypes of what Slack wrote itself, beside those that begin with `channel_` and `group_`.
#[rustfmt::skip]
const OF_SLACK: &[&str] = &[
    "app_conversation_join", "bot_add", "bot_disable", "bot_enable", "bot_remove", "ekm_access_denied",
    "huddle_thread", "joiner_notification", "joiner_notification_for_inviter", "pinned_item", "reminder_add",
    "sh_room_created", "unpinned_item",
];

/// What is left of a message that has replies and was deleted.
const TOMBSTONE: &str = "tombstone";

/// Maps users, conversations and messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct SlackNormalizer;

impl Normalizer for SlackNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let id = || serde_json::from_slice(item.as_bytes()).ok().map(|WireId { id }| id);
        let ts = || serde_json::from_slice(item.as_bytes()).ok().map(|WireTs { ts }| ts.to_string());
        let record = match context.stream.stream.as_str() {
            USERS => people::record(item, context).map_err(|error| error.with_id(id())),
            CHANNELS => channels::record(item, context).map_err(|error| error.with_id(id())),
            _ => json::decode_item(item.as_bytes())
                .map(|wire| message(wire, item, context))
                .map_err(|error| error.with_id(ts())),
        };
        record.map(Change::Upsert)
    }
}

fn message(wire: WireMessage<'_>, item: &Raw, context: &ItemContext<'_>) -> Record {
    let mut message = Message::new(wire.ts.to_string(), kind(wire.subtype.as_deref()));
    if wire.subtype.as_deref() == Some(TOMBSTONE) {
        message.status = MessageStatus::Deleted;
    }
    message.channel_id = Some(context.stream.stream.to_string());
    message.thread_id = wire.thread_ts.map(|ts| ts.to_string());
    message.answers = wire.thread_ts.filter(|parent| *parent != wire.ts).map(|ts| ts.to_string());
    message.sent_at = wire.ts.time();
    message.edited_at = wire.edited.as_ref().and_then(|edited| edited.ts).and_then(Ts::time);
    (message.text, message.mentions) = text(&wire);
    message.starred = wire.is_starred;
    message.replies = wire.reply_count.filter(|count| *count > 0).map(|count| Replies {
        count,
        last_at: wire.latest_reply.and_then(Ts::time),
        people: wire.reply_users.into_iter().map(PersonRef::id).collect(),
    });
    let source = Source {
        service: context.stream.service.clone(),
        id: message.id.clone(),
        version: wire.edited.and_then(|edited| edited.ts).map(|ts| ts.to_string()),
        link: filled(wire.permalink),
        modified_at: message.edited_at.or(message.sent_at),
    };
    message.attachments = wire.files.into_iter().map(attachment).collect();
    message.reactions = wire.reactions.into_iter().map(reaction).collect();
    let profile =
        wire.user_profile.and_then(|profile| filled(profile.display_name).or(filled(profile.real_name)));
    let app = wire.bot_profile.and_then(|app| filled(app.name));
    let (user, bot) = (filled(wire.user), filled(wire.bot_id));
    let is_bot = bot.is_some() || wire.subtype.as_deref() == Some("bot_message");
    // An app may write under any name.
    let name = filled(wire.username).or(app).or(profile);
    message.from = (user.is_some() || is_bot || name.is_some()).then(|| PersonRef {
        id: user.or(bot),
        name,
        is_bot,
        ..PersonRef::default()
    });
    Record { entity: message.into(), source, raw: item.clone() }
}

/// Subtypes that are not known here are kept.
fn kind(subtype: Option<&str>) -> MessageKind {
    match subtype.unwrap_or_default() {
        "" => MessageKind::Chat,
        subtype if WRITTEN.contains(&subtype) => MessageKind::Chat,
        subtype
            if subtype.starts_with("channel_")
                || subtype.starts_with("group_")
                || OF_SLACK.contains(&subtype) =>
        {
            MessageKind::System
        }
        other => MessageKind::Other(other.into()),
    }
}

/// What a reader sees: the blocks; without any that can be read the text, which beside blocks stands in for
/// them; and without a text the attachments.
fn text(wire: &WireMessage<'_>) -> (Option<String>, Vec<PersonRef>) {
    let read = |write: &dyn Fn(&mut Plain)| {
        let mut plain = Plain::default();
        write(&mut plain);
        Some(plain.finish()).filter(|(text, _)| text.is_some())
    };
    read(&|plain| plain.blocks(wire.blocks.list()))
        .or_else(|| read(&|plain| plain.mrkdwn(wire.text.as_deref().unwrap_or_default())))
        .or_else(|| read(&|plain| plain.attachments(wire.attachments.list())))
        .unwrap_or_default()
}

fn attachment(wire: WireFile) -> Attachment {
    let hidden =
        |word: &Option<String>, words: &[&str]| word.as_deref().is_some_and(|word| words.contains(&word));
    let unavailable = hidden(&wire.mode, &[TOMBSTONE, "hidden_by_limit"])
        || hidden(&wire.file_access, &["access_denied", "file_not_found"]);
    Attachment {
        id: filled(wire.id),
        title: filled(wire.title).or(filled(wire.name)),
        url: filled(wire.permalink),
        // What lies elsewhere does not open with Slack's credentials.
        content_url: filled(wire.url_private).filter(|_| !wire.is_external),
        media_type: filled(wire.mimetype),
        size: wire.size,
        unavailable,
        ..Attachment::default()
    }
}

fn reaction(wire: WireReaction) -> Reaction {
    let people: Vec<_> = wire.users.into_iter().map(PersonRef::id).collect();
    Reaction { name: wire.name, count: wire.count.unwrap_or(people.len() as u64), people }
}
