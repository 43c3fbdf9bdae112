//! What is agreed to, issued, counted and refused?

use std::time::Duration;

use super::dialect::{RefreshLife, Rotation};

/// What a family's tokens stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Bot,
    /// An application on its own account: Server-to-Server, client credentials.
    App,
    Installation(u64),
}

/// How tokens are made, and how long they live.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) code_life: Duration,
    /// `None`: they do not expire, and there are no refresh tokens.
    pub(super) access_life: Option<Duration>,
    pub(super) refresh_life: RefreshLife,
    pub(super) rotation: Rotation,
    pub(super) family_revocation: bool,
    pub(super) authorizations: usize,
    pub(super) access_tokens: usize,
    pub(super) code_prefix: String,
    pub(super) user_prefix: String,
    pub(super) bot_prefix: String,
    pub(super) app_prefix: String,
    pub(super) refresh_prefix: String,
    /// Stands in every secret, after the prefix.
    pub(super) canary: String,
}

/// What happened to codes and tokens since the fake started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Codes exchanged for tokens.
    pub codes: u64,
    /// Refresh tokens exchanged for tokens.
    pub refreshes: u64,
    /// Tokens minted without a user: installations, Server-to-Server, client credentials.
    pub mints: u64,
    /// Revocations that ended something.
    pub revocations: u64,
    /// How often a code came that had been exchanged.
    pub reused_codes: u64,
    /// How often a refresh token came that had been exchanged for another before, whether or not the
    /// provider still takes it.
    pub spent_refresh_tokens: u64,
}

/// What a user agreed to.
#[derive(Clone)]
pub(super) struct Consent {
    pub(super) account: usize,
    pub(super) first: (Kind, Vec<String>),
    /// A user's token beside a bot's.
    pub(super) second: Option<(Kind, Vec<String>)>,
    pub(super) offline: bool,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) claims: Option<String>,
}

/// Tokens that go out in one answer.
pub(super) struct Issued {
    pub(super) kind: Kind,
    pub(super) account: Option<usize>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) access: String,
    /// `None`: the token does not expire.
    pub(super) access_life: Option<Duration>,
    pub(super) refresh: Option<String>,
    /// How long the refresh token lives when nobody uses it.
    pub(super) refresh_life: Option<Duration>,
}

/// Why an access token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locked {
    Missing,
    Unknown,
    Expired,
    Revoked,
}

/// How far a revocation reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Family,
    Account,
}
