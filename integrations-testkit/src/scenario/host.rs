//! A host that the scenarios are played on: a gateway on a fake, in memory, on a manual clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use integrations_core::adapter::{Capabilities, Deletions, Increments};
use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Connection, StreamId};
use integrations_core::memory::MemoryStore;
use integrations_core::model::Record;
use integrations_core::normalize::Quarantined;
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::{StreamKey, StreamState, SyncSettings, SyncSink};
use integrations_core::{Gateway, GatewayBuilder};

use super::fake::{Answer, Fake, NotHere, SetUp};
use super::subject::{Running, Subject};
use super::wire::Wire;
use crate::conformance::ok;
use crate::fault::Fault;

/// Items per page, unless a scenario says otherwise.
pub(super) const PAGE: usize = 3;
/// As many as make three pages, the last one with a single item.
pub(super) const THREE_PAGES: usize = 2 * PAGE + 1;
/// What passes between two things that happen at the provider.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// A gateway with one connection, and the fake behind it. It gives up at the first failure, and knows of no
/// quota: nothing waits on the clock, unless a scenario says otherwise.
pub(super) struct Host {
    pub(super) clock: ManualClock,
    pub(super) fake: Arc<dyn Fake>,
    pub(super) gateway: Gateway,
    pub(super) connection: Connection,
    pub(super) wire: Arc<Wire>,
    subject: Subject,
    running: Running,
    store: MemoryStore,
    vault: Vault,
    capabilities: Capabilities,
}

impl Host {
    /// A host whose account is connected, and whose main stream is empty. Pages have [`PAGE`] items.
    pub(super) async fn new(subject: &Subject) -> Answer<Self> {
        Self::with(subject, |set_up| set_up).await
    }

    /// The same with a fake that is set up in another way.
    pub(super) async fn with(subject: &Subject, set_up: impl FnOnce(SetUp) -> SetUp) -> Answer<Self> {
        let clock = crate::conformance::clock();
        let running = subject.start(set_up(SetUp::new(clock.clone(), PAGE))).await?;
        let adapter = subject.adapter(&running);
        let service = adapter.info().id.clone();
        let capabilities = adapter.info().capabilities.clone();
        let parts = Parts {
            subject,
            running: &running,
            clock: &clock,
            wire: &Wire::new(clock.clone()),
            store: &MemoryStore::with_clock(Arc::new(clock.clone())),
            vault: &ok(Vault::new("scenario", [7; 32])),
        };
        let gateway = ok(parts.gateway(impatient).build());
        let (wire, store, vault) = (Arc::clone(parts.wire), parts.store.clone(), parts.vault.clone());
        let fake = Arc::clone(&running.fake);
        let connection = ok(fake.connect(&gateway, &service).await);
        let subject = subject.clone();
        Ok(Self { clock, fake, gateway, connection, wire, subject, running, store, vault, capabilities })
    }

    /// Another process on the same storage, put together in a way of its own.
    pub(super) fn process(&self, set_up: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Gateway {
        let parts = Parts {
            subject: &self.subject,
            running: &self.running,
            clock: &self.clock,
            wire: &self.wire,
            store: &self.store,
            vault: &self.vault,
        };
        ok(parts.gateway(set_up).build())
    }

    /// Another process on the same storage, as impatient as the first.
    pub(super) fn another_process(&self) -> Gateway {
        self.process(impatient)
    }

    /// Another process, which retries and keeps to quotas as hosts do.
    pub(super) fn patient_process(&self) -> Gateway {
        self.process(|gateway| gateway)
    }

    /// Another process, which asks for pages of so many items.
    pub(super) fn process_with_pages_of(&self, items: u32) -> Gateway {
        let mut settings = SyncSettings::default();
        (settings.listing_page, settings.changes_page) = (items, items);
        self.process(|gateway| impatient(gateway).sync_settings(settings))
    }
}

/// What the service can do.
impl Host {
    pub(super) fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// For scenarios of changes that are read since a mark or a time.
    pub(super) fn reads_changes(&self) -> Answer {
        match self.capabilities.increments {
            Increments::None => {
                Err(NotHere("the service has no changes to read; every run lists everything"))
            }
            _ => Ok(()),
        }
    }

    /// Whether each change comes once, and nothing else does.
    pub(super) fn is_exact(&self) -> bool {
        self.capabilities.increments == Increments::Exact
    }

    /// Whether a run that lists nothing notices what is gone.
    pub(super) fn notices_deletions(&self) -> bool {
        self.capabilities.increments == Increments::None || self.capabilities.deletions != Deletions::Listing
    }
}

/// What happens at the provider.
impl Host {
    /// Adds so many items to the main stream.
    pub(super) fn add(&self, items: usize) -> Vec<String> {
        self.add_to(&self.fake.stream(), items)
    }

    /// Adds so many items to a stream.
    pub(super) fn add_to(&self, stream: &StreamId, items: usize) -> Vec<String> {
        (0..items).map(|_| self.then(|| self.fake.add(stream))).collect()
    }

    pub(super) fn change(&self, id: &str) {
        self.then(|| self.fake.change(id));
    }

    pub(super) fn change_all(&self, ids: &[String]) {
        for id in ids {
            self.change(id);
        }
    }

    pub(super) fn delete(&self, id: &str) {
        self.then(|| self.fake.delete(id));
    }

    /// Something happens, a moment after what happened before.
    pub(super) fn then<T>(&self, happens: impl FnOnce() -> T) -> T {
        self.clock.advance(TICK);
        happens()
    }

    /// Items change, are added and are deleted, on every page of a listing of [`THREE_PAGES`].
    pub(super) fn upheaval(&self, ids: &[String]) {
        let [first, second, .., last_but_one, last] = ids else { panic!("too few items: {ids:?}") };
        self.change(first);
        self.change(last);
        self.delete(second);
        self.delete(last_but_one);
        self.add(1);
    }
}

/// What goes over the wire.
impl Host {
    /// Orders a fault.
    pub(super) fn fault(&self, fault: Fault) {
        self.fake.server().fault(fault);
    }

    /// How many requests of an operation have arrived.
    pub(super) fn calls(&self, operation: &str) -> u64 {
        self.fake.server().calls(operation)
    }
}

/// What the host has.
impl Host {
    pub(super) fn key(&self, stream: &StreamId) -> StreamKey {
        StreamKey::new(&self.connection, stream)
    }

    pub(super) fn main_key(&self) -> StreamKey {
        self.key(&self.fake.stream())
    }

    /// The records of the main stream.
    pub(super) fn records(&self) -> Vec<Record> {
        self.store.records(&self.main_key())
    }

    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.records().iter().map(|record| record.id().to_owned()).collect()
    }

    pub(super) fn record(&self, id: &str) -> Option<Record> {
        self.records().into_iter().find(|record| record.id() == id)
    }

    pub(super) fn records_of(&self, stream: &StreamId) -> usize {
        self.store.records(&self.key(stream)).len()
    }

    /// The items of the main stream that could not be read.
    pub(super) fn quarantine(&self) -> Vec<Quarantined> {
        self.store.quarantined(&self.main_key())
    }

    pub(super) async fn state(&self) -> StreamState {
        ok(self.store.load(&self.main_key()).await)
    }

    /// Asserts that the sink holds exactly what is in the main stream at the provider.
    #[track_caller]
    pub(super) fn judge(&self) {
        self.judge_stream(&self.fake.stream());
    }

    /// The same of another stream.
    #[track_caller]
    pub(super) fn judge_stream(&self, stream: &StreamId) {
        let (ours, theirs) = self.both(stream);
        assert_eq!(ours, theirs, "on the left what the sink holds, on the right the fake");
        assert!(
            ours.values().all(|mark| !mark.is_empty()),
            "an item without a mark proves nothing: {ours:?}"
        );
    }

    /// What the sink holds of a stream, and what is there.
    pub(super) fn both(&self, stream: &StreamId) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let records = self.store.records(&self.key(stream));
        let ours = records.iter().map(|record| (record.id().to_owned(), self.fake.mark(record)));
        (ours.collect(), self.fake.there(stream))
    }
}

/// What every process of a host is put together from.
struct Parts<'a> {
    subject: &'a Subject,
    running: &'a Running,
    clock: &'a ManualClock,
    wire: &'a Arc<Wire>,
    store: &'a MemoryStore,
    vault: &'a Vault,
}

impl Parts<'_> {
    fn gateway(&self, set_up: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> GatewayBuilder {
        set_up(
            Gateway::builder()
                .adapter(self.subject.adapter(self.running))
                .store(self.store.clone())
                .sync_sink(self.subject.sink(Arc::new(self.store.clone())))
                .vault(self.vault.clone())
                .transport(self.wire.tap(self.subject.transport()))
                .clock(Arc::new(self.clock.clone())),
        )
    }
}

/// Gives up at the first failure, and knows of no quota.
fn impatient(gateway: GatewayBuilder) -> GatewayBuilder {
    gateway
        .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
        .rate_limiter(Arc::new(Unlimited))
}
