//! What may a test do with a running fake?

use std::fmt;
use std::sync::Arc;

use super::{AuthorizationLog, FakeSlackBuilder, Slack};
use crate::fault::{ArmedFault, Fault, Faults};
use crate::oauth::{Account, Tally};
use crate::server::Server;
use crate::traffic::{RequestLog, Traffic};

/// A running fake of Slack; dropping it stops the server and closes every connection.
///
/// All methods work on the state that the server answers from, and may be called from any thread.
///
/// ```
/// use integrations_testkit::slack::{ChannelSpec, FakeSlack};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let fake = FakeSlack::builder().channel(ChannelSpec::public("general").id("C0GENERAL")).start().await;
/// let parent = fake.post("C0GENERAL", json!({"text": "Lunch?"}));
/// let reply = fake.reply("C0GENERAL", &parent, json!({"text": "Yes"}));
/// assert_eq!(fake.history("C0GENERAL"), [parent.clone()]);
/// assert_eq!(fake.thread("C0GENERAL", &parent), [reply]);
/// # }
/// ```
pub struct FakeSlack {
    pub(super) url: String,
    pub(super) slack: Arc<Slack>,
    pub(super) faults: Arc<Faults>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) server: Server,
}

impl fmt::Debug for FakeSlack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSlack").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FakeSlack {
    /// Sets up a fake.
    pub fn builder() -> FakeSlackBuilder {
        FakeSlackBuilder::default()
    }

    /// The base of every endpoint, such as `http://127.0.0.1:41234`, without a slash at the end. The methods
    /// are under `/api/` there.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The client that may ask for consent.
    pub fn client_id(&self) -> &str {
        self.slack.authority.client_id()
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &str {
        self.slack.authority.client_secret().unwrap_or_default()
    }

    /// The accounts that can sign in, the first of them first. Their ids are users of the workspace.
    pub fn accounts(&self) -> &[Account] {
        self.slack.authority.accounts()
    }

    /// The address of the first account.
    pub fn user(&self) -> &str {
        &self.accounts()[0].email
    }

    /// The user that the first account is.
    pub fn user_id(&self) -> &str {
        &self.accounts()[0].id
    }

    /// The user that the app's bot is.
    pub fn bot_user_id(&self) -> String {
        self.accounts()[0].bot().0
    }

    /// The `bot_id` of the app's bot.
    pub fn bot_id(&self) -> String {
        self.accounts()[0].bot().1
    }

    /// The workspace's id.
    pub fn team_id(&self) -> &str {
        &self.accounts()[0].organization
    }

    /// Stops the server; afterwards its port is free.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Consent and tokens.
impl FakeSlack {
    /// Opens an authorization URL as the user who agrees; returns where the browser is sent.
    ///
    /// # Errors
    /// What the page says when the request is not in order.
    pub async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.slack.authority.visit(authorization_url).await
    }

    /// What was asked for at the authorization endpoint, oldest first.
    pub fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.slack.authority.authorizations()
    }

    /// Another account signs in from now on.
    ///
    /// # Panics
    /// When no account has this address or id.
    pub fn switch_account(&self, account: &str) {
        self.slack.authority.seat(account);
    }

    /// The user refuses the next time: the redirect carries `error=access_denied`.
    pub fn deny_next_consent(&self) {
        self.slack.authority.refuse_next("access_denied");
    }

    /// The user unticks scopes: from now on every consent grants just these, the bot's and the user's each
    /// theirs of them.
    pub fn grant_only(&self, scopes: &[&str]) {
        self.slack.authority.grant_only(Some(scopes));
    }

    /// Ends [`grant_only`](Self::grant_only): consents grant what is asked for.
    pub fn grant_all(&self) {
        self.slack.authority.grant_only(None);
    }

    /// Every live access token answers `token_expired` from now on; refresh tokens live.
    pub fn expire_access_tokens(&self) {
        self.slack.authority.expire_access();
    }

    /// Every refresh token has expired: refreshing answers `invalid_refresh_token`.
    pub fn expire_refresh_tokens(&self) {
        self.slack.authority.expire_refresh();
    }

    /// The first account's grant is ended at Slack: access tokens answer `token_revoked`, refreshing
    /// `invalid_refresh_token`.
    pub fn revoke_grant(&self) {
        self.slack.authority.end_account(0);
    }

    /// Whether an access token would open something now.
    pub fn is_live(&self, access_token: &str) -> bool {
        self.slack.authority.is_live(access_token)
    }

    /// What happened to codes and tokens.
    pub fn tally(&self) -> Tally {
        self.slack.authority.tally()
    }

    /// Every code and token that was ever handed out, oldest first.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.slack.authority.issued()
    }
}

/// Traffic and faults.
impl FakeSlack {
    /// The last 10,000 requests, oldest first. One with `oldest` counts as one that asks for changes.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.traffic.requests()
    }

    /// How many requests of an operation arrived, those struck by a fault included.
    pub fn count(&self, operation: &str) -> u64 {
        self.traffic.count(operation)
    }

    /// How many calls of an operation were answered, with whatever but 429.
    pub fn answered(&self, operation: &str) -> u64 {
        self.slack.meter.answered(operation)
    }

    /// How many calls of an operation were answered 429, by a limit or by a fault.
    pub fn rate_limited(&self, operation: &str) -> u64 {
        self.slack.meter.rate_limited(operation)
    }

    /// How many messages `conversations.history` and `conversations.replies` have put on the wire; cut
    /// answers are not counted.
    pub fn messages_served(&self) -> u64 {
        self.traffic.items()
    }

    /// How many exchanges of a refresh token reached the token endpoint.
    pub fn refreshes(&self) -> u64 {
        self.count("token.refresh")
    }

    /// Forgets the log and the counters. Calls that have taken their place in a minute keep it.
    pub fn reset_counters(&self) {
        self.traffic.reset();
        self.slack.meter.reset();
    }

    /// Orders a fault. One with a [`reason`](Fault::reason) alone is a failure as Slack's usually are, with
    /// status 200; status 429 is `ratelimited`, with `Retry-After: 30` unless the fault says otherwise; 500
    /// and more without a reason is a page of HTML.
    pub fn fault(&self, fault: Fault) -> ArmedFault {
        self.faults.arm(fault)
    }

    /// Takes back every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }
}
