//! How far back and how far ahead does the host want a stream?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::Entity;

/// The part of a stream that a host wants: what takes place, or was written, from `since` on and before
/// `until`. Items that have no time, and masters of series, are in every window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Window {
    /// From when on; `None` for the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Until when, exclusive; `None` for no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Window {
    /// All there is.
    pub const ALL: Self = Self { since: None, until: None };

    /// From an instant on.
    pub const fn since(since: DateTime<Utc>) -> Self {
        Self { since: Some(since), until: None }
    }

    /// The same, up to an instant.
    pub const fn until(mut self, until: DateTime<Utc>) -> Self {
        self.until = Some(until);
        self
    }

    /// Whether it is all there is.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }

    /// Whether everything of another window is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        let from = self.since.is_none_or(|since| other.since.is_some_and(|other| other >= since));
        let to = self.until.is_none_or(|until| other.until.is_some_and(|other| other <= until));
        from && to
    }

    /// Whether an item is in it. One that lasts is in it when any part of it is.
    pub fn contains(&self, item: &Entity) -> bool {
        let bound = match item {
            // Whether one of these is over is said by its state, and not by its time.
            Entity::Task(_) | Entity::Issue(_) | Entity::Channel(_) | Entity::Person(_) => return true,
            // An exception stays for as long as its series.
            Entity::Event(event) if event.is_series() || event.series.is_some() => return true,
            Entity::Meeting(_) if item.is_series() => return true,
            item => item.starts_at(),
        };
        let Some(starts) = bound else { return true };
        let ends = item.ends_at().unwrap_or(starts).max(starts);
        let begun = self.until.is_none_or(|until| starts < until);
        let lasts = self.since.is_none_or(|since| ends > since || (ends == starts && starts == since));
        begun && lasts
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::model::{Event, EventTime, Message, MessageKind, Task, Zone, ZonedTime};

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_355_600, 0).unwrap() + TimeDelta::hours(hour)
    }

    fn event(from: i64, to: i64) -> Entity {
        let time = |hour| EventTime::At(ZonedTime::new(at(hour).fixed_offset(), Zone::Offset));
        let mut event = Event::new("1", "c", time(from));
        event.end = Some(time(to));
        event.into()
    }

    #[test]
    fn what_overlaps_a_window_is_in_it() {
        let window = Window::since(at(10)).until(at(12));
        for (from, to, within) in
            [(8, 10, false), (8, 11, true), (10, 10, true), (11, 11, true), (11, 20, true), (12, 13, false)]
        {
            assert_eq!(window.contains(&event(from, to)), within, "{from} to {to}");
        }
        let message = |hour| {
            let mut message = Message::new("1", MessageKind::Chat);
            message.sent_at = Some(at(hour));
            Entity::from(message)
        };
        assert!(
            !window.contains(&message(9)) && window.contains(&message(10)) && !window.contains(&message(12))
        );
    }

    #[test]
    fn what_has_no_time_and_what_repeats_is_in_every_window() {
        let window = Window::since(at(1_000_000));
        assert!(window.contains(&Task::new("1", "l").into()));
        assert!(window.contains(&Message::new("1", MessageKind::Mail).into()));
        let Entity::Event(mut series) = event(0, 1) else { unreachable!() };
        series.recurrence.push_line("RRULE:FREQ=DAILY".into());
        assert!(window.contains(&Entity::Event(series)));
    }

    #[test]
    fn a_wider_window_is_not_covered() {
        let narrow = Window::since(at(2)).until(at(4));
        assert!(Window::ALL.covers(&narrow) && narrow.covers(&narrow));
        assert!(Window::since(at(1)).covers(&narrow) && !narrow.covers(&Window::since(at(2))));
        assert!(!narrow.covers(&Window::since(at(1)).until(at(4))) && !narrow.covers(&Window::ALL));
    }
}
