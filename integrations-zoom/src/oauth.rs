//! How does one speak OAuth with Zoom?
//!
//! Zoom's dialect: the client's id and secret in a Basic header, and `reason` beside `error`. An app of the
//! kind Server-to-Server acts for a whole account without a user: its tokens are asked for with
//! `account_credentials`, and there is nothing to refresh.

use async_trait::async_trait;
use http::Method;
use integrations_core::auth::{
    AccessToken, Authenticator, AuthorizationRequest, ClientAuthentication, CodeGrant, OAuthClient,
    OAuthEndpoints, RefreshToken, TokenSet, Tokens,
};
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Request, Response, Session};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use url::Url;

use crate::classify;
use crate::config::ZoomConfig;

/// The way to a Zoom account.
#[derive(Debug)]
pub struct ZoomOAuth {
    config: ZoomConfig,
    client: OAuthClient,
    me: Url,
}

impl ZoomOAuth {
    /// The way of an app.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a base address that takes no path.
    pub fn new(config: &ZoomConfig) -> Result<Self> {
        let endpoints =
            OAuthEndpoints { authorize: config.authorize_url.clone(), token: config.token_url.clone() };
        let client = OAuthClient::new(endpoints, &config.client_id, Some(config.client_secret.clone()))
            .with_authentication(ClientAuthentication::Basic)
            .with_judge(judge_token);
        let me = config
            .api_url
            .join("users/me")
            .map_err(|_| Error::new(ErrorKind::Configuration, "the base address for Zoom takes no path"))?;
        Ok(Self { config: config.clone(), client, me })
    }
}

fn judge_token(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status.is_success() {
        return Ok(());
    }
    Err(classify::token_error(&Failure::of(operation, answer)))
}

/// A token that is dead already is no failure of its revocation.
fn judge_revocation(operation: &'static str, answer: &Response) -> Result<()> {
    match judge_token(operation, answer) {
        Err(error) if error.kind() == ErrorKind::ReauthorizationRequired => Ok(()),
        outcome => outcome,
    }
}

#[derive(Deserialize)]
struct Me {
    id: String,
    email: Option<String>,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}

#[async_trait]
impl Authenticator for ZoomOAuth {
    /// Scopes are not asked for one by one: a user grants what the app is set up for, and to ask for more
    /// fails as a whole.
    fn authorization_url(&self, request: &AuthorizationRequest) -> Result<Url> {
        let mut request = request.clone();
        request.scopes.clear();
        Ok(self.client.authorization_url(&request))
    }

    async fn authenticate(&self, session: &Session, grant: &CodeGrant) -> Result<TokenSet> {
        self.client.exchange_code(session, grant).await
    }

    async fn refresh_token(&self, session: &Session, refresh: &RefreshToken) -> Result<TokenSet> {
        self.client.exchange_refresh_token(session, refresh).await
    }

    /// Server-to-Server: `subject` is the account's id.
    async fn mint_token(&self, session: &Session, subject: &str) -> Result<TokenSet> {
        let parameters = [("account_id", subject)];
        let tokens = self.client.exchange_own(session, "account_credentials", &parameters).await?;
        // The whole account is connected: `users/me` does not exist for such a token.
        let account = Account { id: subject.into(), email: None, name: None };
        Ok(tokens.with_refresh(None).with_account(Some(account)))
    }

    async fn revoke_access(&self, session: &Session, tokens: &Tokens) -> Result<()> {
        let token = AccessToken::expose(&tokens.access);
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
        let (name, value) = self.client.basic_authorization()?;
        let request = Request::new("revoke", Method::POST, self.config.revoke_url.clone())
            .with_idempotent(true)
            .with_judge(judge_revocation)
            .header(name, value)
            .body("application/x-www-form-urlencoded", form);
        session.send(request).await.map(drop)
    }

    /// `GET /users/me`.
    async fn identify(&self, session: &Session) -> Result<Account> {
        let answer = session.send(Request::get("users.me", self.me.clone())).await?;
        let me: Me = json::decode(&answer.body, "users.me")?;
        let parts = [me.first_name, me.last_name].into_iter().flatten().filter(|part| !part.is_empty());
        let full = parts.collect::<Vec<_>>().join(" ");
        let name =
            me.display_name.filter(|name| !name.is_empty()).or_else(|| (!full.is_empty()).then_some(full));
        Ok(Account { id: me.id.into(), email: me.email, name })
    }
}
