//! What is opened, and what is refused?

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use integrations_core::ErrorKind;
use integrations_core::queue::{JobQueue, LeaseRequest, NewJob, Settlement};
use integrations_stores::NatsQueue;
use integrations_testkit::conformance::clock;
use serde_json::json;

use crate::{Streams, url};

#[tokio::test]
#[ignore = "needs nats"]
async fn any_number_may_migrate_at_once_and_again() {
    let streams = Streams::new();
    let migrations = (0..8).map(|_| async {
        let queue = streams.builder().clock(Arc::new(clock())).connect(&url()).await.unwrap();
        queue.migrate().await.unwrap();
        queue
    });
    let queues = futures_util::future::join_all(migrations).await;
    queues[0].enqueue(vec![NewJob::new("kind", "ada")]).await.unwrap();
    queues[1].migrate().await.unwrap();
    assert_eq!(queues[7].stats().await.unwrap().total().ready, 1);
}

#[tokio::test]
#[ignore = "needs nats"]
async fn without_migration_every_call_says_so() {
    let streams = Streams::new();
    let queue = streams.builder().connect(&url()).await.unwrap();
    let error = queue.enqueue(vec![NewJob::new("kind", "ada")]).await.unwrap_err();
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("stream_missing")));
    assert!(error.to_string().contains("migrate()"), "{error}");
    queue.migrate().await.unwrap();
    queue.enqueue(vec![NewJob::new("kind", "ada")]).await.unwrap();
}

#[tokio::test]
#[ignore = "needs nats"]
async fn streams_of_a_newer_version_and_of_others_are_left_alone() {
    let client = async_nats::connect(url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    for (description, code) in
        [("integrations job queue, version 2", "schema_too_new"), ("something else", "foreign_stream")]
    {
        let streams = Streams::new();
        let config: async_nats::jetstream::stream::Config = serde_json::from_value(json!({
            "name": streams.stream("JOBS"),
            "subjects": [format!("{}.slot.>", streams.name)],
            "description": description,
            "retention": "limits",
            "storage": "file",
            "discard": "old",
            "num_replicas": 1,
        }))
        .unwrap();
        jetstream.create_stream(config).await.unwrap();
        let queue = streams.builder().connect(&url()).await.unwrap();
        let error = queue.migrate().await.unwrap_err();
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some(code)));
        assert!(queue.stats().await.is_err());
    }
}

#[tokio::test]
async fn what_cannot_be_a_server_is_refused_without_a_secret() {
    for (url, code) in [
        ("nats://ada:geheim@127.0.0.1:1", "nats_unreachable"),
        ("nats://ada:geheim@[::", "invalid_url"),
        ("", "invalid_url"),
    ] {
        let error = NatsQueue::connect(url).await.unwrap_err();
        assert_eq!(error.provider_code(), Some(code), "{error}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("geheim") && !text.contains("ada"), "{text}");
    }
    let error = NatsQueue::builder().name("A.b").connect("nats://127.0.0.1:1").await.unwrap_err();
    assert_eq!(error.provider_code(), Some("invalid_name"));
}

#[tokio::test]
#[ignore = "needs nats"]
async fn nothing_shows_where_the_queue_is() {
    let streams = Streams::new();
    let queue = streams.queue(Arc::new(clock())).await;
    assert_eq!(format!("{queue:?}"), format!("NatsQueue {{ name: {:?}, .. }}", streams.name));
}

#[tokio::test]
#[ignore = "needs nats"]
async fn streams_that_are_made_again_are_another_queue() {
    let streams = Streams::new();
    let queue = streams.queue(Arc::new(clock())).await;
    let request = LeaseRequest::new("worker", "kind", 1, Duration::from_secs(60));
    let jobs = |owner: &str| vec![NewJob::new("kind", owner).key("key"), NewJob::new("kind", owner)];
    queue.enqueue(jobs("ada")).await.unwrap();
    queue.enqueue(jobs("bob")).await.unwrap();
    let before = queue.lease(&request).await.unwrap().leases.remove(0);
    delete(&streams).await;
    queue.migrate().await.unwrap();
    queue.enqueue(vec![NewJob::new("kind", "cyd").key("key")]).await.unwrap();
    let after = queue.lease(&request).await.unwrap().leases.remove(0);
    assert_eq!(after.job.owner, "cyd".into());
    assert!(after.fence > before.fence, "{after:?} {before:?}");
    let total = queue.stats().await.unwrap().total();
    assert_eq!((total.ready, total.running), (0, 1));
    let held = queue.settle(vec![Settlement::done(&before), Settlement::done(&after)]).await.unwrap();
    assert_eq!(held, [false, true]);
}

#[tokio::test]
#[ignore = "needs nats"]
async fn who_waits_before_the_streams_are_made_hears_of_what_comes() {
    let streams = Streams::new();
    let queue = streams.builder().clock(Arc::new(clock())).connect(&url()).await.unwrap();
    let kinds = ["kind".into()];
    let mut waiting = std::pin::pin!(queue.wait(&kinds));
    // It has asked for the streams, and there are none.
    assert!(waiting.as_mut().now_or_never().is_none());
    assert_eq!(queue.stats().await.unwrap_err().provider_code(), Some("stream_missing"));
    assert!(waiting.as_mut().now_or_never().is_none());
    let other = streams.queue(Arc::new(clock())).await;
    other.enqueue(vec![NewJob::new("kind", "ada")]).await.unwrap();
    waiting.await;
}

async fn delete(streams: &Streams) {
    let jetstream = async_nats::jetstream::new(async_nats::connect(url()).await.unwrap());
    for stream in ["JOBS", "HISTORY"] {
        jetstream.delete_stream(streams.stream(stream)).await.unwrap();
    }
}
