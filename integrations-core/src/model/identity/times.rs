//! Do the times of two items fit, so that they can be one meeting?

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};

use crate::model::EventTime;

/// How far two starts of one meeting may lie apart: people open a meeting before its time, and come late.
pub const START_TOLERANCE: TimeDelta = TimeDelta::minutes(15);

/// How many times of one item are looked at, the earliest first.
const MOST_TIMES: usize = 366;

/// How many neighbours of a time are looked at on each side.
const NEIGHBOURS: usize = 4;

/// How the times of two items fit; better ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TimeFit {
    /// They do not fit.
    Apart,
    /// One of them has no time, or repeats at times that are not known.
    Unknown,
    /// One is a whole day, and the other falls on it somewhere in the world.
    WithinDay,
    /// One repeats, and the other starts at the same time of day in its zone. Whether its rule has that day is
    /// not asked.
    TimeOfDay,
    /// One was moved: before that, it started when the other does.
    OriginalStart,
    /// They overlap, and their starts lie apart.
    Overlapping,
    /// They start together, [give or take](START_TOLERANCE).
    SameStart,
}

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// From an instant on. An end that does not lie behind the start is none.
    Instants(DateTime<Utc>, Option<DateTime<Utc>>),
    /// Whole days, the last one exclusive.
    Days(NaiveDate, NaiveDate),
}

impl Span {
    pub(super) fn new(start: &EventTime, end: Option<&EventTime>) -> Self {
        match (start, end) {
            (EventTime::At(start), end) => {
                let start = start.at.to_utc();
                let end = end.filter(|end| !end.is_all_day()).map(EventTime::earliest_utc);
                Self::Instants(start, end.filter(|end| *end > start))
            }
            (EventTime::Day { date }, Some(EventTime::Day { date: end })) if end > date => {
                Self::Days(*date, *end)
            }
            (EventTime::Day { date }, _) => Self::Days(*date, date.succ_opt().unwrap_or(*date)),
        }
    }

    /// What spans are sorted by.
    pub(super) fn start(&self) -> i64 {
        match self {
            Self::Instants(start, _) => start.timestamp(),
            Self::Days(date, _) => midnight(*date).timestamp(),
        }
    }

    fn fit(&self, other: &Self) -> TimeFit {
        match (self, other) {
            (Self::Instants(one, one_end), Self::Instants(two, two_end)) => {
                let near = (*one - *two).abs() <= START_TOLERANCE;
                // Without an end it goes on for as long as it has to, but does not begin before its start.
                let meet =
                    |start: &DateTime<Utc>, end: &Option<DateTime<Utc>>| end.is_none_or(|end| *start < end);
                match (one_end, two_end) {
                    _ if near && meet(one, two_end) && meet(two, one_end) => TimeFit::SameStart,
                    (None, None) => TimeFit::Apart,
                    (None, Some(_)) if one < two => TimeFit::Apart,
                    (Some(_), None) if two < one => TimeFit::Apart,
                    _ if meet(one, two_end) && meet(two, one_end) => TimeFit::Overlapping,
                    _ => TimeFit::Apart,
                }
            }
            (Self::Days(one, _), Self::Days(two, _)) if one == two => TimeFit::SameStart,
            (Self::Days(one, one_end), Self::Days(two, two_end)) if one < two_end && two < one_end => {
                TimeFit::Overlapping
            }
            (Self::Days(..), Self::Days(..)) => TimeFit::Apart,
            (Self::Days(from, to), Self::Instants(at, _)) | (Self::Instants(at, _), Self::Days(from, to)) => {
                // A day begins at UTC+14 first, and ends at UTC-12 last.
                let from = midnight(*from) - TimeDelta::hours(14);
                let to = midnight(*to) + TimeDelta::hours(12);
                if (from..to).contains(at) { TimeFit::WithinDay } else { TimeFit::Apart }
            }
        }
    }
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    EventTime::day(date).earliest_utc()
}

/// When an item takes place: once, at several known times, or again and again.
#[derive(Debug, Clone)]
pub(super) struct Times {
    /// The known times, sorted.
    spans: Vec<Span>,
    /// The start of one that repeats, whose time of day and zone its other times have.
    repeats: Option<EventTime>,
    /// Between the first and the last of the known times there are no others.
    complete: bool,
    /// When it would have been, had it not been moved.
    original: Option<Span>,
}

impl Times {
    pub(super) fn once(span: Option<Span>, original: Option<&EventTime>) -> Self {
        let original = original.map(|start| Span::new(start, None));
        Self { spans: span.into_iter().collect(), repeats: None, complete: true, original }
    }

    pub(super) fn repeating(
        first: Option<&EventTime>,
        spans: impl IntoIterator<Item = Span>,
        complete: bool,
    ) -> Self {
        let mut spans: Vec<Span> = spans.into_iter().collect();
        spans.sort_by_key(Span::start);
        spans.dedup();
        spans.truncate(MOST_TIMES);
        Self { spans, repeats: first.cloned(), complete, original: None }
    }

    /// The starts of the known times, sorted.
    pub(super) fn starts(&self) -> impl Iterator<Item = i64> {
        self.spans.iter().map(Span::start)
    }

    /// Whether there may be times that are not known.
    pub(super) fn is_open(&self) -> bool {
        self.spans.is_empty() || self.repeats.is_some() || self.original.is_some()
    }

    /// How the times of two items fit, the best of them.
    pub(super) fn fit(&self, other: &Self) -> TimeFit {
        if self.spans.is_empty() || other.spans.is_empty() {
            return TimeFit::Unknown;
        }
        // Both ways round, so that it is the same whichever is asked.
        let best = self.nearest(&other.spans).max(other.nearest(&self.spans));
        if best != TimeFit::Apart {
            return best;
        }
        let moved = |one: &Self, other: &Self| {
            let at =
                |span: &Span| one.original.is_some_and(|original| original.fit(span) == TimeFit::SameStart);
            other.spans.iter().any(at) || other.original.as_ref().is_some_and(at)
        };
        if moved(self, other) || moved(other, self) {
            TimeFit::OriginalStart
        } else if self.may_repeat_at(other) || other.may_repeat_at(self) {
            TimeFit::TimeOfDay
        } else {
            TimeFit::Apart
        }
    }

    /// Whether an item that fits in nothing but time fits exactly: one time on either side, and the same.
    pub(super) fn is_exactly(&self, other: &Self) -> bool {
        matches!(
            (&self.spans[..], &other.spans[..]),
            ([one @ (Span::Instants(_, Some(_)) | Span::Days(..))], [two]) if one == two
        )
    }

    /// The best fit of these times with the nearest of the others.
    fn nearest(&self, others: &[Span]) -> TimeFit {
        let fits = self.spans.iter().flat_map(|span| {
            let at = others.partition_point(|other| other.start() < span.start());
            let near = &others[at.saturating_sub(NEIGHBOURS)..others.len().min(at + NEIGHBOURS)];
            near.iter().map(|other| span.fit(other))
        });
        fits.max().unwrap_or(TimeFit::Apart)
    }

    /// Whether one of the other's times may be one of this series that is not known: later than its first, at
    /// the same time of day.
    fn may_repeat_at(&self, other: &Self) -> bool {
        let Some(EventTime::At(first)) = &self.repeats else { return false };
        let (Some(from), Some(to)) = (self.spans.first(), self.spans.last()) else { return false };
        let time_of_day = |at: DateTime<Utc>| match first.zone.iana() {
            Some(zone) => at.with_timezone(&zone).num_seconds_from_midnight(),
            None => at.with_timezone(first.at.offset()).num_seconds_from_midnight(),
        };
        let usual = i64::from(time_of_day(first.at.to_utc()));
        other.spans.iter().any(|span| {
            let Span::Instants(at, _) = span else { return false };
            let apart = (i64::from(time_of_day(*at)) - usual).abs();
            let apart = apart.min(24 * 60 * 60 - apart);
            let known = self.complete && (from.start()..=to.start()).contains(&span.start());
            !known && *at + START_TOLERANCE >= first.at.to_utc() && apart <= START_TOLERANCE.num_seconds()
        })
    }
}
