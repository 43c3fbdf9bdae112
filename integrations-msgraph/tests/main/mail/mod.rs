//! Outlook mail, driven over real HTTP against the fake, and over payloads.

mod attachments;
mod batches;
mod chaos;
mod folders;
mod limits;
mod mapping;
mod odd;
mod rounds;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::auth::Vault;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::memory::MemoryStore;
use integrations_core::model::{Channel, Message, Record};
use integrations_core::resilience::{BulkheadLimits, ExponentialRetry, Unlimited};
use integrations_core::sync::{StreamKey, StreamReport, SyncReport, SyncRequest};
use integrations_core::{Connection, Error, Gateway, GatewayBuilder, Result};
use integrations_msgraph::mail::FOLDERS;
use integrations_msgraph::{GraphConfigBuilder, OutlookMail};
use integrations_testkit::msgraph::{FakeGraph, FakeGraphBuilder};

pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// A clock of which short waits take no time: it goes forward by them. The end of a call never comes.
#[derive(Debug, Clone)]
struct Impatient(ManualClock, Waits);

/// How long was waited, each time.
type Waits = Arc<Mutex<Vec<Duration>>>;

#[async_trait]
impl Clock for Impatient {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        if duration < Duration::from_secs(14) {
            self.1.lock().unwrap().push(duration);
            self.0.advance(duration);
        } else {
            self.0.sleep(duration).await;
        }
    }
}

/// A host with a connected mailbox, in memory. It gives up at the first failure, and knows of no quota.
struct Mailbox {
    clock: ManualClock,
    waits: Waits,
    fake: FakeGraph,
    store: MemoryStore,
    gateway: Gateway,
    connection: Connection,
}

impl Mailbox {
    /// One call is under way at a time, so that it is known which is the third.
    async fn new() -> Self {
        Self::with(|fake| fake, one_at_a_time, |config| config).await
    }

    async fn with(
        fake: impl FnOnce(FakeGraphBuilder) -> FakeGraphBuilder,
        gateway: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
        config: impl FnOnce(GraphConfigBuilder) -> GraphConfigBuilder,
    ) -> Self {
        let waits = Waits::default();
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let fake = fake(FakeGraph::builder().clock(Arc::new(clock.clone()))).start().await;
        let secret = fake.client_secret().unwrap_or_default();
        let builder = integrations_msgraph::GraphConfig::builder();
        let config = config(builder.client(fake.client_id(), secret).base_url(fake.url())).build().unwrap();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let builder = Gateway::builder()
            .adapter(OutlookMail::new(config).unwrap())
            .store(store.clone())
            .vault(Vault::ephemeral().unwrap())
            .clock(Arc::new(Impatient(clock.clone(), Arc::clone(&waits))))
            .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
            .rate_limiter(Arc::new(Unlimited));
        let gateway = gateway(builder).build().unwrap();
        let begun = gateway.connect("ada", "outlook_mail").redirect_uri(REDIRECT).begin().await.unwrap();
        let callback = fake.consent(begun.url.as_str()).await.unwrap();
        let connection = gateway.complete("ada", &callback).await.unwrap();
        Self { clock, waits, fake, store, gateway, connection }
    }

    fn key(&self, stream: &str) -> StreamKey {
        StreamKey::new(&self.connection, &stream.into())
    }

    /// The stream of a folder that is named.
    fn folder(&self, name: &str) -> StreamKey {
        self.key(&self.fake.folder_id(name))
    }

    async fn sync_all(&self, request: SyncRequest) -> Result<SyncReport> {
        self.gateway.sync_with(&self.connection.id, request).await
    }

    /// Brings the inbox up to date.
    async fn sync(&self) -> StreamReport {
        self.try_sync().await.unwrap()
    }

    async fn try_sync(&self) -> Result<StreamReport> {
        let inbox = self.folder("inbox").stream;
        self.gateway.sync_stream(&self.connection.id, &inbox, SyncRequest::incremental()).await
    }

    /// Tries to, and fails.
    async fn fail(&self) -> Error {
        let error = self.try_sync().await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains('?') && !text.contains("token="), "{text}");
        error
    }

    fn records(&self, folder: &str) -> Vec<Record> {
        self.store.records(&self.folder(folder))
    }

    fn messages(&self) -> Vec<Message> {
        let records = self.records("inbox");
        records.iter().map(|record| record.entity.as_message().unwrap().clone()).collect()
    }

    fn message(&self, id: &str) -> Message {
        self.messages().into_iter().find(|message| message.id == id).unwrap()
    }

    fn channels(&self) -> Vec<Channel> {
        let records = self.store.records(&self.key(FOLDERS));
        records.iter().map(|record| record.entity.as_channel().unwrap().clone()).collect()
    }

    /// The quarantine of the inbox: ids, paths and reasons.
    fn quarantine(&self) -> Vec<(String, String)> {
        let items = self.store.quarantined(&self.folder("inbox"));
        let row = |item: integrations_core::normalize::Quarantined| {
            (item.id.unwrap_or_default(), format!("{}: {}", item.path, item.reason))
        };
        items.into_iter().map(row).collect()
    }

    /// Asserts that the sink holds exactly the messages of a folder, as they are.
    fn assert_same(&self, folder: &str) {
        let records = self.records(folder);
        let ours: Vec<_> = records.iter().map(|record| record.id().to_owned()).collect();
        let mut theirs = self.fake.message_ids(folder);
        theirs.sort();
        assert_eq!(ours, theirs, "{folder}");
        for record in records {
            let theirs = self.fake.message(record.id()).unwrap();
            let message = record.entity.as_message().unwrap();
            assert_eq!(record.source.version.as_deref(), theirs["@odata.etag"].as_str(), "{}", record.id());
            assert_eq!(message.labels.first().map(String::as_str), theirs["parentFolderId"].as_str());
            assert_eq!(message.read, theirs["isRead"].as_bool());
            assert_eq!(message.starred, theirs["flag"]["flagStatus"] == "flagged");
            let attachments: Vec<_> =
                message.attachments.iter().map(|attachment| attachment.id.clone().unwrap()).collect();
            assert_eq!(attachments, self.fake.attachment_ids(record.id()), "{theirs}");
        }
    }
}

fn one_at_a_time(gateway: GatewayBuilder) -> GatewayBuilder {
    gateway.bulkhead(BulkheadLimits { connection: 1, ..BulkheadLimits::default() })
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}
