//! What do the endpoints of one OAuth server share, and which of them answers a call?

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::HOST;
use integrations_core::clock::Clock;
use percent_encoding::percent_decode_str;

use super::account::Account;
use super::authorize::AuthorizationLog;
use super::dialect::{Dialect, Operation, Pkce, Rules};
use super::ledger::Ledger;
use super::{authorize, exchange, failure, identity, installation, page, revoke};
use crate::params::Params;
use crate::server::{Call, Reply, Route, Service};

/// What does not change while a fake runs. It has no `Debug`: it holds the client's secret.
pub(crate) struct Settings {
    pub(super) client_id: String,
    /// `None` for a public client.
    pub(super) client_secret: Option<String>,
    pub(super) accounts: Vec<Account>,
    /// Empty: any that is https or on the loopback interface.
    pub(super) redirect_uris: Vec<String>,
    pub(super) app_scopes: Vec<String>,
    pub(super) pkce: Pkce,
    /// What the callback says in `iss` (RFC 9207).
    pub(super) issuer: Option<String>,
    pub(super) consent_page: bool,
    /// `None`: tokens do not expire.
    pub(super) access_life: Option<Duration>,
    pub(super) api_url: Option<String>,
    pub(super) app: Option<installation::App>,
}

/// What a test changes while a fake runs.
pub(super) struct Stage {
    pub(super) ledger: Ledger,
    /// Who signs in next.
    pub(super) seated: usize,
    pub(super) refuse_next: Option<String>,
    /// What users grant, when it is not what is asked for.
    pub(super) only: Option<Vec<String>>,
    /// The claims that Microsoft's API insists on.
    pub(super) claims: Option<String>,
    pub(super) installations: Vec<installation::Installation>,
    pub(super) authorizations: Vec<AuthorizationLog>,
}

/// An OAuth server: the rules of its provider, and its state.
pub(crate) struct Authority {
    pub(super) rules: &'static Rules,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stage: Mutex<Stage>,
}

impl Authority {
    pub(super) fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn account(&self, index: Option<usize>) -> Option<&Account> {
        self.settings.accounts.get(index?)
    }

    /// Whether the app's tokens never expire.
    pub(crate) const fn lasts(&self) -> bool {
        self.settings.access_life.is_none()
    }

    /// How long a token lives; where they never expire, what the others' would.
    pub(super) fn access_life(&self) -> Duration {
        self.settings.access_life.unwrap_or(self.rules.access_life)
    }

    /// The regional base that Zoom tells: the fake's own, as the caller knows it.
    pub(super) fn api_url(&self, call: &Call) -> String {
        let own = || format!("http://{}", call.header(HOST).unwrap_or("127.0.0.1"));
        self.settings.api_url.clone().unwrap_or_else(own)
    }

    /// The endpoint of a call, and what its path names.
    fn route(&self, call: &Call) -> Option<(Operation, Option<String>)> {
        let mut routes = self.rules.routes.iter().filter(|(method, ..)| *method == call.method.as_str());
        routes.find_map(|(_, pattern, operation)| {
            let (mut path, mut named) = (call.path.split('/'), None);
            for expected in pattern.split('/') {
                let segment = path.next()?;
                if expected == "{}" && !segment.is_empty() {
                    named = Some(percent_decode_str(segment).decode_utf8_lossy().into_owned());
                } else if expected != segment {
                    return None;
                }
            }
            path.next().is_none().then_some((*operation, named))
        })
    }

    /// What a call asks for; `None` when it is nothing of OAuth's.
    pub(crate) fn operation(&self, call: &Call) -> Option<Operation> {
        let (operation, _) = self.route(call)?;
        if operation != Operation::TokenCode {
            return Some(operation);
        }
        let form = Params::form(call);
        Some(match form.as_ref().and_then(|form| form.get("grant_type")) {
            Some("refresh_token") => Operation::TokenRefresh,
            Some("account_credentials" | "client_credentials") => Operation::TokenMint,
            _ => Operation::TokenCode,
        })
    }

    /// The answer to a call that has an [`operation`](Self::operation).
    pub(crate) fn serve(&self, call: &Call) -> Option<Reply> {
        let (operation, named) = self.route(call)?;
        let named = named.as_deref();
        Some(match operation {
            Operation::Authorize => authorize::authorize(self, call, named),
            Operation::TokenCode | Operation::TokenRefresh | Operation::TokenMint => {
                exchange::exchange(self, call, named)
            }
            Operation::UserInfo => identity::of_token(self, call),
            Operation::User => identity::of_user(self, call, named.unwrap_or_default()),
            Operation::Revoke | Operation::RevokeToken | Operation::CheckToken | Operation::Uninstall => {
                revoke::revoke(self, operation, call, named)
            }
            Operation::Installation | Operation::InstallationToken => {
                installation::answer(self, operation, call, named.unwrap_or_default())
            }
            Operation::InstallationTokenEnd => installation::end_token(self, call),
            Operation::InstallationRepositories => installation::repositories(self, call),
        })
    }

    /// The provider's error of an OAuth operation, for a fault.
    pub(crate) fn fail(&self, operation: Operation, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        let google = self.rules.dialect == Dialect::Google;
        match operation {
            Operation::Authorize => page::failed(status, reason.unwrap_or("server_error")),
            Operation::TokenCode | Operation::TokenRefresh | Operation::TokenMint => {
                failure::fault(self, call, status, reason)
            }
            Operation::Revoke if google || self.rules.dialect == Dialect::Zoom => {
                failure::fault(self, call, status, reason)
            }
            _ => failure::api_fault(self.rules.dialect, operation.name(), status, reason),
        }
    }

    /// The API answers with a claims challenge to tokens that were not asked for with these claims.
    pub(crate) fn require_claims(&self, claims: Option<&str>) {
        self.stage().claims = claims.map(str::to_owned);
    }

    /// What `check` says of the scopes of an access token that is in force.
    pub(crate) fn scopes<T>(&self, access: &str, check: impl FnOnce(&[String]) -> T) -> Option<T> {
        let stage = self.stage();
        let (family, _) = stage.ledger.unlock(access, self.clock.now()).ok()?;
        Some(check(&family.scopes))
    }
}

impl Service for Authority {
    fn route(&self, call: &Call) -> Route {
        let operation = self.operation(call).map_or("unknown", Operation::name);
        Route { operation, page_token: false, sync_token: false }
    }

    fn answer(&self, _operation: &'static str, call: &Call) -> Reply {
        self.serve(call).unwrap_or_else(|| page::failed(404, "Not Found"))
    }

    fn error(&self, _operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        match self.operation(call) {
            Some(operation) => self.fail(operation, call, status, reason),
            None => page::failed(status, reason.unwrap_or("error")),
        }
    }
}
