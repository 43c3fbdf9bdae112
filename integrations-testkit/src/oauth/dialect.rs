//! In what do the providers' OAuth servers differ?
//!
//! In data, as far as possible: one table a provider, read by one engine. Lifetimes are the documented
//! ones, in seconds.

use std::time::Duration;

use super::grant::Extent;

/// Whose OAuth server a fake stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Google: tokens of an hour, refresh tokens that stay.
    Google,
    /// Slack: a bot's token and a user's, failures with status 200.
    Slack,
    /// The Microsoft identity platform and Graph's `/me`: refresh tokens that rotate, the old ones stay valid.
    Microsoft,
    /// GitHub: form-encoded answers unless JSON is asked for, failures with status 200, installations.
    GitHub,
    /// Zoom: Basic authentication, one authorization a user, Server-to-Server tokens.
    Zoom,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [Self::Google, Self::Slack, Self::Microsoft, Self::GitHub, Self::Zoom];

    /// The provider's name in lower case, such as `slack`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Slack => "slack",
            Self::Microsoft => "microsoft",
            Self::GitHub => "github",
            Self::Zoom => "zoom",
        }
    }

    pub(super) const fn rules(self) -> &'static Rules {
        match self {
            Self::Google => &GOOGLE,
            Self::Slack => &SLACK,
            Self::Microsoft => &MICROSOFT,
            Self::GitHub => &GITHUB,
            Self::Zoom => &ZOOM,
        }
    }
}

/// What the authorization endpoint makes of a PKCE challenge (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkce {
    /// A request without an S256 challenge is refused.
    Required,
    /// A challenge is checked when it comes.
    Accepted,
    /// A request with a challenge is refused, as by an app that has not opted in.
    Refused,
}

/// What a refresh does to the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It stays, and none comes back.
    None,
    /// A new one comes back, and the old one stays valid.
    Overlapping,
    /// A new one comes back, and the old one is spent.
    SingleUse,
}

/// How a client has to prove who it is at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    Basic,
    Body,
    Either,
}

/// When a refresh token comes with an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offline {
    Always,
    /// `access_type=offline`, the first time or when consent is asked for.
    AccessType,
    /// The scope `offline_access`.
    Scope,
}

/// When a refresh token dies of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefreshLife {
    Forever,
    /// So long after it came or was used last.
    Idle(Duration),
    /// So long after it came.
    Fixed(Duration),
}

/// What an endpoint does. Its name is the one that faults and counters take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Authorize,
    TokenCode,
    TokenRefresh,
    TokenMint,
    UserInfo,
    User,
    Revoke,
    RevokeToken,
    CheckToken,
    Uninstall,
    Installation,
    InstallationToken,
    InstallationTokenEnd,
    InstallationRepositories,
}

impl Operation {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::TokenCode => "token.code",
            Self::TokenRefresh => "token.refresh",
            Self::TokenMint => "token.mint",
            Self::UserInfo => "userinfo",
            Self::User => "user",
            Self::Revoke => "revoke",
            Self::RevokeToken => "revoke.token",
            Self::CheckToken => "check.token",
            Self::Uninstall => "uninstall",
            Self::Installation => "installation.get",
            Self::InstallationToken => "installation.token",
            Self::InstallationTokenEnd => "installation.token.delete",
            Self::InstallationRepositories => "installation.repositories",
        }
    }
}

/// What the tokens of a provider begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefixes {
    pub(super) code: &'static str,
    pub(super) user: &'static str,
    pub(super) bot: &'static str,
    pub(super) app: &'static str,
    pub(super) refresh: &'static str,
    /// A user's and a bot's token that does not expire.
    pub(super) lasting: (&'static str, &'static str),
}

/// One provider, as data.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) dialect: Dialect,
    /// Method, path (`{}` stands for one segment), and what is there.
    pub(super) routes: &'static [(&'static str, &'static str, Operation)],
    pub(super) issuer: &'static str,
    /// The parameter that names the account which should sign in.
    pub(super) hint: &'static str,
    /// What an authorization request cannot do without here, beside what it always needs.
    pub(super) needs: &'static [&'static str],
    /// What stands between scopes, in a request and in an answer.
    pub(super) separators: (char, &'static str),
    pub(super) app_scopes: &'static [&'static str],
    pub(super) pkce: Pkce,
    pub(super) loopback_redirect: bool,
    pub(super) client_auth: ClientAuth,
    pub(super) offline: Offline,
    pub(super) rotation: Rotation,
    pub(super) code_life: Duration,
    pub(super) access_life: Duration,
    pub(super) refresh_life: RefreshLife,
    /// How many authorizations an account may hold for one client; the oldest gives way.
    pub(super) authorizations: usize,
    /// How many access tokens of one authorization live at a time; the oldest gives way.
    pub(super) access_tokens: usize,
    /// Whether an app may have tokens that never expire, and no refresh tokens.
    pub(super) may_last: bool,
    /// What revoking a token ends.
    pub(super) revokes: Extent,
    /// Any of these lets a token read whose it is; none means that every token may.
    pub(super) userinfo_scopes: &'static [&'static str],
    pub(super) prefixes: Prefixes,
    /// What a refusal by the user carries beside `error=access_denied`.
    pub(super) denied: &'static [(&'static str, &'static str)],
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

const fn days(count: u64) -> Duration {
    Duration::from_secs(24 * 3_600 * count)
}

const UNBOUNDED: usize = usize::MAX;

static GOOGLE: Rules = Rules {
    dialect: Dialect::Google,
    routes: &[
        ("GET", "/o/oauth2/v2/auth", Operation::Authorize),
        ("POST", "/token", Operation::TokenCode),
        ("POST", "/revoke", Operation::Revoke),
        ("GET", "/v1/userinfo", Operation::UserInfo),
    ],
    issuer: "https://accounts.google.com",
    hint: "login_hint",
    needs: &["response_type", "scope"],
    separators: (' ', " "),
    app_scopes: &[],
    pkce: Pkce::Required,
    loopback_redirect: true,
    client_auth: ClientAuth::Either,
    offline: Offline::AccessType,
    rotation: Rotation::None,
    code_life: minutes(10),
    access_life: Duration::from_secs(3_599),
    refresh_life: RefreshLife::Idle(days(180)),
    authorizations: 100,
    access_tokens: UNBOUNDED,
    may_last: false,
    revokes: Extent::Account,
    userinfo_scopes: &[],
    prefixes: Prefixes {
        code: "4/0",
        user: "ya29.fake-",
        bot: "",
        app: "",
        refresh: "1//0fake-",
        lasting: ("", ""),
    },
    denied: &[],
};

static SLACK: Rules = Rules {
    dialect: Dialect::Slack,
    routes: &[
        ("GET", "/oauth/v2/authorize", Operation::Authorize),
        ("POST", "/api/oauth.v2.access", Operation::TokenCode),
        ("POST", "/api/auth.test", Operation::UserInfo),
        ("GET", "/api/auth.test", Operation::UserInfo),
        ("POST", "/api/auth.revoke", Operation::Revoke),
        ("GET", "/api/auth.revoke", Operation::Revoke),
        ("POST", "/api/apps.uninstall", Operation::Uninstall),
        ("GET", "/api/apps.uninstall", Operation::Uninstall),
    ],
    issuer: "",
    hint: "team",
    needs: &["scope"],
    separators: (',', ","),
    app_scopes: &[],
    pkce: Pkce::Refused,
    loopback_redirect: false,
    client_auth: ClientAuth::Either,
    offline: Offline::Always,
    rotation: Rotation::SingleUse,
    code_life: minutes(10),
    access_life: Duration::from_secs(43_200),
    refresh_life: RefreshLife::Forever,
    authorizations: UNBOUNDED,
    access_tokens: 2,
    may_last: true,
    revokes: Extent::Family,
    userinfo_scopes: &[],
    prefixes: Prefixes {
        code: "",
        user: "xoxe.xoxp-1-",
        bot: "xoxe.xoxb-1-",
        app: "",
        refresh: "xoxe-1-",
        lasting: ("xoxp-", "xoxb-"),
    },
    denied: &[],
};

static MICROSOFT: Rules = Rules {
    dialect: Dialect::Microsoft,
    routes: &[
        ("GET", "/{}/oauth2/v2.0/authorize", Operation::Authorize),
        ("POST", "/{}/oauth2/v2.0/token", Operation::TokenCode),
        ("GET", "/v1.0/me", Operation::UserInfo),
        ("POST", "/v1.0/me/revokeSignInSessions", Operation::Revoke),
    ],
    issuer: "https://login.microsoftonline.com/{tenant}/v2.0",
    hint: "login_hint",
    needs: &["response_type", "scope"],
    separators: (' ', " "),
    app_scopes: &[],
    pkce: Pkce::Required,
    loopback_redirect: true,
    client_auth: ClientAuth::Body,
    offline: Offline::Scope,
    rotation: Rotation::Overlapping,
    code_life: minutes(10),
    access_life: Duration::from_secs(4_322),
    refresh_life: RefreshLife::Fixed(days(90)),
    authorizations: UNBOUNDED,
    access_tokens: UNBOUNDED,
    may_last: false,
    revokes: Extent::Account,
    userinfo_scopes: &[
        "User.Read",
        "User.ReadWrite",
        "User.Read.All",
        "https://graph.microsoft.com/User.Read",
        "https://graph.microsoft.com/User.ReadWrite",
    ],
    prefixes: Prefixes {
        code: "1.A",
        user: "EwBfake-",
        bot: "",
        app: "EwBapp-",
        refresh: "1.Afake-",
        lasting: ("", ""),
    },
    denied: &[
        ("error_description", "AADSTS65004: User declined to consent to access the app."),
        ("error_subcode", "cancel"),
    ],
};

static GITHUB: Rules = Rules {
    dialect: Dialect::GitHub,
    routes: &[
        ("GET", "/login/oauth/authorize", Operation::Authorize),
        ("POST", "/login/oauth/access_token", Operation::TokenCode),
        ("GET", "/user", Operation::UserInfo),
        ("DELETE", "/applications/{}/grant", Operation::Revoke),
        ("DELETE", "/applications/{}/token", Operation::RevokeToken),
        ("POST", "/applications/{}/token", Operation::CheckToken),
        ("GET", "/app/installations/{}", Operation::Installation),
        ("POST", "/app/installations/{}/access_tokens", Operation::InstallationToken),
        ("DELETE", "/installation/token", Operation::InstallationTokenEnd),
        ("GET", "/installation/repositories", Operation::InstallationRepositories),
    ],
    issuer: "https://github.com/login/oauth",
    hint: "login",
    needs: &[],
    separators: (' ', ","),
    app_scopes: &[],
    pkce: Pkce::Required,
    loopback_redirect: true,
    client_auth: ClientAuth::Body,
    offline: Offline::Always,
    rotation: Rotation::SingleUse,
    code_life: minutes(10),
    access_life: Duration::from_secs(28_800),
    refresh_life: RefreshLife::Fixed(Duration::from_secs(15_897_600)),
    // Ten a user of an OAuth app, whose tokens do not expire; no limit is known of a GitHub App.
    authorizations: 10,
    access_tokens: 1,
    may_last: true,
    revokes: Extent::Account,
    userinfo_scopes: &[],
    prefixes: Prefixes {
        code: "",
        user: "ghu_",
        bot: "",
        app: "ghs_",
        refresh: "ghr_",
        lasting: ("gho_", ""),
    },
    denied: &[
        ("error_description", "The user has denied your application access."),
        ("error_uri", "https://docs.github.com/apps/troubleshooting-authorization-request-errors"),
    ],
};

static ZOOM: Rules = Rules {
    dialect: Dialect::Zoom,
    routes: &[
        ("GET", "/oauth/authorize", Operation::Authorize),
        ("POST", "/oauth/token", Operation::TokenCode),
        ("POST", "/oauth/revoke", Operation::Revoke),
        ("GET", "/v2/users/me", Operation::UserInfo),
        ("GET", "/v2/users/{}", Operation::User),
    ],
    issuer: "",
    hint: "",
    needs: &["response_type"],
    separators: (' ', " "),
    app_scopes: &["user:read:user", "meeting:read:list_meetings", "meeting:read:meeting"],
    pkce: Pkce::Required,
    loopback_redirect: true,
    client_auth: ClientAuth::Basic,
    offline: Offline::Always,
    rotation: Rotation::SingleUse,
    code_life: minutes(5),
    access_life: Duration::from_secs(3_599),
    refresh_life: RefreshLife::Fixed(days(90)),
    authorizations: 1,
    access_tokens: UNBOUNDED,
    may_last: false,
    revokes: Extent::Family,
    userinfo_scopes: &["user:read:user", "user:read:user:admin", "user:read", "user:read:admin"],
    prefixes: Prefixes {
        code: "",
        user: "eyJzdiI6fake-",
        bot: "",
        app: "eyJzdiI6s2s-",
        refresh: "eyJzdiI6rfr-",
        lasting: ("", ""),
    },
    denied: &[],
};
