//! How does a connection always have a fresh token, and never burn its refresh token?
//!
//! A refresh token that rotates may be exchanged once: a second exchange loses the connection. So one
//! exchange is made per version of the tokens, whatever the number of tasks and processes:
//!
//! 1. in the process, the callers of a connection wait for one of them (its *slot*);
//! 2. over processes, a guard in the [`TokenStore`] lets one through;
//! 3. behind the guard the stored tokens are read again: somebody may have been faster;
//! 4. the exchange runs detached, so that a caller who gives up does not lose the answer;
//! 5. the new tokens are stored with compare-and-swap before anybody uses them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::secret::{AccessToken, TokenSet, Tokens};
use super::store::{RefreshGuard, TokenStore};
use super::vault::{SealedTokens, Vault};
use crate::adapter::AdapterRegistry;
use crate::clock::Clock;
use crate::connection::{Connection, ConnectionId, ConnectionStatus};
use crate::error::{Disposition, Error, ErrorKind, Result};
use crate::http::Transport;
use crate::observe::{Notice, Observer};

/// A token is refreshed when less than this is left of its life, or a tenth of it if that is shorter.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// How long a process may hold the right to refresh.
const GUARD_TTL: Duration = Duration::from_secs(60);
/// How often the store is asked while another process refreshes.
const GUARD_POLL: Duration = Duration::from_millis(100);
/// How long to wait for another process before giving up.
const GUARD_PATIENCE: Duration = Duration::from_secs(90);
/// After a failed refresh the old token is used for so long before the next try, while it lives.
const HOLD_OFF: TimeDelta = TimeDelta::seconds(30);
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

    fn open(vault: &Vault, connection: &Connection) -> Result<Self> {
        let Tokens { access, .. } = vault.open_tokens(connection)?;
        let SealedTokens { issued_at, expires_at, .. } = connection.tokens;
        let refresh_at = expires_at.map(|end| end - MARGIN.min((end - issued_at) / 10));
        Ok(Self { access, expires_at, refresh_at })
    }

    fn is(&self, other: Option<&AccessToken>) -> bool {
        other.is_some_and(|other| other.expose() == self.access.expose())
    }

    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.refresh_at.is_none_or(|at| now < at)
    }

    fn lives(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

/// One connection in this process.
#[derive(Debug, Default)]
struct Slot {
    /// Held by the one caller who refreshes.
    gate: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<SlotState>,
}

#[derive(Debug, Default)]
struct SlotState {
    live: Option<Arc<LiveToken>>,
    /// No refresh is tried before this time.
    hold_off: Option<DateTime<Utc>>,
    /// Tokens that were exchanged and could not be stored yet.
    unsaved: Option<Unsaved>,
}

/// Fresh tokens and those that they replace.
#[derive(Debug, Clone)]
struct Unsaved {
    set: TokenSet,
    received_at: DateTime<Utc>,
    replaces: Tokens,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a [`TokenManager`] is put together from.
#[derive(Debug, Clone)]
pub struct TokenParts {
    /// Where connections rest.
    pub store: Arc<dyn TokenStore>,
    /// What opens and seals their tokens.
    pub vault: Vault,
    /// The adapters, which know how to refresh.
    pub adapters: Arc<AdapterRegistry>,
    /// The way to the providers.
    pub http: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who hears of refreshes.
    pub observer: Arc<dyn Observer>,
}

/// Hands out fresh access tokens.
pub struct TokenManager {
    parts: TokenParts,
    slots: RwLock<HashMap<ConnectionId, Arc<Slot>>>,
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager").field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl TokenManager {
    /// A manager of a store's connections.
    pub fn new(parts: TokenParts) -> Self {
        Self { parts, slots: RwLock::default() }
    }

    /// The connection's access token, refreshed if less than 5 minutes, or a tenth of its life, are left.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown connection, [`ErrorKind::ReauthorizationRequired`] when
    /// the grant is gone, those of the [`Vault`], and those of the refresh when the old token has
    /// expired.
    ///
    /// # Cancel safety
    /// A refresh that has begun goes on when the future is dropped.
    pub async fn fresh(self: &Arc<Self>, id: &ConnectionId) -> Result<Arc<LiveToken>> {
        let slot = self.slot(id);
        if let Some(live) = self.usable(&slot) {
            return Ok(live);
        }
        self.renew(id, slot, None).await
    }

    /// A token in place of one that the provider has refused before its time.
    ///
    /// # Errors
    /// As [`fresh`](Self::fresh).
    pub async fn replace(self: &Arc<Self>, id: &ConnectionId, refused: &LiveToken) -> Result<Arc<LiveToken>> {
        let slot = self.slot(id);
        self.renew(id, slot, Some(refused.access.clone())).await
    }

    /// Forgets what is opened in memory, e.g. after the connection was written by somebody else.
    pub fn forget(&self, id: &ConnectionId) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn slot(&self, id: &ConnectionId) -> Arc<Slot> {
        if let Some(slot) = self.slots.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Arc::clone(slot);
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= SLOTS && !slots.contains_key(id) {
            // A slot that nobody holds and that has nothing to save can be made anew at any time.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.state().unsaved.is_some());
        }
        Arc::clone(slots.entry(id.clone()).or_default())
    }

    /// The token in memory, if it is fresh, or may be used a little longer after a failed refresh.
    fn usable(&self, slot: &Slot) -> Option<Arc<LiveToken>> {
        let now = self.parts.clock.now();
        let state = slot.state();
        let live = state.live.as_ref()?;
        let held_off = state.hold_off.is_some_and(|until| now < until) && live.lives(now);
        (state.unsaved.is_none() && (live.is_fresh(now) || held_off)).then(|| Arc::clone(live))
    }

    async fn renew(
        self: &Arc<Self>,
        id: &ConnectionId,
        slot: Arc<Slot>,
        refused: Option<AccessToken>,
    ) -> Result<Arc<LiveToken>> {
        let gate = Arc::clone(&slot.gate).lock_owned().await;
        if let Some(live) = self.usable(&slot).filter(|live| !live.is(refused.as_ref())) {
            return Ok(live);
        }
        let manager = Arc::clone(self);
        let id = id.clone();
        // Detached: once the provider has answered, the answer is stored whoever still waits for it.
        let task = tokio::spawn(async move {
            let outcome = manager.renew_behind_gate(&id, &slot, refused.as_ref()).await;
            drop(gate);
            outcome
        });
        task.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Cancelled, "the refresh of the token was stopped").with_source(error))
        })
    }

    async fn renew_behind_gate(
        &self,
        id: &ConnectionId,
        slot: &Slot,
        refused: Option<&AccessToken>,
    ) -> Result<Arc<LiveToken>> {
        let deadline = self.parts.clock.monotonic() + GUARD_PATIENCE;
        loop {
            if let Some(live) = self.adopt(id, slot, refused).await? {
                return Ok(live);
            }
            if let Some(guard) = self.parts.store.acquire_refresh_guard(id, GUARD_TTL).await? {
                let outcome = self.renew_behind_guard(id, slot, refused).await;
                self.release(guard).await;
                return outcome;
            }
            if self.parts.clock.monotonic() >= deadline {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "another process holds the right to refresh this connection's tokens and does not finish",
                ));
            }
            self.parts.clock.sleep(GUARD_POLL).await;
        }
    }

    async fn release(&self, guard: RefreshGuard) {
        if let Err(error) = self.parts.store.release_refresh_guard(guard).await {
            // It runs out by itself.
            tracing::warn!(%error, "the right to refresh could not be given back");
        }
    }

    /// Takes over the stored token, if it is fresh and not the one that was refused.
    async fn adopt(
        &self,
        id: &ConnectionId,
        slot: &Slot,
        refused: Option<&AccessToken>,
    ) -> Result<Option<Arc<LiveToken>>> {
        if slot.state().unsaved.is_some() {
            return Ok(None);
        }
        let connection = self.read(id).await?;
        let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
        let fresh = live.is_fresh(self.parts.clock.now()) && !live.is(refused);
        let mut state = slot.state();
        state.live = Some(Arc::clone(&live));
        Ok(fresh.then_some(live))
    }

    async fn read(&self, id: &ConnectionId) -> Result<Connection> {
        let connection = self
            .parts
            .store
            .get(id)
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no connection {id}")))?;
        match &connection.status {
            ConnectionStatus::Active => Ok(connection),
            ConnectionStatus::ReauthorizationRequired { reason } => Err(Error::new(
                ErrorKind::ReauthorizationRequired,
                format!("the user has to connect the account again: {reason}"),
            )
            .with_service(&connection.service)),
        }
    }

    async fn renew_behind_guard(
        &self,
        id: &ConnectionId,
        slot: &Slot,
        refused: Option<&AccessToken>,
    ) -> Result<Arc<LiveToken>> {
        let unsaved = slot.state().unsaved.clone();
        if let Some(unsaved) = unsaved {
            return self.save(id, slot, unsaved).await;
        }
        if let Some(live) = self.adopt(id, slot, refused).await? {
            return Ok(live);
        }
        let connection = self.read(id).await?;
        let tokens = self.parts.vault.open_tokens(&connection)?;
        match self.exchange(&connection, &tokens).await {
            Ok(set) => {
                let received_at = self.parts.clock.now();
                let unsaved = Unsaved { set, received_at, replaces: tokens };
                slot.state().unsaved = Some(unsaved.clone());
                self.save(id, slot, unsaved).await
            }
            Err(error) if error.kind() == ErrorKind::ReauthorizationRequired => {
                self.grant_is_gone(id, slot, &tokens, error).await
            }
            Err(error) => self.use_old_token_for_now(slot, refused, error),
        }
    }

    async fn exchange(&self, connection: &Connection, tokens: &Tokens) -> Result<TokenSet> {
        let adapter = self.parts.adapters.get(&connection.service)?;
        let refresh = tokens.refresh.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ReauthorizationRequired,
                "the access token has expired and the provider gave no refresh token",
            )
        })?;
        tracing::debug!(connection = %connection.id, service = %connection.service, "refreshing the access token");
        adapter
            .refresh_token(&*self.parts.http, refresh)
            .await
            .map_err(|error| error.with_service(&connection.service))
    }

    /// Stores fresh tokens. What is stored by then wins if somebody else has put in other tokens.
    async fn save(&self, id: &ConnectionId, slot: &Slot, unsaved: Unsaved) -> Result<Arc<LiveToken>> {
        loop {
            let mut connection = match self.read(id).await {
                Ok(connection) => connection,
                Err(error) if error.kind() == ErrorKind::Store => return Err(self.not_stored(id, error)),
                Err(error) => {
                    // The connection is gone, or waits for its user: nobody needs these tokens.
                    slot.state().unsaved = None;
                    return Err(error);
                }
            };
            if !same(&self.parts.vault.open_tokens(&connection)?, &unsaved.replaces) {
                slot.state().unsaved = None;
                let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
                slot.state().live = Some(Arc::clone(&live));
                return Ok(live);
            }
            connection.tokens = self.sealed(&connection, &unsaved)?;
            if let Some(scopes) = &unsaved.set.scopes {
                connection.scopes.clone_from(scopes);
            }
            connection.updated_at = unsaved.received_at;
            match self.parts.store.put(&connection).await {
                Ok(version) => {
                    connection.version = version;
                    let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
                    let mut state = slot.state();
                    *state = SlotState { live: Some(Arc::clone(&live)), ..SlotState::default() };
                    drop(state);
                    self.parts.observer.notice(&Notice::TokensRefreshed { connection: id });
                    return Ok(live);
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(self.not_stored(id, error)),
            }
        }
    }

    fn not_stored(&self, id: &ConnectionId, error: Error) -> Error {
        tracing::error!(connection = %id, %error, "refreshed tokens could not be stored; trying again at the next use");
        self.parts.observer.notice(&Notice::TokensNotStored { connection: id });
        error
    }

    fn sealed(&self, connection: &Connection, unsaved: &Unsaved) -> Result<SealedTokens> {
        let tokens = Tokens { access: unsaved.set.access.clone(), refresh: unsaved.set.refresh.clone() };
        let (access, refresh) =
            self.parts.vault.seal_tokens(&connection.owner, &connection.service, &connection.id, &tokens)?;
        Ok(SealedTokens {
            access,
            refresh: refresh.or_else(|| connection.tokens.refresh.clone()),
            issued_at: unsaved.received_at,
            expires_at: unsaved.set.expires_in.and_then(|life| after(unsaved.received_at, life)),
        })
    }

    /// The provider knows the refresh token no more. That may be because somebody else has exchanged it.
    async fn grant_is_gone(
        &self,
        id: &ConnectionId,
        slot: &Slot,
        tried: &Tokens,
        error: Error,
    ) -> Result<Arc<LiveToken>> {
        loop {
            let mut connection = self.read(id).await?;
            if !same(&self.parts.vault.open_tokens(&connection)?, tried) {
                let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
                slot.state().live = Some(Arc::clone(&live));
                return Ok(live);
            }
            let reason = error.message().to_owned();
            connection.status = ConnectionStatus::ReauthorizationRequired { reason: reason.clone() };
            connection.updated_at = self.parts.clock.now();
            match self.parts.store.put(&connection).await {
                Ok(_) => {
                    *slot.state() = SlotState::default();
                    self.parts
                        .observer
                        .notice(&Notice::ReauthorizationRequired { connection: id, reason: &reason });
                    return Err(error);
                }
                Err(conflict) if conflict.kind() == ErrorKind::Conflict => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// A refresh that failed for a passing reason does no harm while the old token lives.
    fn use_old_token_for_now(
        &self,
        slot: &Slot,
        refused: Option<&AccessToken>,
        error: Error,
    ) -> Result<Arc<LiveToken>> {
        let now = self.parts.clock.now();
        let mut state = slot.state();
        match &state.live {
            Some(live)
                if live.lives(now)
                    && !live.is(refused)
                    && matches!(error.disposition(), Disposition::Retry { .. }) =>
            {
                tracing::warn!(%error, "the refresh failed; using the old token while it lives");
                let live = Arc::clone(live);
                state.hold_off =
                    after(now, error.retry_after().unwrap_or_default()).max(Some(now + HOLD_OFF));
                Ok(live)
            }
            _ => Err(error),
        }
    }
}

/// Whether they are the same tokens, however they are sealed.
fn same(left: &Tokens, right: &Tokens) -> bool {
    let refresh = |tokens: &Tokens| tokens.refresh.as_ref().map(|token| token.expose().to_owned());
    left.access.expose() == right.access.expose() && refresh(left) == refresh(right)
}

/// A time after another; `None` when it lies beyond what can be counted.
pub(super) fn after(time: DateTime<Utc>, by: Duration) -> Option<DateTime<Utc>> {
    time.checked_add_signed(TimeDelta::from_std(by).ok()?)
}
