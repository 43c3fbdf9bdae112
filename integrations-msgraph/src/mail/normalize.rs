//! How does a message of Outlook's become one of the model, and a folder a channel?

use integrations_core::model::{
    Attachment, Change, Channel, ChannelKind, Entity, Message, MessageKind, MessageStatus, PersonRef, Raw,
    Record, Source,
};
use integrations_core::normalize::{ItemContext, ItemError, MailFolder, Normalizer};
use integrations_core::{json, mail};

use super::adapter::FOLDERS;
use super::sync::LIST_ATTACHMENTS;
use super::wire::{
    Instant, WireAttachment, WireBody, WireError, WireFolder, WireHeader, WireId, WireMessage, WireRecipient,
};

/// Maps messages and folders, each in its own stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutlookMailNormalizer;

impl Normalizer for OutlookMailNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let bytes = item.as_bytes();
        let read = if context.stream.stream == FOLDERS {
            json::decode_item(bytes).map(folder)
        } else {
            json::decode_item(bytes).and_then(|wire| message(wire, context))
        };
        let read = read.map_err(|error| {
            let id = serde_json::from_slice(bytes).ok().map(|WireId { id }| id);
            error.with_id(id)
        })?;
        Ok(match read {
            Item::Gone(id) => Change::Delete { id },
            Item::There(entity, Around { version, link, modified_at }) => {
                let (service, id) = (context.stream.service.clone(), entity.id().to_owned());
                let source = Source { service, id, version, link, modified_at };
                Change::Upsert(Record { entity, source, raw: item.clone() })
            }
        })
    }
}

enum Item {
    There(Entity, Around),
    Gone(String),
}

/// What is known of a record beside its content.
#[derive(Default)]
struct Around {
    version: Option<String>,
    link: Option<String>,
    modified_at: Option<chrono::DateTime<chrono::Utc>>,
}

fn message(wire: WireMessage, context: &ItemContext<'_>) -> Result<Item, ItemError> {
    // It was deleted, or it is in another folder, whose stream has it.
    if wire.removed.is_some() {
        return Ok(Item::Gone(wire.id));
    }
    if let Some(error) = &wire.error {
        return Err(refused(error));
    }
    let mut message = Message::new(wire.id, MessageKind::Mail);
    if wire.is_draft == Some(true) {
        message.status = MessageStatus::Draft;
    }
    message.thread_id = some(wire.conversation_id);
    message.internet_message_id = wire.internet_message_id.and_then(|id| mail::ids(&id).into_iter().next());
    message.subject = some(wire.subject);
    message.from = wire.from.and_then(person).or_else(|| wire.sender.and_then(person));
    message.to = people(wire.to_recipients);
    message.cc = people(wire.cc_recipients);
    message.bcc = people(wire.bcc_recipients);
    message.reply_to = people(wire.reply_to);
    message.sent_at =
        [wire.received_date_time, wire.sent_date_time, wire.created_date_time].into_iter().find_map(instant);
    if let Some(body) = wire.body {
        (message.text, message.html) = text(body);
    }
    message.snippet = some(wire.body_preview);
    message.read = wire.is_read;
    message.starred = wire.flag.and_then(|flag| flag.flag_status).is_some_and(|status| status == "flagged");
    message.important = wire.importance.as_deref() == Some("high");
    match context.page.folder {
        Some(MailFolder::Inbox) => message.inbox = true,
        Some(MailFolder::Trash) => message.trashed = true,
        Some(MailFolder::Spam) => message.spam = true,
        _ => {}
    }
    let folder = some(wire.parent_folder_id).unwrap_or_else(|| context.stream.stream.to_string());
    message.labels = vec![folder];
    message.labels.extend(wire.categories.unwrap_or_default());
    message.attachments = wire.attachments.unwrap_or_default().into_iter().map(attachment).collect();
    put_headers(&wire.internet_message_headers.unwrap_or_default(), &mut message);
    let around = Around {
        version: wire.etag.or(wire.change_key),
        link: some(wire.web_link),
        modified_at: instant(wire.last_modified_date_time),
    };
    Ok(Item::There(message.into(), around))
}

/// The plain text and the HTML. Graph has one of them: the other is made of it.
fn text(WireBody { content_type, content }: WireBody) -> (Option<String>, Option<String>) {
    let Some(content) = some(content) else { return (None, None) };
    if content_type.is_some_and(|kind| kind.eq_ignore_ascii_case("html")) {
        (some(Some(mail::to_text(&content))), Some(content))
    } else {
        let html = mail::from_text(&content);
        (Some(content), Some(html))
    }
}

/// What the headers say that has no property of Graph's, and those that have no field.
fn put_headers(headers: &[WireHeader], message: &mut Message) {
    let mut read = Message::new("", MessageKind::Mail);
    let pairs = headers.iter().filter_map(|header| header.name.as_deref().zip(header.value.as_deref()));
    mail::put(pairs, &mut read);
    (message.in_reply_to, message.references, message.headers) =
        (read.in_reply_to, read.references, read.headers);
}

fn attachment(wire: WireAttachment) -> Attachment {
    let content_id = some(wire.content_id).map(|id| id.trim_matches(['<', '>']).to_owned());
    Attachment {
        id: wire.id,
        title: some(wire.name),
        url: some(wire.source_url),
        media_type: some(wire.content_type),
        size: wire.size,
        content_id,
        inline: wire.is_inline == Some(true),
        ..Attachment::default()
    }
}

fn people(list: Option<Vec<WireRecipient>>) -> Vec<PersonRef> {
    list.unwrap_or_default().into_iter().filter_map(person).collect()
}

/// Somebody, if there is anything said of them.
fn person(recipient: WireRecipient) -> Option<PersonRef> {
    let address = recipient.email_address?;
    let (email, name) = (some(address.address), some(address.name));
    // Exchange repeats the address where it knows no name.
    let name = name.filter(|name| email.as_ref() != Some(name));
    (email.is_some() || name.is_some()).then(|| PersonRef { email, name, ..PersonRef::default() })
}

fn instant(time: Option<Instant>) -> Option<chrono::DateTime<chrono::Utc>> {
    time.and_then(|Instant(time)| time)
}

fn some(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// What [`sync`](super::sync) puts into a message of which it could not read all.
fn refused(error: &WireError) -> ItemError {
    let (path, reason) = match error.operation.as_deref() {
        Some(LIST_ATTACHMENTS) => ("$.attachments", "Graph does not say which attachments it has"),
        _ => ("$", "Graph does not give the message whole"),
    };
    let mut reason = reason.to_owned();
    let word = error.code.as_deref();
    let is_word = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    for part in [error.status.map(|status| status.to_string()).as_deref(), word.filter(is_word)] {
        reason += if part.is_some() { ", " } else { "" };
        reason += part.unwrap_or_default();
    }
    ItemError::new(path, reason)
}

fn folder(wire: WireFolder) -> Item {
    if wire.removed.is_some() {
        return Item::Gone(wire.id);
    }
    let kind =
        if wire.is_search() { ChannelKind::Other("search_folder".into()) } else { ChannelKind::Folder };
    let mut folder = Channel::new(wire.id, kind);
    folder.name = some(wire.display_name);
    folder.parent_id = some(wire.parent_folder_id).filter(|parent| *parent != folder.id);
    folder.system = wire.well_known_name.is_some_and(|name| !name.is_empty());
    folder.message_count = wire.total_item_count;
    folder.unread_count = wire.unread_item_count;
    Item::There(folder.into(), Around::default())
}
