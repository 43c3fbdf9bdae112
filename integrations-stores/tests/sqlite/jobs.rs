//! What does the queue in a file promise beyond the suite?

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use integrations_core::ErrorKind;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::queue::{
    Enqueuing, Heartbeat, JobId, JobKind, JobQuery, JobQueue, JobState, LeaseRequest, NewJob, Outcome,
    Payload, Progress, Settlement,
};
use integrations_stores::SqliteStore;
use integrations_testkit::conformance::clock;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

use crate::directory;

const MINUTE: Duration = Duration::from_secs(60);
const KIND: &str = "kind";

async fn open(path: &Path, clock: &ManualClock) -> SqliteStore {
    SqliteStore::builder().clock(Arc::new(clock.clone())).open(path).await.unwrap()
}

/// As two processes have them: no connection in common.
async fn two() -> (SqliteStore, SqliteStore, ManualClock, TempDir) {
    let (directory, clock) = (directory(), clock());
    let path = directory.path().join("app.db");
    (open(&path, &clock).await, open(&path, &clock).await, clock, directory)
}

fn job(owner: &str) -> NewJob {
    NewJob::new(KIND, owner)
}

fn want(most: usize) -> LeaseRequest {
    LeaseRequest::new("worker", KIND, most, MINUTE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_handles_lease_no_job_twice() {
    const JOBS: usize = 400;
    let (one, other, _clock, _directory) = two().await;
    one.enqueue((0..JOBS).map(|number| job(&format!("user {}", number % 7))).collect()).await.unwrap();
    let runners = (0..8).map(|runner| {
        let queue = if runner % 2 == 0 { one.clone() } else { other.clone() };
        tokio::spawn(async move {
            let mut done = Vec::new();
            loop {
                let leased = queue.lease(&want(runner % 3 + 1)).await.unwrap().leases;
                if leased.is_empty() {
                    return done;
                }
                let held = queue.settle(leased.iter().map(Settlement::done).collect()).await.unwrap();
                assert!(held.into_iter().all(|held| held));
                done.extend(leased.into_iter().map(|lease| (lease.fence, lease.job.id)));
            }
        })
    });
    let done: Vec<_> = join_all(runners).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(done.len(), JOBS);
    let (mut fences, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (fence, id) in done {
        assert!(fences.insert(fence) && ids.insert(id.clone()), "{id} or {fence:?} came twice");
    }
}

#[tokio::test]
async fn all_that_is_in_the_queue_survives_reopening() {
    let (directory, clock) = (directory(), clock());
    let path = directory.path().join("app.db");
    let queue = open(&path, &clock).await;
    let runs = job("runs").key("key").payload(Payload::new("first"));
    queue.enqueue(vec![runs.clone()]).await.unwrap();
    let running = queue.lease(&want(1)).await.unwrap().leases.remove(0);
    let twin = queue.enqueue(vec![runs.payload(Payload::new("again"))]).await.unwrap().remove(0);
    assert_eq!((&twin.id, twin.how), (&running.job.id, Enqueuing::Again));
    let progress = Some(Progress { done: 1, total: Some(2), note: None });
    let heartbeat = Heartbeat { lease: running.id(), ttl: MINUTE, progress };
    assert_eq!(queue.extend(vec![heartbeat]).await.unwrap(), [true]);
    let dead = job("dies").payload(Payload::new("dead"));
    queue.enqueue(vec![dead, job("waits"), job("later").delay(MINUTE)]).await.unwrap();
    let dies = queue.lease(&want(1)).await.unwrap().leases.remove(0);
    queue.settle(vec![Settlement::new(dies.id(), Outcome::Dead)]).await.unwrap();
    let (records, stats) =
        (queue.find(&JobQuery::default()).await.unwrap(), JobQueue::stats(&queue).await.unwrap());
    assert_eq!(records.len(), 4);
    drop(queue);

    let queue = open(&path, &clock).await;
    assert_eq!(queue.find(&JobQuery::default()).await.unwrap(), records);
    assert_eq!(JobQueue::stats(&queue).await.unwrap(), stats);
    assert_eq!(queue.settle(vec![Settlement::done(&running)]).await.unwrap(), [true]);
    let next = queue.lease(&want(10)).await.unwrap().leases;
    let payloads: Vec<_> = next.iter().map(|lease| lease.job.payload.as_bytes()).collect();
    assert_eq!(payloads, [b"".as_slice(), b"again"]);
    assert!(next[0].fence > dies.fence && next[1].fence > next[0].fence);
    clock.advance(MINUTE);
    assert!(
        queue.lease(&want(10)).await.unwrap().leases.iter().any(|lease| lease.job.owner == "later".into())
    );
}

/// Each of two processes that share a file puts jobs into it, and the other one is waiting.
#[tokio::test]
async fn what_another_process_does_ends_the_waiting() {
    let (one, other, clock, _directory) = two().await;
    let kinds = [JobKind::new(KIND)];
    let wakes = async |how: &str| {
        let mut waits = Box::pin(one.wait(&kinds));
        // Waiting for so long in the clock's time is enough, and less is fine.
        for _ in 0..100 {
            tokio::select! {
                biased;
                () = &mut waits => return,
                () = async {
                    while clock.sleepers() == 0 {
                        tokio::task::yield_now().await;
                    }
                } => clock.advance(Duration::from_millis(50)),
            }
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        panic!("nobody wakes, although {how}");
    };
    assert_eq!(one.lease(&want(1)).await.unwrap().next_due, None);
    other.enqueue(vec![job("ada").delay(MINUTE)]).await.unwrap();
    wakes("a job will be due").await;
    assert!(one.lease(&want(1)).await.unwrap().next_due.unwrap() <= MINUTE);
    other.enqueue(vec![job("ada")]).await.unwrap();
    wakes("a job is due").await;
    let lease = one.lease(&want(1)).await.unwrap().leases.remove(0);
    one.settle(vec![Settlement::done(&lease)]).await.unwrap();

    // If that process dies now, it is this one that has to know when the lease runs out.
    other.enqueue(vec![job("ada")]).await.unwrap();
    other.lease(&LeaseRequest::new("worker", KIND, 1, MINUTE / 4)).await.unwrap();
    wakes("a lease will run out").await;
    assert!(one.lease(&want(1)).await.unwrap().next_due.unwrap() <= MINUTE / 4);
}

#[tokio::test]
async fn what_else_is_written_does_not_end_the_waiting() {
    let (one, other, clock, _directory) = two().await;
    let kinds = [JobKind::new(KIND)];
    one.lease(&want(1)).await.unwrap();
    let mut waits = Box::pin(one.wait(&kinds));
    for round in 0..5 {
        other.enqueue(vec![NewJob::new("other kind", "ada")]).await.unwrap();
        one.enqueue(vec![NewJob::new("other kind", "ada")]).await.unwrap();
        tokio::select! {
            biased;
            () = &mut waits => panic!("woken in round {round}"),
            () = async {
                while clock.sleepers() == 0 {
                    tokio::task::yield_now().await;
                }
            } => clock.advance(Duration::from_millis(50)),
        }
    }
}

#[tokio::test]
async fn a_call_that_is_refused_fails_no_other() {
    let (queue, _other, _clock, _directory) = two().await;
    let calls = (0..30).map(|number| {
        let payload = Payload::new(vec![0; if number % 3 == 0 { Payload::MAX + 1 } else { 10 }]);
        let queue = &queue;
        async move { (number, queue.enqueue(vec![job("ada"), job("ada").payload(payload)]).await) }
    });
    for (number, result) in join_all(calls).await {
        match result {
            Ok(_) => assert_ne!(number % 3, 0),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                assert_eq!((error.provider_code(), number % 3), (Some("payload_too_large"), 0));
            }
        }
    }
    assert_eq!(JobQueue::stats(&queue).await.unwrap().total().ready, 40);
}

/// A queue that is set up anew, after its file was lost, gives higher fences than the old one.
#[tokio::test]
async fn fences_grow_over_files() {
    let (directory, clock) = (directory(), clock());
    let mut last = None;
    for name in ["old.db", "new.db"] {
        let queue = open(&directory.path().join(name), &clock).await;
        for _ in 0..3 {
            queue.enqueue(vec![job("ada")]).await.unwrap();
            let fence = queue.lease(&want(1)).await.unwrap().leases[0].fence;
            assert!(Some(fence) > last, "{fence:?} after {last:?}");
            last = Some(fence);
        }
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn users_whose_turn_is_past_are_forgotten() {
    let (queue, _other, _clock, directory) = two().await;
    queue.enqueue(vec![job("stays"), job("stays")]).await.unwrap();
    for round in 0..40 {
        queue.enqueue((0..20).map(|user| job(&format!("user {round} {user}"))).collect()).await.unwrap();
        queue.enqueue(vec![job("stays")]).await.unwrap();
        assert_eq!(queue.lease(&want(21)).await.unwrap().leases.len(), 21);
    }
    let mut raw =
        SqliteConnectOptions::new().filename(directory.path().join("app.db")).connect().await.unwrap();
    let turns: i64 = sqlx::query_scalar("SELECT count(*) FROM job_turns").fetch_one(&mut raw).await.unwrap();
    assert!(turns < 100, "{turns} of 800 users");
}

/// More than go into one statement, and more bytes.
#[tokio::test]
async fn many_large_jobs_go_in_at_once() {
    let (queue, other, _clock, _directory) = two().await;
    let jobs = (0..2_500usize).map(|number| {
        let payload = Payload::new(vec![
            u8::try_from(number % 251).unwrap();
            if number % 100 == 0 { Payload::MAX } else { number }
        ]);
        job(&format!("user {number}")).payload(payload)
    });
    let jobs: Vec<NewJob> = jobs.collect();
    assert_eq!(queue.enqueue(jobs.clone()).await.unwrap().len(), jobs.len());
    let leases = other.lease(&want(usize::MAX)).await.unwrap().leases;
    assert_eq!(leases.len(), jobs.len());
    for (lease, job) in leases.iter().zip(&jobs) {
        assert!(lease.job.owner == job.owner && lease.job.payload == job.payload);
    }
}

#[tokio::test]
async fn what_is_finished_is_purged_whole() {
    const JOBS: usize = 4_500;
    let (queue, _other, clock, directory) = two().await;
    queue.enqueue((0..JOBS).map(|_| job("ada").payload(Payload::new("p"))).collect()).await.unwrap();
    queue.enqueue(vec![job("waits").payload(Payload::new("p"))]).await.unwrap();
    let leases = queue.lease(&want(JOBS)).await.unwrap().leases;
    let owners = leases.iter().filter(|lease| lease.job.owner == "waits".into()).count();
    queue.settle(leases.iter().map(Settlement::done).collect()).await.unwrap();
    assert_eq!(queue.purge(clock.now()).await.unwrap(), 0);
    clock.advance(MINUTE);
    assert_eq!(queue.purge(clock.now()).await.unwrap(), JOBS as u64);
    let mut raw =
        SqliteConnectOptions::new().filename(directory.path().join("app.db")).connect().await.unwrap();
    let left: (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM job_payloads)")
            .fetch_one(&mut raw)
            .await
            .unwrap();
    assert_eq!((left, owners), ((1, 1), 1));
}

const CHILD: &str = "QUEUE_CHILD";

/// The process that is killed: it works as fast as it can, and tells what it was promised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of another test"]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let queue = SqliteStore::open(PathBuf::from(path)).await.unwrap();
    let runners = (0..4).map(|runner| {
        let queue = queue.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let jobs =
                    (0..3).map(|part| job("ada").payload(Payload::new(format!("{runner} {number} {part}"))));
                for enqueued in queue.enqueue(jobs.collect()).await.unwrap() {
                    say("@in", &enqueued.id);
                }
                let leases = queue.lease(&want(2)).await.unwrap().leases;
                let ends = leases.iter().map(|lease| match number % 3 {
                    0 => Settlement::new(lease.id(), Outcome::Retry { after: Duration::ZERO }),
                    _ => Settlement::done(lease),
                });
                queue.settle(ends.collect()).await.unwrap();
                if number % 3 != 0 {
                    for lease in &leases {
                        say("@done", &lease.job.id);
                    }
                }
            }
        })
    });
    join_all(runners).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_every_job_whole() {
    let directory = directory();
    let path = directory.path().join("app.db");
    drop(SqliteStore::open(&path).await.unwrap());
    let (mut put, mut done) = (BTreeSet::new(), BTreeSet::new());
    for kill in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "jobs::child", "--ignored", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = 0;
        for line in lines.by_ref() {
            told += usize::from(hear(&line.unwrap(), &mut put, &mut done));
            if told == 40 * kill {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(told >= 40 * kill, "the child has ended by itself after {told} lines");
    }
    let queue = SqliteStore::open(&path).await.unwrap();
    let all = queue.find(&JobQuery::default().page(None, usize::MAX)).await.unwrap();
    let ids: BTreeSet<String> = all.iter().map(|record| record.job.id.to_string()).collect();
    assert!(put.is_subset(&ids), "{} jobs are lost", put.difference(&ids).count());
    assert_eq!(all.len() % 3, 0, "jobs that came together are there together");
    for record in &all {
        assert_eq!(record.state.is_finished(), record.finished_at.is_some(), "{record:?}");
        assert_eq!(record.state.is_finished(), record.due_at.is_none(), "{record:?}");
        let text = String::from_utf8(record.job.payload.as_bytes().to_vec()).unwrap();
        assert_eq!(text.split(' ').count(), 3, "{record:?}");
        let finished = done.contains(record.job.id.as_str());
        assert!(!finished || record.state == JobState::Done, "{record:?}");
    }
    let mut raw = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut raw).await.unwrap();
    assert_eq!(check, "ok");
    let stats = JobQueue::stats(&queue).await.unwrap().total();
    let count = |state| all.iter().filter(|record| record.state == state).count() as u64;
    assert_eq!((stats.done_ever, stats.running), (count(JobState::Done), count(JobState::Running)));
    assert_eq!(stats.ready + stats.delayed, count(JobState::Waiting));
}

fn say(what: &str, id: &JobId) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n{what} {id}");
    let _ = out.flush();
}

fn hear(line: &str, put: &mut BTreeSet<String>, done: &mut BTreeSet<String>) -> bool {
    let (list, id) = match (line.strip_prefix("@in "), line.strip_prefix("@done ")) {
        (Some(id), _) => (put, id),
        (_, Some(id)) => (done, id),
        _ => return false,
    };
    list.insert(id.to_owned())
}
