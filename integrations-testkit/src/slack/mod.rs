//! What does Slack (OAuth v2, Web API) answer?
//!
//! [`FakeSlack`] is one workspace. It serves every endpoint under one base address, by GET and by POST with
//! a form:
//!
//! | Endpoint | Operation | Scopes |
//! |---|---|---|
//! | `/oauth/v2/authorize` | `authorize` | |
//! | `/api/oauth.v2.access` | `token.code`, `token.refresh` | |
//! | `/api/auth.test`, `/api/auth.revoke`, `/api/apps.uninstall` | as the method | |
//! | `/api/conversations.list` | as the method | `channels:read`, `groups:read`, `im:read`, `mpim:read`, by the types asked for |
//! | `/api/users.conversations` | as the method | the same |
//! | `/api/conversations.info`, `/api/conversations.members` | as the method | the same, by the channel's type |
//! | `/api/conversations.history`, `/api/conversations.replies` | as the method | `channels:history`, `groups:history`, `im:history`, `mpim:history`, by the channel's type |
//! | `/api/users.list`, `/api/users.info` | as the method | `users:read`; addresses with `users:read.email` |
//! | `/api/team.info` | as the method | `team:read` |
//!
//! The first lines are those of [`Dialect::Slack`](crate::oauth::Dialect::Slack). The names of operations are
//! those that [`Fault::on`] and [`FakeSlack::count`] take. What Slack has and the fake does not is refused:
//! methods with `unknown_method`, arguments with `invalid_arguments`. The fake is stricter than Slack where a
//! client has no reason to be lax: a `ts` has six digits behind the point, a cursor belongs to the arguments
//! it came with, `limit` among them, and an argument stands once.

mod access;
mod acts;
mod builder;
mod channel;
mod conversations;
mod cursor;
mod errors;
mod fake;
mod generate;
mod history;
mod ids;
mod limits;
mod message;
mod method;
mod paging;
mod people;
mod query;
mod roster;
mod routes;
mod spec;
mod timeline;
mod ts;
mod workspace;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use integrations_core::clock::Clock;

use self::cursor::CursorCodec;
use self::limits::Meter;
use self::query::Query;
use self::workspace::Workspace;
use crate::oauth::Authority;
use crate::server::Reply;

pub use self::builder::FakeSlackBuilder;
pub use self::fake::FakeSlack;
pub use self::limits::Tiers;
pub use self::spec::{ChannelSpec, UserSpec};
pub use crate::fault::{ArmedFault, Fault};
pub use crate::oauth::AuthorizationLog;
pub use crate::traffic::RequestLog;

/// What the server and the test's handle share.
struct Slack {
    clock: Arc<dyn Clock>,
    team_name: String,
    page_cap: usize,
    empty_pages: bool,
    parent_on_every_page: bool,
    codec: CursorCodec,
    epoch: AtomicU64,
    answers: AtomicU64,
    meter: Meter,
    authority: Authority,
    workspace: RwLock<Workspace>,
}

impl Slack {
    fn workspace(&self) -> RwLockReadGuard<'_, Workspace> {
        self.workspace.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn workspace_mut(&self) -> RwLockWriteGuard<'_, Workspace> {
        self.workspace.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursor_epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// `team_id`, which only an app of a whole organization needs, may name the workspace.
    fn check_team(&self, query: &Query) -> Result<(), Reply> {
        match query.get("team_id") {
            Some(team) if team != self.workspace().ground.team => Err(errors::refused("team_not_found")),
            _ => Ok(()),
        }
    }
}
