//! How does a user connect an account?
//!
//! The authorisation code flow with PKCE S256 (RFC 6749, RFC 7636, RFC 9700). What has to be known when
//! the user comes back rests in the [`KeyValueStore`] under the hash of the state, sealed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::secret::{Secret, TokenSet};
use super::tokens::after;
use super::vault::{Binding, Sealed, Vault, random};
use crate::adapter::ServiceAdapter;
use crate::cache::KeyValueStore;
use crate::clock::Clock;
use crate::connection::{AccountId, ConnectionId, Owner, ServiceId};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Pipeline, Session};

/// How long a user has, from being sent to the provider to coming back.
pub const STATE_TTL: Duration = Duration::from_secs(600);
/// How long it is remembered that a state existed, to tell an old one from an invented one.
const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// What an adapter builds the provider's address from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// Where the provider sends the user back to.
    pub redirect_uri: Url,
    /// The state (RFC 6749, 10.12), random.
    pub state: Secret,
    /// The PKCE verifier (RFC 7636); only its S256 challenge goes into the address.
    pub verifier: Secret,
    /// Which account the user is asked for first.
    pub login_hint: Option<String>,
    /// Further parameters of the provider's own, e.g. Microsoft's `claims` or Slack's `team`.
    pub parameters: Vec<(&'static str, String)>,
}

/// What an adapter exchanges for tokens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CodeGrant {
    /// The authorisation code.
    pub code: Secret,
    /// The redirect address of the request, byte for byte.
    pub redirect_uri: Url,
    /// The PKCE verifier of the request.
    pub verifier: Secret,
}

/// Where to send the user.
#[derive(Clone)]
#[non_exhaustive]
pub struct Authorization {
    /// The provider's page. It holds the state: show it to this user alone.
    pub url: Url,
    /// Until when the user may come back.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("host", &self.url.host_str())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What the user came back with.
pub struct Callback {
    /// The path, where the whole address is known.
    path: Option<String>,
    params: HashMap<String, String>,
    repeated: bool,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("params", &self.params.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Callback {
    /// Reads the address that the user came back to: whole, or its path and query, or its query alone.
    pub fn parse(text: &str) -> Self {
        let (before, query) = text.split_once('?').unwrap_or(("", text));
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        // A path alone says nothing: a proxy may have cut a part of it.
        let path = before
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map_or(Some("/"), |at| rest.get(at..)));
        let mut callback = Self { path: path.map(str::to_owned), params: HashMap::new(), repeated: false };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            callback.repeated |= callback.params.insert(name.into_owned(), value.into_owned()).is_some();
        }
        callback
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }
}

/// What the provider granted.
#[derive(Debug)]
#[non_exhaustive]
pub struct Grant {
    /// The service.
    pub service: ServiceId,
    /// The tokens.
    pub tokens: TokenSet,
    /// The scopes that were asked for.
    pub asked: Vec<String>,
    /// The account that it should be, when a connection is renewed.
    pub account: Option<AccountId>,
}

impl Grant {
    /// The scopes that were granted: those asked for, unless the provider says otherwise.
    pub fn scopes(&self) -> Vec<String> {
        self.tokens.scopes.clone().unwrap_or_else(|| self.asked.clone())
    }

    /// The scopes that were asked for and not granted: users may untick some.
    pub fn missing_scopes(&self) -> Vec<String> {
        let mut granted = self.scopes();
        granted.extend(self.tokens.others.iter().filter_map(|other| other.scopes.clone()).flatten());
        self.asked.iter().filter(|scope| !granted.contains(scope)).cloned().collect()
    }
}

/// What rests in the store between the two halves of the flow.
#[derive(Serialize, Deserialize)]
struct Flow {
    owner: Owner,
    service: ServiceId,
    scopes: Vec<String>,
    redirect_uri: Url,
    verifier: Sealed,
    expires_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
}

/// What a flow is begun with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Begin {
    /// Whose account will be connected.
    pub owner: Owner,
    /// Where the provider sends the user back to, exactly as it is registered there.
    pub redirect_uri: Url,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// Which account to offer the user first.
    pub login_hint: Option<String>,
    /// Further parameters of the provider's own.
    pub parameters: Vec<(&'static str, String)>,
    /// The account that it has to be, when a connection is renewed.
    pub account: Option<AccountId>,
}

impl Begin {
    /// A flow of a user, with these scopes.
    pub fn new(owner: impl Into<Owner>, redirect_uri: Url, scopes: Vec<String>) -> Self {
        Self {
            owner: owner.into(),
            redirect_uri,
            scopes,
            login_hint: None,
            parameters: Vec::new(),
            account: None,
        }
    }
}

/// Sends users to providers, and takes them back.
#[derive(Debug, Clone)]
pub struct OAuthManager {
    states: Arc<dyn KeyValueStore>,
    vault: Vault,
    pipeline: Arc<Pipeline>,
    clock: Arc<dyn Clock>,
}

impl OAuthManager {
    /// A manager that keeps its states in a store.
    pub fn new(
        states: Arc<dyn KeyValueStore>,
        vault: Vault,
        pipeline: Arc<Pipeline>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { states, vault, pipeline, clock }
    }

    /// Begins a flow: where to send the user.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with code `redirect_uri` for one that is neither https nor on this
    /// machine (RFC 8252); those of the store.
    pub async fn begin(&self, adapter: &dyn ServiceAdapter, begin: Begin) -> Result<Authorization> {
        let Begin { owner, redirect_uri, scopes, login_hint, parameters, account } = begin;
        let service = &adapter.info().id;
        check_redirect(&redirect_uri).map_err(|error| error.with_service(service))?;
        let state = random_text()?;
        let verifier = random_text()?;
        let now = self.clock.now();
        let expires_at = after(now, STATE_TTL).unwrap_or(now);
        let key = state_key(state.expose());
        let sealed = self.vault.seal(&binding(&owner, service, &key), verifier.expose())?;
        let flow = Flow {
            owner,
            service: service.clone(),
            scopes: scopes.clone(),
            redirect_uri: redirect_uri.clone(),
            verifier: sealed,
            expires_at,
            account,
        };
        let request = AuthorizationRequest { scopes, redirect_uri, state, verifier, login_hint, parameters };
        let url = adapter.authenticator().authorization_url(&request)?;
        let text = serde_json::to_vec(&flow).map_err(|error| {
            Error::new(ErrorKind::InvalidRequest, "the flow cannot be stored").with_source(error)
        })?;
        self.states.put(key.as_str(), &text, MEMORY).await?;
        Ok(Authorization { url, expires_at })
    }

    /// Which service the user comes back from, without ending the flow.
    ///
    /// # Errors
    /// As [`finish`](Self::finish), for the state alone.
    pub async fn service_of(&self, callback: &Callback) -> Result<ServiceId> {
        let key = state_key(callback.get("state").ok_or_else(no_state)?);
        let text = self.states.get(key.as_str()).await?;
        read_flow(text.as_deref().ok_or_else(unknown_state)?).map(|flow| flow.service)
    }

    /// Ends a flow: checks what the user came back with, and exchanges the code.
    ///
    /// The state is used up before the exchange, so that nobody else can use it.
    ///
    /// # Errors
    /// All with the kind [`ErrorKind::InvalidRequest`], told apart by their code:
    /// `state_missing`, `state_unknown`, `state_reused`, `state_expired`, `state_of_another_user`,
    /// `state_of_another_service`, `redirect_mismatch`, `issuer_mismatch`, `issuer_missing`,
    /// `repeated_parameter`, `code_missing`. [`ErrorKind::ReauthorizationRequired`] with the provider's
    /// own code when the provider says no, e.g. `access_denied` when the user did; and those of the
    /// exchange.
    pub async fn finish(
        &self,
        adapter: &Arc<dyn ServiceAdapter>,
        owner: &Owner,
        callback: &Callback,
    ) -> Result<Grant> {
        let service = adapter.info().id.clone();
        self.finish_flow(adapter, owner, callback).await.map_err(|error| error.with_service(&service))
    }

    async fn finish_flow(
        &self,
        adapter: &Arc<dyn ServiceAdapter>,
        owner: &Owner,
        callback: &Callback,
    ) -> Result<Grant> {
        if callback.repeated {
            return Err(refused("repeated_parameter", "a parameter of the callback is given twice"));
        }
        let key = state_key(callback.get("state").ok_or_else(no_state)?);
        let text = self.states.get(key.as_str()).await?.ok_or_else(unknown_state)?;
        // Another user's state is not used up by whoever got hold of it.
        let flow = read_flow(&text)?;
        if flow.owner != *owner {
            return Err(refused(
                "state_of_another_user",
                "the flow was begun by another user; begin again, in the session that comes back",
            ));
        }
        if flow.service != adapter.info().id {
            return Err(refused("state_of_another_service", "the flow was begun for another service"));
        }
        let taken = self.states.take(key.as_str()).await?.ok_or_else(reused_state)?;
        self.states.put(key.as_str(), USED, MEMORY).await?;
        read_flow(&taken)?;
        if self.clock.now() >= flow.expires_at {
            return Err(refused(
                "state_expired",
                format!("the user took more than {} s to come back; begin again", STATE_TTL.as_secs()),
            ));
        }
        check_sender(&**adapter, &flow, callback)?;
        if let Some(error) = callback.get("error") {
            return Err(provider_says_no(error));
        }
        let code = callback
            .get("code")
            .filter(|code| !code.is_empty())
            .ok_or_else(|| refused("code_missing", "the callback holds neither a code nor an error"))?;
        let verifier = self.vault.open(&binding(owner, &flow.service, &key), &flow.verifier)?;
        let grant = CodeGrant { code: Secret::new(code), redirect_uri: flow.redirect_uri, verifier };
        let session = Session::without_token(
            Arc::clone(adapter),
            Arc::clone(&self.pipeline),
            connecting(owner, &flow.service),
        );
        let tokens = adapter.authenticator().authenticate(&session, &grant).await?;
        Ok(Grant { service: flow.service, tokens, asked: flow.scopes, account: flow.account })
    }
}

/// Stands for a connection in quotas and logs for as long as nobody knows whose account it is.
pub(crate) fn connecting(owner: &Owner, service: &ServiceId) -> ConnectionId {
    ConnectionId::new(format!("{}:{}:{service}", owner.tenant, owner.user))
}

/// Whether the callback comes from the provider that the flow was begun for (RFC 9700, 4.4): by the path
/// that only this provider sends users back to, and by what it says of itself (RFC 9207).
fn check_sender(adapter: &dyn ServiceAdapter, flow: &Flow, callback: &Callback) -> Result<()> {
    if callback.path.as_deref().is_some_and(|path| path != flow.redirect_uri.path()) {
        return Err(refused(
            "redirect_mismatch",
            "the user came back to another address than the flow was begun with",
        ));
    }
    let Some(issuer) = adapter.authenticator().issuer() else { return Ok(()) };
    match callback.get("iss") {
        Some(said) if said == issuer.name => Ok(()),
        Some(_) => Err(refused("issuer_mismatch", "another provider answered than the flow was begun for")),
        None if issuer.always => Err(refused(
            "issuer_missing",
            "the answer does not say which provider it comes from, although this one always does",
        )),
        None => Ok(()),
    }
}

fn binding<'a>(owner: &'a Owner, service: &'a ServiceId, key: &'a ConnectionId) -> Binding<'a> {
    Binding::new(owner, service, key, "pkce_verifier")
}

/// What stands in the store in place of a flow that has ended.
const USED: &[u8] = b"used";

fn read_flow(text: &[u8]) -> Result<Flow> {
    if text == USED {
        return Err(reused_state());
    }
    serde_json::from_slice(text).map_err(|_| {
        Error::new(ErrorKind::Store, "the stored flow cannot be read").with_code("flow_unreadable")
    })
}

fn no_state() -> Error {
    refused("state_missing", "the callback holds no state")
}

fn unknown_state() -> Error {
    refused("state_unknown", "no flow with this state was begun here")
}

fn reused_state() -> Error {
    refused("state_reused", "the state was used before; begin again")
}

fn refused(code: &'static str, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with_code(code).with_operation("callback")
}

/// The provider's answer to the user's browser (RFC 6749, 4.1.2.1, and OpenID Connect Core, 3.1.2.6).
fn provider_says_no(error: &str) -> Error {
    let (kind, message) = match error {
        "access_denied" => (ErrorKind::ReauthorizationRequired, "the user did not grant access"),
        "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
            (ErrorKind::ReauthorizationRequired, "the provider needs the user's consent")
        }
        "server_error" | "temporarily_unavailable" => {
            (ErrorKind::ServiceUnavailable, "the provider cannot ask the user now; try again later")
        }
        "unauthorized_client" => {
            (ErrorKind::InvalidCredentials, "the application may not ask this provider for a grant")
        }
        "invalid_scope" => (ErrorKind::InvalidRequest, "the provider does not know one of the scopes"),
        _ => (ErrorKind::InvalidRequest, "the provider refused the request"),
    };
    let known = error.len() <= 64 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let answer = Error::new(kind, message).with_operation("callback");
    if known { answer.with_code(error.to_owned()) } else { answer }
}

fn check_redirect(uri: &Url) -> Result<()> {
    let loopback = match uri.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    // RFC 8252, 7.1: a native app's own scheme is a reverse domain name.
    let private = uri.scheme().contains('.');
    if uri.fragment().is_none()
        && (uri.scheme() == "https" || (uri.scheme() == "http" && loopback) || private)
    {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidRequest,
        "the redirect address must be https, or http on the loopback address, and have no fragment",
    )
    .with_code("redirect_uri"))
}

/// The state itself is not stored: whoever reads the store cannot come back with it.
fn state_key(state: &str) -> ConnectionId {
    ConnectionId::new(format!("oauth:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(state.as_bytes()))))
}

/// 256 random bits as 43 characters: fit for a state and for a PKCE verifier (RFC 7636, 4.1).
fn random_text() -> Result<Secret> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    random(&mut *bytes)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}
