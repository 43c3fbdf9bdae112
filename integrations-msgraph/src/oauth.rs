//! How does one speak OAuth with Microsoft?
//!
//! Microsoft's dialect: a tenant in the address, a refresh token for the scope `offline_access` alone,
//! and failures that may name what the next authorisation has to show (`claims`). There is nothing to
//! call that takes a grant back: the user removes the application in the account's settings.

use async_trait::async_trait;
use integrations_core::auth::{
    Authenticator, AuthorizationRequest, CodeGrant, OAuthClient, OAuthEndpoints, RefreshToken, TokenSet,
    standard_tokens,
};
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Request, Response, Session};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::classify;
use crate::config::{GraphConfig, scope};

/// Microsoft says what was granted with the resource before it, or without.
const RESOURCE: &str = "https://graph.microsoft.com/";

/// The way to a Microsoft account, one for all services.
#[derive(Debug)]
pub struct MicrosoftOAuth {
    client: OAuthClient,
    me: Url,
}

impl MicrosoftOAuth {
    /// The way of an application.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a base address that takes no path.
    pub fn new(config: &GraphConfig) -> Result<Self> {
        let endpoints =
            OAuthEndpoints { authorize: config.authorize_url.clone(), token: config.token_url.clone() };
        // Each use gives a new refresh token; the old one is not revoked by it.
        let client = OAuthClient::new(endpoints, &config.client_id, config.client_secret.clone())
            .with_judge(judge_token)
            .with_reader(read_tokens)
            .with_repeatable_refresh()
            .with_authorization_parameters([("prompt", "select_account")]);
        let me = config.api_url.join("me?$select=id,displayName,mail,userPrincipalName").map_err(|_| {
            Error::new(ErrorKind::Configuration, "the base address for Microsoft takes no path")
        })?;
        Ok(Self { client, me })
    }
}

fn judge_token(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status.is_success() {
        return Ok(());
    }
    let failure = Failure::of(operation, answer);
    let error = classify::token_error(&failure);
    Err(match failure.json()["claims"].as_str() {
        Some(claims) if error.kind() == ErrorKind::ReauthorizationRequired => error.with_challenge(claims),
        _ => error,
    })
}

/// What was granted, in the short names that were asked for. What stands for OpenID Connect and the
/// refresh token is not named; that they are there shows it.
fn read_tokens(answer: &Value) -> Result<TokenSet> {
    let mut tokens = standard_tokens(answer)?;
    if let Some(scopes) = &mut tokens.scopes {
        for name in scopes.iter_mut() {
            if let Some(short) = name.strip_prefix(RESOURCE) {
                *name = short.to_owned();
            }
        }
        let mut implied = Vec::new();
        if tokens.refresh.is_some() {
            implied.push(scope::OFFLINE_ACCESS);
        }
        if answer.get("id_token").is_some() {
            implied.extend([scope::OPENID, scope::PROFILE, scope::EMAIL]);
        }
        implied.retain(|name| !scopes.iter().any(|scope| scope == name));
        scopes.extend(implied.into_iter().map(str::to_owned));
    }
    Ok(tokens)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    id: String,
    display_name: Option<String>,
    mail: Option<String>,
    user_principal_name: Option<String>,
}

#[async_trait]
impl Authenticator for MicrosoftOAuth {
    fn authorization_url(&self, request: &AuthorizationRequest) -> Result<Url> {
        Ok(self.client.authorization_url(request))
    }

    async fn authenticate(&self, session: &Session, grant: &CodeGrant) -> Result<TokenSet> {
        self.client.exchange_code(session, grant).await
    }

    async fn refresh_token(&self, session: &Session, refresh: &RefreshToken) -> Result<TokenSet> {
        self.client.exchange_refresh_token(session, refresh).await
    }

    /// `GET /me`; its id is the `oid` of the account's tenant.
    async fn identify(&self, session: &Session) -> Result<Account> {
        let answer = session.send(Request::get("me", self.me.clone())).await?;
        let me: Me = json::decode(&answer.body, "me")?;
        Ok(Account { id: me.id.into(), email: me.mail.or(me.user_principal_name), name: me.display_name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scopes_come_back_in_the_names_that_were_asked_for() {
        let answer = json!({
            "access_token": "a", "refresh_token": "r", "id_token": "i", "expires_in": "3599",
            "scope": "https://graph.microsoft.com/Calendars.Read User.Read openid",
        });
        let tokens = read_tokens(&answer).unwrap();
        let scopes = ["Calendars.Read", "User.Read", "openid", "offline_access", "profile", "email"];
        assert_eq!(tokens.scopes.unwrap(), scopes);
        assert_eq!(tokens.expires_in.unwrap().as_secs(), 3599);
    }
}
