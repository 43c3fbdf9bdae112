//! How does one speak OAuth with Slack?
//!
//! Slack's dialect: scopes with commas between them; those of a user apart in `user_scope`, written with
//! `user:` before them here; a bot's token and a user's token in one answer, each with a life of its own;
//! failures with status 200.

use async_trait::async_trait;
use http::Method;
use integrations_core::auth::{
    Authenticator, AuthorizationRequest, ClientAuthentication, CodeGrant, OAuthClient, OAuthEndpoints,
    RefreshToken, TokenSet, Tokens, tokens_with_scopes,
};
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Request, Response, Session};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::classify;
use crate::config::{SlackConfig, scope};

/// The way to a Slack workspace.
#[derive(Debug)]
pub struct SlackOAuth {
    client: OAuthClient,
    auth_test: Url,
    auth_revoke: Url,
}

impl SlackOAuth {
    /// The way of an app.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a base address that takes no path.
    pub fn new(config: &SlackConfig) -> Result<Self> {
        let endpoints =
            OAuthEndpoints { authorize: config.authorize_url.clone(), token: config.token_url.clone() };
        let client = OAuthClient::new(endpoints, &config.client_id, Some(config.client_secret.clone()))
            .with_authentication(ClientAuthentication::Basic)
            .with_scope_separator(",")
            .with_judge(judge_token)
            .with_reader(read_tokens);
        // An app has to be set up for PKCE, for good; without that, Slack is not asked for it.
        let client = if config.pkce { client } else { client.without_pkce() };
        let method = |name: &str| {
            config
                .api_url
                .join(name)
                .map_err(|_| Error::new(ErrorKind::Configuration, "the base address for Slack takes no path"))
        };
        Ok(Self { client, auth_test: method("auth.test")?, auth_revoke: method("auth.revoke")? })
    }
}

fn judge_token(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status.is_success() {
        return classify::in_token_success(operation, answer);
    }
    Err(classify::token_error(&Failure::of(operation, answer)))
}

/// A token that is dead already is no failure of its revocation.
fn judge_revocation(operation: &'static str, answer: &Response) -> Result<()> {
    match classify::judge(operation, answer) {
        Err(error)
            if matches!(error.kind(), ErrorKind::ReauthorizationRequired | ErrorKind::TokenExpired)
                || matches!(
                    error.provider_code(),
                    Some("invalid_auth" | "token_revoked" | "account_inactive")
                ) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

/// The bot's token stands at the top, the user's under `authed_user`; either may be missing. The answer to a
/// refresh has one of them at the top, and says which.
fn read_tokens(answer: &Value) -> Result<TokenSet> {
    let user = &answer["authed_user"];
    let team = [&answer["enterprise"]["id"], &answer["team"]["id"]];
    let workspace = || {
        let ids: Vec<_> = team.iter().filter_map(|id| id.as_str()).collect();
        (!ids.is_empty()).then(|| ids.join(":"))
    };
    let name = answer["team"]["name"].as_str().or(answer["enterprise"]["name"].as_str());
    let account = |id: &Value| {
        let id = format!("{}:{}", workspace()?, id.as_str()?);
        Some(Account { id: id.into(), email: None, name: name.map(str::to_owned) })
    };
    let of_user = user.get("access_token").is_some().then(|| {
        let tokens = tokens_with_scopes(user, ',')?.with_account(account(&user["id"]));
        Ok::<_, Error>(with_prefix(tokens))
    });
    if answer.get("access_token").is_none()
        && let Some(tokens) = of_user
    {
        return tokens;
    }
    let top = tokens_with_scopes(answer, ',')?;
    if answer["token_type"] == "user" {
        return Ok(with_prefix(top));
    }
    let top = top.with_account(account(&answer["bot_user_id"]));
    Ok(match of_user {
        Some(tokens) => top.with_other(tokens?),
        None => top,
    })
}

fn with_prefix(mut tokens: TokenSet) -> TokenSet {
    for name in tokens.scopes.iter_mut().flatten() {
        name.insert_str(0, scope::USER);
    }
    tokens
}

#[derive(Deserialize)]
struct AuthTest {
    team: Option<String>,
    team_id: String,
    user_id: String,
    enterprise_id: Option<String>,
}

#[async_trait]
impl Authenticator for SlackOAuth {
    fn authorization_url(&self, request: &AuthorizationRequest) -> Result<Url> {
        let mut request = request.clone();
        let (of_user, of_bot): (Vec<_>, Vec<_>) =
            request.scopes.into_iter().partition(|name| name.starts_with(scope::USER));
        request.scopes = of_bot;
        if !of_user.is_empty() {
            let names: Vec<_> = of_user.iter().map(|name| &name[scope::USER.len()..]).collect();
            request.parameters.push(("user_scope", names.join(",")));
        }
        Ok(self.client.authorization_url(&request))
    }

    async fn authenticate(&self, session: &Session, grant: &CodeGrant) -> Result<TokenSet> {
        self.client.exchange_code(session, grant).await
    }

    async fn refresh_token(&self, session: &Session, refresh: &RefreshToken) -> Result<TokenSet> {
        self.client.exchange_refresh_token(session, refresh).await
    }

    /// `auth.revoke` ends this token; another of the same app goes on.
    async fn revoke_access(&self, session: &Session, tokens: &Tokens) -> Result<()> {
        let (name, value) = tokens.access.header();
        let request = Request::new("auth.revoke", Method::POST, self.auth_revoke.clone())
            .with_idempotent(true)
            .with_judge(judge_revocation)
            .header(name, value);
        session.send(request).await.map(drop)
    }

    /// `auth.test`.
    async fn identify(&self, session: &Session) -> Result<Account> {
        let request = Request::new("auth.test", Method::POST, self.auth_test.clone()).with_idempotent(true);
        let answer = session.send(request.with_judge(classify::judge)).await?;
        let who: AuthTest = json::decode(&answer.body, "auth.test")?;
        let ids = [who.enterprise_id, Some(who.team_id), Some(who.user_id)];
        let id = ids.into_iter().flatten().filter(|id| !id.is_empty()).collect::<Vec<_>>().join(":");
        Ok(Account { id: id.into(), email: None, name: who.team })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bots_and_a_users_tokens_are_told_apart() {
        let both = json!({
            "ok": true, "access_token": "xoxb-1", "token_type": "bot", "scope": "channels:read,chat:write",
            "bot_user_id": "U0BOT", "team": {"id": "T1", "name": "Analytical"}, "enterprise": null,
            "authed_user": {"id": "U0ADA", "scope": "channels:history", "access_token": "xoxp-1", "token_type": "user"},
        });
        let bot = read_tokens(&both).unwrap();
        assert_eq!(bot.account.as_ref().unwrap().id, "T1:U0BOT");
        assert_eq!(bot.scopes.as_ref().unwrap(), &["channels:read", "chat:write"]);
        let user = &bot.others[0];
        assert_eq!(user.account.as_ref().unwrap().id, "T1:U0ADA");
        assert_eq!(user.scopes.as_ref().unwrap(), &["user:channels:history"]);

        let mut alone = both.clone();
        alone.as_object_mut().unwrap().remove("access_token");
        let user = read_tokens(&alone).unwrap();
        assert_eq!((user.access.expose(), user.others.len()), ("xoxp-1", 0));

        let mut bot_alone = both;
        bot_alone["authed_user"] = json!({"id": "U0ADA"});
        assert!(read_tokens(&bot_alone).unwrap().others.is_empty());
    }

    #[test]
    fn an_answer_without_any_token_is_refused() {
        let error = read_tokens(&json!({"ok": true, "authed_user": {"id": "U0ADA"}})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataFormat);
    }
}
