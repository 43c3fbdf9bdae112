//! Does every row of the tables mean what it says? A row without a case fails the test.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind::{self, Conflict, Timeout, TokenExpired};

use super::*;

/// Stands in every body where the provider may quote the user.
const CANARY: &str = "CANARY-of-the-user";

/// The operation, the status, a header, the body; then the kind, the code, and the seconds to wait.
type Case = (&'static str, u16, (&'static str, &'static str), &'static str, ErrorKind, &'static str, u64);

const NO: (&str, &str) = ("x-none", "");
const DAY: (&str, &str) = ("x-ratelimit-type", "Daily-limit");
const QPS: (&str, &str) = ("x-ratelimit-type", "QPS");

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("meetings.list", 400, NO, r#"{"code":4711,"message":"Invalid access token, does not contain scopes:[meeting:read:list_meetings]."}"#, InsufficientPermissions, "4711", 0),
    ("meetings.list", 401, NO, r#"{"code":4711,"message":"x"}"#, InsufficientPermissions, "4711", 0),
    ("meetings.list", 400, NO, r#"{"code":4700,"message":"Invalid access token, does not contain scopes:[x]."}"#, InsufficientPermissions, "missing_scope", 0),
    ("meetings.list", 401, NO, r#"{"code":4700,"message":"Invalid access token, does not contain scopes."}"#, InsufficientPermissions, "missing_scope", 0),
    ("meetings.list", 401, NO, r#"{"code":124,"message":"Access token is expired."}"#, TokenExpired, "124", 0),
    ("meetings.list", 401, NO, r#"{"code":200,"message":"CANARY-of-the-user"}"#, TokenExpired, "200", 0),
    ("meetings.list", 400, NO, r#"{"code":300,"message":"The next page token is either invalid or expired."}"#, CursorExpired, "next_page_token", 0),
    ("meetings.list", 400, NO, r#"{"code":300,"message":"Invalid field: next_page_token."}"#, CursorExpired, "next_page_token", 0),
    ("meetings.create", 400, NO, r#"{"code":200,"message":"User's hosting capabilities are not allowed: CANARY-of-the-user"}"#, UnsupportedOperation, "no_hosting", 0),
    ("webinars.list", 400, NO, r#"{"code":200,"message":"Webinar plan is missing."}"#, UnsupportedOperation, "no_webinar_plan", 0),
    ("meetings.create", 400, NO, r#"{"code":3161,"message":"x"}"#, UnsupportedOperation, "3161", 0),
    ("meetings.get", 400, NO, r#"{"code":200,"message":"No permission."}"#, InsufficientPermissions, "200", 0),
    ("meetings.create", 400, NO, r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"topic","message":"CANARY-of-the-user"}]}"#, InvalidRequest, "300", 0),
    ("meetings.get", 403, NO, r#"{"code":3001,"message":"CANARY-of-the-user"}"#, InsufficientPermissions, "3001", 0),
    ("users.me", 404, NO, r#"{"code":1001,"message":"User does not exist: CANARY-of-the-user"}"#, AccountSuspended, "1001", 0),
    ("users.me", 404, NO, r#"{"code":1010,"message":"x"}"#, AccountSuspended, "1010", 0),
    ("meetings.list", 404, NO, r#"{"code":1001,"message":"User does not exist: CANARY-of-the-user"}"#, NotFound, "1001", 0),
    ("meetings.list", 404, NO, r#"{"code":1010,"message":"x"}"#, NotFound, "1010", 0),
    ("meetings.get", 404, NO, r#"{"code":3001,"message":"Meeting does not exist: 85012345678."}"#, NotFound, "3001", 0),
    ("recordings.get", 404, NO, r#"{"code":3301,"message":"There is no recording for this meeting."}"#, NotFound, "3301", 0),
    ("recordings.get", 404, NO, r#"{"code":3310,"message":"x"}"#, NotFound, "3310", 0),
    ("recordings.get", 404, NO, r#"{"code":3322,"message":"x"}"#, NotFound, "3322", 0),
    ("meetings.get", 409, NO, r#"{"code":409,"message":"x"}"#, Conflict, "409", 0),
    ("reports.list", 429, DAY, r#"{"code":429,"message":"x"}"#, RateLimited, "daily_limit", 3600),
    ("meetings.create", 429, NO, r#"{"code":429,"message":"You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user."}"#, RateLimited, "daily_limit", 3600),
    ("meetings.create", 429, NO, "You have reached the maximum daily rate limit. CANARY-of-the-user", RateLimited, "daily_limit", 3600),
    ("meetings.update", 429, NO, r#"{"code":429,"message":"Too many concurrent requests. A request to CANARY-of-the-user is in progress"}"#, RateLimited, "concurrent_requests", 2),
    ("meetings.list", 429, QPS, r#"{"code":429,"message":"You have reached the maximum per-second rate limit for this API."}"#, RateLimited, "429", 2),
    ("meetings.list", 429, ("retry-after", "9"), "", RateLimited, "", 9),
    ("meetings.list", 500, NO, r#"{"code":5000,"message":"x"}"#, ServiceUnavailable, "5000", 0),
    ("meetings.list", 503, NO, "<html>CANARY-of-the-user</html>", ServiceUnavailable, "", 0),
    ("meetings.list", 504, NO, "", Timeout, "", 0),
    // Not the shapes that are expected.
    ("meetings.list", 400, NO, r#"{"code":"CANARY-of-the-user","message":{"a":1}}"#, InvalidRequest, "", 0),
];

#[rustfmt::skip]
const TOKEN_CASES: &[Case] = &[
    ("token.code", 400, NO, r#"{"code":4702,"message":"Invalid client."}"#, InvalidCredentials, "4702", 0),
    ("token.code", 401, NO, r#"{"code":4704,"message":"Invalid client secret."}"#, InvalidCredentials, "4704", 0),
    ("token.code", 400, NO, r#"{"code":4706,"message":"Client ID or client secret is missing."}"#, InvalidCredentials, "4706", 0),
    ("token.code", 400, NO, r#"{"code":4705,"message":"x"}"#, UnsupportedOperation, "4705", 0),
    ("token.code", 400, NO, r#"{"code":4709,"message":"Redirect URI mismatch."}"#, InvalidRequest, "4709", 0),
    ("token.code", 400, NO, r#"{"code":4733,"message":"x"}"#, ReauthorizationRequired, "4733", 0),
    ("token.code", 400, NO, r#"{"code":4734,"message":"x"}"#, ReauthorizationRequired, "4734", 0),
    ("token.refresh", 400, NO, r#"{"code":4735,"message":"CANARY-of-the-user"}"#, AccountSuspended, "4735", 0),
    ("token.refresh", 401, NO, r#"{"code":4737,"message":"x"}"#, ReauthorizationRequired, "4737", 0),
    ("token.refresh", 401, NO, r#"{"code":4740,"message":"x"}"#, ReauthorizationRequired, "4740", 0),
    ("token.refresh", 401, NO, r#"{"code":4741,"message":"x"}"#, ReauthorizationRequired, "4741", 0),
    ("token.refresh", 400, NO, r#"{"code":4711,"message":"Refresh token invalid."}"#, InsufficientPermissions, "4711", 0),
    ("token.refresh", 400, NO, r#"{"code":4717,"message":"x"}"#, InsufficientPermissions, "4717", 0),
    ("token.refresh", 400, NO, r#"{"code":4738,"message":"x"}"#, InsufficientPermissions, "4738", 0),
    ("token.refresh", 400, NO, r#"{"code":4700,"message":"Invalid access token, does not contain scopes."}"#, InsufficientPermissions, "4700", 0),
    ("token.refresh", 400, NO, r#"{"code":4700,"message":""}"#, ServiceUnavailable, "4700", 0),
    ("token.refresh", 400, NO, r#"{"reason":"Invalid Token!","error":"invalid_request"}"#, ReauthorizationRequired, "invalid_token", 0),
    ("token.refresh", 401, NO, r#"{"reason":"Invalid Token!","error":"invalid_request"}"#, ReauthorizationRequired, "invalid_token", 0),
    ("token.code", 400, NO, r#"{"reason":"Invalid authorization code CANARY-of-the-user","error":"invalid_request"}"#, ReauthorizationRequired, "invalid_code", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant"}"#, ReauthorizationRequired, "invalid_grant", 0),
    ("token.code", 400, NO, r#"{"error":"access_denied"}"#, ReauthorizationRequired, "access_denied", 0),
    ("token.refresh", 401, NO, r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#, InvalidCredentials, "invalid_client", 0),
    ("token.refresh", 400, NO, r#"{"error":"unauthorized_client"}"#, InvalidCredentials, "unauthorized_client", 0),
    ("token.refresh", 400, NO, r#"{"reason":"unsupported grant type","error":"unsupported_grant_type"}"#, UnsupportedOperation, "unsupported_grant_type", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_scope"}"#, InvalidRequest, "invalid_scope", 0),
    ("token.code", 400, NO, r#"{"reason":"Missing grant type","error":"invalid_request"}"#, InvalidRequest, "invalid_request", 0),
    ("token.refresh", 401, NO, "", InvalidCredentials, "", 0),
    ("token.refresh", 429, NO, "", RateLimited, "", 0),
    ("token.refresh", 502, NO, "<html>CANARY-of-the-user</html>", ServiceUnavailable, "", 0),
];

/// Walks the cases; every row must decide at least one of them.
fn walk(rules: &[Rule], cases: &[Case], words: fn(&Failure<'_>) -> Words, error: fn(&Failure<'_>) -> Error) {
    let mut hit = BTreeSet::new();
    for &(operation, status, header, body, kind, code, wait) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(header.0), HeaderValue::from_static(header.1));
        let status = StatusCode::from_u16(status).unwrap();
        let failure = Failure { operation, status, headers: &headers, body: body.as_bytes() };
        hit.extend(failure.row(rules, &words(&failure)));
        let error = error(&failure);
        let at = format!("{operation} {status} {body}");
        assert_eq!(error.kind(), kind, "{at}");
        assert_eq!(error.provider_code().unwrap_or_default(), code, "{at}");
        assert_eq!(error.retry_after().unwrap_or_default(), Duration::from_secs(wait), "{at}");
        assert!(!format!("{error} {error:?}").contains(CANARY), "{at}");
    }
    let missed: Vec<_> = (0..rules.len()).filter(|row| !hit.contains(row)).map(|row| rules[row]).collect();
    assert!(missed.is_empty(), "no case for {missed:#?}");
}

#[test]
fn every_row_of_the_api_means_what_it_says() {
    walk(RULES, CASES, words, error);
}

#[test]
fn every_row_of_the_token_endpoint_means_what_it_says() {
    walk(TOKEN_RULES, TOKEN_CASES, words, token_error);
}

#[test]
fn only_what_zoom_counts_is_not_processed() {
    for rule in RULES.iter().chain(TOKEN_RULES) {
        assert_eq!(rule.then.not_processed, rule.then.kind == RateLimited, "{rule:?}");
        assert_eq!(rule.when.phrase, rule.when.phrase.to_ascii_lowercase());
    }
}
