//! How does one speak OAuth 2.0 with a provider's endpoints?

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenResponse, TokenUrl,
};
use serde::Deserialize;
use url::Url;

use super::flow::{AuthorizationRequest, CodeGrant};
use super::secret::{AccessToken, RefreshToken, Secret, TokenSet};
use crate::error::{Error, ErrorKind, Result};
use crate::http::classify::{Rule, classify, uniform};
use crate::http::{Failure, Request, Transport};
use crate::json;

/// A token endpoint's answer is small; more than 1 MiB is none.
const MAX_BODY: usize = 1 << 20;

/// What the standard error codes of a token endpoint mean (RFC 6749, 5.2).
pub const OAUTH_RULES: &[Rule] = &[
    Rule::new(
        0,
        "invalid_grant",
        ErrorKind::ReauthorizationRequired,
        "the grant is revoked, expired or used; the user has to connect the account again",
    ),
    Rule::new(
        0,
        "invalid_client",
        ErrorKind::InvalidCredentials,
        "the provider does not accept the application's client id and secret",
    ),
    Rule::new(
        0,
        "unauthorized_client",
        ErrorKind::InvalidCredentials,
        "the application may not use this kind of grant",
    ),
    Rule::new(0, "unsupported_grant_type", ErrorKind::UnsupportedOperation, ""),
    Rule::new(
        0,
        "invalid_scope",
        ErrorKind::InsufficientPermissions,
        "a scope is not known or exceeds the grant",
    ),
    Rule::new(0, "access_denied", ErrorKind::ReauthorizationRequired, "the user did not grant access"),
    Rule::new(0, "invalid_request", ErrorKind::InvalidRequest, ""),
    Rule::new(0, "temporarily_unavailable", ErrorKind::ServiceUnavailable, ""),
    Rule::new(0, "server_error", ErrorKind::ServiceUnavailable, ""),
];

/// Tells what went wrong from a token endpoint's answer that is no success.
pub type Classify = fn(&Failure<'_>) -> Error;

/// Tells what went wrong from the standard codes ([`OAUTH_RULES`]).
pub fn oauth_error(failure: &Failure<'_>) -> Error {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    let body = serde_json::from_slice::<Body>(failure.body).ok();
    let code = body.as_ref().map(|body| body.error.as_str());
    let class = match (code, failure.status) {
        (Some(code), status) => classify(OAUTH_RULES, failure.operation, status, &[code]),
        // Without a code, no status of a token endpoint means that an access token has expired.
        (None, StatusCode::UNAUTHORIZED) => {
            classify(OAUTH_RULES, failure.operation, failure.status, &["invalid_client"])
        }
        (None, status) => uniform(status),
    };
    failure.error(class, code)
}

/// A provider's OAuth endpoints.
#[derive(Debug, Clone)]
pub struct OAuthEndpoints {
    /// Where the user is sent.
    pub authorize: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token: Url,
}

/// An application's client at a provider, with the secret in the request body (`client_secret_post`).
#[derive(Debug, Clone)]
pub struct OAuthClient {
    endpoints: OAuthEndpoints,
    client_id: String,
    client_secret: Option<Secret>,
    classify: Classify,
    extra: Vec<(&'static str, &'static str)>,
}

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl OAuthClient {
    /// A client of an application.
    pub fn new(
        endpoints: OAuthEndpoints,
        client_id: impl Into<String>,
        client_secret: Option<Secret>,
    ) -> Self {
        Self {
            endpoints,
            client_id: client_id.into(),
            client_secret,
            classify: oauth_error,
            extra: Vec::new(),
        }
    }

    /// Tells what went wrong from the provider's own codes; by default from the standard ones.
    pub fn with_classifier(mut self, classify: Classify) -> Self {
        self.classify = classify;
        self
    }

    /// Parameters that the provider wants in the authorisation address.
    pub fn with_authorization_parameters(
        mut self,
        parameters: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Self {
        self.extra.extend(parameters);
        self
    }

    /// The address of the provider's page, with PKCE S256 and the state.
    pub fn authorization_url(&self, request: &AuthorizationRequest) -> Url {
        let verifier = PkceCodeVerifier::new(request.verifier.expose().to_owned());
        let state = request.state.expose().to_owned();
        let client = self.client().set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let mut url = client
            .authorize_url(|| CsrfToken::new(state))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(request.scopes.iter().cloned().map(Scope::new));
        for (name, value) in &self.extra {
            url = url.add_extra_param(*name, *value);
        }
        if let Some(hint) = &request.login_hint {
            url = url.add_extra_param("login_hint", hint);
        }
        url.url().0
    }

    /// Exchanges a code. Never repeated: after a failure the code may be burned.
    ///
    /// # Errors
    /// Those of the transport, and what the provider's table makes of the answer.
    pub async fn exchange_code(&self, http: &dyn Transport, grant: &CodeGrant) -> Result<TokenSet> {
        let exchange = Exchange { client: self, http, operation: "token.code" };
        let client = self.client().set_redirect_uri(RedirectUrl::from_url(grant.redirect_uri.clone()));
        let answer = client
            .exchange_code(AuthorizationCode::new(grant.code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(grant.verifier.expose().to_owned()))
            .request_async(&exchange)
            .await;
        exchange.token_set(answer)
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// Those of the transport, and what the provider's table makes of the answer.
    pub async fn exchange_refresh_token(
        &self,
        http: &dyn Transport,
        refresh: &RefreshToken,
    ) -> Result<TokenSet> {
        let exchange = Exchange { client: self, http, operation: "token.refresh" };
        let answer = self
            .client()
            .exchange_refresh_token(&oauth2::RefreshToken::new(refresh.expose().to_owned()))
            .request_async(&exchange)
            .await;
        exchange.token_set(answer)
    }

    fn client(&self) -> Client {
        let mut client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(self.endpoints.authorize.clone()))
            .set_token_uri(TokenUrl::from_url(self.endpoints.token.clone()));
        if let Some(secret) = &self.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        client
    }
}

/// One exchange at a token endpoint, over the family's transport.
struct Exchange<'a> {
    client: &'a OAuthClient,
    http: &'a dyn Transport,
    operation: &'static str,
}

type ExchangeError = RequestTokenError<Error, BasicErrorResponse>;

impl Exchange<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|_| Error::new(ErrorKind::Configuration, "the token endpoint is not an address"))?;
        let mut call = Request::new(self.operation, Method::POST, url);
        call.headers = parts.headers;
        call.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        call.body = body.into();
        call.max_body = MAX_BODY;
        let answer = self.http.send(call).await?;
        if !answer.status.is_success() {
            return Err((self.client.classify)(&Failure::of(self.operation, &answer)));
        }
        let mut response = HttpResponse::new(answer.body.to_vec());
        // The oauth2 crate takes any success but 200 for a failure.
        *response.status_mut() = StatusCode::OK;
        if let Some(media_type) = answer.headers.get(CONTENT_TYPE) {
            response.headers_mut().insert(CONTENT_TYPE, media_type.clone());
        }
        Ok(response)
    }

    fn token_set(&self, answer: Result<BasicTokenResponse, ExchangeError>) -> Result<TokenSet> {
        let answer = answer.map_err(|error| match error {
            RequestTokenError::Request(error) => error,
            RequestTokenError::Parse(_, body) => self.unreadable(&body),
            RequestTokenError::ServerResponse(_) | RequestTokenError::Other(_) => self.unreadable(b""),
        })?;
        let scopes = answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
        Ok(TokenSet::new(AccessToken::new(answer.access_token().secret())?)
            .with_refresh(answer.refresh_token().map(|token| RefreshToken::new(token.secret())))
            .with_expires_in(answer.expires_in().filter(|life| *life > Duration::ZERO))
            .with_scopes(scopes))
    }

    fn unreadable(&self, body: &[u8]) -> Error {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "the shape is what matters")]
        struct Shape {
            access_token: String,
            token_type: String,
        }
        json::unreadable::<Shape>(body, self.operation)
    }
}

impl<'c> AsyncHttpClient<'c> for Exchange<'_> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
