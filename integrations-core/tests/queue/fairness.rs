//! How many at a time, and who comes first?

use std::sync::atomic::Ordering;

use integrations_core::queue::{JobKind, JobQueue, JobState, NewJob, Priority};

use super::host::{Host, Told};

#[tokio::test]
async fn each_kind_has_its_own_places() {
    let host = Host::new();
    let kinds = [JobKind::FULL_SYNC, JobKind::INCREMENTAL_SYNC, JobKind::WEBHOOK, "of_the_host", "narrow"];
    let told: Vec<_> = kinds.iter().map(|_| Told::gated()).collect();
    let pool = kinds.iter().zip(&told).fold(host.pool().concurrency("narrow", 2), |pool, (kind, told)| {
        pool.handler(*kind, std::sync::Arc::clone(told) as _)
    });
    for kind in kinds {
        let jobs = (0..30).map(|number| NewJob::new(kind, format!("user-{number}"))).collect();
        host.queue.enqueue(jobs).await.unwrap();
    }
    let running = host.run(pool);
    let expected = [5, 10, 20, 5, 2];
    host.soon(|| told.iter().zip(expected).all(|(told, jobs)| told.begun() == jobs)).await;
    told[4].open(30);
    host.soon(|| told[4].begun() == 30).await;
    for told in &told[..4] {
        told.open(30);
    }
    host.soon(|| told.iter().all(|told| told.begun() == 30)).await;
    assert_eq!([0, 1, 2, 3, 4].map(|kind: usize| told[kind].most.load(Ordering::SeqCst)), expected);
    let report = running.stop().await;
    assert_eq!((report.done, report.dead, report.lost), (150, 0, 0));
    assert_eq!(host.count(JobState::Done).await, 150);
}

#[tokio::test]
async fn a_noisy_user_delays_a_quiet_one_by_one_job_at_the_most() {
    let host = Host::new();
    let told = Told::gated();
    let noisy = (0..10_000).map(|_| NewJob::new("work", "noisy")).collect();
    host.queue.enqueue(noisy).await.unwrap();
    let running =
        host.run(host.pool().handler("work", std::sync::Arc::clone(&told) as _).concurrency("work", 1));
    told.open(500);
    // One job of the noisy user is under way, and 9,499 wait.
    host.soon(|| told.begun() == 501).await;
    host.enqueue(NewJob::new("work", "quiet")).await;
    told.open(3);
    host.soon(|| told.begun() == 504).await;
    let order = told.order.lock().unwrap().clone();
    let waited = order[501..].iter().position(|user| user == "quiet");
    assert!(waited <= Some(1) && waited.is_some(), "the quiet user's job comes after {waited:?} others");
    running.kill().await;
}

#[tokio::test]
async fn what_somebody_waits_for_comes_first() {
    let host = Host::new();
    let told = Told::to(|_| Ok(None));
    for (user, priority) in [("low", Priority::Low), ("normal", Priority::Normal), ("high", Priority::High)] {
        let jobs = (0..3).map(|_| NewJob::new("work", user).priority(priority)).collect();
        host.queue.enqueue(jobs).await.unwrap();
    }
    let running =
        host.run(host.pool().handler("work", std::sync::Arc::clone(&told) as _).concurrency("work", 1));
    host.soon(|| told.begun() == 9).await;
    let order = told.order.lock().unwrap().join(" ");
    assert_eq!(order, "high high high normal normal normal low low low");
    running.stop().await;
}

#[tokio::test]
async fn kinds_without_a_handler_are_left_to_others() {
    let host = Host::new();
    let (ours, theirs) =
        (host.enqueue(NewJob::new("ours", "ada")).await, host.enqueue(NewJob::new("theirs", "ada")).await);
    let running = host.run(host.pool().handler("ours", Told::to(|_| Ok(None))));
    host.until_finished(&ours).await;
    assert_eq!(host.record(&theirs).await.state, JobState::Waiting);
    running.stop().await;
}

#[tokio::test]
async fn an_idle_pool_asks_the_queue_seldom_and_begins_at_once() {
    let host = Host::new();
    let told = Told::to(|_| Ok(None));
    let running = host.run(host.pool().handler("work", std::sync::Arc::clone(&told) as _));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(host.queue.leases.load(Ordering::SeqCst), 1, "nothing has happened since");
    host.enqueue(NewJob::new("work", "ada")).await;
    host.soon(|| told.begun() == 1).await;
    running.stop().await;
}
