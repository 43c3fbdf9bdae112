//! What do Google's failures mean?
//!
//! ONE table each for the APIs and for the token endpoint. A reason comes from `error.errors[].reason`,
//! `error.details[].reason` or `error.status` (the newer envelope may lack the first); the token endpoint
//! has a flat `error` with `error_subtype`. A part of a batch is read like an answer of its own.

use std::time::Duration;

use integrations_core::Error;
use integrations_core::ErrorKind::{
    AccountSuspended, Configuration, Conflict, CursorExpired, InsufficientPermissions, InvalidCredentials,
    InvalidRequest, NotFound, RateLimited, ReauthorizationRequired, ServiceUnavailable, UnsupportedOperation,
};
use integrations_core::http::{Failure, Rule, Words};

const HOUR: Duration = Duration::from_secs(3600);

const NOT_ENABLED: &str = "the API is not enabled for the application's project in the Google Cloud console";
const SCOPE: &str = "the grant lacks the scope; the user has to grant it";
const SLOWER: &str = "Google counts too many calls in a short time";

/// What the failures of Calendar, Gmail and Tasks mean, in the order in which they are looked up.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    // 400
    Rule::new(400, "failedPrecondition", UnsupportedOperation, "the service is not enabled for this account"),
    Rule::new(400, "syncTokenWithRequestRestrictions", InvalidRequest, "a sync token does not go with filters; list again without them"),
    // A channel's address: the domain has to be verified in the console. Google has used 401 and 403 for it.
    Rule::new(0, "push.webhookUrlUnauthorized", Configuration, "the webhook's domain is not verified in the Google Cloud console"),
    // 401: no code tells an account that is gone from a token that has expired.
    Rule::new(401, "", AccountSuspended, "the Google account is deleted").saying("account has been deleted").named("account_deleted"),
    Rule::new(401, "", AccountSuspended, "the Google account is disabled").saying("account has been disabled").named("account_disabled"),
    // 403 is a limit or a refusal, by its reason alone.
    Rule::new(403, "userRateLimitExceeded", RateLimited, SLOWER).not_processed(),
    Rule::new(403, "rateLimitExceeded", RateLimited, SLOWER).not_processed(),
    Rule::new(403, "RATE_LIMIT_EXCEEDED", RateLimited, SLOWER).not_processed(),
    Rule::new(403, "RESOURCE_EXHAUSTED", RateLimited, SLOWER).not_processed(),
    // Calendar's limits on use by one account, e.g. on events made in a short time, last for hours.
    Rule::new(403, "quotaExceeded", RateLimited, "the user's quota is used up for hours").wait(HOUR).not_processed(),
    Rule::new(403, "dailyLimitExceeded", RateLimited, "the day's quota is used up").wait(HOUR).not_processed(),
    Rule::new(403, "accessNotConfigured", UnsupportedOperation, NOT_ENABLED),
    Rule::new(403, "SERVICE_DISABLED", UnsupportedOperation, NOT_ENABLED),
    Rule::new(403, "insufficientPermissions", InsufficientPermissions, SCOPE),
    Rule::new(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", InsufficientPermissions, SCOPE),
    Rule::new(403, "domainPolicy", InsufficientPermissions, "the Workspace administrator does not allow it"),
    Rule::new(403, "", InsufficientPermissions, "the user may not do this at Google"),
    // 404 means unknown, or no access; to Gmail's history it means that the position is too old.
    Rule::new(404, "", CursorExpired, "").on("history.list"),
    // 409: an id that is taken. Google names a clash within a batch the same, with another reason.
    Rule::new(409, "duplicate", Conflict, "there is an item with this id already; an earlier attempt may have made it"),
    // 410: a lost position, or an event that is gone.
    Rule::new(410, "fullSyncRequired", CursorExpired, ""),
    Rule::new(410, "updatedMinTooLongAgo", CursorExpired, ""),
    Rule::new(410, "deleted", NotFound, "it is deleted already"),
    Rule::new(410, "", CursorExpired, "").on("events.list"),
    Rule::new(410, "", CursorExpired, "").on("calendarList.list"),
];

/// What the failures of the token endpoint mean, in the order in which they are looked up.
#[rustfmt::skip]
pub const TOKEN_RULES: &[Rule] = &[
    // `error_subtype` of an `invalid_grant`: the Workspace's policy of signing in again.
    Rule::new(0, "invalid_rapt", ReauthorizationRequired, "the Workspace asks its users to sign in again"),
    // What an `invalid_grant` is about stands in its text alone.
    Rule::new(0, "invalid_grant", AccountSuspended, "the Google account is deleted").saying("account has been deleted"),
    Rule::new(0, "invalid_grant", AccountSuspended, "the Google account is disabled").saying("account has been disabled"),
    Rule::new(0, "invalid_grant", InvalidCredentials, "Google does not accept the signed assertion; set the machine's clock, then check the key").saying("invalid jwt"),
    Rule::new(0, "invalid_grant", ReauthorizationRequired, "the grant is revoked, expired or used; the user has to connect the account again"),
    Rule::new(0, "invalid_client", InvalidCredentials, "Google does not accept the application's client id and secret"),
    Rule::new(0, "unauthorized_client", InvalidCredentials, "the application may not use this kind of grant"),
    Rule::new(0, "deleted_client", InvalidCredentials, "the application's client is deleted in the Google Cloud console"),
    Rule::new(0, "disabled_client", InvalidCredentials, "the application's client is disabled in the Google Cloud console"),
    Rule::new(0, "admin_policy_enforced", InsufficientPermissions, "the Workspace administrator does not allow the application"),
    Rule::new(0, "org_internal", InsufficientPermissions, "the application is open to its own organisation alone"),
    Rule::new(0, "access_denied", ReauthorizationRequired, "the user did not grant access"),
    Rule::new(0, "redirect_uri_mismatch", InvalidRequest, "the redirect address is not registered for the client"),
    Rule::new(0, "invalid_scope", InvalidRequest, "Google does not know one of the scopes"),
    Rule::new(0, "invalid_request", InvalidRequest, "Google does not accept the request for a token"),
    Rule::new(0, "unsupported_grant_type", UnsupportedOperation, "Google does not offer this kind of grant"),
    Rule::new(0, "server_error", ServiceUnavailable, ""),
    Rule::new(0, "temporarily_unavailable", ServiceUnavailable, ""),
    // Here no 401 means that an access token has expired.
    Rule::new(401, "", InvalidCredentials, "Google does not accept the application's client id and secret"),
];

/// Tells what went wrong from an answer of one of Google's APIs.
pub fn error(failure: &Failure<'_>) -> Error {
    failure.by(RULES, &words(failure))
}

/// Tells what went wrong from an answer of Google's token endpoint.
pub fn token_error(failure: &Failure<'_>) -> Error {
    failure.by(TOKEN_RULES, &token_words(failure))
}

fn words(failure: &Failure<'_>) -> Words {
    let body = failure.json();
    let error = &body["error"];
    let reasons = ["errors", "details"].into_iter().filter_map(|list| error[list].as_array());
    Words::default()
        .codes(reasons.flatten().map(|reason| &reason["reason"]))
        .code(&error["status"])
        .text(&error["message"])
}

fn token_words(failure: &Failure<'_>) -> Words {
    let body = failure.json();
    Words::default().code(&body["error_subtype"]).code(&body["error"]).text(&body["error_description"])
}

#[cfg(test)]
mod tests;
