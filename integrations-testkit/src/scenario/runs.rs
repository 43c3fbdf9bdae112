//! How is a host run: to its end, held on the way, killed, or on a clock that moves?

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use integrations_core::sync::{StreamReport, SyncReport, SyncRequest};
use integrations_core::{Gateway, Result};
use tokio::task::JoinHandle;

use super::fake::NotHere;
use super::host::{Host, TICK};
use crate::conformance::ok;
use crate::fault::Fault;
use crate::gate::Gate;

/// So many turns are enough for whatever can be done without the clock.
const TURNS: usize = 20;

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
