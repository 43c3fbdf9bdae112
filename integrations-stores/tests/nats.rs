//! Does the NATS backend keep the promises of the queue, and its own?

#![cfg(feature = "nats")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "nats/opening.rs"]
mod opening;
#[path = "nats/restart.rs"]
mod restart;
#[path = "nats/sharing.rs"]
mod sharing;

use std::sync::Arc;

use integrations_core::clock::Clock;
use integrations_stores::NatsQueue;
use integrations_stores::nats::NatsQueueBuilder;

async fn make(clock: Arc<dyn Clock>) -> (NatsQueue, Streams) {
    let streams = Streams::new();
    (streams.queue(clock).await, streams)
}

integrations_testkit::job_queue_conformance!(make, with guard, ignore = "needs nats");

/// Streams of a test, deleted when it is over.
#[derive(Debug)]
pub struct Streams {
    url: String,
    name: String,
}

impl Streams {
    fn new() -> Self {
        Self::at(&url())
    }

    fn at(url: &str) -> Self {
        let name = format!("test-{}", uuid::Uuid::new_v4().simple());
        Self { url: url.into(), name }
    }

    fn builder(&self) -> NatsQueueBuilder {
        NatsQueue::builder().name(&self.name)
    }

    /// A queue with a connection of its own.
    async fn queue(&self, clock: Arc<dyn Clock>) -> NatsQueue {
        let queue = self.builder().clock(clock).connect(&self.url).await.unwrap();
        queue.migrate().await.unwrap();
        queue
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        let (url, streams) = (self.url.clone(), ["JOBS", "HISTORY"].map(|stream| self.stream(stream)));
        // A thread with a runtime of its own: that of the test may be ending.
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                // A server that the test has stopped has nothing to delete.
                let Ok(client) = async_nats::connect(url).await else { return };
                let jetstream = async_nats::jetstream::new(client);
                for stream in streams {
                    let _ = jetstream.delete_stream(stream).await;
                }
            });
        });
        let _ = deleted.join();
    }
}

impl Streams {
    fn stream(&self, which: &str) -> String {
        format!("{}_{which}", self.name.to_ascii_uppercase())
    }
}

fn url() -> String {
    std::env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".into())
}
