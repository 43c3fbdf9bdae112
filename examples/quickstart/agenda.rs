//! What does the user see in the coming week?

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use integrations_core::Result;
use integrations_core::adapter::Stream;
use integrations_core::calendar::{Limits, Occurrence, Window, agenda};
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::model::{Event, EventTime, RecordKind};
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
    /// The title of the calendar, or of the list of tasks.
    pub(crate) calendar: String,
    pub(crate) place: String,
    pub(crate) is_task: bool,
}

/// What the user calls their calendars and lists.
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
}

/// Reads what may fall into the week (single events in it, all series, all their exceptions, and the tasks that
/// are due) and lays it out.
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
    let calendar = |event: &Event| {
        let key = found.get(&(event.calendar_id.to_string(), event.id.clone())).map(|(_, stream)| stream);
        key.map_or_else(String::new, |key| titles.of(&key.connection, &key.stream))
    };
    let occurrences = agenda.occurrences.iter();
    let mut entries: Vec<Entry> =
        occurrences.map(|one| entry(one, today, zone, calendar(one.event))).collect();
    for record in store.records(&all(RecordKind::Task)).await? {
        let Some(task) = record.entity.as_task().filter(|task| is_open(task)) else { continue };
        let day = task.due.as_ref().map(|due| due.date_in(zone)).filter(|day| (today..end).contains(day));
        if let Some(day) = day {
            let title = task.title.clone().unwrap_or_else(|| "(untitled)".to_owned());
            let calendar = titles.of(&record.stream.connection, &record.stream.stream);
            let (start, time, place) = (None, "due".to_owned(), String::new());
            entries.push(Entry { day, start, time, title, calendar, place, is_task: true });
        }
    }
    entries.sort_by_key(|entry| (entry.day, entry.start));
    Ok(Week { zone, entries, failures: agenda.failures.len() })
}

fn entry(occurrence: &Occurrence<'_>, today: NaiveDate, zone: Tz, calendar: String) -> Entry {
    let event = occurrence.event;
    let clock = |time: &EventTime| time.in_zone(zone).format("%H:%M").to_string();
    let first_day = occurrence.start.date_in(zone);
    let all_day = occurrence.start.is_all_day();
    let goes_on = first_day < today;
    let time = match &occurrence.end {
        _ if all_day => "all day".to_owned(),
        Some(end) if goes_on => format!("until {}", clock(end)),
        Some(end) => format!("{}–{}", clock(&occurrence.start), clock(end)),
        None => clock(&occurrence.start),
    };
    Entry {
        day: first_day.max(today),
        start: (!all_day && !goes_on).then(|| occurrence.start.in_zone(zone).time()),
        time,
        title: event.title.clone().unwrap_or_else(|| "(untitled)".to_owned()),
        calendar,
        place: event.location.clone().unwrap_or_default(),
        is_task: false,
    }
}
