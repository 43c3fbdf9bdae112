//! When does a series take place inside a window?

use chrono::{DateTime, TimeDelta};

use super::render::{Content, Occurrence, Piece};
use super::timing::{Timing, Window, day_number, day_of_number};
use crate::msgraph::text::moment;

impl Piece<'_> {
    pub(super) fn is_series(&self) -> bool {
        self.timing.rule.is_some()
    }

    /// Whether a client that looks at a window sees anything of the event.
    pub(super) fn shows_in(&self, window: Window) -> bool {
        if !self.is_series() {
            return self.timing.meets(self.timing.span, window);
        }
        let mut seen = false;
        self.each(window, 0, |_| {
            seen = true;
            false
        });
        seen
    }

    /// The occurrence that was to take place on a day, unless it was cancelled.
    pub(super) fn occurrence(&self, day: u32) -> Option<Occurrence<'_>> {
        let (date, timing) = (day_of_number(day)?, &*self.timing);
        if !timing.rule.as_ref()?.has(date) {
            return None;
        }
        if let Content::Stored(event) = self.content {
            if event.cancelled.contains(&day) {
                return None;
            }
            if let Some(exception) = event.exceptions.get(&day) {
                let (timing, span) = (&exception.timing, exception.timing.span);
                return Some(Occurrence { date, timing, span, exception: Some(exception) });
            }
        }
        Some(Occurrence { date, timing, span: timing.on(date), exception: None })
    }

    /// Shows the occurrences that lie in a window, in the order of the days on which they were to take place,
    /// from the one after `after` on, until `visit` says to stop.
    pub(super) fn each<'s>(
        &'s self,
        window: Window,
        after: u32,
        mut visit: impl FnMut(Occurrence<'s>) -> bool,
    ) {
        let timing: &'s Timing = &self.timing;
        let Some(rule) = &timing.rule else { return };
        let stored = match self.content {
            Content::Stored(event) => Some(event),
            Content::Generated(..) => None,
        };
        let special = |day: u32| {
            stored.is_some_and(|event| event.cancelled.contains(&day) || event.exceptions.contains_key(&day))
        };
        let mut exceptions = stored
            .into_iter()
            .flat_map(|event| event.exceptions.range(after + 1..))
            .filter(|(_, exception)| exception.timing.meets(exception.timing.span, window))
            .filter_map(|(&day, exception)| {
                let (timing, span) = (&exception.timing, exception.timing.span);
                Some((
                    day,
                    Occurrence { date: day_of_number(day)?, timing, span, exception: Some(exception) },
                ))
            })
            .peekable();
        // Local days may begin a day earlier or later than those of UTC.
        let far = |ms: i64| DateTime::from_timestamp_millis(ms).map(|time| time.naive_utc());
        let earliest = far(window.0).unwrap_or(moment(0)).checked_sub_signed(timing.reach());
        let earliest = earliest.map_or(rule.first, |time| time.date()).max(rule.first);
        let from = day_of_number(after + 1).map_or(earliest, |next| next.max(earliest));
        let latest = far(window.1).and_then(|time| time.checked_add_signed(TimeDelta::days(2)));
        for date in rule.dates(from) {
            let day = day_number(date);
            while let Some((_, exception)) = exceptions.next_if(|(exceptional, _)| *exceptional < day) {
                if !visit(exception) {
                    return;
                }
            }
            let span = timing.on(date);
            if latest.is_some_and(|latest| span.start > latest) {
                break;
            }
            if special(day) || !timing.meets(span, window) {
                continue;
            }
            if !visit(Occurrence { date, timing, span, exception: None }) {
                return;
            }
        }
        for (_, exception) in exceptions {
            if !visit(exception) {
                return;
            }
        }
    }
}
