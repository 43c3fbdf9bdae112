//! What does somebody see in a window, when events, series and their exceptions are laid together?

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::limits::{Limits, Window};
use super::reach::{Reach, has_year};
use super::series::Series;
use crate::error::{Error, Result};
use crate::model::{Event, EventStatus, EventTime};

/// One entry of an agenda.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Occurrence<'a> {
    /// The event to show: the master of a series, the exception that stands in an occurrence's place,
    /// or a single event.
    pub event: &'a Event,
    /// When it starts.
    pub start: EventTime,
    /// When it ends, exclusive; `None` where the event has no end.
    pub end: Option<EventTime>,
    /// Its identity within the series; `None` for a single event.
    pub original_start: Option<EventTime>,
}

/// A series that could not be worked out. It is left out of the agenda and harms nothing else.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The master.
    pub event: &'a Event,
    /// Why; see [the table of codes](super).
    pub error: Error,
}

/// What somebody sees in a window.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Agenda<'a> {
    /// What overlaps the window, sorted by start: all-day events before others, then by calendar and id.
    pub occurrences: Vec<Occurrence<'a>>,
    /// The series that could not be worked out.
    pub failures: Vec<Failure<'a>>,
    /// Whether a limit cut something off; what was cut off is later than what is there, of that series
    /// or of all.
    pub truncated: bool,
}

/// The starts of one series in a window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Starts {
    /// The starts, sorted.
    pub starts: Vec<EventTime>,
    /// Whether [`Limits::per_series`] cut off later ones.
    pub truncated: bool,
}

/// The starts of all occurrences of one event that overlap a window. An event that does not repeat has
/// one. Exceptions and the status are not looked at: see [`agenda`].
///
/// # Errors
///
/// `recurrence_invalid`, `recurrence_unsupported` or `recurrence_too_large`: see [the table](super).
pub fn occurrences(event: &Event, window: &Window, limits: &Limits) -> Result<Starts> {
    let Some(reach) = Reach::new(window) else { return Ok(Starts::default()) };
    if !event.is_series() {
        let starts = reach.has(&event.start, event.end.as_ref()).then(|| event.start.clone());
        return Ok(Starts { starts: starts.into_iter().collect(), truncated: false });
    }
    let series = Series::new(event)?;
    let found = series.starts(&reach, limits)?;
    let starts = found.starts.into_iter().map(|at| series.start_time(at)).collect();
    Ok(Starts { starts, truncated: found.truncated })
}

/// Everything that overlaps a window for somebody in its zone, with series spelled out.
///
/// The events may be of several calendars: an exception belongs to the master with its calendar id and
/// its series id. It takes the place of the occurrence that has its original start (the same instant,
/// or the same day), wherever it moved to: into the window, out of it, or within. An exception whose
/// master is not there stands for itself, as when somebody is invited to one occurrence alone. One whose master
/// does not repeat any more is a leftover, and left out: not every provider says that it is gone.
///
/// What is cancelled is left out: a single event, an exception with the occurrence it stands for, and a
/// master with all its occurrences and exceptions.
///
/// All-day events last from midnight to midnight in the window's zone, whatever zone they were made in.
/// An event without length, or without an end, counts where it starts.
pub fn agenda<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    window: &Window,
    limits: &Limits,
) -> Agenda<'a> {
    let Some(reach) = Reach::new(window) else { return Agenda::default() };
    let events: Vec<&Event> = events.into_iter().collect();
    let replaced = Replaced::of(&events);
    let mut agenda = Agenda::default();
    for event in events {
        if event.status == EventStatus::Cancelled || replaced.is_left_over(event) {
            continue;
        }
        if event.series.is_some() || !event.is_series() {
            agenda.add_one(event, &reach);
        } else if let Err(error) = agenda.add_series(event, &replaced, &reach, limits) {
            agenda.failures.push(Failure { event, error });
        }
        if agenda.occurrences.len() / 2 >= limits.total {
            agenda.keep_earliest(window, limits);
        }
    }
    agenda.keep_earliest(window, limits);
    agenda
}

impl<'a> Agenda<'a> {
    fn add_one(&mut self, event: &'a Event, reach: &Reach) {
        if reach.has(&event.start, event.end.as_ref()) {
            self.occurrences.push(Occurrence {
                event,
                start: event.start.clone(),
                end: event.end.clone(),
                original_start: event.series.as_ref().map(|series| series.original_start.clone()),
            });
        }
    }

    fn add_series(
        &mut self,
        event: &'a Event,
        replaced: &Replaced<'_>,
        reach: &Reach,
        limits: &Limits,
    ) -> Result<()> {
        let series = Series::new(event)?;
        let found = series.starts(reach, limits)?;
        self.truncated |= found.truncated;
        let exceptions = replaced.by_series.get(&(event.calendar_id.as_str(), event.id.as_str()));
        for at in found.starts {
            let start = series.start_time(at);
            if exceptions.is_some_and(|starts| starts.contains(&Identity::of(&start))) {
                continue;
            }
            self.occurrences.push(Occurrence {
                event,
                end: series.end_time(at),
                original_start: Some(start.clone()),
                start,
            });
        }
        Ok(())
    }

    fn keep_earliest(&mut self, window: &Window, limits: &Limits) {
        self.occurrences.sort_by_cached_key(|one| {
            let (start, timed) = match &one.start {
                EventTime::At(time) => (time.at.to_utc(), true),
                // What began so long ago sorts before all else, and its midnight may not exist.
                EventTime::Day { date } if !has_year(*date) => (DateTime::<Utc>::MIN_UTC, false),
                day @ EventTime::Day { .. } => (day.in_zone(window.zone).to_utc(), false),
            };
            (start, timed, one.event.calendar_id.clone(), one.event.id.clone())
        });
        if self.occurrences.len() > limits.total {
            self.occurrences.truncate(limits.total);
            self.truncated = true;
        }
    }
}

/// The identity of an occurrence within its series.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Identity {
    Day(NaiveDate),
    /// In whole seconds: providers differ in whether they keep parts of them.
    At(i64),
}

impl Identity {
    fn of(start: &EventTime) -> Self {
        match start {
            EventTime::At(time) => Self::At(time.at.timestamp()),
            EventTime::Day { date } => Self::Day(*date),
        }
    }
}

/// Which occurrences of which series do not stand as their rule gives them. A series is a calendar's
/// id and a master's id.
#[derive(Debug)]
struct Replaced<'a> {
    by_series: HashMap<(&'a str, &'a str), HashSet<Identity>>,
    /// Those of them that no exception can belong to: they are cancelled, or do not repeat.
    childless: HashSet<(&'a str, &'a str)>,
}

impl<'a> Replaced<'a> {
    fn of(events: &[&'a Event]) -> Self {
        let mut by_series: HashMap<_, HashSet<_>> = HashMap::new();
        for event in events {
            if let Some(series) = &event.series {
                let starts = by_series.entry((event.calendar_id.as_str(), series.id.as_str())).or_default();
                starts.insert(Identity::of(&series.original_start));
            }
        }
        let is_childless = |event: &&&Event| {
            event.series.is_none() && (event.status == EventStatus::Cancelled || !event.is_series())
        };
        let keys =
            events.iter().filter(is_childless).map(|event| (event.calendar_id.as_str(), event.id.as_str()));
        let childless = keys.filter(|key| by_series.contains_key(key)).collect();
        Self { by_series, childless }
    }

    fn is_left_over(&self, event: &Event) -> bool {
        let key = event.series.as_ref().map(|series| (event.calendar_id.as_str(), series.id.as_str()));
        key.is_some_and(|key| self.childless.contains(&key))
    }
}
