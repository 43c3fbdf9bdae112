//! A host that the scenarios are played on: a gateway on a fake, in memory, on a manual clock.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use integrations_core::adapter::{Capabilities, Deletions, Increments};
use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Connection, StreamId};
use integrations_core::memory::MemoryStore;
use integrations_core::model::Record;
use integrations_core::normalize::Quarantined;
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::{
    StreamKey, StreamReport, StreamState, SyncReport, SyncRequest, SyncSettings, SyncSink,
};
use integrations_core::{Gateway, GatewayBuilder, Result};
use tokio::task::JoinHandle;

use super::fake::{Answer, Fake, NotHere, SetUp};
use super::subject::{Running, Subject};
use super::wire::Wire;
use crate::conformance::ok;
use crate::fault::Fault;
use crate::gate::Gate;

/// Items per page, unless a scenario says otherwise.
pub(super) const PAGE: usize = 3;
/// As many as make three pages, the last one with a single item.
pub(super) const THREE_PAGES: usize = 2 * PAGE + 1;
/// What passes between two things that happen at the provider.
const TICK: Duration = Duration::from_secs(1);

/// So many turns are enough for whatever can be done without the clock.
const TURNS: usize = 20;

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

/// Syncs.
impl Host {
    /// Brings every stream up to date; returns what the run has done with the main one.
    pub(super) async fn sync(&self) -> StreamReport {
        self.sync_with(SyncRequest::incremental()).await
    }

    pub(super) async fn sync_with(&self, request: SyncRequest) -> StreamReport {
        let report = self.gateway.sync_with(&self.connection.id, request).await;
        self.main(ok(report.and_then(SyncReport::into_result)))
    }

    /// Of all streams, the main one.
    fn main(&self, report: SyncReport) -> StreamReport {
        let main = self.fake.stream();
        let found = report.streams.into_iter().find(|(key, _)| key.stream == main);
        let (_, report) = found.unwrap_or_else(|| panic!("the adapter does not list the stream {main}"));
        ok(report)
    }

    /// Reads the main stream alone.
    pub(super) async fn run(&self, gateway: &Gateway) -> Result<StreamReport> {
        gateway.sync_stream(&self.connection.id, &self.fake.stream(), SyncRequest::incremental()).await
    }

    /// Lists again: since the position is lost, or where that cannot be, because the host wants it.
    pub(super) async fn list_again(&self) -> StreamReport {
        match self.fake.forget_positions() {
            Ok(()) => self.sync().await,
            Err(NotHere(_)) => self.sync_with(SyncRequest::full()).await,
        }
    }

    /// Runs until everything that has happened at the provider is known, and asserts that it is: the first
    /// ends what was under way, the second brings what happened meanwhile, and where that does not tell what
    /// is gone, a full one does.
    pub(super) async fn catch_up(&self) {
        self.sync().await;
        self.sync().await;
        if !self.notices_deletions() {
            let (ours, theirs) = self.both(&self.fake.stream());
            let missing: Vec<_> = theirs.iter().filter(|(id, mark)| ours.get(*id) != Some(mark)).collect();
            assert!(missing.is_empty(), "not there in their last state: {missing:?}");
            self.sync_with(SyncRequest::full()).await;
        }
        self.judge();
    }

    /// Starts a run of the main stream, and holds its `nth` request of an operation before the provider has
    /// worked on it.
    pub(super) async fn hold(&self, operation: &str, nth: u64) -> Held {
        let gate = Gate::new();
        self.start(Fault::on(operation).nth(nth).hold(&gate), gate).await
    }

    /// The same, but the provider has done its work, and its answer waits.
    pub(super) async fn hold_answer(&self, operation: &str) -> Held {
        let gate = Gate::new();
        self.start(Fault::on(operation).hold_answer(&gate), gate).await
    }

    async fn start(&self, fault: Fault, gate: Gate) -> Held {
        self.fault(fault);
        let (gateway, id, stream) = (self.gateway.clone(), self.connection.id.clone(), self.fake.stream());
        let mut run =
            tokio::spawn(async move { gateway.sync_stream(&id, &stream, SyncRequest::incremental()).await });
        tokio::select! {
            () = gate.arrived(1) => Held { gate, run },
            outcome = &mut run => panic!("the run was over before it could be held: {outcome:?}"),
        }
    }

    /// Walks the clock on for as long as this takes: a tick whenever the work waits, and not for an answer.
    pub(super) async fn while_time_passes<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let step = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
            if let Poll::Ready(outcome) = step {
                return outcome;
            }
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            if !self.wire.is_busy() {
                self.clock.advance(TICK);
            }
        }
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
    fn both(&self, stream: &StreamId) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let records = self.store.records(&self.key(stream));
        let ours = records.iter().map(|record| (record.id().to_owned(), self.fake.mark(record)));
        (ours.collect(), self.fake.there(stream))
    }
}

/// A run that waits for a test to let it go on.
pub(super) struct Held {
    gate: Gate,
    run: JoinHandle<Result<StreamReport>>,
}

impl Held {
    /// Lets the run go on, to its end.
    pub(super) async fn finish(self) -> Result<StreamReport> {
        self.gate.open();
        match self.run.await {
            Ok(outcome) => outcome,
            Err(error) => panic!("the run fell over: {error}"),
        }
    }
}

/// Polls a future so many times and drops it, as a process that is killed does; `None` then.
pub(super) async fn killed_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
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
