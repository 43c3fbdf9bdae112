//! A host for the tests: a gateway on the fake, in memory, on a manual clock.

use std::sync::{Arc, Mutex};

use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::memory::MemoryStore;
use integrations_core::model::{Event, Record};
use integrations_core::observe::{Notice, Observer};
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::StreamKey;
use integrations_core::{Connection, Gateway, GatewayBuilder, ServiceAdapter};
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_testkit::google::{CalendarSpec, FakeGoogle, FakeGoogleBuilder};

pub(crate) const CALENDAR: &str = "ada@example.com";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// Writes down what it hears.
#[derive(Debug, Default, Clone)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, start: &str) -> usize {
        self.all().iter().filter(|notice| notice.starts_with(start)).count()
    }
}

impl Observer for Heard {
    fn notice(&self, notice: &Notice<'_>) {
        self.0.lock().unwrap().push(format!("{notice:?}"));
    }
}

pub(crate) struct Host {
    pub(crate) clock: ManualClock,
    pub(crate) fake: FakeGoogle,
    pub(crate) store: MemoryStore,
    pub(crate) gateway: Gateway,
    pub(crate) heard: Heard,
}

impl Host {
    /// A host whose fake has one calendar without events, and gives pages of at most five. It gives up at
    /// the first failure, and knows of no quota: nothing waits on the clock.
    pub(crate) async fn new() -> Self {
        Self::with(|fake| fake.calendar(calendar()), |gateway| gateway).await
    }

    pub(crate) async fn with(
        fake: impl FnOnce(FakeGoogleBuilder) -> FakeGoogleBuilder,
        gateway: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        Self::on(GoogleCalendar::new, fake, gateway).await
    }

    /// The same with another of Google's services.
    pub(crate) async fn on(
        adapter: fn(GoogleConfig) -> Arc<dyn ServiceAdapter>,
        fake: impl FnOnce(FakeGoogleBuilder) -> FakeGoogleBuilder,
        gateway: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let builder = FakeGoogle::builder().clock(Arc::new(clock.clone())).page_cap(5);
        let fake = fake(builder).start().await;
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let heard = Heard::default();
        let builder = Gateway::builder()
            .adapter(adapter(config(&fake)))
            .store(store.clone())
            .vault(Vault::ephemeral().unwrap())
            .clock(Arc::new(clock.clone()))
            .observer(Arc::new(heard.clone()))
            .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
            .rate_limiter(Arc::new(Unlimited));
        let gateway = gateway(builder).build().unwrap();
        Self { clock, fake, store, gateway, heard }
    }

    /// Walks the flow, up to the address that the user comes back to.
    pub(crate) async fn callback(&self) -> String {
        let begun =
            self.gateway.connect("ada", "google_calendar").redirect_uri(REDIRECT).begin().await.unwrap();
        self.fake.consent(begun.url.as_str()).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> Connection {
        let callback = self.callback().await;
        self.gateway.complete("ada", &callback).await.unwrap()
    }

    pub(crate) fn key(connection: &Connection) -> StreamKey {
        StreamKey::new(connection, &CALENDAR.into())
    }

    pub(crate) fn records(&self, connection: &Connection) -> Vec<Record> {
        self.store.records(&Self::key(connection))
    }

    pub(crate) fn events(&self, connection: &Connection) -> Vec<Event> {
        self.records(connection).iter().map(|record| record.entity.as_event().unwrap().clone()).collect()
    }

    /// Asserts that the sink holds exactly the live events of the fake's calendar.
    pub(crate) fn assert_same(&self, connection: &Connection) {
        let ours: Vec<String> =
            self.records(connection).iter().map(|record| record.id().to_owned()).collect();
        let mut theirs = self.fake.event_ids(CALENDAR);
        theirs.sort();
        assert_eq!(ours, theirs);
        for record in self.records(connection) {
            let theirs = self.fake.event(CALENDAR, record.id()).unwrap();
            assert_eq!(record.source.version.as_deref(), theirs["etag"].as_str(), "{}", record.id());
        }
    }
}

pub(crate) fn calendar() -> CalendarSpec {
    CalendarSpec::new(CALENDAR).summary("Ada").time_zone("Europe/Berlin").primary().access_role("owner")
}

pub(crate) fn config(fake: &FakeGoogle) -> GoogleConfig {
    GoogleConfig::builder()
        .client(fake.client_id(), fake.client_secret())
        .base_url(fake.url())
        .build()
        .unwrap()
}
