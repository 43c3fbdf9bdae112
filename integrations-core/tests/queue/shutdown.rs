//! What becomes of what runs when the pool is to stop?

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use integrations_core::queue::{JobQueue, JobState, LeaseRequest, NewJob};

use super::host::{Host, TTL, Told};

#[tokio::test]
async fn what_comes_to_its_end_in_time_is_done() {
    let host = Host::new();
    let told = Told::gated();
    let ids =
        [host.enqueue(NewJob::new("work", "ada")).await, host.enqueue(NewJob::new("work", "bob")).await];
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _).concurrency("work", 1));
    host.soon(|| told.begun() == 1).await;
    let stopped = running.tell();
    host.clock.advance(Duration::from_secs(29));
    told.open(2);
    let report = stopped.await.unwrap();
    assert_eq!((report.done, report.released, told.begun()), (1, 0, 1), "no other job was begun");
    assert_eq!(host.record(&ids[0]).await.state, JobState::Done);
    assert_eq!(host.record(&ids[1]).await.state, JobState::Waiting);
}

#[tokio::test]
async fn what_does_not_is_handed_back_at_once() {
    let host = Host::new();
    let told = Told::gated();
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _).grace(Duration::from_secs(5)));
    host.soon(|| told.begun() == 1).await;
    let stopped = running.tell();
    host.until(Duration::from_secs(1), || async { stopped.is_finished() }).await;
    let report = stopped.await.unwrap();
    assert_eq!((report.released, report.done, report.lost), (1, 0, 0));
    assert_eq!(told.dropped.load(Ordering::SeqCst), 1);
    let record = host.record(&id).await;
    assert_eq!((record.state, record.job.failures, record.job.lost), (JobState::Waiting, 0, 0));
    let next = LeaseRequest::new("other", "work", 1, TTL);
    assert_eq!(
        host.queue.lease(&next).await.unwrap().leases.len(),
        1,
        "nobody waits for the lease to run out"
    );
}

#[tokio::test]
async fn a_pool_without_work_stops_at_once() {
    let host = Host::new();
    let running = host.run(host.pool().handler("work", Told::to(|_| Ok(None))));
    host.soon(|| host.queue.leases.load(Ordering::SeqCst) == 1).await;
    assert_eq!(running.stop().await, integrations_core::queue::PoolReport::default());
}

#[tokio::test]
async fn a_queue_that_does_not_answer_does_not_keep_a_pool_alive() {
    let host = Host::new();
    let told = Told::gated();
    host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    host.queue.hangs.store(true, Ordering::SeqCst);
    let stopped = running.tell();
    host.until(Duration::from_secs(1), || async { stopped.is_finished() }).await;
    assert_eq!(stopped.await.unwrap().done, 0);
}

#[tokio::test]
async fn what_the_queue_gives_in_the_last_moment_goes_back_and_what_runs_goes_on() {
    let host = Host::new();
    let told = Told::gated();
    let first = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    // The next lease is under way when the pool is told to stop.
    host.queue.hangs.store(true, Ordering::SeqCst);
    let leases = host.queue.leases.load(Ordering::SeqCst);
    let second = host.enqueue(NewJob::new("work", "bob")).await;
    host.soon(|| host.queue.leases.load(Ordering::SeqCst) > leases).await;
    let stopped = running.tell();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    host.queue.goes_on();
    host.until(Duration::from_millis(1), || async { host.queue.settlements.load(Ordering::SeqCst) == 1 })
        .await;
    assert_eq!(host.record(&second).await.state, JobState::Waiting);
    told.open(1);
    let report = stopped.await.unwrap();
    assert_eq!((report.done, told.begun(), told.dropped.load(Ordering::SeqCst)), (1, 1, 0));
    assert_eq!(host.record(&first).await.state, JobState::Done);
}
