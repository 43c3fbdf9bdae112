//! What may a test do with a running fake?

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{AuthorizationLog, FakeGraphBuilder, Graph, SyncLoss};
use crate::fault::{ArmedFault, Fault};
use crate::oauth::Tally;
use crate::server::Server;
use crate::traffic::RequestLog;

/// A running fake of Microsoft Graph; dropping it stops the server and closes every connection.
///
/// All methods work on the state that the server answers from, and may be called from any thread. Ids that
/// methods return are immutable ones; those that they take may be of either kind. Methods that name a calendar
/// take its id or its name, those that name a folder its id, its well-known name or its name, and they panic
/// when there is no such thing.
///
/// ```
/// use integrations_testkit::msgraph::{CalendarSpec, FakeGraph, FolderSpec};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let fake = FakeGraph::builder()
///     .calendar(CalendarSpec::new("Calendar").time_zone("W. Europe Standard Time").generated(500))
///     .folder(FolderSpec::well_known("inbox").generated(1_000))
///     .start()
///     .await;
/// let event = fake.insert_event("Calendar", json!({"subject": "Lunch"}));
/// let message = fake.insert_message("inbox", json!({"subject": "Lunch?"}));
/// fake.delete_event(&event);
/// fake.move_message(&message, "archive");
/// assert_eq!((fake.live_events("Calendar"), fake.live_messages("inbox")), (500, 1_000));
/// # }
/// ```
pub struct FakeGraph {
    pub(super) url: String,
    pub(super) user_id: String,
    pub(super) tenant: String,
    pub(super) graph: Arc<Graph>,
    pub(super) server: Server,
}

impl fmt::Debug for FakeGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeGraph").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FakeGraph {
    /// Sets up a fake.
    pub fn builder() -> FakeGraphBuilder {
        FakeGraphBuilder::default()
    }

    /// The base of every endpoint, such as `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The client that may ask for consent.
    pub fn client_id(&self) -> &str {
        self.graph.authority.client_id()
    }

    /// The client's secret; a public client has none.
    pub fn client_secret(&self) -> Option<&str> {
        self.graph.authority.client_secret()
    }

    /// The address of the account.
    pub fn user(&self) -> &str {
        &self.graph.user
    }

    /// The account's `oid`.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The account's tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Stops the server; afterwards its port is free.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Consent and tokens.
impl FakeGraph {
    /// Opens an authorization URL as the user who agrees; returns where the browser is sent.
    ///
    /// # Errors
    /// What the page says when the request is not in order.
    pub async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.graph.authority.visit(authorization_url).await
    }

    /// What was asked for at the authorization endpoint, oldest first.
    pub fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.graph.authority.authorizations()
    }

    /// The user refuses the next time: the redirect carries `error=access_denied`.
    pub fn deny_next_consent(&self) {
        self.graph.authority.refuse_next("access_denied");
    }

    /// The next redirect carries this error, such as `temporarily_unavailable`.
    pub fn fail_next_consent_with(&self, error: &str) {
        self.graph.authority.refuse_next(error);
    }

    /// From now on every consent grants just these scopes.
    pub fn grant_only(&self, scopes: &[&str]) {
        self.graph.authority.grant_only(Some(scopes));
    }

    /// Ends [`grant_only`](Self::grant_only): consents grant what is asked for.
    pub fn grant_all(&self) {
        self.graph.authority.grant_only(None);
    }

    /// Every live access token answers 401 from now on; refresh tokens live.
    pub fn expire_access_tokens(&self) {
        self.graph.authority.expire_access();
    }

    /// Every refresh token has expired.
    pub fn expire_refresh_tokens(&self) {
        self.graph.authority.expire_refresh();
    }

    /// The user or an administrator ends the grant: access tokens answer 401, refreshing `invalid_grant`.
    pub fn revoke_grant(&self) {
        self.graph.authority.end_account(0);
    }

    /// Every request answers 401 with a claims challenge to a token that was not asked for with these `claims`
    /// (a JSON text, byte for byte); `None` ends it.
    pub fn require_claims(&self, claims: Option<&str>) {
        self.graph.authority.require_claims(claims);
    }

    /// What happened to codes and tokens.
    pub fn tally(&self) -> Tally {
        self.graph.authority.tally()
    }

    /// Whether an access token would open something now.
    pub fn is_live(&self, access_token: &str) -> bool {
        self.graph.authority.is_live(access_token)
    }

    /// Every code, token and signature that was ever handed out, oldest first.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.graph.authority.issued()
    }
}

/// Delta rounds.
impl FakeGraph {
    /// Every `$deltatoken` handed out is too old from now on: the next round has to be a full one.
    pub fn expire_delta_tokens(&self) {
        self.graph.state_mut().delta_epoch += 1;
    }

    /// Every `$skiptoken` handed out is too old from now on: a round that is under way has to begin again.
    pub fn expire_skip_tokens(&self) {
        self.graph.state_mut().skip_epoch += 1;
    }

    /// How too old a token is answered. Default [`SyncLoss::SyncStateNotFound`].
    pub fn lose_state_with(&self, loss: SyncLoss) {
        self.graph.state_mut().loss = loss;
    }
}

/// Traffic and faults.
impl FakeGraph {
    /// The last 10,000 requests, oldest first; those inside a batch stand before it.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.graph.traffic.requests()
    }

    /// How many requests of an operation arrived, those struck by a fault or refused for their number
    /// included.
    pub fn count(&self, operation: &str) -> u64 {
        self.graph.traffic.count(operation)
    }

    /// How many items of listings and rounds the fake has put on the wire; cut answers are not counted.
    pub fn items_served(&self) -> u64 {
        self.graph.traffic.items()
    }

    /// How many exchanges of a refresh token reached the token endpoint.
    pub fn refreshes(&self) -> u64 {
        self.count("token.refresh")
    }

    /// How many requests were refused because there were too many.
    pub fn throttled(&self) -> u64 {
        self.graph.meter.refused()
    }

    /// How many requests were under way at once, at most; those that were refused do not count.
    pub fn most_concurrent(&self) -> usize {
        self.graph.meter.most()
    }

    /// Forgets the log and the counters. What the limits remember stays.
    pub fn reset_counters(&self) {
        self.graph.traffic.reset();
        self.graph.meter.reset();
    }

    /// Orders a fault.
    pub fn fault(&self, fault: Fault) -> ArmedFault {
        self.graph.faults.arm(fault)
    }

    /// Takes back every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.graph.faults.clear();
    }
}

pub(super) fn object(value: Value, what: &str) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{what} is a JSON object, not {other}"),
    }
}
