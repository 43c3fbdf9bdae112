//! Gmail, driven over real HTTP against the fake, and over payloads.

mod attachments;
mod batches;
mod changes;
mod chaos;
mod listing;
mod mapping;
mod quota;
mod raw;

use std::sync::Arc;

use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::memory::MemoryStore;
use integrations_core::model::{Channel, Message, Record};
use integrations_core::resilience::{BulkheadLimits, ExponentialRetry, Unlimited};
use integrations_core::sync::{StreamKey, StreamReport, SyncReport, SyncRequest};
use integrations_core::{Connection, Error, Gateway, GatewayBuilder, Result};
use integrations_google::Gmail;
use integrations_google::gmail::{LABELS, MESSAGES};
use integrations_testkit::google::{FakeGoogle, FakeGoogleBuilder, MailSpec};

use crate::host::{Heard, REDIRECT, config};

/// A host with a connected mailbox, in memory, on a manual clock. It gives up at the first failure, and knows
/// of no quota: nothing waits on the clock.
struct Mailbox {
    clock: ManualClock,
    fake: FakeGoogle,
    store: MemoryStore,
    gateway: Gateway,
    heard: Heard,
    connection: Connection,
}

impl Mailbox {
    /// With so many made-up messages. One call is under way at a time, so that it is known which is the third.
    async fn of(messages: u64) -> Self {
        let one = BulkheadLimits { connection: 1, ..BulkheadLimits::default() };
        Self::with(|fake| fake.messages(messages), |gateway| gateway.bulkhead(one)).await
    }

    async fn with(
        fake: impl FnOnce(FakeGoogleBuilder) -> FakeGoogleBuilder,
        gateway: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let fake = fake(FakeGoogle::builder().clock(Arc::new(clock.clone()))).start().await;
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let heard = Heard::default();
        let builder = Gateway::builder()
            .adapter(Gmail::new(config(&fake)))
            .store(store.clone())
            .vault(Vault::ephemeral().unwrap())
            .clock(Arc::new(clock.clone()))
            .observer(Arc::new(heard.clone()))
            .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
            .rate_limiter(Arc::new(Unlimited));
        let gateway = gateway(builder).build().unwrap();
        let begun = gateway.connect("ada", "gmail").redirect_uri(REDIRECT).begin().await.unwrap();
        let callback = fake.consent(begun.url.as_str()).await.unwrap();
        let connection = gateway.complete("ada", &callback).await.unwrap();
        Self { clock, fake, store, gateway, heard, connection }
    }

    fn key(&self, stream: &str) -> StreamKey {
        StreamKey::new(&self.connection, &stream.into())
    }

    async fn sync_with(&self, request: SyncRequest) -> Result<SyncReport> {
        let only = |stream: &integrations_core::adapter::Stream| stream.id == MESSAGES;
        self.gateway.sync_selected(&self.connection.id, request, only).await
    }

    /// Brings the messages up to date.
    async fn sync(&self) -> StreamReport {
        let mut report = self.sync_with(SyncRequest::incremental()).await.unwrap();
        assert_eq!(report.streams.len(), 1);
        report.streams.remove(0).1.unwrap()
    }

    /// Tries to, and fails.
    async fn fail(&self) -> Error {
        let report = self.sync_with(SyncRequest::incremental()).await.unwrap();
        let error = report.into_result().unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("ya29.") && !text.contains('?'), "{text}");
        error
    }

    fn records(&self) -> Vec<Record> {
        self.store.records(&self.key(MESSAGES))
    }

    fn messages(&self) -> Vec<Message> {
        self.records().iter().map(|record| record.entity.as_message().unwrap().clone()).collect()
    }

    fn message(&self, id: &str) -> Message {
        self.messages().into_iter().find(|message| message.id == id).unwrap()
    }

    fn labels(&self) -> Vec<Channel> {
        let records = self.store.records(&self.key(LABELS));
        records.iter().map(|record| record.entity.as_channel().unwrap().clone()).collect()
    }

    /// The quarantine: ids, paths and reasons.
    fn quarantine(&self) -> Vec<(String, String)> {
        let items = self.store.quarantined(&self.key(MESSAGES));
        let row = |item: integrations_core::normalize::Quarantined| {
            (item.id.unwrap_or_default(), format!("{}: {}", item.path, item.reason))
        };
        items.into_iter().map(row).collect()
    }

    /// Asserts that the sink holds exactly what the mailbox does.
    fn assert_same(&self) {
        let ours: Vec<_> = self.records().iter().map(|record| record.id().to_owned()).collect();
        let mut theirs = self.fake.message_ids();
        theirs.sort();
        assert_eq!(ours, theirs);
        for record in self.records() {
            let theirs = self.fake.message(record.id()).unwrap();
            let message = record.entity.as_message().unwrap();
            assert_eq!(record.source.version.as_deref(), theirs["historyId"].as_str(), "{}", record.id());
            let labels: Vec<_> = theirs["labelIds"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|label| label.as_str())
                .collect();
            assert_eq!(message.labels, labels, "{}", record.id());
            assert_eq!(message.thread_id.as_deref(), theirs["threadId"].as_str(), "{}", record.id());
        }
    }
}

fn mail(subject: &str) -> MailSpec {
    MailSpec::new(subject).text("Hello.\n")
}
