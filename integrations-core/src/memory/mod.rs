//! What if there is nothing to store in yet?
//!
//! [`MemoryStore`] implements every host trait in memory: for tests, trials, and as an example to read.
//! What it holds is gone with the process.

mod queue;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::queue::Queue;
use crate::auth::{ConnectionFilter, RefreshGuard, TokenStore};
use crate::cache::KeyValueStore;
use crate::clock::{Clock, SystemClock};
use crate::connection::{Connection, ConnectionId, StreamId};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Change, Raw, Record};
use crate::normalize::Quarantined;
use crate::sync::{Commit, Receipt, StreamKey, StreamState, SyncSink, Unseen};

/// Every host trait, in memory. Clones share what they hold.
#[derive(Clone)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    inner: Arc<Mutex<Inner>>,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Inner {
    connections: BTreeMap<ConnectionId, Connection>,
    /// The highest version of a connection that was deleted: those that come later begin above it.
    highest_deleted: u64,
    guards: HashMap<ConnectionId, (String, Duration)>,
    guard_count: u64,
    streams: HashMap<(ConnectionId, StreamId), StreamData>,
    values: HashMap<String, (Vec<u8>, Duration)>,
}

#[derive(Default)]
struct StreamData {
    state: StreamState,
    records: BTreeMap<String, (u64, Record)>,
    quarantined: Vec<(u64, Quarantined)>,
}

impl MemoryStore {
    /// An empty store on the system's clock.
    pub fn new() -> Self {
        Self::with_clock(SystemClock::shared())
    }

    /// An empty store on another clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let queue = Arc::new(Queue::new(clock.now()));
        Self { clock, inner: Arc::default(), queue }
    }

    /// The records of a stream, by id.
    pub fn records(&self, stream: &StreamKey) -> Vec<Record> {
        let inner = self.inner();
        let records = inner.streams.get(&key(stream)).map(|data| data.records.values());
        records.into_iter().flatten().map(|(_, record)| record.clone()).collect()
    }

    /// The items of a stream that could not be read.
    pub fn quarantined(&self, stream: &StreamKey) -> Vec<Quarantined> {
        let inner = self.inner();
        let items = inner.streams.get(&key(stream)).map(|data| data.quarantined.iter());
        items.into_iter().flatten().map(|(_, item)| item.clone()).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner();
        f.debug_struct("MemoryStore")
            .field("connections", &inner.connections.len())
            .field("streams", &inner.streams.len())
            .field("jobs", &self.queue.len())
            .finish_non_exhaustive()
    }
}

fn key(stream: &StreamKey) -> (ConnectionId, StreamId) {
    (stream.connection.clone(), stream.stream.clone())
}

#[async_trait]
impl SyncSink for MemoryStore {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        Ok(self.inner().streams.get(&key(stream)).map(|data| data.state.clone()).unwrap_or_default())
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        let mut inner = self.inner();
        let key = key(&commit.stream);
        let (fence, revision) = inner
            .streams
            .get(&key)
            .map_or_else(Default::default, |data| (data.state.fence, data.state.revision));
        if commit.fence < fence {
            return Err(stale("stale_fence", "another runner has taken over the stream"));
        }
        if commit.expected_revision != revision {
            return Err(stale("stale_revision", "somebody else has committed to the stream"));
        }
        let data = inner.streams.entry(key).or_default();
        for change in commit.changes {
            data.quarantined.retain(|(_, item)| item.id.as_deref() != Some(change.id()));
            match change {
                Change::Upsert(mut record) => {
                    record.raw = record.raw.detach();
                    data.records.insert(record.id().to_owned(), (commit.generation, record));
                }
                Change::Delete { id } => data.records.retain(|other, (_, record)| {
                    *other != id && record.entity.parent_id() != Some(id.as_str())
                }),
            }
        }
        for mut item in commit.quarantined {
            if let Some(id) = &item.id {
                data.quarantined.retain(|(_, other)| other.id.as_ref() != Some(id));
                if let Some((generation, _)) = data.records.get_mut(id) {
                    *generation = commit.generation;
                }
            }
            item.raw = Raw::detach(&item.raw);
            data.quarantined.push((commit.generation, item));
        }
        let mut swept = 0;
        if let Some(sweep) = commit.sweep {
            let before = data.records.len();
            data.records.retain(|_, (generation, _)| *generation >= sweep.before);
            data.quarantined.retain(|(generation, _)| *generation >= sweep.before);
            swept = (before - data.records.len()) as u64;
        }
        let revision = revision + 1;
        data.state = StreamState { position: commit.position, revision, fence: commit.fence };
        Ok(Receipt { revision, swept })
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        let inner = self.inner();
        let mut count = Unseen::default();
        for (seen_in, _) in inner.streams.get(&key(stream)).into_iter().flat_map(|data| data.records.values())
        {
            *if *seen_in >= generation { &mut count.seen } else { &mut count.unseen } += 1;
        }
        Ok(count)
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        let mut deleted = 0;
        self.inner().streams.retain(|(owner, _), data| {
            let keep = owner != connection;
            if !keep {
                deleted += data.records.len() as u64;
            }
            keep
        });
        Ok(deleted)
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        let inner = self.inner();
        let own = inner.streams.keys().filter(|(owner, _)| owner == connection);
        Ok(own.map(|(_, stream)| stream.clone()).collect())
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        let data = self.inner().streams.remove(&key(stream));
        Ok(data.map_or(0, |data| data.records.len() as u64))
    }
}

fn stale(code: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, message).with_code(code)
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        Ok(self.inner().connections.get(id).cloned())
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        let mut inner = self.inner();
        let stored = inner.connections.get(&connection.id).map_or(0, |stored| stored.version);
        if stored != connection.version {
            return Err(stale("stale_version", "the connection was changed in the meantime"));
        }
        let version = if stored == 0 { inner.highest_deleted } else { stored } + 1;
        inner.connections.insert(connection.id.clone(), Connection { version, ..connection.clone() });
        Ok(version)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        let mut inner = self.inner();
        let deleted = inner.connections.remove(id);
        let version = deleted.as_ref().map_or(0, |deleted| deleted.version);
        inner.highest_deleted = inner.highest_deleted.max(version);
        Ok(deleted.is_some())
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        let inner = self.inner();
        let after = |id: &ConnectionId| filter.after.as_ref().is_none_or(|after| id > after);
        Ok(inner
            .connections
            .values()
            .filter(|connection| after(&connection.id) && filter.matches(connection))
            .take(filter.limit.unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        let now = self.clock.monotonic();
        let mut inner = self.inner();
        if inner.guards.get(id).is_some_and(|(_, until)| now < *until) {
            return Ok(None);
        }
        inner.guard_count += 1;
        let holder = inner.guard_count.to_string();
        inner.guards.insert(id.clone(), (holder.clone(), now + ttl));
        Ok(Some(RefreshGuard { connection: id.clone(), holder }))
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        let mut inner = self.inner();
        if inner.guards.get(&guard.connection).is_some_and(|(holder, _)| *holder == guard.holder) {
            inner.guards.remove(&guard.connection);
        }
        Ok(())
    }
}

#[async_trait]
impl KeyValueStore for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let now = self.clock.monotonic();
        let inner = self.inner();
        Ok(inner.values.get(key).filter(|(_, until)| now < *until).map(|(value, _)| value.clone()))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()> {
        let now = self.clock.monotonic();
        let mut inner = self.inner();
        inner.values.retain(|_, (_, until)| now < *until);
        inner.values.insert(key.to_owned(), (value.to_vec(), now + ttl));
        Ok(())
    }

    async fn put_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool> {
        let now = self.clock.monotonic();
        let mut inner = self.inner();
        if inner.values.get(key).is_some_and(|(_, until)| now < *until) {
            return Ok(false);
        }
        inner.values.insert(key.to_owned(), (value.to_vec(), now + ttl));
        Ok(true)
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let now = self.clock.monotonic();
        Ok(self.inner().values.remove(key).filter(|(_, until)| now < *until).map(|(value, _)| value))
    }
}
