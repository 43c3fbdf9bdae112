//! What does Google (OAuth 2.0, Calendar v3, Gmail v1, Tasks v1) answer?
//!
//! [`FakeGoogle`] serves every endpoint under one base address:
//!
//! | Endpoint | Operation |
//! |---|---|
//! | `GET /o/oauth2/v2/auth` | `authorize` |
//! | `POST /token` | `token.code`, `token.refresh` |
//! | `POST /revoke` | `revoke` |
//! | `GET /v1/userinfo` | `userinfo` |
//! | `GET /calendar/v3/users/me/calendarList` | `calendarList.list` |
//! | `GET /calendar/v3/calendars/{calendar}/events` | `events.list` |
//! | `GET /calendar/v3/calendars/{calendar}/events/{event}` | `events.get` |
//! | `GET /gmail/v1/users/me/profile` | `getProfile` |
//! | `GET /gmail/v1/users/me/labels` | `labels.list` |
//! | `GET /gmail/v1/users/me/labels/{label}` | `labels.get` |
//! | `GET /gmail/v1/users/me/messages` | `messages.list` |
//! | `GET /gmail/v1/users/me/messages/{message}` | `messages.get` |
//! | `GET /gmail/v1/users/me/messages/{message}/attachments/{attachment}` | `messages.attachments.get` |
//! | `GET /gmail/v1/users/me/threads/{thread}` | `threads.get` |
//! | `GET /gmail/v1/users/me/history` | `history.list` |
//! | `GET /tasks/v1/users/@me/lists` | `tasklists.list` |
//! | `GET /tasks/v1/lists/{list}/tasks` | `tasks.list` |
//! | `GET /tasks/v1/lists/{list}/tasks/{task}` | `tasks.get` |
//! | `POST /batch/gmail/v1`, `POST /batch` | `batch` |
//!
//! The first four are those of [`Dialect::Google`](crate::oauth::Dialect::Google), with one account.
//!
//! The names of operations are those that [`Fault::on`] and [`FakeGoogle::count`] take. What Google
//! has and the fake does not (`singleEvents=true`, `q` beyond dates, `eventTypes`, property filters,
//! `fields`) is refused with 400 `unsupportedByFake`, never ignored. A series counts as unbounded for
//! `timeMin`, unless it was generated with an end: the fake does not expand rules.
//!
//! The calls of a batch are counted and struck by faults as if each had come alone; a fault on `batch`
//! strikes the whole. `/batch` takes calls of Gmail or of Tasks, but not of both at once. A call inside a
//! batch cannot be delayed or held; one that is reset, or whose answer is lost, has no part in the answer.

mod batch;
mod builder;
mod calendar;
mod calendar_list;
mod conditional;
pub(crate) mod errors;
mod event;
mod events;
mod fake;
mod generate;
mod gmail;
mod listing;
mod paging;
mod query;
mod routes;
mod spec;
mod tasks;
mod tokens;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use integrations_core::clock::Clock;

use self::calendar::Calendar;
use self::calendar_list::Account;
use self::generate::{Almanac, Generator};
use self::gmail::Gmail;
use self::tasks::Tasks;
use self::tokens::TokenCodec;
use crate::fault::Faults;
use crate::oauth::Authority;
use crate::traffic::Traffic;

pub use self::builder::FakeGoogleBuilder;
pub use self::fake::FakeGoogle;
pub use self::gmail::MailSpec;
pub use self::spec::CalendarSpec;
pub use self::tasks::TaskListSpec;
pub use crate::fault::Fault;
pub use crate::oauth::AuthorizationLog;
pub use crate::traffic::RequestLog;

/// What the server and the test's handle share.
struct Google {
    clock: Arc<dyn Clock>,
    seed: u64,
    almanac: Arc<Almanac>,
    user: String,
    page_cap: usize,
    empty_pages: bool,
    codec: TokenCodec,
    authority: Authority,
    account: RwLock<Account>,
    gmail: Gmail,
    tasks: Tasks,
    faults: Arc<Faults>,
    traffic: Arc<Traffic>,
}

impl Google {
    fn account(&self) -> RwLockReadGuard<'_, Account> {
        self.account.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn account_mut(&self) -> RwLockWriteGuard<'_, Account> {
        self.account.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_calendar(&self, spec: CalendarSpec) {
        let Ok(zone) = spec.time_zone.parse() else {
            panic!("calendar {:?}: {:?} is no IANA time zone", spec.id, spec.time_zone);
        };
        let owner = if spec.primary { &self.user } else { &spec.id };
        let generator = Generator::new(self.seed, &spec.id, zone, spec.generated, owner, &self.almanac);
        self.account_mut().add(Calendar::new(spec, zone, generator, self.clock.now()));
    }
}
