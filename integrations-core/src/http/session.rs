//! How does an adapter call its provider on behalf of one connection?

use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;

use super::classify::Failure;
use super::transport::{Request, Response, Transport};
use crate::adapter::ServiceAdapter;
use crate::auth::{AccessToken, LiveToken, TokenManager};
use crate::connection::ConnectionId;
use crate::error::{Error, ErrorKind, Result};

/// One connection's way to its provider.
///
/// A call goes out only to the adapter's [allowed origins](ServiceAdapter::allowed_origins), with a
/// token that is fresh. When the provider refuses the token all the same, it is refreshed once and the
/// call is made once more. An answer that is no success is an error of the adapter's making.
///
/// # Cancel safety
/// Dropping a call leaves the connection as it was: a refresh that has begun goes on by itself.
#[derive(Debug, Clone)]
pub struct Session {
    adapter: Arc<dyn ServiceAdapter>,
    http: Arc<dyn Transport>,
    credentials: Credentials,
}

#[derive(Debug, Clone)]
enum Credentials {
    Managed { tokens: Arc<TokenManager>, connection: ConnectionId },
    Fixed(AccessToken),
}

impl Session {
    /// A session of a stored connection; its tokens are kept fresh.
    pub fn new(
        adapter: Arc<dyn ServiceAdapter>,
        http: Arc<dyn Transport>,
        tokens: Arc<TokenManager>,
        connection: ConnectionId,
    ) -> Self {
        Self { adapter, http, credentials: Credentials::Managed { tokens, connection } }
    }

    /// A session with a token that cannot be refreshed, e.g. before a connection is stored.
    pub fn with_token(
        adapter: Arc<dyn ServiceAdapter>,
        http: Arc<dyn Transport>,
        token: AccessToken,
    ) -> Self {
        Self { adapter, http, credentials: Credentials::Fixed(token) }
    }

    /// Makes a call and returns the answer if it is a success (2xx) or `304 Not Modified`.
    ///
    /// # Errors
    /// Those of the [`Transport`], those of the token's refresh, `foreign_host` for an address that is
    /// not the provider's, and what the adapter makes of an answer that is no success.
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
        match &self.credentials {
            Credentials::Fixed(token) => self.attempt(request, token).await,
            Credentials::Managed { tokens, connection } => {
                let token = tokens.fresh(connection).await?;
                match self.attempt(request.clone(), token.access()).await {
                    Err(error) if error.kind() == ErrorKind::TokenExpired => {
                        let token = self.renewed(tokens, connection, &token).await?;
                        self.attempt(request, token.access()).await.map_err(refused_again)
                    }
                    outcome => outcome,
                }
            }
        }
    }

    async fn renewed(
        &self,
        tokens: &Arc<TokenManager>,
        connection: &ConnectionId,
        refused: &LiveToken,
    ) -> Result<Arc<LiveToken>> {
        tracing::debug!(%connection, "the access token was refused before its time; refreshing it");
        tokens.replace(connection, refused).await
    }

    async fn attempt(&self, mut request: Request, token: &AccessToken) -> Result<Response> {
        request.headers.insert(AUTHORIZATION, token.bearer());
        let operation = request.operation;
        let answer = self.http.send(request).await?;
        if answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        Err(self.adapter.classify(&Failure {
            operation,
            status: answer.status,
            headers: &answer.headers,
            body: &answer.body,
        }))
    }
}

/// A token that was refused right after its refresh will not be accepted by refreshing more.
fn refused_again(error: Error) -> Error {
    if error.kind() != ErrorKind::TokenExpired {
        return error;
    }
    let mut again = Error::new(
        ErrorKind::ReauthorizationRequired,
        "the provider refuses even a fresh token; the user has to connect the account again",
    );
    if let Some(status) = error.status() {
        again = again.with_status(status);
    }
    again
}
