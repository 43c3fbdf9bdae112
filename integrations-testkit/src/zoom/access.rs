//! What may the caller see?
//!
//! A token opens what its scopes name. One of a user's opens what is the user's own, unless it has the scope
//! for the whole account (`:admin`); one of the app's own opens the account.

use super::Zoom;
use super::errors::{missing_scope, no_user, not_me};
use super::operation::Row;
use super::state::State;
use crate::oauth::Kind;
use crate::random::mix;
use crate::server::{Call, Reply};

/// Who calls.
pub(super) struct Caller {
    /// The user, by place; `None` for the app on its own account.
    user: Option<usize>,
    scopes: Vec<String>,
}

impl Caller {
    /// Who holds a call's token.
    pub(super) fn of(zoom: &Zoom, call: &Call) -> Result<Self, Reply> {
        let holder = zoom.authority.holder(call)?;
        let user = if holder.kind == Kind::App { None } else { holder.account };
        Ok(Self { user, scopes: holder.scopes })
    }

    /// A number for the caller, so that nobody goes on with another's listing.
    pub(super) fn key(&self) -> u64 {
        mix(self.user.map_or(0, |user| user as u64 + 1))
    }

    fn has(&self, wanted: &str) -> bool {
        self.scopes.iter().any(|granted| granted == wanted)
    }

    /// Refuses a token that has none of an operation's scopes.
    pub(super) fn may_call(&self, row: &Row) -> Result<(), Reply> {
        if row.scopes.iter().any(|scope| self.has(scope)) {
            return Ok(());
        }
        // Zoom names those of one style.
        Err(missing_scope(&row.scopes[..row.scopes.len().min(2)]))
    }

    /// Whether the token opens an operation for the whole account.
    fn opens_all(&self, row: &Row) -> bool {
        self.user.is_none() || row.scopes.iter().any(|scope| scope.ends_with(":admin") && self.has(scope))
    }

    /// The user that a path names, by place.
    pub(super) fn user(&self, state: &State, row: &Row, named: &str) -> Result<usize, Reply> {
        let found = match (named, self.user) {
            ("me", Some(user)) => Some(user),
            ("me", None) => None,
            _ if self.opens_all(row) => state.user_named(named),
            _ => return Err(not_me()),
        };
        found.filter(|&user| !state.users[user].removed).ok_or_else(|| no_user(named))
    }

    /// Whether the caller may see what a user hosts.
    pub(super) fn sees(&self, row: &Row, host: usize) -> bool {
        self.opens_all(row) || self.user == Some(host)
    }
}
