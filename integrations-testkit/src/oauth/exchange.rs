//! What does the token endpoint answer?

use std::collections::BTreeMap;

use http::header::AUTHORIZATION;

use super::account::Account;
use super::answer::{self, Exchanged};
use super::authority::{Authority, Stage};
use super::dialect::{ClientAuth, Dialect, Pkce};
use super::grant::{Issued, Kind};
use super::refusal::{Refusal, Refused};
use super::{authorize, failure, tenant};
use crate::params::{Params, basic, half_is};
use crate::server::{Call, Reply};

pub(super) fn exchange(authority: &Authority, call: &Call, tenant: Option<&str>) -> Reply {
    match attempt(authority, call, tenant) {
        Ok(exchanged) => answer::tokens(authority, call, exchanged),
        Err(refused) => failure::refusal(authority, call, &refused),
    }
}

fn attempt<'a>(
    authority: &'a Authority,
    call: &Call,
    tenant: Option<&str>,
) -> Result<Exchanged<'a>, Refused> {
    let form = Params::form(call).ok_or(Refusal::NotAForm)?;
    if let Some(name) = form.repeated() {
        return Err(Refused::about(Refusal::Repeated, name));
    }
    if let Some(unknown) = tenant.filter(|tenant| !tenant::exists(tenant, &authority.settings.accounts)) {
        return Err(Refused::about(Refusal::TenantUnknown, unknown));
    }
    client(authority, call, &form)?;
    let needed = |name| form.get(name).ok_or_else(|| Refused::about(Refusal::Missing, name));
    // Slack and GitHub take an exchange of a code without the name of the grant.
    let unnamed =
        matches!(authority.rules.dialect, Dialect::Slack | Dialect::GitHub) && form.get("code").is_some();
    let grant = if unnamed { "authorization_code" } else { needed("grant_type")? };
    let now = authority.clock.now();
    let mut stage = authority.stage();
    let mut second = None;
    let first = match (grant, authority.rules.dialect) {
        ("authorization_code", _) => {
            let (code, redirect_uri) = (needed("code")?, needed("redirect_uri")?);
            let issued = stage.ledger.redeem(code, redirect_uri, form.get("code_verifier"), now)?;
            second = issued.1;
            issued.0
        }
        ("refresh_token", dialect) => {
            let token = needed("refresh_token")?;
            if authority.lasts() {
                return Err(Refusal::RefreshOff.into());
            }
            let narrowed = form.get("scope").filter(|_| dialect == Dialect::Microsoft);
            let scopes = narrowed.map(|text| authorize::split(authority.rules.separators.0, text));
            let claims = form.get("claims").map(str::to_owned);
            stage.ledger.refresh(token, scopes, claims, now)?
        }
        ("account_credentials", Dialect::Zoom) => {
            let account = needed("account_id")?;
            let known = |known: &&Account| known.organization == account;
            authority.settings.accounts.iter().find(known).ok_or(Refusal::AccountUnknown)?;
            on_its_own(authority, &mut stage, authority.settings.app_scopes.clone())
        }
        ("client_credentials", Dialect::Microsoft) => {
            let scope = needed("scope")?;
            if !scope.ends_with("/.default") {
                return Err(Refusal::ScopeExceeded.into());
            }
            if let Some(general) = tenant.filter(|tenant| tenant::is_general(tenant)) {
                return Err(Refused::about(Refusal::TenantUnknown, general));
            }
            on_its_own(authority, &mut stage, vec![scope.to_owned()])
        }
        (other, _) => return Err(Refused::about(Refusal::GrantType, other)),
    };
    Ok(Exchanged { stage, first, second, refreshed: grant == "refresh_token" })
}

/// A token of the application itself, without a user and a refresh token.
fn on_its_own(authority: &Authority, stage: &mut Stage, scopes: Vec<String>) -> Issued {
    let life = Some(authority.access_life());
    Issued {
        kind: Kind::App,
        account: None,
        access: stage.ledger.mint(Kind::App, scopes.clone(), BTreeMap::new(), life, authority.clock.now()),
        scopes,
        nonce: None,
        access_life: life,
        refresh: None,
        refresh_life: None,
    }
}

/// Checks who the client is, by a Basic header or in the body, never both (RFC 6749, 2.3).
pub(super) fn client(authority: &Authority, call: &Call, form: &Params) -> Result<(), Refused> {
    let (settings, rules) = (&authority.settings, authority.rules);
    let posted = form.get("client_secret");
    let header = call.header(AUTHORIZATION).filter(|header| !header.starts_with("Bearer "));
    let is = |given: &str, expected: &str, in_header: bool| {
        if in_header { half_is(given, expected) } else { given == expected }
    };
    let (id, secret, in_header) = match (header, posted) {
        (Some(_), Some(_)) => return Err(Refusal::TwoAuthentications.into()),
        (Some(_), None) if rules.client_auth == ClientAuth::Body => {
            return Err(Refused::about(Refusal::ClientAuthForm, "client_id"));
        }
        (None, Some(_)) if rules.client_auth == ClientAuth::Basic => {
            return Err(Refusal::ClientAuthForm.into());
        }
        (Some(header), None) => {
            let (id, secret) = basic(header).ok_or(Refusal::ClientSecretWrong)?;
            (id, Some(secret), true)
        }
        (None, secret) => {
            let id = form.get("client_id").ok_or_else(|| Refused::about(Refusal::Missing, "client_id"))?;
            (id.to_owned(), secret.map(str::to_owned), false)
        }
    };
    if !is(&id, &settings.client_id, in_header) {
        return Err(Refusal::ClientUnknown.into());
    }
    match (&settings.client_secret, secret) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Refusal::SecretFromPublicClient.into()),
        (Some(expected), Some(secret)) if is(&secret, expected, in_header) => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::ClientSecretWrong.into()),
        // An app of Slack's that opted in to PKCE is a public client.
        (Some(_), None) if rules.dialect == Dialect::Slack && settings.pkce == Pkce::Required => Ok(()),
        (Some(_), None) => Err(Refusal::ClientSecretMissing.into()),
    }
}

/// Whether a call proves by Basic alone to be from the client, as GitHub's API wants it.
pub(super) fn is_client_by_basic(authority: &Authority, call: &Call) -> bool {
    let given = call.header(AUTHORIZATION).and_then(basic);
    let expected = (&authority.settings.client_id, authority.settings.client_secret.as_ref());
    given.is_some_and(|(id, secret)| {
        half_is(&id, expected.0) && expected.1.is_some_and(|expected| half_is(&secret, expected))
    })
}
