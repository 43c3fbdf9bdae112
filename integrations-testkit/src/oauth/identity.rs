//! Whose token is it?

use std::collections::BTreeMap;

use http::HeaderName;
use http::header::USER_AGENT;
use serde_json::{Value, json};

use super::account::Account;
use super::authority::Authority;
use super::dialect::Dialect;
use super::failure;
use super::grant::{Kind, Locked};
use crate::params::{Params, bearer};
use crate::server::{Call, Reply};

/// What a live token is good for.
pub(crate) struct Holder {
    pub(crate) kind: Kind,
    pub(crate) account: Option<usize>,
    /// Of an installation: the repositories, all of them when there are none.
    pub(crate) scopes: Vec<String>,
    /// Of an installation.
    pub(crate) permissions: BTreeMap<String, String>,
    /// Whether the test chose the token, as an operator makes a personal one.
    pub(crate) chosen: bool,
}

/// Who calls, for a fake that contains an OAuth server.
pub(crate) struct Caller {
    /// The id of the account or, at Slack, of the app's bot.
    pub(crate) user: String,
    pub(crate) is_bot: bool,
    /// What the account belongs to.
    pub(crate) organization: String,
    pub(crate) scopes: Vec<String>,
}

/// The account behind the call's token, or the provider's refusal.
pub(super) fn caller(authority: &Authority, call: &Call) -> Result<Caller, Reply> {
    let holder = admit(authority, call)?;
    let account = authority.account(holder.account).ok_or_else(|| of_nobody(authority.rules.dialect))?;
    let is_bot = holder.kind == Kind::Bot;
    Ok(Caller {
        user: if is_bot { account.bot().0 } else { account.id.clone() },
        is_bot,
        organization: account.organization.clone(),
        scopes: holder.scopes,
    })
}

/// The token that a call carries; Slack also takes it as a parameter.
pub(super) fn token(authority: &Authority, call: &Call) -> Option<String> {
    if let Some(token) = bearer(call) {
        return Some(token.to_owned());
    }
    let form = (authority.rules.dialect == Dialect::Slack).then(|| Params::form(call)).flatten()?;
    form.get("token").map(str::to_owned)
}

/// Who holds the call's token, or the provider's refusal.
pub(super) fn admit(authority: &Authority, call: &Call) -> Result<Holder, Reply> {
    let dialect = authority.rules.dialect;
    if dialect == Dialect::GitHub && call.header(USER_AGENT).is_none_or(str::is_empty) {
        let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
        return Err(Reply::json(403, failure::github(403, text).to_string()));
    }
    let token = token(authority, call).ok_or_else(|| failure::locked(dialect, Locked::Missing))?;
    let stage = authority.stage();
    let unlocked = stage.ledger.unlock(&token, authority.clock.now());
    let (family, claims) = unlocked.map_err(|locked| failure::locked(dialect, locked))?;
    if let Some(wanted) = stage.claims.as_deref().filter(|wanted| claims != Some(*wanted)) {
        return Err(failure::claims_challenge(wanted));
    }
    Ok(Holder {
        kind: family.kind,
        account: family.account,
        scopes: family.scopes.clone(),
        permissions: family.permissions.clone(),
        chosen: family.is_chosen(),
    })
}

/// Answers whose token it is.
pub(super) fn of_token(authority: &Authority, call: &Call) -> Reply {
    let holder = match admit(authority, call) {
        Ok(holder) => holder,
        Err(refused) => return refused,
    };
    let dialect = authority.rules.dialect;
    let needed = authority.rules.userinfo_scopes;
    let has = |scope: &&str| holder.scopes.iter().any(|granted| granted == scope);
    let Some(account) = authority.account(holder.account) else { return of_nobody(dialect) };
    if !needed.is_empty() && !needed.iter().any(has) {
        return failure::missing_scope(dialect, needed.get(..1).unwrap_or_default());
    }
    let body = match dialect {
        Dialect::Google => match google(account, &holder.scopes) {
            Some(body) => body,
            None => return failure::missing_scope(dialect, &[]),
        },
        Dialect::Slack => slack(authority, account, holder.kind),
        Dialect::Microsoft => microsoft(account, call),
        Dialect::GitHub => {
            let reply = Reply::json(200, github(account).to_string());
            let scopes = HeaderName::from_static("x-oauth-scopes");
            return if authority.lasts() { reply.header(scopes, &holder.scopes.join(", ")) } else { reply };
        }
        Dialect::Zoom => zoom(account),
    };
    Reply::json(200, body.to_string())
}

/// A token of the application itself has no user.
fn of_nobody(dialect: Dialect) -> Reply {
    match dialect {
        Dialect::Microsoft => {
            failure::graph(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        }
        Dialect::Zoom => failure::zoom(404, 1_001, "User does not exist: me."),
        _ => failure::missing_scope(dialect, &[]),
    }
}

/// Zoom's `/users/{id}`, which is for applications on their own account only.
pub(super) fn of_user(authority: &Authority, call: &Call, user: &str) -> Reply {
    let holder = match admit(authority, call) {
        Ok(holder) => holder,
        Err(refused) => return refused,
    };
    if holder.kind != Kind::App {
        return failure::zoom(401, 4_700, "Invalid access token, does not contain scopes.");
    }
    let known = |account: &&Account| account.id == user || account.email.eq_ignore_ascii_case(user);
    match authority.settings.accounts.iter().find(known) {
        Some(account) => Reply::json(200, zoom(account).to_string()),
        None => failure::zoom(404, 1_001, &format!("User does not exist: {user}.")),
    }
}

fn google(account: &Account, granted: &[String]) -> Option<Value> {
    const PREFIX: &str = "https://www.googleapis.com/auth/userinfo.";
    let may =
        |short: &str| granted.iter().any(|scope| scope == short || scope.strip_prefix(PREFIX) == Some(short));
    let (email, profile) = (may("email"), may("profile"));
    if !email && !profile && !may("openid") {
        return None;
    }
    let mut body = json!({"sub": account.id});
    if email {
        body["email"] = json!(account.email);
        body["email_verified"] = json!(true);
    }
    if profile {
        body["name"] = json!(account.name);
    }
    Some(body)
}

fn slack(authority: &Authority, account: &Account, kind: Kind) -> Value {
    let (bot_user, bot) = account.bot();
    let mut body = json!({
        "ok": true,
        "url": format!("https://{}.slack.com/", account.domain().split('.').next().unwrap_or_default()),
        "team": account.domain(),
        "team_id": account.organization,
        "user": account.login(),
        "user_id": account.id,
        "is_enterprise_install": false,
    });
    if kind == Kind::Bot {
        body["user"] = json!("fake_app");
        body["user_id"] = json!(bot_user);
        body["bot_id"] = json!(bot);
    }
    if !authority.lasts() {
        body["expires_in"] = json!(authority.access_life().as_secs());
    }
    body
}

fn microsoft(account: &Account, call: &Call) -> Value {
    let (given, family) = account.given_and_family_name();
    let mut body = json!({
        "id": account.id,
        "displayName": account.name,
        "givenName": given,
        "surname": family,
        "mail": account.shown_email(),
        "userPrincipalName": account.email,
    });
    let query = Params::parse(call.query.as_bytes());
    if let (Some(select), Some(fields)) = (query.get("$select"), body.as_object_mut()) {
        fields.retain(|name, _| select.split(',').any(|wanted| wanted.trim() == name));
    }
    body["@odata.context"] = json!("https://graph.microsoft.com/v1.0/$metadata#users/$entity");
    body
}

fn github(account: &Account) -> Value {
    json!({
        "login": account.login(),
        "id": account.id.parse::<u64>().unwrap_or_default(),
        "node_id": format!("U_kgDO{}", account.id),
        "type": "User",
        "site_admin": false,
        "name": account.name,
        "email": account.shown_email(),
    })
}

fn zoom(account: &Account) -> Value {
    let (first, last) = account.given_and_family_name();
    json!({
        "id": account.id,
        "account_id": account.organization,
        "email": account.email,
        "first_name": first,
        "last_name": last,
        "display_name": account.name,
        "type": 2,
        "timezone": "Europe/Berlin",
        "status": "active",
    })
}
