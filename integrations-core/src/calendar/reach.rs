//! Does something overlap the window?

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};

use super::limits::Window;
use crate::model::EventTime;

/// The years that are looked at. Beyond them the calendar is no use to anybody, and sums overflow.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9_998;

/// A window, ready to be compared with times and with days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// The day that `from` falls on, for the one who looks.
    pub(super) first_day: NaiveDate,
    /// The last day of which something lies before `to`.
    pub(super) last_day: NaiveDate,
}

impl Reach {
    /// `None` for an empty window.
    pub(super) fn new(window: &Window) -> Option<Self> {
        let from = window.from.max(edge(*YEARS.start(), 2));
        let to = window.to.min(edge(*YEARS.end(), 30));
        if from >= to {
            return None;
        }
        let day_of_to = to.with_timezone(&window.zone).date_naive();
        let begun = EventTime::day(day_of_to).in_zone(window.zone).to_utc() < to;
        Some(Self {
            from,
            to,
            first_day: from.with_timezone(&window.zone).date_naive(),
            last_day: if begun { day_of_to } else { day_of_to - Days::new(1) },
        })
    }

    /// Midnight to midnight in UTC.
    pub(super) fn of_day(date: NaiveDate) -> Self {
        let midnight = EventTime::day(date).earliest_utc();
        Self { from: midnight, to: midnight + TimeDelta::days(1), first_day: date, last_day: date }
    }

    /// Whether something that lasts from one instant to another overlaps the window. What has no
    /// length overlaps it if it lies within.
    pub(super) fn has_time(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
        start < self.to && (end > self.from || start >= self.from)
    }

    /// Whether something that lasts from a day to another, exclusive, overlaps the window.
    pub(super) fn has_days(&self, start: NaiveDate, end: NaiveDate) -> bool {
        start <= self.last_day && end > self.first_day
    }

    /// Whether an event with this start and end overlaps the window.
    pub(super) fn has(&self, start: &EventTime, end: Option<&EventTime>) -> bool {
        match (start, end) {
            (EventTime::At(start), Some(EventTime::At(end))) => {
                self.has_time(start.at.to_utc(), end.at.to_utc())
            }
            (EventTime::At(start), _) => self.has_time(start.at.to_utc(), start.at.to_utc()),
            (EventTime::Day { date }, end) => {
                let end = match end {
                    Some(EventTime::Day { date: end }) if end > date => *end,
                    _ => date.succ_opt().unwrap_or(*date),
                };
                self.has_days(*date, end)
            }
        }
    }
}

/// Whether a series may start in this year.
pub(super) fn has_year(date: NaiveDate) -> bool {
    YEARS.contains(&date.year())
}

fn edge(year: i32, day: u32) -> DateTime<Utc> {
    let month = if day < 15 { 1 } else { 12 };
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .map_or(DateTime::UNIX_EPOCH, |edge| edge.and_utc())
}

/// How long an event lasts that is repeated: an all-day one at least a day.
pub(super) fn length(start: &EventTime, end: Option<&EventTime>) -> TimeDelta {
    // The longest that sums with the years above can bear.
    let most = TimeDelta::days(3_652_500);
    match (start, end) {
        (EventTime::At(start), Some(EventTime::At(end))) => {
            (end.at - start.at).clamp(TimeDelta::zero(), most)
        }
        (EventTime::At(_), _) => TimeDelta::zero(),
        (EventTime::Day { date: start }, Some(EventTime::Day { date: end })) => {
            (*end - *start).clamp(TimeDelta::days(1), most)
        }
        (EventTime::Day { .. }, _) => TimeDelta::days(1),
    }
}
