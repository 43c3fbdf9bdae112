//! What does the one who refreshes do?

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::slot::{LiveToken, Slot, SlotState, Unsaved};
use super::{Stored, TokenManager, after};
use crate::adapter::ServiceAdapter;
use crate::auth::secret::{AccessToken, TokenSet, Tokens};
use crate::auth::vault::SealedTokens;
use crate::connection::{Connection, ConnectionId, ConnectionStatus, GrantType};
use crate::error::{Disposition, Error, ErrorKind, Result};
use crate::http::Session;
use crate::observe::{AuditAction, AuditEntry, Notice, audit};

/// How often the mark of an exchange is made anew because the storage was slow.
const MARKS: usize = 3;

/// What is exchanged, and what is known of an earlier try.
struct Attempt {
    connection: Connection,
    tokens: Tokens,
    /// When an exchange was begun whose outcome nobody knows.
    lost: Option<DateTime<Utc>>,
}

impl TokenManager {
    /// Does what is due by the store; `None` while somebody else exchanges the tokens.
    pub(super) async fn renew_behind_guard(
        self: &Arc<Self>,
        id: &ConnectionId,
        slot: &Slot,
        refused: Option<&AccessToken>,
    ) -> Result<Option<Arc<LiveToken>>> {
        loop {
            // Who held the guard before may have been faster, or may be in the middle without it.
            let connection = match self.look(id, slot, refused).await? {
                Stored::Fresh(live) => return Ok(Some(live)),
                Stored::UnderWay => return Ok(None),
                Stored::Unsaved(unsaved) => return self.save(id, slot, *unsaved).await.map(Some),
                Stored::Due(connection) => *connection,
            };
            match self.begin(connection).await {
                Ok(Some(attempt)) => return self.carry_out(id, slot, refused, attempt).await.map(Some),
                Ok(None) => {}
                Err(error) => return self.use_old_token_for_now(slot, refused, error).map(Some),
            }
        }
    }

    async fn carry_out(
        &self,
        id: &ConnectionId,
        slot: &Slot,
        refused: Option<&AccessToken>,
        attempt: Attempt,
    ) -> Result<Arc<LiveToken>> {
        match self.exchange(&attempt).await {
            Ok(set) => {
                let received_at = self.parts.clock.now();
                let unsaved = Unsaved { set, received_at, replaces: attempt.tokens };
                slot.state().unsaved = Some(unsaved.clone());
                self.save(id, slot, unsaved).await
            }
            Err(error) if error.kind() == ErrorKind::ReauthorizationRequired => {
                self.grant_is_gone(slot, &attempt, error).await
            }
            Err(error) => {
                self.end(&attempt).await;
                self.audit(&attempt.connection, Some(&error)).await;
                self.use_old_token_for_now(slot, refused, error)
            }
        }
    }

    /// Stores that an exchange begins; `None` when something was written since the connection was read: that
    /// may be the mark of another, who holds the guard as well because one of the two has run out.
    async fn begin(&self, mut connection: Connection) -> Result<Option<Attempt>> {
        let tokens = self.parts.vault.open_tokens(&connection)?;
        self.pauses.check(&connection.service, self.parts.clock.monotonic())?;
        // What can be made at any time needs no mark.
        if !matches!(connection.grant, GrantType::User) || tokens.refresh.is_none() {
            return Ok(Some(Attempt { connection, tokens, lost: None }));
        }
        let lost = connection.refreshing_since;
        for _ in 0..MARKS {
            let begun = self.parts.clock.monotonic();
            connection.refreshing_since = Some(self.parts.clock.now());
            match self.parts.store.put(&connection).await {
                Ok(version) => connection.version = version,
                Err(error) if error.kind() == ErrorKind::Conflict => return Ok(None),
                Err(error) => return Err(error),
            }
            // A mark that was long on its way would look old while the exchange is under way.
            let took = self.parts.clock.monotonic().saturating_sub(begun);
            if took <= self.parts.settings.exchange_limit / 4 {
                return Ok(Some(Attempt { connection, tokens, lost }));
            }
        }
        Err(Error::new(ErrorKind::Store, "the storage is too slow to say in time that a refresh begins"))
    }

    /// Stores that the exchange is over without new tokens, so that nobody waits for it.
    async fn end(&self, attempt: &Attempt) {
        if attempt.connection.refreshing_since.is_none() {
            return;
        }
        loop {
            let Ok(Some(mut connection)) = self.parts.store.get(&attempt.connection.id).await else { return };
            if connection.refreshing_since != attempt.connection.refreshing_since {
                return;
            }
            connection.refreshing_since = None;
            match self.parts.store.put(&connection).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                // It looks old by itself after a while.
                _ => return,
            }
        }
    }

    async fn exchange(&self, attempt: &Attempt) -> Result<TokenSet> {
        let Attempt { connection, tokens, .. } = attempt;
        let Connection { id, service, .. } = connection;
        let adapter = self.parts.adapters.get(service)?;
        let session =
            Session::without_token(Arc::clone(adapter), Arc::clone(&self.parts.pipeline), id.clone());
        tracing::debug!(connection = %id, %service, "refreshing the access token");
        let outcome = ask(&**adapter, &session, &connection.grant, tokens).await;
        let now = self.parts.clock.monotonic();
        match &outcome {
            Err(error)
                if error.kind() == ErrorKind::InvalidCredentials
                    && self.pauses.pause(service, error, now) =>
            {
                self.parts.observer.notice(&Notice::ServicePaused { service, error });
            }
            Ok(_) if self.pauses.resume(service) => {
                self.parts.observer.notice(&Notice::ServiceResumed { service });
            }
            _ => {}
        }
        outcome.map_err(|error| error.with_service(service))
    }

    /// Stores fresh tokens. What is stored by then wins if somebody else has put in other tokens.
    async fn save(&self, id: &ConnectionId, slot: &Slot, unsaved: Unsaved) -> Result<Arc<LiveToken>> {
        loop {
            let stored = self.parts.store.get(id).await.map_err(|error| self.not_stored(id, error))?;
            // A connection that is gone, or waits for its user, needs no tokens; one that was paused does.
            let Some(mut connection) = stored.filter(|stored| !stored.status.needs_user()) else {
                slot.state().unsaved = None;
                return self
                    .read(id)
                    .await
                    .and_then(|connection| LiveToken::open(&self.parts.vault, &connection).map(Arc::new));
            };
            let stored =
                self.parts.vault.open_tokens(&connection).map_err(|error| self.not_stored(id, error))?;
            if !same(&stored, &unsaved.replaces) {
                slot.state().unsaved = None;
                connection.status.check()?;
                let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
                slot.state().live = Some(Arc::clone(&live));
                return Ok(live);
            }
            connection.tokens = self.sealed(&connection, &unsaved)?;
            connection.refreshing_since = None;
            let scopes = std::mem::take(&mut connection.scopes);
            connection.scopes = unsaved.set.scopes.clone().unwrap_or_else(|| scopes.clone());
            connection.updated_at = unsaved.received_at;
            match self.parts.store.put(&connection).await {
                Ok(version) => {
                    connection.version = version;
                    let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
                    *slot.state() = SlotState { live: Some(Arc::clone(&live)), ..SlotState::default() };
                    self.parts.observer.notice(&Notice::TokensRefreshed { connection: id });
                    self.audit(&connection, None).await;
                    self.audit_scopes(&connection, &scopes).await;
                    connection.status.check()?;
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

    /// Notes that the provider has said, to a call with this token, that the grant is gone. Nothing happens
    /// when the connection has other tokens by now.
    pub(crate) async fn lost(&self, id: &ConnectionId, used: &LiveToken, error: &Error) {
        let slot = self.slots.of(id);
        let is_used = |tokens: &Tokens| used.is(Some(&tokens.access));
        if let Err(failure) = self.mark(id, &slot, is_used, error).await {
            tracing::warn!(connection = %id, error = %failure, "it could not be stored that the grant is gone");
        }
    }

    /// The provider knows the refresh token no more. That may be because somebody else has exchanged it.
    async fn grant_is_gone(&self, slot: &Slot, attempt: &Attempt, error: Error) -> Result<Arc<LiveToken>> {
        let error = match attempt.lost {
            Some(since) => lost_exchange(&error, since),
            None => error,
        };
        let is_tried = |tokens: &Tokens| same(tokens, &attempt.tokens);
        match self.mark(&attempt.connection.id, slot, is_tried, &error).await? {
            Some(live) => Ok(live),
            None => Err(error),
        }
    }

    /// Marks the connection as waiting for its user, if it still has the tokens in question; else gives
    /// those that it has.
    async fn mark(
        &self,
        id: &ConnectionId,
        slot: &Slot,
        in_question: impl Fn(&Tokens) -> bool,
        error: &Error,
    ) -> Result<Option<Arc<LiveToken>>> {
        loop {
            let mut connection = self.read(id).await?;
            if !in_question(&self.parts.vault.open_tokens(&connection)?) {
                let live = Arc::new(LiveToken::open(&self.parts.vault, &connection)?);
                slot.state().live = Some(Arc::clone(&live));
                return Ok(Some(live));
            }
            let reason = error.message().to_owned();
            let challenge = error.challenge().map(str::to_owned);
            let status = ConnectionStatus::ReauthorizationRequired { reason, challenge };
            let from = std::mem::replace(&mut connection.status, status);
            connection.refreshing_since = None;
            connection.updated_at = self.parts.clock.now();
            match self.parts.store.put(&connection).await {
                Ok(version) => {
                    connection.version = version;
                    *slot.state() = SlotState::default();
                    let changed = Notice::StatusChanged { connection: &connection, from: &from };
                    self.parts.observer.notice(&changed);
                    let entry = AuditEntry::new(AuditAction::GrantLost, connection.updated_at);
                    let entry = entry.about(&connection).failed(error).critical();
                    audit::record(&*self.parts.audit, entry).await;
                    return Ok(None);
                }
                Err(conflict) if conflict.kind() == ErrorKind::Conflict => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// A refresh that failed for a passing reason, or for one that is not the user's, does no harm while
    /// the old token lives.
    fn use_old_token_for_now(
        &self,
        slot: &Slot,
        refused: Option<&AccessToken>,
        error: Error,
    ) -> Result<Arc<LiveToken>> {
        let now = self.parts.clock.now();
        let passes = matches!(error.disposition(), Disposition::Retry { .. })
            || error.kind() == ErrorKind::InvalidCredentials;
        let mut state = slot.state();
        match &state.live {
            Some(live) if passes && live.lives(now) && !live.is(refused) => {
                tracing::warn!(%error, "the refresh failed; using the old token while it lives");
                let live = Arc::clone(live);
                let told = after(now, error.retry_after().unwrap_or_default());
                state.hold_off = told.max(after(now, self.parts.settings.hold_off));
                Ok(live)
            }
            _ => Err(error),
        }
    }

    async fn audit(&self, connection: &Connection, error: Option<&Error>) {
        let entry = AuditEntry::new(AuditAction::TokensRefreshed, self.parts.clock.now()).about(connection);
        let entry = match error {
            Some(error) => entry.failed(error),
            None => entry,
        };
        audit::record(&*self.parts.audit, entry).await;
    }

    async fn audit_scopes(&self, connection: &Connection, before: &[String]) {
        if let Some(detail) = audit::scopes_changed(before, &connection.scopes) {
            let entry = AuditEntry::new(AuditAction::ScopesChanged, self.parts.clock.now());
            audit::record(&*self.parts.audit, entry.about(connection).detail(detail)).await;
        }
    }
}

/// Asks the provider for a new token, by what the old one stands for.
async fn ask(
    adapter: &dyn ServiceAdapter,
    session: &Session,
    grant: &GrantType,
    tokens: &Tokens,
) -> Result<TokenSet> {
    let gone = |message| Err(Error::new(ErrorKind::ReauthorizationRequired, message));
    match (grant, &tokens.refresh) {
        (GrantType::User, Some(refresh)) => adapter.authenticator().refresh_token(session, refresh).await,
        (GrantType::User, None) => {
            gone("the access token has expired and the provider gave no refresh token")
        }
        (GrantType::Application { subject }, _) => adapter.authenticator().mint_token(session, subject).await,
        (GrantType::Key { .. }, _) => gone("the key is not valid any more; connect again with a new one"),
    }
}

fn lost_exchange(error: &Error, since: DateTime<Utc>) -> Error {
    let mut lost = Error::new(
        ErrorKind::ReauthorizationRequired,
        format!(
            "the provider does not accept the refresh token; an exchange of it was begun at {} by a process \
             that ended before the new tokens were stored, and they are lost with it; the user has to connect \
             the account again",
            since.format("%Y-%m-%dT%H:%M:%SZ")
        ),
    );
    if let Some(code) = error.provider_code() {
        lost = lost.with_code(code.to_owned());
    }
    lost
}

/// Whether they are the same tokens, however they are sealed.
fn same(left: &Tokens, right: &Tokens) -> bool {
    let refresh = |tokens: &Tokens| tokens.refresh.as_ref().map(|token| token.expose().to_owned());
    left.access.expose() == right.access.expose() && refresh(left) == refresh(right)
}
