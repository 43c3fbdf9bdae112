//! Do several processes keep the promises together?

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::SystemClock;
use integrations_core::queue::{
    Enqueuing, Heartbeat, JobKind, JobQuery, JobQueue, JobState, LeaseRequest, NewJob, Outcome, Payload,
    Settlement,
};
use integrations_stores::NatsQueue;
use integrations_testkit::conformance::clock;
use tokio::sync::Barrier;

use crate::Streams;

const MINUTE: Duration = Duration::from_secs(60);
const KIND: &str = "webhook";

/// As two processes have them: no connection and no index in common.
async fn two() -> (NatsQueue, NatsQueue, Streams) {
    let streams = Streams::new();
    let clock = Arc::new(clock());
    let (one, other) = (streams.queue(Arc::clone(&clock) as _).await, streams.queue(clock).await);
    (one, other, streams)
}

fn some(most: usize) -> LeaseRequest {
    LeaseRequest::new("worker", KIND, most, MINUTE)
}

#[tokio::test]
#[ignore = "needs nats"]
async fn each_sees_at_once_what_the_other_has_done() {
    let (one, other, _streams) = two().await;
    assert!(other.lease(&some(1)).await.unwrap().leases.is_empty());
    let job = NewJob::new(KIND, "ada").key("primary").payload(Payload::new("first"));
    let added = one.enqueue(vec![job.clone()]).await.unwrap().remove(0);
    let twin = other.enqueue(vec![job.clone().payload(Payload::new("second"))]).await.unwrap().remove(0);
    assert_eq!((twin.id.clone(), twin.how), (added.id, Enqueuing::Coalesced));
    let leased = one.lease(&some(5)).await.unwrap().leases;
    assert_eq!(leased.len(), 1);
    assert_eq!(leased[0].job.payload.as_bytes(), b"second");
    assert_eq!(other.enqueue(vec![job]).await.unwrap()[0].how, Enqueuing::Again);
    let beat = Heartbeat { lease: leased[0].id(), ttl: MINUTE, progress: None };
    assert_eq!(other.extend(vec![beat.clone()]).await.unwrap(), [true]);
    assert_eq!(other.stats().await.unwrap().total().running, 1);
    assert_eq!(one.settle(vec![Settlement::done(&leased[0])]).await.unwrap(), [true]);
    assert_eq!(other.settle(vec![Settlement::done(&leased[0])]).await.unwrap(), [false]);
    assert_eq!(other.extend(vec![beat]).await.unwrap(), [false]);
    let again = other.lease(&some(5)).await.unwrap().leases;
    assert_eq!(again.len(), 1);
    assert!(again[0].fence > leased[0].fence && again[0].job.id != leased[0].job.id);
    assert_eq!(one.settle(vec![Settlement::new(again[0].id(), Outcome::Dead)]).await.unwrap(), [true]);
    let total = other.stats().await.unwrap().total();
    assert_eq!((total.ready, total.running, total.dead, total.done_ever, total.dead_ever), (0, 0, 1, 1, 1));
    assert_eq!(other.find(&JobQuery::in_state(JobState::Dead)).await.unwrap()[0].job.id, again[0].job.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs nats"]
async fn no_job_is_leased_twice() {
    const JOBS: usize = 2000;
    let (one, other, _streams) = two().await;
    let jobs = (0..JOBS).map(|job| NewJob::new(KIND, format!("user {}", job % 7))).collect();
    one.enqueue(jobs).await.unwrap();
    let barrier = Arc::new(Barrier::new(6));
    let workers: Vec<_> = (0..6)
        .map(|worker| {
            let queue = if worker % 2 == 0 { one.clone() } else { other.clone() };
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                let mut got = Vec::new();
                barrier.wait().await;
                loop {
                    let leased = queue.lease(&some(1 + worker * 7)).await.unwrap().leases;
                    if leased.is_empty() {
                        return got;
                    }
                    let done = leased.iter().map(Settlement::done).collect();
                    assert!(queue.settle(done).await.unwrap().into_iter().all(|held| held));
                    got.extend(leased.into_iter().map(|lease| (lease.job.id, lease.fence)));
                }
            })
        })
        .collect();
    let mut got = Vec::new();
    for worker in workers {
        got.extend(worker.await.unwrap());
    }
    assert_eq!(got.len(), JOBS);
    assert_eq!(got.iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), JOBS);
    assert_eq!(got.iter().map(|(_, fence)| fence).collect::<HashSet<_>>().len(), JOBS);
    for queue in [&one, &other] {
        let total = queue.stats().await.unwrap().total();
        assert_eq!((total.ready, total.running, total.done_ever), (0, 0, JOBS as u64));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs nats"]
async fn twins_of_all_processes_are_one_job() {
    let (one, other, _streams) = two().await;
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let queue = if number % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move {
                queue.enqueue(vec![NewJob::new(KIND, "ada").key("primary")]).await.unwrap().remove(0)
            })
        })
        .collect();
    let mut enqueued = Vec::new();
    for task in tasks {
        enqueued.push(task.await.unwrap());
    }
    assert_eq!(enqueued.iter().filter(|enqueued| enqueued.how == Enqueuing::Added).count(), 1);
    assert_eq!(enqueued.iter().map(|enqueued| &enqueued.id).collect::<HashSet<_>>().len(), 1);
    assert_eq!(other.stats().await.unwrap().total().ready, 1);
}

#[tokio::test]
#[ignore = "needs nats"]
async fn who_waits_is_woken_by_the_other() {
    let (one, other, _streams) = two().await;
    let kinds = [JobKind::from(KIND)];
    assert!(other.lease(&some(1)).await.unwrap().leases.is_empty());
    let waiting = tokio::spawn({
        let other = other.clone();
        async move { other.wait(&kinds).await }
    });
    one.enqueue(vec![NewJob::new("another", "ada")]).await.unwrap();
    one.enqueue(vec![NewJob::new(KIND, "ada")]).await.unwrap();
    waiting.await.unwrap();
    assert_eq!(other.lease(&some(1)).await.unwrap().leases.len(), 1);
}

#[tokio::test]
#[ignore = "needs nats"]
async fn a_process_that_comes_later_knows_all() {
    let streams = Streams::new();
    let clock = Arc::new(clock());
    let one = streams.queue(Arc::clone(&clock) as _).await;
    let jobs = (0..50).map(|job| NewJob::new(KIND, "ada").key(format!("{job}"))).collect();
    one.enqueue(jobs).await.unwrap();
    let leased = one.lease(&some(10)).await.unwrap().leases;
    one.settle(leased[..5].iter().map(Settlement::done).collect()).await.unwrap();
    drop(one);
    let other = streams.queue(clock).await;
    let total = other.stats().await.unwrap().total();
    assert_eq!((total.ready, total.running, total.done_ever), (40, 5, 5));
    assert_eq!(
        other.settle(leased.iter().map(Settlement::done).collect()).await.unwrap(),
        [false, false, false, false, false, true, true, true, true, true]
    );
    assert_eq!(other.find(&JobQuery::default()).await.unwrap().len(), 50);
}

#[tokio::test]
#[ignore = "needs nats"]
async fn on_the_clock_of_the_machine_a_lease_is_held_for_a_margin_longer() {
    let streams = Streams::new();
    let clock = Arc::new(SystemClock::new());
    let queue = streams
        .builder()
        .clock(clock)
        .margin(Duration::from_secs(3600))
        .connect(&crate::url())
        .await
        .unwrap();
    queue.migrate().await.unwrap();
    queue.enqueue(vec![NewJob::new(KIND, "ada")]).await.unwrap();
    let request = LeaseRequest::new("worker", KIND, 1, Duration::ZERO);
    assert_eq!(queue.lease(&request).await.unwrap().leases.len(), 1);
    let leased = queue.lease(&request).await.unwrap();
    assert!(leased.leases.is_empty());
    assert!(leased.next_due.unwrap() > Duration::from_secs(3500));
}
