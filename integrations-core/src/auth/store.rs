//! Where do connections rest?

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::connection::{Connection, ConnectionId, Owner, ServiceId, TenantId};
use crate::error::Result;

/// The host's storage of connections. The tokens in them are sealed before they come here.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Reads a connection; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>>;

    /// Writes a connection if the stored one still has `connection.version` (0: there is none yet),
    /// and returns its new version, which is higher, also than any that it had before it was
    /// [deleted](TokenStore::delete). Once this returns `Ok`, the write survives a crash.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when somebody else has written in between:
    /// then nothing was written. [`ErrorKind::Store`](crate::ErrorKind::Store) when the storage failed.
    async fn put(&self, connection: &Connection) -> Result<u64>;

    /// Deletes a connection, and says whether there was one.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn delete(&self, id: &ConnectionId) -> Result<bool>;

    /// Reads the connections that a filter lets through, in the order of their ids.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>>;

    /// Takes the right to refresh a connection's tokens, over all processes that share the storage, for
    /// at most `ttl`. `None` when somebody else holds it.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>>;

    /// Gives the right back. A guard that has run out is no error.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()>;
}

/// The right to refresh a connection's tokens for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshGuard {
    /// The connection.
    pub connection: ConnectionId,
    /// Names this holder: unique for each acquisition.
    pub holder: String,
}

/// Which connections to list; the default lets all through.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ConnectionFilter {
    /// Those of this user.
    pub owner: Option<Owner>,
    /// Those of this tenant.
    pub tenant: Option<TenantId>,
    /// Those of this service.
    pub service: Option<ServiceId>,
    /// Those in this stage of their life, by its [name](crate::connection::ConnectionStatus::as_str).
    pub status: Option<&'static str>,
    /// Those whose id comes after this one: the last of the page before.
    pub after: Option<ConnectionId>,
    /// At most so many; `None` for all.
    pub limit: Option<usize>,
}

impl ConnectionFilter {
    /// All connections of a user.
    pub fn of(owner: impl Into<Owner>) -> Self {
        Self { owner: Some(owner.into()), ..Self::default() }
    }

    /// All connections of a tenant.
    pub fn of_tenant(tenant: impl Into<TenantId>) -> Self {
        Self { tenant: Some(tenant.into()), ..Self::default() }
    }

    /// Those in a stage of their life, by its [name](crate::connection::ConnectionStatus::as_str), e.g.
    /// `reauthorization_required`.
    pub fn with_status(mut self, status: &'static str) -> Self {
        self.status = Some(status);
        self
    }

    /// Those of a service.
    pub fn with_service(mut self, service: impl Into<ServiceId>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// A page: those after an id, at most so many.
    pub fn with_page(mut self, after: Option<ConnectionId>, limit: usize) -> Self {
        self.after = after;
        self.limit = Some(limit);
        self
    }

    /// Whether the filter lets a connection through, its page aside.
    pub fn matches(&self, connection: &Connection) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == connection.owner)
            && self.tenant.as_ref().is_none_or(|tenant| *tenant == connection.owner.tenant)
            && self.status.is_none_or(|status| status == connection.status.as_str())
            && self.service.as_ref().is_none_or(|service| *service == connection.service)
    }
}
