//! Who did what to whose connection, when, from where, and how did it end?
//!
//! What a security team asks for years later. An entry holds no secret and nothing that a provider has
//! said but its code.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::connection::{Connection, ConnectionId, Owner, ServiceId};
use crate::error::{Error, Result};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditAction {
    /// A user was sent to a provider.
    ConnectStarted,
    /// An account was connected, or connected again.
    Connected,
    /// A user came back and was not let in: a wrong, old or foreign state, a denial, a failed exchange.
    CallbackRefused,
    /// What the user has granted is not what it was.
    ScopesChanged,
    /// Tokens were refreshed, or could not be.
    TokensRefreshed,
    /// The grant was found to be gone.
    GrantLost,
    /// A connection was paused by the host.
    Paused,
    /// A paused connection was taken up again.
    Resumed,
    /// A connection was taken down.
    Disconnected,
    /// The data of a connection were deleted.
    Erased,
    /// Tokens were sealed anew with another key.
    KeysRotated,
}

impl AuditAction {
    /// The stable name, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectStarted => "connect_started",
            Self::Connected => "connected",
            Self::CallbackRefused => "callback_refused",
            Self::ScopesChanged => "scopes_changed",
            Self::TokensRefreshed => "tokens_refreshed",
            Self::GrantLost => "grant_lost",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Disconnected => "disconnected",
            Self::Erased => "erased",
            Self::KeysRotated => "keys_rotated",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditOutcome {
    /// As it should.
    Ok,
    /// With an error.
    Failed {
        /// Its kind, in snake case.
        kind: String,
        /// Its code, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub action: AuditAction,
    /// Whose connection, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// At which service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// Which connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// From where, as the host has said (an address, a session, a job); `None` for the family's own work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Arc<str>>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: AuditOutcome,
    /// Whether somebody should look at it: a state that is not the user's, a grant that is gone, an account
    /// that is not the one expected, tokens that do not open.
    pub critical: bool,
    /// What else there is to say, for people: names of scopes, numbers. Never a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl AuditEntry {
    /// An entry about nobody yet, with a good end.
    pub fn new(action: AuditAction, at: DateTime<Utc>) -> Self {
        Self {
            at,
            action,
            owner: None,
            service: None,
            connection: None,
            origin: None,
            outcome: AuditOutcome::Ok,
            critical: false,
            detail: None,
        }
    }

    /// Says whose.
    pub fn by(mut self, owner: &Owner) -> Self {
        self.owner = Some(owner.clone());
        self
    }

    /// Says at which service.
    pub fn at_service(mut self, service: &ServiceId) -> Self {
        self.service = Some(service.clone());
        self
    }

    /// Says which connection, and with it whose and at which service.
    pub fn about(mut self, connection: &Connection) -> Self {
        self.connection = Some(connection.id.clone());
        self.by(&connection.owner).at_service(&connection.service)
    }

    /// Says from where.
    pub fn from(mut self, origin: Option<Arc<str>>) -> Self {
        self.origin = origin;
        self
    }

    /// Says what else there is to say.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says that it failed.
    pub fn failed(mut self, error: &Error) -> Self {
        self.outcome = AuditOutcome::Failed {
            kind: error.kind().as_str().to_owned(),
            code: error.provider_code().map(str::to_owned),
        };
        self
    }

    /// Flags it.
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }
}

/// The host's audit log.
///
/// An entry that cannot be kept is logged with `tracing` (target `integrations::audit`, level `ERROR`) and
/// stops nothing: what it tells of has happened already.
#[async_trait]
pub trait AuditLog: fmt::Debug + Send + Sync + 'static {
    /// Keeps an entry. Once this returns `Ok`, the entry survives a crash.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn append(&self, entry: &AuditEntry) -> Result<()>;
}

/// Writes audit entries with `tracing` alone: target `integrations::audit`, level `INFO`, `WARN` for what is
/// critical. The default.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracedAudit;

#[async_trait]
impl AuditLog for TracedAudit {
    async fn append(&self, entry: &AuditEntry) -> Result<()> {
        trace(entry);
        Ok(())
    }
}

fn trace(entry: &AuditEntry) {
    let AuditEntry { action, connection, service, origin, outcome, detail, .. } = entry;
    let (action, owner) = (action.as_str(), entry.owner.as_ref());
    let (tenant, user) = (owner.map(|owner| owner.tenant.as_str()), owner.map(|owner| owner.user.as_str()));
    let (connection, service) = (connection.as_ref().map(AsRef::as_ref), service.as_ref().map(AsRef::as_ref));
    let (connection, service): (Option<&str>, Option<&str>) = (connection, service);
    let (origin, detail) = (origin.as_deref(), detail.as_deref());
    if entry.critical {
        tracing::warn!(target: "integrations::audit", action, tenant, user, connection, service, origin, ?outcome, detail);
    } else {
        tracing::info!(target: "integrations::audit", action, tenant, user, connection, service, origin, ?outcome, detail);
    }
}

/// Hands an entry to the log; where that fails, writes it to the trace.
pub(crate) async fn record(log: &dyn AuditLog, entry: AuditEntry) {
    if let Err(error) = log.append(&entry).await {
        tracing::error!(target: "integrations::audit", %error, "an audit entry could not be kept");
        trace(&entry);
    }
}

/// What was granted and is not any more, and the other way round; `None` when nothing has changed.
pub(crate) fn scopes_changed(before: &[String], now: &[String]) -> Option<String> {
    let missing = |from: &[String], other: &[String], sign: char| {
        let missing = from.iter().filter(|scope| !other.contains(scope));
        missing.map(|scope| format!("{sign}{scope}")).collect::<Vec<_>>()
    };
    let mut changes = missing(now, before, '+');
    changes.extend(missing(before, now, '-'));
    (!changes.is_empty()).then(|| changes.join(" "))
}
