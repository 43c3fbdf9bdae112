//! What is left of a call that nobody waits for any more?

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::sync::SyncSink;
use integrations_stores::postgres::RecordQuery;
use integrations_testkit::conformance::{connection, stream};

use crate::{Schema, commit, url};

const MINUTE: Duration = Duration::from_secs(60);

/// Polls a future a number of times, with time for others in between, and drops it.
async fn drop_after<F: Future>(polls: usize, future: F) {
    let mut future = pin!(future);
    for _ in 0..polls {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return;
        }
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

/// A transaction that stayed open on the store's only connection would swallow what comes after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn calls_that_are_dropped_anywhere_leave_no_transaction_open() {
    let schema = Schema::new();
    let other = schema.store().await;
    let store = schema.builder().max_connections(1).connect(&url()).await.unwrap();
    let ada = connection("cn_1", "ada");
    for polls in 1..40 {
        let stream = stream("cn_1", &format!("s-{polls}"));
        drop_after(polls, KeyValueStore::put(&store, "dropped", b"value", MINUTE)).await;
        drop_after(polls, store.take("dropped")).await;
        drop_after(polls, TokenStore::put(&store, &ada)).await;
        drop_after(polls, store.commit(commit(&stream, 0, &["a", "b"]))).await;
        drop_after(polls, store.records(&RecordQuery::new())).await;
        drop_after(polls, store.forget(&"cn_9".into())).await;
        let key = format!("after-{polls}");
        KeyValueStore::put(&store, &key, b"value", MINUTE).await.unwrap();
        assert!(KeyValueStore::get(&other, &key).await.unwrap().is_some(), "lost after {polls} polls");
        let revision = store.load(&stream).await.unwrap().revision;
        assert_eq!(other.load(&stream).await.unwrap().revision, revision, "after {polls} polls");
    }
}

/// Once it is under way, a commit does not stop for want of somebody who waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn a_commit_that_has_begun_runs_to_its_end() {
    let schema = Arc::new(Schema::new());
    let store = schema.store().await;
    let stream = stream("cn_1", "primary");
    let mut blocker = schema.connection().await;
    let lock = format!("BEGIN; LOCK TABLE {}.streams IN ACCESS EXCLUSIVE MODE", schema.0);
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut blocker).await.unwrap();
    let queue = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '$schema.streams'::regclass";
    {
        let mut commit = pin!(store.commit(commit(&stream, 0, &["a"])));
        let waits = async { while schema.number(queue).await == 0 {} };
        tokio::select! {
            _ = &mut commit => panic!("it waits for the lock"),
            () = waits => {}
        }
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut blocker).await.unwrap();
    while store.load(&stream).await.unwrap().revision == 0 {}
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 1);
}
