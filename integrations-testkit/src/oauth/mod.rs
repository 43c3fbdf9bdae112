//! What do the OAuth servers of the five providers answer?
//!
//! [`FakeOAuth`] is one provider's authorization server together with the endpoints that say whose a
//! token is, on one base address. What the providers differ in is data ([`Dialect`]); grants, codes and
//! families of tokens are one engine.
//!
//! ```
//! use std::sync::Arc;
//! use integrations_testkit::ManualClock;
//! use integrations_testkit::oauth::{AccountSpec, Dialect, FakeOAuth};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let slack = FakeOAuth::builder(Dialect::Slack)
//!     .clock(Arc::new(ManualClock::at("2026-03-01T09:00:00Z")))
//!     .client("the client", "the secret")
//!     .account(AccountSpec::new("ada@example.com").name("Ada Lovelace"))
//!     .account("grace@example.com")
//!     .with_family_revocation()
//!     .start()
//!     .await;
//! slack.switch_account("grace@example.com");
//! slack.fail_token_with("invalid_refresh_token");
//! assert_eq!(slack.tally().refreshes, 0);
//! # }
//! ```
//!
//! | Operation | Google | Slack | Microsoft | GitHub | Zoom |
//! |---|---|---|---|---|---|
//! | `authorize` | `/o/oauth2/v2/auth` | `/oauth/v2/authorize` | `/{tenant}/oauth2/v2.0/authorize` | `/login/oauth/authorize` | `/oauth/authorize` |
//! | `token.code`, `token.refresh` | `/token` | `/api/oauth.v2.access` | `/{tenant}/oauth2/v2.0/token` | `/login/oauth/access_token` | `/oauth/token` |
//! | `token.mint` | | | `client_credentials` | | `account_credentials` |
//! | `userinfo` | `/v1/userinfo` | `/api/auth.test` | `/v1.0/me` | `/user` | `/v2/users/me` |
//! | `user` | | | | | `/v2/users/{id}` |
//! | `revoke` | `/revoke` | `/api/auth.revoke` | `/v1.0/me/revokeSignInSessions` | `DELETE /applications/{client}/grant` | `/oauth/revoke` |
//! | `revoke.token`, `check.token` | | | | `DELETE`, `POST /applications/{client}/token` | |
//! | `uninstall` | | `/api/apps.uninstall` | | | |
//! | `installation.token`, `installation.get` | | | | `/app/installations/{id}/access_tokens`, `/app/installations/{id}` | |
//! | `installation.token.delete` | | | | `DELETE /installation/token` | |
//! | `installation.repositories` | | | | `/installation/repositories` | |
//!
//! The names of operations are those that [`Fault::on`](crate::Fault::on) and [`FakeOAuth::count`] take.
//! Id tokens carry the right claims and a signature that is none.

mod account;
mod answer;
mod authority;
mod authorize;
mod builder;
mod dialect;
mod exchange;
mod failure;
mod fake;
mod grant;
mod identity;
mod installation;
mod ledger;
mod page;
mod refusal;
mod revoke;
mod tenant;

pub(crate) use self::authority::Authority;
pub(crate) use self::dialect::Operation;
pub(crate) use self::grant::Kind;
pub(crate) use self::identity::Caller;

pub use self::account::{Account, AccountSpec};
pub use self::authorize::AuthorizationLog;
pub use self::builder::FakeOAuthBuilder;
pub use self::dialect::{Dialect, Pkce, Rotation};
pub use self::fake::FakeOAuth;
pub use self::grant::Tally;
pub use self::installation::InstallationSpec;
