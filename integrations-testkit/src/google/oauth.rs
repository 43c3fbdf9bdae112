//! Who may do what? Consents, codes, tokens and the grant behind them.
//!
//! There is one account and one client, so there is at most one grant. Revoking any of its tokens
//! ends it, as at Google.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::random::Mint;

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What a client asked for at the authorization endpoint, without state, challenge and redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationLog {
    /// The scopes, as asked.
    pub scopes: Vec<String>,
    /// `access_type`, such as `offline`.
    pub access_type: Option<String>,
    /// `prompt`, such as `consent`.
    pub prompt: Option<String>,
    /// `include_granted_scopes`.
    pub include_granted_scopes: Option<String>,
    /// `login_hint`.
    pub login_hint: Option<String>,
}

/// How tokens are made.
#[derive(Debug, Clone)]
pub(super) struct TokenPolicy {
    pub(super) access_lifetime: Duration,
    pub(super) rotate: bool,
    pub(super) access_prefix: String,
    pub(super) refresh_prefix: String,
}

/// A valid request for consent.
pub(super) struct ConsentRequest {
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) log: AuthorizationLog,
}

struct Code {
    redirect_uri: String,
    challenge: String,
    scopes: Vec<String>,
    refresh: bool,
    expires: DateTime<Utc>,
    used: bool,
}

#[derive(Clone)]
struct Token {
    scopes: Vec<String>,
    /// The code the token goes back to, for the revocation that a reused code brings.
    code: Option<String>,
    expires: Option<DateTime<Utc>>,
}

/// A refused grant: `error` and `error_description` of RFC 6749, 5.2.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) &'static str, pub(super) &'static str);

const BAD_CODE: Refused = Refused("invalid_grant", "Malformed auth code.");
const BAD_REFRESH: Refused = Refused("invalid_grant", "Token has been expired or revoked.");

pub(super) struct OAuth {
    policy: TokenPolicy,
    mint: Mint,
    codes: HashMap<String, Code>,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
    granted: HashSet<String>,
    only: Option<Vec<String>>,
    deny_next: bool,
    authorizations: Vec<AuthorizationLog>,
}

impl OAuth {
    pub(super) fn new(policy: TokenPolicy, seed: u64) -> Self {
        Self {
            policy,
            mint: Mint::new(seed),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            granted: HashSet::new(),
            only: None,
            deny_next: false,
            authorizations: Vec::new(),
        }
    }

    pub(super) fn open_access(&mut self, token: String, scopes: &[&str]) {
        self.access.insert(token, open(scopes));
    }

    pub(super) fn open_refresh(&mut self, token: String, scopes: &[&str]) {
        self.refresh.insert(token, open(scopes));
    }

    pub(super) fn record(&mut self, log: AuthorizationLog) {
        self.authorizations.push(log);
    }

    pub(super) fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.authorizations.clone()
    }

    pub(super) fn take_denial(&mut self) -> bool {
        std::mem::take(&mut self.deny_next)
    }

    pub(super) fn deny_next(&mut self) {
        self.deny_next = true;
    }

    pub(super) fn grant_only(&mut self, scopes: Option<Vec<String>>) {
        self.only = scopes;
    }

    /// The user agrees: a code, and the scopes it stands for.
    pub(super) fn consent(&mut self, request: ConsentRequest, now: DateTime<Utc>) -> (String, Vec<String>) {
        let first = self.granted.is_empty();
        let mut scopes = self.only.clone().unwrap_or_else(|| request.log.scopes.clone());
        if request.log.include_granted_scopes.as_deref() == Some("true") {
            let mut earlier: Vec<_> = self.granted.iter().filter(|s| !scopes.contains(s)).cloned().collect();
            earlier.sort_unstable();
            scopes.extend(earlier);
        }
        self.granted.extend(scopes.iter().cloned());
        let offline = request.log.access_type.as_deref() == Some("offline");
        let asked = request.log.prompt.as_deref().is_some_and(|p| p.split(' ').any(|word| word == "consent"));
        let code = format!("4/0{}", self.mint.token());
        self.codes.insert(
            code.clone(),
            Code {
                redirect_uri: request.redirect_uri,
                challenge: request.challenge,
                scopes: scopes.clone(),
                refresh: offline && (first || asked),
                expires: now + CODE_LIFETIME,
                used: false,
            },
        );
        (code, scopes)
    }

    /// Exchanges a code for tokens.
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: DateTime<Utc>,
    ) -> Result<Value, Refused> {
        let record = self.codes.get_mut(code).ok_or(BAD_CODE)?;
        if std::mem::replace(&mut record.used, true) {
            // RFC 6749, 4.1.2: tokens from a code that comes twice are revoked.
            self.access.retain(|_, token| token.code.as_deref() != Some(code));
            self.refresh.retain(|_, token| token.code.as_deref() != Some(code));
            return Err(Refused("invalid_grant", "Code was already redeemed."));
        }
        if now >= record.expires {
            return Err(BAD_CODE);
        }
        if record.redirect_uri != redirect_uri {
            return Err(Refused("redirect_uri_mismatch", "Bad Request"));
        }
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != record.challenge {
            return Err(Refused("invalid_grant", "Invalid code verifier."));
        }
        let wants_refresh = record.refresh;
        let origin = Token { scopes: record.scopes.clone(), code: Some(code.to_owned()), expires: None };
        let refresh = wants_refresh.then(|| self.mint_refresh(&origin));
        Ok(self.answer(&origin, refresh, now))
    }

    /// Exchanges a refresh token for an access token.
    pub(super) fn refresh(&mut self, refresh: &str, now: DateTime<Utc>) -> Result<Value, Refused> {
        let origin = self.refresh.get(refresh).cloned().ok_or(BAD_REFRESH)?;
        let next = self.policy.rotate.then(|| {
            self.refresh.remove(refresh);
            self.mint_refresh(&origin)
        });
        Ok(self.answer(&origin, next, now))
    }

    fn mint_refresh(&mut self, origin: &Token) -> String {
        let token = format!("{}{}", self.policy.refresh_prefix, self.mint.token());
        self.refresh.insert(token.clone(), origin.clone());
        token
    }

    fn answer(&mut self, origin: &Token, refresh: Option<String>, now: DateTime<Utc>) -> Value {
        let access = format!("{}{}", self.policy.access_prefix, self.mint.token());
        let lifetime = self.policy.access_lifetime;
        // A lifetime beyond the calendar means that the token does not expire.
        let expires = TimeDelta::from_std(lifetime).ok().and_then(|life| now.checked_add_signed(life));
        self.access.retain(|_, token| token.expires.is_none_or(|expires| expires > now));
        self.access.insert(access.clone(), Token { expires, ..origin.clone() });
        let mut body = json!({
            "access_token": access,
            "expires_in": lifetime.as_secs(),
            "scope": origin.scopes.join(" "),
            "token_type": "Bearer",
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
        }
        body
    }

    /// The scopes of a live access token, judged by `check`.
    pub(super) fn scopes<T>(
        &self,
        access: &str,
        now: DateTime<Utc>,
        check: impl FnOnce(&[String]) -> T,
    ) -> Option<T> {
        let token = self.access.get(access)?;
        token.expires.is_none_or(|expires| now < expires).then(|| check(&token.scopes))
    }

    /// Ends the grant that the token belongs to; false when there is none.
    pub(super) fn revoke(&mut self, token: &str, now: DateTime<Utc>) -> bool {
        let live = self.refresh.contains_key(token) || self.scopes(token, now, |_| ()).is_some();
        if live {
            self.end_grant();
        }
        live
    }

    pub(super) fn end_grant(&mut self) {
        self.codes.clear();
        self.access.clear();
        self.refresh.clear();
        self.granted.clear();
    }

    pub(super) fn expire_access(&mut self) {
        self.access.clear();
    }
}

fn open(scopes: &[&str]) -> Token {
    Token { scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(), code: None, expires: None }
}
