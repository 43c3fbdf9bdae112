//! Do several handles on one file keep the promises together?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::ErrorKind;
use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::sync::SyncSink;
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;
use integrations_testkit::conformance::{clock, connection, stream};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use tokio::sync::Barrier;

use crate::{commit, directory};

const MINUTE: Duration = Duration::from_secs(60);

/// As two processes have them: no connection in common.
async fn two() -> (SqliteStore, SqliteStore, TempDir) {
    let directory = directory();
    let path = directory.path().join("app.db");
    let open = async || SqliteStore::builder().clock(Arc::new(clock())).open(&path).await.unwrap();
    (open().await, open().await, directory)
}

#[tokio::test]
async fn each_sees_what_the_other_has_written() {
    let (one, other, _directory) = two().await;
    let stream = stream("cn_1", "primary");
    TokenStore::put(&one, &connection("cn_1", "ada")).await.unwrap();
    one.commit(commit(&stream, 0, &["a"])).await.unwrap();
    KeyValueStore::put(&one, "key", b"value", MINUTE).await.unwrap();
    assert!(TokenStore::get(&other, &"cn_1".into()).await.unwrap().is_some());
    assert_eq!(other.load(&stream).await.unwrap().revision, 1);
    assert!(other.take("key").await.unwrap().is_some());
    assert!(KeyValueStore::get(&one, "key").await.unwrap().is_none());
    let stale = other.commit(commit(&stream, 0, &["b"])).await.unwrap_err();
    assert_eq!((stale.kind(), stale.provider_code()), (ErrorKind::Conflict, Some("stale_revision")));
    other.commit(commit(&stream, 1, &["b"])).await.unwrap();
    assert_eq!(one.count(&RecordQuery::new()).await.unwrap(), 2);
}

#[tokio::test]
async fn the_refresh_guard_holds_over_both() {
    let (one, other, _directory) = two().await;
    let guard = one.acquire_refresh_guard(&"cn_1".into(), MINUTE).await.unwrap().unwrap();
    assert!(other.acquire_refresh_guard(&"cn_1".into(), MINUTE).await.unwrap().is_none());
    other.release_refresh_guard(guard).await.unwrap();
    assert!(other.acquire_refresh_guard(&"cn_1".into(), MINUTE).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_write_at_once_and_nothing_is_lost() {
    const COMMITS: u64 = 20;
    let (one, other, _directory) = two().await;
    let barrier = Arc::new(Barrier::new(4));
    let tasks: Vec<_> = (0..4)
        .map(|runner| {
            let store = if runner % 2 == 0 { one.clone() } else { other.clone() };
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                let stream = stream("cn_1", &format!("calendar-{runner}"));
                barrier.wait().await;
                for revision in 0..COMMITS {
                    let id = format!("id-{revision}");
                    store.commit(commit(&stream, revision, &[&id])).await.unwrap();
                    KeyValueStore::put(&store, &format!("{runner}-{revision}"), b"v", MINUTE).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(one.count(&RecordQuery::new()).await.unwrap(), 4 * COMMITS);
    assert_eq!(other.count(&RecordQuery::new()).await.unwrap(), 4 * COMMITS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_both_that_read_the_same_revision_one_commits() {
    let (one, other, _directory) = two().await;
    let stream = stream("cn_1", "primary");
    for revision in 0..30 {
        let race = async |store: &SqliteStore, id: &str| store.commit(commit(&stream, revision, &[id])).await;
        let (id_one, id_other) = (format!("one-{revision}"), format!("other-{revision}"));
        let (first, second) = tokio::join!(race(&one, &id_one), race(&other, &id_other));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }
    assert_eq!(one.count(&RecordQuery::new()).await.unwrap(), 30);
}

#[tokio::test]
async fn a_connection_that_comes_back_is_safe_from_its_old_versions() {
    let (one, other, _directory) = two().await;
    let mut old = connection("cn_1", "ada");
    for _ in 0..3 {
        old.version = TokenStore::put(&one, &old).await.unwrap();
    }
    // One process still holds the third version; the user disconnects and connects again.
    assert!(TokenStore::delete(&other, &old.id).await.unwrap());
    for _ in 0..3 {
        let mut new = TokenStore::get(&other, &old.id).await.unwrap().unwrap_or(connection("cn_1", "ada"));
        new.scopes = vec!["new".into()];
        TokenStore::put(&other, &new).await.unwrap();
        assert_eq!(TokenStore::put(&one, &old).await.unwrap_err().kind(), ErrorKind::Conflict);
    }
}

#[tokio::test]
async fn a_file_is_compacted_while_others_read_it() {
    let directory = directory();
    let path = directory.path().join("app.db");
    let store = SqliteStore::builder().busy_timeout(Duration::ZERO).open(&path).await.unwrap();
    let (kept, erased) = (stream("cn_1", "kept"), stream("cn_2", "erased"));
    let ids: Vec<_> = (0..2_000).map(|number| format!("id-{number}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    store.commit(commit(&kept, 0, &ids[..10])).await.unwrap();
    store.commit(commit(&erased, 0, &ids)).await.unwrap();
    store.compact().await.unwrap();
    // The file's size is asked for without opening it: closing it would drop SQLite's locks.
    let size = || std::fs::metadata(&path).unwrap().len();
    let full = size();
    store.forget(&"cn_2".into()).await.unwrap();

    let mut reader = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM records").execute(&mut reader).await.unwrap();
    let busy = store.compact().await.unwrap_err();
    assert_eq!((busy.kind(), busy.provider_code()), (ErrorKind::Store, Some("database_busy")));
    sqlx::raw_sql("ROLLBACK").execute(&mut reader).await.unwrap();
    store.compact().await.unwrap();
    assert!(size() < full / 4, "{full} bytes, and now {}", size());
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 10);
    store.commit(commit(&kept, 1, &["more"])).await.unwrap();
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 11);

    let store = SqliteStore::in_memory().await.unwrap();
    store.commit(commit(&kept, 0, &ids[..10])).await.unwrap();
    store.compact().await.unwrap();
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 10);
}
