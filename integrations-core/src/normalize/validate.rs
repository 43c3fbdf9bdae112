//! Is this a record that a host can rely on?

use super::{ItemContext, ItemError, Stage};
use crate::model::{Change, Entity, Event, EventTime};

/// The rules that every event keeps.
///
/// * the id is not empty;
/// * start and end are both days, or both instants;
/// * the end does not lie before the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValidateEvents;

impl Stage for ValidateEvents {
    fn name(&self) -> &'static str {
        "validate"
    }

    fn apply(&self, change: &mut Change, _: &ItemContext<'_>) -> Result<(), ItemError> {
        if change.id().is_empty() {
            return Err(ItemError::new("$.id", "the id is empty"));
        }
        match change {
            Change::Upsert(record) => match &record.entity {
                Entity::Event(event) => event_rules(event),
            },
            Change::Delete { .. } => Ok(()),
        }
    }
}

fn event_rules(event: &Event) -> Result<(), ItemError> {
    let Some(end) = &event.end else { return Ok(()) };
    match (&event.start, end) {
        (EventTime::At(start), EventTime::At(end)) if end.at < start.at => {
            Err(ItemError::new("$.end", "the end lies before the start"))
        }
        (EventTime::Day { date: start }, EventTime::Day { date: end }) if end < start => {
            Err(ItemError::new("$.end", "the end lies before the start"))
        }
        (EventTime::At(_), EventTime::Day { .. }) | (EventTime::Day { .. }, EventTime::At(_)) => {
            Err(ItemError::new("$.end", "the start and the end are not both days or both instants"))
        }
        _ => Ok(()),
    }
}
