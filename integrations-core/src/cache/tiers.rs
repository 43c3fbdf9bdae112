//! How is a value that others may share read without asking for it every time?

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::store::KeyValueStore;
use crate::clock::Clock;
use crate::error::Result;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CacheSettings {
    /// Values in memory at most; 1000 by default.
    pub memory_entries: usize,
    /// How long a value in memory is good without asking the store; 60 s by default.
    pub memory_ttl: Duration,
    /// The largest value that is kept in memory, in bytes; 64 KiB by default. So the cache needs at most
    /// `memory_entries` × `memory_value` bytes.
    pub memory_value: usize,
    /// How long a value is kept in the store; 3600 s by default.
    pub store_ttl: Duration,
    /// The largest value that is kept at all, in bytes; 1 MiB by default.
    pub store_value: usize,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            memory_entries: 1000,
            memory_ttl: Duration::from_secs(60),
            memory_value: 64 << 10,
            store_ttl: Duration::from_secs(3600),
            store_value: 1 << 20,
        }
    }
}

/// Two tiers: memory in front of the host's [`KeyValueStore`].
///
/// A value that another process has written is seen when the one in memory is over.
pub struct TieredCache {
    memory: Mutex<Memory>,
    store: Arc<dyn KeyValueStore>,
    clock: Arc<dyn Clock>,
    settings: CacheSettings,
}

/// Values by key, with the time at which they are over, and in the order in which they came.
#[derive(Default)]
struct Memory {
    values: HashMap<Arc<str>, (Bytes, Duration, u64)>,
    order: std::collections::VecDeque<(u64, Arc<str>)>,
    next: u64,
}

impl Memory {
    fn insert(&mut self, key: &str, value: Bytes, until: Duration, most: usize) {
        let key: Arc<str> = key.into();
        let number = self.next;
        self.next += 1;
        self.values.insert(Arc::clone(&key), (value, until, number));
        self.order.push_back((number, key));
        // The oldest goes first. An entry of the order whose value was replaced or removed stands for
        // nothing, and goes without a value.
        while self.values.len() > most || self.order.len() > 2 * most.max(1) {
            let Some((number, key)) = self.order.pop_front() else { break };
            if self.values.get(&key).is_some_and(|(.., current)| *current == number) {
                self.values.remove(&key);
            }
        }
    }
}

impl fmt::Debug for TieredCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TieredCache")
            .field("entries", &self.memory().values.len())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl TieredCache {
    /// A cache in front of a store.
    pub fn new(store: Arc<dyn KeyValueStore>, clock: Arc<dyn Clock>, settings: CacheSettings) -> Self {
        Self { memory: Mutex::default(), store, clock, settings }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let now = self.clock.monotonic();
        let in_memory = self
            .memory()
            .values
            .get(key)
            .filter(|(_, until, _)| now < *until)
            .map(|(value, ..)| value.clone());
        if in_memory.is_some() {
            return Ok(in_memory);
        }
        let Some(value) = self.store.get(key).await?.map(Bytes::from) else { return Ok(None) };
        self.remember(key, &value);
        Ok(Some(value))
    }

    /// Writes a value; one that is too large is not kept.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn put(&self, key: &str, value: Bytes) -> Result<()> {
        if value.len() > self.settings.store_value {
            return self.remove(key).await;
        }
        self.store.put(key, &value, self.settings.store_ttl).await?;
        self.remember(key, &value);
        Ok(())
    }

    /// Deletes a value.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn remove(&self, key: &str) -> Result<()> {
        self.memory().values.remove(key);
        self.store.take(key).await.map(drop)
    }

    fn remember(&self, key: &str, value: &Bytes) {
        let CacheSettings { memory_entries, memory_ttl, memory_value, .. } = self.settings;
        let until = self.clock.monotonic() + memory_ttl.min(self.settings.store_ttl);
        let mut memory = self.memory();
        if value.len() <= memory_value {
            memory.insert(key, Bytes::copy_from_slice(value), until, memory_entries);
        } else {
            memory.values.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::memory::MemoryStore;

    fn cache(settings: CacheSettings) -> (ManualClock, MemoryStore, TieredCache) {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let cache = TieredCache::new(Arc::new(store.clone()), Arc::new(clock.clone()), settings);
        (clock, store, cache)
    }

    #[tokio::test]
    async fn a_value_is_read_from_memory_then_from_the_store_and_then_it_is_over() {
        let (clock, store, cache) = cache(CacheSettings::default());
        cache.put("k", Bytes::from_static(b"1")).await.unwrap();
        store.put("k", b"2", Duration::from_secs(3600)).await.unwrap();
        assert_eq!(cache.get("k").await.unwrap().unwrap(), "1");
        clock.advance(Duration::from_secs(60));
        assert_eq!(cache.get("k").await.unwrap().unwrap(), "2");
        clock.advance(Duration::from_secs(3600));
        assert_eq!(cache.get("k").await.unwrap(), None);
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let settings =
            CacheSettings { memory_entries: 10, memory_value: 4, store_value: 8, ..CacheSettings::default() };
        let (_, _, cache) = cache(settings);
        for round in 0..100 {
            for key in 0..30 {
                cache.put(&format!("{}", (key * 7 + round) % 30), Bytes::from_static(b"abc")).await.unwrap();
            }
        }
        let sizes = |memory: &Memory| (memory.values.len(), memory.order.len());
        let (values, order) = sizes(&cache.memory());
        assert_eq!(values, 10);
        assert!(order <= 20);
        cache.put("large", Bytes::from_static(b"12345")).await.unwrap();
        assert!(!cache.memory().values.contains_key("large"));
        assert_eq!(cache.get("large").await.unwrap().unwrap(), "12345");
        cache.put("large", Bytes::from_static(b"123456789")).await.unwrap();
        assert_eq!(cache.get("large").await.unwrap(), None);
    }
}
