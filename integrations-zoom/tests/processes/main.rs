//! Many processes share one database, and a refresh token is exchanged once.
//!
//! The provider spends a refresh token with its first exchange, and ends the whole family of tokens at the
//! second: a connection that is used after a case was not exchanged twice. Processes are real ones, killed
//! with SIGKILL and stopped with SIGSTOP, on the machine's clock; where a test has to be between two steps of
//! a process, the fake's gates hold its answer, or the process stops by itself and says where it is.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod child;
mod killed;
mod parent;

use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::{TokenSettings, TokenStore, Vault};
use integrations_core::clock::Clock;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::resilience::{BulkheadLimits, Unlimited};
use integrations_core::{Gateway, GatewayBuilder, ServiceAdapter};
use integrations_stores::SqliteStore;
use integrations_testkit::oauth::{FakeOAuthBuilder, Rotation};
use integrations_testkit::{Fault, Gate};
use integrations_zoom::{Zoom, ZoomConfig};

use self::parent::{Process, Stage};

/// Callers in each process.
const CALLERS: usize = 1_000;

fn vault() -> Vault {
    Vault::new("test", [5; 32]).unwrap()
}

fn adapter(fake: &str) -> Arc<dyn ServiceAdapter> {
    let config = ZoomConfig::builder().client("client", "secret").base_url(fake).build().unwrap();
    Zoom::new(config).unwrap()
}

/// A gateway that lets all callers in at once.
fn gateway(adapter: &Arc<dyn ServiceAdapter>, store: SqliteStore, settings: TokenSettings) -> GatewayBuilder {
    let places = BulkheadLimits { service: CALLERS, connection: CALLERS, waiting: CALLERS };
    Gateway::builder()
        .adapter(Arc::clone(adapter))
        .store(store)
        .vault(vault())
        .transport(Arc::new(ReqwestTransport::new("test").unwrap()))
        .token_settings(settings)
        .rate_limiter(Arc::new(Unlimited))
        .bulkhead(places)
}

fn strict(fake: FakeOAuthBuilder) -> FakeOAuthBuilder {
    fake.with_family_revocation()
}

fn overlapping(fake: FakeOAuthBuilder) -> FakeOAuthBuilder {
    fake.rotation(Rotation::Overlapping)
}

/// What the provider has seen: exchanges, and refresh tokens that were spent before.
fn exchanges(stage: &Stage) -> (u64, u64) {
    let tally = stage.fake.tally();
    (tally.refreshes, tally.spent_refresh_tokens)
}

async fn call(processes: &mut [Process], callers: usize) {
    for process in &mut *processes {
        process.tell(&format!("call {callers}")).await;
    }
    for process in processes {
        process.done().await.all_succeeded(callers);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_in_each_of_three_processes_make_one_exchange() {
    // The guard's time is short, and runs out now and then.
    for (round, guard_ttl) in [60_000, 20].into_iter().enumerate() {
        let stage = Stage::new((guard_ttl, 60_000), |fake| strict(fake).seed(round as u64)).await;
        let mut processes = Vec::new();
        for _ in 0..3 {
            processes.push(stage.process().await);
        }
        stage.expire().await;
        call(&mut processes, CALLERS).await;
        assert_eq!(exchanges(&stage), (1, 0), "expired");
        // All processes have the token in memory, and hear 401.
        stage.fake.expire_access_tokens();
        call(&mut processes, CALLERS).await;
        assert_eq!(exchanges(&stage), (2, 0), "refused before its time");
        assert_eq!(stage.stored().await.refreshing_since, None);
    }
}

/// The exchange takes longer than its guard: others take the guard, and see that they have to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_that_outlives_its_guard_is_not_made_twice() {
    let stage = Stage::new((200, 60_000), strict).await;
    let mut processes = vec![stage.process().await, stage.process().await, stage.process().await];
    for round in 1..=3 {
        stage.expire().await;
        let gate = Gate::new();
        stage.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
        processes[0].tell("call 50").await;
        parent::soon(gate.arrived(1)).await;
        for process in &mut processes[1..] {
            process.tell("call 50").await;
        }
        // The guard has run out when somebody else can have it.
        let lease = Duration::from_millis(1);
        let id = &stage.connection.id;
        while stage.store.acquire_refresh_guard(id, lease).await.unwrap().is_none() {
            stage.clock.sleep(Duration::from_millis(5)).await;
        }
        // The others ask ten times a second.
        stage.clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(stage.fake.count("token.refresh"), round);
        gate.open();
        for process in &mut processes {
            process.done().await.all_succeeded(50);
        }
        assert_eq!(exchanges(&stage), (round, 0));
        processes.rotate_left(1);
    }
}

/// Between reading that the tokens are due and saying that it exchanges them, a process stands still for
/// longer than its guard: it must not go on from what it has read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stood_still_before_its_mark_looks_again() {
    for finished in [false, true] {
        let stage = Stage::new((50, 60_000), strict).await;
        let (mut slow, mut quick) = (stage.process().await, stage.process().await);
        stage.expire().await;
        slow.tell("step").await;
        slow.walk_to("before put").await;
        let gate = Gate::new();
        if finished {
            gate.open();
        }
        stage.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
        quick.tell("call 1").await;
        parent::soon(gate.arrived(1)).await;
        if finished {
            quick.done().await.all_succeeded(1);
        }
        slow.tell("run").await;
        if !finished {
            // It asks ten times a second whether the other has finished.
            stage.clock.sleep(Duration::from_millis(500)).await;
            assert_eq!(stage.fake.count("token.refresh"), 1);
            gate.open();
            quick.done().await.all_succeeded(1);
        }
        slow.done().await.all_succeeded(1);
        assert_eq!(exchanges(&stage), (1, 0));
    }
}

/// A process that stands still in the middle of its exchange, for so long that another has to take over,
/// and then goes on: it overwrites nothing.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_comes_back_late_overwrites_nothing() {
    for survives in [true, false] {
        let stage = Stage::new((200, 1_500), if survives { overlapping } else { strict }).await;
        let (mut slow, mut quick) = (stage.process().await, stage.process().await);
        stage.expire().await;
        let gate = Gate::new();
        stage.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
        slow.tell("call 1").await;
        parent::soon(gate.arrived(1)).await;
        let marked = stage.stored().await;
        slow.signal("STOP").await;
        gate.open();

        quick.tell("call 1").await;
        let outcome = quick.done().await;
        let after = stage.stored().await;
        parent::assert_waited(&stage, &marked, &after);
        assert_eq!(outcome.succeeded == 1, survives, "{}", outcome.error);
        if survives {
            assert_eq!(exchanges(&stage), (2, 1));
        } else {
            killed::assert_says_why(&after, &outcome.error);
        }

        slow.signal("CONT").await;
        let outcome = slow.done().await;
        assert_eq!(outcome.succeeded == 1, survives, "{}", outcome.error);
        assert_eq!(stage.stored().await, after, "nothing was written");
        assert_eq!(stage.fake.is_live(stage.tokens().await.access.expose()), survives);
        if !survives {
            stage.connect_again().await;
        }
        // Both go on with what is stored.
        stage.expire().await;
        call(&mut [slow, quick], 10).await;
    }
}
