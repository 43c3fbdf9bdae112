//! How much of a provider's quota is used, how often it says 429, and how evenly connections share it?
//!
//! A simulated provider stands on a simulated clock, which jumps from one sleeper to the next: hours pass in
//! seconds, and every run with the same seed is the same. Connections always want more than they get.
//!
//! `cargo bench -p integrations-benches --bench quota`

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::ConnectionId;
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::Clock;
use integrations_core::memory::MemoryStore;
use integrations_core::resilience::{
    Call, Governor, Limits, Observation, Quota, RateLimiter, Reply, Scope, Turnstile,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const SEED: u64 = 7;

fn main() {
    println!(
        "{:<58} {:>6} {:>9} {:>8} {:>7} {:>6}",
        "provider; what is known of it", "conns", "calls", "used %", "429 %", "fair %"
    );
    let mut failed = false;
    for case in cases() {
        let result = tokio::runtime::Builder::new_current_thread()
            .build()
            .map(|runtime| runtime.block_on(run(&case)))
            .unwrap_or_default();
        let met = result.used >= 95.0 && result.refused < 0.1 && result.fair >= 80.0;
        failed |= !met;
        println!(
            "{:<58} {:>6} {:>9} {:>8.2} {:>7.3} {:>6.1}{}",
            case.name,
            case.connections,
            result.calls,
            result.used,
            result.refused,
            result.fair,
            if met { "" } else { "  MISSED" }
        );
    }
    println!(
        "goals: used >= 95 %, calls answered 429 < 0.1 %, least share of a connection >= 80 % of a fair one"
    );
    std::process::exit(i32::from(failed));
}

/// What is simulated.
struct Case {
    name: &'static str,
    connections: usize,
    governors: usize,
    limits: Limits,
    provider: Enforced,
    lasts: Duration,
}

/// What the provider enforces.
#[derive(Clone, Copy)]
struct Enforced {
    scope: Scope,
    units: u32,
    per: Duration,
    /// Fixed windows with headers, as GitHub has; sliding ones without headers, if not.
    headers: bool,
    retry_after: bool,
}

fn cases() -> Vec<Case> {
    const USER: Limits = Limits::new(&[Quota::new(Scope::Connection, 600, MINUTE)]);
    const APP: Limits =
        Limits::new(&[Quota::new(Scope::App, 10_000, MINUTE), Quota::new(Scope::Connection, 600, MINUTE)]);
    const OPTIMIST: Limits = Limits::new(&[Quota::new(Scope::Connection, 1_000, MINUTE)]);
    let sliding =
        |scope, units, retry_after| Enforced { scope, units, per: MINUTE, headers: false, retry_after };
    let mut cases = Vec::new();
    for connections in [1, 10, 100] {
        for retry_after in [true, false] {
            cases.push(Case {
                name: if retry_after {
                    "600/min/user, Retry-After; table"
                } else {
                    "600/min/user, bare 429; table"
                },
                connections,
                governors: 1,
                limits: USER,
                provider: sliding(Scope::Connection, 600, retry_after),
                lasts: if connections == 100 { HOUR / 6 } else { HOUR },
            });
        }
        if connections > 1 {
            cases.push(Case {
                name: "10,000/min/app, bare 429; table",
                connections: if connections == 10 { 20 } else { 100 },
                governors: 1,
                limits: APP,
                provider: sliding(Scope::App, 10_000, false),
                lasts: HOUR / 6,
            });
        }
    }
    for (name, limits, retry_after) in [
        ("600/min/user, Retry-After; table says 1,000", OPTIMIST, true),
        ("600/min/user, bare 429; table says 1,000", OPTIMIST, false),
        ("600/min/user, bare 429; nothing known", Limits::UNKNOWN, false),
    ] {
        cases.push(Case {
            name,
            connections: 10,
            governors: 1,
            limits,
            provider: sliding(Scope::Connection, 600, retry_after),
            lasts: HOUR * 4,
        });
    }
    cases.push(Case {
        name: "5,000/h/user, fixed window and headers; nothing known",
        connections: 10,
        governors: 1,
        limits: Limits::UNKNOWN,
        provider: Enforced {
            scope: Scope::Connection,
            units: 5_000,
            per: HOUR,
            headers: true,
            retry_after: true,
        },
        lasts: HOUR * 4,
    });
    for (name, connections) in
        [("10,000/min/app, bare 429; table, 3 governors, 1 store", 60), ("the same", 99)]
    {
        cases.push(Case {
            name,
            connections,
            governors: 3,
            limits: APP,
            provider: sliding(Scope::App, 10_000, false),
            lasts: HOUR / 6,
        });
    }
    cases
}

#[derive(Default)]
struct Figures {
    calls: u64,
    used: f64,
    refused: f64,
    fair: f64,
}

/// The first window is not counted: it starts with an empty quota.
#[allow(clippy::cast_precision_loss, reason = "numbers of calls are far below 2^52")]
async fn run(case: &Case) -> Figures {
    let clock = SimClock::new();
    let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let provider = Arc::new(Provider::new(case.provider));
    let turnstiles: Vec<_> = (0..case.governors)
        .map(|number| {
            let mut builder = Governor::builder().service("service", case.limits).seed(SEED + number as u64);
            if case.governors > 1 {
                builder = builder.shared(Arc::clone(&store));
            }
            let governor: Arc<dyn RateLimiter> = Arc::new(builder.build());
            Turnstile::new(governor, Arc::new(clock.clone()))
        })
        .collect();
    for number in 0..case.connections {
        // Several calls under way for each connection, as a busy sync has.
        for worker in 0..4 {
            tokio::spawn(connection(
                clock.clone(),
                turnstiles[number % case.governors].clone(),
                Arc::clone(&provider),
                number,
                SEED + (number * 4 + worker) as u64,
            ));
        }
    }
    let start = case.provider.per;
    clock.run(start).await;
    provider.reset();
    clock.run(case.lasts).await;
    let accepted: Vec<u64> = {
        let state = provider.lock();
        (0..case.connections).map(|number| state.accepted.get(&number).copied().unwrap_or(0)).collect()
    };
    let total: u64 = accepted.iter().sum();
    let refused = provider.refused.load(Relaxed);
    let quotas = if case.provider.scope == Scope::App { 1.0 } else { case.connections as f64 };
    let allowed =
        f64::from(case.provider.units) * quotas * case.lasts.as_secs_f64() / case.provider.per.as_secs_f64();
    let fair = total as f64 / case.connections as f64;
    Figures {
        calls: total + refused,
        used: 100.0 * total as f64 / allowed,
        refused: 100.0 * refused as f64 / (total + refused).max(1) as f64,
        fair: 100.0 * accepted.iter().copied().min().unwrap_or(0) as f64 / fair.max(1.0),
    }
}

async fn connection(
    clock: SimClock,
    turnstile: Turnstile,
    provider: Arc<Provider>,
    number: usize,
    seed: u64,
) {
    let call = Call::new("service", ConnectionId::new(format!("cn_{number}")), "events.list");
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    loop {
        let Ok(permit) = turnstile.acquire(&call, HOUR * 48).await else { continue };
        // Xorshift: 5 to 45 ms there, and as long back.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let way = Duration::from_micros(5_000 + random % 40_000);
        clock.sleep(way).await;
        let observation = provider.answer(number, &clock);
        clock.sleep(way).await;
        permit.observe(&observation).await;
    }
}

/// The simulated provider.
struct Provider {
    rule: Enforced,
    state: Mutex<Counted>,
    refused: AtomicU64,
}

#[derive(Default)]
struct Counted {
    /// When the last calls were accepted.
    calls: HashMap<Option<usize>, VecDeque<Duration>>,
    accepted: HashMap<usize, u64>,
}

impl Provider {
    fn new(rule: Enforced) -> Self {
        Self { rule, state: Mutex::default(), refused: AtomicU64::new(0) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn reset(&self) {
        self.lock().accepted.clear();
        self.refused.store(0, Relaxed);
    }

    fn answer(&self, connection: usize, clock: &SimClock) -> Observation {
        let now = clock.monotonic();
        let Enforced { scope, units, per, headers, retry_after } = self.rule;
        let mut state = self.lock();
        let calls = state.calls.entry((scope == Scope::Connection).then_some(connection)).or_default();
        let window = Duration::from_secs(now.as_secs() / per.as_secs() * per.as_secs());
        let oldest = if headers { window } else { now.saturating_sub(per) };
        let counts = |at: &Duration| if headers { *at >= oldest } else { *at > oldest || now < per };
        while calls.front().is_some_and(|at| !counts(at)) {
            calls.pop_front();
        }
        let used = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        let free = used < units;
        let frees = if headers { window + per } else { calls.front().copied().unwrap_or(now) + per };
        if free {
            calls.push_back(now);
            *state.accepted.entry(connection).or_default() += 1;
        } else {
            self.refused.fetch_add(1, Relaxed);
        }
        drop(state);
        let outcome = if free {
            Reply::Accepted
        } else {
            let wait = Duration::from_secs((frees - now).as_secs() + 1);
            Reply::Throttled { retry_after: retry_after.then_some(wait) }
        };
        let told = Observation::new(outcome);
        if headers {
            let left = TimeDelta::from_std(frees - now).unwrap_or_default();
            told.window(Some(units), units.saturating_sub(used + u32::from(free)), clock.now() + left)
        } else {
            told
        }
    }
}

/// A clock that jumps to the next sleeper as soon as nobody has anything else to do.
#[derive(Clone)]
struct SimClock(Arc<Mutex<Time>>);

struct Time {
    now: Duration,
    count: u64,
    sleepers: BinaryHeap<Reverse<(Duration, u64)>>,
    wakers: HashMap<u64, Waker>,
}

impl SimClock {
    fn new() -> Self {
        let sleepers = BinaryHeap::new();
        Self(Arc::new(Mutex::new(Time { now: HOUR, count: 0, sleepers, wakers: HashMap::new() })))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets time pass.
    async fn run(&self, time: Duration) {
        let end = self.monotonic() + time;
        loop {
            // Everyone who can do something does it. A call that was let through wakes a task, which
            // wakes the next leader, and so on: a few rounds.
            for _ in 0..6 {
                tokio::task::yield_now().await;
            }
            let mut clock = self.lock();
            match clock.sleepers.peek() {
                Some(Reverse((due, _))) if *due <= end => {
                    clock.now = clock.now.max(*due);
                    while let Some(Reverse((due, id))) = clock.sleepers.peek().copied() {
                        if due > clock.now {
                            break;
                        }
                        clock.sleepers.pop();
                        if let Some(waker) = clock.wakers.remove(&id) {
                            waker.wake();
                        }
                    }
                }
                _ => {
                    clock.now = end;
                    return;
                }
            }
        }
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimClock")
    }
}

#[async_trait::async_trait]
impl Clock for SimClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
            + TimeDelta::days(20_000)
            + TimeDelta::from_std(self.monotonic()).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.lock().now
    }

    async fn sleep(&self, duration: Duration) {
        let (id, due) = {
            let mut clock = self.lock();
            clock.count += 1;
            (clock.count, clock.now + duration)
        };
        let sleeper = Sleeper { clock: self, id };
        let mut entered = false;
        poll_fn(|context| {
            let mut clock = sleeper.clock.lock();
            if clock.now >= due {
                return Poll::Ready(());
            }
            clock.wakers.insert(sleeper.id, context.waker().clone());
            if !entered {
                clock.sleepers.push(Reverse((due, sleeper.id)));
                entered = true;
            }
            Poll::Pending
        })
        .await;
    }
}

/// Leaves no waker behind when a sleep is given up.
struct Sleeper<'a> {
    clock: &'a SimClock,
    id: u64,
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.lock().wakers.remove(&self.id);
    }
}
