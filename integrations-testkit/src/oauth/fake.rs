//! What may a test do with a running fake OAuth server?

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::account::Account;
use super::authority::Authority;
use super::authorize::AuthorizationLog;
use super::builder::FakeOAuthBuilder;
use super::dialect::Dialect;
use super::grant::Tally;
use super::identity::{self, Caller, Holder};
use super::{page, refusal};
use crate::browser;
use crate::fault::{ArmedFault, Fault, Faults};
use crate::server::{Call, Reply, Server};
use crate::traffic::{RequestLog, Traffic};

/// A running fake of a provider's OAuth server; dropping it stops the server and closes every
/// connection.
///
/// All methods work on the state that the server answers from, and may be called from any thread.
pub struct FakeOAuth {
    pub(super) url: String,
    pub(super) authority: Arc<Authority>,
    pub(super) faults: Arc<Faults>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) server: Server,
}

impl fmt::Debug for FakeOAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeOAuth")
            .field("dialect", &self.dialect())
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl FakeOAuth {
    /// Sets up a fake of this provider.
    pub fn builder(dialect: Dialect) -> FakeOAuthBuilder {
        FakeOAuthBuilder::new(dialect)
    }

    /// Whose server it stands for.
    pub fn dialect(&self) -> Dialect {
        self.authority.rules.dialect
    }

    /// The base of every endpoint, such as `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The client that may ask for consent.
    pub fn client_id(&self) -> &str {
        self.authority.client_id()
    }

    /// The client's secret; a public client has none.
    pub fn client_secret(&self) -> Option<&str> {
        self.authority.client_secret()
    }

    /// The accounts that can sign in, the first of them first.
    pub fn accounts(&self) -> &[Account] {
        self.authority.accounts()
    }

    /// Stops the server; afterwards its port is free.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// The user at the browser.
impl FakeOAuth {
    /// Opens an authorization URL as the user who agrees; returns where the browser is sent.
    ///
    /// # Errors
    /// What the page says when the request is not in order.
    pub async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.authority.visit(authorization_url).await
    }

    /// What was asked for at the authorization endpoint, oldest first.
    pub fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.authority.authorizations()
    }

    /// Another account signs in from now on, unless a request names one itself.
    ///
    /// # Panics
    /// When no account has this address, id or organization.
    pub fn switch_account(&self, account: &str) {
        self.authority.seat(account);
    }

    /// The user refuses the next time: the redirect carries `error=access_denied`.
    pub fn deny_next_consent(&self) {
        self.fail_next_consent_with("access_denied");
    }

    /// The next redirect carries this error, such as `temporarily_unavailable` or GitHub's
    /// `application_suspended`.
    pub fn fail_next_consent_with(&self, error: &str) {
        self.authority.refuse_next(error);
    }

    /// The user unticks scopes: from now on every consent grants just these. Slack's two lists each keep
    /// theirs of them.
    pub fn grant_only(&self, scopes: &[&str]) {
        self.authority.grant_only(Some(scopes));
    }

    /// Ends [`grant_only`](Self::grant_only): consents grant what is asked for.
    pub fn grant_all(&self) {
        self.authority.grant_only(None);
    }

    /// The user takes everything back at the provider: every token of the account is dead.
    ///
    /// # Panics
    /// When no account has this address, id or organization.
    pub fn revoke_account(&self, account: &str) {
        self.authority.end_account(self.authority.index(account));
    }
}

/// The provider's operator.
impl FakeOAuth {
    /// Every access token has expired; refresh tokens live.
    pub fn expire_access_tokens(&self) {
        self.authority.expire_access();
    }

    /// Every refresh token has expired.
    pub fn expire_refresh_tokens(&self) {
        self.authority.expire_refresh();
    }

    /// Microsoft's API answers 401 with a claims challenge to every token that was not asked for with
    /// these `claims` (a JSON text, byte for byte); `None` ends it.
    pub fn require_claims(&self, claims: Option<&str>) {
        self.authority.require_claims(claims);
    }

    /// Suspends an installation of the GitHub App, or lifts the suspension.
    ///
    /// # Panics
    /// When there is no such installation.
    pub fn suspend_installation(&self, id: u64, suspended: bool) {
        self.authority.suspend(id, suspended);
    }

    /// The owner removes the GitHub App: its tokens for the installation are dead.
    pub fn remove_installation(&self, id: u64) {
        self.authority.uninstall(id);
    }
}

/// What happened.
impl FakeOAuth {
    /// What happened to codes and tokens.
    pub fn tally(&self) -> Tally {
        self.authority.tally()
    }

    /// How many authorizations by users have tokens that were not revoked.
    pub fn live_grants(&self) -> usize {
        self.authority.stage().ledger.live_grants()
    }

    /// Whether an access token would open something now.
    pub fn is_live(&self, access_token: &str) -> bool {
        self.authority.is_live(access_token)
    }

    /// Every code, token and signature that was ever handed out, oldest first.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.authority.issued()
    }

    /// The last 10,000 requests, oldest first.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.traffic.requests()
    }

    /// How many requests of an operation arrived, those struck by a fault included.
    pub fn count(&self, operation: &str) -> u64 {
        self.traffic.count(operation)
    }

    /// Forgets the log and the counters of requests; the tally and the tokens stay.
    pub fn reset_counters(&self) {
        self.traffic.reset();
    }
}

/// Faults.
impl FakeOAuth {
    /// Orders a fault.
    pub fn fault(&self, fault: Fault) -> ArmedFault {
        self.faults.arm(fault)
    }

    /// Takes back every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// The next call of the token endpoint fails with this error of the provider's, in its shape and with
    /// its status: a name such as `invalid_grant` or `bad_refresh_token`, or a number of Microsoft's or
    /// Zoom's such as `50173` or `4741`.
    pub fn fail_token_with(&self, name: &str) -> ArmedFault {
        self.fault(self.token_failure(name))
    }

    /// The fault behind [`fail_token_with`](Self::fail_token_with), to be ordered with
    /// [`times`](Fault::times), [`nth`](Fault::nth) or a header. A name that the provider does not
    /// document is sent as it is.
    pub fn token_failure(&self, name: &str) -> Fault {
        let usual = if matches!(self.dialect(), Dialect::Slack | Dialect::GitHub) { 200 } else { 400 };
        let status = refusal::row_named(self.dialect(), name).map_or(usual, |row| row.status);
        Fault::on("token.*").status(status).reason(name)
    }
}

/// What the fakes have in common that contain an OAuth server.
impl Authority {
    pub(crate) fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    pub(crate) fn client_secret(&self) -> Option<&str> {
        self.settings.client_secret.as_deref()
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.settings.accounts
    }

    fn index(&self, account: &str) -> usize {
        let found = self.settings.accounts.iter().position(|known| known.answers_to(account));
        found.unwrap_or_else(|| panic!("no account {account:?}: name it in the builder"))
    }

    /// Another account signs in from now on.
    pub(crate) fn seat(&self, account: &str) {
        let index = self.index(account);
        self.stage().seated = index;
    }

    /// Opens an authorization URL as the user who agrees.
    pub(crate) async fn visit(&self, authorization_url: &str) -> Result<String, String> {
        let mut url =
            Url::parse(authorization_url).map_err(|error| format!("no authorization URL: {error}"))?;
        if self.settings.consent_page {
            url.query_pairs_mut().append_pair(page::DECISION, "allow");
        }
        browser::location(&url).await
    }

    pub(crate) fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.stage().authorizations.clone()
    }

    pub(crate) fn refuse_next(&self, error: &str) {
        self.stage().refuse_next = Some(error.to_owned());
    }

    pub(crate) fn grant_only(&self, scopes: Option<&[&str]>) {
        self.stage().only = scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect());
    }

    pub(crate) fn expire_access(&self) {
        self.stage().ledger.expire_access(self.clock.now());
    }

    pub(crate) fn end_account(&self, account: usize) {
        self.stage().ledger.end_account(account);
    }

    pub(crate) fn expire_refresh(&self) {
        self.stage().ledger.expire_refresh(self.clock.now());
    }

    pub(crate) fn tally(&self) -> Tally {
        self.stage().ledger.tally()
    }

    pub(crate) fn is_live(&self, access_token: &str) -> bool {
        self.stage().ledger.unlock(access_token, self.clock.now()).is_ok()
    }

    pub(crate) fn issued(&self) -> Vec<String> {
        self.stage().ledger.issued()
    }

    pub(crate) fn caller(&self, call: &Call) -> Result<Caller, Reply> {
        identity::caller(self, call)
    }

    /// Who holds the call's token, user or not, or the provider's refusal.
    pub(crate) fn holder(&self, call: &Call) -> Result<Holder, Reply> {
        identity::admit(self, call)
    }
}
