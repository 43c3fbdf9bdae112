//! The keys of ten thousand connections are rotated while fifty tasks read their tokens.
//!
//! A child rotates a SQLite file. It is killed with SIGKILL at random points, before, in and after its
//! writes, and started again. All the while the parent reads tokens, and writes new ones as refreshes do.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod child;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::adapter::AdapterRegistry;
use integrations_core::auth::{
    AccessToken, ConnectionFilter, KeyRing, RefreshToken, SealedTokens, TokenManager, TokenParts,
    TokenSettings, TokenStore, Tokens, Vault,
};
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::{Pipeline, PipelineParts, Request, Response, Transport};
use integrations_core::observe::{Silent, TracedAudit};
use integrations_core::resilience::Unlimited;
use integrations_core::{Connection, ConnectionId, ErrorKind, Result};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::Durability;
use integrations_testkit::conformance::{clock, connection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};

const CONNECTIONS: usize = 10_000;
const READERS: u64 = 50;
const WRITERS: u64 = 2;
const KILLS: u64 = 10;
/// A run is killed within so many checkpoints; all of them together do not reach the end.
const KILL_WITHIN: u64 = 1_800;
const SEED: u64 = 20_260_301;

/// Both keys, with this one primary.
fn both(primary: &str) -> KeyRing {
    KeyRing::new("old", [1; 32]).unwrap().with_key("new", [2; 32]).unwrap().with_primary(primary).unwrap()
}

/// What is killed is a process, not the machine.
async fn open(path: &Path) -> SqliteStore {
    SqliteStore::builder().durability(Durability::Process).readers(1).open(path).await.unwrap()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn index(&mut self) -> usize {
        usize::try_from(self.below(CONNECTIONS as u64)).unwrap()
    }
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::from(format!("cn_{number:05}"))
}

/// The tokens of a connection name it, and how often they were refreshed. Every fourth has a refresh token.
fn tokens(number: usize, generation: u64) -> Tokens {
    let access = AccessToken::new(format!("ya29.{number}.{generation}.Abc9-_")).unwrap();
    let refresh = number.is_multiple_of(4).then(|| RefreshToken::new(format!("1//{number}.{generation}")));
    Tokens { access, refresh }
}

fn sealed(vault: &Vault, connection: &Connection, tokens: &Tokens, now: DateTime<Utc>) -> SealedTokens {
    let (access, refresh) =
        vault.seal_tokens(&connection.owner, &connection.service, &connection.id, tokens).unwrap();
    SealedTokens { access, refresh, issued_at: now, expires_at: None }
}

/// How often the tokens of a connection were refreshed, by the tokens themselves.
fn generation(number: usize, opened: &Tokens) -> u64 {
    let generation = access_generation(number, &opened.access);
    let refresh = |tokens: &Tokens| tokens.refresh.as_ref().map(|token| token.expose().to_owned());
    assert_eq!(refresh(opened), refresh(&tokens(number, generation)));
    generation
}

fn access_generation(number: usize, access: &AccessToken) -> u64 {
    let generation = access.expose().split('.').nth(2).unwrap().parse().unwrap();
    assert_eq!(access.expose(), tokens(number, generation).access.expose());
    generation
}

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn send(&self, _: Request) -> Result<Response> {
        unreachable!("no token expires")
    }
}

/// A host that is busy all the time.
struct Traffic {
    store: SqliteStore,
    vault: Vault,
    manager: Arc<TokenManager>,
    clock: ManualClock,
    /// How often the tokens of each connection were refreshed.
    generations: Vec<AtomicU64>,
    reads: AtomicU64,
    writes: AtomicU64,
    over: AtomicBool,
}

impl Traffic {
    fn new(store: SqliteStore, vault: Vault) -> Arc<Self> {
        let clock = clock();
        let manager = Arc::new(TokenManager::new(TokenParts {
            store: Arc::new(store.clone()),
            vault: vault.clone(),
            adapters: Arc::new(AdapterRegistry::default()),
            pipeline: Arc::new(Pipeline::new(
                PipelineParts::new(
                    Arc::new(Nowhere),
                    Arc::new(clock.clone()),
                    Arc::new(store.clone()),
                    Arc::new(Unlimited),
                ),
                1,
            )),
            clock: Arc::new(clock.clone()),
            observer: Arc::new(Silent),
            audit: Arc::new(TracedAudit),
            settings: TokenSettings::default(),
        }));
        Arc::new(Self {
            store,
            vault,
            manager,
            clock,
            generations: (0..CONNECTIONS).map(|_| AtomicU64::new(0)).collect(),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            over: AtomicBool::new(false),
        })
    }

    fn generation(&self, number: usize) -> u64 {
        self.generations[number].load(Ordering::SeqCst)
    }

    async fn read(self: Arc<Self>, task: u64) {
        let mut random = Random(SEED ^ task);
        while !self.over.load(Ordering::Relaxed) {
            let (number, at_least) = {
                let number = random.index();
                (number, self.generation(number))
            };
            let id = id(number);
            if task.is_multiple_of(2) {
                let connection = TokenStore::get(&self.store, &id).await.unwrap().unwrap();
                assert_eq!(connection.status.as_str(), "active");
                let opened = self.vault.open_tokens(&connection).unwrap();
                assert!(generation(number, &opened) >= at_least);
            } else {
                // What is in memory needs no key.
                self.manager.forget(&id);
                let live = self.manager.fresh(&id).await.unwrap();
                assert!(access_generation(number, live.access()) >= at_least);
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// As a refresh does: new tokens with compare-and-swap.
    async fn write(self: Arc<Self>, task: u64) {
        let mut random = Random(!SEED ^ task);
        while !self.over.load(Ordering::Relaxed) {
            let number = random.index();
            let mut connection = TokenStore::get(&self.store, &id(number)).await.unwrap().unwrap();
            let next = generation(number, &self.vault.open_tokens(&connection).unwrap()) + 1;
            let now = self.clock.now();
            connection.tokens = sealed(&self.vault, &connection, &tokens(number, next), now);
            match TokenStore::put(&self.store, &connection).await {
                Ok(_) => {
                    self.generations[number].fetch_max(next, Ordering::SeqCst);
                    self.writes.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
            }
        }
    }
}

/// What a run of the child has said.
#[derive(Debug, Default)]
struct Run {
    killed: bool,
    /// The last connection of the last batch that it has reported.
    last: Option<String>,
    done: Option<String>,
}

/// Runs the child and kills it at its checkpoint of this number, or so many turns behind it.
fn run_child(db: &Path, starting_after: Option<&str>, stop_at: Option<u64>, turns: u64) -> Run {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["child::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("ROTATION_DB", db)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(id) = starting_after {
        command.env("ROTATION_STARTING_AFTER", id);
    }
    if let Some(number) = stop_at {
        command.env("ROTATION_STOP_AT", number.to_string());
    }
    let mut child = command.spawn().unwrap();
    let mut go_on = child.stdin.take().unwrap();
    let mut run = Run::default();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        if line == child::STOPPED {
            if turns > 0 {
                let _ = go_on.write_all(b"\n");
                for _ in 0..turns {
                    std::hint::spin_loop();
                }
            }
            run.killed = kill(&mut child);
            return run;
        }
        if let Some(last) = line.strip_prefix(child::PROGRESS) {
            run.last = Some(last.to_owned());
        }
        if let Some(done) = line.strip_prefix(child::DONE) {
            run.done = Some(done.to_owned());
        }
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    run
}

/// Whether the signal found the child alive.
fn kill(child: &mut Child) -> bool {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "the child has come to its end");
    true
}

/// A connection of our own to the file, which asks what no trait needs to answer.
struct Sql(SqliteConnection);

impl Sql {
    async fn open(path: &Path) -> Self {
        Self(SqliteConnectOptions::new().filename(path).connect().await.unwrap())
    }

    /// Stores all connections in one transaction, which takes a tenth of the time.
    async fn connect_all(&mut self, vault: &Vault) {
        let now = clock().now();
        let mut transaction = self.0.begin().await.unwrap();
        for number in 0..CONNECTIONS {
            let mut connection = connection(id(number).as_str(), format!("user-{number}").as_str());
            connection.tokens = sealed(vault, &connection, &tokens(number, 0), now);
            sqlx::query(
                "INSERT INTO connections \
                 (id, tenant, user, service, account_id, status, body, version, created_at, updated_at) \
                 VALUES (?, 'default', ?, ?, ?, 'active', ?, 1, 0, 0)",
            )
            .bind(connection.id.as_str())
            .bind(connection.owner.user.as_str())
            .bind(connection.service.as_str())
            .bind(connection.account.id.as_str())
            .bind(serde_json::to_string(&connection).unwrap())
            .execute(&mut *transaction)
            .await
            .unwrap();
        }
        transaction.commit().await.unwrap();
    }

    /// How many connections have a value that this key has sealed.
    async fn under(&mut self, key: &str) -> usize {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM connections WHERE instr(body, ?)")
            .bind(format!("v1.{key}."))
            .fetch_one(&mut self.0)
            .await
            .unwrap();
        usize::try_from(count).unwrap()
    }
}

/// The ids of the keys whose values stand in any file of the folder.
fn in_the_bytes(folder: &Path) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["child::look", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("ROTATION_FOLDER", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.strip_prefix(child::FOUND).map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ten_thousand_connections_change_their_key_while_fifty_tasks_read() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("app.db");
    let store = open(&db).await;
    let vault = Vault::new("old", [1; 32]).unwrap();
    let mut sql = Sql::open(&db).await;
    sql.connect_all(&vault).await;
    assert_eq!(in_the_bytes(folder.path()), ["old"]);

    let traffic = Traffic::new(store.clone(), vault.clone());
    let readers = (0..READERS).map(|task| tokio::spawn(Arc::clone(&traffic).read(task)));
    let writers = (0..WRITERS).map(|task| tokio::spawn(Arc::clone(&traffic).write(task)));
    let tasks: Vec<_> = readers.chain(writers).collect();

    // 1. The new key is added, 2. it is made primary, 3. everything is sealed anew.
    vault.replace_ring(both("old")).unwrap();
    vault.replace_ring(both("new")).unwrap();
    let mut random = Random(SEED);
    let mut left = CONNECTIONS;
    let mut last: Option<String> = None;
    for kill in 0..KILLS {
        let (point, turns) = (random.below(KILL_WITHIN), (kill % 3) * random.below(200_000));
        // Every other run goes on behind the last batch that is known to be done.
        let after = last.clone().filter(|_| kill % 2 == 1);
        let path = db.clone();
        let run = tokio::task::spawn_blocking(move || run_child(&path, after.as_deref(), Some(point), turns));
        let run = run.await.unwrap();
        assert!(run.killed, "kill {kill} at {point}: {run:?}");
        last = run.last.or(last);
        let now = sql.under("old").await;
        assert!(now <= left && now > 0, "kill {kill} at {point}: {left}, then {now}");
        left = now;
    }
    assert!(left < CONNECTIONS, "the runs that were killed have done something");
    let path = db.clone();
    let run = tokio::task::spawn_blocking(move || run_child(&path, None, None, 0)).await.unwrap();
    let done = run.done.unwrap();
    assert!(done.starts_with(&format!("{CONNECTIONS} ")), "{done}");

    traffic.over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let (reads, written) = (traffic.reads.load(Ordering::SeqCst), traffic.writes.load(Ordering::SeqCst));
    println!(
        "{KILLS} kills, {left} connections left to the last run ({done}); {reads} reads, {written} writes"
    );
    assert!(reads > 1_000 && written > 10);

    // 4. The old key is dropped.
    vault.replace_ring(KeyRing::new("new", [2; 32]).unwrap()).unwrap();
    let all = store.list(&ConnectionFilter::default()).await.unwrap();
    assert_eq!((all.len(), sql.under("new").await, sql.under("old").await), (CONNECTIONS, CONNECTIONS, 0));
    for (number, connection) in all.iter().enumerate() {
        assert_eq!(connection.id, id(number));
        assert_eq!(generation(number, &vault.open_tokens(connection).unwrap()), traffic.generation(number));
    }

    // Nor is one left where rows once were.
    println!("before it is compacted, the files hold values of {:?}", in_the_bytes(folder.path()));
    store.compact().await.unwrap();
    assert_eq!(in_the_bytes(folder.path()), ["new"]);
}
