//! How does one speak OAuth with Google?

use http::{Method, StatusCode};
use integrations_core::auth::{AccessToken, OAuthClient, OAuthEndpoints, Tokens};
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Request, Session, Transport};
use integrations_core::{Result, json};
use serde::Deserialize;

use crate::classify;
use crate::config::{GoogleConfig, scope};

/// The client. Google gives a refresh token with `access_type=offline` alone, and after the first time
/// only with `prompt=consent`; `include_granted_scopes` adds to what was granted before.
pub(crate) fn client(config: &GoogleConfig) -> OAuthClient {
    let endpoints =
        OAuthEndpoints { authorize: config.authorize_url.clone(), token: config.token_url.clone() };
    OAuthClient::new(endpoints, &config.client_id, config.client_secret.clone())
        .with_classifier(classify::token_error)
        .with_authorization_parameters([
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("include_granted_scopes", "true"),
        ])
}

/// Google names `email` by another name when it says what was granted.
pub(crate) fn asked_names(scopes: Vec<String>) -> Vec<String> {
    scopes
        .into_iter()
        .map(|name| if name == scope::USERINFO_EMAIL { scope::EMAIL.to_owned() } else { name })
        .collect()
}

/// Takes the grant back. Revoking either token ends the whole grant; 400 means that it has ended already.
pub(crate) async fn revoke(config: &GoogleConfig, http: &dyn Transport, tokens: &Tokens) -> Result<()> {
    let token =
        tokens.refresh.as_ref().map_or_else(|| AccessToken::expose(&tokens.access), |token| token.expose());
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let request = Request::new("revoke", Method::POST, config.revoke_url.clone())
        .body("application/x-www-form-urlencoded", form);
    let answer = http.send(request).await?;
    if answer.status.is_success() || answer.status == StatusCode::BAD_REQUEST {
        return Ok(());
    }
    Err(classify::token_error(&Failure::of("revoke", &answer)))
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    name: Option<String>,
}

/// Whose account it is (OpenID Connect userinfo).
pub(crate) async fn identify(config: &GoogleConfig, session: &Session) -> Result<Account> {
    let answer = session.send(Request::get("userinfo", config.userinfo_url.clone())).await?;
    let user: UserInfo = json::decode(&answer.body, "userinfo")?;
    Ok(Account { id: user.sub.into(), email: user.email, name: user.name })
}
