//! How does each provider take a grant back?

use serde_json::{Value, json};

use super::authority::Authority;
use super::dialect::{Dialect, Operation};
use super::exchange;
use super::failure::{self, no_store};
use super::grant::Extent;
use super::identity;
use super::refusal::{Refusal, Refused};
use crate::params::{Params, bearer};
use crate::server::{Call, Reply};

pub(super) fn revoke(authority: &Authority, operation: Operation, call: &Call, named: Option<&str>) -> Reply {
    match authority.rules.dialect {
        Dialect::Google => google(authority, call),
        Dialect::Slack if operation == Operation::Uninstall => uninstall(authority, call),
        Dialect::Slack => slack(authority, call),
        Dialect::Microsoft => microsoft(authority, call),
        Dialect::GitHub => github(authority, operation, call, named.unwrap_or_default()),
        Dialect::Zoom => zoom(authority, call),
    }
}

fn end(authority: &Authority, token: &str) -> bool {
    authority.stage().ledger.revoke(token, authority.rules.revokes, authority.clock.now())
}

/// The token stands in the form or, at Google, in the query.
fn google(authority: &Authority, call: &Call) -> Reply {
    let query = Params::parse(call.query.as_bytes());
    let form = Params::form(call);
    let refused = match form.as_ref().and_then(|form| form.get("token")).or_else(|| query.get("token")) {
        None => Refused::about(Refusal::Missing, "token"),
        Some(token) if end(authority, token) => return Reply::json(200, "{}"),
        Some(_) => Refusal::TokenUnknown.into(),
    };
    failure::refusal(authority, call, &refused)
}

/// `auth.revoke` ends the token that it is called with; `test=1` does not.
fn slack(authority: &Authority, call: &Call) -> Reply {
    if let Err(refused) = identity::admit(authority, call) {
        return refused;
    }
    let (query, form) = (Params::parse(call.query.as_bytes()), Params::form(call));
    let given = |name| form.as_ref().and_then(|form| form.get(name)).or_else(|| query.get(name));
    let only_a_test = given("test").is_some_and(|test| matches!(test, "1" | "true"));
    let token = identity::token(authority, call).unwrap_or_default();
    let revoked = !only_a_test && end(authority, &token);
    Reply::json(200, json!({"ok": true, "revoked": revoked}).to_string())
}

/// `apps.uninstall` ends every token that the app has in the team.
fn uninstall(authority: &Authority, call: &Call) -> Reply {
    let form = Params::form(call).unwrap_or_else(|| Params::parse(call.query.as_bytes()));
    if let Err(refused) = exchange::client(authority, call, &form) {
        return failure::refusal(authority, call, &refused);
    }
    let holder = match identity::admit(authority, call) {
        Ok(holder) => holder,
        Err(refused) => return refused,
    };
    let team = authority.account(holder.account).map(|account| &account.organization);
    let accounts = authority.settings.accounts.iter().enumerate();
    let mut stage = authority.stage();
    for (index, _) in accounts.filter(|(_, account)| Some(&account.organization) == team) {
        stage.ledger.end_account(index);
    }
    stage.ledger.count_revocation();
    Reply::json(200, json!({"ok": true}).to_string())
}

/// There is no endpoint for one grant; this one ends every session of the user.
fn microsoft(authority: &Authority, call: &Call) -> Reply {
    if let Err(refused) = identity::admit(authority, call) {
        return refused;
    }
    let done = bearer(call).is_some_and(|token| end(authority, token));
    let context = "https://graph.microsoft.com/v1.0/$metadata#Edm.Boolean";
    Reply::json(200, json!({"@odata.context": context, "value": done}).to_string())
}

/// The application proves itself by Basic; the token stands in a JSON body.
fn github(authority: &Authority, operation: Operation, call: &Call, client_id: &str) -> Reply {
    let refused = |status, text| Reply::json(status, failure::github(status, text).to_string());
    if client_id != authority.settings.client_id || !exchange::is_client_by_basic(authority, call) {
        return refused(401, "Bad credentials");
    }
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let Some(token) = body["access_token"].as_str() else { return refused(422, "Validation Failed") };
    let now = authority.clock.now();
    let mut stage = authority.stage();
    let extent = match operation {
        Operation::CheckToken => {
            let Ok((family, _)) = stage.ledger.unlock(token, now) else { return refused(404, "Not Found") };
            let user = authority.account(family.account).map(|account| json!({"login": account.login()}));
            let body = json!({"scopes": family.scopes, "user": user, "app": {"client_id": client_id}});
            return no_store(Reply::json(200, body.to_string()));
        }
        Operation::RevokeToken => Extent::Family,
        _ => Extent::Account,
    };
    let live = stage.ledger.unlock(token, now).is_ok_and(|(family, _)| family.account.is_some());
    if live && stage.ledger.revoke(token, extent, now) {
        Reply::empty(204)
    } else {
        refused(404, "Not Found")
    }
}

/// RFC 7009, 2.2: a token that is unknown is as good as revoked.
fn zoom(authority: &Authority, call: &Call) -> Reply {
    let Some(form) = Params::form(call) else {
        return failure::refusal(authority, call, &Refusal::NotAForm.into());
    };
    if let Err(refused) = exchange::client(authority, call, &form) {
        return failure::refusal(authority, call, &refused);
    }
    let Some(token) = form.get("token") else {
        return failure::refusal(authority, call, &Refused::about(Refusal::Missing, "token"));
    };
    end(authority, token);
    no_store(Reply::json(200, json!({"status": "success"}).to_string()))
}
