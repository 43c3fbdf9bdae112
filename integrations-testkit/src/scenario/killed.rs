//! What if a run ends before its end, or does not run alone?

use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::sync::{Commit, Receipt, StreamKey, StreamState, SyncSink, Unseen};
use integrations_core::{ErrorKind, Result};

use super::fake::Answer;
use super::host::{Host, THREE_PAGES};
use super::runs::killed_after;
use super::subject::Subject;
use crate::conformance::ok;

/// A run that has not come to its end after so many polls has none.
const LONG: usize = 5_000;

/// A listing is killed after its first poll, after its second, and so on. A new process goes on on the same
/// storage: nothing is lost, and no page that was committed is read again.
pub async fn a_listing_that_is_killed_anywhere_is_gone_on_with(subject: Subject) -> Answer {
    let host = Host::new(&slow(subject)).await?;
    let all = host.add(THREE_PAGES).len() as u64;
    let mut taken_up = 0;
    for polls in 1..LONG {
        let whole = killed_after(polls, host.run(&host.another_process())).await;
        let before = host.records().len() as u64;
        let report = ok(host.run(&host.another_process()).await);
        let read = report.upserted;
        match report.started_in {
            "start" => assert_eq!((before, read), (0, all), "after {polls} polls"),
            "listing" => {
                taken_up += 1;
                assert_eq!(read, all - before, "after {polls} polls");
            }
            _ => assert_eq!(before, all, "after {polls} polls"),
        }
        host.judge();
        if let Some(outcome) = whole {
            ok(outcome);
            assert!(taken_up > 0, "no run was killed in its middle");
            return Ok(());
        }
        ok(host.gateway.forget_stream(&host.connection.id, &host.fake.stream()).await);
    }
    panic!("a run has not come to its end after {LONG} polls");
}

/// The same while changes are read.
pub async fn a_run_of_changes_that_is_killed_anywhere_is_gone_on_with(subject: Subject) -> Answer {
    let host = Host::new(&slow(subject)).await?;
    host.reads_changes()?;
    let ids = host.add(THREE_PAGES);
    host.sync().await;
    for polls in 1..LONG {
        host.change_all(&ids);
        let whole = killed_after(polls, host.run(&host.another_process())).await;
        let revision = host.state().await.revision;
        let report = ok(host.run(&host.another_process()).await);
        assert_eq!((report.resyncs, report.swept), (0, 0), "after {polls} polls");
        host.judge();
        if let Some(outcome) = whole {
            ok(outcome);
            return Ok(());
        }
        assert!(host.state().await.revision > revision, "after {polls} polls nothing was committed");
    }
    panic!("a run has not come to its end after {LONG} polls");
}

/// Two processes run one stream at once: the one that comes second to commit is refused, and nothing is lost.
pub async fn two_runs_at_once_lose_nothing(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(THREE_PAGES);
    let slow = host.hold_answer(host.fake.listing()[0]).await;
    ok(host.run(&host.another_process()).await);
    host.judge();
    host.upheaval(&ids);
    match slow.finish().await {
        Ok(report) => panic!("both have committed: {report:?}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
    }
    host.catch_up().await;
    Ok(())
}

/// The subject on a storage that takes its time, so that a run can be killed before a commit and behind it.
fn slow(subject: Subject) -> Subject {
    subject.wrap_sink(|inner| Arc::new(Slow(inner)))
}

#[derive(Debug)]
struct Slow(Arc<dyn SyncSink>);

#[async_trait]
impl SyncSink for Slow {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        tokio::task::yield_now().await;
        self.0.load(stream).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        tokio::task::yield_now().await;
        let receipt = self.0.commit(commit).await;
        tokio::task::yield_now().await;
        receipt
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        tokio::task::yield_now().await;
        self.0.count_unseen(stream, generation).await
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        self.0.forget(connection).await
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        self.0.streams(connection).await
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        self.0.forget_stream(stream).await
    }
}
