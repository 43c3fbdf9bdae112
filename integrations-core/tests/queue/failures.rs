//! What becomes of what fails?

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::queue::{
    JobHandler, JobQueue, JobRetries, JobRun, JobState, NewJob, Progress, Repeat,
};
use integrations_core::{Error, ErrorKind, Result};

use super::host::{Host, Told};

fn fails(kind: ErrorKind) -> Arc<Told> {
    Told::to(move |_| Err(Error::new(kind, "no luck today")))
}

#[tokio::test]
async fn a_job_is_tried_three_times_more_and_then_a_dead_letter() {
    let host = Host::new();
    let told = fails(ErrorKind::ServiceUnavailable);
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let began = host.clock.clone();
    let began = integrations_core::clock::Clock::now(&began);
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    let record = host.until_finished(&id).await;
    assert_eq!((record.state, record.job.failures, told.begun()), (JobState::Dead, 3, 4));
    let failure = record.failure.unwrap();
    assert_eq!(
        (failure.kind.as_str(), failure.message.contains("no luck today")),
        ("service_unavailable", true)
    );
    // 2, 4 and 8 seconds, each up to a quarter longer, and a step of the test's clock after each.
    let took = (record.finished_at.unwrap() - began).num_milliseconds();
    assert!((14_000..=19_500).contains(&took), "{took} ms");
    let report = running.stop().await;
    assert_eq!((report.retried, report.dead, report.done), (3, 1, 0));
    let heard = host.heard.all();
    assert_eq!(heard.last().unwrap(), &format!("{id} dead service_unavailable"));
    assert_eq!(heard[0], format!("test begins {id}"));
}

#[tokio::test]
async fn a_providers_own_time_is_respected() {
    let host = Host::new();
    let told = Told::to(|run: &JobRun| match run.attempt() {
        1 => Err(Error::new(ErrorKind::RateLimited, "slowly").with_retry_after(Duration::from_secs(900))),
        _ => Ok(None),
    });
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    host.until(Duration::from_millis(1), || async { host.record(&id).await.state == JobState::Waiting })
        .await;
    let record = host.record(&id).await;
    let wait = (record.due_at.unwrap() - integrations_core::clock::Clock::now(&host.clock)).num_seconds();
    assert!((899..=990).contains(&wait), "{wait} s");
    // A twin does not hurry it.
    assert_eq!(host.until_finished(&id).await.state, JobState::Done);
    running.stop().await;
}

#[tokio::test]
async fn what_somebody_has_to_mend_is_not_tried_again() {
    let host = Host::new();
    for kind in [ErrorKind::ReauthorizationRequired, ErrorKind::InvalidRequest, ErrorKind::NotFound] {
        let told = fails(kind);
        let id = host.enqueue(NewJob::new("work", "ada")).await;
        let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
        assert_eq!(host.until_finished(&id).await.state, JobState::Dead);
        assert_eq!(told.begun(), 1);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_handler_that_panics_harms_its_job_alone() {
    let host = Host::new();
    let told = Told::to(|run| {
        assert!(run.job().owner.user != "bob", "on purpose");
        Ok(None)
    });
    let (bad, good) =
        (host.enqueue(NewJob::new("work", "bob")).await, host.enqueue(NewJob::new("work", "ada")).await);
    let running = host.run(host.pool().handler("work", told));
    let record = host.until_finished(&bad).await;
    assert_eq!(record.state, JobState::Dead);
    let failure = record.failure.unwrap();
    assert_eq!(failure.code.as_deref(), Some("handler_panicked"));
    assert!(!failure.message.contains("on purpose"), "what a panic says may hold anything");
    assert_eq!(host.until_finished(&good).await.state, JobState::Done);
    running.stop().await;
}

#[tokio::test]
async fn a_change_that_comes_in_mid_run_is_not_lost() {
    let host = Host::new();
    let told = Told::gated();
    let job = || NewJob::new("work", "ada").key("calendar");
    host.enqueue(job()).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    for _ in 0..10 {
        host.enqueue(job()).await;
    }
    told.open(10);
    host.soon(|| told.begun() == 2).await;
    host.until(Duration::from_millis(1), || async { host.count(JobState::Done).await == 2 }).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(told.begun(), 2, "ten changes in one run are one run more");
    running.stop().await;
}

#[tokio::test]
async fn a_job_can_come_again_and_again_even_if_it_was_given_up() {
    #[derive(Debug, Default)]
    struct Ticks(AtomicUsize);

    #[async_trait]
    impl JobHandler for Ticks {
        async fn run(&self, _: &JobRun) -> Result<Option<Repeat>> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                2 => Err(ErrorKind::DataFormat.into()),
                _ => Ok(Some(Repeat { after: Duration::from_secs(300), payload: None })),
            }
        }

        async fn given_up(&self, _: &JobRun, _: &Error) -> Option<Repeat> {
            Some(Repeat { after: Duration::from_secs(600), payload: None })
        }
    }

    let host = Host::new();
    let ticks = Arc::new(Ticks::default());
    host.enqueue(NewJob::new("tick", "ada").key("tick")).await;
    let began = integrations_core::clock::Clock::now(&host.clock);
    let running = host.run(host.pool().handler("tick", Arc::clone(&ticks) as _));
    host.until(Duration::from_secs(1), || async { ticks.0.load(Ordering::SeqCst) == 5 }).await;
    let took = (integrations_core::clock::Clock::now(&host.clock) - began).num_seconds();
    assert!((1_500..1_510).contains(&took), "{took} s");
    running.stop().await;
    assert_eq!(host.count(JobState::Dead).await, 1);
    assert_eq!(host.count(JobState::Waiting).await, 1);
}

#[tokio::test]
async fn an_outage_of_the_queue_is_waited_for_and_the_job_is_settled_once() {
    let host = Host::new();
    let told = Told::gated();
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&told) as _));
    host.soon(|| told.begun() == 1).await;
    host.queue.down.store(true, Ordering::SeqCst);
    told.open(2);
    host.until(Duration::from_millis(100), || async { host.queue.settlements.load(Ordering::SeqCst) >= 3 })
        .await;
    let other = host.enqueue(NewJob::new("work", "bob")).await;
    host.queue.down.store(false, Ordering::SeqCst);
    assert_eq!(host.until_finished(&id).await.state, JobState::Done);
    assert_eq!(host.until_finished(&other).await.state, JobState::Done);
    assert_eq!(told.begun(), 2, "neither was done twice");
    running.stop().await;
}

#[tokio::test]
async fn kinds_may_be_tried_more_or_less_often() {
    let host = Host::new();
    let told = fails(ErrorKind::Network);
    let id = host.enqueue(NewJob::new("once", "ada")).await;
    let pool = host.pool().handler("once", Arc::clone(&told) as _).retries_of("once", JobRetries::new(0));
    let running = host.run(pool);
    assert_eq!(host.until_finished(&id).await.state, JobState::Dead);
    assert_eq!(told.begun(), 1);
    running.stop().await;
}

#[tokio::test]
async fn progress_reaches_the_queue_while_the_job_runs_and_stays() {
    #[derive(Debug)]
    struct Slow(tokio::sync::Semaphore);

    #[async_trait]
    impl JobHandler for Slow {
        async fn run(&self, run: &JobRun) -> Result<Option<Repeat>> {
            run.progress(Progress { done: 5, total: Some(10), note: Some("half-way".into()) });
            self.0.acquire().await.unwrap().forget();
            run.progress(Progress { done: 10, total: Some(10), note: None });
            Ok(None)
        }
    }

    let host = Host::new();
    let slow = Arc::new(Slow(tokio::sync::Semaphore::new(0)));
    let id = host.enqueue(NewJob::new("work", "ada")).await;
    let running = host.run(host.pool().handler("work", Arc::clone(&slow) as _));
    host.until(Duration::from_millis(100), || async { host.record(&id).await.progress.is_some() }).await;
    let record = host.record(&id).await;
    assert_eq!(record.progress.unwrap().note.as_deref(), Some("half-way"));
    assert_eq!(record.worker.as_deref(), Some("test"));
    slow.0.add_permits(1);
    assert_eq!(host.until_finished(&id).await.progress.unwrap().done, 10);
    running.stop().await;
}

#[tokio::test]
async fn a_pool_that_could_do_nothing_is_refused() {
    let host = Host::new();
    let told = || Told::to(|_| Ok(None));
    for pool in [
        host.pool(),
        host.pool().handler("work", told()).concurrency("work", 0),
        host.pool().handler("work", told()).lease(Duration::ZERO),
    ] {
        assert_eq!(pool.build().unwrap_err().kind(), ErrorKind::Configuration);
    }
    assert!(host.queue.stats().await.unwrap().kinds.is_empty());
}
