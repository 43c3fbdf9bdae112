//! A secret appears nowhere but where it has to: not in a log line, an error, a Debug output, or a byte
//! that is stored.
//!
//! One test, in a binary of its own: it listens to everything that the process logs.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::observe::{Notice, Observer};
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::SyncRequest;
use integrations_core::{Error, Gateway};
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_stores::SqliteStore;
use integrations_testkit::Fault;
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use serde_json::json;

const ACCESS: &str = "canary-access-";
const REFRESH: &str = "canary-refresh-";
const SECRET: &str = "canary-client-secret";
const CALENDAR: &str = "ada@example.com";

#[derive(Clone, Default, Debug)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Observer for Log {
    fn notice(&self, notice: &Notice<'_>) {
        self.add(&format!("{notice:?}\n"));
    }
}

/// Writes down all that a host could print of an error.
fn note(log: &Log, error: &Error) {
    log.add(&format!("{error} {error:?} {error:#?}\n"));
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        log.add(&format!("{inner} {inner:?}\n"));
        cause = inner.source();
    }
}

fn assert_clean(bytes: &[u8], place: &str) {
    let text = String::from_utf8_lossy(bytes);
    for canary in [ACCESS, REFRESH, SECRET] {
        if let Some(at) = text.find(canary) {
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            panic!("{canary} in {place}, behind: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_appears_nowhere() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();

    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let fake = FakeGoogle::builder()
        .clock(Arc::new(clock.clone()))
        .client("client", SECRET)
        .token_prefix(ACCESS)
        .refresh_token_prefix(REFRESH)
        .rotate_refresh_tokens(true)
        .page_cap(5)
        .calendar(CalendarSpec::new(CALENDAR).primary().generated(23))
        .start()
        .await;
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("host.db");
    let store = SqliteStore::builder().clock(Arc::new(clock.clone())).open(&db).await.unwrap();
    let config =
        GoogleConfig::builder().client(fake.client_id(), SECRET).base_url(fake.url()).build().unwrap();
    log.add(&format!("{config:?}\n"));
    let gateway = Gateway::builder()
        .adapter(GoogleCalendar::new(config))
        .store(store.clone())
        .vault(Vault::new("test", [5; 32]).unwrap())
        .clock(Arc::new(clock.clone()))
        .observer(Arc::new(log.clone()))
        // Nothing waits on the clock, which stands still.
        .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
        .rate_limiter(Arc::new(Unlimited))
        .build()
        .unwrap();

    // Connect, with a failure of the exchange first.
    let connect = async || {
        let redirect = "http://127.0.0.1:9/callback";
        let begun = gateway.connect("ada", "google_calendar").redirect_uri(redirect).begin().await.unwrap();
        log.add(&format!("{begun:?}\n"));
        fake.consent(begun.url.as_str()).await.unwrap()
    };
    for fault in [
        Fault::on("token.code").truncate(60),
        Fault::on("token.code").body(&format!(r#"{{"access_token":"{ACCESS}1"}}"#), "application/json"),
        Fault::on("token.code").body(&format!(r#"{{"error":"{REFRESH}1"}}"#), "application/json").status(400),
    ] {
        fake.fault(fault);
        note(&log, &gateway.complete("ada", &connect().await).await.unwrap_err());
    }
    let connection = gateway.complete("ada", &connect().await).await.unwrap();
    log.add(&format!("{connection:?} {}\n", serde_json::to_string(&connection).unwrap()));

    // Sync, change, sync, with refreshes in between and failures that quote what they were sent.
    gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    let id = fake.event_ids(CALENDAR)[0].clone();
    fake.patch_event(CALENDAR, &id, json!({"summary": "Changed"}));
    fake.fault(Fault::on("events.list").status(401));
    gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    clock.advance(Duration::from_secs(7200));
    gateway.sync(&connection.id).await.unwrap().into_result().unwrap();
    assert!(fake.refreshes() >= 2);
    let quoting =
        format!(r#"{{"error":{{"errors":[{{"reason":"{ACCESS}"}}],"message":"bad token {ACCESS}1"}}}}"#);
    for fault in [
        Fault::on("events.list").status(400).body(&quoting, "application/json"),
        Fault::on("events.list").body(&format!("<html>{ACCESS}</html>"), "text/html"),
        Fault::on("events.list").truncate(30),
        Fault::on("events.list").reset(),
    ] {
        fake.fault(fault);
        let report = gateway.sync_with(&connection.id, SyncRequest::full()).await.unwrap();
        log.add(&format!("{report:?}\n"));
        report.failures().for_each(|(_, error)| note(&log, error));
    }
    fake.revoke_grant();
    note(&log, &gateway.sync(&connection.id).await.unwrap_err());
    let again = gateway.complete("ada", &connect().await).await.unwrap();
    gateway.sync(&again.id).await.unwrap();
    log.add(&format!("{gateway:?} {store:?} {:?}\n", gateway.connections("ada").await.unwrap()));

    for suffix in ["", "-wal", "-shm"] {
        let path = folder.path().join(format!("host.db{suffix}"));
        if let Ok(bytes) = std::fs::read(path) {
            assert!(suffix == "-shm" || !bytes.is_empty());
            assert_clean(&bytes, &format!("the database's file {suffix:?}"));
        }
    }
    let log = log.0.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("TRACE") && text.contains("hyper"), "the log was listened to");
    assert_clean(&log, "the log");
}
