//! Does the Redis backend keep the promises of the host traits, and its own?
//!
//! The server is that of `REDIS_URL`; each test has a prefix of its own there, which is gone afterwards. Tests that stop
//! servers start their own, from the program `redis-server`.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "redis/life.rs"]
mod life;
#[path = "redis/opening.rs"]
mod opening;
#[path = "redis/server.rs"]
mod server;
#[path = "redis/sharing.rs"]
mod sharing;

use std::sync::Arc;
use std::thread;

use integrations_core::clock::Clock;
use integrations_stores::RedisStore;
use integrations_stores::redis::RedisStoreBuilder;
use uuid::Uuid;

mod promises {
    use super::*;

    async fn make(clock: Arc<dyn Clock>) -> (RedisStore, Prefix) {
        let prefix = Prefix::new();
        let store = prefix.builder().clock(clock).connect(&url()).await.unwrap();
        store.migrate().await.unwrap();
        (store, prefix)
    }

    integrations_testkit::key_value_store_conformance!(make, with guard, ignore = "needs redis");
    integrations_testkit::job_queue_conformance!(make, with guard, ignore = "needs redis");
}

mod guards {
    use super::*;
    use integrations_core::memory::MemoryStore;
    use integrations_stores::RedisGuards;

    async fn make(clock: Arc<dyn Clock>) -> (RedisGuards, Prefix) {
        let prefix = Prefix::new();
        let redis = prefix.builder().clock(Arc::clone(&clock)).connect(&url()).await.unwrap();
        (RedisGuards::new(Arc::new(MemoryStore::with_clock(clock)), redis), prefix)
    }

    integrations_testkit::token_store_conformance!(make, with guard, ignore = "needs redis");
}

fn url() -> String {
    std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into())
}

/// A prefix that nobody else has. What is under it is gone with this.
struct Prefix(String);

impl Prefix {
    fn new() -> Self {
        Self(format!("test-{}", Uuid::new_v4()))
    }

    fn builder(&self) -> RedisStoreBuilder {
        RedisStore::builder().prefix(&self.0)
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        let pattern = format!("{{{}}}:*", self.0);
        // In a thread of its own: the test's runtime is about to end.
        let swept = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = redis::Client::open(url()).unwrap();
                let mut connection = client.get_multiplexed_async_connection().await.unwrap();
                let mut cursor = 0_u64;
                loop {
                    let mut scan = redis::cmd("SCAN");
                    scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
                    let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await.unwrap();
                    for keys in keys.chunks(500) {
                        let _: u64 = redis::cmd("DEL").arg(keys).query_async(&mut connection).await.unwrap();
                    }
                    cursor = next;
                    if cursor == 0 {
                        break;
                    }
                }
            });
        });
        let _ = swept.join();
    }
}
