//! Who may refresh a connection's tokens, over all machines?

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::auth::{ConnectionFilter, RefreshGuard, TokenStore};
use integrations_core::connection::{Connection, ConnectionId};
use uuid::Uuid;

use super::RedisStore;

/// A token store whose guards of refreshes are in Redis, and everything else where it was: for a store that has no guards
/// over several machines, or where they cost too much.
///
/// A guard that is lost with the server lets somebody else refresh at the same time. The compare-and-swap of the store
/// still keeps the tokens of one of them.
#[derive(Debug, Clone)]
pub struct RedisGuards {
    store: Arc<dyn TokenStore>,
    redis: RedisStore,
}

impl RedisGuards {
    /// The same store, with guards in Redis.
    pub fn new(store: Arc<dyn TokenStore>, redis: RedisStore) -> Self {
        Self { store, redis }
    }
}

#[async_trait]
impl TokenStore for RedisGuards {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        self.store.get(id).await
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        self.store.put(connection).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        self.store.delete(id).await
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        self.store.list(filter).await
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        const OPERATION: &str = "tokens.acquire_refresh_guard";
        let guard = RefreshGuard { connection: id.clone(), holder: Uuid::new_v4().to_string() };
        let holder = guard.holder.as_bytes();
        let won: bool =
            self.redis.value("guard", id.as_str(), "put_if_absent", holder, ttl, OPERATION).await?;
        Ok(won.then_some(guard))
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        const OPERATION: &str = "tokens.release_refresh_guard";
        let (id, holder) = (guard.connection.as_str(), guard.holder.as_bytes());
        self.redis.value("guard", id, "release", holder, Duration::ZERO, OPERATION).await
    }
}
