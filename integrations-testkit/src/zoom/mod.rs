//! What does Zoom (OAuth, REST v2) answer?
//!
//! [`FakeZoom`] is one Zoom account with its users. It serves the site for people and the API under one base
//! address:
//!
//! | Endpoint | Operation | Scope | Label |
//! |---|---|---|---|
//! | `/oauth/authorize` | `authorize` | | |
//! | `POST /oauth/token` | `token.code`, `token.refresh`, `token.mint` | | |
//! | `POST /oauth/revoke` | `revoke` | | |
//! | `/v2/users/me`, `/v2/users/{id}` | `users.me`, `users.get` | `user:read:user` | Light |
//! | `/v2/users` | `users.list` | `user:read:list_users:admin` | Medium |
//! | `/v2/users/{id}/meetings` | `meetings.list` | `meeting:read:list_meetings` | Medium |
//! | `/v2/meetings/{id}` | `meetings.get` | `meeting:read:meeting` | Light |
//! | `/v2/past_meetings/{id or uuid}` | `pastMeetings.get` | `meeting:read:past_meeting` | Light |
//! | `/v2/past_meetings/{id}/instances` | `pastMeetings.instances` | `meeting:read:list_past_instances` | Medium |
//! | `/v2/past_meetings/{id or uuid}/participants` | `pastMeetings.participants` | `meeting:read:list_past_participants` | Medium |
//! | `/v2/users/{id}/recordings` | `recordings.list` | `cloud_recording:read:list_user_recordings` | Medium |
//! | `/v2/meetings/{id or uuid}/recordings` | `recordings.get` | `cloud_recording:read:list_recording_files` | Light |
//!
//! The names of operations are those that [`Fault::on`] and [`FakeZoom::count`] take. Each scope has a form
//! that ends in `:admin` and a classic one, such as `meeting:read`; any of them will do. A token with the form
//! that a call needs for the whole account may name any user; another token of a user has to say `me`, and
//! one of the app's own must not.
//!
//! What Zoom has and the fake does not is refused: parameters and methods with 400, code 300, and `unsupported
//! by the fake`; paths with 404 and code 2300. Nothing is written through the API: tests act through
//! [`FakeZoom`]. Where it is not known what Zoom does, [`FakeZoomBuilder`] has a choice.
//!
//! A listing is in the order of time. A row that moves while somebody reads page after page may be read twice
//! or not at all. A session and its recordings outlive the meeting that they are of.

mod access;
mod acts;
mod answers;
mod builder;
mod choices;
mod cursor;
mod errors;
mod fake;
mod generate;
mod ids;
mod limits;
mod listing;
mod meeting;
mod operation;
mod paging;
mod query;
mod recording;
mod recurrence;
mod routes;
mod session;
mod state;
mod time;
mod user;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::clock::Clock;

use self::cursor::CursorCodec;
use self::limits::Meter;
use self::state::State;
use crate::oauth::Authority;

pub use self::builder::FakeZoomBuilder;
pub use self::choices::{ExpiredPages, LongWindow, PageTokens, SeriesRows};
pub use self::fake::FakeZoom;
pub use self::limits::Plan;
pub use crate::fault::{ArmedFault, Fault};
pub use crate::oauth::AuthorizationLog;
pub use crate::traffic::RequestLog;

/// What a test sets up once.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
struct Settings {
    page_cap: usize,
    empty_pages: bool,
    series_rows: SeriesRows,
    /// Whether a series that is shown by itself has a start and a duration.
    series_start: bool,
    /// Whether occurrences that were deleted are shown, as deleted.
    deleted_occurrences: bool,
    long_window: LongWindow,
    page_tokens: PageTokens,
    expired_pages: ExpiredPages,
    /// How far back the sessions of a meeting are listed.
    instances: Option<TimeDelta>,
    /// Whether a session in which one person was alone shows that person.
    lone_participants: bool,
    /// Whether the account pays, as participants and recordings need.
    paid: bool,
    /// How long a meeting's id lives after its last start: of one meeting, and of a series.
    lives: (TimeDelta, TimeDelta),
    limit_headers: bool,
    canary: String,
}

/// What the server and the test's handle share.
struct Zoom {
    clock: Arc<dyn Clock>,
    settings: Settings,
    codec: CursorCodec,
    epoch: AtomicU64,
    answers: AtomicU64,
    meter: Meter,
    authority: Authority,
    state: RwLock<State>,
}

impl Zoom {
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
