//! How does one speak OAuth 2.0 with a provider's endpoints?
//!
//! The requests are made by the crate `oauth2`. Their answers are read here: each provider has a shape of
//! its own, and the tokens go straight from the answer into types that cannot be printed.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenUrl,
};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::flow::{AuthorizationRequest, CodeGrant};
use super::secret::{AccessToken, RefreshToken, Secret, TokenSet};
use crate::error::{Error, ErrorKind, Result};
use crate::http::classify::{Rule, classify, uniform};
use crate::http::{Failure, Judge, Priority, Request, Response, Session};
use crate::json;

/// A token endpoint's answer is small; more than 1 MiB is none.
const MAX_BODY: usize = 1 << 20;
/// How long an exchange may take with all its tries. The right to refresh is held for longer.
const DEADLINE: Duration = Duration::from_secs(40);

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

/// Tells whether a token endpoint's answer is a success, by its status and the standard codes.
///
/// # Errors
/// As [`oauth_error`].
pub fn oauth_judge(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status.is_success() { Ok(()) } else { Err(oauth_error(&Failure::of(operation, answer))) }
}

/// Reads the tokens out of a token endpoint's answer.
pub type ReadTokens = fn(&Value) -> Result<TokenSet>;

/// Reads tokens in the standard's shape (RFC 6749, 5.1), with spaces between the scopes.
///
/// # Errors
/// [`ErrorKind::DataFormat`] for an answer without an access token.
pub fn standard_tokens(answer: &Value) -> Result<TokenSet> {
    tokens_with_scopes(answer, ' ')
}

/// Reads tokens in the standard's shape, with this between the scopes.
///
/// # Errors
/// As [`standard_tokens`].
pub fn tokens_with_scopes(answer: &Value, separator: char) -> Result<TokenSet> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let access = text("access_token").ok_or_else(|| {
        Error::new(ErrorKind::DataFormat, "the token endpoint's answer holds no `access_token`")
    })?;
    // A number of seconds; some write it as text.
    let life =
        answer.get("expires_in").and_then(|life| life.as_u64().or_else(|| life.as_str()?.parse().ok()));
    let scopes = text("scope").map(|scopes| {
        let words = scopes.split([separator, ' ']).map(str::trim).filter(|scope| !scope.is_empty());
        words.map(str::to_owned).collect()
    });
    Ok(TokenSet::new(AccessToken::new(access)?)
        .with_refresh(text("refresh_token").map(RefreshToken::new))
        .with_expires_in(life.filter(|life| *life > 0).map(Duration::from_secs))
        .with_scopes(scopes))
}

/// A provider's OAuth endpoints.
#[derive(Debug, Clone)]
pub struct OAuthEndpoints {
    /// Where the user is sent.
    pub authorize: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token: Url,
}

/// How an application shows that it is itself (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// With id and secret in the form: `client_secret_post`.
    #[default]
    Form,
    /// With id and secret in a header: `client_secret_basic`.
    Basic,
}

/// An application's client at a provider. By default it speaks the standard's own dialect.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    endpoints: OAuthEndpoints,
    client_id: String,
    client_secret: Option<Secret>,
    authentication: ClientAuthentication,
    judge: Judge,
    read: ReadTokens,
    parameters: Vec<(&'static str, String)>,
    separator: &'static str,
    pkce: bool,
    repeatable: bool,
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
            authentication: ClientAuthentication::default(),
            judge: oauth_judge,
            read: standard_tokens,
            parameters: Vec::new(),
            separator: " ",
            pkce: true,
            repeatable: false,
        }
    }

    /// Shows in this way who the application is.
    pub fn with_authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Tells a success from a failure by the provider's own codes; by default by the standard ones.
    pub fn with_judge(mut self, judge: Judge) -> Self {
        self.judge = judge;
        self
    }

    /// Reads tokens in the provider's own shape; by default in the standard's.
    pub fn with_reader(mut self, read: ReadTokens) -> Self {
        self.read = read;
        self
    }

    /// Adds parameters that the provider wants in the authorisation address.
    pub fn with_authorization_parameters(
        mut self,
        parameters: impl IntoIterator<Item = (&'static str, impl Into<String>)>,
    ) -> Self {
        self.parameters.extend(parameters.into_iter().map(|(name, value)| (name, value.into())));
        self
    }

    /// Puts this between the scopes of the authorisation address; a space by default.
    pub fn with_scope_separator(mut self, separator: &'static str) -> Self {
        self.separator = separator;
        self
    }

    /// Leaves PKCE out, for the providers that do not take it.
    pub fn without_pkce(mut self) -> Self {
        self.pkce = false;
        self
    }

    /// Says that a refresh token may be exchanged again when the answer was lost: the old one stays valid
    /// until the new one is used.
    pub fn with_repeatable_refresh(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The address of the provider's page, with PKCE S256 and the state.
    pub fn authorization_url(&self, request: &AuthorizationRequest) -> Url {
        let state = request.state.expose().to_owned();
        let client = self.client().set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let mut url = client.authorize_url(|| CsrfToken::new(state));
        if !request.scopes.is_empty() {
            url = url.add_scope(Scope::new(request.scopes.join(self.separator)));
        }
        if self.pkce {
            let verifier = PkceCodeVerifier::new(request.verifier.expose().to_owned());
            url = url.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        }
        for (name, value) in self.parameters.iter().chain(&request.parameters) {
            url = url.add_extra_param(*name, value);
        }
        if let Some(hint) = &request.login_hint {
            url = url.add_extra_param("login_hint", hint);
        }
        url.url().0
    }

    /// Exchanges a code. Never repeated: after a failure the code may be burned.
    ///
    /// # Errors
    /// Those of the session, and what the provider's table makes of the answer.
    pub async fn exchange_code(&self, session: &Session, grant: &CodeGrant) -> Result<TokenSet> {
        let exchange = Exchange::new(self, session, "token.code", false);
        let client = self.client().set_redirect_uri(RedirectUrl::from_url(grant.redirect_uri.clone()));
        let mut request = client.exchange_code(AuthorizationCode::new(grant.code.expose().to_owned()));
        if self.pkce {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(grant.verifier.expose().to_owned()));
        }
        exchange.tokens(request.request_async(&exchange).await)
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// Those of the session, and what the provider's table makes of the answer.
    pub async fn exchange_refresh_token(
        &self,
        session: &Session,
        refresh: &RefreshToken,
    ) -> Result<TokenSet> {
        let exchange = Exchange::new(self, session, "token.refresh", self.repeatable);
        let client = self.client();
        let token = oauth2::RefreshToken::new(refresh.expose().to_owned());
        exchange.tokens(client.exchange_refresh_token(&token).request_async(&exchange).await)
    }

    /// Asks for tokens of the application itself, with a grant of the provider's own and its parameters,
    /// e.g. Zoom's `account_credentials`.
    ///
    /// # Errors
    /// Those of the session, and what the provider's table makes of the answer.
    pub async fn exchange_own(
        &self,
        session: &Session,
        grant_type: &'static str,
        parameters: &[(&'static str, &str)],
    ) -> Result<TokenSet> {
        let form = Some(self.own_form(grant_type, parameters));
        let exchange = Exchange { form, ..Exchange::new(self, session, "token.application", true) };
        let client = self.client();
        exchange.tokens(client.exchange_client_credentials().request_async(&exchange).await)
    }

    /// The crate writes a `grant_type` of its own; this form takes the place of its.
    fn own_form(&self, grant_type: &str, parameters: &[(&'static str, &str)]) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", grant_type).extend_pairs(parameters);
        if self.authentication == ClientAuthentication::Form {
            form.append_pair("client_id", &self.client_id);
            if let Some(secret) = &self.client_secret {
                form.append_pair("client_secret", secret.expose());
            }
        }
        form.finish()
    }

    /// The header that shows who the application is, for endpoints beside the token endpoint (RFC 7617, with
    /// id and secret encoded as RFC 6749, 2.3.1 asks).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a client without a secret.
    pub fn basic_authorization(&self) -> Result<(HeaderName, HeaderValue)> {
        let secret = self.client_secret.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "this needs the application's client secret")
        })?;
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = Zeroizing::new(format!("{}:{}", encode(&self.client_id), encode(secret.expose())));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::try_from(text.as_str())
            .map_err(|_| Error::new(ErrorKind::Configuration, "the client id does not fit a header"))?;
        value.set_sensitive(true);
        Ok((AUTHORIZATION, value))
    }

    fn client(&self) -> Client {
        let mut client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(match self.authentication {
                ClientAuthentication::Form => AuthType::RequestBody,
                ClientAuthentication::Basic => AuthType::BasicAuth,
            })
            .set_auth_uri(AuthUrl::from_url(self.endpoints.authorize.clone()))
            .set_token_uri(TokenUrl::from_url(self.endpoints.token.clone()));
        if let Some(secret) = &self.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        client
    }
}

/// One exchange at a token endpoint, over the family's own way out.
struct Exchange<'a> {
    client: &'a OAuthClient,
    session: &'a Session,
    operation: &'static str,
    repeatable: bool,
    /// What to send in place of the crate's form.
    form: Option<String>,
    answer: Mutex<Option<Bytes>>,
}

type ExchangeError = RequestTokenError<Error, BasicErrorResponse>;

/// What the crate is given to read, in place of the answer.
const READ_ELSEWHERE: &[u8] = br#"{"access_token":"-","token_type":"bearer"}"#;

impl<'a> Exchange<'a> {
    fn new(client: &'a OAuthClient, session: &'a Session, operation: &'static str, repeatable: bool) -> Self {
        Self { client, session, operation, repeatable, form: None, answer: Mutex::default() }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|_| Error::new(ErrorKind::Configuration, "the token endpoint is not an address"))?;
        let mut call = Request::new(self.operation, Method::POST, url)
            .with_idempotent(self.repeatable)
            .with_priority(Priority::Interactive)
            .with_deadline(DEADLINE)
            .with_judge(self.client.judge);
        call.headers = parts.headers;
        call.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        call.body = self.form.clone().map_or_else(|| body.into(), Bytes::from);
        call.max_body = MAX_BODY;
        let answer = self.session.send(call).await?;
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.body);
        Ok(HttpResponse::new(READ_ELSEWHERE.to_vec()))
    }

    fn tokens(&self, outcome: Result<BasicTokenResponse, ExchangeError>) -> Result<TokenSet> {
        outcome.map_err(|error| match error {
            RequestTokenError::Request(error) => error,
            _ => Error::new(ErrorKind::Configuration, "the token request could not be made"),
        })?;
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let answer: Value = json::decode(&answer, self.operation)?;
        (self.client.read)(&answer).map_err(|error| error.with_operation(self.operation))
    }
}

impl<'c> AsyncHttpClient<'c> for Exchange<'_> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
