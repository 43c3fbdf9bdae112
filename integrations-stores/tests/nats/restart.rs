//! What happens when the server is killed in the middle of the work?

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use integrations_core::queue::{JobId, JobQueue, LeaseRequest, NewJob, Payload, Settlement};
use integrations_core::{Error, ErrorKind};
use integrations_stores::NatsQueue;
use integrations_testkit::conformance::clock;
use tempfile::TempDir;
use tokio::sync::watch;

/// A server of the test's own, with its files.
struct Server {
    port: u16,
    directory: TempDir,
    process: Child,
}

impl Server {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let process = run(port, &directory, true);
        Self { port, directory, process }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// As a crash ends it: no time to write anything.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn restart(&mut self) {
        self.process = run(self.port, &self.directory, true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(port: u16, directory: &TempDir, jetstream: bool) -> Child {
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(directory.path());
    if jetstream {
        command.arg("-js");
    }
    let mut process = command.stderr(Stdio::piped()).spawn().expect("nats-server, installed");
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Server is ready"));
    assert!(ready, "the server did not start");
    // It must not wait for somebody to read what it logs.
    std::thread::spawn(move || lines.for_each(drop));
    process
}

async fn queue(server: &Server, clock: &integrations_core::clock::ManualClock) -> NatsQueue {
    let queue = NatsQueue::builder()
        .clock(Arc::new(clock.clone()))
        .answer_timeout(Duration::from_secs(2))
        .connect(&server.url())
        .await
        .unwrap();
    queue.migrate().await.unwrap();
    queue
}

#[derive(Default)]
struct Seen {
    acknowledged: Mutex<HashSet<JobId>>,
    done: Mutex<HashSet<JobId>>,
    errors: Mutex<Vec<Error>>,
    over: AtomicBool,
    enqueued: AtomicUsize,
}

impl Seen {
    fn failed(&self, error: Error) {
        self.errors.lock().unwrap().push(error);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs nats"]
async fn work_goes_on_and_nothing_is_lost_that_was_acknowledged() {
    let mut server = Server::start();
    let clock = clock();
    let seen = Arc::new(Seen::default());
    let progress = watch::Sender::new(0_usize);
    let mut tasks = Vec::new();
    for producer in 0..2 {
        let (queue, seen) = (queue(&server, &clock).await, Arc::clone(&seen));
        tasks.push(tokio::spawn(async move {
            while !seen.over.load(Ordering::SeqCst) {
                let number = seen.enqueued.fetch_add(10, Ordering::SeqCst);
                let job =
                    |job| NewJob::new("kind", format!("user {job}")).payload(Payload::new(vec![7; 100]));
                let jobs = (number..number + 10).map(|number| match number % 3 {
                    0 => job(number % 5).key(format!("{producer} {}", number % 50)),
                    _ => job(number % 5),
                });
                match queue.enqueue(jobs.collect()).await {
                    Ok(enqueued) => {
                        seen.acknowledged.lock().unwrap().extend(enqueued.into_iter().map(|one| one.id));
                    }
                    Err(error) => seen.failed(error),
                }
            }
        }));
    }
    for worker in 0..2 {
        let (queue, seen, progress) = (queue(&server, &clock).await, Arc::clone(&seen), progress.clone());
        tasks.push(tokio::spawn(async move {
            let request = LeaseRequest::new(format!("worker {worker}"), "kind", 20, Duration::from_secs(60));
            while !seen.over.load(Ordering::SeqCst) {
                match work(&queue, &request).await {
                    Ok(done) => {
                        progress.send_modify(|progress| *progress += done.len());
                        seen.done.lock().unwrap().extend(done);
                    }
                    Err(error) => seen.failed(error),
                }
            }
        }));
    }
    let mut working = progress.subscribe();
    for round in 1..=3 {
        working.wait_for(|done| *done >= round * 300).await.unwrap();
        server.kill();
        server.restart();
    }
    working.wait_for(|done| *done >= 1500).await.unwrap();
    seen.over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    // What was leased and not settled is lost by its worker, and done by the next.
    clock.advance(Duration::from_secs(61));
    let queue = queue(&server, &clock).await;
    let request = LeaseRequest::new("last", "kind", 100, Duration::from_secs(60));
    loop {
        let done = work(&queue, &request).await.unwrap();
        if done.is_empty() {
            break;
        }
        seen.done.lock().unwrap().extend(done);
    }
    let total = queue.stats().await.unwrap().total();
    assert_eq!((total.ready, total.delayed, total.running, total.dead), (0, 0, 0, 0));
    let (acknowledged, done) = (seen.acknowledged.lock().unwrap(), seen.done.lock().unwrap());
    let lost: Vec<_> = acknowledged.difference(&done).collect();
    assert!(lost.is_empty(), "{} of {} jobs are lost, such as {:?}", lost.len(), acknowledged.len(), lost[0]);
    for error in &*seen.errors.lock().unwrap() {
        assert_eq!(error.kind(), ErrorKind::Store, "{error:?}");
        let code = error.provider_code();
        assert!(matches!(code, Some("nats_unreachable" | "nats_unavailable")), "{error:?}");
    }
}

async fn work(queue: &NatsQueue, request: &LeaseRequest) -> Result<Vec<JobId>, Error> {
    let leased = queue.lease(request).await?.leases;
    let held = queue.settle(leased.iter().map(Settlement::done).collect()).await?;
    let done = leased.into_iter().zip(held).filter(|(_, held)| *held);
    Ok(done.map(|(lease, _)| lease.job.id).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs nats"]
async fn while_the_server_is_away_every_call_fails_in_time() {
    let mut server = Server::start();
    let clock = clock();
    let queue = queue(&server, &clock).await;
    queue.enqueue(vec![NewJob::new("kind", "ada").key("key")]).await.unwrap();
    server.kill();
    let request = LeaseRequest::new("worker", "kind", 20, Duration::from_secs(60));
    let errors = [
        queue.enqueue(vec![NewJob::new("kind", "ada")]).await.unwrap_err(),
        queue.lease(&request).await.unwrap_err(),
        queue.stats().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Store, Some("nats_unreachable")));
    }
    server.restart();
    // What was sent while the server was away may come to it now, or not. So the job may be leased by the call that
    // has failed, and is free when that lease has run out.
    for _ in 0..5 {
        // The connection may need a moment, for which the calls wait.
        let leased = loop {
            if let Ok(leased) = queue.lease(&request).await {
                break leased.leases;
            }
        };
        if leased.iter().any(|lease| lease.job.key.is_some()) {
            return;
        }
        clock.advance(Duration::from_secs(61));
    }
    panic!("the job that was acknowledged does not come again");
}

#[tokio::test]
#[ignore = "needs nats"]
async fn a_server_without_jetstream_is_no_queue() {
    let mut server = Server::start();
    server.kill();
    server.process = run(server.port, &server.directory, false);
    let error = NatsQueue::connect(&server.url()).await.unwrap_err();
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("jetstream_disabled")));
}
