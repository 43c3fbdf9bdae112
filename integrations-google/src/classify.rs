//! What do Google's failures mean?
//!
//! ONE table. A reason comes from `error.errors[].reason`, `error.details[].reason` or `error.status`
//! (the newer envelope may lack the first); the token endpoint has a flat `error`.

use std::time::Duration;

use integrations_core::http::{Failure, Rule, classify};
use integrations_core::{Error, ErrorKind};
use serde::Deserialize;

const HOUR: Duration = Duration::from_secs(3600);

/// The API's failures, in the order in which they are looked up.
pub(crate) const RULES: &[Rule] = &[
    // 400
    Rule::new(
        400,
        "failedPrecondition",
        ErrorKind::UnsupportedOperation,
        "the service is not enabled for this account",
    ),
    // 401
    Rule::new(401, "", ErrorKind::TokenExpired, ""),
    // 403 is a limit or a refusal, by its reason alone.
    Rule::new(403, "userRateLimitExceeded", ErrorKind::RateLimited, ""),
    Rule::new(403, "rateLimitExceeded", ErrorKind::RateLimited, ""),
    Rule::new(403, "RATE_LIMIT_EXCEEDED", ErrorKind::RateLimited, ""),
    Rule::new(403, "quotaExceeded", ErrorKind::RateLimited, "the user's quota is used up for hours")
        .wait(HOUR),
    Rule::new(403, "dailyLimitExceeded", ErrorKind::RateLimited, "the day's quota is used up").wait(HOUR),
    Rule::new(
        403,
        "accessNotConfigured",
        ErrorKind::UnsupportedOperation,
        "the API is not enabled for the application's project in the Google Cloud console",
    ),
    Rule::new(
        403,
        "SERVICE_DISABLED",
        ErrorKind::UnsupportedOperation,
        "the API is not enabled for the application's project in the Google Cloud console",
    ),
    Rule::new(
        403,
        "insufficientPermissions",
        ErrorKind::InsufficientPermissions,
        "the grant lacks the scope; the user has to grant it",
    ),
    Rule::new(
        403,
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        ErrorKind::InsufficientPermissions,
        "the grant lacks the scope; the user has to grant it",
    ),
    Rule::new(403, "", ErrorKind::InsufficientPermissions, "the user may not do this at Google"),
    // 404 means unknown, or no access.
    Rule::new(404, "", ErrorKind::NotFound, ""),
    // 410: a lost position, or an event that is gone.
    Rule::new(410, "fullSyncRequired", ErrorKind::CursorExpired, ""),
    Rule::new(410, "updatedMinTooLongAgo", ErrorKind::CursorExpired, ""),
    Rule::new(410, "deleted", ErrorKind::NotFound, ""),
    Rule::new(410, "", ErrorKind::CursorExpired, "").on("events.list"),
    Rule::new(410, "", ErrorKind::CursorExpired, "").on("calendarList.list"),
    // 429 and 5xx
    Rule::new(429, "", ErrorKind::RateLimited, ""),
    Rule::new(500, "", ErrorKind::ServiceUnavailable, ""),
    Rule::new(502, "", ErrorKind::ServiceUnavailable, ""),
    Rule::new(503, "", ErrorKind::ServiceUnavailable, ""),
    Rule::new(504, "", ErrorKind::Timeout, ""),
];

/// The token endpoint's failures.
pub(crate) const TOKEN_RULES: &[Rule] = &[
    Rule::new(
        0,
        "invalid_rapt",
        ErrorKind::ReauthorizationRequired,
        "the Workspace asks its users to sign in again",
    ),
    Rule::new(
        0,
        "invalid_grant",
        ErrorKind::ReauthorizationRequired,
        "the grant is revoked, expired or used; the user has to connect the account again",
    ),
    Rule::new(
        0,
        "invalid_client",
        ErrorKind::InvalidCredentials,
        "Google does not accept the application's client id and secret",
    ),
    Rule::new(
        0,
        "unauthorized_client",
        ErrorKind::InvalidCredentials,
        "the application may not use this kind of grant",
    ),
    Rule::new(
        0,
        "deleted_client",
        ErrorKind::InvalidCredentials,
        "the application's client is deleted in the Google Cloud console",
    ),
    Rule::new(
        0,
        "disabled_client",
        ErrorKind::InvalidCredentials,
        "the application's client is disabled in the Google Cloud console",
    ),
    Rule::new(
        0,
        "admin_policy_enforced",
        ErrorKind::InsufficientPermissions,
        "the Workspace administrator does not allow the application",
    ),
    Rule::new(
        0,
        "org_internal",
        ErrorKind::InsufficientPermissions,
        "the application is open to its own organisation alone",
    ),
    Rule::new(
        0,
        "redirect_uri_mismatch",
        ErrorKind::InvalidRequest,
        "the redirect address is not registered for the client",
    ),
    Rule::new(0, "invalid_scope", ErrorKind::InvalidRequest, "Google does not know one of the scopes"),
    Rule::new(0, "invalid_request", ErrorKind::InvalidRequest, ""),
    Rule::new(0, "unsupported_grant_type", ErrorKind::UnsupportedOperation, ""),
    Rule::new(0, "server_error", ErrorKind::ServiceUnavailable, ""),
    Rule::new(0, "temporarily_unavailable", ErrorKind::ServiceUnavailable, ""),
];

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    error: Body<'a>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default, borrow)]
    errors: Vec<Reason<'a>>,
    #[serde(default, borrow)]
    details: Vec<Reason<'a>>,
    #[serde(borrow)]
    status: Option<&'a str>,
}

#[derive(Deserialize)]
struct Reason<'a> {
    #[serde(borrow)]
    reason: Option<&'a str>,
}

/// Tells what went wrong from an answer of one of Google's APIs.
pub(crate) fn error(failure: &Failure<'_>) -> Error {
    let envelope = serde_json::from_slice::<Envelope<'_>>(failure.body).ok();
    let codes: Vec<&str> = envelope
        .iter()
        .flat_map(|envelope| {
            let body = &envelope.error;
            let reasons = body.errors.iter().chain(&body.details).filter_map(|reason| reason.reason);
            reasons.chain(body.status)
        })
        .collect();
    let class = classify::classify(RULES, failure.operation, failure.status, &codes);
    failure.error(class, codes.first().copied())
}
