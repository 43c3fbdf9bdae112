//! What does the user see in the coming week?

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use integrations_core::Result;
use integrations_core::calendar::{Limits, Occurrence, Window, agenda};
use integrations_core::model::{Event, EventTime};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;

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
    pub(crate) calendar: String,
    pub(crate) place: String,
}

/// Reads what may fall into the week (single events in it, all series, all their exceptions) and lays it
/// out.
pub(crate) async fn coming_week(
    store: &SqliteStore,
    user: &str,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<Week> {
    let today = now.with_timezone(&zone).date_naive();
    let midnight = |days: u64| {
        let day = today.checked_add_days(Days::new(days)).unwrap_or(today);
        EventTime::day(day).in_zone(zone).to_utc()
    };
    let window = Window { from: midnight(0), to: midnight(7), zone };
    let all = || RecordQuery::new().owner(user);
    let mut events: BTreeMap<(String, String), Event> = BTreeMap::new();
    for query in [all().overlapping(window.from, window.to), all().recurring(true), all().exceptions(true)] {
        for record in store.records(&query).await? {
            if let Some(event) = record.entity.as_event() {
                events.insert((event.calendar_id.to_string(), event.id.clone()), event.clone());
            }
        }
    }
    let agenda = agenda(events.values(), &window, &Limits::default());
    let mut entries: Vec<Entry> = agenda.occurrences.iter().map(|one| entry(one, today, zone)).collect();
    entries.sort_by_key(|entry| (entry.day, entry.start));
    Ok(Week { zone, entries, failures: agenda.failures.len() })
}

fn entry(occurrence: &Occurrence<'_>, today: NaiveDate, zone: Tz) -> Entry {
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
        calendar: event.calendar_id.to_string(),
        place: event.location.clone().unwrap_or_default(),
    }
}
