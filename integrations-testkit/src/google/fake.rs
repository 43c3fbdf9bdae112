//! What may a test do with a running fake?

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::calendar::Calendar;
use super::event::Original;
use super::spec::CalendarSpec;
use super::{AuthorizationLog, FakeGoogleBuilder, Google};
use crate::fault::{Fault, Faults};
use crate::server::Server;
use crate::traffic::{RequestLog, Traffic};

/// A running fake of Google; dropping it stops the server and closes every connection.
///
/// All methods work on the state that the server answers from, and may be called from any thread.
/// Methods that name a calendar take its id or `primary`, and panic when there is no such calendar.
///
/// ```
/// use integrations_testkit::google::{CalendarSpec, FakeGoogle};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let fake = FakeGoogle::builder()
///     .calendar(CalendarSpec::new("ada@example.com").time_zone("Europe/Berlin").primary().generated(500))
///     .start()
///     .await;
/// let id = fake.insert_event("primary", json!({"summary": "Lunch"}));
/// fake.delete_event("primary", &id);
/// assert_eq!(fake.live_events("primary"), 500);
/// # }
/// ```
pub struct FakeGoogle {
    pub(super) url: String,
    pub(super) google: Arc<Google>,
    pub(super) faults: Arc<Faults>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) server: Server,
}

impl fmt::Debug for FakeGoogle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeGoogle").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FakeGoogle {
    /// Sets up a fake.
    pub fn builder() -> FakeGoogleBuilder {
        FakeGoogleBuilder::default()
    }

    /// The base of every endpoint, such as `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The client that may ask for consent.
    pub fn client_id(&self) -> &str {
        self.google.authority.client_id()
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &str {
        self.google.authority.client_secret().unwrap_or_default()
    }

    /// The address of the account.
    pub fn user(&self) -> &str {
        &self.google.user
    }

    /// Stops the server; afterwards its port is free.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Consent and tokens.
impl FakeGoogle {
    /// Opens an authorization URL as the user who agrees; returns where the browser is sent.
    ///
    /// # Errors
    /// What the page says when the request is not in order.
    pub async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.google.authority.visit(authorization_url).await
    }

    /// What was asked for at the authorization endpoint, oldest first.
    pub fn authorizations(&self) -> Vec<AuthorizationLog> {
        self.google.authority.authorizations()
    }

    /// The user refuses the next time: the redirect carries `error=access_denied`.
    pub fn deny_next_consent(&self) {
        self.google.authority.refuse_next("access_denied");
    }

    /// The user unticks scopes: from now on every consent grants just these.
    pub fn grant_only(&self, scopes: &[&str]) {
        self.google.authority.grant_only(Some(scopes));
    }

    /// Ends [`grant_only`](Self::grant_only): consents grant what is asked for.
    pub fn grant_all(&self) {
        self.google.authority.grant_only(None);
    }

    /// Every live access token answers 401 from now on; refresh tokens live.
    pub fn expire_access_tokens(&self) {
        self.google.authority.expire_access();
    }

    /// The user ends the grant at Google: access tokens answer 401, refreshing `invalid_grant`.
    pub fn revoke_grant(&self) {
        self.google.authority.end_account(0);
    }
}

/// Calendars and events.
impl FakeGoogle {
    fn read<T>(&self, calendar: &str, work: impl FnOnce(&Calendar) -> T) -> T {
        match self.google.account().calendar(calendar) {
            Some(calendar) => work(calendar),
            None => panic!("no calendar {calendar:?} in this fake"),
        }
    }

    fn write<T>(&self, calendar: &str, work: impl FnOnce(&mut Calendar) -> T) -> T {
        match self.google.account_mut().calendar_mut(calendar) {
            Some(calendar) => work(calendar),
            None => panic!("no calendar {calendar:?} in this fake"),
        }
    }

    /// Adds a calendar to the account.
    ///
    /// # Panics
    /// When the time zone is not an IANA name.
    pub fn add_calendar(&self, calendar: CalendarSpec) {
        self.google.add_calendar(calendar);
    }

    /// Takes a calendar from the account: its events answer 404.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn remove_calendar(&self, calendar: &str) {
        assert!(self.google.account_mut().remove(calendar), "no calendar {calendar:?} in this fake");
    }

    /// Inserts an event, or replaces the one with its id; returns the id. The fields that Google
    /// assigns (`id`, `etag`, `iCalUID`, `created`, `organizer`, ...) are added where they are missing, and
    /// so are `start` and `end`.
    ///
    /// # Panics
    /// When there is no such calendar, or the event is not a JSON object.
    pub fn insert_event(&self, calendar: &str, event: Value) -> String {
        let event = object(event);
        let (now, owner) = (self.google.clock.now(), &self.google.user);
        self.write(calendar, |calendar| calendar.insert(event, owner, now))
    }

    /// Merges a patch into an event: null removes a field, arrays are replaced whole. The event gets a
    /// new `etag` and `updated`.
    ///
    /// # Panics
    /// When there is no such calendar or event.
    pub fn patch_event(&self, calendar: &str, event: &str, patch: Value) {
        let patch = Value::Object(object(patch));
        let now = self.google.clock.now();
        let known = self.write(calendar, |calendar| calendar.patch(event, patch, now));
        assert!(known, "no event {event:?} in calendar {calendar:?}");
    }

    /// Deletes an event. It leaves a tombstone; the exceptions of a series vanish with it. An instance
    /// of a series becomes a cancelled instance.
    ///
    /// # Panics
    /// When there is no such calendar or event.
    pub fn delete_event(&self, calendar: &str, event: &str) {
        let now = self.google.clock.now();
        let known = self.write(calendar, |calendar| calendar.delete(event, now));
        assert!(known, "no event {event:?} in calendar {calendar:?}");
    }

    /// Cancels one occurrence of a series, named by its original start (an RFC 3339 time or a date);
    /// returns the id of the instance.
    ///
    /// # Panics
    /// When there is no such calendar or series, or the start cannot be read.
    pub fn cancel_instance(&self, calendar: &str, master: &str, original_start: &str) -> String {
        let (now, original) = (self.google.clock.now(), original(original_start));
        let id = self.write(calendar, |calendar| calendar.cancel_instance(master, &original, now));
        id.unwrap_or_else(|| panic!("no live series {master:?} in calendar {calendar:?}"))
    }

    /// Changes one occurrence of a series: the fields are merged into the unchanged instance. Returns
    /// the id of the instance.
    ///
    /// # Panics
    /// When there is no such calendar or series, or the start cannot be read.
    pub fn override_instance(
        &self,
        calendar: &str,
        master: &str,
        original_start: &str,
        changes: Value,
    ) -> String {
        let changes = Value::Object(object(changes));
        let (now, original) = (self.google.clock.now(), original(original_start));
        let id = self.write(calendar, |calendar| calendar.override_instance(master, &original, changes, now));
        id.unwrap_or_else(|| panic!("no live series {master:?} in calendar {calendar:?}"))
    }

    /// Serves this text as an item of the coming listings, as it is.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn raw_item(&self, calendar: &str, raw_json_text: &str) {
        let now = self.google.clock.now();
        self.write(calendar, |calendar| calendar.raw(raw_json_text, now));
    }

    /// An event as `events.get` shows it, tombstones included.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn event(&self, calendar: &str, event: &str) -> Option<Value> {
        self.read(calendar, |calendar| calendar.event(event)).map(Value::Object)
    }

    /// The ids of the events that are not cancelled, in the order of a full listing.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn event_ids(&self, calendar: &str) -> Vec<String> {
        self.read(calendar, Calendar::live_ids)
    }

    /// How many events are not cancelled. Raw items are not counted.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn live_events(&self, calendar: &str) -> u64 {
        self.read(calendar, Calendar::live)
    }

    /// The sync tokens handed out for this calendar answer 410 `fullSyncRequired`.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn expire_sync_tokens(&self, calendar: &str) {
        self.write(calendar, |calendar| calendar.sync_epoch += 1);
    }

    /// The page tokens handed out for this calendar are refused: 410 `fullSyncRequired` in a listing of
    /// changes, 400 `invalid` in a full one.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn expire_page_tokens(&self, calendar: &str) {
        self.write(calendar, |calendar| calendar.page_epoch += 1);
    }

    /// The sync tokens of the calendar list answer 410 `fullSyncRequired`.
    pub fn expire_calendar_list_sync_tokens(&self) {
        self.google.account_mut().expire_sync_tokens();
    }
}

/// Traffic and faults.
impl FakeGoogle {
    /// The last 10,000 requests, oldest first.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.traffic.requests()
    }

    /// How many requests of an operation arrived, those struck by a fault included.
    pub fn count(&self, operation: &str) -> u64 {
        self.traffic.count(operation)
    }

    /// How many items listings (of events, messages, history, tasks and task lists) have put on the wire; cut
    /// answers are not counted.
    pub fn items_served(&self) -> u64 {
        self.traffic.items()
    }

    /// How many exchanges of a refresh token reached the token endpoint.
    pub fn refreshes(&self) -> u64 {
        self.count("token.refresh")
    }

    /// Forgets the log and the counters, also that of [`units_used`](Self::units_used).
    pub fn reset_counters(&self) {
        self.traffic.reset();
        self.google.gmail.reset_counters();
    }

    /// Orders a fault.
    pub fn fault(&self, fault: Fault) {
        drop(self.faults.arm(fault));
    }

    /// Takes back every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("a resource is a JSON object, not {other}"),
    }
}

fn original(text: &str) -> Original {
    Original::parse(text).unwrap_or_else(|| panic!("{text:?} is neither a date nor an RFC 3339 time"))
}
