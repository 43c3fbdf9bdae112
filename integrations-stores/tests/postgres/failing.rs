//! What does a host see when the server or the way to it fails?

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::sync::SyncSink;
use integrations_core::{Error, ErrorKind};
use integrations_stores::PostgresStore;
use integrations_stores::postgres::RecordQuery;
use integrations_testkit::conformance::{connection, stream};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::{Schema, commit, url};

const MINUTE: Duration = Duration::from_secs(60);
const SECRET: &str = "hunter2-%24ecret";

/// Neither as it was given nor as it is sent.
fn tells_no_secret(error: &Error) {
    for text in [format!("{error}"), format!("{error:?}"), format!("{error:#?}")] {
        assert!(!text.contains("hunter2") && !text.contains("$ecret"), "{text}");
    }
}

fn with_secret(url: &str) -> String {
    let (user, rest) = url.split_once('@').unwrap();
    let user = user.rsplit_once("://").unwrap().1.split(':').next().unwrap();
    format!("postgres://{user}:{SECRET}@{rest}")
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_not_repeated() {
    for url in [
        "",
        "app.db",
        &format!("mysql://u:{SECRET}@localhost/db"),
        &format!("postgres://u:{SECRET}@localhost:port/db"),
        &format!("postgres://u:{SECRET}@localhost/db?sslmode={SECRET}"),
        &format!("postgres://u:{SECRET}@[::1/db"),
    ] {
        let error = PostgresStore::connect(url).await.unwrap_err();
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("invalid_url")));
        tells_no_secret(&error);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_unreachable_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://u:{SECRET}@127.0.0.1:{port}/db");
    let error = PostgresStore::connect(&url).await.unwrap_err();
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Store, Some("database_unreachable")));
    tells_no_secret(&error);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn the_password_is_in_neither_an_error_nor_debug() {
    let schema = Schema::new();
    let builder = schema.builder();
    let url = with_secret(&url());
    let store = builder.connect(&url).await.unwrap();
    let shown = format!("{store:?} {store:#?}");
    assert!(
        shown.contains("PostgresStore") && !shown.contains("hunter2") && !shown.contains("$ecret"),
        "{shown}"
    );
    tells_no_secret(&KeyValueStore::get(&store, "key").await.unwrap_err());
    let (server, _) = url.rsplit_once('/').unwrap();
    let error = PostgresStore::connect(&format!("{server}/no_such_database")).await.unwrap_err();
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("database_missing")));
    tells_no_secret(&error);
}

/// Ends all sessions of the stores of a schema, as a server does that shuts down or fails over.
async fn end_sessions(name: &str) {
    let schema = Schema::new();
    schema
        .sql(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"
        ))
        .await;
    while schema
        .number(&format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'"))
        .await
        > 0
    {}
}

fn named(schema: &Schema) -> (String, String) {
    let name = schema.0.clone();
    (with_parameter(&format!("application_name={name}")), name)
}

/// Whatever failed has happened whole or not at all, and the next call finds a connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn lost_connections_fail_what_runs_on_them_and_are_replaced() {
    let schema = Schema::new();
    let (url, name) = named(&schema);
    let store = schema.builder().connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    let stream = stream("cn_1", "primary");
    for round in 0..6_usize {
        let before = store.load(&stream).await.unwrap().revision;
        let ids: Vec<String> = (0..2000).map(|number| format!("{round}-{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        // Somebody holds the stream's row, so that the sessions end while the commit is under way.
        let mut blocker = schema.connection().await;
        let lock = format!("BEGIN; LOCK TABLE {}.streams IN ACCESS EXCLUSIVE MODE", schema.0);
        sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut blocker).await.unwrap();
        let step = commit(&stream, before, &ids);
        let (committing, ended) = (store.clone(), end_when_blocked(&schema, &name));
        let (outcome, ()) = tokio::join!(committing.commit(step), ended);
        drop(blocker);
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error:?}");
        let code = error.provider_code().unwrap_or_default();
        assert!(["database_unreachable", "database_restarting"].contains(&code), "{error:?}");
        assert_eq!(store.load(&stream).await.unwrap().revision, before, "nothing was applied");
        store.commit(commit(&stream, before, &["a"])).await.unwrap();
    }
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 1);
}

async fn end_when_blocked(schema: &Schema, name: &str) {
    let blocked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND wait_event_type = 'Lock'"
    );
    while schema.number(&blocked).await == 0 {}
    end_sessions(name).await;
}

/// The first call that fails makes the store distrust all its connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn after_a_restart_few_calls_fail() {
    let schema = Schema::new();
    let (url, name) = named(&schema);
    let store = schema.builder().connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    TokenStore::put(&store, &connection("cn_1", "ada")).await.unwrap();
    futures_util::future::join_all((0..12).map(|_| KeyValueStore::get(&store, "key"))).await;
    end_sessions(&name).await;
    let mut failed = 0;
    for _ in 0..20 {
        match KeyValueStore::put(&store, "key", b"value", MINUTE).await {
            Ok(()) => {}
            Err(error) => {
                let code = error.provider_code().unwrap_or_default();
                assert!(["database_unreachable", "database_restarting"].contains(&code), "{error:?}");
                failed += 1;
            }
        }
    }
    assert!(failed <= 1, "{failed} calls failed, and the first one should have been a warning");
    assert!(TokenStore::get(&store, &"cn_1".into()).await.unwrap().is_some());
}

/// A way to the server on which, from some moment on, nothing comes through any more, and nobody is told.
async fn black_hole() -> (String, Arc<AtomicBool>) {
    let url = url();
    let (user, rest) = url.split_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let server = if server.contains(':') { server.to_owned() } else { format!("{server}:5432") };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gone = Arc::new(AtomicBool::new(false));
    let vanished = Arc::clone(&gone);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = tokio::net::TcpStream::connect(&server).await.unwrap();
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(pass_on(from_client, to_server, Arc::clone(&vanished)));
            tokio::spawn(pass_on(from_server, to_client, Arc::clone(&vanished)));
        }
    });
    (format!("{user}@127.0.0.1:{port}/{database}"), gone)
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gone: Arc<AtomicBool>) {
    let mut buffer = vec![0; 8192];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if gone.load(Ordering::SeqCst) {
            // Neither end is closed.
            std::future::pending::<()>().await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// The clock runs ahead where all else waits, so the minute that an answer may take is over at once.
#[tokio::test]
#[ignore = "needs postgres"]
async fn a_server_that_has_vanished_without_a_word_is_given_up() {
    let schema = Schema::new();
    let stream = stream("cn_1", "primary");
    schema.store().await.commit(commit(&stream, 0, &["a"])).await.unwrap();
    let (url, gone) = black_hole().await;
    let store = schema.builder().max_connections(1).connect(&url).await.unwrap();
    assert_eq!(store.load(&stream).await.unwrap().revision, 1);
    for write in [true, false] {
        assert_eq!(store.load(&stream).await.unwrap().revision, 1);
        gone.store(true, Ordering::SeqCst);
        tokio::time::pause();
        let error = if write {
            store.commit(commit(&stream, 1, &["b"])).await.unwrap_err()
        } else {
            store.load(&stream).await.unwrap_err()
        };
        tokio::time::resume();
        assert_eq!(error.kind(), ErrorKind::Store);
        let code = error.provider_code().unwrap_or_default();
        assert!(["database_unreachable", "database_busy"].contains(&code), "{error:?}");
        gone.store(false, Ordering::SeqCst);
        // The only connection is made anew.
        assert_eq!(store.load(&stream).await.unwrap().revision, 1);
    }
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_server_that_takes_no_writes_is_told_apart() {
    let schema = Schema::new();
    schema.store().await;
    let url = with_parameter("options[default_transaction_read_only]=on");
    let store = schema.builder().connect(&url).await.unwrap();
    let stream = stream("cn_1", "primary");
    for error in [
        store.commit(commit(&stream, 0, &["a"])).await.unwrap_err(),
        KeyValueStore::put(&store, "key", b"value", MINUTE).await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Store, Some("database_read_only")));
    }
    assert_eq!(store.load(&stream).await.unwrap().revision, 0, "reading goes on");
}

fn with_parameter(parameter: &str) -> String {
    let separator = if url().contains('?') { '&' } else { '?' };
    format!("{}{separator}{parameter}", url())
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_user_who_may_not_is_told_so() {
    let schema = Schema::new();
    let stranger = schema.builder().connect(&with_parameter("user=nobody_of_this_name")).await.unwrap_err();
    assert_eq!(
        (stranger.kind(), stranger.provider_code()),
        (ErrorKind::Configuration, Some("access_denied")),
        "{stranger:?}"
    );
    // A role that every server has, and that may make no schema.
    let store = schema.builder().connect(&with_parameter("options[role]=pg_monitor")).await.unwrap();
    let refused = store.migrate().await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.provider_code()),
        (ErrorKind::Configuration, Some("privilege_missing"))
    );
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn an_error_quotes_no_value() {
    let schema = Schema::new();
    let store = schema.store().await;
    schema.sql("ALTER TABLE $schema.kv ADD CHECK (key <> 'a-secret-value')").await;
    let error = KeyValueStore::put(&store, "a-secret-value", b"value", MINUTE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(!format!("{error} {error:?} {error:#?}").contains("a-secret-value"), "{error:?}");
    assert!(format!("{error:?}").contains("23514"), "{error:?}");
}
