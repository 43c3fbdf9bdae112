//! Where do short-lived values rest?

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use redis::{FromRedisValue, Script};

use super::failure::OrStore;
use super::{RedisStore, micros};

static VALUES: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/values.lua")));

impl RedisStore {
    /// Does something with the value of a key, of one sort of keys.
    pub(super) async fn value<T: FromRedisValue>(
        &self,
        sort: &str,
        key: &str,
        what: &str,
        value: &[u8],
        ttl: Duration,
        operation: &'static str,
    ) -> Result<T> {
        let mut call = VALUES.key(format!("{}{sort}:{key}", self.inner.start));
        call.arg(self.now()).arg(what).arg(micros(ttl)).arg(value);
        call.invoke_async(&mut self.connection()).await.or_store(operation)
    }
}

#[async_trait]
impl KeyValueStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.value("kv", key, "get", &[], Duration::ZERO, "kv.get").await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()> {
        self.value("kv", key, "put", value, ttl, "kv.put").await
    }

    async fn put_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool> {
        self.value("kv", key, "put_if_absent", value, ttl, "kv.put_if_absent").await
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.value("kv", key, "take", &[], Duration::ZERO, "kv.take").await
    }
}
