//! The process that works, and is killed.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::clock::Clock;
use integrations_core::clock::SystemClock;
use integrations_core::queue::{
    Enqueued, Heartbeat, JobHandler, JobId, JobKind, JobQuery, JobQueue, JobRecord, JobRetries, JobRun,
    LeaseRequest, Leased, NewJob, Payload, Progress, QueueStats, Repeat, Settlement, WorkerPool,
};
use integrations_core::sync::{Commit, Position, StreamState, SyncSink, Window};
use integrations_core::{Error, ErrorKind, Result};
use integrations_testkit::conformance::upsert;

use crate::load::{HOPELESS, KINDS, Task, Work, number};
use crate::place::Place;

/// What a line to the parent begins with. The test harness writes its own lines to the same pipe.
pub(crate) const STEP: &str = "@step";
pub(crate) const FAULT: &str = "@fault ";

/// A killed worker's jobs are away for so long.
pub(crate) const LEASE: Duration = Duration::from_millis(500);
/// How long a provider takes to answer.
const ANSWER: Duration = Duration::from_millis(5);

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n{line}");
    let _ = out.flush();
}

/// Something is about to happen, or just has.
fn step() {
    say(STEP);
}

/// Tells the parent before and after what changes the queue.
#[derive(Debug)]
struct Telling(Arc<dyn JobQueue>);

#[async_trait]
impl JobQueue for Telling {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        self.0.enqueue(jobs).await
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        let leased = self.0.lease(request).await?;
        if !leased.leases.is_empty() {
            step();
        }
        Ok(leased)
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        step();
        let held = self.0.extend(heartbeats).await?;
        step();
        Ok(held)
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        step();
        let held = self.0.settle(settlements).await?;
        step();
        Ok(held)
    }

    async fn stats(&self) -> Result<QueueStats> {
        self.0.stats().await
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        self.0.find(query).await
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        self.0.requeue(jobs).await
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        self.0.purge(before).await
    }

    async fn wait(&self, kinds: &[JobKind]) {
        self.0.wait(kinds).await;
    }
}

#[derive(Debug)]
struct Working {
    sink: Arc<dyn SyncSink>,
    clock: Arc<dyn Clock>,
}

impl Working {
    /// One commit to the stream of the job, unless another runner was there.
    async fn commit(&self, run: &JobRun, work: &Work, revision: u64, number: u64) -> Result<()> {
        step();
        let commit = Commit {
            stream: Work::stream(&work.stream),
            fence: run.fence(),
            expected_revision: revision,
            generation: 1,
            changes: vec![upsert(&format!("{} at {number}", work.stream))],
            quarantined: Vec::new(),
            sweep: None,
            position: Position::Resync { generation: number, window: Window::ALL },
        };
        let receipt = self.sink.commit(commit).await?;
        step();
        if receipt.revision != revision + 1 {
            say(&format!("{FAULT}{}: a commit at {revision} leads to {}", work.stream, receipt.revision));
        }
        Ok(())
    }

    async fn steps(&self, run: &JobRun, work: &Work, state: &StreamState, steps: u64) -> Result<()> {
        for done in state.revision..steps {
            run.progress(Progress { done, total: Some(steps), note: None });
            if steps > 1 {
                self.clock.sleep(ANSWER).await;
            }
            self.commit(run, work, done, done + 1).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl JobHandler for Working {
    async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
        let work: Work = run.job().payload.read()?;
        step();
        let state = self.sink.load(&Work::stream(&work.stream)).await?;
        if state.fence == run.fence() {
            say(&format!("{FAULT}{}: two leases have the fence {:?}", work.stream, state.fence));
        }
        match work.task {
            Task::Refused => Err(Error::new(ErrorKind::InvalidRequest, "the provider wants none of this")),
            Task::Hopeless => Err(Error::new(ErrorKind::Network, "the provider does not answer")),
            Task::Steps { steps, failures } => {
                if run.attempt() <= failures {
                    return Err(Error::new(ErrorKind::Network, "the provider does not answer at first"));
                }
                self.steps(run, &work, &state, steps).await?;
                Ok(None)
            }
            Task::Change { number: change } => {
                self.clock.sleep(ANSWER).await;
                if change % 7 == 0 && run.attempt() == 1 {
                    return Err(Error::new(ErrorKind::Network, "the provider does not answer at first"));
                }
                if number(&state.position) < change {
                    self.commit(run, &work, state.revision, change).await?;
                }
                Ok(None)
            }
            Task::Round { round } => {
                self.steps(run, &work, &state, round).await?;
                let next = work.next_round(round).map(|work| Payload::json(&work)).transpose()?;
                Ok(next.map(|payload| Repeat { after: ANSWER, payload: Some(payload) }))
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a parent: started by the test of this binary"]
async fn child() {
    // Nobody's child when all that is ignored is run.
    let Some(place) = Place::told() else { return };
    step();
    let stores = place.open().await;
    step();
    let working = Arc::new(Working { sink: stores.sink, clock: SystemClock::shared() });
    let retries = JobRetries::new(8).with_base(Duration::from_millis(20));
    let mut pool = WorkerPool::builder(Arc::new(Telling(stores.queue)))
        .lease(LEASE)
        .poll_interval(Duration::from_millis(100))
        .retries(retries);
    for kind in KINDS {
        pool = pool.handler(kind, Arc::clone(&working) as _).concurrency(kind, 2);
    }
    pool = pool.retries_of(HOPELESS, JobRetries::new(2).with_base(Duration::from_millis(20)));
    // The parent closes the pipe when nobody is to be killed any more, and when it has died itself.
    let told = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let stop = async {
        let _ = told.await;
    };
    let report = pool.build().unwrap().run(stop).await;
    println!("{report:?}");
}
