//! Who has a job when a worker is slow, cut off or dead?

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use integrations_core::queue::{JobQueue, JobState, LeaseRequest, NewJob, Settlement};

use super::host::{Host, TTL, Told};

fn take() -> LeaseRequest {
    LeaseRequest::new("other", "work", 1, TTL)
}

#[tokio::test]
async fn a_long_job_is_kept_by_heartbeats() {
    let host = Host::new();
    let told = Told::gated();
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    for _ in 0..600 {
        host.clock.advance(Duration::from_secs(1));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(host.queue.lease(&take()).await.unwrap().leases.is_empty());
    }
    told.open(1);
    let record = host.until_finished(&id).await;
    assert_eq!((record.state, record.job.lost, told.begun()), (JobState::Done, 0, 1));
    running.stop().await;
}

#[tokio::test]
async fn the_job_of_a_dead_worker_is_done_by_another() {
    let host = Host::new();
    let (first, second) = (Told::gated(), Told::to(|_| Ok(None)));
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&first) as _));
    host.soon(|| first.begun() == 1).await;
    running.kill().await;
    assert_eq!(first.dropped.load(Ordering::SeqCst), 1);
    let running = host.run(host.pool().handler("work", Arc::clone(&second) as _));
    let record = host.until_finished(&id).await;
    assert_eq!((record.state, record.job.lost, second.begun()), (JobState::Done, 1, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_cut_off_stops_before_another_begins() {
    let host = Host::new();
    let told = Told::gated();
    host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    host.queue.hangs.store(true, Ordering::SeqCst);
    for _ in 0..59 {
        host.clock.advance(Duration::from_secs(1));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(told.dropped.load(Ordering::SeqCst), 0);
    host.clock.advance(Duration::from_secs(1));
    host.until(Duration::from_secs(1), || async { told.dropped.load(Ordering::SeqCst) == 1 }).await;
    running.kill().await;
}

#[tokio::test]
async fn a_worker_whose_job_was_taken_stops_and_settles_nothing() {
    let host = Host::new();
    let told = Told::gated();
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    // The machine sleeps for longer than the lease, and another takes the job before the first heartbeat.
    host.clock.advance(TTL);
    let leased = host.queue.lease(&take()).await.unwrap().leases.remove(0);
    host.until(Duration::from_secs(1), || async { told.dropped.load(Ordering::SeqCst) == 1 }).await;
    assert_eq!(host.record(&id).await.state, JobState::Running);
    assert_eq!(host.queue.settle(vec![Settlement::done(&leased)]).await.unwrap(), [true]);
    let report = running.stop().await;
    assert_eq!((report.lost, report.done), (1, 0));
}

/// A lease may cost a write that has to reach a disk: a pool that asks for one job at a time is as slow as that.
#[tokio::test]
async fn jobs_that_have_ended_together_make_room_for_one_lease() {
    let host = Host::new();
    let told = Told::gated();
    for _ in 0..16 {
        host.enqueue(NewJob::new("work", "ada")).await;
    }
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _).concurrency("work", 8));
    host.soon(|| told.begun() == 8).await;
    let before = host.queue.leases.load(Ordering::SeqCst);
    told.open(8);
    host.soon(|| told.begun() == 16).await;
    assert_eq!(host.queue.leases.load(Ordering::SeqCst) - before, 1);
    told.open(8);
    running.stop().await;
}
