//! Google, or a fake that stands in for it and lives through a small story.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::{Connection, Result, ServiceAdapter};
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_stores::SqliteStore;
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use serde_json::json;

const ADA: &str = "ada@example.com";
const TEAM: &str = "team@group.calendar.google.com";
const TOKYO: &str = "tokyo@group.calendar.google.com";
/// The key under which the store remembers how many chapters of the story have been told.
const CHAPTERS: &str = "quickstart:chapters";
const YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Where the calendars are.
pub(crate) enum Provider {
    Google,
    Fake { fake: Box<FakeGoogle>, clock: StoryClock },
}

/// A clock that begins on Monday, 2 March 2026, at 07:30 UTC, and goes on from there.
#[derive(Debug, Clone)]
pub(crate) struct StoryClock {
    machine: SystemClock,
    begins: Duration,
}

impl StoryClock {
    const MONDAY: i64 = 1_772_436_600;

    fn new() -> Self {
        let machine = SystemClock::new();
        Self { begins: machine.monotonic(), machine }
    }
}

#[async_trait]
impl Clock for StoryClock {
    fn now(&self) -> DateTime<Utc> {
        let gone = self.machine.monotonic().saturating_sub(self.begins);
        DateTime::UNIX_EPOCH
            + TimeDelta::seconds(Self::MONDAY)
            + TimeDelta::from_std(gone).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        self.machine.sleep(duration).await;
    }
}

/// What happened at the provider between two syncs.
pub(crate) struct Told {
    pub(crate) edited: String,
    pub(crate) added: String,
    pub(crate) deleted: String,
}

impl Provider {
    pub(crate) fn google() -> Result<Self> {
        GoogleConfig::from_env().map(|_| Self::Google)
    }

    /// A fake in a world of its own, where every run begins on Monday, 2 March 2026, and sees the same.
    pub(crate) async fn fake() -> Self {
        let clock = StoryClock::new();
        let calendar = |id: &str, name: &str, zone: &str| CalendarSpec::new(id).summary(name).time_zone(zone);
        let fake = FakeGoogle::builder()
            .clock(Arc::new(clock.clone()))
            .user(ADA)
            .calendar(calendar(ADA, "Ada", "Europe/Berlin").primary().access_role("owner").generated(10))
            .calendar(calendar(TEAM, "Team", "America/New_York").access_role("writer").generated(40))
            .calendar(calendar(TOKYO, "Tokyo office", "Asia/Tokyo").access_role("reader").generated(25))
            .start()
            .await;
        first_chapter(&fake);
        Self::Fake { fake: Box::new(fake), clock }
    }

    pub(crate) fn is_fake(&self) -> bool {
        matches!(self, Self::Fake { .. })
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Google => "https://www.googleapis.com",
            Self::Fake { fake, .. } => fake.url(),
        }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::Google => SystemClock::shared(),
            Self::Fake { clock, .. } => Arc::new(clock.clone()),
        }
    }

    pub(crate) fn adapter(&self) -> Result<Arc<dyn ServiceAdapter>> {
        let config = match self {
            Self::Google => GoogleConfig::from_env()?,
            Self::Fake { fake, .. } => GoogleConfig::builder()
                .client(fake.client_id(), fake.client_secret())
                .base_url(fake.url())
                .build()?,
        };
        Ok(GoogleCalendar::new(config))
    }

    /// How many events the fake has sent so far.
    pub(crate) fn items_served(&self) -> u64 {
        match self {
            Self::Google => 0,
            Self::Fake { fake, .. } => fake.items_served(),
        }
    }

    /// Brings a fake that starts anew to where the story was when this database was last used.
    pub(crate) async fn take_up(&self, store: &SqliteStore) -> Result<()> {
        if let Self::Fake { fake, .. } = self {
            for chapter in 0..chapters(store).await? {
                tell(fake, chapter);
            }
        }
        Ok(())
    }

    /// Lets the fake's users edit, add and delete an event; does nothing at Google.
    pub(crate) async fn edit(&self, store: &SqliteStore, _: &Connection) -> Result<Option<Told>> {
        let Self::Fake { fake, .. } = self else { return Ok(None) };
        let chapter = chapters(store).await?;
        store.put(CHAPTERS, (chapter + 1).to_string().as_bytes(), YEARS).await?;
        Ok(Some(tell(fake, chapter)))
    }
}

async fn chapters(store: &SqliteStore) -> Result<u64> {
    let stored = KeyValueStore::get(store, CHAPTERS).await?;
    Ok(stored.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).unwrap_or(0))
}

/// What is in the calendars before anybody looks.
fn first_chapter(fake: &FakeGoogle) {
    let standup = fake.insert_event(
        ADA,
        json!({
            "id": "standup0", "summary": "Stand-up",
            "start": {"dateTime": "2026-02-02T09:30:00+01:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-02-02T09:45:00+01:00", "timeZone": "Europe/Berlin"},
            "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
        }),
    );
    fake.cancel_instance(ADA, &standup, "2026-03-04T08:30:00Z");
    fake.override_instance(
        ADA,
        &standup,
        "2026-03-06T08:30:00Z",
        json!({
            "summary": "Stand-up (late, in the garden)",
            "start": {"dateTime": "2026-03-06T11:00:00+01:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-03-06T11:15:00+01:00", "timeZone": "Europe/Berlin"},
        }),
    );
    fake.insert_event(
        ADA,
        json!({"id": "holiday0", "summary": "School holidays",
            "start": {"date": "2026-03-05"}, "end": {"date": "2026-03-07"}}),
    );
    fake.insert_event(
        TEAM,
        json!({
            "id": "review00", "summary": "Quarterly review", "location": "New York, room 4",
            "start": {"dateTime": "2026-03-03T10:00:00-05:00", "timeZone": "America/New_York"},
            "end": {"dateTime": "2026-03-03T11:30:00-05:00", "timeZone": "America/New_York"},
        }),
    );
    fake.insert_event(
        TOKYO,
        json!({
            "id": "handover", "summary": "Handover with Tokyo",
            "start": {"dateTime": "2026-03-05T17:00:00+09:00", "timeZone": "Asia/Tokyo"},
            "end": {"dateTime": "2026-03-05T17:45:00+09:00", "timeZone": "Asia/Tokyo"},
        }),
    );
    for day in 2..6 {
        fake.insert_event(
            ADA,
            json!({
                "id": format!("lunch{day:03}"), "summary": format!("Lunch no. {}", day - 1),
                "start": {"dateTime": format!("2026-03-{day:02}T12:30:00+01:00"), "timeZone": "Europe/Berlin"},
                "end": {"dateTime": format!("2026-03-{day:02}T13:15:00+01:00"), "timeZone": "Europe/Berlin"},
            }),
        );
    }
}

/// One edit, one new event and one deletion, the same for the same chapter.
fn tell(fake: &FakeGoogle, chapter: u64) -> Told {
    let rooms = ["the blue room", "the garden", "room 12", "the kitchen"];
    let room = rooms[usize::try_from(chapter).unwrap_or_default() % rooms.len()];
    fake.patch_event(TEAM, "review00", json!({"location": format!("New York, {room}")}));
    let (day, hour) = (3 + chapter % 4, 14 + chapter % 3);
    let tea = fake.insert_event(
        ADA,
        json!({
            "id": format!("tea{chapter:05}"), "summary": format!("Tea no. {}", chapter + 1),
            "start": {"dateTime": format!("2026-03-{day:02}T{hour}:00:00+01:00"), "timeZone": "Europe/Berlin"},
            "end": {"dateTime": format!("2026-03-{day:02}T{hour}:30:00+01:00"), "timeZone": "Europe/Berlin"},
        }),
    );
    let gone = match chapter {
        0..4 => format!("lunch{:03}", 2 + chapter),
        later => format!("tea{:05}", later - 1),
    };
    let title = |id: &str| {
        let event = fake.event(ADA, id);
        event.and_then(|event| Some(event["summary"].as_str()?.to_owned())).unwrap_or_default()
    };
    let (added, deleted) = (title(&tea), title(&gone));
    fake.delete_event(ADA, &gone);
    Told { edited: format!("Quarterly review, now in {room}"), added, deleted }
}
