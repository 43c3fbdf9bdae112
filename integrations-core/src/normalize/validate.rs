//! Is this a record that a host can rely on?

use super::{ItemContext, ItemError, Stage};
use crate::model::{Change, Entity, EventTime};

/// The rules that every record keeps.
///
/// * the id is not empty;
/// * start and end of an event or a meeting are both days, or both instants;
/// * the end does not lie before the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Validate;

impl Stage for Validate {
    fn name(&self) -> &'static str {
        "validate"
    }

    fn apply(&self, change: &mut Change, _: &ItemContext<'_>) -> Result<(), ItemError> {
        if change.id().is_empty() {
            return Err(ItemError::new("$.id", "the id is empty"));
        }
        let Change::Upsert(record) = change else { return Ok(()) };
        match &record.entity {
            Entity::Event(event) => span_rules(Some(&event.start), event.end.as_ref()),
            Entity::Meeting(meeting) => span_rules(meeting.start.as_ref(), meeting.end.as_ref()),
            _ => Ok(()),
        }
    }
}

fn span_rules(start: Option<&EventTime>, end: Option<&EventTime>) -> Result<(), ItemError> {
    let (Some(start), Some(end)) = (start, end) else { return Ok(()) };
    match (start, end) {
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
