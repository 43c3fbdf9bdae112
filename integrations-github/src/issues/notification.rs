//! How does a notification of GitHub's become one of the model?

use integrations_core::model::{Notification, Raw, Record, Source};
use integrations_core::normalize::{ItemContext, ItemError};

use super::wire::{Time, WireItem, filled};

pub(super) fn notification(
    wire: WireItem<'_>,
    item: &Raw,
    context: &ItemContext<'_>,
) -> Result<Record, ItemError> {
    let Some(id) = wire.id else { return Err(ItemError::new("$", "missing field `id`")) };
    let mut notification = Notification::new(id.0);
    notification.reason = filled(wire.reason);
    if let Some(subject) = wire.subject {
        notification.title = filled(subject.title);
        notification.subject_kind = filled(subject.kind);
        notification.subject_url = filled(subject.url);
    }
    notification.project = wire.repository.and_then(|repository| filled(repository.full_name));
    notification.unread = wire.unread.unwrap_or(true);
    notification.read_at = wire.last_read_at.map(|Time(at)| at);
    let (version, updated_at) = wire.updated_at.map(|stamp| (stamp.text, stamp.at)).unzip();
    notification.updated_at = updated_at;
    let source = Source {
        service: context.stream.service.clone(),
        id: notification.id.clone(),
        version,
        // There is none: `subject_url` is an address of the API.
        link: None,
        modified_at: updated_at,
    };
    Ok(Record { entity: notification.into(), source, raw: item.clone() })
}
