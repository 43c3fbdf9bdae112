//! What may a test do with a running fake?

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{AuthorizationLog, FakeZoomBuilder, Zoom};
use crate::fault::{ArmedFault, Fault, Faults};
use crate::oauth::{Account, Tally};
use crate::server::Server;
use crate::traffic::{RequestLog, Traffic};

/// A running fake of Zoom; dropping it stops the server and closes every connection.
///
/// All methods work on the state that the server answers from, and may be called from any thread.
///
/// ```
/// use integrations_testkit::zoom::FakeZoom;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let fake = FakeZoom::builder().start().await;
/// let id = fake.create_meeting(json!({
///     "topic": "Weekly", "type": 8, "start_time": "2026-03-02T09:00:00", "duration": 30,
///     "timezone": "Europe/Berlin", "recurrence": {"type": 2, "weekly_days": "2", "end_times": 10},
/// }));
/// let second = &fake.occurrence_ids(id)[1];
/// fake.delete_occurrence(id, second);
/// let meeting = fake.meeting(id).unwrap();
/// assert_eq!(meeting["occurrences"][1]["status"], "deleted");
/// assert_eq!(meeting["start_time"], "2026-03-02T08:00:00Z");
/// # }
/// ```
pub struct FakeZoom {
    pub(super) url: String,
    pub(super) zoom: Arc<Zoom>,
    pub(super) faults: Arc<Faults>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) server: Server,
}

impl fmt::Debug for FakeZoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeZoom").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FakeZoom {
    /// Sets up a fake.
    pub fn builder() -> FakeZoomBuilder {
        FakeZoomBuilder::default()
    }

    /// The base of every endpoint, such as `http://127.0.0.1:41234`, without a slash at the end: of the site,
    /// and of the API, which is under `/v2` there.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The client that may ask for consent.
    pub fn client_id(&self) -> &str {
        self.zoom.authority.client_id()
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &str {
        self.zoom.authority.client_secret().unwrap_or_default()
    }

    /// The accounts that can sign in, the first of them first. Each is a user of the Zoom account.
    pub fn accounts(&self) -> &[Account] {
        self.zoom.authority.accounts()
    }

    /// The address of the first user.
    pub fn user(&self) -> &str {
        &self.accounts()[0].email
    }

    /// The id of the first user.
    pub fn user_id(&self) -> &str {
        &self.accounts()[0].id
    }

    /// The id of the Zoom account, which an app needs that asks for a token of its own.
    pub fn account_id(&self) -> &str {
        &self.accounts()[0].organization
    }

    /// Stops the server; afterwards its port is free.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Consent and tokens.
impl FakeZoom {
    /// Opens an authorization URL as the user who agrees; returns where the browser is sent.
    ///
    /// # Errors
    /// What the page says when the request is not in order.
    pub async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.zoom.authority.visit(authorization_url).await
    }

    /// What was asked for at the authorization endpoint, oldest first.
    pub fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.zoom.authority.authorizations()
    }

    /// Another user signs in from now on.
    ///
    /// # Panics
    /// When no account has this address or id.
    pub fn switch_account(&self, account: &str) {
        self.zoom.authority.seat(account);
    }

    /// The user refuses the next time: the redirect carries `error=access_denied`.
    pub fn deny_next_consent(&self) {
        self.zoom.authority.refuse_next("access_denied");
    }

    /// From now on every consent grants just these scopes.
    pub fn grant_only(&self, scopes: &[&str]) {
        self.zoom.authority.grant_only(Some(scopes));
    }

    /// Ends [`grant_only`](Self::grant_only): consents grant what is asked for.
    pub fn grant_all(&self) {
        self.zoom.authority.grant_only(None);
    }

    /// Every live access token has expired: the API answers 401 with code 124. Refresh tokens live.
    pub fn expire_access_tokens(&self) {
        self.zoom.authority.expire_access();
    }

    /// Every refresh token has expired.
    pub fn expire_refresh_tokens(&self) {
        self.zoom.authority.expire_refresh();
    }

    /// The first user removes the app: its tokens are dead.
    pub fn revoke_grant(&self) {
        self.zoom.authority.end_account(0);
    }

    /// Whether an access token would open something now.
    pub fn is_live(&self, access_token: &str) -> bool {
        self.zoom.authority.is_live(access_token)
    }

    /// What happened to codes and tokens.
    pub fn tally(&self) -> Tally {
        self.zoom.authority.tally()
    }

    /// Every code and token that was ever handed out, oldest first.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.zoom.authority.issued()
    }
}

/// Traffic, limits and faults.
impl FakeZoom {
    /// The last 10,000 requests, oldest first. One with `from` counts as one that asks for changes.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.traffic.requests()
    }

    /// How many requests of an operation arrived, those struck by a fault included.
    pub fn count(&self, operation: &str) -> u64 {
        self.traffic.count(operation)
    }

    /// How many calls of an operation were answered, with whatever but 429.
    pub fn answered(&self, operation: &str) -> u64 {
        self.zoom.meter.answered(operation)
    }

    /// How many calls of an operation were answered 429, by a limit or by a fault.
    pub fn rate_limited(&self, operation: &str) -> u64 {
        self.zoom.meter.rate_limited(operation)
    }

    /// How many items listings have put on the wire; cut answers are not counted.
    pub fn items_served(&self) -> u64 {
        self.traffic.items()
    }

    /// How many exchanges of a refresh token reached the token endpoint.
    pub fn refreshes(&self) -> u64 {
        self.count("token.refresh")
    }

    /// Forgets the log and the counters. Calls that have taken their place in a limit keep it.
    pub fn reset_counters(&self) {
        self.traffic.reset();
        self.zoom.meter.reset();
    }

    /// Leaves so many calls of the day under each label, where the plan counts them by the day.
    pub fn leave_calls_of_the_day(&self, remaining: usize) {
        self.zoom.meter.leave(remaining, self.zoom.now());
    }

    /// Every `next_page_token` that was handed out has expired.
    pub fn expire_page_tokens(&self) {
        self.zoom.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// Orders a fault. Its [`reason`](Fault::reason) is a code of Zoom's, such as `4711`, or the message of the
    /// answer; 502 to 504 without one are a page of HTML.
    pub fn fault(&self, fault: Fault) -> ArmedFault {
        self.faults.arm(fault)
    }

    /// Takes back every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }
}
