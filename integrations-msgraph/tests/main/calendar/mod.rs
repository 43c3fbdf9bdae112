//! Outlook's calendar on the fake Graph: what the sink holds is what Graph shows.

mod bad_input;
mod chaos;
mod days;
mod lists;
mod mapping;
mod patterns;
mod removed;
mod series;
mod wider;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::auth::Vault;
use integrations_core::calendar::{Limits, Window, agenda};
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::Request;
use integrations_core::memory::MemoryStore;
use integrations_core::model::{Event, EventTime, Record};
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::{Position, StreamKey, StreamReport, SyncReport, SyncRequest, SyncSink};
use integrations_core::{Connection, Gateway};
use integrations_msgraph::{GraphConfig, GraphConfigBuilder, OutlookCalendar};
use integrations_testkit::msgraph::{CalendarSpec, FakeGraph, FakeGraphBuilder};
use serde_json::{Value, json};
use url::Url;

pub(crate) const NAME: &str = "Calendar";

/// A gateway on the fake, in memory, on a manual clock. It gives up at the first failure, and knows of no quota.
pub(crate) struct Host {
    pub(crate) clock: ManualClock,
    pub(crate) fake: FakeGraph,
    pub(crate) store: MemoryStore,
    pub(crate) gateway: Gateway,
    pub(crate) connection: Connection,
    /// The id of the account's calendar.
    pub(crate) calendar: String,
}

/// One line of an agenda: when it starts and ends, and what it is called.
pub(crate) type Line = (String, String, String);

impl Host {
    /// A host whose account has one empty calendar.
    pub(crate) async fn new() -> Self {
        Self::with(|fake| fake, |config| config).await
    }

    pub(crate) async fn with(
        fake: impl FnOnce(FakeGraphBuilder) -> FakeGraphBuilder,
        config: impl FnOnce(GraphConfigBuilder) -> GraphConfigBuilder,
    ) -> Self {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let builder = FakeGraph::builder()
            .clock(Arc::new(clock.clone()))
            .calendar(CalendarSpec::new(NAME).time_zone("W. Europe Standard Time").default_calendar());
        let fake = fake(builder).start().await;
        let base = GraphConfig::builder()
            .client(fake.client_id(), fake.client_secret().unwrap_or_default())
            .base_url(fake.url());
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let gateway = Gateway::builder()
            .adapter(OutlookCalendar::new(config(base).build().unwrap()).unwrap())
            .store(store.clone())
            .vault(Vault::ephemeral().unwrap())
            .clock(Arc::new(clock.clone()))
            .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
            .rate_limiter(Arc::new(Unlimited))
            .build()
            .unwrap();
        let connect = gateway.connect("ada", "outlook_calendar").redirect_uri("http://127.0.0.1:9/callback");
        let begun = connect.begin().await.unwrap();
        let callback = fake.consent(begun.url.as_str()).await.unwrap();
        let connection = gateway.complete("ada", &callback).await.unwrap();
        let calendar = fake.calendar_id(NAME);
        Self { clock, fake, store, gateway, connection, calendar }
    }

    pub(crate) fn key(&self) -> StreamKey {
        StreamKey::new(&self.connection, &self.calendar.as_str().into())
    }

    pub(crate) async fn sync(&self) -> StreamReport {
        self.sync_with(SyncRequest::incremental()).await
    }

    pub(crate) async fn sync_with(&self, request: SyncRequest) -> StreamReport {
        let report = self.gateway.sync_with(&self.connection.id, request).await;
        let report = report.and_then(SyncReport::into_result).unwrap();
        let own = report.streams.into_iter().find(|(key, _)| key.stream.as_str() == self.calendar);
        own.unwrap().1.unwrap()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.store.records(&self.key())
    }

    pub(crate) fn events(&self) -> BTreeMap<String, Event> {
        let events = self.records().into_iter();
        events.map(|record| (record.id().to_owned(), record.entity.as_event().unwrap().clone())).collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.events().into_keys().collect()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn insert(&self, event: Value) -> String {
        self.fake.insert_event(NAME, event)
    }

    /// Something happens, a moment after what happened before.
    pub(crate) fn then<T>(&self, happens: impl FnOnce() -> T) -> T {
        self.clock.advance(std::time::Duration::from_secs(1));
        happens()
    }

    /// The position of the calendar's stream, and the stretch of time that it follows.
    pub(crate) async fn followed(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let position = self.store.load(&self.key()).await.unwrap().position;
        let Position::Tracking { since, page: None, .. } = position else {
            panic!("not tracking: {position:?}")
        };
        let place: Value = serde_json::from_str(since.as_str()).unwrap();
        let at = |name: &str| place[name].as_str().unwrap().parse().unwrap();
        (at("from"), at("to"))
    }

    /// What the core makes of the records: what starts from then on, and before then.
    pub(crate) fn ours(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Line> {
        let events = self.events();
        let day = TimeDelta::days(3);
        let window = Window { from: from - day, to: to + day, zone: chrono_tz::UTC };
        let agenda = agenda(events.values(), &window, &Limits::default());
        assert!(agenda.failures.is_empty(), "{:?}", agenda.failures);
        assert!(!agenda.truncated);
        let text = |time: &EventTime| match time {
            EventTime::At(time) => time.at.to_utc().format("%Y-%m-%dT%H:%M:%S").to_string(),
            EventTime::Day { date } => date.to_string(),
        };
        let mut lines: Vec<Line> = Vec::new();
        for one in &agenda.occurrences {
            let start = one.start.earliest_utc();
            if start >= from && start < to {
                let title = one.event.title.clone().unwrap_or_default();
                lines.push((text(&one.start), one.end.as_ref().map(text).unwrap_or_default(), title));
            }
        }
        lines.sort();
        lines
    }

    /// What Graph shows itself, over HTTP: what starts from then on, and before then, and is not cancelled.
    pub(crate) async fn theirs(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Line> {
        let day = TimeDelta::days(3);
        let bound = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut next = Some(format!(
            "{}/v1.0/me/calendars/{}/calendarView?startDateTime={}&endDateTime={}&$top=1000",
            self.fake.url(),
            self.calendar,
            bound(from - day),
            bound(to + day)
        ));
        let client = self.gateway.session(&self.connection.id).await.unwrap();
        let mut lines = Vec::new();
        while let Some(url) = next.take() {
            let answer = client.send(Request::get("truth", Url::parse(&url).unwrap())).await.unwrap();
            let page: Value = serde_json::from_slice(&answer.body).unwrap();
            for item in page["value"].as_array().unwrap() {
                let text = |name: &str| {
                    let time = item[name]["dateTime"].as_str().unwrap();
                    time[..if item["isAllDay"] == true { 10 } else { 19 }].to_owned()
                };
                let start: chrono::NaiveDateTime =
                    item["start"]["dateTime"].as_str().unwrap().parse().unwrap();
                if item["isCancelled"] != true && start.and_utc() >= from && start.and_utc() < to {
                    lines.push((text("start"), text("end"), item["subject"].as_str().unwrap().to_owned()));
                }
            }
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        lines.sort();
        lines
    }

    /// Asserts that both say the same of the whole stretch that is followed.
    pub(crate) async fn assert_same(&self, what: &str) {
        let (from, to) = self.followed().await;
        let day = TimeDelta::days(2);
        self.assert_same_between(from + day, to - day, what).await;
    }

    pub(crate) async fn assert_same_between(&self, from: DateTime<Utc>, to: DateTime<Utc>, what: &str) {
        let (ours, theirs) = (self.ours(from, to), self.theirs(from, to).await);
        let missing: Vec<_> = theirs.iter().filter(|line| !ours.contains(line)).take(5).collect();
        let surplus: Vec<_> = ours.iter().filter(|line| !theirs.contains(line)).take(5).collect();
        assert!(missing.is_empty() && surplus.is_empty(), "{what}: missing {missing:?}, surplus {surplus:?}");
        assert_eq!(ours, theirs, "{what}");
    }
}

/// A time in a zone, as one writes it.
pub(crate) fn at(time: &str, zone: &str) -> Value {
    json!({"dateTime": time, "timeZone": zone})
}

/// An event in Berlin's time.
pub(crate) fn event(title: &str, start: &str, end: &str) -> Value {
    json!({"subject": title, "start": at(start, "Europe/Berlin"), "end": at(end, "Europe/Berlin")})
}

/// A series of a quarter of an hour in Berlin's time.
pub(crate) fn weekly(title: &str, day: &str, weekday: &str) -> Value {
    let mut series = event(title, &format!("{day}T09:00:00"), &format!("{day}T09:15:00"));
    series["recurrence"] = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [weekday]},
        "range": {"type": "noEnd", "startDate": day},
    });
    series
}

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}
