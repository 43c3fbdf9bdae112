//! How does one speak OAuth with GitHub?
//!
//! GitHub's dialect: failures with status 200, an answer as a form unless JSON is asked for, and scopes
//! with spaces between them on the way there and commas on the way back. Tokens of an OAuth app do not
//! expire; those of a GitHub App's users do, and their refresh tokens rotate. A GitHub App acts without a
//! user, too: its *installations* have tokens of an hour, made with a JWT that its private key signs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, AUTHORIZATION, DATE};
use http::{HeaderValue, Method, StatusCode};
use integrations_core::auth::{
    AccessToken, Authenticator, AuthorizationRequest, CodeGrant, OAuthClient, OAuthEndpoints, RefreshToken,
    TokenSet, Tokens, tokens_with_scopes,
};
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Request, Response, Session};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::classify;
use crate::config::GitHubConfig;

/// The media type of the API.
const JSON: HeaderValue = HeaderValue::from_static("application/vnd.github+json");

/// The way to a GitHub account.
#[derive(Debug)]
pub struct GitHubOAuth {
    config: GitHubConfig,
    client: OAuthClient,
}

impl GitHubOAuth {
    /// The way of an application.
    pub fn new(config: &GitHubConfig) -> Self {
        let endpoints =
            OAuthEndpoints { authorize: config.authorize_url.clone(), token: config.token_url.clone() };
        let client = OAuthClient::new(endpoints, &config.client_id, Some(config.client_secret.clone()))
            .with_judge(judge_token)
            .with_reader(read_tokens);
        Self { config: config.clone(), client }
    }

    fn api(&self, path: &str) -> Result<Url> {
        self.config
            .api_url
            .join(path)
            .map_err(|_| Error::new(ErrorKind::Configuration, "the base address for GitHub takes no path"))
    }

    /// A JWT by which the App shows that it is itself: from a minute ago, for clocks that differ, to nine
    /// minutes ahead; GitHub takes ten.
    fn app_token(&self, now: DateTime<Utc>) -> Result<HeaderValue> {
        #[derive(Serialize)]
        struct Claims<'a> {
            iat: i64,
            exp: i64,
            iss: &'a str,
        }
        let key = self.config.private_key.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "an installation needs the GitHub App's private key: call `private_key` on the builder",
            )
        })?;
        let claims =
            Claims { iat: now.timestamp() - 60, exp: now.timestamp() + 540, iss: &self.config.client_id };
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
        let token = jsonwebtoken::encode(&header, &claims, &key.0).map_err(|_| {
            Error::new(ErrorKind::Configuration, "the GitHub App's private key does not sign")
        })?;
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Error::new(ErrorKind::Configuration, "the signed token does not fit a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn judge_token(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status.is_success() {
        return classify::in_token_success(operation, answer);
    }
    Err(classify::token_error(&Failure::of(operation, answer)))
}

/// 404 and 422 mean that there is no such grant (any more).
fn judge_revocation(operation: &'static str, answer: &Response) -> Result<()> {
    let status = answer.status.as_u16();
    let gone = matches!(status, 404 | 422) || (status == 401 && operation == "installation.token.delete");
    if answer.status.is_success() || gone {
        return Ok(());
    }
    Err(classify::token_error(&Failure::of(operation, answer)))
}

/// An installation that was removed does not come back by itself; one that is suspended may.
fn judge_installation(operation: &'static str, answer: &Response) -> Result<()> {
    match answer.status {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED => Err(Error::new(
            ErrorKind::InvalidCredentials,
            "GitHub does not accept the App's signature; compare the client id and the private key",
        )
        .with_status(401)),
        StatusCode::NOT_FOUND => Err(Error::new(
            ErrorKind::ReauthorizationRequired,
            "the App is not installed there (any more); have it installed again",
        )
        .with_status(404)
        .with_code("not_installed")),
        _ => Err(classify::error(&Failure::of(operation, answer))),
    }
}

fn read_tokens(answer: &Value) -> Result<TokenSet> {
    tokens_with_scopes(answer, ',')
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Installation {
    token: String,
    expires_at: DateTime<Utc>,
}

#[async_trait]
impl Authenticator for GitHubOAuth {
    fn authorization_url(&self, request: &AuthorizationRequest) -> Result<Url> {
        let mut request = request.clone();
        // GitHub's word for the hint.
        if let Some(hint) = request.login_hint.take() {
            request.parameters.push(("login", hint));
        }
        Ok(self.client.authorization_url(&request))
    }

    async fn authenticate(&self, session: &Session, grant: &CodeGrant) -> Result<TokenSet> {
        self.client.exchange_code(session, grant).await
    }

    async fn refresh_token(&self, session: &Session, refresh: &RefreshToken) -> Result<TokenSet> {
        self.client.exchange_refresh_token(session, refresh).await
    }

    /// `subject` is the id of an installation of the GitHub App.
    async fn mint_token(&self, session: &Session, subject: &str) -> Result<TokenSet> {
        if subject.is_empty() || !subject.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(ErrorKind::InvalidRequest, "an installation's id is a number"));
        }
        let url = self.api(&format!("app/installations/{subject}/access_tokens"))?;
        let request = Request::new("installation.token", Method::POST, url)
            .with_idempotent(true)
            .with_judge(judge_installation)
            .header(ACCEPT, JSON)
            .header(AUTHORIZATION, self.app_token(session.now())?);
        let answer = session.send(request).await?;
        let made: Installation = json::decode(&answer.body, "installation.token")?;
        // By GitHub's own clock, where it says what that shows.
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let now = date.map_or_else(|| session.now(), |date| date.to_utc());
        let account = Account { id: format!("installation:{subject}").into(), email: None, name: None };
        Ok(TokenSet::new(AccessToken::new(made.token)?)
            .with_expires_in(Some((made.expires_at - now).to_std().unwrap_or_default()))
            .with_account(Some(account)))
    }

    /// Ends the whole authorisation of the user; of an installation, its token.
    async fn revoke_access(&self, session: &Session, tokens: &Tokens) -> Result<()> {
        if tokens.access.expose().starts_with("ghs_") {
            let (name, value) = tokens.access.header();
            let url = self.api("installation/token")?;
            let request = Request::new("installation.token.delete", Method::DELETE, url)
                .with_judge(judge_revocation)
                .header(ACCEPT, JSON)
                .header(name, value);
            return session.send(request).await.map(drop);
        }
        let url = self.api(&format!("applications/{}/grant", self.config.client_id))?;
        let (name, value) = self.client.basic_authorization()?;
        let body = serde_json::json!({ "access_token": tokens.access.expose() }).to_string();
        let request = Request::new("grant.delete", Method::DELETE, url)
            .with_judge(judge_revocation)
            .header(ACCEPT, JSON)
            .header(name, value)
            .body("application/json", body);
        session.send(request).await.map(drop)
    }

    /// `GET /user`; its number stays when the user takes another name.
    async fn identify(&self, session: &Session) -> Result<Account> {
        let answer = session.send(Request::get("user", self.api("user")?).header(ACCEPT, JSON)).await?;
        let user: User = json::decode(&answer.body, "user")?;
        Ok(Account {
            id: user.id.to_string().into(),
            email: user.email,
            name: user.name.or(Some(user.login)),
        })
    }
}
