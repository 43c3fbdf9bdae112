//! What does GitHub (OAuth, REST v3, a part of GraphQL) answer?
//!
//! [`FakeGitHub`] is one GitHub. It serves the site for people and the API under one base address; the API
//! is also under `/api/v3`, as GitHub Enterprise has it. `/repositories/{id}` stands for
//! `/repos/{owner}/{repo}` everywhere.
//!
//! | Endpoint | Operation | Scope, permission |
//! |---|---|---|
//! | `/login/oauth/authorize` | `authorize` | |
//! | `/login/oauth/access_token` | `token.code`, `token.refresh` | |
//! | `/user` | `users.getAuthenticated` | |
//! | `/user/repos` | `repos.listForAuthenticatedUser` | private ones `repo`; no apps |
//! | `/user/installations`, `/user/installations/{id}/repositories` | `apps.listInstallationsForAuthenticatedUser`, `apps.listInstallationReposForAuthenticatedUser` | a user's token of an app |
//! | `/installation/repositories` | `apps.listReposAccessibleToInstallation` | an installation's token |
//! | `/notifications` | `activity.listNotificationsForAuthenticatedUser` | `notifications` or `repo`; no apps |
//! | `/rate_limit` | `rateLimit.get` | |
//! | `/repos/{owner}/{repo}` | `repos.get` | private: `repo`, `metadata` |
//! | `.../issues`, `.../issues/{n}` | `issues.listForRepo`, `issues.get` | `repo`, `issues` or `pull_requests` |
//! | `.../issues/comments`, `.../issues/{n}/comments` | `issues.listCommentsForRepo`, `issues.listComments` | the same |
//! | `.../labels`, `.../milestones` | `issues.listLabelsForRepo`, `issues.listMilestones` | the same |
//! | `.../pulls`, `.../pulls/{n}` | `pulls.list`, `pulls.get` | `repo`, `pull_requests` |
//! | `.../pulls/{n}/reviews` | `pulls.listReviews` | the same |
//! | `.../pulls/comments`, `.../pulls/{n}/comments` | `pulls.listReviewCommentsForRepo`, `pulls.listReviewComments` | the same |
//! | `.../commits/{ref}/check-runs` | `checks.listForRef` | `repo`, `checks` |
//! | `.../commits/{ref}/status` | `repos.getCombinedStatusForRef` | `repo`, `statuses` |
//! | `POST /graphql` (`/api/graphql`) | `graphql` | as REST |
//! | `DELETE /applications/{client}/grant`, `DELETE`, `POST .../token` | `apps.deleteAuthorization`, `apps.deleteToken`, `apps.checkToken` | the client by Basic |
//! | `/app/installations/{id}`, `POST .../access_tokens` | `apps.getInstallation`, `apps.createInstallationAccessToken` | the app's own token |
//! | `DELETE /installation/token` | `apps.revokeInstallationAccessToken` | an installation's token |
//!
//! The names of operations are those that [`Fault::on`] and [`FakeGitHub::count`] take: GitHub's own
//! operation ids, and those of [`Dialect::GitHub`](crate::oauth::Dialect::GitHub) on the site. What GitHub has
//! and the fake does not is refused: parameters, their values and methods with 422 and `unsupported by the
//! fake`, fields of GraphQL as GitHub refuses what it does not know. That is stricter than GitHub, which
//! ignores a parameter that it does not know, and a `sort` that it does not have.
//!
//! Nothing is written through the API: tests act through [`FakeGitHub`].

mod access;
mod acts;
mod answers;
mod body;
mod builder;
mod check;
mod conditional;
mod errors;
mod fake;
mod generate;
mod graphql;
mod hub;
mod ids;
mod issue;
mod json;
mod label;
mod layer;
mod limits;
mod notification;
mod operation;
mod paging;
mod pull;
mod put;
mod query;
mod repository;
mod request;
mod routes;
mod spec;
mod talk;
mod tracker;
mod user;
mod view;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use integrations_core::clock::Clock;

use self::hub::Hub;
use self::limits::Meter;
use crate::oauth::Authority;

pub use self::builder::FakeGitHubBuilder;
pub use self::fake::FakeGitHub;
pub use self::limits::SecondaryLimits;
pub use self::spec::RepoSpec;
pub use self::user::UserSpec;
pub use crate::fault::{ArmedFault, Fault};
pub use crate::oauth::{AuthorizationLog, InstallationSpec};
pub use crate::traffic::RequestLog;

/// What a test sets up once.
#[derive(Debug, Clone, Copy)]
struct Settings {
    page_cap: usize,
    /// Whether there is an empty page between any two of a repository's issues, when these are linked by cursor.
    empty_pages: bool,
    /// Whether the issues of a repository are linked by number, as they were.
    numbered_links: bool,
    poll_interval: Duration,
    /// 403 or 429, for what exceeds a limit.
    limit_status: u16,
}

/// What the server and the test's handle share.
struct GitHub {
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// When the fake started, in seconds.
    start: i64,
    answers: AtomicU64,
    /// How often the cursors of links have expired.
    expiries: AtomicU64,
    meter: Meter,
    authority: Authority,
    hub: RwLock<Hub>,
}

impl GitHub {
    fn hub(&self) -> RwLockReadGuard<'_, Hub> {
        self.hub.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn hub_mut(&self) -> RwLockWriteGuard<'_, Hub> {
        self.hub.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn expiries(&self) -> u64 {
        self.expiries.load(Ordering::SeqCst)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}
