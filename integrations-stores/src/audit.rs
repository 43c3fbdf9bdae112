//! Which entries of the audit log does a host ask for?

use chrono::{DateTime, Utc};
use integrations_core::connection::{ConnectionId, Owner};
use integrations_core::observe::AuditAction;

/// Which entries to read; the default lets all through, and each call narrows it. They come in the order in
/// which they were written.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    pub(crate) owner: Option<Owner>,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) action: Option<AuditAction>,
    pub(crate) critical: bool,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) after: Option<i64>,
    pub(crate) limit: Option<u32>,
}

impl AuditQuery {
    /// All entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those about a user's connections.
    pub fn owner(mut self, owner: impl Into<Owner>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Those about a connection.
    pub fn connection(mut self, connection: impl Into<ConnectionId>) -> Self {
        self.connection = Some(connection.into());
        self
    }

    /// Those of an action.
    pub fn action(mut self, action: AuditAction) -> Self {
        self.action = Some(action);
        self
    }

    /// Those that somebody should look at.
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Those of this instant or later.
    pub fn since(mut self, since: DateTime<Utc>) -> Self {
        self.since = Some(since);
        self
    }

    /// A page: those behind an entry, by its number, at most so many.
    pub fn page(mut self, after: Option<i64>, limit: u32) -> Self {
        self.after = after;
        self.limit = Some(limit);
        self
    }
}
