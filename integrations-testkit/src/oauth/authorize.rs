//! What happens at the authorization endpoint?
//!
//! A request that is in order is agreed to at once or, with a consent page, shown to a person. What is
//! wrong with a request is told to the user on a page, never to an address that was not checked. The
//! fake is stricter than the providers where a client has no reason to be lax: it wants `state`, and PKCE
//! wherever the provider knows it.

use http::header::LOCATION;
use url::{Host, Url};

use super::account::guid;
use super::authority::Authority;
use super::dialect::{Dialect, Offline, Pkce};
use super::grant::{Consent, Kind};
use super::{page, tenant};
use crate::params::Params;
use crate::random::hash_text;
use crate::server::{Call, Reply};

/// An S256 challenge is 32 bytes of base64url (RFC 7636, 4.2).
const CHALLENGE_LEN: usize = 43;

/// What a client asked for at the authorization endpoint, without state, challenge and redirect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationLog {
    /// The scopes, as asked; Slack's are those of the bot.
    pub scopes: Vec<String>,
    /// Slack's `user_scope`.
    pub user_scopes: Vec<String>,
    /// `access_type`, such as `offline`.
    pub access_type: Option<String>,
    /// `prompt`, such as `consent`.
    pub prompt: Option<String>,
    /// `include_granted_scopes`.
    pub include_granted_scopes: Option<String>,
    /// The account that should sign in: `login_hint`, GitHub's `login`, Slack's `team`.
    pub login_hint: Option<String>,
    /// `claims`, as Microsoft's challenges ask for them.
    pub claims: Option<String>,
    /// Microsoft's tenant, from the path.
    pub tenant: Option<String>,
    /// Whether a PKCE challenge came along.
    pub pkce: bool,
}

/// A request that is in order.
struct Request {
    redirect: Url,
    challenge: Option<String>,
    log: AuthorizationLog,
}

pub(super) fn authorize(authority: &Authority, call: &Call, tenant: Option<&str>) -> Reply {
    let mut params = Params::parse(call.query.as_bytes());
    let pressed = params.take(page::OWN);
    let request = match check(authority, &params, tenant) {
        Ok(request) => request,
        Err(problem) => return page::refused(&problem),
    };
    let chosen = pressed.get(page::ACCOUNT).or(request.log.login_hint.as_deref());
    let seated = match sign_in(authority, chosen, tenant) {
        Ok(account) => account,
        Err(problem) => return page::refused(&problem),
    };
    let decision = pressed.get(page::DECISION).filter(|_| authority.settings.consent_page);
    if authority.settings.consent_page && decision.is_none() {
        let mut scopes = request.log.scopes.clone();
        scopes.extend(request.log.user_scopes.iter().filter(|s| !request.log.scopes.contains(s)).cloned());
        return page::consent(authority, &params, &scopes, seated);
    }
    let ticked: Option<Vec<String>> = decision
        .and(pressed.get(page::TICKED))
        .map(|_| pressed.all(page::GRANTED).map(str::to_owned).collect());

    let mut stage = authority.stage();
    stage.authorizations.push(request.log.clone());
    let denied = (decision == Some("deny")).then(|| "access_denied".to_owned());
    let refused = stage.refuse_next.take().or(denied);
    let mut location = request.redirect.clone();
    let mut pairs = location.query_pairs_mut();
    if let Some(state) = params.get("state") {
        pairs.append_pair("state", state);
    }
    if let Some(issuer) = &authority.settings.issuer {
        let organization = authority.account(Some(seated)).map_or("", |account| &account.organization);
        pairs.append_pair("iss", &issuer.replace("{tenant}", organization));
    }
    if let Some(error) = refused {
        pairs.append_pair("error", &error);
        if error == "access_denied" {
            pairs.extend_pairs(authority.rules.denied);
        }
    } else {
        let only = ticked.as_deref().or(stage.only.as_deref());
        let earlier = stage.ledger.granted(seated);
        let consent = consent(authority, &params, request, seated, only, &earlier);
        let granted = consent.first.1.join(" ");
        pairs.append_pair("code", &stage.ledger.agree(consent, authority.clock.now()));
        let more = match authority.rules.dialect {
            Dialect::Google => Some(("scope", granted)),
            Dialect::Microsoft => Some(("session_state", guid(hash_text(&granted)))),
            _ => None,
        };
        pairs.extend_pairs(more);
    }
    drop(pairs);
    page::unstored(Reply::empty(302).header(LOCATION, location.as_str()))
}

/// What the user agrees to.
fn consent(
    authority: &Authority,
    params: &Params,
    request: Request,
    account: usize,
    only: Option<&[String]>,
    earlier: &[String],
) -> Consent {
    let log = request.log;
    let says = |value: &Option<String>, word: &str| {
        value.as_deref().is_some_and(|value| value.split(' ').any(|known| known == word))
    };
    let offline = match authority.rules.offline {
        Offline::Always => true,
        Offline::AccessType => {
            says(&log.access_type, "offline") && (earlier.is_empty() || says(&log.prompt, "consent"))
        }
        Offline::Scope => log.scopes.iter().any(|scope| scope == "offline_access"),
    };
    let (mut user, mut bot) = (log.scopes, Vec::new());
    if authority.rules.dialect == Dialect::Slack {
        (user, bot) = (log.user_scopes, user);
    }
    match only {
        // Each list keeps its own; where there is one list, a provider may also grant by other names.
        Some(only) if authority.rules.dialect == Dialect::Slack => {
            user.retain(|scope| only.contains(scope));
            bot.retain(|scope| only.contains(scope));
        }
        Some(only) => user = only.to_vec(),
        None => {}
    }
    if log.include_granted_scopes.as_deref() == Some("true") {
        let more: Vec<_> = earlier.iter().filter(|scope| !user.contains(scope)).cloned().collect();
        user.extend(more);
    }
    let (first, second) = match authority.rules.dialect {
        Dialect::Slack if bot.is_empty() => ((Kind::User, user), None),
        Dialect::Slack => {
            ((Kind::Bot, bot), Some((Kind::User, user)).filter(|(_, scopes)| !scopes.is_empty()))
        }
        // The scopes of a GitHub App are its permissions: what is asked for does not count.
        Dialect::GitHub if !authority.lasts() => ((Kind::User, Vec::new()), None),
        _ => ((Kind::User, user), None),
    };
    Consent {
        account,
        first,
        second,
        offline,
        redirect_uri: params.get("redirect_uri").unwrap_or_default().to_owned(),
        challenge: request.challenge,
        nonce: params.get("nonce").map(str::to_owned),
        claims: log.claims,
    }
}

/// Who signs in: whom the request names, or else who sits at the machine.
fn sign_in(authority: &Authority, chosen: Option<&str>, tenant: Option<&str>) -> Result<usize, String> {
    let accounts = &authority.settings.accounts;
    let named = chosen.and_then(|chosen| accounts.iter().position(|account| account.answers_to(chosen)));
    let index = named.unwrap_or(authority.stage().seated);
    match (tenant, accounts.get(index)) {
        (Some(tenant), Some(account)) if !tenant::admits(tenant, account) => {
            Err(format!("AADSTS50020: User account {} does not exist in tenant '{tenant}'.", account.email))
        }
        _ => Ok(index),
    }
}

fn check(authority: &Authority, params: &Params, tenant: Option<&str>) -> Result<Request, String> {
    let rules = authority.rules;
    if let Some(name) = params.repeated() {
        return Err(format!("Parameter given twice: {name}"));
    }
    if let Some(unknown) = tenant.filter(|tenant| !tenant::exists(tenant, &authority.settings.accounts)) {
        return Err(format!("AADSTS90002: Tenant '{unknown}' not found."));
    }
    let given = |name| params.get(name).filter(|value| !value.is_empty());
    let needed = |name| given(name).ok_or(format!("Missing parameter: {name}"));
    if needed("client_id")? != authority.settings.client_id {
        return Err("The OAuth client was not found.".to_owned());
    }
    let redirect = redirect(authority, needed("redirect_uri")?)?;
    match given("response_type") {
        Some("code") => {}
        None if !rules.needs.contains(&"response_type") => {}
        _ => return Err("response_type must be code".to_owned()),
    }
    if given("response_mode").is_some_and(|mode| mode != "query") {
        return Err("The fake answers in the query only: response_mode must be query".to_owned());
    }
    needed("state")?;
    let scopes = |name| given(name).map(|text| split(rules.separators.0, text)).unwrap_or_default();
    let (mut asked, user_scopes) = (scopes("scope"), scopes("user_scope"));
    if let Some(odd) = asked.iter().chain(&user_scopes).find(|scope| scope.contains([' ', ','])) {
        return Err(format!("invalid_scope: {odd}"));
    }
    if rules.needs.contains(&"scope") && asked.is_empty() && user_scopes.is_empty() {
        return Err("Missing parameter: scope".to_owned());
    }
    let set_up = &authority.settings.app_scopes;
    if let Some(odd) = asked.iter().find(|scope| !set_up.is_empty() && !set_up.contains(scope)) {
        return Err(format!("invalid_scope: the app is not set up for {odd}"));
    }
    if asked.is_empty() {
        asked.clone_from(set_up);
    }
    let challenge = challenge(authority, given("code_challenge"), given("code_challenge_method"))?;
    let optional = |name| params.get(name).map(str::to_owned);
    let log = AuthorizationLog {
        scopes: asked,
        user_scopes,
        access_type: optional("access_type"),
        prompt: optional("prompt"),
        include_granted_scopes: optional("include_granted_scopes"),
        login_hint: optional(rules.hint),
        claims: optional("claims"),
        tenant: tenant.map(str::to_owned),
        pkce: challenge.is_some(),
    };
    Ok(Request { redirect, challenge, log })
}

pub(super) fn split(separator: char, text: &str) -> Vec<String> {
    text.split(separator).map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

fn challenge(
    authority: &Authority,
    given: Option<&str>,
    method: Option<&str>,
) -> Result<Option<String>, String> {
    let Some(challenge) = given else {
        return match (authority.settings.pkce, method) {
            (Pkce::Required, None) => Err("Missing parameter: code_challenge_method".to_owned()),
            (Pkce::Required, _) | (_, Some(_)) => Err("Missing parameter: code_challenge".to_owned()),
            _ => Ok(None),
        };
    };
    if authority.settings.pkce == Pkce::Refused {
        return Err("This app has not opted in to PKCE: code_challenge must not be sent".to_owned());
    }
    if method != Some("S256") {
        return Err("code_challenge_method must be S256".to_owned());
    }
    let unreserved = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if challenge.len() != CHALLENGE_LEN || !challenge.chars().all(unreserved) {
        return Err("code_challenge must be 43 characters of base64url".to_owned());
    }
    Ok(Some(challenge.to_owned()))
}

/// A redirect address is a registered one, word for word, but for the port of a loopback address
/// (RFC 8252, 7.3). Where none is registered, any will do that is https or on the loopback interface.
fn redirect(authority: &Authority, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "redirect_uri is no address".to_owned())?;
    if url.fragment().is_some() {
        return Err("redirect_uri must have no fragment".to_owned());
    }
    let registered = &authority.settings.redirect_uris;
    if registered.is_empty() {
        let loopback = authority.rules.loopback_redirect || authority.settings.pkce == Pkce::Required;
        return match url.scheme() {
            "https" => Ok(url),
            "http" if is_loopback(&url) && loopback => Ok(url),
            _ if loopback => Err("redirect_uri must be https, or http on the loopback interface".to_owned()),
            _ => Err("redirect_uri must be https".to_owned()),
        };
    }
    let same = |known: &&String| {
        let Ok(mut known_url) = Url::parse(known) else { return false };
        let moved = is_loopback(&known_url) && known_url.set_port(url.port()).is_ok();
        *known == text || (moved && known_url == url)
    };
    registered
        .iter()
        .find(same)
        .map(|_| url.clone())
        .ok_or_else(|| "redirect_uri is not registered".to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
