//! Where do connections rest?
//!
//! Their tokens are sealed before they come here, so the file holds no secret that can be read.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::auth::{ConnectionFilter, RefreshGuard, TokenStore};
use integrations_core::connection::{Connection, ConnectionId};
use integrations_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::FileStore;
use super::file::later;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Connections {
    by_id: BTreeMap<ConnectionId, Connection>,
    /// The highest version of one that was deleted. What comes later begins above it, so that nobody who has read the
    /// deleted one can write over one that has come back.
    highest_deleted: u64,
    guards: BTreeMap<ConnectionId, Guard>,
    last_guard: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Guard {
    holder: String,
    until: DateTime<Utc>,
}

#[async_trait]
impl TokenStore for FileStore {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        Ok(self.connections.look().by_id.get(id).cloned())
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        self.connections.change(|all| {
            let stored = all.by_id.get(&connection.id).map_or(0, |stored| stored.version);
            if stored != connection.version {
                let message = "somebody else has written the connection; read it again, then decide";
                return Err(Error::new(ErrorKind::Conflict, message).with_code("stale_version"));
            }
            let version = if stored == 0 { all.highest_deleted } else { stored } + 1;
            all.by_id.insert(connection.id.clone(), Connection { version, ..connection.clone() });
            Ok(version)
        })
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        self.connections.change(|all| {
            let deleted = all.by_id.remove(id);
            let version = deleted.as_ref().map_or(0, |deleted| deleted.version);
            all.highest_deleted = all.highest_deleted.max(version);
            Ok(deleted.is_some())
        })
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        let all = self.connections.look();
        let after = |id: &ConnectionId| filter.after.as_ref().is_none_or(|after| id > after);
        let listed = all.by_id.values().filter(|one| after(&one.id) && filter.matches(one));
        Ok(listed.take(filter.limit.unwrap_or(usize::MAX)).cloned().collect())
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        let now = self.clock.now();
        self.connections.change(|all| {
            if all.guards.get(id).is_some_and(|guard| now < guard.until) {
                return Ok(None);
            }
            all.last_guard += 1;
            let holder = all.last_guard.to_string();
            all.guards.insert(id.clone(), Guard { holder: holder.clone(), until: later(now, ttl) });
            Ok(Some(RefreshGuard { connection: id.clone(), holder }))
        })
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        self.connections.change(|all| {
            if all.guards.get(&guard.connection).is_some_and(|held| held.holder == guard.holder) {
                all.guards.remove(&guard.connection);
            }
            Ok(())
        })
    }
}
