//! Which rows does the list of meetings have?

use chrono::{DateTime, Utc};

use super::choices::SeriesRows;
use super::cursor::Place;
use super::meeting::{Kind, Meeting, Occurrence};
use super::state::State;
use super::time::after;
use super::{Settings, Zoom};

/// The `type` of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// Everything that has not expired.
    Scheduled,
    Live,
    Upcoming,
    Previous,
}

impl Listed {
    pub(super) const WORDS: [&'static str; 5] =
        ["scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings"];

    pub(super) fn of(word: &str) -> Self {
        match word {
            "live" => Self::Live,
            "upcoming" | "upcoming_meetings" => Self::Upcoming,
            "previous_meetings" => Self::Previous,
            _ => Self::Scheduled,
        }
    }

    const fn shows(self, live: bool, over: bool) -> bool {
        match self {
            Self::Scheduled => true,
            Self::Live => live,
            Self::Upcoming => live || !over,
            Self::Previous => !live && over,
        }
    }
}

/// A row before it is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'a> {
    Meeting(&'a Meeting),
    Occurrence(&'a Meeting, &'a Occurrence),
    /// Text of the test.
    Raw(&'a str),
}

impl Row<'_> {
    pub(super) fn write(self, state: &State) -> String {
        match self {
            Self::Meeting(meeting) => meeting.row(&state.users[meeting.host], None).to_string(),
            Self::Occurrence(meeting, at) => meeting.row(&state.users[meeting.host], Some(at)).to_string(),
            Self::Raw(text) => text.to_owned(),
        }
    }
}

/// The rows of a user's meetings, with their places.
pub(super) fn rows<'a>(
    zoom: &Zoom,
    state: &'a State,
    host: usize,
    listed: Listed,
    range: Option<(i64, i64)>,
) -> Vec<(Place, Row<'a>)> {
    let now = zoom.now();
    let mut rows = Vec::new();
    for meeting in state.meetings.values() {
        if meeting.host == host && meeting.kind.is_listed() && !meeting.has_expired(&zoom.settings, now) {
            put(&mut rows, &zoom.settings, state, meeting, listed, now);
        }
    }
    if let Some((from, to)) = range {
        // What has no time is in no range.
        rows.retain(|(place, _)| place.at != i64::MIN && (from..to).contains(&place.at));
    }
    if listed != Listed::Live {
        rows.extend(
            state
                .raw_meetings
                .iter()
                .zip(0..)
                .filter(|_| host == 0)
                .map(|(text, number)| (Place { at: i64::MAX, id: 0, number }, Row::Raw(text))),
        );
    }
    rows
}

fn put<'a>(
    rows: &mut Vec<(Place, Row<'a>)>,
    settings: &Settings,
    state: &State,
    meeting: &'a Meeting,
    listed: Listed,
    now: DateTime<Utc>,
) {
    let place = |at: Option<DateTime<Utc>>, number| Place {
        at: at.map_or(i64::MIN, |at| at.timestamp()),
        id: meeting.id,
        number,
    };
    let live = meeting.live.is_some();
    if meeting.kind != Kind::FixedTime {
        // A meeting without a time is never over.
        let over = meeting.start.is_some_and(|start| after(start, meeting.duration) <= now);
        if listed.shows(live, over) {
            rows.push((place(meeting.start, 0), Row::Meeting(meeting)));
        }
        return;
    }
    let there = || meeting.occurrences.iter().filter(|occurrence| !occurrence.deleted);
    let is_over = |occurrence: &Occurrence| after(occurrence.start, occurrence.duration) <= now;
    // The occurrence that a session is of is the nearest.
    let started = meeting.live.map(|session| state.sessions[session].start);
    let nearest = started.and_then(|started| {
        there().min_by_key(|occurrence| (occurrence.start - started).num_seconds().unsigned_abs())
    });
    let shown: Vec<&Occurrence> = match settings.series_rows {
        SeriesRows::Occurrences => there()
            .filter(|occurrence| {
                listed.shows(nearest.is_some_and(|nearest| nearest.id == occurrence.id), is_over(occurrence))
            })
            .collect(),
        SeriesRows::Series => {
            let next = there().filter(|occurrence| !is_over(occurrence)).min_by_key(|next| next.start);
            let one = nearest.or(next).or_else(|| there().max_by_key(|last| last.start));
            one.filter(|one| listed.shows(live, is_over(one))).into_iter().collect()
        }
    };
    rows.extend(shown.into_iter().map(|one| (place(Some(one.start), one.id), Row::Occurrence(meeting, one))));
}
