//! How does an adapter call its provider on behalf of one connection?

use std::sync::Arc;

use http::HeaderValue;

use super::pipeline::{Caller, Pipeline};
use super::transport::{Request, Response};
use crate::adapter::ServiceAdapter;
use crate::auth::{AccessToken, LiveToken, TokenManager};
use crate::connection::ConnectionId;
use crate::error::Result;

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
}

/// Where a call's token comes from.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    Managed { tokens: Arc<TokenManager>, connection: ConnectionId },
    Fixed(AccessToken),
}

/// A token, and where it comes from.
pub(super) enum Token {
    Managed(Arc<LiveToken>),
    Fixed(HeaderValue),
}

impl Token {
    pub(super) fn bearer(&self) -> HeaderValue {
        match self {
            Self::Managed(token) => token.access().bearer(),
            Self::Fixed(bearer) => bearer.clone(),
        }
    }
}

impl Credentials {
    /// Whether a token that was refused can be replaced.
    pub(super) fn can_renew(&self) -> bool {
        matches!(self, Self::Managed { .. })
    }

    /// A fresh token, and another one than that which was refused.
    pub(super) async fn token(&self, refused: Option<&Token>) -> Result<Token> {
        match (self, refused) {
            (Self::Managed { tokens, connection }, Some(Token::Managed(refused))) => {
                tracing::debug!(%connection, "the access token was refused before its time; refreshing it");
                tokens.replace(connection, refused).await.map(Token::Managed)
            }
            (Self::Managed { tokens, connection }, _) => tokens.fresh(connection).await.map(Token::Managed),
            (Self::Fixed(token), _) => Ok(Token::Fixed(token.bearer())),
        }
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
        Self { adapter, pipeline, connection, credentials }
    }

    /// A session with a token that cannot be refreshed, e.g. before a connection is stored. The id stands
    /// for the connection in quotas and kept answers.
    pub fn with_token(
        adapter: Arc<dyn ServiceAdapter>,
        pipeline: Arc<Pipeline>,
        connection: ConnectionId,
        token: AccessToken,
    ) -> Self {
        Self { adapter, pipeline, connection, credentials: Credentials::Fixed(token) }
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

    async fn call(&self, request: Request) -> Result<Response> {
        self.adapter.allowed_origins().check(&request.url, request.operation)?;
        let caller =
            Caller { adapter: &*self.adapter, connection: &self.connection, credentials: &self.credentials };
        self.pipeline.call(&caller, request).await
    }
}
