//! Do several processes on one schema keep the promises together?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::ErrorKind;
use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::sync::SyncSink;
use integrations_stores::PostgresStore;
use integrations_stores::postgres::RecordQuery;
use integrations_testkit::conformance::{connection, stream};
use tokio::sync::Barrier;

use crate::{Schema, commit};

const MINUTE: Duration = Duration::from_secs(60);

/// As two processes have them: no connection in common, and the server's clock.
async fn two() -> (PostgresStore, PostgresStore, Schema) {
    let schema = Schema::new();
    (schema.store().await, schema.store().await, schema)
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn each_sees_what_the_other_has_written() {
    let (one, other, _schema) = two().await;
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

/// By the server's clock, too: what lives for no time is over, what lives for a minute is there.
#[tokio::test]
#[ignore = "needs postgres"]
async fn the_refresh_guard_holds_over_both() {
    let (one, other, _schema) = two().await;
    let guard = one.acquire_refresh_guard(&"cn_1".into(), MINUTE).await.unwrap().unwrap();
    assert!(other.acquire_refresh_guard(&"cn_1".into(), MINUTE).await.unwrap().is_none());
    other.release_refresh_guard(guard).await.unwrap();
    let short = other.acquire_refresh_guard(&"cn_1".into(), Duration::ZERO).await.unwrap().unwrap();
    let taken = one.acquire_refresh_guard(&"cn_1".into(), MINUTE).await.unwrap().unwrap();
    assert_ne!(short.holder, taken.holder);
    KeyValueStore::put(&one, "over", b"value", Duration::ZERO).await.unwrap();
    assert_eq!(KeyValueStore::get(&other, "over").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres"]
async fn both_write_at_once_and_nothing_is_lost() {
    const COMMITS: u64 = 20;
    let (one, other, _schema) = two().await;
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
#[ignore = "needs postgres"]
async fn of_both_that_read_the_same_revision_one_commits() {
    let (one, other, _schema) = two().await;
    let stream = stream("cn_1", "primary");
    for revision in 0..30 {
        let race =
            async |store: &PostgresStore, id: &str| store.commit(commit(&stream, revision, &[id])).await;
        let (id_one, id_other) = (format!("one-{revision}"), format!("other-{revision}"));
        let (first, second) = tokio::join!(race(&one, &id_one), race(&other, &id_other));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let refused = first.err().or(second.err()).unwrap();
        assert_eq!(refused.provider_code(), Some("stale_revision"));
    }
    assert_eq!(one.count(&RecordQuery::new()).await.unwrap(), 30);
}

/// A stream that is forgotten while somebody commits to it is empty, or begins anew with that commit: no record is
/// left without its stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres"]
async fn forgetting_and_committing_at_once_leave_nothing_behind() {
    let (one, other, schema) = two().await;
    let stream = stream("cn_1", "primary");
    for round in 0..30 {
        let revision = one.load(&stream).await.unwrap().revision;
        let ids: Vec<String> = (0..50).map(|number| format!("{round}-{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let connection = "cn_1".into();
        let (committed, forgotten) =
            tokio::join!(one.commit(commit(&stream, revision, &ids)), other.forget(&connection));
        forgotten.unwrap();
        if let Err(error) = committed {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
        }
        let lost =
            "SELECT count(*) FROM $schema.records WHERE stream NOT IN (SELECT key FROM $schema.streams)";
        assert_eq!(schema.number(lost).await, 0, "round {round}");
    }
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_connection_that_comes_back_is_safe_from_its_old_versions() {
    let (one, other, _schema) = two().await;
    let mut old = connection("cn_1", "ada");
    for _ in 0..3 {
        old.version = TokenStore::put(&one, &old).await.unwrap();
    }
    assert!(TokenStore::delete(&other, &"cn_1".into()).await.unwrap());
    let mut new = connection("cn_1", "ada");
    for _ in 0..5 {
        new.version = TokenStore::put(&other, &new).await.unwrap();
        assert!(new.version > old.version);
        let stale = TokenStore::put(&one, &old).await.unwrap_err();
        assert_eq!((stale.kind(), stale.provider_code()), (ErrorKind::Conflict, Some("stale_version")));
    }
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn what_has_expired_is_cleared_away() {
    let (one, _other, schema) = two().await;
    for number in 0..100 {
        KeyValueStore::put(&one, &format!("over-{number}"), b"v", Duration::ZERO).await.unwrap();
        one.acquire_refresh_guard(&format!("cn_{number}").into(), Duration::ZERO).await.unwrap().unwrap();
    }
    for number in 0..100 {
        KeyValueStore::put(&one, &format!("there-{number}"), b"v", MINUTE).await.unwrap();
    }
    assert_eq!(schema.number("SELECT count(*) FROM $schema.kv").await, 100);
    assert_eq!(schema.number("SELECT count(*) FROM $schema.refresh_guards").await, 0);
}
