//! How does a conversation of Slack's become a channel of the model, and a stream?

use chrono::DateTime;
use integrations_core::adapter::Stream;
use integrations_core::json;
use integrations_core::model::{Channel, ChannelKind, PersonRef, Raw, Record, Source};
use integrations_core::normalize::{ItemContext, ItemError};

use super::people::seconds;
use super::wire::{WireChannel, WireNote, filled};

pub(super) fn record(item: &Raw, context: &ItemContext<'_>) -> Result<Record, ItemError> {
    let wire: WireChannel = json::decode_item(item.as_bytes())?;
    let kind = kind(&wire);
    let mut channel = Channel::new(wire.id, kind);
    // What is listed is what the account is in; of most it is not said again. Two who talk are no members.
    channel.member = match channel.kind {
        ChannelKind::Direct => None,
        _ => wire.is_member.or(Some(true)),
    };
    channel.name = filled(wire.name);
    channel.topic = note(wire.topic);
    channel.description = note(wire.purpose);
    channel.parent_id = filled(wire.parent_conversation);
    // Every workspace has one from the beginning, which nobody can leave.
    channel.system = wire.is_general;
    channel.archived = wire.is_archived;
    // `is_shared` is also true of what is shared within one organisation.
    channel.shared = wire.is_ext_shared;
    channel.member_count = wire.num_members;
    channel.with = filled(wire.user).map(PersonRef::id);
    channel.creator = filled(wire.creator).map(PersonRef::id);
    channel.unread_count = wire.unread_count;
    channel.created_at = wire.created.and_then(seconds);
    channel.updated_at =
        wire.updated.and_then(|millis| DateTime::from_timestamp_millis(i64::try_from(millis).ok()?));
    let source = Source {
        service: context.stream.service.clone(),
        id: channel.id.clone(),
        version: None,
        link: None,
        modified_at: channel.updated_at.or(channel.created_at),
    };
    Ok(Record { entity: channel.into(), source, raw: item.clone() })
}

fn kind(wire: &WireChannel) -> ChannelKind {
    // A group message is also private, and a group.
    if wire.is_im {
        ChannelKind::Direct
    } else if wire.is_mpim {
        ChannelKind::Group
    } else if wire.is_private || wire.is_group {
        ChannelKind::Private
    } else {
        ChannelKind::Public
    }
}

fn note(note: Option<WireNote>) -> Option<String> {
    note.and_then(|note| filled(note.value))
}

/// The stream of a conversation's messages, and which sort of conversation it is; `None` for an entry that
/// cannot be read, which the stream of the channels tells about.
pub(super) fn stream(item: &Raw) -> Option<(Stream, ChannelKind)> {
    let wire: WireChannel = serde_json::from_slice(item.as_bytes()).ok()?;
    let kind = kind(&wire);
    // Direct messages are called by the other side.
    let title = filled(wire.name).or_else(|| filled(wire.user)).unwrap_or_else(|| wire.id.clone());
    let mut stream = Stream::new(Some(wire.id).filter(|id| !id.is_empty())?, title);
    stream.frozen = wire.is_archived;
    Some((stream, kind))
}
