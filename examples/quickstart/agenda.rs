//! What does the user see in the coming week?
//!
//! One real meeting may stand in several places: in a calendar and at Zoom, or in two calendars. It is shown once.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use integrations_core::Result;
use integrations_core::adapter::Stream;
use integrations_core::calendar::{Limits, Occurrence, Window, agenda};
use integrations_core::connection::{ConnectionId, ServiceId, StreamId};
use integrations_core::model::identity::{Clues, Confidence, JoinKey, link};
use integrations_core::model::{Event, EventTime, Meeting, MeetingStatus, RecordKind, Recurrence};
use integrations_core::sync::StreamKey;
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;

use super::todo::is_open;

/// Seven days from today on, in the user's zone.
pub(crate) struct Week {
    pub(crate) zone: Tz,
    pub(crate) entries: Vec<Entry>,
    /// How many series could not be expanded.
    pub(crate) failures: usize,
}

/// One line of the table.
pub(crate) struct Entry {
    pub(crate) day: NaiveDate,
    /// `None` for a whole day, and for what goes on from the day before.
    start: Option<NaiveTime>,
    pub(crate) time: String,
    pub(crate) title: String,
    /// The titles of the calendars, or of the list of tasks; empty for a meeting that is in no calendar.
    pub(crate) calendar: String,
    pub(crate) place: String,
    pub(crate) kind: Kind,
    /// Where it is from.
    pub(crate) services: Vec<ServiceId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    Meeting,
    Task,
}

impl Kind {
    /// In JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Meeting => "meeting",
            Self::Task => "task",
        }
    }
}

/// What the user calls their calendars, lists and projects.
#[derive(Default)]
pub(crate) struct Titles(HashMap<(ConnectionId, StreamId), String>);

impl Titles {
    pub(crate) fn add(&mut self, connection: &ConnectionId, streams: &[Stream]) {
        let titles =
            streams.iter().map(|stream| ((connection.clone(), stream.id.clone()), stream.title.clone()));
        self.0.extend(titles);
    }

    pub(crate) fn of(&self, connection: &ConnectionId, stream: &StreamId) -> String {
        let title = self.0.get(&(connection.clone(), stream.clone()));
        title.cloned().unwrap_or_else(|| stream.to_string())
    }

    /// The stream of a connection that has this title.
    pub(crate) fn stream(&self, connection: &ConnectionId, title: &str) -> Option<&StreamId> {
        let mut all = self.0.iter();
        all.find(|((known, _), name)| known == connection && *name == title).map(|((_, stream), _)| stream)
    }
}

/// Reads what may fall into the week (single events in it, all series, all their exceptions, the meetings, and
/// the tasks that are due) and lays it out.
pub(crate) async fn coming_week(
    store: &SqliteStore,
    user: &str,
    now: DateTime<Utc>,
    zone: Tz,
    titles: &Titles,
) -> Result<Week> {
    let today = now.with_timezone(&zone).date_naive();
    let end = today.checked_add_days(Days::new(7)).unwrap_or(today);
    let midnight = |day| EventTime::day(day).in_zone(zone).to_utc();
    let window = Window { from: midnight(today), to: midnight(end), zone };
    let all = |kind| RecordQuery::new().owner(user).kind(kind);
    let events = || all(RecordKind::Event);
    let mut found: BTreeMap<(String, String), (Event, StreamKey)> = BTreeMap::new();
    for query in
        [events().overlapping(window.from, window.to), events().recurring(true), events().exceptions(true)]
    {
        for record in store.records(&query).await? {
            if let Some(event) = record.entity.as_event() {
                found.insert(
                    (event.calendar_id.to_string(), event.id.clone()),
                    (event.clone(), record.stream),
                );
            }
        }
    }
    let agenda = agenda(found.values().map(|(event, _)| event), &window, &Limits::default());
    let meetings = meetings(store, user, &window).await?;
    let stream = |event: &Event| {
        found.get(&(event.calendar_id.to_string(), event.id.clone())).map(|(_, stream)| stream)
    };
    let mut entries: Vec<Entry> = Vec::new();
    for group in groups(&agenda.occurrences, &meetings) {
        let one = group.events.first().map(|&at| &agenda.occurrences[at]);
        let streams = group.events.iter().filter_map(|&at| stream(agenda.occurrences[at].event));
        let (mut calendars, mut services) = (Vec::new(), Vec::new());
        for stream in streams {
            calendars.push(titles.of(&stream.connection, &stream.stream));
            services.push(stream.service.clone());
        }
        let held = group.meeting.map(|at| &meetings[at]);
        services.extend(held.map(|(_, service)| service.clone()));
        let held = held.map(|(meeting, _)| meeting);
        entries.extend(entry(one, held, today, zone).map(|entry| Entry {
            calendar: calendars.join(", "),
            services,
            ..entry
        }));
    }
    for record in store.records(&all(RecordKind::Task)).await? {
        let Some(task) = record.entity.as_task().filter(|task| is_open(task)) else { continue };
        let day = task.due.as_ref().map(|due| due.date_in(zone)).filter(|day| (today..end).contains(day));
        if let Some(day) = day {
            let title = task.title.clone().unwrap_or_else(|| "(untitled)".to_owned());
            let calendar = titles.of(&record.stream.connection, &record.stream.stream);
            let (start, time, place) = (None, "due".to_owned(), String::new());
            let services = vec![record.stream.service];
            entries.push(Entry { day, start, time, title, calendar, place, kind: Kind::Task, services });
        }
    }
    let key = |entry: &Entry| (entry.day, entry.start, entry.calendar.clone(), entry.title.clone());
    entries.sort_by_cached_key(key);
    Ok(Week { zone, entries, failures: agenda.failures.len() })
}

/// The meetings of the week that are planned or held now; a series once for each of its times.
async fn meetings(store: &SqliteStore, user: &str, window: &Window) -> Result<Vec<(Meeting, ServiceId)>> {
    let all = || RecordQuery::new().owner(user).kind(RecordKind::Meeting);
    let mut found = BTreeMap::new();
    for query in [all().overlapping(window.from, window.to), all().recurring(true)] {
        for record in store.records(&query).await? {
            found.insert((record.stream.connection.to_string(), record.id().to_owned()), record);
        }
    }
    let mut times = Vec::new();
    for record in found.values() {
        let Some(meeting) = record.entity.as_meeting().filter(|meeting| is_to_come(&meeting.status)) else {
            continue;
        };
        let single = meeting.start.clone().filter(|_| meeting.occurrences.is_empty());
        let listed = meeting.occurrences.iter().filter(|one| is_to_come(&one.status));
        let listed = listed.map(|one| (one.start.clone(), one.end.clone()));
        for (start, end) in single.map(|start| (start, meeting.end.clone())).into_iter().chain(listed) {
            if !(window.from..window.to).contains(&start.earliest_utc()) {
                continue;
            }
            let mut one = meeting.clone();
            (one.start, one.end) = (Some(start), end);
            one.occurrences.clear();
            one.recurrence = Recurrence::default();
            times.push((one, record.stream.service.clone()));
        }
    }
    Ok(times)
}

fn is_to_come(status: &MeetingStatus) -> bool {
    matches!(status, MeetingStatus::Scheduled | MeetingStatus::Started)
}

/// What is one real meeting, by places in the lists.
struct Group {
    /// Each of another calendar.
    events: Vec<usize>,
    meeting: Option<usize>,
}

/// Puts together what is hard to explain otherwise than as one meeting.
fn groups(events: &[Occurrence<'_>], meetings: &[(Meeting, ServiceId)]) -> Vec<Group> {
    let clues: Vec<Clues> = events.iter().map(clues).collect();
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of: Vec<Option<usize>> = vec![None; events.len()];
    let calendar = |at: usize| events[at].event.calendar_id.as_str();
    let is_sure = |confidence: Confidence| confidence >= Confidence::Likely;
    let pairs = link(&clues, &clues);
    for at in 0..events.len() {
        let earlier = pairs.iter().filter(|pair| pair.right == at && pair.left < at);
        let earlier = earlier.filter(|pair| is_sure(pair.link.confidence));
        let mut known = earlier.filter_map(|pair| group_of[pair.left]);
        let known =
            known.find(|&group| groups[group].events.iter().all(|&other| calendar(other) != calendar(at)));
        let group = known.unwrap_or_else(|| {
            groups.push(Group { events: Vec::new(), meeting: None });
            groups.len() - 1
        });
        groups[group].events.push(at);
        group_of[at] = Some(group);
    }
    let meeting_clues: Vec<Clues> = meetings.iter().map(|(meeting, _)| Clues::from(meeting)).collect();
    let mut alone = vec![true; meetings.len()];
    for pair in link(&clues, &meeting_clues).iter().filter(|pair| is_sure(pair.link.confidence)) {
        if let Some(group) = group_of[pair.left] {
            groups[group].meeting.get_or_insert(pair.right);
            alone[pair.right] = false;
        }
    }
    let alone = alone.iter().enumerate().filter(|(_, alone)| **alone);
    groups.extend(alone.map(|(at, _)| Group { events: Vec::new(), meeting: Some(at) }));
    groups
}

fn clues(one: &Occurrence<'_>) -> Clues {
    match &one.original_start {
        Some(original) if one.event.series.is_none() => {
            Clues::of_occurrence(one.event, original, &one.start, one.end.as_ref())
        }
        _ => Clues::from(one.event),
    }
}

/// An event, a meeting, or both as one. The calendar says when it is and what it is called.
fn entry(
    event: Option<&Occurrence<'_>>,
    meeting: Option<&Meeting>,
    today: NaiveDate,
    zone: Tz,
) -> Option<Entry> {
    let (start, end) = match (event, meeting) {
        (Some(one), _) => (&one.start, one.end.as_ref()),
        (None, Some(meeting)) => (meeting.start.as_ref()?, meeting.end.as_ref()),
        (None, None) => return None,
    };
    let clock = |time: &EventTime| time.in_zone(zone).format("%H:%M").to_string();
    let first_day = start.date_in(zone);
    let all_day = start.is_all_day();
    let goes_on = first_day < today;
    let time = match end {
        _ if all_day => "all day".to_owned(),
        Some(end) if goes_on => format!("until {}", clock(end)),
        Some(end) => format!("{}–{}", clock(start), clock(end)),
        None => clock(start),
    };
    let title = event.map_or(meeting.and_then(|one| one.title.as_ref()), |one| one.event.title.as_ref());
    let way = event.and_then(|one| way_in(one.event));
    let way = way.or_else(|| meeting.and_then(|meeting| meeting.join_url.as_deref()));
    let place = event.and_then(|one| room(one.event)).or_else(|| way.map(|way| on_line(way).to_owned()));
    Some(Entry {
        day: first_day.max(today),
        start: (!all_day && !goes_on).then(|| start.in_zone(zone).time()),
        time,
        title: title.cloned().unwrap_or_else(|| "(untitled)".to_owned()),
        calendar: String::new(),
        place: place.unwrap_or_default(),
        kind: if event.is_some() { Kind::Event } else { Kind::Meeting },
        services: Vec::new(),
    })
}

/// Where people meet in person.
fn room(event: &Event) -> Option<String> {
    event.location.clone().filter(|place| !place.is_empty() && !is_address(place))
}

fn is_address(place: &str) -> bool {
    place.starts_with("https://") || place.starts_with("http://")
}

/// The address that people join at.
fn way_in(event: &Event) -> Option<&str> {
    let videos = event.conference.iter().flat_map(|conference| &conference.entries);
    let mut videos = videos.filter(|entry| entry.kind == "video").map(|entry| entry.uri.as_str());
    videos.next().or_else(|| event.location.as_deref().filter(|place| is_address(place)))
}

/// Whose address it is.
fn on_line(address: &str) -> &'static str {
    let key = JoinKey::of_url(address);
    match key.as_ref().and_then(|key| key.as_str().split(':').next()) {
        Some("zoom" | "zoomgov") => "Zoom",
        Some("meet") => "Google Meet",
        Some("teams") => "Teams",
        Some("webex") => "Webex",
        _ => "on line",
    }
}
