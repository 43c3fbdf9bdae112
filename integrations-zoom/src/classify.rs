//! What do Zoom's failures mean?
//!
//! ONE table each for the API and for the token endpoint. The API has a number in `code`, and a text; a
//! number means different things at different statuses, so every row but one asks for the status. The
//! token endpoint has `error` and a text in `reason`, or a number. A 429 may be plain text.

use std::time::Duration;

use integrations_core::Error;
use integrations_core::ErrorKind::{
    AccountSuspended, CursorExpired, InsufficientPermissions, InvalidCredentials, InvalidRequest, NotFound,
    RateLimited, ReauthorizationRequired, ServiceUnavailable, UnsupportedOperation,
};
use integrations_core::http::{Failure, HeaderMatch, Rule, Words};
use serde_json::Value;

/// Plain text is read up to here.
const MAX_TEXT: usize = 4 << 10;

const HOUR: Duration = Duration::from_secs(3600);
/// For a limit of calls a second, and for two writes to one meeting at once.
const MOMENT: Duration = Duration::from_secs(2);

const SCOPE: &str =
    "the app or the grant lacks a scope; it has to be added to the app, and the user has to grant it";
const PLAN: &str = "the user's plan at Zoom does not have this";
const DAILY: &str = "the day's calls are used up; Zoom counts anew at 00:00 UTC";
const TOKEN_PAGE: &str = "Zoom does not know the page any more; it lives for 15 minutes";
const NO_MEETING: &str = "the meeting is deleted or has expired";
const NO_USER: &str = "Zoom does not know the user, or it is of another account";
const CLIENT: &str = "Zoom does not accept the application's client id and secret";
const CODE: &str = "the code is not valid (any more); the user has to start again";
const GRANT: &str =
    "the refresh token is used, revoked or expired; the user has to connect the account again";
const ADMIN: &str = "an administrator of the Zoom account has disabled the app";

/// What the failures of the API mean, in the order in which they are looked up.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    // A scope is missing: not a 403, and in two numbers.
    Rule::new(0, "4711", InsufficientPermissions, SCOPE),
    Rule::new(400, "", InsufficientPermissions, SCOPE).saying("does not contain scopes").named("missing_scope"),
    Rule::new(401, "", InsufficientPermissions, SCOPE).saying("does not contain scopes").named("missing_scope"),
    // 400: a page that has expired has no number of its own.
    Rule::new(400, "", CursorExpired, TOKEN_PAGE).saying("next page token").named("next_page_token"),
    Rule::new(400, "", CursorExpired, TOKEN_PAGE).saying("next_page_token").named("next_page_token"),
    Rule::new(400, "", UnsupportedOperation, PLAN).saying("hosting capabilities").named("no_hosting"),
    Rule::new(400, "", UnsupportedOperation, PLAN).saying("webinar plan").named("no_webinar_plan"),
    Rule::new(400, "3161", UnsupportedOperation, PLAN),
    Rule::new(400, "200", InsufficientPermissions, "the user may not do this at Zoom"),
    Rule::new(400, "300", InvalidRequest, "Zoom does not accept a field of the request"),
    // 403
    Rule::new(403, "", InsufficientPermissions, "the user may not do this at Zoom"),
    // 404. The own account that is not there is deactivated or gone.
    Rule::new(404, "1001", AccountSuspended, "the Zoom account is deactivated or deleted").on("users.me"),
    Rule::new(404, "1010", AccountSuspended, "the Zoom account is deactivated or deleted").on("users.me"),
    Rule::new(404, "1001", NotFound, NO_USER),
    Rule::new(404, "1010", NotFound, NO_USER),
    Rule::new(404, "3001", NotFound, NO_MEETING),
    Rule::new(404, "3301", NotFound, "there is no recording of the meeting"),
    Rule::new(404, "3310", NotFound, "the recording is still being made; it is there later"),
    Rule::new(404, "3322", NotFound, "there is no recording of the meeting"),
    // 429: by the day, by two writes at once, or by the second.
    Rule::new(429, "", RateLimited, DAILY).with(HeaderMatch::Contains("x-ratelimit-type", "daily")).named("daily_limit").wait(HOUR).not_processed(),
    Rule::new(429, "", RateLimited, DAILY).saying("daily rate limit").named("daily_limit").wait(HOUR).not_processed(),
    Rule::new(429, "", RateLimited, "another call to the same meeting or user is under way").saying("concurrent requests").named("concurrent_requests").wait(MOMENT).not_processed(),
    Rule::new(429, "", RateLimited, "").wait(MOMENT).not_processed(),
];

/// What the failures of the token endpoint mean, in the order in which they are looked up.
#[rustfmt::skip]
pub const TOKEN_RULES: &[Rule] = &[
    // The application.
    Rule::new(0, "4702", InvalidCredentials, CLIENT),
    Rule::new(0, "4704", InvalidCredentials, CLIENT),
    Rule::new(0, "4706", InvalidCredentials, CLIENT),
    Rule::new(0, "4705", UnsupportedOperation, "Zoom does not offer this kind of grant"),
    Rule::new(0, "4709", InvalidRequest, "the redirect address is not registered for the app, or not the one of the first step"),
    // The code and the grant.
    Rule::new(0, "4733", ReauthorizationRequired, CODE),
    Rule::new(0, "4734", ReauthorizationRequired, CODE),
    Rule::new(0, "4737", ReauthorizationRequired, GRANT),
    Rule::new(0, "4740", ReauthorizationRequired, GRANT),
    // A second authorisation by the same user ends the first.
    Rule::new(0, "4741", ReauthorizationRequired, GRANT),
    Rule::new(0, "4735", AccountSuspended, "the user of the grant is deactivated or deleted at Zoom"),
    // What the account allows.
    Rule::new(0, "4711", InsufficientPermissions, "the app's scopes have changed since the grant; the user has to grant them"),
    Rule::new(0, "4717", InsufficientPermissions, ADMIN),
    Rule::new(0, "4738", InsufficientPermissions, ADMIN),
    // Anything at all, unless its text says more.
    Rule::new(0, "4700", InsufficientPermissions, SCOPE).saying("scope"),
    Rule::new(0, "4700", ServiceUnavailable, "Zoom could not make a token"),
    // What `reason` says: a refresh token that is refused is an `invalid_request` all the same.
    Rule::new(0, "", ReauthorizationRequired, GRANT).saying("invalid token").named("invalid_token"),
    Rule::new(0, "", ReauthorizationRequired, CODE).saying("invalid authorization code").named("invalid_code"),
    // What `error` says by itself (RFC 6749, 5.2).
    Rule::new(0, "invalid_grant", ReauthorizationRequired, GRANT),
    Rule::new(0, "access_denied", ReauthorizationRequired, "the user did not grant access"),
    Rule::new(0, "invalid_client", InvalidCredentials, CLIENT),
    Rule::new(0, "unauthorized_client", InvalidCredentials, "the application may not use this kind of grant"),
    Rule::new(0, "unsupported_grant_type", UnsupportedOperation, "Zoom does not offer this kind of grant"),
    Rule::new(0, "invalid_scope", InvalidRequest, "Zoom does not know one of the scopes"),
    Rule::new(0, "invalid_request", InvalidRequest, "Zoom does not accept the request for a token"),
    // Here no 401 means that an access token has expired.
    Rule::new(401, "", InvalidCredentials, CLIENT),
];

/// Tells what went wrong from an answer of the API.
pub fn error(failure: &Failure<'_>) -> Error {
    failure.by(RULES, &words(failure))
}

/// Tells what went wrong from an answer of the token endpoint.
pub fn token_error(failure: &Failure<'_>) -> Error {
    failure.by(TOKEN_RULES, &words(failure))
}

fn words(failure: &Failure<'_>) -> Words {
    let body = failure.json();
    if body.is_null() {
        let text = &failure.body[..failure.body.len().min(MAX_TEXT)];
        return Words::default().text(&Value::from(String::from_utf8_lossy(text)));
    }
    Words::default().code(&body["code"]).code(&body["error"]).text(&body["message"]).text(&body["reason"])
}

#[cfg(test)]
mod tests;
