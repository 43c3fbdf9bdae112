//! What becomes of a connection?
//!
//! ```text
//!            connect                      the grant is gone
//!   (none) ──────────▶ active ──────────────────────────────▶ reauthorization_required
//!                      │  ▲ ▲            taken back there      │        revoked
//!                pause │  │ └──────────── reconnect ───────────┴───────────┘
//!                      ▼  │ resume
//!                     paused                 disconnect, from anywhere ──▶ (none)
//! ```

use std::sync::Arc;

use super::Gateway;
use crate::auth::ConnectionFilter;
use crate::connection::{Connection, ConnectionId, ConnectionStatus, GrantType, Owner, StreamId};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Session;
use crate::observe::{AuditAction, Notice};
use crate::sync::StreamKey;

/// What becomes of a connection's data when it is taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Data {
    /// Records and positions stay: connecting the same account again goes on from there.
    #[default]
    Keep,
    /// They are deleted.
    Erase,
}

impl Gateway {
    /// The connections of a user.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn connections(&self, owner: impl Into<Owner>) -> Result<Vec<Connection>> {
        self.list(&ConnectionFilter::of(self.within_tenant(owner.into()))).await
    }

    /// The connections that a filter lets through, in the order of their ids; those of the gateway's tenant
    /// alone, if it has one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        let mut filter = filter.clone();
        if let Some(tenant) = &self.tenant {
            if filter.tenant.as_ref().is_some_and(|asked| asked != tenant) {
                return Ok(Vec::new());
            }
            filter.tenant = Some(tenant.clone());
        }
        self.inner.connections.list(&filter).await
    }

    /// One connection.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], also for a connection of another tenant than the gateway's, and those of the
    /// store.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Connection> {
        self.inner
            .connections
            .get(id)
            .await?
            .filter(|found| self.tenant.as_ref().is_none_or(|tenant| *tenant == found.owner.tenant))
            .ok_or_else(|| no_connection(id))
    }

    /// One connection of a user, for an id that came from outside, e.g. in an address or a form: what
    /// belongs to another user is as good as absent.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], also for a connection of another user, and those of the store.
    pub async fn connection_of(&self, owner: impl Into<Owner>, id: &ConnectionId) -> Result<Connection> {
        let owner = self.within_tenant(owner.into());
        let connection = self.connection(id).await?;
        if connection.owner == owner { Ok(connection) } else { Err(no_connection(id)) }
    }

    /// Stops the use of a connection until [`resume`](Self::resume): every call fails with code `paused`.
    /// Tokens, data and positions stay.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Conflict`] for a connection that waits for its user, and those
    /// of the store.
    pub async fn pause(&self, id: &ConnectionId) -> Result<Connection> {
        self.change(id, AuditAction::Paused, |status| match status {
            ConnectionStatus::Active => Ok(Some(ConnectionStatus::Paused)),
            ConnectionStatus::Paused => Ok(None),
            _ => Err(waits_for_user()),
        })
        .await
    }

    /// Takes a paused connection up again.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn resume(&self, id: &ConnectionId) -> Result<Connection> {
        self.change(id, AuditAction::Resumed, |status| match status {
            ConnectionStatus::Paused => Ok(Some(ConnectionStatus::Active)),
            ConnectionStatus::Active => Ok(None),
            _ => Err(waits_for_user()),
        })
        .await
    }

    /// Notes that the provider has said that the grant was taken back, e.g. in a notification that the user
    /// has removed the application there. The reason is for people to read.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], and those of the store.
    pub async fn grant_revoked(&self, id: &ConnectionId, reason: &str) -> Result<Connection> {
        self.change(id, AuditAction::GrantLost, |status| match status {
            ConnectionStatus::Revoked { .. } => Ok(None),
            _ => Ok(Some(ConnectionStatus::Revoked { reason: reason.to_owned() })),
        })
        .await
    }

    async fn change(
        &self,
        id: &ConnectionId,
        action: AuditAction,
        next: impl Fn(&ConnectionStatus) -> Result<Option<ConnectionStatus>>,
    ) -> Result<Connection> {
        loop {
            let mut connection = self.connection(id).await?;
            let Some(status) = next(&connection.status)? else { return Ok(connection) };
            let from = std::mem::replace(&mut connection.status, status);
            connection.updated_at = self.inner.clock.now();
            match self.inner.connections.put(&connection).await {
                Ok(version) => {
                    connection.version = version;
                    self.inner.tokens.forget(id);
                    self.inner
                        .observer
                        .notice(&Notice::StatusChanged { connection: &connection, from: &from });
                    let entry = self.entry(action).about(&connection);
                    let lost = action == AuditAction::GrantLost;
                    self.audit(if lost { entry.critical() } else { entry }).await;
                    return Ok(connection);
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes a connection down: revokes the grant at the provider and deletes the tokens here. The records
    /// stay.
    ///
    /// The tokens are deleted even when the provider cannot be reached, the tokens do not open, or the
    /// service is not registered any more. Some providers have one grant for all their services: then the
    /// others end with it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], and those of the store.
    ///
    /// # Cancel safety
    /// Call it again after a drop: each step may be repeated.
    pub async fn disconnect(&self, id: &ConnectionId) -> Result<()> {
        self.disconnect_with(id, Data::Keep).await
    }

    /// As [`disconnect`](Self::disconnect), with a say in what becomes of the data.
    ///
    /// # Errors
    /// As [`disconnect`](Self::disconnect), and those of the sink.
    ///
    /// # Cancel safety
    /// As [`disconnect`](Self::disconnect).
    pub async fn disconnect_with(&self, id: &ConnectionId, data: Data) -> Result<()> {
        let connection = self.connection(id).await?;
        let revoked = self.revoke(&connection).await;
        if let Err(error) = &revoked {
            tracing::warn!(connection = %id, %error, "the grant could not be revoked at the provider");
        }
        // Data first: while the connection is there, a failure here can be repeated.
        let erased = match data {
            Data::Keep => None,
            Data::Erase => Some(self.inner.sink.forget(id).await?),
        };
        self.inner.connections.delete(id).await?;
        self.inner.tokens.discard(id);
        self.inner.observer.notice(&Notice::Disconnected { connection: id });
        let entry = self.entry(AuditAction::Disconnected).about(&connection);
        let entry = match &revoked {
            Ok(()) => entry,
            Err(error) => entry.failed(error).detail("deleted here, not revoked at the provider"),
        };
        self.audit(entry).await;
        if let Some(records) = erased {
            let entry = self.entry(AuditAction::Erased).about(&connection);
            self.audit(entry.detail(format!("{records} records"))).await;
        }
        Ok(())
    }

    async fn revoke(&self, connection: &Connection) -> Result<()> {
        // A key belongs to whoever typed it in.
        if matches!(connection.grant, GrantType::Key { .. }) {
            return Ok(());
        }
        let adapter = self.inner.adapters.get(&connection.service)?;
        let tokens = self.inner.vault.open_tokens(connection)?;
        let session = Session::without_token(
            Arc::clone(adapter),
            Arc::clone(&self.inner.pipeline),
            connection.id.clone(),
        );
        adapter.authenticator().revoke_access(&session, &tokens).await
    }

    /// Deletes all records and positions of a connection, and returns how many records there were. Works
    /// after the connection was taken down, too; a gateway of one tenant needs the connection to be there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a connection of another tenant, and those of the sink.
    pub async fn erase(&self, id: &ConnectionId) -> Result<u64> {
        if self.tenant.is_some() {
            self.connection(id).await?;
        }
        let records = self.inner.sink.forget(id).await?;
        let mut entry = self.entry(AuditAction::Erased).detail(format!("{records} records"));
        entry.connection = Some(id.clone());
        self.audit(entry).await;
        Ok(records)
    }

    /// Deletes the records and the position of one stream, e.g. of one that has
    /// [vanished](crate::sync::SyncReport::vanished), and returns how many records there were. If the provider
    /// still lists it, the next sync reads it from the start.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a connection that is not there, and those of the sink.
    pub async fn forget_stream(&self, id: &ConnectionId, stream: &StreamId) -> Result<u64> {
        let connection = self.connection(id).await?;
        let records = self.inner.sink.forget_stream(&StreamKey::new(&connection, stream)).await?;
        let entry = self.entry(AuditAction::Erased).about(&connection);
        self.audit(entry.detail(format!("stream {stream}: {records} records"))).await;
        Ok(records)
    }
}

/// The same for one that is not there and for one that the caller may not know of.
fn no_connection(id: &ConnectionId) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no connection {id}"))
}

fn waits_for_user() -> Error {
    Error::new(ErrorKind::Conflict, "the connection waits for its user; have the account connected again")
        .with_code("reauthorization_required")
}
