//! A process that is killed at any point loses nothing and does nothing twice.
//!
//! A child syncs the fake's calendar into a SQLite file and stops at each of its checkpoints (before and
//! after every call and every commit) until it is told to go on. The parent kills it with SIGKILL at one
//! of them, or somewhere behind it, starts it again, and compares the file with the fake.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod child;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use integrations_core::auth::Vault;
use integrations_core::resilience::Limits;
use integrations_core::sync::{Position, StreamKey, SyncSink};
use integrations_core::{Connection, Gateway};
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use serde_json::json;

const CALENDAR: &str = "ada@example.com";
const EVENTS: u64 = 150;
const PAGE: usize = 5;
/// Kills in each of the two syncs.
const KILLS: u64 = 100;

fn vault() -> Vault {
    Vault::new("test", [5; 32]).unwrap()
}

fn gateway(fake: &str, store: SqliteStore) -> integrations_core::GatewayBuilder {
    let config = GoogleConfig::builder().client("client", "secret").base_url(fake).build().unwrap();
    Gateway::builder()
        .adapter(GoogleCalendar::new(config))
        .store(store)
        .vault(vault())
        .limits("google_calendar", Limits::UNKNOWN)
}

/// Runs the child and kills it at (or, if `behind`, somewhere behind) the checkpoint of this number.
/// Returns whether it was killed; a child that has fewer checkpoints ends by itself.
fn run_child(
    fake: &str,
    db: &Path,
    connection: &Connection,
    kill_at: Option<u64>,
    behind: Option<u64>,
) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("CRASH_FAKE", fake)
        .env("CRASH_DB", db)
        .env("CRASH_CONNECTION", connection.id.as_str())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut go_on = child.stdin.take().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let checkpoints = lines.map_while(Result::ok).filter(|line| line.contains(child::CHECKPOINT));
    for (line, number) in checkpoints.zip(0..) {
        if Some(number) == kill_at {
            if let Some(turns) = behind {
                let _ = go_on.write_all(b"\n");
                for _ in 0..turns {
                    std::hint::spin_loop();
                }
            }
            kill(&mut child, &line);
            return true;
        }
        let _ = go_on.write_all(b"\n");
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

fn kill(child: &mut Child, at: &str) {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        assert!(status.signal() == Some(9) || status.success(), "{status} at {at}");
    }
    let _ = (status, at);
}

/// Copies a database with whatever of it is not in the main file yet.
fn copy(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        if with(from).exists() {
            std::fs::copy(with(from), with(to)).unwrap();
        }
    }
}

async fn assert_same(fake: &FakeGoogle, db: &Path, connection: &Connection, what: &str) {
    let store = SqliteStore::open(db).await.unwrap();
    let key = StreamKey::new(connection, &CALENDAR.into());
    let state = store.load(&key).await.unwrap();
    assert!(matches!(state.position, Position::Tracking { page: None, .. }), "{what}: {:?}", state.position);
    let records = store.records(&RecordQuery::new().connection(connection.id.clone())).await.unwrap();
    let mut ours: Vec<_> = records.iter().map(|record| record.id().to_owned()).collect();
    ours.sort();
    let mut theirs = fake.event_ids(CALENDAR);
    theirs.sort();
    assert_eq!(ours, theirs, "{what}");
    for record in records {
        let theirs = fake.event(CALENDAR, record.id()).unwrap();
        assert_eq!(record.source.version.as_deref(), theirs["etag"].as_str(), "{what}");
    }
    // Nothing is left to be read: the position says what the records are.
    let gateway = gateway(fake.url(), store).build().unwrap();
    let report = gateway.sync(&connection.id).await.unwrap().into_result().unwrap().total();
    assert_eq!((report.upserted, report.deleted, report.resyncs), (0, 0, 0), "{what}");
}

/// Kills the child at `KILLS` points of the sync that starts from this database.
async fn kill_everywhere(fake: &Arc<FakeGoogle>, template: &Path, connection: &Connection, what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut killed = 0;
    for point in 0..KILLS {
        let db = folder.path().join(format!("{point}.db"));
        copy(template, &db);
        // Every other kill comes somewhere behind the checkpoint: in the middle of a call or of a commit.
        let behind = (point % 2 == 1).then_some((point * 7_919) % 100_003 * 20);
        let what = format!("{what}, killed at checkpoint {point}, {behind:?} turns behind it");
        let (fake, connection) = (Arc::clone(fake), connection.clone());
        let (url, path, id) = (fake.url().to_owned(), db.clone(), connection.clone());
        killed += u64::from(
            tokio::task::spawn_blocking(move || {
                let killed = run_child(&url, &path, &id, Some(point), behind);
                assert!(!run_child(&url, &path, &id, None, None));
                killed
            })
            .await
            .unwrap(),
        );
        assert_same(&fake, &db, &connection, &what).await;
    }
    println!("{what}: {killed} kills");
    assert_eq!(killed, KILLS, "{what}: the sync has fewer checkpoints than kills");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_anywhere_loses_nothing_and_does_nothing_twice() {
    let calendar = CalendarSpec::new(CALENDAR).primary().time_zone("Europe/Berlin").generated(EVENTS);
    let fake =
        FakeGoogle::builder().client("client", "secret").page_cap(PAGE).calendar(calendar).start().await;
    let fake = Arc::new(fake);
    let folder = tempfile::tempdir().unwrap();

    let connected = folder.path().join("connected.db");
    let store = SqliteStore::open(&connected).await.unwrap();
    let gateway = gateway(fake.url(), store).build().unwrap();
    let redirect = "http://127.0.0.1:9/callback";
    let begun = gateway.connect("ada", "google_calendar").redirect_uri(redirect).begin().await.unwrap();
    let callback = fake.consent(begun.url.as_str()).await.unwrap();
    let connection = gateway.complete("ada", &callback).await.unwrap();
    drop(gateway);
    kill_everywhere(&fake, &connected, &connection, "full sync").await;

    let synced = folder.path().join("synced.db");
    copy(&connected, &synced);
    let (url, path, id) = (fake.url().to_owned(), synced.clone(), connection.clone());
    tokio::task::spawn_blocking(move || run_child(&url, &path, &id, None, None)).await.unwrap();
    for (index, id) in fake.event_ids(CALENDAR).into_iter().enumerate() {
        match index % 3 {
            0 => fake.patch_event(CALENDAR, &id, json!({"summary": format!("Changed {index}")})),
            1 => fake.delete_event(CALENDAR, &id),
            _ => {
                let day = json!({"start": {"date": "2026-03-04"}, "end": {"date": "2026-03-05"}});
                fake.insert_event(CALENDAR, day);
            }
        }
    }
    kill_everywhere(&fake, &synced, &connection, "incremental sync").await;
}
