//! In which shape do tokens go out?

use std::sync::MutexGuard;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::account::Account;
use super::authority::{Authority, Stage};
use super::dialect::Dialect;
use super::failure::{as_asked, no_store};
use super::grant::{Issued, Kind};
use crate::server::{Call, Reply};

/// What an exchange brought.
pub(super) struct Exchanged<'a> {
    pub(super) stage: MutexGuard<'a, Stage>,
    pub(super) first: Issued,
    /// Slack's user token, where the first is a bot's.
    pub(super) second: Option<Issued>,
    pub(super) refreshed: bool,
}

/// The answer that carries what was issued.
pub(super) fn tokens(authority: &Authority, call: &Call, exchanged: Exchanged<'_>) -> Reply {
    let Exchanged { mut stage, ref first, ref second, refreshed } = exchanged;
    let body = match authority.rules.dialect {
        Dialect::Slack => slack(authority, first, second.as_ref(), refreshed),
        Dialect::GitHub => return as_asked(call, &github(authority, first)),
        Dialect::Google => {
            let mut body = common(authority, first, "Bearer", &first.scopes);
            add_id_token(authority, &mut stage, first, &mut body);
            body
        }
        Dialect::Microsoft => {
            // Microsoft does not name offline_access among what it granted.
            let scopes: Vec<_> =
                first.scopes.iter().filter(|scope| *scope != "offline_access").cloned().collect();
            let mut body = common(authority, first, "Bearer", &scopes);
            body["ext_expires_in"] = body["expires_in"].clone();
            add_id_token(authority, &mut stage, first, &mut body);
            body
        }
        Dialect::Zoom => {
            let mut body = common(authority, first, "bearer", &first.scopes);
            body["api_url"] = json!(authority.api_url(call));
            body
        }
    };
    no_store(Reply::json(200, body.to_string()))
}

/// RFC 6749, 5.1.
fn common(authority: &Authority, issued: &Issued, token_type: &str, scopes: &[String]) -> Value {
    let mut body = json!({
        "access_token": issued.access,
        "token_type": token_type,
        "scope": scopes.join(authority.rules.separators.1),
    });
    if let Some(life) = issued.access_life {
        body["expires_in"] = json!(life.as_secs());
    }
    if let Some(refresh) = &issued.refresh {
        body["refresh_token"] = json!(refresh);
    }
    body
}

fn github(authority: &Authority, issued: &Issued) -> Value {
    let mut body = common(authority, issued, "bearer", &issued.scopes);
    if let (Some(_), Some(life)) = (&issued.refresh, issued.refresh_life) {
        body["refresh_token_expires_in"] = json!(life.as_secs());
    }
    body
}

/// A bot's token stands at the top, a user's under `authed_user`; after a refresh each stands at the top.
fn slack(authority: &Authority, first: &Issued, second: Option<&Issued>, refreshed: bool) -> Value {
    let account = authority.account(first.account);
    let mut body = json!({
        "ok": true,
        "app_id": "A0FAKEAPP0",
        "team": {
            "id": account.map(|account| &account.organization),
            "name": account.map(Account::domain),
        },
        "enterprise": null,
        "is_enterprise_install": false,
    });
    let mut user = json!({"id": account.map(|account| &account.id)});
    for issued in [Some(first), second].into_iter().flatten() {
        let bot = issued.kind == Kind::Bot;
        let place = if bot || refreshed { &mut body } else { &mut user };
        let tokens = common(authority, issued, if bot { "bot" } else { "user" }, &issued.scopes);
        for (name, value) in tokens.as_object().into_iter().flatten() {
            place[name] = value.clone();
        }
        if bot {
            body["bot_user_id"] = json!(account.map(|account| account.bot().0));
        }
    }
    if !refreshed {
        body["authed_user"] = user;
    }
    body
}

/// An id token where `openid` was granted. Its claims are right; its signature is none, for the fake has
/// no key to sign with. A client may rely on TLS to the token endpoint (OpenID Connect Core, 3.1.3.7).
fn add_id_token(authority: &Authority, stage: &mut Stage, issued: &Issued, body: &mut Value) {
    let Some(account) = authority.account(issued.account) else { return };
    if !issued.scopes.iter().any(|scope| scope == "openid") {
        return;
    }
    let has = |short: &str, long: &str| issued.scopes.iter().any(|scope| scope == short || scope == long);
    let now = authority.clock.now().timestamp();
    let mut claims = json!({
        "iss": authority.rules.issuer.replace("{tenant}", &account.organization),
        "aud": authority.settings.client_id,
        "iat": now,
        "exp": now + 3_600,
        "sub": account.id,
    });
    if has("email", "https://www.googleapis.com/auth/userinfo.email") {
        claims["email"] = json!(account.shown_email());
        claims["email_verified"] = json!(true);
    }
    if has("profile", "https://www.googleapis.com/auth/userinfo.profile") {
        claims["name"] = json!(account.name);
    }
    if authority.rules.dialect == Dialect::Microsoft {
        claims["ver"] = json!("2.0");
        claims["tid"] = json!(account.organization);
        claims["oid"] = json!(account.id);
        claims["preferred_username"] = json!(account.email);
        // Microsoft's `sub` differs from application to application.
        claims["sub"] = json!(format!("sub-{}-{}", authority.settings.client_id, account.id));
    }
    if let Some(nonce) = &issued.nonce {
        claims["nonce"] = json!(nonce);
    }
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = part(json!({"typ": "JWT", "alg": "RS256", "kid": "fake"}));
    let signature = stage.ledger.secret("");
    body["id_token"] = json!(format!("{header}.{}.{signature}", part(claims)));
}
