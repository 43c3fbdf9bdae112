//! A host for the tests: a gateway on the fake, on a manual clock.

use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::memory::MemoryStore;
use integrations_core::model::{Meeting, Record};
use integrations_core::normalize::Quarantined;
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::{StreamKey, StreamReport, SyncReport, SyncRequest, SyncSink as _};
use integrations_core::{Connection, Error, Gateway, GatewayBuilder};
use integrations_testkit::zoom::{FakeZoom, FakeZoomBuilder};
use integrations_zoom::meetings::{MEETINGS, PAST_MEETINGS};
use integrations_zoom::{Zoom, ZoomConfig, ZoomConfigBuilder};
use serde_json::{Value, json};

pub(crate) const REDIRECT: &str = "https://app.example/callback";
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// What an app of a whole account is set up for.
pub(crate) const ADMIN: &[&str] = &[
    "user:read:user:admin",
    "user:read:list_users:admin",
    "meeting:read:list_meetings:admin",
    "meeting:read:meeting:admin",
    "meeting:read:past_meeting:admin",
    "meeting:read:list_past_instances:admin",
    "meeting:read:list_past_participants:admin",
    "cloud_recording:read:list_user_recordings:admin",
    "cloud_recording:read:list_recording_files:admin",
];

pub(crate) struct Host {
    pub(crate) clock: ManualClock,
    pub(crate) fake: FakeZoom,
    pub(crate) store: MemoryStore,
    pub(crate) gateway: Gateway,
}

impl Host {
    /// A host whose fake has one user without meetings, and gives pages of at most five. It gives up at the first
    /// failure, and knows of no quota: nothing waits on the clock.
    pub(crate) async fn new() -> Self {
        Self::on(|fake| fake).await
    }

    /// The same on a fake that is set up in another way.
    pub(crate) async fn on(fake: impl FnOnce(FakeZoomBuilder) -> FakeZoomBuilder) -> Self {
        Self::with(fake, |config| config, |gateway| gateway).await
    }

    pub(crate) async fn with(
        fake: impl FnOnce(FakeZoomBuilder) -> FakeZoomBuilder,
        config: impl FnOnce(ZoomConfigBuilder) -> ZoomConfigBuilder,
        gateway: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let fake = fake(FakeZoom::builder().clock(Arc::new(clock.clone())).page_cap(5)).start().await;
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let client =
            ZoomConfig::builder().client(fake.client_id(), fake.client_secret()).base_url(fake.url());
        let builder = Gateway::builder()
            .adapter(Zoom::new(config(client).build().unwrap()).unwrap())
            .store(store.clone())
            .vault(Vault::ephemeral().unwrap())
            .clock(Arc::new(clock.clone()))
            .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
            .rate_limiter(Arc::new(Unlimited));
        let gateway = gateway(builder).build().unwrap();
        Self { clock, fake, store, gateway }
    }

    /// Connects the first user's account.
    pub(crate) async fn connect(&self) -> Connection {
        let begun = self.gateway.connect("ada", "zoom").redirect_uri(REDIRECT).begin().await.unwrap();
        let callback = self.fake.consent(begun.url.as_str()).await.unwrap();
        self.gateway.complete("ada", &callback).await.unwrap()
    }

    /// Brings everything up to date, and forgets what was counted before.
    pub(crate) async fn sync(&self, connection: &Connection) -> SyncReport {
        self.fake.reset_counters();
        self.gateway.sync(&connection.id).await.unwrap().into_result().unwrap()
    }

    /// Brings one stream up to date, and forgets what was counted before.
    pub(crate) async fn sync_one(&self, connection: &Connection, stream: &str) -> StreamReport {
        self.try_one(connection, stream, SyncRequest::incremental()).await.unwrap()
    }

    pub(crate) async fn try_one(
        &self,
        connection: &Connection,
        stream: &str,
        request: SyncRequest,
    ) -> Result<StreamReport, Error> {
        self.fake.reset_counters();
        self.gateway.sync_stream(&connection.id, &stream.into(), request).await
    }

    pub(crate) fn records(&self, connection: &Connection, stream: &str) -> Vec<Record> {
        self.store.records(&StreamKey::new(connection, &stream.into()))
    }

    pub(crate) fn quarantined(&self, connection: &Connection, stream: &str) -> Vec<Quarantined> {
        self.store.quarantined(&StreamKey::new(connection, &stream.into()))
    }

    /// What is planned, by the number.
    pub(crate) fn planned(&self, connection: &Connection, id: u64) -> Option<Meeting> {
        self.meeting(connection, MEETINGS, &id.to_string())
    }

    /// What was held, by the session's id.
    pub(crate) fn held(&self, connection: &Connection, uuid: &str) -> Option<Meeting> {
        self.meeting(connection, PAST_MEETINGS, uuid)
    }

    pub(crate) fn meeting(&self, connection: &Connection, stream: &str, id: &str) -> Option<Meeting> {
        let records = self.records(connection, stream);
        let record = records.iter().find(|record| record.id() == id)?;
        record.entity.as_meeting().cloned()
    }

    pub(crate) async fn position_bytes(&self, connection: &Connection, stream: &str) -> usize {
        let state = self.store.load(&StreamKey::new(connection, &stream.into())).await.unwrap();
        serde_json::to_string(&state.position).unwrap().len()
    }

    /// A meeting that is held now, and over after so long; returns its number and the session's id.
    pub(crate) fn hold(&self, meeting: Value, lasts: Duration) -> (u64, String) {
        let id = self.fake.create_meeting(meeting);
        (id, self.hold_again(id, lasts))
    }

    pub(crate) fn hold_again(&self, id: u64, lasts: Duration) -> String {
        self.fake.start_meeting(id);
        self.fake.join_meeting(id, json!({"name": "Grace Hopper"}));
        self.clock.advance(lasts);
        self.fake.end_meeting(id)
    }
}
