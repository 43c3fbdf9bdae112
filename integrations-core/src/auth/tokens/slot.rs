//! What does a process know of a connection's tokens?

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};

use super::line::Ticket;
use crate::auth::secret::{AccessToken, TokenSet, Tokens};
use crate::auth::vault::{SealedTokens, Vault};
use crate::connection::{Connection, ConnectionId};
use crate::error::Result;

/// A token is refreshed when less than this is left of its life, or a tenth of it if that is shorter.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// While somebody else refreshes, the old token is used if it lives for this much longer.
const SAFE: TimeDelta = TimeDelta::seconds(30);
/// How many connections' tokens stay opened in memory.
const SLOTS: usize = 100_000;

/// An opened access token, with what is needed to tell when it ends.
#[derive(Debug)]
pub struct LiveToken {
    access: AccessToken,
    expires_at: Option<DateTime<Utc>>,
    refresh_at: Option<DateTime<Utc>>,
}

impl LiveToken {
    /// The token.
    pub fn access(&self) -> &AccessToken {
        &self.access
    }

    /// When it expires; `None` for one that does not.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    pub(super) fn open(vault: &Vault, connection: &Connection) -> Result<Self> {
        let Tokens { access, .. } = vault.open_tokens(connection)?;
        let SealedTokens { issued_at, expires_at, .. } = connection.tokens;
        let refresh_at = expires_at.map(|end| {
            let margin = MARGIN.min((end - issued_at) / 10);
            end - margin - spread(&connection.id, margin)
        });
        Ok(Self { access, expires_at, refresh_at })
    }

    pub(super) fn is(&self, other: Option<&AccessToken>) -> bool {
        other.is_some_and(|other| other.expose() == self.access.expose())
    }

    pub(super) fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.refresh_at.is_none_or(|at| now < at)
    }

    pub(super) fn lives(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// Whether it can be used while it is being replaced.
    pub(super) fn lives_on(&self, now: DateTime<Utc>) -> bool {
        self.lives_on_until().is_none_or(|at| now < at)
    }

    pub(super) fn lives_on_until(&self) -> Option<DateTime<Utc>> {
        self.expires_at.map(|at| at - SAFE)
    }
}

/// Up to a fifth of the margin earlier, so that connections that were made together are not refreshed
/// together. The same in every process: none is earlier than the others.
fn spread(id: &ConnectionId, margin: TimeDelta) -> TimeDelta {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let share = i32::try_from(hasher.finish() % 1_000).unwrap_or(0);
    margin / 5_000 * share
}

/// One connection in this process.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Held by the one caller who refreshes.
    pub gate: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<SlotState>,
}

#[derive(Debug, Default)]
pub(super) struct SlotState {
    pub live: Option<Arc<LiveToken>>,
    /// No refresh is tried before this time.
    pub hold_off: Option<DateTime<Utc>>,
    /// Tokens that were exchanged and could not be stored yet.
    pub unsaved: Option<Unsaved>,
    /// Whether the host was told that the key will expire.
    pub reminded: bool,
    /// Where the refresh stands in line.
    pub ticket: Option<Ticket>,
    /// Whether somebody waits for the refresh who has no token to go on with.
    pub urgent: bool,
}

/// Fresh tokens and those that they replace.
#[derive(Debug, Clone)]
pub(super) struct Unsaved {
    pub set: TokenSet,
    pub received_at: DateTime<Utc>,
    pub replaces: Tokens,
}

impl Slot {
    pub(super) fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token in memory, if it is fresh, or may be used a little longer after a failed refresh.
    pub(super) fn usable(&self, now: DateTime<Utc>) -> Option<Arc<LiveToken>> {
        let state = self.state();
        let live = state.live.as_ref()?;
        let held_off = state.hold_off.is_some_and(|until| now < until) && live.lives(now);
        (state.unsaved.is_none() && (live.is_fresh(now) || held_off)).then(|| Arc::clone(live))
    }

    /// Somebody waits for the refresh who has no token to go on with.
    pub(super) fn hurry(&self, now: DateTime<Utc>) {
        let ticket = {
            let mut state = self.state();
            state.urgent = true;
            state.ticket.take()
        };
        if let Some(ticket) = ticket {
            ticket.hurry(now);
        }
    }

    /// The refresh stands in line.
    pub(super) fn lined_up(&self, ticket: Ticket, now: DateTime<Utc>) {
        let urgent = {
            let mut state = self.state();
            state.ticket = Some(ticket);
            state.urgent
        };
        if urgent {
            self.hurry(now);
        }
    }

    /// The refresh is over.
    pub(super) fn refreshed(&self) {
        let mut state = self.state();
        (state.ticket, state.urgent) = (None, false);
    }

    /// The token in memory, if it can be used while somebody else refreshes it.
    pub(super) fn old(&self, now: DateTime<Utc>, refused: Option<&AccessToken>) -> Option<Arc<LiveToken>> {
        self.state().live.clone().filter(|live| live.lives_on(now) && !live.is(refused))
    }
}

/// The slots of a process.
#[derive(Debug, Default)]
pub(super) struct Slots(RwLock<HashMap<ConnectionId, Arc<Slot>>>);

impl Slots {
    pub(super) fn of(&self, id: &ConnectionId) -> Arc<Slot> {
        if let Some(slot) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Arc::clone(slot);
        }
        let mut slots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= SLOTS && !slots.contains_key(id) {
            // A slot that nobody holds and that has nothing to save can be made anew at any time.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.state().unsaved.is_some());
        }
        Arc::clone(slots.entry(id.clone()).or_default())
    }

    /// Drops what is known of a connection, but for tokens that have yet to be stored: nobody else has them.
    pub(super) fn forget(&self, id: &ConnectionId) {
        let mut slots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let unsaved = slots.remove(id).and_then(|slot| slot.state().unsaved.clone());
        if unsaved.is_some() {
            let slot = Slot::default();
            slot.state().unsaved = unsaved;
            slots.insert(id.clone(), Arc::new(slot));
        }
    }

    pub(super) fn discard(&self, id: &ConnectionId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}
