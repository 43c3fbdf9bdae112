//! Which items of two lists are one real meeting, without comparing all with all?

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::clues::{Clues, Part};
use super::join::JoinKey;
use super::times::START_TOLERANCE;
use super::uid::Uid;
use super::verdict::{MeetingLink, Tie, date};
use crate::model::{Event, EventTime, Meeting};

/// How many items with the same clue an item is compared with, those nearest in time first.
pub const MOST_CANDIDATES: usize = 64;

/// Two items that are one real meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pair {
    /// The place of the one in the first list.
    pub left: usize,
    /// The place of the other in the second list.
    pub right: usize,
    /// What ties them.
    pub link: MeetingLink,
}

/// Links calendar events with meetings of conferencing services; see [`link`].
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use integrations_core::model::identity::{Confidence, Tie, link_meetings};
/// use integrations_core::model::{Event, EventTime, Meeting, MeetingKind, ZonedTime};
///
/// let nine = Utc.with_ymd_and_hms(2026, 3, 2, 8, 0, 0).unwrap();
/// let start = EventTime::At(ZonedTime::in_iana(nine, chrono_tz::Europe::Berlin));
/// let mut event = Event::new("e1", "primary", start);
/// event.location = Some("https://acme.zoom.us/j/91234567890?pwd=x".to_owned());
///
/// let mut meeting = Meeting::new("91234567890", MeetingKind::Scheduled);
/// meeting.join_url = Some("https://us02web.zoom.us/j/91234567890".to_owned());
/// meeting.start = Some(EventTime::At(ZonedTime::in_iana(nine, chrono_tz::UTC)));
///
/// let pairs = link_meetings([&event], [&meeting]);
/// assert_eq!((pairs[0].left, pairs[0].right), (0, 0));
/// assert_eq!((pairs[0].link.tie, pairs[0].link.confidence), (Tie::SameJoinUrl, Confidence::Certain));
/// ```
pub fn link_meetings<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    meetings: impl IntoIterator<Item = &'a Meeting>,
) -> Vec<Pair> {
    let events: Vec<Clues> = events.into_iter().map(Clues::from).collect();
    let meetings: Vec<Clues> = meetings.into_iter().map(Clues::from).collect();
    link(&events, &meetings)
}

/// Links the events of one calendar with those of another; see [`link`].
pub fn link_events<'a>(
    one: impl IntoIterator<Item = &'a Event>,
    other: impl IntoIterator<Item = &'a Event>,
) -> Vec<Pair> {
    let one: Vec<Clues> = one.into_iter().map(Clues::from).collect();
    let other: Vec<Clues> = other.into_iter().map(Clues::from).collect();
    link(&one, &other)
}

/// Links the items of two lists that are one real meeting: all pairs that [`Clues::compare`] calls the same,
/// sorted by their places. An item may be in several: a series with each of its occurrences, a meeting with the
/// event of each calendar.
///
/// A tie by [time and people](Tie::SameTimeAndPeople) or [time and title](Tie::SameTimeAndTitle) counts only
/// for two items of which neither has a stronger one.
///
/// Takes time in proportion to the lists, give or take a logarithm: only items that share a clue are compared,
/// and of those that share one with very many (a room that is used all day, a UID that a program gives to
/// everything) the [`MOST_CANDIDATES`] nearest in time.
pub fn link(left: &[Clues], right: &[Clues]) -> Vec<Pair> {
    let compared = candidates(left, right).into_iter().filter_map(|(left_at, right_at)| {
        let link = left[left_at].compare(&right[right_at]).link()?;
        Some(Pair { left: left_at, right: right_at, link })
    });
    let mut pairs: Vec<Pair> = compared.collect();
    let strong = |pair: &&Pair| pair.link.tie >= Tie::SameJoinUrl;
    let tied_left: HashSet<usize> = pairs.iter().filter(strong).map(|pair| pair.left).collect();
    let tied_right: HashSet<usize> = pairs.iter().filter(strong).map(|pair| pair.right).collect();
    pairs.retain(|pair| {
        strong(&pair) || !(tied_left.contains(&pair.left) || tied_right.contains(&pair.right))
    });
    pairs
}

/// What two items have to share to be worth comparing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    /// The UID, and which part of it.
    Uid(&'a str, Which),
    /// The way in, of an item with a time.
    Join(&'a JoinKey),
    /// The way in, of an item that may be at other times than those that are known.
    OpenJoin(&'a JoinKey),
    /// Who invites.
    Host(&'a str),
    /// The title.
    Title(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    Series,
    Single,
    /// The occurrence that would have started at this second.
    At(i64),
    /// An occurrence on this day, in the zone that it is given in or in UTC.
    On(NaiveDate),
}

/// The places of a list's items by each of their keys, with their starts, sorted by them.
struct Index<'a>(HashMap<Key<'a>, Vec<(i64, usize)>>);

/// The places of items that are worth comparing, sorted.
fn candidates(left: &[Clues], right: &[Clues]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    // Each list asks the other, so that the limit of one leaves out nothing that the other finds.
    let index = Index::new(right);
    for (at, clues) in left.iter().enumerate() {
        index.ask(clues, |other| found.push((at, other)));
    }
    let index = Index::new(left);
    for (at, clues) in right.iter().enumerate() {
        index.ask(clues, |other| found.push((other, at)));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The parts of its UID that an item is found by.
fn uid_keys(clues: &Clues) -> impl Iterator<Item = Key<'_>> {
    let parts = match &clues.part {
        Part::Series => [Some(Which::Series), None],
        Part::Single => [Some(Which::Single), None],
        Part::Occurrence(start @ EventTime::At(time)) => {
            [Some(Which::At(time.at.timestamp())), Some(Which::On(date(start)))]
        }
        Part::Occurrence(EventTime::Day { date }) => [Some(Which::On(*date)), None],
    };
    let uid = clues.uid.as_ref();
    let day = uid.filter(|_| clues.part == Part::Single).and_then(Uid::day).map(Which::On);
    let parts = parts.into_iter().chain([day]).flatten();
    parts.filter_map(move |part| Some(Key::Uid(uid?.as_str(), part)))
}

/// The parts of its UID that an item looks for: its own, the series and what is no part. The occurrences of a
/// series ask for the series themselves.
fn wanted_uid_keys(clues: &Clues) -> impl Iterator<Item = Key<'_>> {
    let whole = [Which::Series, Which::Single];
    let whole = clues.uid.iter().flat_map(move |uid| whole.map(|part| Key::Uid(uid.as_str(), part)));
    whole.chain(uid_keys(clues))
}

impl<'a> Index<'a> {
    fn new(list: &'a [Clues]) -> Self {
        let mut index = HashMap::<_, Vec<_>>::new();
        for (at, clues) in list.iter().enumerate() {
            let starts = || clues.times.starts();
            let mut add = |key, start| index.entry(key).or_default().push((start, at));
            for key in uid_keys(clues) {
                add(key, starts().next().unwrap_or_default());
            }
            for (key, _) in &clues.ways {
                starts().for_each(|start| add(Key::Join(key), start));
                if clues.times.is_open() {
                    add(Key::OpenJoin(key), starts().next().unwrap_or_default());
                }
            }
            for start in starts() {
                clues.hosts.iter().for_each(|host| add(Key::Host(host), start));
                clues.title.iter().for_each(|title| add(Key::Title(title), start));
            }
        }
        for places in index.values_mut() {
            places.sort_unstable();
        }
        Self(index)
    }

    /// Names the places of the items that share a key with this one.
    fn ask(&self, clues: &Clues, mut found: impl FnMut(usize)) {
        let first = clues.times.starts().next().unwrap_or_default();
        for key in wanted_uid_keys(clues) {
            self.nearest(key, first, i64::MAX, &mut found);
        }
        for (key, _) in &clues.ways {
            // Any time: a long meeting may have begun long before.
            self.nearest(Key::Join(key), first, i64::MAX, &mut found);
            self.nearest(Key::OpenJoin(key), first, i64::MAX, &mut found);
        }
        let tolerance = START_TOLERANCE.num_seconds();
        for start in clues.times.starts() {
            for host in &clues.hosts {
                self.nearest(Key::Host(host), start, tolerance, &mut found);
            }
            if let Some(title) = &clues.title {
                self.nearest(Key::Title(title), start, tolerance, &mut found);
            }
        }
    }

    /// Names those with a key that are nearest to a start, within a tolerance.
    fn nearest(&self, key: Key<'_>, start: i64, tolerance: i64, found: &mut impl FnMut(usize)) {
        let Some(places) = self.0.get(&key) else { return };
        let middle = places.partition_point(|(other, _)| *other < start);
        let (mut before, mut after) =
            (places[..middle].iter().rev().peekable(), places[middle..].iter().peekable());
        for _ in 0..MOST_CANDIDATES {
            let apart = |place: Option<&&(i64, usize)>| {
                place.map_or(i64::MAX, |(other, _)| other.abs_diff(start).try_into().unwrap_or(i64::MAX))
            };
            let (earlier, later) = (apart(before.peek()), apart(after.peek()));
            let next = if earlier < later { before.next() } else { after.next() };
            match next {
                Some((_, at)) if earlier.min(later) <= tolerance => found(*at),
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone, Utc};

    use super::*;
    use crate::model::{MeetingKind, PersonRef, Recurrence, Series, ZonedTime};

    fn at(minutes: i64) -> EventTime {
        let start = Utc.with_ymd_and_hms(2026, 3, 2, 8, 0, 0).unwrap() + TimeDelta::minutes(minutes);
        EventTime::At(ZonedTime::in_iana(start, chrono_tz::UTC))
    }

    /// An event that has every clue in common with all others.
    fn event(minutes: i64) -> Event {
        let mut event = Event::new("e", "c", at(minutes));
        event.ical_uid = Some("1".into());
        event.title = Some("Busy".into());
        event.organizer = Some(PersonRef::email("ada@example.com"));
        event.location = Some("https://zoom.us/my/ada.lovelace".into());
        event
    }

    fn clues(count: i64, minutes: i64) -> Vec<Clues> {
        (0..count).map(|number| Clues::from(&event(number * minutes))).collect()
    }

    #[test]
    fn items_that_all_share_their_clues_are_not_compared_all_with_all() {
        // A UID, a way in (twice: known times and others), a host and a title; each list asks.
        let most = 2 * MOST_CANDIDATES * 8;
        for minutes in [0, 30] {
            let compared = candidates(&clues(1000, minutes), &clues(1000, minutes)).len();
            assert!(compared <= 1000 * most && compared < 1000 * 1000 / 4, "{compared}");
        }
        // Every one of them finds its own, whatever stands before it.
        let pairs = link(&clues(1000, 30), &clues(1000, 30));
        assert!((0..1000).all(|at| pairs.iter().any(|pair| (pair.left, pair.right) == (at, at))));
    }

    #[test]
    fn a_series_finds_more_occurrences_than_it_asks_for() {
        let mut master = event(0);
        master.recurrence = Recurrence { rrule: vec!["FREQ=DAILY".into()], ..Recurrence::default() };
        let occurrences: Vec<Event> = (0..1000)
            .map(|day| {
                let mut occurrence = event(day * 24 * 60);
                occurrence.series = Some(Series { id: "m".into(), original_start: at(day * 24 * 60) });
                occurrence
            })
            .collect();
        assert_eq!(link_events([&master], &occurrences).len(), 1000);
        assert_eq!(link_events(&occurrences, [&master]).len(), 1000);

        let mut meeting = Meeting::new("91234567890", MeetingKind::Recurring);
        meeting.join_url = Some("https://zoom.us/j/91234567890".into());
        let mut held = occurrences;
        for event in &mut held {
            event.location = meeting.join_url.clone();
        }
        assert_eq!(link_meetings(&held, [&meeting]).len(), 1000);
    }
}
