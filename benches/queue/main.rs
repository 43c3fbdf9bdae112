//! How fast are the queues, how soon does a job begin, and what does the schedule of many connections cost?
//!
//! `cargo bench -p integrations-benches --bench queue -- --store sqlite` measures one backend (`memory`, `sqlite`,
//! `postgres`, `redis` or `nats`; all of them without `--store`). `--peers` adds the races against BullMQ, pg-boss and
//! graphile-worker, which need Node, `--quick` does less of everything. `--only throughput` (or `latency`,
//! `schedule`, `peers`) leaves the rest out. The servers are those of `POSTGRES_URL`, `REDIS_URL` and `NATS_URL`, by
//! default the ones on this machine; what is made there is removed again.

mod backend;
mod latency;
mod load;
mod peers;
mod schedule;

use std::fs;

use integrations_benches::Result;
use integrations_benches::figures::{Spread, count};

use self::backend::Backend;

/// How much of everything is done.
struct Size {
    /// Seconds that each way to put in, lease and settle has.
    seconds: f64,
    /// Jobs of a queue that is filled first.
    jobs: usize,
    /// Jobs whose waiting is timed.
    waits: usize,
    connections: usize,
    ticks: usize,
    rounds: usize,
}

const FULL: Size =
    Size { seconds: 3.0, jobs: 20_000, waits: 1_000, connections: 10_000, ticks: 21, rounds: 3 };
const QUICK: Size = Size { seconds: 1.0, jobs: 4_000, waits: 200, connections: 2_000, ticks: 7, rounds: 1 };

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !options.contains(&"--bench") {
        println!("queue: nothing to test; run it with `cargo bench`");
        return Ok(());
    }
    let size = if options.contains(&"--quick") { QUICK } else { FULL };
    let only = value(&options, "--only");
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    let backends = match value(&options, "--store") {
        None => Backend::ALL.to_vec(),
        Some(name) => vec![Backend::named(name).ok_or_else(|| format!("there is no store {name}"))?],
    };
    for backend in backends {
        println!("{backend}, with a load of {} to begin with", machine_load());
        // First of all, while the process is small.
        if wanted("schedule") {
            schedule(backend, &size).await?;
        }
        if wanted("latency") {
            latency(backend, &size).await?;
        }
        if wanted("throughput") {
            throughput(backend, &size).await?;
        }
        if options.contains(&"--peers") && wanted("peers") {
            peers::race(backend, size.jobs, size.rounds).await?;
        }
        println!("  (load at the end: {})\n", machine_load());
    }
    Ok(())
}

fn value<'a>(options: &[&'a str], name: &str) -> Option<&'a str> {
    let at = options.iter().position(|option| *option == name)?;
    options.get(at + 1).copied()
}

/// How many processes want to run, from Linux' `/proc`.
fn machine_load() -> String {
    let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    loads.split(' ').next().unwrap_or_default().to_owned()
}

async fn schedule(backend: Backend, size: &Size) -> Result<()> {
    let seen = backend.with(async |site| schedule::measure(site, size.connections, size.ticks).await).await?;
    println!(
        "  schedule of {} connections: reconcile {:.2} s, once more {:.2} s; with {} delayed jobs {:.1} MiB more than \
         before, {:.1} in all",
        size.connections, seen.reconcile, seen.again, seen.delayed, seen.grown_mib, seen.resident_mib
    );
    for (due, times) in seen.ticks {
        println!("    a tick with {due:>3} due: {times} ms");
    }
    Ok(())
}

async fn latency(backend: Backend, size: &Size) -> Result<()> {
    backend
        .with(async |site| {
            let show = |from: &str, waits: latency::Waits| {
                let [median, most] = [50, 99].map(|percent| waits.percentile(percent));
                println!("  job put in by {from} to handler: p50 {median:.2} ms, p99 {most:.2} ms");
            };
            show("the same process", latency::waits(&site.queue, &*site.queue, size.waits).await?);
            if let Some(other) = site.elsewhere().await? {
                show("another process", latency::waits(&site.queue, &*other, size.waits).await?);
            }
            Ok(())
        })
        .await
}

async fn throughput(backend: Backend, size: &Size) -> Result<()> {
    println!("  put in, leased and settled, jobs/s:");
    for (batch, tasks) in [(1, 1), (1, 8), (100, 1), (100, 8)] {
        let mut rates = Vec::new();
        for _ in 0..size.rounds {
            let trips =
                backend.with(async |site| load::round_trips(&site.queue, tasks, batch, size.seconds).await);
            rates.push(trips.await?);
        }
        show(&format!("{batch} at a time, {tasks} tasks"), rates, goal(backend, batch, tasks));
    }
    println!("  {} jobs that were there, jobs/s:", size.jobs);
    let mut fillings = Vec::new();
    for (concurrency, name) in [(0, "8 loops of 100"), (8, "a pool of 8"), (100, "a pool of 100")] {
        let mut rates = Vec::new();
        for _ in 0..size.rounds {
            let (filling, rate) = backend
                .with(async |site| {
                    let filling = load::fill(&*site.queue, size.jobs).await?;
                    let rate = match concurrency {
                        0 => load::loops(&site.queue, size.jobs, 8, 100).await?,
                        _ => load::pool(&site.queue, size.jobs, concurrency).await?,
                    };
                    Ok((filling, rate))
                })
                .await?;
            fillings.push(filling);
            rates.push(rate);
        }
        show(name, rates, None);
    }
    show("put in, 1000 at a time", fillings, None);
    Ok(())
}

fn goal(backend: Backend, batch: usize, tasks: usize) -> Option<f64> {
    match (backend, batch, tasks) {
        (Backend::Sqlite, 1, 8) => Some(5_000.0),
        (Backend::Sqlite, 100, 8) => Some(20_000.0),
        _ => None,
    }
}

fn show(name: &str, rates: Vec<f64>, goal: Option<f64>) {
    let Spread { low, median, high } = Spread::of(rates);
    print!("    {name:<24} {:>9} ({}–{})", count(median), count(low), count(high));
    match goal {
        Some(goal) if median < goal => println!("  goal {}, MISSED", count(goal)),
        Some(goal) => println!("  goal {}", count(goal)),
        None => println!(),
    }
}
