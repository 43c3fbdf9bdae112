//! How does a notification of GitHub's become one of the model?

use integrations_core::model::{Notification, Raw, Record, Source};
use integrations_core::normalize::{ItemContext, ItemError};

use super::address::Address;
use super::wire::{Time, WireItem, WireRepository, WireSubject, filled};

pub(super) fn notification(
    wire: WireItem<'_>,
    item: &Raw,
    context: &ItemContext<'_>,
) -> Result<Record, ItemError> {
    let Some(id) = wire.id else { return Err(ItemError::new("$", "missing field `id`")) };
    let mut notification = Notification::new(id.0);
    notification.reason = filled(wire.reason);
    let link = wire.repository.as_ref().and_then(|repository| page(repository, wire.subject.as_ref()?));
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
        link,
        modified_at: updated_at,
    };
    Ok(Record { entity: notification.into(), source, raw: item.clone() })
}

/// The page of the issue or pull request. GitHub gives its address in the API, and the repository's page.
fn page(repository: &WireRepository<'_>, subject: &WireSubject) -> Option<String> {
    let (url, name) = (Address::api(subject.url.as_deref()?)?, repository.full_name.as_deref()?);
    if !url.project.eq_ignore_ascii_case(name) {
        return None;
    }
    let collection = if url.is_pull() { "pull" } else { "issues" };
    Some(format!("{}/{collection}/{}", repository.html_url.as_deref()?.trim_end_matches('/'), url.number()?))
}
