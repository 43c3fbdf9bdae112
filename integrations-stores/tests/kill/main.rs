//! Workers are killed at random while they work, and every job has its effect exactly once.
//!
//! Three children work on one queue. One of them is killed with SIGKILL, at a random point before, in or after what it
//! does to the queue and to the sink, and started again, two hundred times. Then everything comes to its end.

#![cfg(any(feature = "sqlite", feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test fails the test")]

mod child;
mod load;
mod place;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use tokio::sync::mpsc;

use crate::load::Load;
use crate::place::{Place, Stores};

const CHILDREN: usize = 3;
const KILLS: u64 = 200;
/// A child is killed within so many of its steps.
const KILL_WITHIN: u64 = 64;
/// A child that says nothing for so long has nothing to do.
const SILENCE: Duration = Duration::from_millis(50);
/// Who has so much to do is slow to start.
const ENOUGH: u64 = 10;
/// No child is silent for so long while there is work.
const HUNG: u32 = 600;
/// All that is left is done within this time.
const END: Duration = Duration::from_secs(90);
const SEED: u64 = 20_261_125;

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }
}

/// A child, with the lines that it has written and nobody has read.
struct Worker {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::UnboundedReceiver<()>,
}

impl Worker {
    fn start(place: &Place, faults: &Arc<Mutex<Vec<String>>>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        place.tell(&mut command);
        command.args(["child::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (told, lines) = mpsc::unbounded_channel();
        let faults = Arc::clone(faults);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line == child::STEP {
                    let _ = told.send(());
                } else if let Some(fault) = line.strip_prefix(child::FAULT) {
                    faults.lock().unwrap().push(fault.to_owned());
                }
            }
        });
        Self { child, stdin, lines }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.code().is_none(), "the child was not killed, but has come to its end: {status}");
    }

    /// Lets it end in good order.
    fn stop(mut self) {
        drop(self.stdin);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

struct Run {
    place: Place,
    stores: Stores,
    clock: SystemClock,
    random: Random,
    load: Load,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Run {
    /// Waits until a child has done so many steps more; it gets more to do when it does nothing.
    async fn steps(&mut self, worker: &mut Worker, steps: u64) {
        let mut silent = 0;
        for _ in 0..steps {
            loop {
                tokio::select! {
                    step = worker.lines.recv() => {
                        step.expect("a child has ended before it was killed");
                        break;
                    }
                    () = self.clock.sleep(SILENCE) => {
                        silent += 1;
                        assert!(silent < HUNG, "a child does nothing, whatever there is to do");
                        if self.stores.queue.stats().await.unwrap().total().ready < ENOUGH {
                            self.load.enqueue(&self.stores, &mut self.random).await;
                        }
                    }
                }
            }
        }
    }

    async fn kill_again_and_again(&mut self) -> Vec<Worker> {
        let start = |_| Some(Worker::start(&self.place, &self.faults));
        let mut workers: Vec<_> = (0..CHILDREN).map(start).collect();
        for _ in 0..KILLS {
            self.load.enqueue(&self.stores, &mut self.random).await;
            let (victim, steps) = (self.random.index(CHILDREN), self.random.below(KILL_WITHIN));
            let mut worker = workers[victim].take().unwrap();
            // What it has done since the last kill is not counted: it is to be met in the midst of its work.
            while worker.lines.try_recv().is_ok() {}
            self.steps(&mut worker, steps).await;
            for _ in 0..self.random.below(100_000) * self.random.below(2) {
                std::hint::spin_loop();
            }
            worker.kill();
            workers[victim] = Some(Worker::start(&self.place, &self.faults));
        }
        workers.into_iter().flatten().collect()
    }

    /// Waits until nothing waits or runs.
    async fn end(&self) {
        let until = self.clock.monotonic() + END;
        loop {
            let total = self.stores.queue.stats().await.unwrap().total();
            if total.ready + total.delayed + total.running == 0 {
                return;
            }
            if self.clock.monotonic() > until {
                let mut stuck = load::all(&self.stores).await;
                stuck.retain(|record| !record.state.is_finished());
                panic!("{} jobs are stuck: {stuck:#?}", stuck.len());
            }
            self.clock.sleep(SILENCE).await;
        }
    }
}

async fn two_hundred_kills(backend: &str) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(backend, folder.path());
    let stores = place.open().await;
    let seed = std::env::var("KILL_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    // Shown when the test fails.
    println!("{backend}: KILL_SEED={seed}");
    let (clock, faults) = (SystemClock::new(), Arc::default());
    let mut run = Run {
        place,
        stores,
        clock,
        random: Random(seed),
        load: Load::default(),
        faults: Arc::clone(&faults),
    };
    let workers = run.kill_again_and_again().await;
    let (killed_for, left) = (clock.monotonic(), run.stores.queue.stats().await.unwrap().total());
    run.end().await;
    workers.into_iter().for_each(Worker::stop);
    let lost = run.load.check(&run.stores).await;
    assert!(faults.lock().unwrap().is_empty(), "{:#?}", faults.lock().unwrap());
    let leases: u64 = lost.iter().map(|(times, jobs)| u64::from(*times) * jobs).sum();
    let Load { added, coalesced, again, .. } = run.load;
    let stats = run.stores.queue.stats().await.unwrap().total();
    println!(
        "{backend}: {KILLS} kills in {killed_for:.1?}, and then {} jobs left; all at its end after {:.1?}; {} jobs \
         done, {} dead, {} tries failed; {leases} leases lost, so often by so many jobs: {lost:?}; changes: {added} \
         added, {coalesced} coalesced, {again} again",
        left.ready + left.delayed + left.running,
        clock.monotonic(),
        stats.done_ever,
        stats.dead_ever,
        stats.retried_ever,
    );
    // A run that meets nobody at work shows nothing.
    assert!(leases > KILLS / 4, "{leases} leases lost");
    assert!(added > 0 && coalesced > 0 && again > 0);
    run.place.clear().await;
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_hundred_kills_on_sqlite() {
    two_hundred_kills("sqlite").await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs postgres"]
async fn two_hundred_kills_on_postgres() {
    two_hundred_kills("postgres").await;
}

#[cfg(all(feature = "redis", feature = "sqlite"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs redis"]
async fn two_hundred_kills_on_redis() {
    two_hundred_kills("redis").await;
}
