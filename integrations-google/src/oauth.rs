//! How does one speak OAuth with Google?

use async_trait::async_trait;
use http::{Method, StatusCode};
use integrations_core::auth::{
    AccessToken, Authenticator, AuthorizationRequest, CodeGrant, Issuer, OAuthClient, OAuthEndpoints,
    RefreshToken, TokenSet, Tokens, standard_tokens,
};
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Request, Response, Session};
use integrations_core::{Result, json};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::classify;
use crate::config::{GoogleConfig, scope};

/// Who Google says it is (OpenID Connect discovery).
const ISSUER: &str = "https://accounts.google.com";

/// The way to a Google account, one for all services.
#[derive(Debug)]
pub(crate) struct GoogleOAuth {
    config: GoogleConfig,
    client: OAuthClient,
}

impl GoogleOAuth {
    /// Google gives a refresh token with `access_type=offline` alone, and after the first time only with
    /// `prompt=consent`; `include_granted_scopes` adds to what was granted before. Its refresh tokens do not
    /// rotate.
    pub(crate) fn new(config: GoogleConfig) -> Self {
        let endpoints =
            OAuthEndpoints { authorize: config.authorize_url.clone(), token: config.token_url.clone() };
        let client = OAuthClient::new(endpoints, &config.client_id, config.client_secret.clone())
            .with_judge(judge_token)
            .with_reader(read_tokens)
            .with_repeatable_refresh()
            .with_authorization_parameters([
                ("access_type", "offline"),
                ("prompt", "consent"),
                ("include_granted_scopes", "true"),
            ]);
        Self { config, client }
    }
}

fn judge_token(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status.is_success() {
        return Ok(());
    }
    Err(classify::token_error(&Failure::of(operation, answer)))
}

/// 400 means that the grant has ended already.
fn judge_revocation(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status == StatusCode::BAD_REQUEST { Ok(()) } else { judge_token(operation, answer) }
}

/// Google names `email` by another name when it says what was granted.
fn read_tokens(answer: &Value) -> Result<TokenSet> {
    let mut tokens = standard_tokens(answer)?;
    for name in tokens.scopes.iter_mut().flatten().filter(|name| **name == scope::USERINFO_EMAIL) {
        scope::EMAIL.clone_into(name);
    }
    Ok(tokens)
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    name: Option<String>,
}

#[async_trait]
impl Authenticator for GoogleOAuth {
    fn issuer(&self) -> Option<Issuer<'_>> {
        Some(Issuer { name: ISSUER, always: false })
    }

    fn authorization_url(&self, request: &AuthorizationRequest) -> Result<Url> {
        Ok(self.client.authorization_url(request))
    }

    async fn authenticate(&self, session: &Session, grant: &CodeGrant) -> Result<TokenSet> {
        self.client.exchange_code(session, grant).await
    }

    async fn refresh_token(&self, session: &Session, refresh: &RefreshToken) -> Result<TokenSet> {
        self.client.exchange_refresh_token(session, refresh).await
    }

    /// Revoking either token ends the whole grant, of all Google services.
    async fn revoke_access(&self, session: &Session, tokens: &Tokens) -> Result<()> {
        let access = AccessToken::expose(&tokens.access);
        let token = tokens.refresh.as_ref().map_or(access, RefreshToken::expose);
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
        let request = Request::new("revoke", Method::POST, self.config.revoke_url.clone())
            .with_idempotent(true)
            .with_judge(judge_revocation)
            .body("application/x-www-form-urlencoded", form);
        session.send(request).await.map(drop)
    }

    /// OpenID Connect userinfo.
    async fn identify(&self, session: &Session) -> Result<Account> {
        let answer = session.send(Request::get("userinfo", self.config.userinfo_url.clone())).await?;
        let user: UserInfo = json::decode(&answer.body, "userinfo")?;
        Ok(Account { id: user.sub.into(), email: user.email, name: user.name })
    }
}
