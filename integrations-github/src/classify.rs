//! What do GitHub's failures mean?
//!
//! ONE table each for the API, REST and GraphQL, and for the token endpoint. REST has few codes: the
//! meaning stands in headers and in the text of `message`, whose phrases are given a code here. GraphQL
//! answers with status 200 and `errors[].type`, and the token endpoint with status 200 and `error`.

use std::time::Duration;

use http::StatusCode;
use integrations_core::ErrorKind::{
    AccountSuspended, Conflict, InsufficientPermissions, InvalidCredentials, InvalidRequest, NotFound,
    RateLimited, ReauthorizationRequired, ServiceUnavailable, Timeout, UnsupportedOperation,
};
use integrations_core::http::{Failure, HeaderMatch, Response, Rule, Words};
use integrations_core::{Error, Result, json};
use serde::Deserialize;
use serde_json::Value;

/// A form is read up to here: GitHub's have two lines.
const MAX_FORM: usize = 16 << 10;

/// GitHub asks to wait so long at least where it names no time.
const MINUTE: Duration = Duration::from_secs(60);
/// Between two questions of the device flow.
const INTERVAL: Duration = Duration::from_secs(5);

const NONE_LEFT: HeaderMatch = HeaderMatch::Is("x-ratelimit-remaining", "0");

const SECONDARY: &str = "too many calls at once or in a short time; send them one after another";
const PRIMARY: &str = "the calls of the hour are used up";
const SIGN_ON: &str =
    "the organisation asks for its single sign-on; the user has to authorise the app for it";
const KEY: &str =
    "GitHub does not accept the app's signed token; set the machine's clock, then check the key";
const SCOPE: &str = "the grant does not reach this; the user or an owner has to grant it";
const THERE: &str = "there is one already; look it up";
const OFF: &str = "issues are switched off in this repository";

/// What the failures of the API mean, in the order in which they are looked up. A 403 with a reason of its
/// own comes before the limits, for it may be the last call that was left.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    // 401, to an app's signed token. Any other means an access token that has expired or is revoked.
    Rule::new(401, "", InvalidCredentials, KEY).saying("claim ('").named("jwt_claim"),
    Rule::new(401, "", InvalidCredentials, KEY).saying("could not be decoded").named("jwt_unreadable"),
    // 403, for a reason.
    Rule::new(403, "", AccountSuspended, "an owner has suspended the app's installation").saying("installation has been suspended").named("installation_suspended"),
    Rule::new(403, "", AccountSuspended, "GitHub has suspended the account").saying("account was suspended").named("account_suspended"),
    Rule::new(403, "", InsufficientPermissions, SIGN_ON).with(HeaderMatch::Contains("x-github-sso", "required")).named("sso_required"),
    Rule::new(403, "", InsufficientPermissions, SIGN_ON).saying("saml enforcement").named("sso_required"),
    Rule::new(403, "", InsufficientPermissions, "the organisation does not allow the app; one of its owners has to").saying("oauth app access restrictions").named("oauth_app_restricted"),
    Rule::new(403, "", InsufficientPermissions, SCOPE).saying("resource not accessible").named("not_accessible"),
    Rule::new(403, "", InsufficientPermissions, "only an administrator of the repository may do this").saying("must have admin rights").named("not_admin"),
    Rule::new(403, "", InvalidRequest, "GitHub refuses a request without a User-Agent").saying("administrative rules").named("no_user_agent"),
    Rule::new(403, "", UnsupportedOperation, "the repository is archived").saying("was archived").named("archived"),
    // 403 and 429, for too many calls.
    Rule::new(403, "", RateLimited, SECONDARY).saying("secondary rate limit").named("secondary_rate_limit").wait(MINUTE).not_processed(),
    Rule::new(429, "", RateLimited, SECONDARY).saying("secondary rate limit").named("secondary_rate_limit").wait(MINUTE).not_processed(),
    Rule::new(200, "", RateLimited, SECONDARY).saying("secondary rate limit").named("secondary_rate_limit").wait(MINUTE).not_processed(),
    // The same in the address of its documentation, and in the words of older servers.
    Rule::new(403, "", RateLimited, SECONDARY).saying("secondary-rate-limit").named("secondary_rate_limit").wait(MINUTE).not_processed(),
    Rule::new(403, "", RateLimited, SECONDARY).saying("abuse detection").named("secondary_rate_limit").wait(MINUTE).not_processed(),
    Rule::new(403, "", RateLimited, PRIMARY).with(NONE_LEFT).named("rate_limit").not_processed(),
    Rule::new(429, "", RateLimited, PRIMARY).with(NONE_LEFT).named("rate_limit").not_processed(),
    Rule::new(403, "", RateLimited, PRIMARY).saying("rate limit exceeded").named("rate_limit").wait(MINUTE).not_processed(),
    Rule::new(403, "", RateLimited, SECONDARY).with(HeaderMatch::Present("retry-after")).named("secondary_rate_limit").not_processed(),
    Rule::new(429, "", RateLimited, SECONDARY).wait(MINUTE).not_processed(),
    Rule::new(403, "", InsufficientPermissions, SCOPE),
    // GraphQL's types, in a 200.
    Rule::new(200, "RATE_LIMITED", RateLimited, PRIMARY).not_processed(),
    Rule::new(200, "RATE_LIMIT", RateLimited, PRIMARY).not_processed(),
    Rule::new(200, "FORBIDDEN", InsufficientPermissions, SCOPE),
    Rule::new(200, "INSUFFICIENT_SCOPES", InsufficientPermissions, SCOPE),
    Rule::new(200, "NOT_FOUND", NotFound, "it does not exist, or the grant does not reach it"),
    Rule::new(200, "MAX_NODE_LIMIT_EXCEEDED", InvalidRequest, "the query asks for too many nodes; ask for smaller pages"),
    Rule::new(200, "", Timeout, "the query took too long; ask for smaller pages").saying("something went wrong while executing your query").named("query_failed"),
    // 404 hides what the grant does not reach.
    Rule::new(404, "", NotFound, "it does not exist, or the grant does not reach it"),
    // 410: an issue that is deleted, issues that are switched off, or a version of the API that is gone.
    Rule::new(410, "", UnsupportedOperation, OFF).saying("issues are disabled").named("issues_disabled"),
    Rule::new(410, "", UnsupportedOperation, OFF).saying("issues disabled").named("issues_disabled"),
    Rule::new(410, "", UnsupportedOperation, "GitHub has taken this version of its API away; the adapter needs an update").saying("version").named("api_version_gone"),
    Rule::new(410, "", NotFound, "it is deleted"),
    // 422
    Rule::new(422, "", RateLimited, "too much was written in a short time").saying("submitted too quickly").named("submitted_too_quickly").wait(MINUTE).not_processed(),
    Rule::new(422, "already_exists", Conflict, THERE),
    Rule::new(422, "", Conflict, THERE).saying("already exists").named("already_exists"),
    // Taken down on demand of a rights holder.
    Rule::new(451, "", NotFound, "GitHub has taken it down for legal reasons"),
    // A call of more than ten seconds ends so. Without these words, something that stands in between is down.
    Rule::new(502, "", Timeout, "the call took too long; ask for smaller pages").saying("server error"),
    Rule::new(502, "", Timeout, "the query took too long; ask for smaller pages").saying("something went wrong while executing your query").named("query_failed"),
];

/// What the failures of the token endpoint mean, in the order in which they are looked up.
#[rustfmt::skip]
pub const TOKEN_RULES: &[Rule] = &[
    Rule::new(0, "bad_verification_code", ReauthorizationRequired, "the code is not valid (any more); the user has to start again"),
    Rule::new(0, "bad_refresh_token", ReauthorizationRequired, "the refresh token is used, revoked or expired; the user has to connect the account again"),
    Rule::new(0, "invalid_grant", ReauthorizationRequired, "the grant is revoked, expired or used; the user has to connect the account again"),
    Rule::new(0, "unverified_user_email", ReauthorizationRequired, "the user has to verify an e-mail address at GitHub, then connect the account again"),
    Rule::new(0, "access_denied", ReauthorizationRequired, "the user did not grant access"),
    Rule::new(0, "incorrect_client_credentials", InvalidCredentials, "GitHub does not accept the application's client id and secret"),
    Rule::new(0, "invalid_client", InvalidCredentials, "GitHub does not accept the application's client id and secret"),
    Rule::new(0, "application_suspended", InvalidCredentials, "GitHub has suspended the application; its owner has to write to GitHub's support"),
    Rule::new(0, "redirect_uri_mismatch", InvalidRequest, "the redirect address is not registered for the application"),
    Rule::new(0, "invalid_request", InvalidRequest, "GitHub does not accept the request for a token"),
    Rule::new(0, "invalid_scope", InvalidRequest, "GitHub does not know one of the scopes"),
    Rule::new(0, "unsupported_grant_type", UnsupportedOperation, "GitHub does not offer this kind of grant"),
    // The device flow (RFC 8628): ask again, or stop asking.
    Rule::new(0, "authorization_pending", RateLimited, "the user has not answered yet; ask again").wait(INTERVAL).not_processed(),
    Rule::new(0, "slow_down", RateLimited, "ask less often, for good").wait(INTERVAL).not_processed(),
    Rule::new(0, "expired_token", ReauthorizationRequired, "the code for the device has expired; the user has to start again"),
    Rule::new(0, "incorrect_device_code", ReauthorizationRequired, "the code for the device is not valid; the user has to start again"),
    Rule::new(0, "device_flow_disabled", UnsupportedOperation, "the device flow is not enabled in the application's settings"),
    Rule::new(0, "temporarily_unavailable", ServiceUnavailable, ""),
    Rule::new(0, "server_error", ServiceUnavailable, ""),
    // Here no 401 means that an access token has expired, and a 404 stands for an unknown application.
    Rule::new(401, "", InvalidCredentials, "GitHub does not accept the application's client id and secret"),
    Rule::new(404, "", InvalidCredentials, "GitHub does not know the client id"),
];

/// Tells what went wrong from an answer of the API.
pub fn error(failure: &Failure<'_>) -> Error {
    let body = failure.json();
    failure.by(RULES, &words(&body))
}

/// Tells what went wrong from an answer of the token endpoint, whatever its status.
pub fn token_error(failure: &Failure<'_>) -> Error {
    failure.by(TOKEN_RULES, &token_words(failure))
}

/// Tells whether an answer of the API is a success. Operations of GraphQL begin with `graphql`: they fail
/// with status 200.
///
/// # Errors
/// As [`in_graphql_success`], and what the status means.
pub(crate) fn judge(operation: &'static str, answer: &Response) -> Result<()> {
    match answer.status {
        status if status.is_success() && operation.starts_with("graphql") => {
            in_graphql_success(operation, answer)
        }
        status if status.is_success() || status == StatusCode::NOT_MODIFIED => Ok(()),
        _ => Err(error(&Failure::of(operation, answer))),
    }
}

/// Finds the failure in an answer of GraphQL of status 200. What the answer holds beside it is given up.
///
/// # Errors
/// What the types in `errors` mean; [`ErrorKind::DataFormat`](integrations_core::ErrorKind::DataFormat) for
/// an answer that is none of GraphQL's.
pub fn in_graphql_success(operation: &'static str, answer: &Response) -> Result<()> {
    /// The data is skipped, not stored.
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(default)]
        errors: Value,
    }
    let envelope: Envelope = json::decode(&answer.body, operation)?;
    match &envelope.errors {
        Value::Null => Ok(()),
        Value::Array(errors) if errors.is_empty() => Ok(()),
        errors => Err(Failure::of(operation, answer).by(RULES, &words_of(Words::default(), errors))),
    }
}

/// Finds the failure in an answer of the token endpoint of status 200.
///
/// # Errors
/// What its `error` means.
pub fn in_token_success(operation: &'static str, answer: &Response) -> Result<()> {
    let failure = Failure::of(operation, answer);
    if token_words(&failure).is_empty() { Ok(()) } else { Err(token_error(&failure)) }
}

fn words(body: &Value) -> Words {
    let words = Words::default().text(&body["message"]).text(&body["documentation_url"]);
    words_of(words, &body["errors"])
}

/// What stands in `errors`: of REST (`code`) or of GraphQL (`type`).
fn words_of(words: Words, errors: &Value) -> Words {
    errors
        .as_array()
        .into_iter()
        .flatten()
        .fold(words, |words, error| words.code(&error["code"]).code(&error["type"]).text(&error["message"]))
}

fn token_words(failure: &Failure<'_>) -> Words {
    let body = failure.json();
    if body.is_null() && failure.body.len() <= MAX_FORM {
        // Without `Accept: application/json` the answer is a form.
        let form = url::form_urlencoded::parse(failure.body);
        let errors =
            form.filter(|(name, _)| name == "error").map(|(_, value)| Value::from(value.into_owned()));
        return Words::default().codes(&errors.collect::<Vec<_>>());
    }
    Words::default().code(&body["error"])
}

#[cfg(test)]
mod tests;
