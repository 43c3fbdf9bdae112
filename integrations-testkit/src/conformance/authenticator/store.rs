//! A store that fails when a case says so.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::{ConnectionFilter, RefreshGuard, TokenStore};
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Connection, ConnectionId};
use integrations_core::memory::MemoryStore;
use integrations_core::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(super) struct Unreliable {
    inner: MemoryStore,
    /// How many writes go well, then how many fail.
    writes: Mutex<(usize, usize)>,
    no_guards: AtomicBool,
    /// How long the next write takes.
    slow: Mutex<Option<(ManualClock, Duration)>>,
}

impl Unreliable {
    pub(super) fn new(inner: MemoryStore) -> Self {
        Self { inner, writes: Mutex::new((0, 0)), no_guards: AtomicBool::new(false), slow: Mutex::default() }
    }

    /// After so many writes of connections, so many fail.
    pub(super) fn fail_writes(&self, after: usize, times: usize) {
        *self.writes.lock().unwrap_or_else(PoisonError::into_inner) = (after, times);
    }

    /// The next write takes so long.
    pub(super) fn slow_down(&self, clock: &ManualClock, by: Duration) {
        *self.slow.lock().unwrap_or_else(PoisonError::into_inner) = Some((clock.clone(), by));
    }

    /// Everybody gets every guard from now on, as with a server that has lost them.
    pub(super) fn lose_guards(&self) {
        self.no_guards.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl TokenStore for Unreliable {
    /// Others may come in between: no storage answers at once.
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        tokio::task::yield_now().await;
        self.inner.get(id).await
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        tokio::task::yield_now().await;
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((clock, by)) = slow {
            clock.advance(by);
        }
        {
            let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *writes {
                (0, 0) => {}
                (0, failing) => {
                    *failing -= 1;
                    return Err(Error::new(ErrorKind::Store, "the disk is full"));
                }
                (well, _) => *well -= 1,
            }
        }
        self.inner.put(connection).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        self.inner.delete(id).await
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        self.inner.list(filter).await
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        if self.no_guards.load(Ordering::SeqCst) {
            return Ok(Some(RefreshGuard { connection: id.clone(), holder: "anybody".into() }));
        }
        self.inner.acquire_refresh_guard(id, ttl).await
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        self.inner.release_refresh_guard(guard).await
    }
}
