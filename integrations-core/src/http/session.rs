//! How does an adapter call its provider on behalf of one connection?

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue};

use super::pipeline::{Caller, Pipeline};
use super::transport::{Request, Response};
use crate::adapter::ServiceAdapter;
use crate::auth::{AccessToken, LiveToken, TokenManager};
use crate::connection::{ConnectionId, ServiceId};
use crate::error::{Error, ErrorKind, Result};

/// One connection's way to its provider.
///
/// A call goes out only to the adapter's [allowed origins](ServiceAdapter::allowed_origins), through the
/// [`Pipeline`], with a token that is fresh. When the provider refuses the token all the same, it is
/// refreshed once and the call is made once more. An answer that is no success is an error of the
/// adapter's making.
///
/// # Cancel safety
/// Dropping a call leaves the connection as it was: a refresh that has begun goes on by itself.
#[derive(Debug, Clone)]
pub struct Session {
    adapter: Arc<dyn ServiceAdapter>,
    pipeline: Arc<Pipeline>,
    connection: ConnectionId,
    credentials: Credentials,
    lane: ServiceId,
}

/// Where a call's token comes from.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    Managed { tokens: Arc<TokenManager>, connection: ConnectionId },
    Fixed(AccessToken),
    None,
}

/// A token, and where it comes from.
pub(super) enum Token {
    Managed(Arc<LiveToken>),
    Fixed(AccessToken),
}

impl Token {
    pub(super) fn header(&self) -> (HeaderName, HeaderValue) {
        self.access().header()
    }

    fn access(&self) -> &AccessToken {
        match self {
            Self::Managed(token) => token.access(),
            Self::Fixed(token) => token,
        }
    }
}

impl Credentials {
    /// Whether a token that was refused can be replaced.
    pub(super) fn can_renew(&self) -> bool {
        matches!(self, Self::Managed { .. })
    }

    /// Hears what came of a call with this token: a provider that names the grant's end, by a code of its
    /// own, is believed.
    pub(super) async fn hear(&self, used: Option<&Token>, error: &Error) {
        let gone = error.kind() == ErrorKind::ReauthorizationRequired && error.provider_code().is_some();
        if let (Self::Managed { tokens, connection }, Some(Token::Managed(used)), true) = (self, used, gone) {
            tokens.lost(connection, used, error).await;
        }
    }

    /// A fresh token, and another one than that which was refused.
    pub(super) async fn token(&self, refused: Option<&Token>) -> Result<Option<Token>> {
        let token = match (self, refused) {
            (Self::Managed { tokens, connection }, Some(Token::Managed(refused))) => {
                tracing::debug!(%connection, "the access token was refused before its time; refreshing it");
                Token::Managed(tokens.replace(connection, refused).await?)
            }
            (Self::Managed { tokens, connection }, _) => Token::Managed(tokens.fresh(connection).await?),
            (Self::Fixed(token), _) => Token::Fixed(token.clone()),
            (Self::None, _) => return Ok(None),
        };
        Ok(Some(token))
    }
}

impl Session {
    /// A session of a stored connection; its tokens are kept fresh.
    pub fn new(
        adapter: Arc<dyn ServiceAdapter>,
        pipeline: Arc<Pipeline>,
        tokens: Arc<TokenManager>,
        connection: ConnectionId,
    ) -> Self {
        let credentials = Credentials::Managed { tokens, connection: connection.clone() };
        let lane = adapter.info().id.clone();
        Self { adapter, pipeline, connection, credentials, lane }
    }

    /// A session with a token that cannot be refreshed, e.g. before a connection is stored. The id stands
    /// for the connection in quotas and kept answers.
    pub fn with_token(
        adapter: Arc<dyn ServiceAdapter>,
        pipeline: Arc<Pipeline>,
        connection: ConnectionId,
        token: AccessToken,
    ) -> Self {
        let lane = adapter.info().id.clone();
        Self { adapter, pipeline, connection, credentials: Credentials::Fixed(token), lane }
    }

    /// A session without a token, for the endpoints that give and take back tokens. It goes to whatever
    /// address it is told: adapters take those from their configuration alone.
    ///
    /// Its calls have places, quotas, circuits and a retry budget of their own, under the name
    /// [`token_lane`]: a refresh must not wait for the calls of its service, which may wait for it.
    pub fn without_token(
        adapter: Arc<dyn ServiceAdapter>,
        pipeline: Arc<Pipeline>,
        connection: ConnectionId,
    ) -> Self {
        let lane = token_lane(&adapter.info().id);
        Self { adapter, pipeline, connection, credentials: Credentials::None, lane }
    }

    /// Makes a call and returns the answer if it is a success (2xx) or `304 Not Modified`.
    ///
    /// # Errors
    /// Those of the [`Transport`](super::Transport), those of the token's refresh, `foreign_host` for an
    /// address that is not the provider's, `deadline`, `queue_full`, those of a quota and of an open
    /// circuit, and what the adapter makes of an answer that is no success.
    pub async fn send(&self, request: Request) -> Result<Response> {
        let service = &self.adapter.info().id;
        let operation = request.operation;
        self.call(request).await.map_err(|error| {
            let error = if error.service().is_none() { error.with_service(service) } else { error };
            if error.operation().is_none() { error.with_operation(operation) } else { error }
        })
    }

    /// Whether the token that calls go out with begins with this: some providers' tokens say so what they are.
    /// A session without a token has none that does.
    ///
    /// # Errors
    /// Those of the token's refresh.
    pub async fn token_begins_with(&self, prefix: &str) -> Result<bool> {
        let token = self.credentials.token(None).await?;
        Ok(token.is_some_and(|token| token.access().expose().starts_with(prefix)))
    }

    /// The time, for what a provider wants to have signed with it.
    pub fn now(&self) -> DateTime<Utc> {
        self.pipeline.now()
    }

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(self.credentials, Credentials::None) {
            self.adapter.allowed_origins().check(&request.url, request.operation)?;
        }
        let Self { adapter, lane, connection, credentials, .. } = self;
        let caller = Caller { adapter: &**adapter, lane, connection, credentials };
        self.pipeline.call(&caller, request).await
    }
}

/// The name under which the calls to a service's token endpoints are counted: `google_calendar.oauth`. A
/// host sets their limits under it.
pub fn token_lane(service: &ServiceId) -> ServiceId {
    ServiceId::new(format!("{service}.oauth"))
}
