//! Which files are opened, which are refused, and what happens to them?

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::sync::SyncSink;
use integrations_core::{Error, ErrorKind};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::{Durability, RecordQuery};
use integrations_testkit::conformance::{connection, stream};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Barrier;

use crate::{commit, directory};

async fn refused(path: &Path) -> Error {
    SqliteStore::open(path).await.expect_err("the file is opened")
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn execute(path: &Path, sql: &'static str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn everything_is_there_again_after_reopening() {
    let directory = directory();
    let path = directory.path().join("app.db");
    let stream = stream("cn_1", "primary");
    for durability in [Durability::Full, Durability::Process] {
        let store = SqliteStore::builder().durability(durability).readers(0).open(&path).await.unwrap();
        if durability == Durability::Full {
            TokenStore::put(&store, &connection("cn_1", "ada")).await.unwrap();
            KeyValueStore::put(&store, "key", b"value", Duration::from_secs(3600)).await.unwrap();
            store.commit(commit(&stream, 0, &["a", "b"])).await.unwrap();
        }
        assert!(TokenStore::get(&store, &"cn_1".into()).await.unwrap().is_some());
        assert_eq!(KeyValueStore::get(&store, "key").await.unwrap().as_deref(), Some(b"value".as_slice()));
        assert_eq!(store.load(&stream).await.unwrap().revision, 1);
        assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let directory = directory();
    for (name, content) in [
        ("short.txt", b"no".to_vec()),
        ("long.txt", b"Dear diary, this is no database. ".repeat(1000)),
        ("zeros.bin", vec![0; 8192]),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, &content).unwrap();
        let error = refused(&path).await;
        assert_eq!(
            (error.kind(), error.provider_code()),
            (ErrorKind::Store, Some("not_a_database")),
            "{name}"
        );
        assert!(error.message().starts_with(name), "{error}");
        assert!(!format!("{error:?}").contains(directory.path().to_str().unwrap()), "{error:?}");
        assert_eq!(std::fs::read(&path).unwrap(), content, "{name} is changed");
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let directory = directory();
    let path = directory.path().join("empty.db");
    std::fs::write(&path, b"").unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn the_database_of_another_application_is_refused_and_left_as_it_is() {
    let directory = directory();
    for (name, sql) in [
        ("tables.db", "CREATE TABLE records (id TEXT); INSERT INTO records VALUES ('theirs')"),
        ("marked.db", "PRAGMA application_id = 252006675; CREATE TABLE t (x)"),
        ("versioned.db", "PRAGMA user_version = 7"),
    ] {
        let path = directory.path().join(name);
        execute(&path, sql).await;
        let before = std::fs::read(&path).unwrap();
        let error = refused(&path).await;
        assert_eq!(
            (error.kind(), error.provider_code()),
            (ErrorKind::Configuration, Some("foreign_database")),
            "{name}: {error}"
        );
        assert!(error.message().starts_with(name), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{name} is changed");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let directory = directory();
    let path = directory.path().join("app.db");
    drop(SqliteStore::open(&path).await.unwrap());
    execute(&path, "PRAGMA user_version = 999").await;
    let error = refused(&path).await;
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("schema_too_new")));
    assert!(error.message().contains("999"), "{error}");
}

#[tokio::test]
async fn a_path_that_cannot_be_one_says_why() {
    let directory = directory();
    for (path, kind, code, word) in [
        (directory.path().join("no/such/app.db"), ErrorKind::Store, "cannot_open", "does not exist"),
        (directory.path().to_path_buf(), ErrorKind::Store, "cannot_open", "is a directory"),
        (":memory:".into(), ErrorKind::Configuration, "invalid_path", "in_memory"),
        ("".into(), ErrorKind::Configuration, "invalid_path", "names no file"),
        ("sqlite://app.db".into(), ErrorKind::Configuration, "invalid_path", "URL"),
        ("file:app.db?mode=ro".into(), ErrorKind::Configuration, "invalid_path", "URL"),
    ] {
        let error = refused(&path).await;
        assert_eq!((error.kind(), error.provider_code()), (kind, Some(code)), "{error}");
        assert!(error.message().contains(word), "{error}");
        assert!(!format!("{error:?}").contains("/no/such"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_open_a_new_file_at_once() {
    const HANDLES: usize = 8;
    for round in 0..10 {
        let directory = directory();
        let path = Arc::new(directory.path().join("app.db"));
        let barrier = Arc::new(Barrier::new(HANDLES));
        let tasks: Vec<_> = (0..HANDLES)
            .map(|handle| {
                let (path, barrier) = (Arc::clone(&path), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    let store = SqliteStore::open(&*path).await?;
                    TokenStore::put(&store, &connection(&format!("cn_{handle}"), "ada")).await?;
                    TokenStore::list(&store, &integrations_core::auth::ConnectionFilter::default()).await
                })
            })
            .collect();
        for task in tasks {
            let listed = task.await.unwrap();
            assert!(!listed.unwrap_or_else(|error| panic!("round {round}: {error:?}")).is_empty());
        }
        let store = SqliteStore::open(&*path).await.unwrap();
        let filter = integrations_core::auth::ConnectionFilter::default();
        assert_eq!(TokenStore::list(&store, &filter).await.unwrap().len(), HANDLES);
    }
}

#[tokio::test]
async fn the_debug_text_shows_no_path() {
    let directory = directory();
    let store = SqliteStore::open(directory.path().join("app.db")).await.unwrap();
    let text = format!("{store:?}");
    assert!(text.contains("app.db") && !text.contains(directory.path().to_str().unwrap()), "{text}");
}
