//! Which schemas are used, which are refused, and what happens to them?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::sync::SyncSink;
use integrations_core::{Error, ErrorKind, Result};
use integrations_stores::PostgresStore;
use integrations_stores::postgres::RecordQuery;
use integrations_testkit::conformance::{connection, stream};
use tokio::sync::Barrier;

use crate::{Schema, commit, url};

fn code<T>(result: Result<T>) -> (ErrorKind, String) {
    let error: Error = match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error,
    };
    (error.kind(), error.provider_code().unwrap_or_default().to_owned())
}

fn configuration(code: &str) -> (ErrorKind, String) {
    (ErrorKind::Configuration, code.to_owned())
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn everything_is_there_again_after_connecting_again() {
    let schema = Schema::new();
    let stream = stream("cn_1", "primary");
    let store = schema.store().await;
    TokenStore::put(&store, &connection("cn_1", "ada")).await.unwrap();
    KeyValueStore::put(&store, "key", b"value", Duration::from_secs(3600)).await.unwrap();
    store.commit(commit(&stream, 0, &["a", "b"])).await.unwrap();
    drop(store);
    let store = schema.builder().connect(&url()).await.unwrap();
    assert!(TokenStore::get(&store, &"cn_1".into()).await.unwrap().is_some());
    assert_eq!(KeyValueStore::get(&store, "key").await.unwrap().as_deref(), Some(b"value".as_slice()));
    assert_eq!(store.load(&stream).await.unwrap().revision, 1);
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 2);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn nothing_is_done_before_somebody_has_migrated() {
    let schema = Schema::new();
    let store = schema.builder().connect(&url()).await.unwrap();
    let clone = store.clone();
    let stream = stream("cn_1", "primary");
    assert_eq!(code(store.load(&stream).await), configuration("schema_missing"));
    assert_eq!(code(store.commit(commit(&stream, 0, &["a"])).await), configuration("schema_missing"));
    assert_eq!(code(KeyValueStore::get(&store, "key").await), configuration("schema_missing"));
    let number = schema.number("SELECT count(*) FROM pg_namespace WHERE nspname = '$schema'").await;
    assert_eq!(number, 0, "connecting makes nothing");

    // Another process migrates, and this one goes on as it is.
    schema.store().await;
    store.commit(commit(&stream, 0, &["a"])).await.unwrap();
    assert_eq!(clone.count(&RecordQuery::new()).await.unwrap(), 1);

    schema.sql("DROP SCHEMA $schema CASCADE").await;
    assert_eq!(code(store.load(&stream).await), configuration("schema_missing"), "it went away meanwhile");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres"]
async fn eight_processes_migrate_at_once() {
    const PROCESSES: usize = 8;
    let schema = Arc::new(Schema::new());
    let barrier = Arc::new(Barrier::new(PROCESSES));
    let tasks: Vec<_> = (0..PROCESSES)
        .map(|number| {
            let (schema, barrier) = (Arc::clone(&schema), Arc::clone(&barrier));
            tokio::spawn(async move {
                let store = schema.builder().max_connections(1).connect(&url()).await.unwrap();
                barrier.wait().await;
                store.migrate().await.unwrap();
                let stream = stream("cn_1", &format!("s-{number}"));
                store.commit(commit(&stream, 0, &["a"])).await.unwrap();
                store.migrate().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let store = schema.store().await;
    assert_eq!(
        store.count(&RecordQuery::new()).await.unwrap(),
        PROCESSES as u64,
        "migrating again kept them"
    );
    assert_eq!(schema.number("SELECT count(*) FROM $schema.integrations_version").await, 1);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn an_empty_schema_that_somebody_has_made_is_taken() {
    let schema = Schema::new();
    schema.sql("CREATE SCHEMA $schema").await;
    let store = schema.builder().connect(&url()).await.unwrap();
    assert_eq!(code(KeyValueStore::get(&store, "key").await), configuration("schema_missing"));
    store.migrate().await.unwrap();
    assert_eq!(KeyValueStore::get(&store, "key").await.unwrap(), None);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let schema = Schema::new();
    let old = schema.builder().connect(&url()).await.unwrap();
    schema.store().await;
    schema.sql("UPDATE $schema.integrations_version SET version = 99").await;
    assert_eq!(code(schema.builder().connect(&url()).await), configuration("schema_too_new"));
    assert_eq!(code(old.migrate().await), configuration("schema_too_new"));
    assert_eq!(code(KeyValueStore::get(&old, "key").await), configuration("schema_too_new"));
    assert_eq!(schema.number("SELECT version FROM $schema.integrations_version").await, 99);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn an_older_schema_is_refused_until_it_was_migrated() {
    let schema = Schema::new();
    let current = {
        schema.store().await;
        schema.number("SELECT version FROM $schema.integrations_version").await
    };
    // As it was before the first step.
    schema.sql("DROP SCHEMA $schema CASCADE; CREATE SCHEMA $schema").await;
    schema
        .sql(
            "CREATE TABLE $schema.integrations_version (one boolean PRIMARY KEY DEFAULT true, version bigint); \
             INSERT INTO $schema.integrations_version (version) VALUES (0)",
        )
        .await;
    let store = schema.builder().connect(&url()).await.unwrap();
    let refused = KeyValueStore::get(&store, "key").await.unwrap_err();
    assert!(refused.message().contains("call `migrate()`"), "{refused}");
    assert_eq!(code::<()>(Err(refused)), configuration("schema_outdated"));
    store.migrate().await.unwrap();
    assert_eq!(KeyValueStore::get(&store, "key").await.unwrap(), None);
    assert_eq!(schema.number("SELECT version FROM $schema.integrations_version").await, current);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_failed_migration_leaves_nothing_behind() {
    let schema = Schema::new();
    schema.store().await;
    // A table that the first step makes is in the way.
    schema
        .sql(
            "DROP TABLE $schema.kv, $schema.connections; DROP FUNCTION $schema.now_micros; \
             UPDATE $schema.integrations_version SET version = 0",
        )
        .await;
    let store = schema.builder().connect(&url()).await.unwrap();
    assert_eq!(store.migrate().await.unwrap_err().kind(), ErrorKind::Store);
    let made = "SELECT count(*) FROM pg_class WHERE relnamespace = '$schema'::regnamespace AND relname = 'connections'";
    assert_eq!(schema.number(made).await, 0);
    assert_eq!(schema.number("SELECT version FROM $schema.integrations_version").await, 0);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn the_schema_of_another_application_is_refused_and_left_as_it_is() {
    let schema = Schema::new();
    let store = schema.builder().connect(&url()).await.unwrap();
    schema.sql("CREATE SCHEMA $schema; CREATE TABLE $schema.orders (id bigint)").await;
    assert_eq!(code(schema.builder().connect(&url()).await), configuration("foreign_schema"));
    assert_eq!(code(store.migrate().await), configuration("foreign_schema"));
    let number = "SELECT count(*) FROM pg_class WHERE relnamespace = '$schema'::regnamespace";
    assert_eq!(schema.number(number).await, 1);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn two_schemas_of_a_database_do_not_see_each_other() {
    let (one, other) = (Schema::new(), Schema::new());
    let (store, stranger) = (one.store().await, other.store().await);
    KeyValueStore::put(&store, "key", b"value", Duration::from_secs(60)).await.unwrap();
    assert_eq!(KeyValueStore::get(&stranger, "key").await.unwrap(), None);
}

#[tokio::test]
async fn a_name_that_is_not_one_of_a_schema_is_refused_before_anything_is_connected() {
    let long = "a".repeat(64);
    for name in ["", "1a", "A", "a-b", "a\"b", "a b", "a;DROP", "é", "pg_catalog", &long] {
        let refused = PostgresStore::builder().schema(name).connect("postgres://nobody@192.0.2.1/none").await;
        assert_eq!(code(refused), configuration("invalid_schema"), "{name:?}");
    }
}
