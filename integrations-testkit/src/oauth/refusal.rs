//! Why, and in which words, does a token endpoint say no?
//!
//! One table a provider: what goes wrong by itself in the fake (`on`), and what only happens when a test
//! asks for it by name.

use self::Refusal::{
    AccountUnknown, ClientAuthForm, ClientSecretMissing, ClientSecretWrong, ClientUnknown, CodeExpired,
    CodeUnknown, CodeUsed, GrantType, Missing, NotAForm, RedirectMismatch, RefreshExpired, RefreshOff,
    RefreshRevoked, RefreshSpent, RefreshUnknown, Repeated, ScopeExceeded, SecretFromPublicClient,
    TenantUnknown, TokenUnknown, TwoAuthentications, VerifierMissing, VerifierWrong,
};
use super::dialect::Dialect;

/// What is wrong with a request to the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    NotAForm,
    Repeated,
    Missing,
    GrantType,
    TwoAuthentications,
    ClientUnknown,
    ClientSecretMissing,
    ClientSecretWrong,
    /// The client proved itself, but not in the way that the provider takes.
    ClientAuthForm,
    SecretFromPublicClient,
    CodeUnknown,
    CodeExpired,
    CodeUsed,
    RedirectMismatch,
    VerifierMissing,
    VerifierWrong,
    RefreshUnknown,
    RefreshExpired,
    RefreshSpent,
    RefreshRevoked,
    /// The app's tokens do not expire.
    RefreshOff,
    ScopeExceeded,
    TenantUnknown,
    AccountUnknown,
    /// A revocation of what is in force nowhere.
    TokenUnknown,
}

/// A refusal, and the parameter or value that it is about.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) why: Refusal,
    pub(super) about: String,
}

impl Refused {
    pub(super) fn about(why: Refusal, about: &str) -> Self {
        Self { why, about: about.to_owned() }
    }
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        Self { why, about: String::new() }
    }
}

/// One way of a provider's to say no.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) on: &'static [Refusal],
    pub(super) status: u16,
    pub(super) error: &'static str,
    /// Microsoft's and Zoom's number; 0 where there is none.
    pub(super) number: u32,
    /// Microsoft's `suberror`, Google's `error_subtype`.
    pub(super) suberror: &'static str,
    /// `{}` stands for what the refusal is about.
    pub(super) text: &'static str,
}

const fn row(on: &'static [Refusal], status: u16, error: &'static str, text: &'static str) -> Row {
    Row { on, status, error, number: 0, suberror: "", text }
}

const fn numbered(
    on: &'static [Refusal],
    status: u16,
    error: &'static str,
    number: u32,
    text: &'static str,
) -> Row {
    Row { on, status, error, number, suberror: "", text }
}

impl Row {
    const fn sub(self, suberror: &'static str) -> Self {
        Self { suberror, ..self }
    }

    fn is_called(&self, name: &str) -> bool {
        self.error == name || self.suberror == name || (self.number != 0 && self.number.to_string() == name)
    }
}

/// The row for what went wrong.
pub(super) fn row_for(dialect: Dialect, why: Refusal) -> Row {
    let found = table(dialect).iter().find(|row| row.on.contains(&why));
    *found.unwrap_or_else(|| panic!("the table of {} does not say what {why:?} is", dialect.name()))
}

/// The row of an error by its name or number; the first one where several have it.
pub(super) fn row_named(dialect: Dialect, name: &str) -> Option<Row> {
    table(dialect).iter().find(|row| row.is_called(name)).copied()
}

/// The row for a status, where a test asks for no more than that.
pub(super) fn row_of_status(dialect: Dialect, status: u16) -> Option<Row> {
    table(dialect).iter().find(|row| row.status == status).copied()
}

fn table(dialect: Dialect) -> &'static [Row] {
    match dialect {
        Dialect::Google => GOOGLE,
        Dialect::Slack => SLACK,
        Dialect::Microsoft => MICROSOFT,
        Dialect::GitHub => GITHUB,
        Dialect::Zoom => ZOOM,
    }
}

#[rustfmt::skip]
const GOOGLE: &[Row] = &[
    row(&[Missing], 400, "invalid_request", "Missing required parameter: {}"),
    row(&[Repeated], 400, "invalid_request", "Parameter given twice: {}"),
    row(&[NotAForm], 400, "invalid_request", "The body must be a form."),
    row(&[TwoAuthentications, ClientAuthForm], 400, "invalid_request", "More than one client authentication."),
    row(&[ClientSecretMissing], 400, "invalid_request", "client_secret is missing."),
    row(&[ClientUnknown], 401, "invalid_client", "The OAuth client was not found."),
    row(&[ClientSecretWrong, SecretFromPublicClient], 401, "invalid_client", "Unauthorized"),
    row(
        &[RefreshUnknown, RefreshExpired, RefreshSpent, RefreshRevoked, RefreshOff],
        400,
        "invalid_grant",
        "Token has been expired or revoked.",
    ),
    row(&[CodeUnknown, CodeExpired], 400, "invalid_grant", "Malformed auth code."),
    row(&[CodeUsed], 400, "invalid_grant", "Code was already redeemed."),
    row(&[VerifierMissing], 400, "invalid_grant", "Missing code verifier."),
    row(&[VerifierWrong], 400, "invalid_grant", "Invalid code verifier."),
    row(&[RedirectMismatch], 400, "redirect_uri_mismatch", "Bad Request"),
    row(&[GrantType], 400, "unsupported_grant_type", "Invalid grant_type: {}"),
    row(&[ScopeExceeded, TenantUnknown, AccountUnknown], 400, "invalid_scope", "Some requested scopes were invalid."),
    row(&[TokenUnknown], 400, "invalid_token", "Token expired or revoked"),
    row(&[], 400, "invalid_grant", "reauth related error (invalid_rapt)").sub("invalid_rapt"),
    row(&[], 401, "unauthorized_client", "Unauthorized"),
    row(&[], 401, "deleted_client", "The OAuth client was deleted."),
    row(&[], 401, "disabled_client", "The OAuth client was disabled."),
    row(&[], 400, "admin_policy_enforced", "The app is blocked by your organization's admin."),
    row(&[], 403, "org_internal", "This client is restricted to users within its organization."),
    row(&[], 403, "access_denied", "Access denied."),
    row(&[], 429, "rate_limit_exceeded", "Rate Limit Exceeded"),
    row(&[], 500, "server_error", "Internal Error"),
    row(&[], 503, "temporarily_unavailable", "Service unavailable"),
];

#[rustfmt::skip]
const SLACK: &[Row] = &[
    row(&[Missing, NotAForm, Repeated, ScopeExceeded, TenantUnknown, AccountUnknown], 200, "invalid_arguments", ""),
    row(&[GrantType], 200, "invalid_grant_type", ""),
    row(&[ClientUnknown], 200, "invalid_client_id", ""),
    row(
        &[ClientSecretMissing, ClientSecretWrong, ClientAuthForm, TwoAuthentications, SecretFromPublicClient],
        200,
        "bad_client_secret",
        "",
    ),
    row(&[CodeUnknown, CodeExpired, VerifierMissing, VerifierWrong], 200, "invalid_code", ""),
    row(&[CodeUsed], 200, "code_already_used", ""),
    row(&[RedirectMismatch], 200, "bad_redirect_uri", ""),
    row(&[RefreshUnknown, RefreshExpired, RefreshSpent, RefreshRevoked], 200, "invalid_refresh_token", ""),
    row(&[RefreshOff], 200, "token_rotation_not_enabled", ""),
    row(&[TokenUnknown], 200, "invalid_auth", ""),
    row(&[], 200, "token_already_exchanged", ""),
    row(&[], 200, "token_expired", ""),
    row(&[], 200, "token_revoked", ""),
    row(&[], 200, "oauth_authorization_url_mismatch", ""),
    row(&[], 200, "account_inactive", ""),
    row(&[], 200, "internal_error", ""),
    row(&[], 200, "fatal_error", ""),
    row(&[], 200, "request_timeout", ""),
    row(&[], 200, "team_added_to_org", ""),
    row(&[], 429, "ratelimited", ""),
    row(&[], 500, "internal_error", ""),
    row(&[], 503, "service_unavailable", ""),
];

#[rustfmt::skip]
const MICROSOFT: &[Row] = &[
    numbered(&[Missing, ClientAuthForm], 400, "invalid_request", 900_144, "The request body must contain the following parameter: '{}'."),
    numbered(&[NotAForm, Repeated, TwoAuthentications], 400, "invalid_request", 9_002_313, "Request is malformed or invalid."),
    numbered(&[TenantUnknown], 400, "invalid_request", 90_002, "Tenant '{}' not found."),
    numbered(&[GrantType], 400, "unsupported_grant_type", 70_003, "The app requested an unsupported grant type '{}'."),
    numbered(&[ClientUnknown], 400, "unauthorized_client", 700_016, "Application was not found in the directory."),
    numbered(&[ClientSecretWrong], 401, "invalid_client", 7_000_215, "Invalid client secret provided."),
    numbered(&[], 401, "invalid_client", 7_000_222, "The provided client secret keys are expired."),
    numbered(&[ClientSecretMissing], 401, "invalid_client", 7_000_218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
    numbered(&[SecretFromPublicClient], 401, "invalid_client", 700_025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
    numbered(&[], 401, "invalid_client", 90_023, "Public clients can't send a client secret."),
    numbered(&[CodeUnknown, RefreshUnknown, RefreshSpent, RefreshOff, AccountUnknown, TokenUnknown], 400, "invalid_grant", 70_000, "The provided value for the grant is not valid."),
    numbered(&[CodeExpired], 400, "invalid_grant", 70_008, "The provided authorization code or refresh token has expired due to inactivity."),
    numbered(&[CodeUsed], 400, "invalid_grant", 54_005, "OAuth2 Authorization code was already redeemed."),
    numbered(&[RedirectMismatch], 400, "invalid_grant", 500_112, "The reply address does not match the reply address provided when requesting Authorization code."),
    numbered(&[VerifierMissing], 400, "invalid_grant", 50_148, "The code_verifier does not match the code_challenge supplied in the authorization request."),
    numbered(&[VerifierWrong], 400, "invalid_grant", 501_481, "The Code_Verifier does not match the code_challenge supplied in the authorization request."),
    numbered(&[RefreshExpired], 400, "invalid_grant", 700_082, "The refresh token has expired due to inactivity."),
    numbered(&[RefreshRevoked], 400, "invalid_grant", 50_173, "The provided grant has expired due to it being revoked."),
    numbered(&[ScopeExceeded], 400, "invalid_grant", 65_001, "The user or administrator has not consented to use the application.").sub("consent_required"),
    numbered(&[], 400, "invalid_grant", 50_076, "You must use multi-factor authentication to access the resource.").sub("basic_action"),
    numbered(&[], 400, "interaction_required", 50_078, "Presented multi-factor authentication has expired.").sub("basic_action"),
    numbered(&[], 400, "interaction_required", 50_079, "The user is required to use multi-factor authentication.").sub("basic_action"),
    numbered(&[], 400, "interaction_required", 50_158, "External security challenge was not satisfied.").sub("basic_action"),
    numbered(&[], 400, "invalid_grant", 53_000, "Device is not in required device state.").sub("message_only"),
    numbered(&[], 400, "invalid_grant", 53_003, "Access has been blocked by Conditional Access policies.").sub("message_only"),
    numbered(&[], 400, "invalid_grant", 50_057, "The user account is disabled."),
    numbered(&[], 400, "invalid_grant", 50_053, "The account is locked."),
    numbered(&[], 400, "invalid_grant", 50_034, "The user account does not exist in the directory."),
    numbered(&[], 400, "access_denied", 65_004, "User declined to consent to access the app."),
    numbered(&[], 400, "invalid_scope", 70_011, "The provided value for the input parameter 'scope' is not valid."),
    numbered(&[], 429, "temporarily_unavailable", 50_196, "The server terminated an operation because it encountered a client request loop."),
    numbered(&[], 500, "server_error", 90_000, "A transient error has occurred."),
    numbered(&[], 503, "temporarily_unavailable", 90_033, "A transient error has occurred. Please try again."),
];

#[rustfmt::skip]
const GITHUB: &[Row] = &[
    row(
        &[CodeUnknown, CodeExpired, CodeUsed, VerifierMissing, VerifierWrong, Missing, NotAForm, Repeated],
        200,
        "bad_verification_code",
        "The code passed is incorrect or expired.",
    ),
    row(
        &[RefreshUnknown, RefreshExpired, RefreshSpent, RefreshRevoked, RefreshOff],
        200,
        "bad_refresh_token",
        "The refresh token passed is incorrect or expired.",
    ),
    row(
        &[ClientUnknown, ClientSecretMissing, ClientSecretWrong, ClientAuthForm, TwoAuthentications, SecretFromPublicClient],
        200,
        "incorrect_client_credentials",
        "The client_id and/or client_secret passed are incorrect.",
    ),
    row(
        &[RedirectMismatch],
        200,
        "redirect_uri_mismatch",
        "The redirect_uri MUST match the registered callback URL for this application.",
    ),
    row(&[GrantType, ScopeExceeded, TenantUnknown, AccountUnknown, TokenUnknown], 200, "unsupported_grant_type", "The grant type is not supported."),
    row(&[], 200, "unverified_user_email", "The user must have a verified primary email."),
    row(&[], 200, "application_suspended", "Your application has been suspended."),
    row(&[], 200, "access_denied", "The user has denied your application access."),
    row(&[], 200, "authorization_pending", "The authorization request is still pending."),
    row(&[], 200, "slow_down", "Too many requests have been made in the same timeframe."),
    row(&[], 200, "expired_token", "The device_code has expired."),
    row(&[], 200, "incorrect_device_code", "The device_code provided is not valid."),
    row(&[], 200, "device_flow_disabled", "Device Flow must be explicitly enabled for this App."),
];

#[rustfmt::skip]
const ZOOM: &[Row] = &[
    row(&[], 400, "invalid_grant", "Invalid Token!"),
    numbered(&[ClientUnknown], 401, "invalid_client", 4_702, "Invalid client_id or client_secret"),
    numbered(&[ClientSecretWrong, SecretFromPublicClient], 401, "invalid_client", 4_704, "Invalid client secret"),
    numbered(&[Missing, NotAForm, Repeated, ClientSecretMissing, ClientAuthForm, TwoAuthentications], 400, "invalid_request", 4_706, "Missing client or grant information {}"),
    numbered(&[RedirectMismatch], 400, "invalid_request", 4_709, "Redirect URI mismatch."),
    numbered(&[GrantType], 400, "unsupported_grant_type", 4_705, "Unsupported grant type {}"),
    numbered(&[CodeExpired], 400, "invalid_grant", 4_733, "Authorization code has expired"),
    numbered(&[CodeUnknown, CodeUsed, VerifierMissing, VerifierWrong], 400, "invalid_grant", 4_734, "Invalid authorization code"),
    numbered(&[AccountUnknown, TenantUnknown], 400, "invalid_request", 4_735, "The owner of the token does not exist"),
    numbered(&[RefreshUnknown, RefreshExpired, RefreshOff, TokenUnknown], 401, "invalid_grant", 4_737, "The token is not found"),
    numbered(&[RefreshRevoked], 401, "invalid_grant", 4_741, "The token has been revoked"),
    numbered(&[RefreshSpent], 401, "invalid_grant", 4_740, "The token has exceeded its tolerance"),
    numbered(&[ScopeExceeded], 400, "invalid_request", 4_711, "The scopes do not match those of the token"),
    numbered(&[], 400, "invalid_client", 4_717, "The app has been disabled"),
    numbered(&[], 400, "invalid_client", 4_738, "The app has been disabled by the admin"),
    numbered(&[], 400, "invalid_request", 4_700, "Something went wrong"),
    row(&[], 429, "too_many_requests", "You have reached the maximum per-second rate limit for this API."),
    row(&[], 500, "server_error", "Internal server error"),
    row(&[], 503, "temporarily_unavailable", "Service unavailable"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Refusal; 25] = [
        NotAForm,
        Repeated,
        Missing,
        GrantType,
        TwoAuthentications,
        ClientUnknown,
        ClientSecretMissing,
        ClientSecretWrong,
        ClientAuthForm,
        SecretFromPublicClient,
        CodeUnknown,
        CodeExpired,
        CodeUsed,
        RedirectMismatch,
        VerifierMissing,
        VerifierWrong,
        RefreshUnknown,
        RefreshExpired,
        RefreshSpent,
        RefreshRevoked,
        RefreshOff,
        ScopeExceeded,
        TenantUnknown,
        AccountUnknown,
        TokenUnknown,
    ];

    #[test]
    fn every_table_has_one_answer_to_everything_that_can_go_wrong() {
        for dialect in Dialect::ALL {
            for why in ALL {
                let rows = table(dialect).iter().filter(|row| row.on.contains(&why)).count();
                assert_eq!(rows, 1, "{} {why:?}", dialect.name());
                assert!(!row_for(dialect, why).error.is_empty());
            }
        }
    }

    #[test]
    fn a_row_is_found_by_its_name_its_suberror_and_its_number() {
        let text = |dialect, name| row_named(dialect, name).map(|row| (row.status, row.error, row.number));
        assert_eq!(text(Dialect::Google, "invalid_grant"), Some((400, "invalid_grant", 0)));
        assert_eq!(text(Dialect::Google, "invalid_rapt"), Some((400, "invalid_grant", 0)));
        assert_eq!(text(Dialect::Microsoft, "50057"), Some((400, "invalid_grant", 50_057)));
        assert_eq!(text(Dialect::Microsoft, "consent_required"), Some((400, "invalid_grant", 65_001)));
        assert_eq!(text(Dialect::Zoom, "4741"), Some((401, "invalid_grant", 4_741)));
        assert_eq!(text(Dialect::Zoom, "invalid_grant"), Some((400, "invalid_grant", 0)));
        assert_eq!(text(Dialect::GitHub, "0"), None);
        assert_eq!(text(Dialect::Slack, "nonsense"), None);
    }
}
