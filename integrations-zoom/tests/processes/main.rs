//! One exchange, whatever happens to the processes: real ones, on one SQLite file, against a provider whose
//! refresh tokens are for single use and which ends the whole grant when one comes twice.
//!
//! The children run on the machine's clock. Nothing is timed: the provider holds its answers at gates, and
//! where a lease has to run out, the parent waits until the store says that it has.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod child;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use integrations_core::auth::{TokenSettings, TokenStore, Vault};
use integrations_core::clock::SystemClock;
use integrations_core::resilience::{BulkheadLimits, ExponentialRetry, Limits};
use integrations_core::{Connection, Gateway};
use integrations_stores::SqliteStore;
use integrations_testkit::oauth::{Dialect, FakeOAuth, Rotation};
use integrations_testkit::{Fault, Gate};
use integrations_zoom::{ZoomConfig, account};
use tempfile::TempDir;

const REDIRECT: &str = "https://app.example/callback/zoom";
/// Longer than any case takes.
const LONG: u64 = 60_000;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn gateway(fake: &str, db: &Path, ttl: Duration, limit: Duration) -> Gateway {
    let config =
        ZoomConfig::builder().client("fake-client", "fake-client-secret").base_url(fake).build().unwrap();
    let mut settings = TokenSettings::default();
    (settings.guard_ttl, settings.exchange_limit) = (ttl, limit);
    let mut places = BulkheadLimits::default();
    (places.service, places.connection, places.waiting) = (64, 64, 10_000);
    Gateway::builder()
        .adapter(account(&config).unwrap())
        .store(SqliteStore::open(db).await.unwrap())
        .vault(Vault::new("test", [5; 32]).unwrap())
        .limits("zoom", Limits::UNKNOWN)
        .limits("zoom.oauth", Limits::UNKNOWN)
        .bulkhead(places)
        .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
        .token_settings(settings)
        .build()
        .unwrap()
}

struct World {
    fake: FakeOAuth,
    folder: TempDir,
    store: SqliteStore,
    gateway: Gateway,
    connection: Connection,
}

impl World {
    async fn new(rotation: Rotation) -> Self {
        let fake =
            FakeOAuth::builder(Dialect::Zoom).rotation(rotation).with_family_revocation().start().await;
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("host.db");
        let store = SqliteStore::open(&db).await.unwrap();
        let gateway = gateway(fake.url(), &db, Duration::from_secs(60), Duration::from_secs(60)).await;
        let connection = connect(&fake, &gateway).await;
        Self { fake, folder, store, gateway, connection }
    }

    /// The access token has expired: the store says so, and to whoever has it in memory, the provider.
    async fn expire(&self) {
        self.fake.expire_access_tokens();
        loop {
            let mut connection = self.stored().await;
            connection.tokens.issued_at = at(-7_200);
            connection.tokens.expires_at = Some(at(-3_600));
            if self.store.put(&connection).await.is_ok() {
                return;
            }
        }
    }

    async fn stored(&self) -> Connection {
        self.store.get(&self.connection.id).await.unwrap().unwrap()
    }

    async fn reconnect(&self) {
        assert_eq!(connect(&self.fake, &self.gateway).await.id, self.connection.id);
    }

    /// Starts a process whose leases last for `ttl`, and which takes an exchange for over after `limit`, both
    /// in milliseconds.
    fn child(&self, ttl: u64, limit: u64) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env("CHILD_FAKE", self.fake.url())
            .env("CHILD_DB", self.folder.path().join("host.db"))
            .env("CHILD_CONNECTION", self.connection.id.as_str())
            .env("CHILD_TTL", ttl.to_string())
            .env("CHILD_LIMIT", limit.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let (tell, told) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, text)) = line.split_once(child::MARK) {
                    let _ = tell.send(text.to_owned());
                }
            }
        });
        let process = Process { child, input, told };
        assert_eq!(process.line(), "ready");
        process
    }

    /// Waits until nobody holds the right to refresh, as far as the store knows.
    async fn lease_runs_out(&self) {
        loop {
            let id = &self.connection.id;
            if let Some(guard) = self.store.acquire_refresh_guard(id, Duration::from_secs(1)).await.unwrap() {
                self.store.release_refresh_guard(guard).await.unwrap();
                return;
            }
            pause(20).await;
        }
    }
}

/// A child process; killed when it is dropped.
struct Process {
    child: Child,
    input: ChildStdin,
    told: mpsc::Receiver<String>,
}

impl Process {
    fn touch(&mut self, tasks: usize) {
        writeln!(self.input, "touch {tasks}").unwrap();
        assert_eq!(self.line(), "begin");
    }

    fn line(&self) -> String {
        self.told.recv_timeout(Duration::from_secs(120)).unwrap()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn connect(fake: &FakeOAuth, gateway: &Gateway) -> Connection {
    let begun = gateway.connect("ada", "zoom").redirect_uri(REDIRECT).begin().await.unwrap();
    let callback = fake.consent(begun.url.as_str()).await.unwrap();
    gateway.complete("ada", &callback).await.unwrap()
}

fn at(seconds: i64) -> chrono::DateTime<Utc> {
    SystemClock::shared().now() + TimeDelta::seconds(seconds)
}

async fn pause(milliseconds: u64) {
    SystemClock::shared().sleep(Duration::from_millis(milliseconds)).await;
}

#[test]
fn a_thousand_callers_in_each_of_three_processes_cause_one_exchange() {
    runtime().block_on(async {
        let world = World::new(Rotation::SingleUse).await;
        let mut children: Vec<_> = (0..3).map(|_| world.child(LONG, LONG)).collect();
        for round in 1..=5 {
            world.expire().await;
            for child in &mut children {
                child.touch(1_000);
            }
            for child in &children {
                assert_eq!(child.line(), "well 1000");
            }
            let tally = world.fake.tally();
            assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (round, 0));
        }
    });
}

#[test]
fn a_refresh_that_takes_longer_than_the_lease_is_made_once() {
    runtime().block_on(async {
        let world = World::new(Rotation::SingleUse).await;
        let mut children: Vec<_> = (0..3).map(|_| world.child(300, LONG)).collect();
        for round in 1..=2 {
            world.expire().await;
            let gate = Gate::new();
            world.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
            for child in &mut children {
                child.touch(100);
            }
            gate.arrived(1).await;
            world.lease_runs_out().await;
            // Long enough for the others to have tried a few times.
            pause(600).await;
            assert_eq!(gate.waiting(), 1);
            gate.open();
            for child in &children {
                assert_eq!(child.line(), "well 100");
            }
            let tally = world.fake.tally();
            assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (round, 0));
        }
    });
}

#[test]
fn a_process_killed_before_it_has_stored_the_answer_loses_the_grant_only_where_tokens_are_single_use() {
    runtime().block_on(async {
        for rotation in [Rotation::Overlapping, Rotation::SingleUse] {
            let world = World::new(rotation).await;
            world.expire().await;
            let gate = Gate::new();
            world.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
            let mut killed = world.child(LONG, LONG);
            killed.touch(1);
            gate.arrived(1).await;
            killed.kill();
            gate.open();
            assert_eq!(world.fake.tally().refreshes, 1, "the provider has done it");

            // The guard of the dead would hold for a minute.
            release_guard(&world).await;
            let mut next = world.child(LONG, 500);
            next.touch(1);
            let line = next.line();
            let status = world.stored().await.status;
            if rotation == Rotation::Overlapping {
                assert_eq!(line, "well 1");
                assert_eq!(status.as_str(), "active");
            } else {
                assert!(line.starts_with("failed reauthorization_required"), "{line}");
                assert!(
                    line.contains("was begun at") && line.contains("ended before the new tokens were stored"),
                    "{line}"
                );
                assert_eq!(status.as_str(), "reauthorization_required");
                world.reconnect().await;
                next.touch(1);
                assert_eq!(next.line(), "well 1");
            }
        }
    });
}

#[test]
fn a_process_killed_before_the_provider_has_heard_of_it_loses_nothing() {
    runtime().block_on(async {
        let world = World::new(Rotation::SingleUse).await;
        world.expire().await;
        let gate = Gate::new();
        let held = world.fake.fault(Fault::on("token.refresh").always().hold(&gate));
        let mut killed = world.child(LONG, LONG);
        killed.touch(1);
        gate.arrived(1).await;
        killed.kill();
        held.take_back();
        release_guard(&world).await;
        let mut next = world.child(LONG, 500);
        next.touch(10);
        assert_eq!(next.line(), "well 10");
        let tally = world.fake.tally();
        assert_eq!((tally.refreshes, tally.spent_refresh_tokens), (1, 0));
    });
}

/// A guard of a process that is dead runs out by itself after a minute; the tests do not wait for that.
async fn release_guard(world: &World) {
    let db = world.folder.path().join("host.db");
    let url = format!("sqlite://{}", db.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("DELETE FROM refresh_guards").execute(&pool).await.unwrap();
    pool.close().await;
}

#[test]
fn processes_killed_anywhere_leave_a_connection_that_works_or_says_why() {
    runtime().block_on(async {
        for rotation in [Rotation::Overlapping, Rotation::SingleUse] {
            let world = World::new(rotation).await;
            let (mut worked, mut explained) = (0, 0);
            // SplitMix64: the moments of the kills are the same in every run, as far as a machine allows.
            let mut seed = 87_u64;
            let mut random = || {
                seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
            };
            for round in 0..15 {
                world.expire().await;
                let mut killed = world.child(LONG, LONG);
                killed.touch(3);
                // Anywhere from before the mark to behind the write: a refresh takes some milliseconds.
                for _ in 0..random() % 1_200_000 {
                    std::hint::spin_loop();
                }
                killed.kill();
                release_guard(&world).await;
                let mut next = world.child(LONG, 300);
                next.touch(3);
                let line = next.line();
                if line == "well 3" {
                    worked += 1;
                } else {
                    assert_eq!(rotation, Rotation::SingleUse, "round {round}: {line}");
                    assert!(line.starts_with("failed reauthorization_required"), "round {round}: {line}");
                    assert!(line.contains("was begun at"), "round {round}: {line}");
                    explained += 1;
                    world.reconnect().await;
                }
            }
            println!("{rotation:?}: {worked} went on, {explained} said why not");
        }
    });
}

#[test]
fn a_process_that_was_stopped_for_long_puts_nothing_stale_in_the_place_of_what_is_newer() {
    runtime().block_on(async {
        for rotation in [Rotation::Overlapping, Rotation::SingleUse] {
            let world = World::new(rotation).await;
            world.expire().await;
            let gate = Gate::new();
            world.fake.fault(Fault::on("token.refresh").hold_answer(&gate));
            let mut stopped = world.child(LONG, LONG);
            stopped.touch(1);
            gate.arrived(1).await;
            stopped.signal("-STOP");
            gate.open();
            release_guard(&world).await;
            let mut other = world.child(LONG, 300);
            other.touch(1);
            let line = other.line();
            let before = world.stored().await;
            stopped.signal("-CONT");
            let woken = stopped.line();
            let after = world.stored().await;
            if rotation == Rotation::Overlapping {
                assert_eq!((line.as_str(), woken.as_str()), ("well 1", "well 1"));
                assert_eq!(after.tokens, before.tokens, "what is newer stays");
            } else {
                // The other has given the grant up, and with it the family: a token that comes twice ends it.
                assert!(line.starts_with("failed reauthorization_required"), "{line}");
                assert!(woken.starts_with("failed") || woken == "well 1", "{woken}");
                world.reconnect().await;
            }
            other.touch(1);
            assert_eq!(other.line(), "well 1");
        }
    });
}
