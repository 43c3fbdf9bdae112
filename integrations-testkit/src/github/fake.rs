//! What may a test do with a running fake?

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::limits::{Payer, Resource};
use super::{AuthorizationLog, FakeGitHubBuilder, GitHub, InstallationSpec};
use crate::fault::{ArmedFault, Fault, Faults};
use crate::oauth::{Account, Tally};
use crate::server::Server;
use crate::traffic::{RequestLog, Traffic};

/// A running fake of GitHub; dropping it stops the server and closes every connection.
///
/// All methods work on the state that the server answers from, and may be called from any thread.
///
/// ```
/// use integrations_testkit::github::{FakeGitHub, RepoSpec};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let fake = FakeGitHub::builder().repository(RepoSpec::new("octo-org/hello")).start().await;
/// let number = fake.open_issue("octo-org/hello", json!({"title": "Found a bug", "labels": ["bug"]}));
/// fake.comment("octo-org/hello", number, json!({"body": "Me too", "user": "ada"}));
/// fake.close_issue("octo-org/hello", number, Some("completed"));
/// let issue = fake.issue("octo-org/hello", number).unwrap();
/// assert_eq!((&issue["state"], &issue["comments"]), (&json!("closed"), &json!(1)));
/// # }
/// ```
pub struct FakeGitHub {
    pub(super) url: String,
    pub(super) github: Arc<GitHub>,
    pub(super) faults: Arc<Faults>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) server: Server,
}

impl fmt::Debug for FakeGitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeGitHub").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FakeGitHub {
    /// Sets up a fake.
    pub fn builder() -> FakeGitHubBuilder {
        FakeGitHubBuilder::default()
    }

    /// The base of every endpoint, such as `http://127.0.0.1:41234`, without a slash at the end: of the site,
    /// and of the API as `api.github.com` has it. GitHub Enterprise's API is under `/api/v3` there.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The client that may ask for consent.
    pub fn client_id(&self) -> &str {
        self.github.authority.client_id()
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &str {
        self.github.authority.client_secret().unwrap_or_default()
    }

    /// The accounts that can sign in, the first of them first.
    pub fn accounts(&self) -> &[Account] {
        self.github.authority.accounts()
    }

    /// The address of the first account.
    pub fn user(&self) -> &str {
        &self.accounts()[0].email
    }

    /// The login of the first account.
    pub fn login(&self) -> String {
        let hub = self.github.hub();
        hub.roster.get(hub.accounts[0]).login.clone()
    }

    /// The number of the first account.
    pub fn user_id(&self) -> u64 {
        let hub = self.github.hub();
        hub.roster.get(hub.accounts[0]).id
    }

    /// Stops the server; afterwards its port is free.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Consent and tokens.
impl FakeGitHub {
    /// Opens an authorization URL as the user who agrees; returns where the browser is sent.
    ///
    /// # Errors
    /// What the page says when the request is not in order.
    pub async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.github.authority.visit(authorization_url).await
    }

    /// What was asked for at the authorization endpoint, oldest first.
    pub fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.github.authority.authorizations()
    }

    /// Another account signs in from now on.
    ///
    /// # Panics
    /// When no account has this address or id.
    pub fn switch_account(&self, account: &str) {
        self.github.authority.seat(account);
    }

    /// The user refuses the next time: the redirect carries `error=access_denied`.
    pub fn deny_next_consent(&self) {
        self.fail_next_consent_with("access_denied");
    }

    /// The next redirect carries this error, such as `application_suspended`.
    pub fn fail_next_consent_with(&self, error: &str) {
        self.github.authority.refuse_next(error);
    }

    /// The user unticks scopes: from now on every consent grants just these.
    pub fn grant_only(&self, scopes: &[&str]) {
        self.github.authority.grant_only(Some(scopes));
    }

    /// Ends [`grant_only`](Self::grant_only): consents grant what is asked for.
    pub fn grant_all(&self) {
        self.github.authority.grant_only(None);
    }

    /// Every live access token answers `Bad credentials` from now on, installations' and open ones too;
    /// refresh tokens live.
    pub fn expire_access_tokens(&self) {
        self.github.authority.expire_access();
    }

    /// Every refresh token has expired: refreshing answers `bad_refresh_token`.
    pub fn expire_refresh_tokens(&self) {
        self.github.authority.expire_refresh();
    }

    /// The first account takes everything back: its tokens are dead.
    pub fn revoke_grant(&self) {
        self.github.authority.end_account(0);
    }

    /// Whether an access token would open something now.
    pub fn is_live(&self, access_token: &str) -> bool {
        self.github.authority.is_live(access_token)
    }

    /// What happened to codes and tokens.
    pub fn tally(&self) -> Tally {
        self.github.authority.tally()
    }

    /// Every code and token that was ever handed out, oldest first.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.github.authority.issued()
    }
}

/// Installations of the GitHub App.
impl FakeGitHub {
    /// The owner of an account installs the app, or changes what it may do and where: it replaces the
    /// installation with the same id. Tokens keep the permissions and repositories that they were made
    /// with, as far as the installation has them still.
    pub fn install(&self, installation: InstallationSpec) {
        self.github.authority.install(installation);
    }

    /// Suspends an installation, or lifts the suspension.
    ///
    /// # Panics
    /// When there is no such installation.
    pub fn suspend_installation(&self, id: u64, suspended: bool) {
        self.github.authority.suspend(id, suspended);
    }

    /// The owner removes the app: its tokens for the installation are dead.
    pub fn remove_installation(&self, id: u64) {
        self.github.authority.uninstall(id);
    }

    /// A token of an installation, as the app gets one with its own token: it lives an hour.
    ///
    /// # Panics
    /// When there is no such installation.
    pub fn installation_token(&self, id: u64) -> String {
        self.github.authority.mint_for(id)
    }
}

/// Traffic, limits and faults.
impl FakeGitHub {
    /// The last 10,000 requests, oldest first. One with `since` counts as one that asks for changes.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.traffic.requests()
    }

    /// How many requests of an operation arrived, those struck by a fault included.
    pub fn count(&self, operation: &str) -> u64 {
        self.traffic.count(operation)
    }

    /// How many requests of an operation were answered 304.
    pub fn not_modified(&self, operation: &str) -> u64 {
        self.github.meter.not_modified(operation)
    }

    /// How many requests of an operation were refused because of a limit, or of a fault that says so.
    pub fn rate_limited(&self, operation: &str) -> u64 {
        self.github.meter.rate_limited(operation)
    }

    /// How many units of primary limits were used up: a call each, in GraphQL points, and nothing for a 304.
    pub fn units_used(&self) -> u64 {
        self.github.meter.units()
    }

    /// How many times somebody looked for notifications before `X-Poll-Interval` was over.
    pub fn early_polls(&self) -> u64 {
        self.github.meter.early_polls()
    }

    /// How many items listings have put on the wire; cut answers are not counted.
    pub fn items_served(&self) -> u64 {
        self.traffic.items()
    }

    /// How many exchanges of a refresh token reached the token endpoint.
    pub fn refreshes(&self) -> u64 {
        self.count("token.refresh")
    }

    /// Every cursor that a link has named so far is refused with 422 from now on.
    pub fn expire_cursors(&self) {
        self.github.expiries.fetch_add(1, Ordering::SeqCst);
    }

    /// Forgets the log and the counters. What was used of a limit stays used.
    pub fn reset_counters(&self) {
        self.traffic.reset();
        self.github.meter.reset();
    }

    /// Leaves the first account so many calls of the hour; none exhausts the limit until the reset.
    pub fn leave_calls(&self, remaining: u64) {
        self.leave(Resource::Core, remaining);
    }

    /// The same of GraphQL's points.
    pub fn leave_graphql_points(&self, remaining: u64) {
        self.leave(Resource::GraphQl, remaining);
    }

    fn leave(&self, resource: Resource, remaining: u64) {
        let payer = Payer::User(self.github.hub().accounts[0]);
        self.github.meter.leave(payer, resource, remaining, self.github.clock.now());
    }

    /// Leaves an installation so many calls of the hour.
    pub fn leave_installation_calls(&self, id: u64, remaining: u64) {
        let payer = Payer::Installation(id);
        self.github.meter.leave(payer, Resource::Core, remaining, self.github.clock.now());
    }

    /// Orders a fault. Its [`reason`](Fault::reason) is the message of the answer; 403 and 429 without one
    /// are a secondary limit with `Retry-After: 60`, 503 and 504 a page of HTML.
    pub fn fault(&self, fault: Fault) -> ArmedFault {
        self.faults.arm(fault)
    }

    /// Takes back every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }
}
