//! What does an item say of which real meeting it is?

use super::join::JoinKey;
use super::text::MOST_KEYS;
use super::times::{Span, Times};
use super::uid::Uid;
use crate::model::{Event, EventStatus, EventTime, Meeting, MeetingKind, MeetingStatus, PersonRef};

/// Addresses that stand where an organiser's does, and are nobody's.
const NOBODY: &[&str] = &[
    // A calendar that Google has given an address, a room, and an invitation from nowhere.
    "@group.calendar.google.com",
    "@import.calendar.google.com",
    "@resource.calendar.google.com",
    "unknownorganizer@calendar.google.com",
];

/// What programs put before a title.
const PREFIXES: &[&str] = &["fw:", "fwd:", "re:", "canceled:", "cancelled:", "declined:", "updated:"];

/// How many characters of a title are compared.
const TITLE: usize = 256;

/// How many people who invite are kept; there is usually one.
const MOST_HOSTS: usize = 8;

/// What an [`Event`] or a [`Meeting`] says of which real meeting it is; compared by
/// [`compare`](Self::compare), and in lists by [`link`](super::link).
#[derive(Debug, Clone)]
pub struct Clues {
    pub(super) uid: Option<Uid>,
    pub(super) part: Part,
    pub(super) times: Times,
    /// The ways in, those that lead to one meeting before rooms; whether each is stated, or found in a text.
    pub(super) ways: Vec<(JoinKey, bool)>,
    /// Whether it is a room that is always there.
    pub(super) room: bool,
    /// Whether it tells what was held, which has no regard for plans.
    pub(super) held: bool,
    pub(super) cancelled: bool,
    /// The addresses of those who invite, sorted.
    pub(super) hosts: Vec<String>,
    /// The addresses of everybody who is named, sorted.
    pub(super) people: Vec<String>,
    pub(super) title: Option<String>,
}

/// Which part of a series it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Series,
    /// The occurrence that would have started then.
    Occurrence(EventTime),
    /// None, as far as it says.
    Single,
}

impl From<&Event> for Clues {
    /// The clues of a single event, a master or an exception.
    fn from(event: &Event) -> Self {
        let span = Span::new(&event.start, event.end.as_ref());
        let original = event.series.as_ref().map(|series| &series.original_start);
        let (part, times) = match original {
            Some(start) => (Part::Occurrence(start.clone()), Times::once(Some(span), Some(start))),
            None if event.is_series() => (Part::Series, Times::repeating(Some(&event.start), [span], false)),
            None => (Part::Single, Times::once(Some(span), None)),
        };
        Self::of_event(event, part, times)
    }
}

impl From<&Meeting> for Clues {
    fn from(meeting: &Meeting) -> Self {
        let held = matches!(meeting.status, MeetingStatus::Started | MeetingStatus::Ended);
        let listed = meeting.occurrences.iter().map(|one| Span::new(&one.start, one.end.as_ref()));
        let span = meeting.start.as_ref().map(|start| Span::new(start, meeting.end.as_ref()));
        let repeats = !meeting.recurrence.is_empty()
            || !meeting.occurrences.is_empty()
            || (meeting.kind == MeetingKind::Recurring && !held);
        let times = if repeats {
            let first = meeting.start.as_ref().or(meeting.occurrences.first().map(|one| &one.start));
            Times::repeating(first, listed.chain(span), !meeting.occurrences.is_empty())
        } else {
            Times::once(span, None)
        };
        let mut ways = Ways::default();
        if let Some(url) = &meeting.join_url {
            ways.state(JoinKey::of_place(url));
        }
        if let (true, Some(code)) = (ways.0.is_empty(), &meeting.code) {
            ways.state(JoinKey::of_code(code));
        }
        let hosts = addresses(meeting.host.iter());
        let people = meeting.participants.iter().map(|participant| &participant.person);
        Self {
            uid: meeting.ical_uid.as_deref().and_then(Uid::new),
            part: if repeats { Part::Series } else { Part::Single },
            times,
            ways: ways.sorted(),
            room: meeting.kind == MeetingKind::Personal,
            held,
            cancelled: meeting.status == MeetingStatus::Cancelled,
            people: addresses(meeting.host.iter().chain(people)),
            hosts,
            title: meeting.title.as_deref().and_then(title),
        }
    }
}

impl Clues {
    /// The clues of one occurrence of a series, as `calendar::agenda` spells it out.
    pub fn of_occurrence(
        master: &Event,
        original_start: &EventTime,
        start: &EventTime,
        end: Option<&EventTime>,
    ) -> Self {
        let times = Times::once(Some(Span::new(start, end)), Some(original_start));
        Self::of_event(master, Part::Occurrence(original_start.clone()), times)
    }

    fn of_event(event: &Event, part: Part, times: Times) -> Self {
        let mut ways = Ways::default();
        if let Some(conference) = &event.conference {
            let videos = conference.entries.iter().filter(|entry| entry.kind == "video");
            videos.for_each(|entry| ways.state(JoinKey::of_place(&entry.uri)));
            ways.find(conference.notes.as_deref());
        }
        if let Some(place) = &event.location {
            ways.state(JoinKey::of_place(place));
            for key in JoinKey::find_in(place) {
                ways.state(Some(key));
            }
        }
        ways.find(event.description.as_deref());
        let invited = event.attendees.iter().filter(|attendee| !attendee.resource);
        let inviting = invited.clone().filter(|attendee| attendee.organizer);
        let invited = invited.map(|attendee| &attendee.person);
        let hosts = event.organizer.iter().chain(inviting.map(|attendee| &attendee.person));
        Self {
            uid: event.ical_uid.as_deref().and_then(Uid::new),
            part,
            times,
            ways: ways.sorted(),
            room: false,
            held: false,
            cancelled: event.status == EventStatus::Cancelled,
            hosts: addresses(hosts.take(MOST_HOSTS)),
            people: addresses(event.organizer.iter().chain(&event.creator).chain(invited)),
            title: event.title.as_deref().and_then(title),
        }
    }
}

/// The ways in, as they are gathered.
#[derive(Default)]
struct Ways(Vec<(JoinKey, bool)>);

impl Ways {
    fn state(&mut self, key: Option<JoinKey>) {
        self.add(key, true);
    }

    fn find(&mut self, text: Option<&str>) {
        text.map(JoinKey::find_in).into_iter().flatten().for_each(|key| self.add(Some(key), false));
    }

    fn add(&mut self, key: Option<JoinKey>, stated: bool) {
        if let Some(key) = key.filter(|key| self.0.iter().all(|(known, _)| known != key))
            && self.0.len() < MOST_KEYS
        {
            self.0.push((key, stated));
        }
    }

    fn sorted(mut self) -> Vec<(JoinKey, bool)> {
        self.0.sort();
        self.0
    }
}

fn addresses<'a>(people: impl Iterator<Item = &'a PersonRef>) -> Vec<String> {
    let addresses = people.filter_map(PersonRef::address).map(std::borrow::Cow::into_owned);
    let mut addresses: Vec<String> = addresses
        .filter(|address| !address.is_empty() && !NOBODY.iter().any(|nobody| address.ends_with(nobody)))
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// A title without what programs add, in lower case, its spaces alike.
fn title(text: &str) -> Option<String> {
    let text = text.chars().take(TITLE).collect::<String>().to_lowercase();
    let mut text = text.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest.trim_start();
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}
