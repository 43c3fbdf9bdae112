//! How does a task of Google's become one of the model?

use integrations_core::json;
use integrations_core::model::{Change, EventTime, Link, Raw, Record, Source, Task};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};

use super::wire::{WireAssignment, WireId, WireLink, WireTask};

/// Maps tasks.
#[derive(Debug, Clone, Copy, Default)]
pub struct TaskNormalizer;

impl Normalizer for TaskNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        match json::decode_item(item.as_bytes()) {
            Ok(task) => Ok(change(task, item, context)),
            Err(error) => {
                let id = serde_json::from_slice(item.as_bytes()).ok().map(|WireId { id }| id);
                Err(error.with_id(id))
            }
        }
    }
}

fn change(wire: WireTask, item: &Raw, context: &ItemContext<'_>) -> Change {
    if wire.deleted {
        return Change::Delete { id: wire.id };
    }
    let mut task = Task::new(wire.id, &context.stream.stream);
    task.title = filled(wire.title);
    task.notes = filled(wire.notes);
    task.status = wire.status;
    task.due = wire.due.map(EventTime::day);
    task.completed_at = wire.completed;
    task.parent_id = wire.parent;
    task.position = wire.position;
    task.hidden = wire.hidden;
    task.links = wire.links.into_iter().filter_map(link).collect();
    task.links.extend(wire.assignment_info.and_then(assignment));
    task.updated_at = wire.updated;
    let source = Source {
        service: context.stream.service.clone(),
        id: task.id.clone(),
        version: wire.etag,
        link: wire.web_view_link,
        modified_at: wire.updated,
    };
    Change::Upsert(Record { entity: task.into(), source, raw: item.clone() })
}

/// Google writes an empty text where there is none.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn link(wire: WireLink) -> Option<Link> {
    Some(Link { url: wire.link?, title: filled(wire.description), kind: wire.kind })
}

/// A task that was given in a document or a chat goes back to it.
fn assignment(wire: WireAssignment) -> Option<Link> {
    Some(Link { url: wire.link_to_task?, title: None, kind: wire.surface_type })
}
