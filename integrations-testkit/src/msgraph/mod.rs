//! What does Microsoft Graph (OAuth 2.0, Outlook calendar and mail, v1.0) answer?
//!
//! [`FakeGraph`] serves every endpoint under one base address, for one account:
//!
//! | Endpoint | Operation |
//! |---|---|
//! | `GET /{tenant}/oauth2/v2.0/authorize` | `authorize` |
//! | `POST /{tenant}/oauth2/v2.0/token` | `token.code`, `token.refresh`, `token.mint` |
//! | `GET /v1.0/me` | `userinfo` |
//! | `POST /v1.0/me/revokeSignInSessions` | `revoke` |
//! | `GET /v1.0/me/mailboxSettings`, `.../timeZone` | `mailboxSettings.get` |
//! | `GET /v1.0/me/calendars` | `calendars.list` |
//! | `GET /v1.0/me/calendars/{id}`, `/me/calendar` | `calendars.get` |
//! | `GET /v1.0/me/calendars/{id}/calendarView/delta`, `/me/calendarView/delta` | `calendarView.delta` |
//! | `GET /v1.0/me/calendars/{id}/calendarView`, `/me/calendarView` | `calendarView.list` |
//! | `GET /v1.0/me/calendars/{id}/events`, `/me/events` | `events.list` |
//! | `GET /v1.0/me/events/{id}` | `events.get` |
//! | `GET /v1.0/me/events/{id}/instances` | `events.instances` |
//! | `GET /v1.0/me/events/{id}/calendar` | `events.calendar` |
//! | `GET /v1.0/me/mailFolders` | `mailFolders.list` |
//! | `GET /v1.0/me/mailFolders/delta` | `mailFolders.delta` |
//! | `GET /v1.0/me/mailFolders/{id}` | `mailFolders.get` |
//! | `GET /v1.0/me/mailFolders/{id}/childFolders` | `childFolders.list` |
//! | `GET /v1.0/me/mailFolders/{id}/messages/delta` | `messages.delta` |
//! | `GET /v1.0/me/mailFolders/{id}/messages`, `/me/messages` | `messages.list` |
//! | `GET /v1.0/me/messages/{id}` | `messages.get` |
//! | `GET /v1.0/me/messages/{id}/attachments` | `attachments.list` |
//! | `GET /v1.0/me/messages/{id}/attachments/{id}` | `attachments.get` |
//! | `GET /v1.0/me/messages/{id}/attachments/{id}/$value` | `attachments.value` |
//! | `POST /v1.0/$batch` | `batch` |
//!
//! The first four are those of [`Dialect::Microsoft`](crate::oauth::Dialect::Microsoft). The names of
//! operations are those that [`Fault::on`] and [`FakeGraph::count`] take; the requests inside a batch are
//! counted and struck as operations of their own. The reason of a fault is Graph's code, and codes behind a
//! slash stand in `innerError`: `BadRequest/syncStateNotFound`.
//!
//! What Graph has and the fake does not (`$filter`, `$search`, most of `$expand` and `$orderby`, other
//! preferences and paths, everything that writes) is refused with 400 `unsupportedByFake`, never ignored.
//!
//! # What a delta round tells
//!
//! Links are absolute and opaque; a parameter that is added to one is refused. Each request is answered by its
//! own `Prefer`: a client that leaves `IdType="ImmutableId"` out on a later page gets the usual ids there.
//!
//! * A calendar's round has a window. What changed and does not lie in it is `@removed` with the reason
//!   `changed`, whether or not the client ever knew it; what was deleted, with the reason `deleted`, or all of it
//!   so ([`FakeGraphBuilder::one_reason_for_removed`]).
//! * When anything about a series changed, all of it comes again as far as it lies in the window: the series in
//!   full, occurrences as stubs, exceptions in full. An occurrence that is no longer there is not mentioned, as
//!   at Graph; [`FakeGraphBuilder::announce_removed_occurrences`] makes the fake mention those that were
//!   cancelled or moved away. A series that is deleted takes its occurrences with it.
//! * An exception has the id of the occurrence that it was, and what it does not change it has of its series.
//!   Another recurrence ends the exceptions of a series.
//! * A series may be cut by the end of a page ([`FakeGraphBuilder::whole_series`]), and it may be missing while
//!   its occurrences are there ([`FakeGraphBuilder::without_masters`]).
//! * A message that moves is `@removed` in one folder and new in the other; by its immutable id it is the same.
//!
//! # Time
//!
//! `start` and `end` are in the zone of `Prefer: outlook.timezone`, UTC without one. All-day events are
//! midnight to midnight in any, and lie in a window by their own. The fake expands recurrences itself: a day of the month that a month does not
//! have is its last one, a time that the clocks leave out comes as much later as they jump, and of a time that
//! comes twice it is the first.

mod access;
mod batch;
mod body;
mod builder;
mod calendar;
mod change_key;
mod errors;
mod fake;
mod fields;
mod ids;
mod mail;
mod page;
mod prefer;
mod query;
mod round;
mod routes;
mod settings;
mod store;
mod text;
mod throttle;
mod tokens;
mod zones;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use integrations_core::clock::Clock;

use self::calendar::Calendars;
use self::ids::Ids;
use self::mail::Mail;
use self::round::Target;
use self::throttle::Meter;
use self::tokens::TokenCodec;
use crate::fault::Faults;
use crate::oauth::Authority;
use crate::traffic::Traffic;

pub use self::builder::FakeGraphBuilder;
pub use self::calendar::CalendarSpec;
pub use self::fake::FakeGraph;
pub use self::mail::FolderSpec;
pub use self::throttle::Throttling;
pub use crate::fault::Fault;
pub use crate::oauth::AuthorizationLog;
pub use crate::traffic::RequestLog;

/// How Graph answers to a token that is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncLoss {
    /// 410 `SyncStateNotFound`, with the address of a fresh round in `Location`.
    #[default]
    SyncStateNotFound,
    /// 410 `resyncRequired`, with the address of a fresh round in `Location`.
    ResyncRequired,
    /// 400 `SyncStateInvalid`.
    SyncStateInvalid,
}

/// What the server and the test's handle share.
struct Graph {
    clock: Arc<dyn Clock>,
    seed: u64,
    user: String,
    mailbox_zone: String,
    page_cap: usize,
    empty_pages: bool,
    repeated_items: bool,
    partial_read_marks: bool,
    ids: Ids,
    codec: TokenCodec,
    authority: Authority,
    meter: Meter,
    faults: Arc<Faults>,
    traffic: Arc<Traffic>,
    state: RwLock<State>,
}

/// What changes while the fake runs.
struct State {
    calendars: Calendars,
    mail: Mail,
    delta_epoch: u32,
    skip_epoch: u32,
    loss: SyncLoss,
}

impl State {
    /// A collection that a round can be about.
    fn target(&self, path: String, version: u64, epoch: u32) -> Target {
        Target { path, version, epochs: (self.delta_epoch + epoch, self.skip_epoch + epoch), loss: self.loss }
    }
}

impl Graph {
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}
