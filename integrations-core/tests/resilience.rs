//! Do the laws of resilience hold whatever happens, in whatever order?
//!
//! Each test plays thousands of random cases. A failure prints its seed; put it into `SEED` to play that
//! case again.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests to us, but not to clippy")]

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderValue};
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::Priority;
use integrations_core::resilience::{
    Attempt, BreakerKey, BreakerPermit, BreakerSettings, BreakerState, Bulkhead, BulkheadLimits,
    BulkheadPermit, CircuitBreaker, ExponentialRetry, Observation, Outcome, RetryBudget, RollingBreaker,
    hints,
};
use integrations_core::{ConnectionId, Disposition, Error, ErrorKind, Result};

/// How many cases each test plays.
const CASES: u64 = 10_000;
/// The first seed; the environment's `SEED`, if it is set, plays that one case alone.
const FIRST_SEED: u64 = 20_260_301;

/// Plays the cases; a case that panics says its seed first.
fn cases(play: impl Fn(&mut Random)) {
    struct Seed(u64);
    impl Drop for Seed {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("the case that failed: SEED={}", self.0);
            }
        }
    }
    let alone = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = alone.map_or(FIRST_SEED..FIRST_SEED + CASES, |seed| seed..seed + 1);
    for seed in seeds {
        let _seed = Seed(seed);
        play(&mut Random(seed));
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn upto(&mut self, most: u64) -> u64 {
        self.next() % (most + 1)
    }

    fn flip(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }

    fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / 4_294_967_296.0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

// ---- bulkhead ---------------------------------------------------------------------------------

type Call = Pin<Box<dyn Future<Output = Result<BulkheadPermit>>>>;

fn call(bulkhead: &Bulkhead, connection: &ConnectionId, priority: Priority) -> Call {
    let (bulkhead, connection) = (bulkhead.clone(), connection.clone());
    Box::pin(async move { bulkhead.acquire(&connection, priority).await })
}

fn poll(call: &mut Call) -> Poll<Result<BulkheadPermit>> {
    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

const PRIORITIES: [Priority; 3] = [Priority::Backfill, Priority::Webhook, Priority::Interactive];

/// A bulkhead with the calls of a few connections, of which some wait and some are under way.
struct Traffic {
    bulkhead: Bulkhead,
    limits: BulkheadLimits,
    connections: Vec<ConnectionId>,
    waiting: Vec<Call>,
    under_way: Vec<BulkheadPermit>,
}

impl Traffic {
    fn new(random: &mut Random) -> Self {
        let limits = BulkheadLimits {
            service: 1 + random.below(5),
            connection: 1 + random.below(3),
            waiting: random.below(12),
        };
        let connections = (0..=random.below(4)).map(|id| ConnectionId::from(id.to_string())).collect();
        Self {
            bulkhead: Bulkhead::new(limits),
            limits,
            connections,
            waiting: Vec::new(),
            under_way: Vec::new(),
        }
    }

    fn step(&mut self, random: &mut Random) {
        match random.below(6) {
            0 | 1 => {
                let connection = &self.connections[random.below(self.connections.len())];
                let mut call = call(&self.bulkhead, connection, random.pick(&PRIORITIES));
                // Now and then a call is never polled at all, or not before others come.
                match random.below(8) {
                    0 => drop(call),
                    1 => self.waiting.push(call),
                    _ => match poll(&mut call) {
                        Poll::Ready(done) => self.done(done),
                        Poll::Pending => self.waiting.push(call),
                    },
                }
            }
            2 if !self.waiting.is_empty() => {
                // Cancelled: maybe just as its turn has come.
                drop(self.waiting.swap_remove(random.below(self.waiting.len())));
            }
            3 if !self.under_way.is_empty() => {
                drop(self.under_way.swap_remove(random.below(self.under_way.len())));
            }
            4 => self.poll_all(),
            _ => {
                let connection = &self.connections[random.below(self.connections.len())];
                self.bulkhead.set_connection_limit(connection, random.below(5));
            }
        }
        let state = self.bulkhead.state();
        assert!(state.under_way <= self.limits.service, "{state:?}");
        assert!(state.waiting <= self.limits.waiting, "{state:?}");
        assert!(self.under_way.len() <= state.under_way, "{state:?}");
    }

    fn done(&mut self, done: Result<BulkheadPermit>) {
        match done {
            Ok(permit) => self.under_way.push(permit),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::RateLimited);
                assert_eq!(error.provider_code(), Some("queue_full"));
                assert!(error.not_processed());
            }
        }
    }

    /// Polls every call until nothing moves.
    fn poll_all(&mut self) {
        let mut index = 0;
        while index < self.waiting.len() {
            if let Poll::Ready(done) = poll(&mut self.waiting[index]) {
                drop(self.waiting.swap_remove(index));
                self.done(done);
            } else {
                index += 1;
            }
        }
    }
}

#[test]
fn places_balance_whatever_is_cancelled() {
    cases(|random| {
        let mut traffic = Traffic::new(random);
        for _ in 0..random.below(60) {
            traffic.step(random);
        }
        // Nobody waits in vain: while calls wait, they come to an end by those under way coming to one.
        traffic.poll_all();
        let mut rounds = 0;
        while !traffic.waiting.is_empty() {
            assert!(!traffic.under_way.is_empty(), "calls wait, and no call is under way");
            traffic.under_way.clear();
            traffic.poll_all();
            rounds += 1;
            assert!(rounds < 1_000, "the calls do not end");
        }
        traffic.under_way.clear();
        let state = traffic.bulkhead.state();
        assert_eq!((state.under_way, state.waiting, state.connections), (0, 0, 0));
    });
}

#[test]
fn no_connection_has_more_places_than_its_limit() {
    cases(|random| {
        let mut traffic = Traffic::new(random);
        let limits: HashMap<_, _> =
            traffic.connections.iter().map(|connection| (connection.clone(), 1 + random.below(4))).collect();
        for (connection, limit) in &limits {
            traffic.bulkhead.set_connection_limit(connection, *limit);
            assert_eq!(traffic.bulkhead.connection_limit(connection), *limit);
        }
        for _ in 0..random.below(40) {
            let connection = &traffic.connections[random.below(traffic.connections.len())];
            let mut call = call(&traffic.bulkhead, connection, random.pick(&PRIORITIES));
            match poll(&mut call) {
                Poll::Ready(done) => traffic.done(done),
                Poll::Pending => traffic.waiting.push(call),
            }
            if random.flip() && !traffic.under_way.is_empty() {
                drop(traffic.under_way.swap_remove(random.below(traffic.under_way.len())));
            }
            traffic.poll_all();
            for (connection, limit) in &limits {
                let places = traffic.under_way.iter().filter(|permit| permit.connection() == connection);
                assert!(places.count() <= *limit);
            }
        }
    });
}

/// Gives back the oldest places one by one until the call has one; says whose calls came before it.
fn served_before(
    mut single: Call,
    others: &mut Vec<Call>,
    under_way: &mut VecDeque<BulkheadPermit>,
) -> Vec<ConnectionId> {
    let mut before = Vec::new();
    loop {
        if let Poll::Ready(done) = poll(&mut single) {
            assert!(done.is_ok(), "{done:?}");
            return before;
        }
        drop(under_way.pop_front().unwrap());
        others.retain_mut(|call| match poll(call) {
            Poll::Ready(Ok(permit)) => {
                before.push(permit.connection().clone());
                under_way.push_back(permit);
                false
            }
            Poll::Ready(Err(_)) => false,
            Poll::Pending => true,
        });
    }
}

#[test]
fn a_thousand_queued_calls_delay_anothers_single_call_by_one_round() {
    let (greedy, other) = (ConnectionId::from("greedy"), ConnectionId::from("other"));
    for queued in [1_000, 1_004, 2_000] {
        // Its limit is as large as the service's, so that it takes every place.
        let bulkhead = Bulkhead::default();
        bulkhead.set_connection_limit(&greedy, 16);
        let mut under_way = VecDeque::new();
        let mut waiting = Vec::new();
        for _ in 0..16 + queued {
            let mut call = call(&bulkhead, &greedy, Priority::Interactive);
            match poll(&mut call) {
                Poll::Ready(Ok(permit)) => under_way.push_back(permit),
                Poll::Ready(Err(error)) => assert_eq!(error.provider_code(), Some("queue_full")),
                Poll::Pending => waiting.push(call),
            }
        }
        assert_eq!((under_way.len(), waiting.len()), (16, 1_000));
        let mut single = call(&bulkhead, &other, Priority::Backfill);
        assert!(poll(&mut single).is_pending());
        let before = served_before(single, &mut waiting, &mut under_way);
        assert!(before.len() <= 1, "{} calls came before it", before.len());
    }
}

#[test]
fn whoever_waits_is_served_before_anybody_is_served_twice() {
    cases(|random| {
        let bulkhead = Bulkhead::new(BulkheadLimits { service: 1 + random.below(4), ..Default::default() });
        let crowd: Vec<_> = (0..=random.below(5)).map(|id| ConnectionId::from(id.to_string())).collect();
        let (mut under_way, mut waiting) = (VecDeque::new(), Vec::new());
        for _ in 0..20 + random.below(40) {
            let mut call = call(&bulkhead, &random_of(&crowd, random), random.pick(&PRIORITIES));
            match poll(&mut call) {
                Poll::Ready(permit) => under_way.push_back(permit.unwrap()),
                Poll::Pending => waiting.push(call),
            }
        }
        let mut single = call(&bulkhead, &"single".into(), random.pick(&PRIORITIES));
        if let Poll::Ready(done) = poll(&mut single) {
            assert!(done.is_ok());
            return;
        }
        let before = served_before(single, &mut waiting, &mut under_way);
        for connection in &crowd {
            let times = before.iter().filter(|served| *served == connection).count();
            assert!(times <= 1, "{connection} was served {times} times");
        }
    });
}

fn random_of(crowd: &[ConnectionId], random: &mut Random) -> ConnectionId {
    crowd[random.below(crowd.len())].clone()
}

/// The permits of calls that have one at once.
fn places(bulkhead: &Bulkhead, connection: &ConnectionId, count: usize) -> VecDeque<BulkheadPermit> {
    let place = |_| match poll(&mut call(bulkhead, connection, Priority::Backfill)) {
        Poll::Ready(permit) => permit.unwrap(),
        Poll::Pending => panic!("no place for {connection}"),
    };
    (0..count).map(place).collect()
}

#[test]
fn who_leaves_the_queue_and_comes_back_has_one_turn_a_round() {
    let bulkhead = Bulkhead::new(BulkheadLimits { service: 1, connection: 1, waiting: 10 });
    let (anna, bert, dora) = ("anna".into(), "bert".into(), "dora".into());
    let mut under_way = places(&bulkhead, &dora, 1);
    let queue = |connection| {
        let mut call = call(&bulkhead, connection, Priority::Backfill);
        assert!(poll(&mut call).is_pending());
        call
    };
    bulkhead.set_connection_limit(&anna, 2);
    drop(queue(&anna));
    let bert = queue(&bert);
    let mut others = vec![queue(&anna), queue(&anna)];
    let before = served_before(bert, &mut others, &mut under_way);
    assert!(before.is_empty(), "{before:?} came before, by a place in the queue that was given up");
}

#[test]
fn a_limit_that_is_lowered_holds_for_those_who_wait_already() {
    let bulkhead = Bulkhead::new(BulkheadLimits { service: 4, connection: 4, waiting: 10 });
    let (anna, bert) = ("anna".into(), "bert".into());
    let mut annas = places(&bulkhead, &anna, 2);
    let mut berts = places(&bulkhead, &bert, 2);
    let mut waiting = call(&bulkhead, &anna, Priority::Interactive);
    assert!(poll(&mut waiting).is_pending());
    bulkhead.set_connection_limit(&anna, 1);
    berts.clear();
    assert!(poll(&mut waiting).is_pending(), "anna has two places and may have one");
    annas.pop_front();
    assert!(poll(&mut waiting).is_pending());
    annas.pop_front();
    assert!(poll(&mut waiting).is_ready());
}

#[test]
fn a_limit_that_is_raised_lets_those_who_wait_go_at_once() {
    let bulkhead = Bulkhead::new(BulkheadLimits { service: 4, connection: 1, waiting: 10 });
    let anna = "anna".into();
    let _place = places(&bulkhead, &anna, 1);
    let mut waiting = call(&bulkhead, &anna, Priority::Backfill);
    assert!(poll(&mut waiting).is_pending());
    bulkhead.set_connection_limit(&anna, 2);
    assert!(poll(&mut waiting).is_ready());
}

fn observe(places: &mut VecDeque<BulkheadPermit>, told: &Observation) {
    for place in places {
        place.observe(told);
    }
}

#[test]
fn a_provider_that_refuses_gets_half_as_many_at_once_and_then_more_again() {
    let bulkhead = Bulkhead::new(BulkheadLimits { service: 16, connection: 4, waiting: 10 });
    let (anna, bert) = ("anna".into(), "bert".into());
    // What is no sign of too many at once changes nothing.
    let now = DateTime::UNIX_EPOCH;
    for told in [
        Observation::accepted(),
        Observation::throttled(None).window(Some(100), 0, now),
        Observation::throttled(None).app_wide(),
    ] {
        observe(&mut places(&bulkhead, &anna, 4), &told);
        assert_eq!(bulkhead.connection_limit(&anna), 4);
    }
    places(&bulkhead, &anna, 1)[0].observe(&Observation::throttled(None));
    assert_eq!(bulkhead.connection_limit(&anna), 4, "one alone is not too many at once");
    // Four at once are: for all four it is the same refusal.
    let mut under_way = places(&bulkhead, &anna, 4);
    let mut waiting = call(&bulkhead, &anna, Priority::Interactive);
    assert!(poll(&mut waiting).is_pending());
    observe(&mut under_way, &Observation::throttled(None));
    for left in [3, 2] {
        under_way.pop_front();
        assert_eq!(bulkhead.connection_limit(&anna), 2);
        assert!(poll(&mut waiting).is_pending(), "{left} are under way and two may be");
    }
    under_way.pop_front();
    let Poll::Ready(Ok(place)) = poll(&mut waiting) else { panic!("two may be under way") };
    drop((place, under_way));
    assert_eq!((bulkhead.connection_limit(&anna), bulkhead.connection_limit(&bert)), (2, 4));
    for limit in [2, 3, 4] {
        assert_eq!(bulkhead.connection_limit(&anna), limit);
        for _ in 0..500 {
            places(&bulkhead, &anna, 1)[0].observe(&Observation::accepted());
        }
    }
    assert_eq!(bulkhead.connection_limit(&anna), 4);
    // The host's limit stays the upper one.
    observe(&mut places(&bulkhead, &anna, 4), &Observation::throttled(None));
    bulkhead.set_connection_limit(&anna, 1);
    assert_eq!(bulkhead.connection_limit(&anna), 1);
}

#[test]
fn whatever_answers_say_and_calls_are_cancelled_nobody_waits_for_ever() {
    cases(|random| {
        let limits =
            BulkheadLimits { service: 1 + random.below(6), connection: 1 + random.below(5), waiting: 64 };
        let bulkhead = Bulkhead::new(limits);
        let crowd: Vec<ConnectionId> = ["a", "b", "c"].map(Into::into).into();
        let (mut waiting, mut under_way) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            match random.below(4) {
                0 | 1 if waiting.len() < 60 => {
                    let connection = random_of(&crowd, random);
                    waiting.push(call(&bulkhead, &connection, Priority::Webhook));
                }
                2 if !waiting.is_empty() => drop(waiting.swap_remove(random.below(waiting.len()))),
                _ if !under_way.is_empty() => {
                    let mut place: BulkheadPermit = under_way.swap_remove(random.below(under_way.len()));
                    match random.below(3) {
                        0 => place.observe(&Observation::throttled(None)),
                        1 => place.observe(&Observation::accepted()),
                        _ => {}
                    }
                }
                _ => {}
            }
            waiting.retain_mut(|call| match poll(call) {
                Poll::Ready(place) => {
                    under_way.push(place.unwrap());
                    false
                }
                Poll::Pending => true,
            });
            for connection in &crowd {
                assert!((1..=limits.connection).contains(&bulkhead.connection_limit(connection)));
                let theirs = under_way.iter().filter(|place| place.connection() == connection).count();
                assert!(theirs <= limits.connection);
            }
        }
        while !waiting.is_empty() {
            under_way.clear();
            let before = waiting.len();
            waiting.retain_mut(|call| match poll(call) {
                Poll::Ready(place) => {
                    under_way.push(place.unwrap());
                    false
                }
                Poll::Pending => true,
            });
            assert!(waiting.len() < before, "places are free and nobody gets one");
        }
        under_way.clear();
        let state = bulkhead.state();
        assert_eq!((state.under_way, state.waiting, state.connections), (0, 0, 0));
    });
}

#[test]
fn within_a_connection_priority_goes_first_then_the_order_of_arrival() {
    let bulkhead = Bulkhead::new(BulkheadLimits { service: 1, connection: 1, waiting: 4 });
    let anna = ConnectionId::from("anna");
    let Poll::Ready(Ok(mut place)) = poll(&mut call(&bulkhead, &anna, Priority::Backfill)) else {
        panic!("no place")
    };
    let came = [Priority::Backfill, Priority::Interactive, Priority::Webhook, Priority::Interactive];
    let mut calls: Vec<_> = came
        .iter()
        .enumerate()
        .map(|(index, priority)| {
            let mut call = call(&bulkhead, &anna, *priority);
            assert!(poll(&mut call).is_pending());
            (index, call)
        })
        .collect();
    let mut order = Vec::new();
    while !calls.is_empty() {
        drop(place);
        let (at, permit) = calls
            .iter_mut()
            .enumerate()
            .find_map(|(at, (_, call))| match poll(call) {
                Poll::Ready(permit) => Some((at, permit.unwrap())),
                Poll::Pending => None,
            })
            .unwrap();
        order.push(calls.remove(at).0);
        place = permit;
    }
    assert_eq!(order, [1, 3, 2, 0]);
}

#[test]
fn a_full_queue_turns_away_who_has_the_most_in_it_and_the_least_priority() {
    let bulkhead = Bulkhead::new(BulkheadLimits { service: 1, connection: 1, waiting: 3 });
    let (anna, bert) = (ConnectionId::from("anna"), ConnectionId::from("bert"));
    let ask = |connection, priority| {
        let mut call = call(&bulkhead, connection, priority);
        let first = poll(&mut call);
        (call, first)
    };
    let code = |poll: Poll<Result<BulkheadPermit>>| match poll {
        Poll::Ready(Err(error)) => error.provider_code().map(str::to_owned),
        _ => None,
    };
    let full = Some("queue_full".to_owned());
    let place = ask(&anna, Priority::Backfill).1;
    let mut queued: Vec<_> = (0..3).map(|_| ask(&anna, Priority::Backfill).0).collect();
    // One more of the same is one too many; one that somebody waits for is not.
    assert_eq!(code(ask(&anna, Priority::Backfill).1), full);
    let (mut urgent, first) = ask(&anna, Priority::Interactive);
    assert!(first.is_pending());
    assert_eq!(code(poll(&mut queued[2])), full, "the last to come made room");
    // Another connection has a right to a part of the queue.
    let (mut single, first) = ask(&bert, Priority::Backfill);
    assert!(first.is_pending());
    assert_eq!(code(poll(&mut queued[1])), full);
    assert!(poll(&mut queued[0]).is_pending());
    assert_eq!(code(ask(&bert, Priority::Backfill).1), full, "but to no larger one than the others");
    drop(place);
    assert!(poll(&mut single).is_ready(), "anna has just had her turn");
    assert!(poll(&mut urgent).is_ready());
    drop(queued);
    assert_eq!((bulkhead.state().under_way, bulkhead.state().waiting), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn places_balance_among_threads_that_are_aborted() {
    let bulkhead = Bulkhead::new(BulkheadLimits { service: 3, connection: 2, waiting: 50 });
    let mut random = Random(FIRST_SEED);
    let mut tasks = VecDeque::new();
    for number in 0..CASES {
        let (bulkhead, connection) = (bulkhead.clone(), ConnectionId::from((number % 7).to_string()));
        let (priority, yields) = (random.pick(&PRIORITIES), random.below(4));
        tasks.push_back(tokio::spawn(async move {
            let place = bulkhead.acquire(&connection, priority).await;
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            place.map(drop)
        }));
        if tasks.len() > 80 {
            let task = tasks.remove(random.below(80)).unwrap();
            if random.flip() {
                task.abort();
            }
            // Refused, aborted or done: all the same here.
            let _ = task.await;
        }
    }
    for task in tasks {
        let _ = task.await;
    }
    let state = bulkhead.state();
    assert_eq!((state.under_way, state.waiting, state.connections), (0, 0, 0));
}

// ---- circuit breaker --------------------------------------------------------------------------

#[test]
fn probes_balance_whatever_is_cancelled() {
    cases(|random| {
        let manual = ManualClock::at("2026-03-01T09:00:00Z");
        let clock: Arc<dyn Clock> = Arc::new(manual.clone());
        let settings = BreakerSettings { min_calls: random.pick(&[1, 2, 3, 6]), ..Default::default() };
        let breaker: Arc<dyn CircuitBreaker> = Arc::new(RollingBreaker::new(settings));
        let key = BreakerKey { service: "s".into(), host: "h".into() };
        let mut under_way: Vec<BreakerPermit> = Vec::new();
        // The last state that was reported, and the last one seen: they must tell the same story.
        let mut told = BreakerState::Closed;
        for _ in 0..random.below(80) {
            let now = clock.monotonic();
            let change = match random.below(8) {
                0..=2 => {
                    let before = breaker.state(&key, now);
                    match BreakerPermit::acquire(&breaker, &clock, key.clone()) {
                        Ok(permit) => {
                            assert!(!matches!(before, BreakerState::Open { .. }));
                            let change = permit.change();
                            under_way.push(permit);
                            change
                        }
                        Err(error) => {
                            assert_ne!(before, BreakerState::Closed);
                            assert_eq!(error.kind(), ErrorKind::CircuitOpen);
                            assert!(error.retry_after().is_some_and(|wait| wait > Duration::ZERO));
                            if let BreakerState::Open { until } = before {
                                assert_eq!(error.retry_after(), Some(until - now));
                            }
                            None
                        }
                    }
                }
                3 | 4 if !under_way.is_empty() => {
                    let permit = under_way.swap_remove(random.below(under_way.len()));
                    permit.finish(random.pick(&[Outcome::Failure, Outcome::Success, Outcome::Ignored]))
                }
                5 if !under_way.is_empty() => {
                    drop(under_way.swap_remove(random.below(under_way.len())));
                    None
                }
                6 => breaker.hold_open(&key, now + Duration::from_secs(random.upto(100)), now),
                _ => {
                    manual.advance(Duration::from_millis(random.upto(70_000)));
                    if random.flip() {
                        manual.set_wall(
                            DateTime::UNIX_EPOCH + TimeDelta::seconds(random.upto(1 << 32).cast_signed()),
                        );
                    }
                    None
                }
            };
            if let Some(change) = change {
                assert_eq!(change.from, told, "a change was not reported");
                assert_ne!(change.from, change.to);
                told = change.to;
            }
            if told == BreakerState::HalfOpen {
                let probes = (0..3).filter_map(|_| breaker.admit(&key, clock.monotonic()).ok());
                let probes: Vec<_> = probes.collect();
                assert!(probes.len() <= 1, "two probes at once");
                for probe in probes {
                    breaker.record(&key, probe, Outcome::Ignored, clock.monotonic());
                }
            }
        }
        // Whatever was left lying about: the circuit closes by one good call after its time.
        under_way.clear();
        manual.advance(Duration::from_secs(3_600));
        if let Some(change) =
            BreakerPermit::acquire(&breaker, &clock, key.clone()).unwrap().finish(Outcome::Success)
        {
            assert_eq!(change.to, BreakerState::Closed);
        }
        assert_eq!(breaker.state(&key, clock.monotonic()), BreakerState::Closed);
    });
}

// ---- retry ------------------------------------------------------------------------------------

const KINDS: [ErrorKind; 19] = [
    ErrorKind::RateLimited,
    ErrorKind::Network,
    ErrorKind::ServiceUnavailable,
    ErrorKind::Timeout,
    ErrorKind::TokenExpired,
    ErrorKind::ReauthorizationRequired,
    ErrorKind::InsufficientPermissions,
    ErrorKind::AccountSuspended,
    ErrorKind::InvalidCredentials,
    ErrorKind::UnsupportedOperation,
    ErrorKind::InvalidRequest,
    ErrorKind::DataFormat,
    ErrorKind::Configuration,
    ErrorKind::NotFound,
    ErrorKind::Conflict,
    ErrorKind::CursorExpired,
    ErrorKind::CircuitOpen,
    ErrorKind::Store,
    ErrorKind::Cancelled,
];

/// Nothing, little, much, or absurdly much.
fn random_time(random: &mut Random) -> Duration {
    match random.below(8) {
        0 => Duration::ZERO,
        1 => Duration::MAX,
        2 => Duration::from_nanos(random.upto(1_000)),
        3 => Duration::from_secs(random.next()),
        _ => Duration::from_millis(random.upto(200_000)),
    }
}

#[test]
fn no_wait_is_shorter_than_told_and_nothing_is_blindly_replayed() {
    let retried = std::cell::Cell::new(0_u32);
    cases(|random| {
        for _ in 0..10 {
            let mut error = Error::from(random.pick(&KINDS));
            if random.flip() {
                error = error.with_retry_after(random_time(random));
            }
            if random.below(4) == 0 {
                error = error.with_code("not_connected");
            }
            if random.below(4) == 0 {
                error = error.with_not_processed();
            }
            let attempt = Attempt {
                error: &error,
                number: u32::try_from(random.upto(6)).unwrap(),
                idempotent: random.flip(),
                elapsed: random_time(random),
                remaining: random_time(random),
                jitter: random.pick(&[0.0, 1.0, f64::NAN, -7.0, f64::INFINITY, 0.999_999, 0.3])
                    * random.unit(),
            };
            let policy = ExponentialRetry::default()
                .with_retries(u32::try_from(random.upto(9)).unwrap())
                .with_base(random_time(random))
                .with_cap(random_time(random))
                .with_factor(random.pick(&[0.0, 1.0, 2.0, 1e300, f64::NAN]))
                .with_longest_told(random_time(random));
            let waits =
                [attempt.ask(&policy), integrations_core::resilience::RetryPolicy::decide(&policy, &attempt)];
            assert_eq!(waits[0], waits[1], "the policy itself keeps the law");
            let Some(wait) = waits[0] else { continue };
            retried.set(retried.get() + 1);
            assert!(wait >= error.retry_after().unwrap_or_default(), "{wait:?} {error}");
            assert!(wait < attempt.remaining, "{wait:?} {attempt:?}");
            assert!(attempt.idempotent || error.not_processed(), "{attempt:?}");
            assert!(matches!(error.disposition(), Disposition::Retry { .. }), "{attempt:?}");
        }
    });
    assert!(std::env::var("SEED").is_ok() || retried.get() > 1_000, "the test has tried little");
}

#[test]
fn a_hint_in_any_form_is_never_cut_short() {
    let now: DateTime<Utc> = "2026-03-01T09:00:00Z".parse().unwrap();
    cases(|random| {
        let secs = random.upto(100_000);
        let date = now + TimeDelta::seconds(i64::try_from(secs).unwrap());
        let forms = [
            ("retry-after", secs.to_string()),
            ("retry-after", format!("{secs}.{}", random.upto(999))),
            ("retry-after", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            ("retry-after", date.format("%A, %d-%b-%y %H:%M:%S GMT").to_string()),
            ("retry-after", date.format("%a %b %e %H:%M:%S %Y").to_string()),
            ("retry-after", date.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("x-ms-retry-after-ms", (secs * 1_000).to_string()),
            ("x-ratelimit-reset", date.timestamp().to_string()),
        ];
        let mut headers = HeaderMap::new();
        let mut told = Duration::ZERO;
        for _ in 0..=random.below(3) {
            let (name, text) = &forms[random.below(forms.len())];
            headers.append(*name, HeaderValue::from_str(text).unwrap());
            told = Duration::from_secs(secs);
        }
        headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
        let wait = hints::retry_after(&headers, None, now).unwrap();
        assert!(wait >= told && wait < told + Duration::from_secs(1), "{headers:?}: {wait:?}");
        // Any bytes at all: no panic, and a wait that can be added to a time.
        let bytes: Vec<u8> =
            (0..random.below(40)).map(|_| random.pick(b"0123456789.,:-+ TZGMTSunMar\xff")).collect();
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            for name in ["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date"] {
                headers.insert(name, value.clone());
            }
            let text = format!("Retry after {}", String::from_utf8_lossy(&bytes));
            if let Some(wait) = hints::retry_after(&headers, Some(&text), now) {
                assert!(now.checked_add_signed(TimeDelta::from_std(wait).unwrap()).is_some());
            }
            let _ = hints::quota(&headers, now);
        }
    });
}

// ---- the whole --------------------------------------------------------------------------------

#[test]
fn a_provider_that_fails_throughout_gets_no_more_than_the_budget() {
    let policy = ExponentialRetry::default();
    let budget = RetryBudget::default();
    let mut random = Random(FIRST_SEED);
    let clock = ManualClock::at("2026-03-01T09:00:00Z");
    let (mut first, mut extra) = (0_u32, 0_u32);
    // Ten minutes in steps of a tenth of a second; five calls a second; retries when they are due.
    let mut due: Vec<(Duration, u32)> = Vec::new();
    for tick in 0..6_000 {
        clock.advance(Duration::from_millis(100));
        let now = clock.monotonic();
        if tick % 2 == 0 {
            budget.deposit();
            first += 1;
            due.push((now, 0));
        }
        let (ready, later): (Vec<_>, Vec<_>) = due.into_iter().partition(|(at, _)| *at <= now);
        due = later;
        for (_, tries) in ready {
            extra += u32::from(tries > 0);
            let error = Error::from(ErrorKind::ServiceUnavailable);
            let attempt = Attempt {
                error: &error,
                number: tries + 1,
                idempotent: true,
                elapsed: Duration::ZERO,
                remaining: Duration::from_secs(30),
                jitter: random.unit(),
            };
            if let Some(wait) = attempt.ask(&policy)
                && budget.withdraw(&error, now).is_some()
            {
                due.push((now + wait, tries + 1));
            }
        }
    }
    let allowed = 10.0 + 600.0 / 30.0 + 0.15 * f64::from(first);
    assert!(f64::from(extra) <= allowed, "{extra} extra calls to {first}, {allowed} allowed");
    assert!(extra > first / 10, "retries starve: {extra} to {first}");
}
