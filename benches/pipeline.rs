//! What does the way out cost a call: the whole pipeline over a transport that answers at once, next to
//! the transport alone?
//!
//! `cargo bench -p integrations-benches --bench pipeline` prints the time and the allocations that a call
//! costs beyond the bare transport (goals: 5 µs and 20), and the calls per second of 1, 16 and 256 tasks.

#![allow(clippy::disallowed_methods, reason = "a bench reads the machine's clock")]

use std::alloc::System;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use integrations_core::Result;
use integrations_core::auth::AccessToken;
use integrations_core::clock::SystemClock;
use integrations_core::http::{Pipeline, PipelineParts, Request, Response, Session, Transport};
use integrations_core::memory::MemoryStore;
use integrations_core::resilience::{Bulkhead, BulkheadLimits, Governor, Limits, PerService, Quota, Scope};
use integrations_google::{GoogleCalendar, GoogleConfig};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use url::Url;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A quota that is looked at and never used up.
const LIMITS: Limits =
    Limits::new(&[Quota::new(Scope::Connection, 1_000_000_000, Duration::from_secs(1)).burst(100_000_000)]);
const CALLS: u32 = 20_000;
const ROUNDS: usize = 15;

/// Answers at once.
#[derive(Debug)]
struct Instantly;

#[async_trait]
impl Transport for Instantly {
    async fn send(&self, _: Request) -> Result<Response> {
        Ok(Response::new(StatusCode::OK, HeaderMap::new(), "{}"))
    }
}

fn request() -> Request {
    match Url::parse("https://www.googleapis.com/calendar/v3/users/me/calendarList") {
        Ok(url) => Request::get("calendarList.list", url),
        Err(error) => panic!("{error}"),
    }
}

fn session() -> Result<Session> {
    let clock = SystemClock::shared();
    let values = Arc::new(MemoryStore::with_clock(Arc::clone(&clock)));
    let governor = Governor::builder().service("google_calendar", LIMITS).build();
    let mut parts = PipelineParts::new(Arc::new(Instantly), clock, values, Arc::new(governor));
    let mut limits = BulkheadLimits::default();
    (limits.service, limits.connection, limits.waiting) = (64, 64, 10_000);
    parts.bulkheads = PerService::new(move |_| Bulkhead::new(limits));
    let adapter = GoogleCalendar::new(GoogleConfig::builder().client("id", "secret").build()?);
    let token = AccessToken::new("ya29.token")?;
    Ok(Session::with_token(adapter, Arc::new(Pipeline::new(parts, 1)), "cn_1".into(), token))
}

/// Seconds and allocations per call.
struct Cost {
    seconds: f64,
    allocations: f64,
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
async fn measure<F: Future<Output = Result<Response>>>(call: impl Fn() -> F) -> Result<Cost> {
    let region = Region::new(ALLOCATOR);
    let start = Instant::now();
    for _ in 0..CALLS {
        call().await?;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(CALLS);
    Ok(Cost { seconds, allocations: region.change().allocations as f64 / f64::from(CALLS) })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn contention(session: &Session, tasks: u32) -> Result<f64> {
    let each = CALLS * 4 / tasks;
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    session.send(request()).await?;
                }
                Ok::<_, integrations_core::Error>(())
            })
        })
        .collect();
    for task in running {
        if let Ok(outcome) = task.await {
            outcome?;
        }
    }
    Ok(f64::from(each * tasks) / start.elapsed().as_secs_f64())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let session = session()?;
    let bare: Arc<dyn Transport> = Arc::new(Instantly);
    let (mut times, mut allocations) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = measure(|| bare.send(request())).await?;
        let whole = measure(|| session.send(request())).await?;
        times.push((whole.seconds - alone.seconds) * 1e6);
        allocations.push(whole.allocations - alone.allocations);
    }
    println!("tasks  calls/s");
    for tasks in [1, 16, 256] {
        println!("{tasks:>5}  {:.0}", contention(&session, tasks).await?);
    }
    println!(
        "pipeline: {:.2} µs and {:.1} allocations a call beyond the bare transport",
        median(times),
        median(allocations)
    );
    Ok(())
}
