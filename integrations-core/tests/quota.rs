//! Is a quota kept, used up and shared; are 429s and headers followed; does nobody wait without need?
#![cfg(feature = "governor")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests to us, but not to clippy")]

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use integrations_core::ErrorKind;
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::Priority;
use integrations_core::memory::MemoryStore;
use integrations_core::resilience::{
    Call, Calls, Cost, Decision, Governor, GovernorBuilder, Hold, Limits, Moment, Observation, Permit, Quota,
    RateLimiter, Scope, Turnstile,
};
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

fn call(connection: &str, operation: &'static str) -> Call {
    Call::new("service", connection, operation)
}

fn with(limits: Limits) -> GovernorBuilder {
    Governor::builder().service("service", limits).seed(1)
}

fn now(clock: &ManualClock) -> Moment {
    Moment::of(clock)
}

/// How many calls go at once.
fn burst(governor: &Governor, call: &Call, clock: &ManualClock) -> usize {
    (0..100_000).take_while(|_| governor.check(call, now(clock)) == Decision::Ready).count()
}

fn wait(decision: Decision) -> (Duration, Hold) {
    match decision {
        Decision::Wait { after, hold } => (after, hold),
        other => panic!("{other:?}"),
    }
}

/// Lets all tasks do what they can.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

// ---- static quotas ----------------------------------------------------------------------------

#[test]
fn a_call_takes_what_its_operation_costs() {
    const LIMITS: Limits = Limits::new(&[Quota::new(Scope::Connection, 6_000, MINUTE).burst(200)])
        .costs(&[Cost::new("messages.get", 20), Cost::new("send", 100)]);
    let (governor, clock) = (with(LIMITS).build(), clock());
    assert_eq!(burst(&governor, &call("a", "messages.get"), &clock), 10);
    assert_eq!(burst(&governor, &call("b", "send"), &clock), 2);
    assert_eq!(burst(&governor, &call("c", "labels.list"), &clock), 200);
    // A batch says itself what it costs.
    assert_eq!(burst(&governor, &call("d", "messages.get").cost(50), &clock), 4);
}

#[test]
fn every_scope_counts_its_own() {
    const LIMITS: Limits = Limits::new(&[
        Quota::new(Scope::App, 1_000, MINUTE).burst(10),
        Quota::new(Scope::Group, 1_000, MINUTE).of(Calls::EachOf("tier")).burst(4),
        Quota::new(Scope::Connection, 1_000, MINUTE).of(Calls::Operation("history")).burst(2),
    ])
    .costs(&[Cost::new("list", 1).class("tier"), Cost::new("users", 1).class("tier")]);
    let (governor, clock) = (with(LIMITS).build(), clock());
    assert_eq!(burst(&governor, &call("a", "history"), &clock), 2);
    assert_eq!(wait(governor.check(&call("a", "history"), now(&clock))).1, Hold::Operation);
    // Two connections of one group share what counts by group, each operation by itself.
    assert_eq!(burst(&governor, &call("a", "list").group("w1"), &clock), 4);
    assert_eq!(burst(&governor, &call("b", "list").group("w1"), &clock), 0);
    assert_eq!(burst(&governor, &call("b", "users").group("w1"), &clock), 4);
    // All together, it is the application's quota that is used up: for everybody.
    assert_eq!(wait(governor.check(&call("c", "other"), now(&clock))).1, Hold::Service);
}

#[test]
fn a_call_that_one_quota_refuses_takes_nothing_from_the_others() {
    const LIMITS: Limits = Limits::new(&[
        Quota::new(Scope::App, 1_000, MINUTE).burst(3),
        Quota::new(Scope::Connection, 1_000, MINUTE).burst(1),
    ]);
    let (governor, clock) = (with(LIMITS).build(), clock());
    assert_eq!(burst(&governor, &call("a", "x"), &clock), 1);
    for _ in 0..100 {
        assert_eq!(burst(&governor, &call("a", "x"), &clock), 0);
    }
    assert_eq!(burst(&governor, &call("b", "x"), &clock), 1);
    assert_eq!(burst(&governor, &call("c", "x"), &clock), 1);
    assert_eq!(burst(&governor, &call("d", "x"), &clock), 0);
}

#[test]
fn requests_and_points_are_counted_apart() {
    const LIMITS: Limits = Limits::new(&[
        Quota::new(Scope::Connection, 5_000, MINUTE).of_requests().burst(10),
        Quota::new(Scope::Connection, 900, MINUTE).of(Calls::Each).burst(20),
    ])
    .costs(&[Cost::new("issues.create", 5)]);
    let (governor, clock) = (with(LIMITS).build(), clock());
    assert_eq!(burst(&governor, &call("a", "issues.create"), &clock), 4);
    assert_eq!(burst(&governor, &call("a", "issues.list"), &clock), 6);
}

#[test]
fn no_more_calls_of_a_connection_are_under_way_than_may_be() {
    let (governor, clock) = (with(Limits::new(&[]).concurrent(4)).build(), clock());
    assert_eq!(burst(&governor, &call("a", "x"), &clock), 4);
    assert_eq!(wait(governor.check(&call("a", "x"), now(&clock))).1, Hold::Connection);
    assert_eq!(burst(&governor, &call("b", "x"), &clock), 4);
    governor.release(&call("a", "x"), true, now(&clock));
    assert_eq!(burst(&governor, &call("a", "x"), &clock), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_window_sees_more_than_its_quota(
        units in 1_u32..400,
        per in 1_u64..100,
        share in 1_u32..=100,
        steps in prop::collection::vec((0_u64..3_000, 1_u32..12), 50..400),
    ) {
        let per = Duration::from_secs(per);
        let quota = Quota::new(Scope::Connection, units, per).burst((units * share / 100).max(1));
        let limits = Limits::new(Vec::leak(vec![quota]));
        let (governor, clock) = (with(limits).build(), clock());
        let mut sent = Vec::new();
        for (millis, cost) in steps {
            clock.advance(Duration::from_millis(millis));
            let call = call("a", "x").cost(cost.min(units));
            while governor.check(&call, now(&clock)) == Decision::Ready {
                sent.push((clock.monotonic(), call.cost));
            }
        }
        for (first, (start, _)) in sent.iter().enumerate() {
            let window = sent[first..].iter().take_while(|(at, _)| *at - *start < per);
            prop_assert!(window.map(|(_, cost)| cost).sum::<u32>() <= units);
        }
    }
}

#[test]
fn jumps_of_the_clock_neither_stop_the_calls_nor_let_too_many_through() {
    const LIMITS: Limits = Limits::new(&[Quota::new(Scope::Connection, 600, MINUTE)]);
    let (governor, clock) = (with(LIMITS).build(), clock());
    let a = call("a", "x");
    assert_eq!(burst(&governor, &a, &clock), 15);
    clock.set_wall(clock.now() - TimeDelta::days(400));
    let (after, _) = wait(governor.check(&a, now(&clock)));
    assert!(after < SECOND);
    clock.set_wall(clock.now() + TimeDelta::days(4_000));
    assert_eq!(burst(&governor, &a, &clock), 0);
    // A computer that slept for a week.
    clock.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(burst(&governor, &a, &clock), 15);
    // A closed key opens by the monotonic clock alone.
    governor.observe(&a, &Observation::throttled(Some(30 * SECOND)), now(&clock));
    clock.set_wall(clock.now() - TimeDelta::days(4_000));
    clock.advance(32 * SECOND);
    assert_eq!(governor.check(&a, now(&clock)), Decision::Ready);
}

// ---- what the provider says -------------------------------------------------------------------

#[test]
fn a_429_closes_its_connection_for_the_time_named() {
    let (governor, clock) = (with(Limits::UNKNOWN).build(), clock());
    let a = call("a", "x");
    assert_eq!(governor.check(&a, now(&clock)), Decision::Ready);
    governor.observe(&a, &Observation::throttled(Some(20 * SECOND)), now(&clock));
    governor.release(&a, true, now(&clock));
    let (after, hold) = wait(governor.check(&a, now(&clock)));
    assert!(after >= 20 * SECOND && after <= 21 * SECOND, "{after:?}");
    assert_eq!(hold, Hold::Connection);
    assert_eq!(governor.check(&call("b", "x"), now(&clock)), Decision::Ready);
    clock.advance(after);
    assert_eq!(governor.check(&a, now(&clock)), Decision::Ready);
}

#[test]
fn a_429_that_names_no_time_waits_longer_each_time_in_a_row() {
    let (governor, clock) = (with(Limits::new(&[]).fallback_wait(10 * SECOND)).build(), clock());
    let a = call("a", "x");
    for expected in [10, 20, 40, 80, 160, 160] {
        governor.observe(&a, &Observation::throttled(None), now(&clock));
        // A second one of the same moment says nothing new.
        governor.observe(&a, &Observation::throttled(None), now(&clock));
        let (after, _) = wait(governor.check(&a, now(&clock)));
        assert!(after >= expected * SECOND && after <= (expected + 1) * SECOND, "{expected}: {after:?}");
        clock.advance(after);
    }
    governor.observe(&a, &Observation::accepted(), now(&clock));
    governor.observe(&a, &Observation::throttled(None), now(&clock));
    assert!(wait(governor.check(&a, now(&clock))).0 <= 11 * SECOND);
}

#[test]
fn a_429_speaks_of_what_the_table_says_or_of_the_whole_application() {
    const SLACK: Limits = Limits::new(&[]).told(Scope::Group, Calls::Each);
    let (governor, clock) = (with(SLACK).build(), clock());
    let history = call("a", "history").group("w");
    governor.observe(&history, &Observation::throttled(Some(MINUTE)), now(&clock));
    let same = call("b", "history").group("w");
    assert_eq!(wait(governor.check(&same, now(&clock))).1, Hold::Operation);
    assert_eq!(governor.check(&call("a", "users").group("w"), now(&clock)), Decision::Ready);
    governor.observe(&history, &Observation::throttled(Some(MINUTE)).app_wide(), now(&clock));
    assert_eq!(wait(governor.check(&call("z", "users"), now(&clock))).1, Hold::Service);
}

#[test]
fn a_429_of_a_second_is_not_one_of_the_day_where_no_group_is_known() {
    const ZOOM: Limits = Limits::new(&[
        Quota::new(Scope::Group, 20, SECOND),
        Quota::new(Scope::Connection, 100, Duration::from_secs(86_400)).of(Calls::Class("write")),
    ])
    .told(Scope::Group, Calls::All);
    let (governor, clock) = (with(ZOOM).build(), clock());
    let list = call("a", "list");
    for _ in 0..2 {
        assert_eq!(governor.check(&list, now(&clock)), Decision::Ready);
    }
    governor.observe(&list, &Observation::throttled(Some(20 * SECOND)), now(&clock));
    governor.release(&list, true, now(&clock));
    let (mut went, mut waited) = (0, Duration::ZERO);
    while went < 10 {
        match governor.check(&list, now(&clock)) {
            Decision::Wait { after, .. } => {
                waited += after;
                clock.advance(after);
            }
            _ => went += 1,
        }
    }
    assert!(waited >= 20 * SECOND && waited <= MINUTE, "{waited:?}");
}

#[test]
fn an_empty_window_waits_until_it_starts_anew() {
    let (governor, clock) = (with(Limits::UNKNOWN).build(), clock());
    let a = call("a", "x");
    let resets = clock.now() + TimeDelta::seconds(90);
    governor.observe(&a, &Observation::accepted().window(Some(5_000), 0, resets), now(&clock));
    for priority in [Priority::Backfill, Priority::Webhook, Priority::Interactive] {
        let (after, _) = wait(governor.check(&a.clone().priority(priority), now(&clock)));
        assert_eq!(after, 90 * SECOND);
    }
    clock.advance(90 * SECOND);
    assert_eq!(governor.check(&a, now(&clock)), Decision::Ready);
}

#[test]
fn what_is_left_of_a_window_is_spread_and_the_rest_kept_for_people() {
    let (governor, clock) = (with(Limits::UNKNOWN).build(), clock());
    let a = call("a", "x");
    // 100 of 1,000 for the second half of an hour.
    let hour = TimeDelta::hours(1);
    let resets = clock.now() + hour;
    governor.observe(&a, &Observation::accepted().window(Some(1_000), 1_000, resets), now(&clock));
    clock.advance(Duration::from_secs(1_800));
    governor.observe(&a, &Observation::accepted().window(Some(1_000), 100, resets), now(&clock));
    // Half of the reserve of 100 has melted away: 50 are there for the backfill, one every 36 s.
    assert_eq!(burst(&governor, &a, &clock), 1);
    let (after, _) = wait(governor.check(&a, now(&clock)));
    assert!(after > 30 * SECOND && after < 40 * SECOND, "{after:?}");
    // A person does not wait.
    assert_eq!(burst(&governor, &a.clone().priority(Priority::Interactive), &clock), 99);
    assert_eq!(burst(&governor, &a.clone().priority(Priority::Webhook), &clock), 0);
}

#[test]
fn headers_of_a_provider_with_another_clock_do_no_harm() {
    let (governor, clock) = (with(Limits::UNKNOWN).build(), clock());
    let a = call("a", "x");
    let past = clock.now() - TimeDelta::hours(5);
    governor.observe(&a, &Observation::accepted().window(Some(10), 0, past), now(&clock));
    assert_eq!(governor.check(&a, now(&clock)), Decision::Ready);
    let never = clock.now() + TimeDelta::days(10_000);
    governor.observe(&a, &Observation::accepted().window(Some(10), 0, never), now(&clock));
    assert!(wait(governor.check(&a, now(&clock))).0 <= Duration::from_secs(86_400));
}

#[test]
fn memory_is_bounded_however_many_connections_there_are() {
    const LIMITS: Limits = Limits::new(&[Quota::new(Scope::Connection, 600, MINUTE).of(Calls::Each)]);
    let (governor, clock) = (with(LIMITS).max_keys(100).build(), clock());
    for number in 0..10_000 {
        let call = call(&format!("cn_{number}"), if number % 2 == 0 { "x" } else { "y" });
        assert_eq!(governor.check(&call, now(&clock)), Decision::Ready);
        governor.observe(&call, &Observation::throttled(Some(MINUTE)), now(&clock));
        governor.release(&call, true, now(&clock));
        clock.advance(Duration::from_millis(1));
    }
    assert!(governor.keys(&"service".into()) <= 100);
    // The ones used last are still known.
    assert!(matches!(governor.check(&call("cn_9999", "y"), now(&clock)), Decision::Wait { .. }));
}

// ---- several processes ------------------------------------------------------------------------

fn turnstile(builder: GovernorBuilder, clock: &ManualClock) -> Turnstile {
    Turnstile::new(Arc::new(builder.build()), Arc::new(clock.clone()))
}

#[tokio::test]
async fn a_429_that_one_process_sees_holds_the_others_back() {
    let clock = clock();
    let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let [one, two] =
        [1, 2].map(|seed| turnstile(with(Limits::UNKNOWN).seed(seed).shared(Arc::clone(&store)), &clock));
    let a = call("a", "x");
    drop(two.acquire(&a, SECOND).await.unwrap());
    let permit = one.acquire(&a, SECOND).await.unwrap();
    permit.observe(&Observation::throttled(Some(30 * SECOND))).await;
    drop(permit);
    // What it read is not a second old yet.
    drop(two.acquire(&a, SECOND).await.unwrap());
    clock.advance(SECOND);
    let error = two.acquire(&a, 5 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().unwrap() > 28 * SECOND);
    drop(two.acquire(&call("b", "x"), SECOND).await.unwrap());
    // A process that starts afresh looks before its first call.
    let three = turnstile(with(Limits::UNKNOWN).shared(store), &clock);
    assert!(three.acquire(&a, SECOND).await.is_err());
    clock.advance(32 * SECOND);
    drop(two.acquire(&a, SECOND).await.unwrap());
}

/// A process with a wall clock of its own; time passes alike for all.
struct Process {
    clock: ManualClock,
    turnstile: Turnstile,
}

impl Process {
    /// Its wall clock is off by so many seconds.
    fn new(off: i64, store: &Arc<dyn KeyValueStore>) -> Self {
        let clock = clock();
        clock.set_wall(clock.now() + TimeDelta::seconds(off));
        let turnstile = turnstile(with(Limits::UNKNOWN).shared(Arc::clone(store)), &clock);
        Self { clock, turnstile }
    }

    async fn may_go(&self) -> bool {
        self.turnstile.acquire(&call("a", "x"), Duration::ZERO).await.is_ok()
    }

    async fn is_told(&self, wait: Duration) {
        let permit = self.turnstile.acquire(&call("a", "x"), SECOND).await.unwrap();
        permit.settle(&Observation::throttled(Some(wait))).await;
    }
}

const STEP: Duration = Duration::from_millis(250);

/// Lets time pass until the process may go, for two hours at the most, and says how long that took.
async fn held(process: &Process, clocks: &[&ManualClock], mut meanwhile: impl FnMut(u32)) -> Duration {
    let mut passed = Duration::ZERO;
    for step in 0.. {
        if process.may_go().await || passed > 120 * MINUTE {
            break;
        }
        for clock in clocks {
            clock.advance(STEP);
        }
        passed += STEP;
        meanwhile(step);
    }
    passed
}

#[tokio::test]
async fn a_429_holds_another_process_back_as_told_however_the_wall_clocks_differ() {
    const HOURS: i64 = 10 * 3_600;
    for writer in [-HOURS, -300, -20, 0, 20, 300, HOURS] {
        for reader in [-HOURS, -300, 0, 300, HOURS] {
            let stores = clock();
            let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(stores.clone())));
            let [one, two] = [writer, reader].map(|off| Process::new(off, &store));
            one.is_told(MINUTE).await;
            let took = held(&two, &[&stores, &one.clock, &two.clock], |_| ()).await;
            // The jitter is a second, and so is the time between two looks.
            let told = MINUTE..=MINUTE + 2 * SECOND + STEP;
            assert!(told.contains(&took), "{writer} s and {reader} s off: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_429_holds_another_process_back_as_told_wherever_its_clock_jumps() {
    for jump in [-36_000, -300, 300, 36_000] {
        // One jump, or one after the other.
        for often in [u32::MAX, 1] {
            let stores = clock();
            let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(stores.clone())));
            let [one, two] = [300, -300].map(|off| Process::new(off, &store));
            one.is_told(MINUTE).await;
            let took = held(&two, &[&stores, &one.clock, &two.clock], |step| {
                if step % often == 0 {
                    two.clock.set_wall(two.clock.now() + TimeDelta::seconds(jump));
                }
            })
            .await;
            let told = MINUTE..=MINUTE + 2 * SECOND + STEP;
            assert!(told.contains(&took), "jumps of {jump} s: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_process_that_comes_late_waits_no_longer_than_was_told() {
    for (off, most) in [(0, 2), (300, 2), (-300, 51)] {
        let stores = clock();
        let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(stores.clone())));
        let one = Process::new(0, &store);
        one.is_told(MINUTE).await;
        stores.advance(50 * SECOND);
        let two = Process::new(off + 50, &store);
        let took = held(&two, &[&stores, &two.clock], |_| ()).await;
        assert!((10 * SECOND..=(10 + most + 1) * SECOND).contains(&took), "{off} s off: {took:?}");
    }
}

#[tokio::test]
async fn a_store_that_keeps_a_mark_too_long_or_loses_it_changes_nothing_for_who_has_read_it() {
    #[derive(Debug)]
    struct Odd(MemoryStore, std::sync::atomic::AtomicBool);
    #[async_trait::async_trait]
    impl KeyValueStore for Odd {
        async fn get(&self, key: &str) -> integrations_core::Result<Option<Vec<u8>>> {
            let lost = self.1.load(std::sync::atomic::Ordering::Relaxed);
            if lost { Ok(None) } else { self.0.get(key).await }
        }
        async fn put(&self, key: &str, value: &[u8], _: Duration) -> integrations_core::Result<()> {
            self.0.put(key, value, 600 * MINUTE).await
        }
        async fn put_if_absent(&self, _: &str, _: &[u8], _: Duration) -> integrations_core::Result<bool> {
            Ok(true)
        }
        async fn take(&self, _: &str) -> integrations_core::Result<Option<Vec<u8>>> {
            Ok(None)
        }
    }
    for lost in [false, true] {
        let stores = clock();
        let odd = Arc::new(Odd(MemoryStore::with_clock(Arc::new(stores.clone())), false.into()));
        let store: Arc<dyn KeyValueStore> = odd.clone();
        let [one, two] = [0, 0].map(|off| Process::new(off, &store));
        one.is_told(MINUTE).await;
        assert!(!two.may_go().await);
        odd.1.store(lost, std::sync::atomic::Ordering::Relaxed);
        let took = held(&two, &[&stores, &two.clock], |_| ()).await;
        assert!((MINUTE..=MINUTE + 2 * SECOND + STEP).contains(&took), "{lost}: {took:?}");
    }
}

#[tokio::test]
async fn a_shorter_mark_does_not_shorten_a_longer_one_and_an_absurd_time_is_a_day() {
    const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);
    let stores = clock();
    let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(stores.clone())));
    let [one, two, three] = [0, 0, 0].map(|off| Process::new(off, &store));
    // The answers of two processes' calls that were under way at the same time.
    let late = two.turnstile.acquire(&call("a", "x"), SECOND).await.unwrap();
    one.is_told(MINUTE).await;
    assert!(!three.may_go().await);
    for clock in [&stores, &one.clock, &two.clock, &three.clock] {
        clock.advance(2 * SECOND);
    }
    late.settle(&Observation::throttled(Some(5 * SECOND))).await;
    let took = held(&three, &[&stores, &three.clock], |_| ()).await;
    assert!(took >= 57 * SECOND && took <= 61 * SECOND, "{took:?}");

    let (governor, clock) = (with(Limits::UNKNOWN).build(), clock());
    governor.observe(&call("b", "x"), &Observation::throttled(Some(CENTURY)), now(&clock));
    assert!(wait(governor.check(&call("b", "x"), now(&clock))).0 <= Duration::from_secs(86_401));
}

#[tokio::test]
async fn processes_share_the_quota_of_the_application() {
    const LIMITS: Limits = Limits::new(&[Quota::new(Scope::App, 1_000, MINUTE)]);
    let clock = clock();
    let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let governors = [1, 2, 3].map(|seed| with(LIMITS).seed(seed).shared(Arc::clone(&store)).build());
    let mut sent = Vec::new();
    let mut counts = [0_u32; 3];
    let step = Duration::from_millis(2);
    for round in 0..90_000 {
        for number in 0..3 {
            // Not always the same one first.
            let number = (number + round) % 3;
            let call = call("a", "x");
            loop {
                match governors[number].check(&call, now(&clock)) {
                    Decision::Ready => {
                        governors[number].release(&call, true, now(&clock));
                        sent.push(clock.monotonic());
                        counts[number] += 1;
                    }
                    Decision::Exchange => governors[number].exchange(&call, now(&clock)).await.unwrap(),
                    Decision::Wait { .. } => break,
                }
            }
        }
        clock.advance(step);
    }
    for (first, start) in sent.iter().enumerate() {
        let last = sent.partition_point(|at| *at < *start + MINUTE);
        assert!(last - first <= 1_000);
    }
    assert!(sent.len() >= 2_850, "{}", sent.len());
    assert!(counts.iter().all(|count| *count > 800), "{counts:?}");
}

#[tokio::test]
async fn processes_together_let_no_more_go_at_once_than_the_burst() {
    const LIMITS: Limits = Limits::new(&[Quota::new(Scope::App, 6_000, MINUTE).burst(100)]);
    // After a rest, wherever in an interval, or where two meet.
    for offset in 0..200 {
        let clock = clock();
        clock.advance(offset * Duration::from_millis(7));
        let store: Arc<dyn KeyValueStore> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        let governors = [1, 2].map(|seed| with(LIMITS).seed(seed).shared(Arc::clone(&store)).build());
        let mut sent = 0;
        for _ in 0..3 {
            for governor in &governors {
                let call = call("a", "x");
                loop {
                    match governor.check(&call, now(&clock)) {
                        Decision::Ready => sent += 1,
                        Decision::Exchange => governor.exchange(&call, now(&clock)).await.unwrap(),
                        Decision::Wait { .. } => break,
                    }
                }
            }
            clock.advance(Duration::from_millis(3));
        }
        assert!(sent <= 100, "{sent} at once");
    }
}

#[tokio::test]
async fn storage_that_fails_stops_only_what_cannot_do_without() {
    #[derive(Debug)]
    struct Broken;
    #[async_trait::async_trait]
    impl KeyValueStore for Broken {
        async fn get(&self, _: &str) -> integrations_core::Result<Option<Vec<u8>>> {
            Err(ErrorKind::Store.into())
        }
        async fn put(&self, _: &str, _: &[u8], _: Duration) -> integrations_core::Result<()> {
            Err(ErrorKind::Store.into())
        }
        async fn put_if_absent(&self, _: &str, _: &[u8], _: Duration) -> integrations_core::Result<bool> {
            Err(ErrorKind::Store.into())
        }
        async fn take(&self, _: &str) -> integrations_core::Result<Option<Vec<u8>>> {
            Err(ErrorKind::Store.into())
        }
    }
    const APP: Limits = Limits::new(&[Quota::new(Scope::App, 1_000, MINUTE)]);
    const USER: Limits = Limits::new(&[Quota::new(Scope::Connection, 1_000, MINUTE)]);
    let clock = clock();
    let user = turnstile(with(USER).shared(Arc::new(Broken)), &clock);
    let permit = user.acquire(&call("a", "x"), SECOND).await.unwrap();
    permit.observe(&Observation::throttled(Some(MINUTE))).await;
    let app = turnstile(with(APP).shared(Arc::new(Broken)), &clock);
    let error = app.acquire(&call("a", "x"), SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(app.waiting(&"service".into()), 0);
}

// ---- the turnstile ----------------------------------------------------------------------------

type Log = Arc<std::sync::Mutex<Vec<String>>>;

/// Makes a call when it may, and writes its name down.
fn go(turnstile: &Turnstile, call: Call, name: impl Into<String>, log: &Log) -> tokio::task::JoinHandle<()> {
    let (turnstile, name, log) = (turnstile.clone(), name.into(), Arc::clone(log));
    tokio::spawn(async move {
        let permit: Permit = turnstile.acquire(&call, 10 * MINUTE).await.unwrap();
        log.lock().unwrap().push(name);
        drop(permit);
    })
}

const ONE_A_SECOND: Limits = Limits::new(&[Quota::new(Scope::App, 60, MINUTE)]);

#[tokio::test]
async fn connections_take_turns_and_calls_of_one_go_in_order() {
    let clock = clock();
    let turnstile = turnstile(with(ONE_A_SECOND), &clock);
    let log = Log::default();
    for number in 0..4 {
        drop(go(&turnstile, call("a", "x"), format!("a{number}"), &log));
    }
    for number in 0..2 {
        drop(go(&turnstile, call("b", "x"), format!("b{number}"), &log));
    }
    drop(go(&turnstile, call("c", "x"), "c0", &log));
    for _ in 0..20 {
        settle().await;
        clock.advance(SECOND);
    }
    let log = log.lock().unwrap().join(" ");
    // The first went at once, before anybody else stood there.
    assert!(["a0 a1 b0 c0 a2 b1 a3", "a0 b0 c0 a1 b1 a2 a3"].contains(&log.as_str()), "{log}");
}

#[tokio::test]
async fn people_go_before_webhooks_and_those_before_the_backfill() {
    let clock = clock();
    let turnstile = turnstile(with(ONE_A_SECOND), &clock);
    let log = Log::default();
    drop(turnstile.acquire(&call("a", "x"), SECOND).await.unwrap());
    for (name, priority) in
        [("backfill", Priority::Backfill), ("webhook", Priority::Webhook), ("person", Priority::Interactive)]
    {
        drop(go(&turnstile, call("a", "x").priority(priority), name, &log));
    }
    for _ in 0..10 {
        settle().await;
        clock.advance(SECOND);
    }
    assert_eq!(*log.lock().unwrap(), ["person", "webhook", "backfill"]);
}

#[tokio::test]
async fn a_call_held_by_its_operation_lets_other_operations_pass() {
    const LIMITS: Limits =
        Limits::new(&[Quota::new(Scope::Connection, 1, MINUTE).of(Calls::Operation("history"))]);
    let clock = clock();
    let turnstile = turnstile(with(LIMITS), &clock);
    let log = Log::default();
    drop(go(&turnstile, call("a", "history"), "h0", &log));
    drop(go(&turnstile, call("a", "history"), "h1", &log));
    drop(go(&turnstile, call("a", "users"), "u0", &log));
    settle().await;
    assert_eq!(*log.lock().unwrap(), ["h0", "u0"]);
    clock.advance(61 * SECOND);
    settle().await;
    assert_eq!(*log.lock().unwrap(), ["h0", "u0", "h1"]);
}

#[tokio::test]
async fn a_deadline_that_cannot_be_kept_is_an_error_at_once() {
    let clock = clock();
    let turnstile = turnstile(with(Limits::UNKNOWN), &clock);
    let permit = turnstile.acquire(&call("a", "x"), SECOND).await.unwrap();
    permit.observe(&Observation::throttled(Some(MINUTE))).await;
    drop(permit);
    let error = turnstile.acquire(&call("a", "x"), 30 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().unwrap() >= MINUTE);
    assert_eq!(turnstile.waiting(&"service".into()), 0);
    assert_eq!(clock.sleepers(), 0);
}

#[tokio::test]
async fn a_call_in_a_long_line_waits_until_its_deadline_and_no_longer() {
    let clock = clock();
    let turnstile = turnstile(with(ONE_A_SECOND), &clock);
    let log = Log::default();
    for number in 0..20 {
        drop(go(&turnstile, call("a", "x"), number.to_string(), &log));
    }
    settle().await;
    let late = tokio::spawn({
        let turnstile = turnstile.clone();
        async move { turnstile.acquire(&call("a", "x"), 5 * SECOND).await.map(drop) }
    });
    settle().await;
    clock.advance(5 * SECOND);
    settle().await;
    let error = late.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().is_some());
}

#[tokio::test]
async fn a_waiting_call_that_is_given_up_leaves_nothing_behind() {
    const LIMITS: Limits = Limits::new(&[Quota::new(Scope::App, 60, MINUTE)]).concurrent(1);
    let clock = clock();
    let governor = Arc::new(with(LIMITS).build());
    let turnstile = Turnstile::new(Arc::clone(&governor) as Arc<dyn RateLimiter>, Arc::new(clock.clone()));
    let log = Log::default();
    let first = turnstile.acquire(&call("a", "x"), SECOND).await.unwrap();
    let waiting: Vec<_> =
        (0..10).map(|number| go(&turnstile, call("a", "x"), number.to_string(), &log)).collect();
    settle().await;
    assert_eq!(turnstile.waiting(&"service".into()), 10);
    // The leader goes too, and the next one takes its place.
    for task in &waiting[..9] {
        task.abort();
    }
    settle().await;
    assert_eq!(turnstile.waiting(&"service".into()), 1);
    drop(first);
    clock.advance(2 * SECOND);
    settle().await;
    assert_eq!(*log.lock().unwrap(), ["9"]);
    // One that was let through but is dropped before it knows puts back what it got.
    let again = call("a", "x");
    let mut second = Box::pin(turnstile.acquire(&again, MINUTE));
    assert!(futures_util::poll!(&mut second).is_pending());
    let third = go(&turnstile, call("b", "x"), "b", &log);
    settle().await;
    clock.advance(2 * SECOND);
    settle().await;
    drop(second);
    third.abort();
    settle().await;
    assert_eq!(turnstile.waiting(&"service".into()), 0);
    assert_eq!(clock.sleepers(), 0);
    clock.advance(2 * SECOND);
    assert_eq!(governor.check(&call("a", "x"), now(&clock)), Decision::Ready);
}

/// Writes down when calls were let through.
#[derive(Debug)]
struct Recorder(Governor, std::sync::Mutex<Vec<(Duration, Call)>>);

#[async_trait::async_trait]
impl RateLimiter for Recorder {
    fn check(&self, call: &Call, now: Moment) -> Decision {
        let decision = self.0.check(call, now);
        if decision == Decision::Ready {
            self.1.lock().unwrap().push((now.monotonic, call.clone()));
        }
        decision
    }
    fn release(&self, call: &Call, sent: bool, now: Moment) {
        self.0.release(call, sent, now);
    }
    fn observe(&self, call: &Call, observation: &Observation, now: Moment) {
        self.0.observe(call, observation, now);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_do_not_overrun_and_all_come_through() {
    const LIMITS: Limits = Limits::new(&[
        Quota::new(Scope::App, 400, MINUTE),
        Quota::new(Scope::Connection, 100, MINUTE).burst(5),
    ])
    .concurrent(2);
    let clock = clock();
    let recorder = Arc::new(Recorder(with(LIMITS).build(), std::sync::Mutex::default()));
    let limiter = Arc::clone(&recorder) as Arc<dyn RateLimiter>;
    let turnstile = Turnstile::new(limiter, Arc::new(clock.clone()));
    let tasks: Vec<_> = (0..600)
        .map(|number| {
            let turnstile = turnstile.clone();
            tokio::spawn(async move {
                let call = call(&format!("cn_{}", number % 20), "x");
                let permit = turnstile.acquire(&call, 10_000 * MINUTE).await.unwrap();
                permit.observe(&Observation::accepted()).await;
            })
        })
        .collect();
    for round in 0.. {
        assert!(round < 2_000_000, "{} calls wait for ever", turnstile.waiting(&"service".into()));
        if tasks.iter().all(tokio::task::JoinHandle::is_finished) {
            break;
        }
        settle().await;
        clock.advance(Duration::from_millis(10));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut log = recorder.1.lock().unwrap().clone();
    log.sort_by_key(|(at, _)| *at);
    assert_eq!(log.len(), 600);
    for (first, (start, call)) in log.iter().enumerate() {
        let window = || log[first..].iter().take_while(|(at, _)| *at - *start < MINUTE);
        assert!(window().count() <= 400);
        assert!(window().filter(|(_, other)| other.connection == call.connection).count() <= 100);
    }
}

#[test]
fn settling_a_call_is_observing_and_releasing_it() {
    const LIMITS: Limits = Limits::new(&[
        Quota::new(Scope::App, 1_000, MINUTE).burst(30),
        Quota::new(Scope::Connection, 300, MINUTE).of(Calls::Each).burst(10),
    ])
    .concurrent(3);
    const GROUPS: Limits = LIMITS.told(Scope::Group, Calls::Each);
    const APP: Limits = LIMITS.told(Scope::App, Calls::All);
    for limits in [LIMITS, GROUPS, APP] {
        let ([one, two], clock) = ([1, 2].map(|_| with(limits).build()), clock());
        for number in 0_u32..2_000 {
            let connection = ["a", "b", "c"][number as usize % 3];
            let operation = if number % 5 < 3 { "x" } else { "y" };
            let call = call(connection, operation).group("w");
            let decision = one.check(&call, now(&clock));
            assert_eq!(decision, two.check(&call, now(&clock)), "{number}");
            if decision == Decision::Ready {
                let resets = clock.now() + TimeDelta::seconds(30);
                let told = match number % 97 {
                    0 => Observation::throttled(Some(SECOND)),
                    50 => Observation::throttled(Some(SECOND)).app_wide(),
                    left => Observation::accepted().window(Some(100), 100 - left, resets),
                };
                one.observe(&call, &told, now(&clock));
                one.release(&call, true, now(&clock));
                two.settle(&call, &told, now(&clock));
            }
            clock.advance(Duration::from_millis(u64::from(number * 7_919 % 400)));
        }
    }
}

#[tokio::test]
async fn a_call_is_over_when_settling_begins_even_if_nobody_waits_for_its_end() {
    #[derive(Debug, Default)]
    struct Deaf(std::sync::Mutex<Vec<&'static str>>);
    #[async_trait::async_trait]
    impl RateLimiter for Deaf {
        fn check(&self, _: &Call, _: Moment) -> Decision {
            Decision::Ready
        }
        fn release(&self, _: &Call, sent: bool, _: Moment) {
            self.0.lock().unwrap().push(if sent { "released" } else { "put back" });
        }
        fn observe(&self, _: &Call, _: &Observation, _: Moment) {
            self.0.lock().unwrap().push("observed");
        }
        async fn exchange(&self, _: &Call, _: Moment) -> integrations_core::Result<()> {
            std::future::pending().await
        }
    }
    let limiter = Arc::new(Deaf::default());
    let turnstile = Turnstile::new(Arc::clone(&limiter) as Arc<dyn RateLimiter>, Arc::new(clock()));
    let permit = turnstile.acquire(&call("a", "x"), SECOND).await.unwrap();
    let told = Observation::throttled(None);
    let mut settling = Box::pin(permit.settle(&told));
    assert!(futures_util::poll!(&mut settling).is_pending());
    drop(settling);
    assert_eq!(*limiter.0.lock().unwrap(), ["observed", "released"]);
    drop(turnstile.acquire(&call("a", "x"), SECOND).await.unwrap());
    assert_eq!(*limiter.0.lock().unwrap(), ["observed", "released", "released"]);
}
