//! A process that is killed in the middle of a refresh: the connection survives, or says why it did not.

use integrations_core::connection::{Connection, ConnectionStatus};
use integrations_core::{ErrorKind, Result};
use integrations_testkit::oauth::FakeOAuthBuilder;
use integrations_testkit::{Fault, Gate};

use crate::parent::{self, Stage};
use crate::{exchanges, overlapping, strict};

/// Kills in each run, shared by lanes that go on side by side.
const KILLS: u64 = 30;
const LANES: u64 = 6;
const SEED: u64 = 11;

/// The connection waits for its user, and says that an exchange was lost, and when.
#[track_caller]
pub(crate) fn assert_says_why(connection: &Connection, error: &str) {
    let ConnectionStatus::ReauthorizationRequired { reason, .. } = &connection.status else {
        panic!("{:?}: {error}", connection.status);
    };
    let says = "by a process that ended before the new tokens were stored, and they are lost with it";
    assert!(reason.contains(says), "{reason}");
    assert!(error.contains("reauthorization_required") && error.contains(says), "{error}");
    assert_eq!(connection.refreshing_since, None);
}

/// The provider has answered, the tokens were never written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_the_answer_and_the_write() {
    for survives in [true, false] {
        let stage = Stage::new((200, 1_500), if survives { overlapping } else { strict }).await;
        stage.expire().await;
        let gate = Gate::new();
        stage.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
        let mut victim = stage.process().await;
        victim.tell("call 100").await;
        parent::soon(gate.arrived(1)).await;
        let marked = stage.stored().await;
        victim.kill().await;
        gate.open();
        assert_eq!(exchanges(&stage), (1, 0), "the exchange took place");

        let mut next = stage.process().await;
        next.tell("call 1").await;
        let outcome = next.done().await;
        let after = stage.stored().await;
        parent::assert_waited(&stage, &marked, &after);
        assert_eq!(outcome.succeeded == 1, survives, "{}", outcome.error);
        if !survives {
            assert_says_why(&after, &outcome.error);
            stage.connect_again().await;
        }
        next.tell("call 10").await;
        // Whoever has it in memory that the grant is gone looks again.
        next.done().await.all_succeeded(10);
    }
}

/// The provider has never heard of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_the_request_arrives() {
    for held in ["on its way", "before it was sent"] {
        let stage = Stage::new((200, 1_500), strict).await;
        stage.expire().await;
        let mut victim = stage.process().await;
        let gate = Gate::new();
        if held == "on its way" {
            stage.fake.fault(Fault::on("token.refresh").hold(&gate));
            victim.tell("call 100").await;
            parent::soon(gate.arrived(1)).await;
        } else {
            victim.tell("step").await;
            victim.walk_to("before exchange").await;
        }
        let marked = stage.stored().await;
        victim.kill().await;

        let mut next = stage.process().await;
        next.tell("call 100").await;
        next.done().await.all_succeeded(100);
        parent::assert_waited(&stage, &marked, &stage.stored().await);
        gate.open();
        assert_eq!(exchanges(&stage), (1, 0), "{held}");
    }
}

/// What stands between the kills: how many connections were usable afterwards, and how many said why not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ends {
    usable: u64,
    lost: u64,
}

/// A draw in `0..bound` that depends on the seed alone (SplitMix64).
fn draw(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % bound
}

/// Kills a process that refreshes over and over, at a step or somewhere behind it, and looks what became of
/// the connection; so many times.
async fn kill_at_random(set_up: fn(FakeOAuthBuilder) -> FakeOAuthBuilder, seed: u64, kills: u64) -> Ends {
    let life = std::time::Duration::from_secs(1);
    let stage = Stage::new((200, 800), |fake| set_up(fake).seed(seed).access_token_lifetime(life)).await;
    let (mut random, mut ends) = (seed, Ends::default());
    for _ in 0..kills {
        stage.expire().await;
        let mut victim = stage.process().await;
        victim.tell("loop").await;
        // A refresh has about fifteen steps.
        let mut place = victim.hear().await;
        for _ in 0..draw(&mut random, 45) {
            victim.tell("").await;
            place = victim.hear().await;
        }
        if draw(&mut random, 2) == 1 {
            victim.tell("").await;
            for _ in 0..draw(&mut random, 2_000_000) {
                std::hint::spin_loop();
            }
        }
        victim.kill().await;

        let mut stored = stage.stored().await;
        assert_eq!(stored.status.as_str(), "active", "killed {place}");
        // An access token that lives on must not hide that the refresh token is lost.
        stored.tokens.expires_at = Some(stored.tokens.issued_at);
        integrations_core::auth::TokenStore::put(&stage.store, &stored).await.unwrap();
        let before = exchanges(&stage);
        let outcome: Result<()> = stage.touch().await;
        match outcome {
            Ok(()) => {
                ends.usable += 1;
                assert_eq!(exchanges(&stage).0, before.0 + 1, "killed {place}: it is usable for longer");
            }
            Err(error) => {
                ends.lost += 1;
                assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired, "killed {place}: {error}");
                assert_says_why(&stage.stored().await, &error.to_string());
                assert_eq!(exchanges(&stage).1, before.1 + 1, "killed {place}: an exchange was lost");
                stage.connect_again().await;
            }
        }
    }
    ends
}

async fn kill_in_lanes(set_up: fn(FakeOAuthBuilder) -> FakeOAuthBuilder) -> Ends {
    let lanes: Vec<_> =
        (0..LANES).map(|lane| tokio::spawn(kill_at_random(set_up, SEED + lane, KILLS / LANES))).collect();
    let mut all = Ends::default();
    for lane in lanes {
        let ends = lane.await.unwrap();
        all = Ends { usable: all.usable + ends.usable, lost: all.lost + ends.lost };
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_a_connection_is_usable_or_says_why_not() {
    let ends = kill_in_lanes(strict).await;
    println!("a provider that spends refresh tokens: {ends:?}");
    assert_eq!(ends.usable + ends.lost, KILLS);
    assert!(ends.usable > 0 && ends.lost > 0, "{ends:?}: the kills did not come at random");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_a_connection_is_usable_where_old_tokens_stay_valid() {
    let ends = kill_in_lanes(overlapping).await;
    println!("a provider that leaves old refresh tokens valid: {ends:?}");
    assert_eq!(ends, Ends { usable: KILLS, lost: 0 });
}
