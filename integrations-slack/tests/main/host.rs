//! A host for the tests: a gateway on the fake, in memory, on a manual clock.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::memory::MemoryStore;
use integrations_core::model::{Message, Record};
use integrations_core::normalize::Quarantined;
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::{StreamKey, StreamReport, SyncReport, SyncRequest, SyncSink};
use integrations_core::{Connection, Error, Gateway, GatewayBuilder};
use integrations_slack::{Slack, SlackConfig, SlackConfigBuilder};
use integrations_testkit::slack::{ChannelSpec, FakeSlack, FakeSlackBuilder};
use serde_json::Value;

pub(crate) const GENERAL: &str = "C0GENERAL";
pub(crate) const REDIRECT: &str = "https://app.example/callback";
pub(crate) const HISTORY: &str = "conversations.history";
pub(crate) const REPLIES: &str = "conversations.replies";
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) struct Host {
    pub(crate) clock: ManualClock,
    pub(crate) fake: FakeSlack,
    pub(crate) store: MemoryStore,
    pub(crate) gateway: Gateway,
}

impl Host {
    /// A host whose fake has one channel without messages, and gives pages of at most five. It gives up at the
    /// first failure, and knows of no quota: nothing waits on the clock.
    pub(crate) async fn new() -> Self {
        Self::with(|fake| fake.channel(general()), |config| config, |gateway| gateway).await
    }

    pub(crate) async fn with(
        fake: impl FnOnce(FakeSlackBuilder) -> FakeSlackBuilder,
        config: impl FnOnce(SlackConfigBuilder) -> SlackConfigBuilder,
        gateway: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let builder = FakeSlack::builder().clock(Arc::new(clock.clone())).user_id("U0ADA").page_cap(5);
        let fake = fake(builder).start().await;
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let client =
            SlackConfig::builder().client(fake.client_id(), fake.client_secret()).base_url(fake.url());
        let builder = Gateway::builder()
            .adapter(Slack::new(config(client).build().unwrap()).unwrap())
            .store(store.clone())
            .vault(Vault::ephemeral().unwrap())
            .clock(Arc::new(clock.clone()))
            .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
            .rate_limiter(Arc::new(Unlimited));
        let gateway = gateway(builder).build().unwrap();
        Self { clock, fake, store, gateway }
    }

    /// Connects the user's own account.
    pub(crate) async fn connect(&self) -> Connection {
        self.connect_with(&[]).await
    }

    /// Connects with these scopes, or those that reading needs.
    pub(crate) async fn connect_with(&self, scopes: &[&str]) -> Connection {
        let connect = self.gateway.connect("ada", "slack").redirect_uri(REDIRECT);
        let connect = if scopes.is_empty() { connect } else { connect.scopes(scopes.iter().copied()) };
        let begun = connect.begin().await.unwrap();
        let callback = self.fake.consent(begun.url.as_str()).await.unwrap();
        self.gateway.complete("ada", &callback).await.unwrap()
    }

    /// Brings everything up to date, and forgets what was counted before.
    pub(crate) async fn sync(&self, connection: &Connection) -> SyncReport {
        self.fake.reset_counters();
        self.gateway.sync(&connection.id).await.unwrap().into_result().unwrap()
    }

    /// Brings the one channel up to date, and forgets what was counted before.
    pub(crate) async fn sync_general(&self, connection: &Connection) -> StreamReport {
        self.try_general(connection, SyncRequest::incremental()).await.unwrap()
    }

    pub(crate) async fn try_general(
        &self,
        connection: &Connection,
        request: SyncRequest,
    ) -> Result<StreamReport, Error> {
        self.fake.reset_counters();
        self.gateway.sync_stream(&connection.id, &GENERAL.into(), request).await
    }

    /// A connection whose channel is up to date.
    pub(crate) async fn settled(&self) -> Connection {
        let connection = self.connect().await;
        self.sync_general(&connection).await;
        self.assert_same(&connection, GENERAL);
        connection
    }

    pub(crate) fn records(&self, connection: &Connection, stream: &str) -> Vec<Record> {
        self.store.records(&StreamKey::new(connection, &stream.into()))
    }

    pub(crate) fn quarantined(&self, connection: &Connection, stream: &str) -> Vec<Quarantined> {
        self.store.quarantined(&StreamKey::new(connection, &stream.into()))
    }

    pub(crate) fn message(&self, connection: &Connection, ts: &str) -> Message {
        let records = self.records(connection, GENERAL);
        let record = records.iter().find(|record| record.id() == ts);
        record.unwrap_or_else(|| panic!("no message {ts}")).entity.as_message().unwrap().clone()
    }

    pub(crate) async fn position(&self, connection: &Connection) -> integrations_core::sync::Position {
        self.store.load(&StreamKey::new(connection, &GENERAL.into())).await.unwrap().position
    }

    /// Every message that the channel has, replies included.
    pub(crate) fn all(&self, channel: &str) -> BTreeSet<String> {
        let history = self.fake.history(channel);
        let replies = history.iter().flat_map(|ts| self.fake.thread(channel, ts));
        replies.collect::<Vec<_>>().into_iter().chain(history).collect()
    }

    /// Asserts that the sink holds exactly the channel's messages, as they are.
    pub(crate) fn assert_same(&self, connection: &Connection, channel: &str) {
        let records = self.records(connection, channel);
        let ours: BTreeSet<_> = records.iter().map(|record| record.id().to_owned()).collect();
        assert_eq!(ours, self.all(channel), "{channel}");
        for record in records {
            let theirs = self.fake.message(channel, record.id()).unwrap();
            let ours: Value = serde_json::from_slice(record.raw.as_bytes()).unwrap();
            assert_eq!(ours, theirs, "{channel} {}", record.id());
        }
    }

    /// How many calls of history and of threads there were since the counters were reset.
    pub(crate) fn calls(&self) -> (u64, u64) {
        (self.fake.count(HISTORY), self.fake.count(REPLIES))
    }
}

pub(crate) fn general() -> ChannelSpec {
    ChannelSpec::public("general").id(GENERAL).general().topic("Everything").purpose("For all")
}

/// What became of one stream.
pub(crate) fn of<'a>(report: &'a SyncReport, stream: &str) -> &'a StreamReport {
    let found = report.streams.iter().find(|(key, _)| key.stream == stream);
    found.unwrap_or_else(|| panic!("no stream {stream}")).1.as_ref().unwrap()
}
