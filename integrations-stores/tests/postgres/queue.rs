//! Do several processes share one queue?

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use integrations_core::queue::{
    JobKind, JobQuery, JobQueue, JobState, Lease, LeaseRequest, NewJob, Outcome, Payload, Settlement,
};
use integrations_stores::PostgresStore;
use tokio::sync::Mutex;

use crate::Schema;

const KIND: &str = "sync";
const MINUTE: Duration = Duration::from_secs(60);

async fn two() -> (PostgresStore, PostgresStore, Schema) {
    let schema = Schema::new();
    (schema.store().await, schema.store().await, schema)
}

async fn take(store: &PostgresStore, most: usize) -> Vec<Lease> {
    store.lease(&LeaseRequest::new("worker", KIND, most, MINUTE)).await.unwrap().leases
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    let clock = SystemClock::new();
    tokio::select! {
        value = what => value,
        () = clock.sleep(Duration::from_secs(30)) => panic!("it has not happened in 30 s"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres"]
async fn two_processes_lease_no_job_twice() {
    const JOBS: usize = 500;
    let (one, other, _schema) = two().await;
    let jobs = (0..JOBS).map(|number| NewJob::new(KIND, format!("user {}", number % 7))).collect();
    one.enqueue(jobs).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let store = if task % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let leases = take(&store, 10).await;
                    if leases.is_empty() {
                        return taken;
                    }
                    taken.extend(leases);
                }
            })
        })
        .collect();
    let (mut ids, mut count) = (HashSet::new(), 0);
    for task in tasks {
        for lease in task.await.unwrap() {
            ids.insert(lease.job.id);
            count += 1;
        }
    }
    assert_eq!((count, ids.len()), (JOBS, JOBS));
}

/// The first wait may end because the process has begun to listen, so the wake is told by the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn one_process_wakes_another() {
    let (one, other, _schema) = two().await;
    let kinds = [JobKind::from(KIND)];
    assert!(take(&one, 1).await.is_empty());
    soon(one.wait(&kinds)).await;
    assert!(take(&one, 1).await.is_empty());
    let waiter = {
        let one = one.clone();
        tokio::spawn(async move { one.wait(&[JobKind::from(KIND)]).await })
    };
    other.enqueue(vec![NewJob::new("other", "ada")]).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!waiter.is_finished(), "nothing of its kind has come");
    other.enqueue(vec![NewJob::new(KIND, "ada")]).await.unwrap();
    soon(waiter).await.unwrap();
    let lease = take(&one, 1).await.remove(0);
    assert!(take(&one, 1).await.is_empty());
    let waiter = tokio::spawn(async move { one.wait(&[JobKind::from(KIND)]).await });
    other.settle(vec![Settlement::new(lease.id(), Outcome::Release)]).await.unwrap();
    soon(waiter).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn a_listener_that_was_cut_off_wakes_everybody_once() {
    let schema = Schema::new();
    let store = schema.store().await;
    let kinds = [JobKind::from(KIND)];
    take(&store, 1).await;
    soon(store.wait(&kinds)).await;
    take(&store, 1).await;
    let waiter = tokio::spawn(async move { store.wait(&[JobKind::from(KIND)]).await });
    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%{}%' \
         AND pid <> pg_backend_pid()",
        schema.0
    );
    assert_eq!(schema.number(&cut).await, 1);
    soon(waiter).await.unwrap();
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn what_is_refused_leaves_nothing() {
    let schema = Schema::new();
    let store = schema.store().await;
    let jobs = vec![NewJob::new(KIND, "ada"), NewJob::new(KIND, "zero \0 byte")];
    assert_eq!(store.enqueue(jobs).await.unwrap_err().provider_code(), Some("invalid_text"));
    assert_eq!(schema.number("SELECT count(*) FROM $schema.jobs").await, 0);
    assert_eq!(schema.number("SELECT count(*) FROM $schema.job_turns").await, 0);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn an_older_lease_is_told_from_the_present_one_in_the_same_batch() {
    let schema = Schema::new();
    let store = schema.store().await;
    store.enqueue(vec![NewJob::new(KIND, "ada")]).await.unwrap();
    let older = take(&store, 1).await.remove(0);
    store.settle(vec![Settlement::new(older.id(), Outcome::Release)]).await.unwrap();
    let present = take(&store, 1).await.remove(0);
    let both = vec![Settlement::done(&older), Settlement::done(&present)];
    assert_eq!(store.settle(both).await.unwrap(), [false, true]);
}

/// On one thread the requests stand in line before the first is looked at, and so go together.
#[tokio::test]
#[ignore = "needs postgres"]
async fn requests_that_go_together_are_served_in_their_order() {
    const OTHER: &str = "other";
    let schema = Schema::new();
    let store = schema.store().await;
    let jobs = (0..6).map(|number| NewJob::new(KIND, "ada").payload(Payload::new(format!("{number}"))));
    let jobs = jobs.chain([NewJob::new(OTHER, "ada")]).collect();
    store.enqueue(jobs).await.unwrap();
    let requests = [
        LeaseRequest::new("worker", KIND, 2, MINUTE),
        LeaseRequest::new("another", KIND, 1, MINUTE),
        LeaseRequest::new("worker", KIND, 3, MINUTE),
        LeaseRequest::new("worker", KIND, 4, MINUTE).and(OTHER, 4),
        LeaseRequest::new("worker", KIND, 1, MINUTE),
    ];
    let leased = futures_util::future::join_all(requests.iter().map(|request| store.lease(request))).await;
    let leased: Vec<_> = leased.into_iter().map(|leased| leased.unwrap().leases).collect();
    let payloads = |place: usize| {
        let own = leased[place].iter();
        let texts: Vec<_> =
            own.map(|lease| str::from_utf8(lease.job.payload.as_bytes()).unwrap().to_owned()).collect();
        texts.join(" ")
    };
    assert_eq!([payloads(0), payloads(2), payloads(4)], ["0 1", "2 3 4", "5"], "those that are alike share");
    assert_eq!(leased[1], [], "what is left to those behind them is nothing");
    assert_eq!(leased[3].len(), 1, "of the other kind");
    assert_eq!(leased[3][0].job.kind, JobKind::from(OTHER));
    let running = store.find(&JobQuery::in_state(JobState::Running)).await.unwrap();
    assert_eq!(running.len(), 7);
    assert!(running.iter().all(|record| record.worker.as_deref() == Some("worker")));
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn who_waits_no_more_takes_no_job_from_others() {
    let schema = Schema::new();
    let store = schema.store().await;
    store.enqueue((0..3).map(|_| NewJob::new(KIND, "ada")).collect()).await.unwrap();
    let request = LeaseRequest::new("worker", KIND, 1, MINUTE);
    let first = store.lease(&request);
    {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut gone = store.lease(&request);
        assert!(gone.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(first.await.unwrap().leases.len(), 1);
    assert_eq!(schema.number("SELECT count(*) FROM $schema.jobs WHERE state = 2").await, 1);
}

/// The last change of each key is in the payload of a run. All keys stand in each batch, in other orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres"]
async fn many_at_once_lose_nothing() {
    const TASKS: u64 = 16;
    const ROUNDS: u64 = 40;
    let (one, other, schema) = two().await;
    let seen: Arc<Mutex<HashMap<String, HashSet<u64>>>> = Arc::default();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = if task % 2 == 0 { one.clone() } else { other.clone() };
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    let payload = Payload::new(round.to_string());
                    let mut jobs = vec![
                        NewJob::new(KIND, format!("user {task}")),
                        NewJob::new(KIND, "ada").key(format!("own {task}")).payload(payload.clone()),
                    ];
                    for key in 0..5 {
                        let key = format!("shared {}", (key * (task % 4 + 1) + round) % 5);
                        jobs.push(NewJob::new(KIND, "ada").key(key).payload(payload.clone()));
                    }
                    store.enqueue(jobs).await.unwrap();
                    for lease in take(&store, 3).await {
                        note(&seen, &lease).await;
                        let settlement = match (task + round) % 3 {
                            0 => Settlement::new(lease.id(), Outcome::Release),
                            1 => Settlement::new(lease.id(), Outcome::Retry { after: Duration::ZERO }),
                            _ => Settlement::done(&lease),
                        };
                        assert_eq!(store.settle(vec![settlement]).await.unwrap(), [true]);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(one.find(&JobQuery::in_state(JobState::Running)).await.unwrap(), []);
    loop {
        let leases = take(&one, 50).await;
        if leases.is_empty() {
            break;
        }
        for lease in &leases {
            note(&seen, lease).await;
        }
        let done = one.settle(leases.iter().map(Settlement::done).collect()).await.unwrap();
        assert!(done.iter().all(|held| *held));
    }
    let loose = "SELECT count(*) FROM $schema.job_history WHERE name IS NULL";
    assert_eq!(schema.number(loose).await, i64::try_from(TASKS * ROUNDS).unwrap());
    assert_eq!(schema.number("SELECT count(*) FROM $schema.jobs").await, 0);
    let seen = seen.lock().await;
    for task in 0..TASKS {
        assert!(seen[&format!("own {task}")].contains(&(ROUNDS - 1)), "the last change of {task} is lost");
    }
}

async fn note(seen: &Mutex<HashMap<String, HashSet<u64>>>, lease: &Lease) {
    if let Some(key) = &lease.job.key {
        let number = str::from_utf8(lease.job.payload.as_bytes()).unwrap().parse().unwrap();
        seen.lock().await.entry(key.to_string()).or_default().insert(number);
    }
}
