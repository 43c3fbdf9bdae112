//! How does a connection always have a fresh token, and never burn its refresh token?
//!
//! A refresh token that rotates may be exchanged once: a second exchange loses the connection. So one
//! exchange is made per version of the tokens, whatever the number of tasks and processes:
//!
//! 1. in the process, the callers of a connection wait for one of them (its *slot*);
//! 2. over processes, a guard in the [`TokenStore`] lets one through;
//! 3. behind the guard the stored tokens are read again: somebody may have been faster;
//! 4. that an exchange begins is stored before it is made, if nothing was stored since step 3: so nobody makes
//!    it a second time when the guard runs out, or is lost with the server that kept it;
//! 5. the exchange runs detached, so that a caller who gives up does not lose the answer;
//! 6. the new tokens are stored with compare-and-swap before anybody uses them.
//!
//! Where many refreshes of a service are due at once, few are under way, and the others stand in line
//! before step 2. Nobody waits behind them whose old token can still be used.
//!
//! What remains is a process that ends between the provider's answer and the write. Who comes next finds
//! the mark of step 4, waits until the exchange cannot be under way any more, and tries the old token: with
//! a provider that keeps it valid the connection survives, with any other the reason says what happened.

mod exchange;
mod line;
mod pause;
mod slot;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use self::line::{Arrival, Lines, Place};
use self::pause::Pauses;
pub use self::slot::LiveToken;
use self::slot::{Slot, Slots, Unsaved};
use super::secret::AccessToken;
use super::store::{RefreshGuard, TokenStore};
use super::vault::Vault;
use crate::adapter::AdapterRegistry;
use crate::clock::Clock;
use crate::connection::{Connection, ConnectionId, GrantType, ServiceId};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Pipeline, token_lane};
use crate::observe::{AuditLog, Notice, Observer};

/// How often the store is asked while somebody else refreshes.
const POLL: Duration = Duration::from_millis(100);
/// How long the one who begins a refresh waits for it while the old token can be used. Not waiting at all
/// would leave a process that ends after its call in the middle of an exchange.
const PROMPT: Duration = Duration::from_secs(2);
/// A key that expires within this time is due for replacement.
const REMINDER: TimeDelta = TimeDelta::days(14);

/// How refreshes are coordinated. The defaults fit every provider.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TokenSettings {
    /// How long a process may hold the right to refresh: 60 s.
    pub guard_ttl: Duration,
    /// After this time an exchange that was begun is not under way any more: 60 s. Three quarters of it must
    /// be longer than an exchange takes at the most, which is 40 s.
    pub exchange_limit: Duration,
    /// How long to wait for another process before giving up: 90 s.
    pub patience: Duration,
    /// After a failed refresh the old token is used for so long before the next try, while it lives: 30 s.
    pub hold_off: Duration,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            guard_ttl: Duration::from_secs(60),
            exchange_limit: Duration::from_secs(60),
            patience: Duration::from_secs(90),
            hold_off: Duration::from_secs(30),
        }
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
    pub pipeline: Arc<Pipeline>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who hears of refreshes.
    pub observer: Arc<dyn Observer>,
    /// Where refreshes are written down.
    pub audit: Arc<dyn AuditLog>,
    /// How refreshes are coordinated.
    pub settings: TokenSettings,
}

/// Hands out fresh access tokens.
pub struct TokenManager {
    parts: TokenParts,
    slots: Slots,
    lines: Lines,
    pauses: Pauses,
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager").field("parts", &self.parts).finish_non_exhaustive()
    }
}

/// What the store says of a connection's token.
enum Stored {
    /// It is fresh.
    Fresh(Arc<LiveToken>),
    /// Somebody exchanges it now.
    UnderWay,
    /// Fresh ones wait in memory to be stored.
    Unsaved(Box<Unsaved>),
    /// It is to be exchanged, if the connection is still stored like this.
    Due(Box<Connection>),
}

/// The one who began a refresh, until they have an answer.
struct Asker(Option<oneshot::Sender<Result<Arc<LiveToken>>>>);

impl Asker {
    fn answer(&mut self, answer: Result<Arc<LiveToken>>) {
        let unheard = match self.0.take() {
            Some(asker) => asker.send(answer).err(),
            None => Some(answer),
        };
        if let Some(Err(error)) = unheard {
            tracing::warn!(%error, "a refresh that nobody waits for any more has failed");
        }
    }
}

impl TokenManager {
    /// A manager of a store's connections.
    pub fn new(parts: TokenParts) -> Self {
        Self { parts, slots: Slots::default(), lines: Lines::default(), pauses: Pauses::default() }
    }

    /// The connection's access token, refreshed if less than 5 minutes, or a tenth of its life, are left.
    ///
    /// The one caller who refreshes waits for the fresh token: for two seconds at the most while the old one
    /// is safe to use, and not at all where refreshes stand in line. Others get the old one meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown connection, [`ErrorKind::ReauthorizationRequired`] when
    /// the grant is gone, [`ErrorKind::InvalidRequest`] with code `paused`, those of the [`Vault`], and those
    /// of the refresh when the old token has expired.
    ///
    /// # Cancel safety
    /// A refresh that has begun goes on when the future is dropped.
    pub async fn fresh(self: &Arc<Self>, id: &ConnectionId) -> Result<Arc<LiveToken>> {
        let slot = self.slots.of(id);
        if let Some(live) = slot.usable(self.parts.clock.now()) {
            return Ok(live);
        }
        self.renew(id, slot, None).await
    }

    /// A token in place of one that the provider has refused before its time.
    ///
    /// # Errors
    /// As [`fresh`](Self::fresh).
    ///
    /// # Cancel safety
    /// As [`fresh`](Self::fresh).
    pub async fn replace(self: &Arc<Self>, id: &ConnectionId, refused: &LiveToken) -> Result<Arc<LiveToken>> {
        self.renew(id, self.slots.of(id), Some(refused.access().clone())).await
    }

    /// Forgets what is opened in memory, e.g. after the connection was written by somebody else. Fresh tokens
    /// that could not be stored yet stay, and are stored at the next use.
    pub fn forget(&self, id: &ConnectionId) {
        self.slots.forget(id);
    }

    /// As [`forget`](Self::forget), for a connection that has other tokens now, or none.
    pub(crate) fn discard(&self, id: &ConnectionId) {
        self.slots.discard(id);
    }

    async fn renew(
        self: &Arc<Self>,
        id: &ConnectionId,
        slot: Arc<Slot>,
        refused: Option<AccessToken>,
    ) -> Result<Arc<LiveToken>> {
        let now = self.parts.clock.now();
        let gate = if let Ok(gate) = Arc::clone(&slot.gate).try_lock_owned() {
            gate
        } else if let Some(old) = slot.old(now, refused.as_ref()) {
            return Ok(old);
        } else {
            slot.hurry(now);
            Arc::clone(&slot.gate).lock_owned().await
        };
        if let Some(live) = slot.usable(self.parts.clock.now()).filter(|live| !live.is(refused.as_ref())) {
            return Ok(live);
        }
        let (asker, answer) = oneshot::channel();
        // Detached: once the provider has answered, the answer is stored whoever still waits for it.
        tokio::spawn({
            let (manager, id) = (Arc::clone(self), id.clone());
            let (slot, refused) = (Arc::clone(&slot), refused.clone());
            async move {
                let mut asker = Asker(Some(asker));
                let outcome = manager.renew_behind_gate(&id, &slot, refused.as_ref(), &mut asker).await;
                slot.refreshed();
                drop(gate);
                asker.answer(outcome);
            }
        });
        let answer = match select(answer, pin!(self.parts.clock.sleep(PROMPT))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), answer)) => match slot.old(self.parts.clock.now(), refused.as_ref()) {
                Some(old) => return Ok(old),
                None => answer.await,
            },
        };
        answer.unwrap_or_else(|_| Err(stopped()))
    }

    async fn renew_behind_gate(
        self: &Arc<Self>,
        id: &ConnectionId,
        slot: &Slot,
        refused: Option<&AccessToken>,
        asker: &mut Asker,
    ) -> Result<Arc<LiveToken>> {
        let settings = self.parts.settings;
        let mut deadline = None;
        loop {
            let due = match self.look(id, slot, refused).await? {
                Stored::Fresh(live) => return Ok(live),
                Stored::Due(connection) => Some(connection.service),
                Stored::UnderWay | Stored::Unsaved(_) => None,
            };
            let place = match due {
                Some(service) => Some(self.place(&service, slot, refused, asker).await?),
                None => None,
            };
            if let Some(guard) = self.parts.store.acquire_refresh_guard(id, settings.guard_ttl).await? {
                // Boxed, so that those in the line are small.
                let outcome = Box::pin(self.renew_behind_guard(id, slot, refused)).await;
                self.release(guard).await;
                if let Some(live) = outcome? {
                    return Ok(live);
                }
            }
            // Who waits for another process keeps no place from others.
            drop(place);
            let now = self.parts.clock.now();
            if let Some(old) = slot.old(now, refused) {
                slot.state().hold_off = Some(now + TimeDelta::seconds(1));
                return Ok(old);
            }
            let time = self.parts.clock.monotonic();
            if time >= *deadline.get_or_insert(time.saturating_add(settings.patience)) {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "another process holds the right to refresh this connection's tokens and does not finish",
                ));
            }
            self.parts.clock.sleep(POLL).await;
        }
    }

    /// A place among the refreshes of a service that are under way. Where it takes standing in line, the one
    /// who asked goes on with the old token, if it can be used.
    async fn place(
        &self,
        service: &ServiceId,
        slot: &Slot,
        refused: Option<&AccessToken>,
        asker: &mut Asker,
    ) -> Result<Place> {
        let now = self.parts.clock.now();
        let old = slot.old(now, refused);
        let until = old.as_ref().and_then(|old| old.lives_on_until()).unwrap_or(now);
        let places = self.parts.pipeline.places(&token_lane(service));
        match self.lines.arrive(service, places, until) {
            Arrival::Place(place) => Ok(place),
            Arrival::InLine(ticket, turn) => {
                slot.lined_up(ticket, now);
                if let Some(old) = old {
                    asker.answer(Ok(old));
                }
                turn.await.map_err(|_| stopped())
            }
        }
    }

    async fn release(&self, guard: RefreshGuard) {
        if let Err(error) = self.parts.store.release_refresh_guard(guard).await {
            // It runs out by itself.
            tracing::warn!(%error, "the right to refresh could not be given back");
        }
    }

    /// Takes over what is stored.
    async fn look(&self, id: &ConnectionId, slot: &Slot, refused: Option<&AccessToken>) -> Result<Stored> {
        if let Some(unsaved) = slot.state().unsaved.clone() {
            return Ok(Stored::Unsaved(Box::new(unsaved)));
        }
        let connection = self.read(id).await?;
        let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
        let now = self.parts.clock.now();
        let fresh = live.is_fresh(now) && !live.is(refused);
        slot.state().live = Some(Arc::clone(&live));
        self.remind(&connection, slot, now);
        if fresh {
            return Ok(Stored::Fresh(live));
        }
        Ok(if self.is_under_way(&connection, now) {
            Stored::UnderWay
        } else {
            Stored::Due(Box::new(connection))
        })
    }

    /// Whether an exchange that was begun may be under way. A clock that has jumped far makes it look old.
    fn is_under_way(&self, connection: &Connection, now: DateTime<Utc>) -> bool {
        let limit = TimeDelta::from_std(self.parts.settings.exchange_limit).unwrap_or(TimeDelta::MAX);
        connection.refreshing_since.is_some_and(|since| (now - since).abs() < limit)
    }

    /// Tells the host, once, that a key will expire: nobody but a person can replace it.
    fn remind(&self, connection: &Connection, slot: &Slot, now: DateTime<Utc>) {
        let (GrantType::Key { .. }, Some(expires_at)) = (&connection.grant, connection.tokens.expires_at)
        else {
            return;
        };
        if expires_at - REMINDER <= now && !std::mem::replace(&mut slot.state().reminded, true) {
            self.parts.observer.notice(&Notice::KeyExpires { connection, expires_at });
        }
    }

    async fn read(&self, id: &ConnectionId) -> Result<Connection> {
        let connection = self
            .parts
            .store
            .get(id)
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no connection {id}")))?;
        connection.status.check().map_err(|error| error.with_service(&connection.service))?;
        Ok(connection)
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "the refresh of the token was stopped")
}

/// A time after another; `None` when it lies beyond what can be counted.
pub(super) fn after(time: DateTime<Utc>, by: Duration) -> Option<DateTime<Utc>> {
    time.checked_add_signed(TimeDelta::from_std(by).ok()?)
}
