//! How does a message of Gmail's become one of the model, and a label a channel?

use integrations_core::model::{
    Change, Channel, ChannelKind, Entity, Message, MessageKind, MessageStatus, Raw, Record, Source,
};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};
use integrations_core::{json, mail};

use super::adapter::LABELS;
use super::body;
use super::wire::{WireError, WireId, WireLabel, WireMessage};

/// Maps messages and labels, each in its own stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct GmailNormalizer;

impl Normalizer for GmailNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let bytes = item.as_bytes();
        let read = if context.stream.stream == LABELS {
            json::decode_item(bytes).map(label)
        } else {
            json::decode_item(bytes).and_then(message)
        };
        let (entity, version) = read.map_err(|error| {
            let id = serde_json::from_slice(bytes).ok().map(|WireId { id }| id);
            error.with_id(id)
        })?;
        let source = Source {
            service: context.stream.service.clone(),
            id: entity.id().to_owned(),
            version,
            // Gmail names no address, and which of a browser's accounts it would open is not known.
            link: None,
            modified_at: None,
        };
        Ok(Change::Upsert(Record { entity, source, raw: item.clone() }))
    }
}

/// The message, and its version: the history id of its last change.
fn message(wire: WireMessage<'_>) -> Result<(Entity, Option<String>), ItemError> {
    if let Some(error) = &wire.error {
        return Err(refused(error));
    }
    let mut message = Message::new(wire.id, MessageKind::Mail);
    message.thread_id = wire.thread_id;
    message.sent_at = wire.internal_date;
    message.snippet = wire.snippet.map(|snippet| html_escape::decode_html_entities(&snippet.0).into_owned());
    message.size = wire.size_estimate;
    // What has no label at all is in the archive, and read.
    message.read = Some(true);
    for label in &wire.label_ids {
        match label.as_str() {
            "UNREAD" => message.read = Some(false),
            "STARRED" => message.starred = true,
            "IMPORTANT" => message.important = true,
            "INBOX" => message.inbox = true,
            "TRASH" => message.trashed = true,
            "SPAM" => message.spam = true,
            "DRAFT" => message.status = MessageStatus::Draft,
            "CHAT" => message.kind = MessageKind::Chat,
            _ => {}
        }
    }
    message.labels = wire.label_ids;
    if let Some(root) = &wire.payload {
        mail::put(root.headers.iter().map(|header| (&*header.name.0, &*header.value.0)), &mut message);
        let content = body::read(root)?;
        message.text = content.text;
        message.html = content.html;
        message.attachments = content.attachments;
    }
    Ok((message.into(), wire.history_id.map(|id| id.to_string())))
}

/// What [`batch`](super::batch) puts in the place of a message that it could not get.
fn refused(error: &WireError) -> ItemError {
    let mut reason = "Gmail gives an error and no message".to_owned();
    let word = error.errors.iter().find_map(|error| error.reason.as_deref()).or(error.status.as_deref());
    let is_word = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    for part in [error.code.map(|code| code.to_string()).as_deref(), word.filter(is_word)] {
        reason += if part.is_some() { ", " } else { "" };
        reason += part.unwrap_or_default();
    }
    ItemError::new("$.error", reason)
}

fn label(wire: WireLabel<'_>) -> (Entity, Option<String>) {
    let mut label = Channel::new(wire.id, ChannelKind::Label);
    label.name = wire.name;
    label.system = wire.kind.as_deref() == Some("system");
    label.color = wire.color.and_then(|color| color.background_color);
    label.message_count = wire.messages_total;
    label.unread_count = wire.messages_unread;
    (label.into(), None)
}
