//! Does every row of the tables mean what it says? A row without a case fails the test.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind::{self, DataFormat, TokenExpired};

use super::*;

/// Stands in every body where the provider may quote the user.
const CANARY: &str = "CANARY-of-the-user";

/// The operation, the status, a header, the body; then the kind, the code, and the seconds to wait.
type Case = (&'static str, u16, (&'static str, &'static str), &'static str, ErrorKind, &'static str, u64);

const NO: (&str, &str) = ("x-none", "");
const LEFT_0: (&str, &str) = ("x-ratelimit-remaining", "0");
const LEFT_10: (&str, &str) = ("x-ratelimit-remaining", "10");

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("apps.get-authenticated", 401, NO, r#"{"message":"'Expiration time' claim ('exp') is too far in the future"}"#, InvalidCredentials, "jwt_claim", 0),
    ("apps.get-authenticated", 401, NO, r#"{"message":"A JSON web token could not be decoded"}"#, InvalidCredentials, "jwt_unreadable", 0),
    ("issues.list", 401, NO, r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}"#, TokenExpired, "", 0),
    ("issues.list", 403, NO, r#"{"message":"This installation has been suspended"}"#, AccountSuspended, "installation_suspended", 0),
    ("issues.list", 403, NO, r#"{"message":"Sorry. Your account was suspended."}"#, AccountSuspended, "account_suspended", 0),
    ("issues.list", 403, ("x-github-sso", "required; url=https://github.com/orgs/CANARY-of-the-user/sso"), r#"{"message":"x"}"#, InsufficientPermissions, "sso_required", 0),
    ("issues.list", 403, NO, r#"{"message":"Resource protected by organization SAML enforcement. CANARY-of-the-user"}"#, InsufficientPermissions, "sso_required", 0),
    ("issues.list", 403, NO, r#"{"message":"Although you appear to have the correct authorization credentials, the `CANARY-of-the-user` organization has enabled OAuth App access restrictions"}"#, InsufficientPermissions, "oauth_app_restricted", 0),
    ("issues.list", 403, NO, r#"{"message":"Resource not accessible by integration"}"#, InsufficientPermissions, "not_accessible", 0),
    // The last call that was left, refused for another reason.
    ("issues.list", 403, LEFT_0, r#"{"message":"Resource not accessible by personal access token"}"#, InsufficientPermissions, "not_accessible", 0),
    ("repos.create-webhook", 403, NO, r#"{"message":"Must have admin rights to Repository."}"#, InsufficientPermissions, "not_admin", 0),
    ("issues.list", 403, NO, "{\"message\":\"Request forbidden by administrative rules. Please make sure your request has a User-Agent header\"}", InvalidRequest, "no_user_agent", 0),
    ("issues.create", 403, NO, r#"{"message":"Repository was archived so is read-only."}"#, UnsupportedOperation, "archived", 0),
    ("issues.create", 403, LEFT_10, r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes"}"#, RateLimited, "secondary_rate_limit", 60),
    ("issues.create", 403, ("retry-after", "90"), r#"{"message":"You have exceeded a secondary rate limit."}"#, RateLimited, "secondary_rate_limit", 90),
    ("issues.create", 429, NO, r#"{"message":"You have exceeded a secondary rate limit."}"#, RateLimited, "secondary_rate_limit", 60),
    ("graphql", 200, NO, r#"{"errors":[{"message":"You have exceeded a secondary rate limit."}]}"#, RateLimited, "secondary_rate_limit", 60),
    ("issues.create", 403, NO, r#"{"message":"slow","documentation_url":"https://docs.github.com/rest/overview/x#about-secondary-rate-limits"}"#, RateLimited, "secondary_rate_limit", 60),
    ("issues.create", 403, NO, r#"{"message":"You have triggered an abuse detection mechanism."}"#, RateLimited, "secondary_rate_limit", 60),
    ("issues.list", 403, LEFT_0, r#"{"message":"API rate limit exceeded for user ID 1. CANARY-of-the-user"}"#, RateLimited, "rate_limit", 0),
    ("issues.list", 429, LEFT_0, "", RateLimited, "rate_limit", 0),
    ("issues.list", 403, NO, r#"{"message":"API rate limit exceeded for user ID 1."}"#, RateLimited, "rate_limit", 60),
    ("issues.list", 403, ("retry-after", "5"), "", RateLimited, "secondary_rate_limit", 5),
    ("issues.list", 429, NO, "<html>CANARY-of-the-user</html>", RateLimited, "", 60),
    ("issues.list", 403, LEFT_10, r#"{"message":"Forbidden"}"#, InsufficientPermissions, "", 0),
    ("graphql", 200, LEFT_0, r#"{"errors":[{"type":"RATE_LIMITED","message":"CANARY-of-the-user"}]}"#, RateLimited, "RATE_LIMITED", 0),
    ("graphql", 200, LEFT_0, r#"{"errors":[{"type":"RATE_LIMIT"}]}"#, RateLimited, "RATE_LIMIT", 0),
    ("graphql", 200, NO, r#"{"data":null,"errors":[{"type":"FORBIDDEN"}]}"#, InsufficientPermissions, "FORBIDDEN", 0),
    ("graphql", 200, NO, r#"{"errors":[{"type":"INSUFFICIENT_SCOPES"}]}"#, InsufficientPermissions, "INSUFFICIENT_SCOPES", 0),
    ("graphql", 200, NO, r#"{"data":{"a":1},"errors":[{"type":"NOT_FOUND"}]}"#, NotFound, "NOT_FOUND", 0),
    ("graphql", 200, NO, r#"{"errors":[{"type":"MAX_NODE_LIMIT_EXCEEDED"}]}"#, InvalidRequest, "MAX_NODE_LIMIT_EXCEEDED", 0),
    ("graphql", 200, NO, r#"{"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout"}]}"#, Timeout, "query_failed", 0),
    ("graphql", 200, NO, r#"{"errors":[{"message":"CANARY-of-the-user"}]}"#, InvalidRequest, "", 0),
    ("issues.get", 404, LEFT_0, r#"{"message":"Not Found"}"#, NotFound, "", 0),
    ("issues.create", 410, NO, r#"{"message":"Issues are disabled for this repo"}"#, UnsupportedOperation, "issues_disabled", 0),
    ("issues.create", 410, NO, r#"{"message":"CANARY-of-the-user has issues disabled"}"#, UnsupportedOperation, "issues_disabled", 0),
    ("issues.list", 410, NO, r#"{"message":"This API version is no longer supported"}"#, UnsupportedOperation, "api_version_gone", 0),
    ("issues.get", 410, NO, r#"{"message":"This issue was deleted"}"#, NotFound, "", 0),
    ("issues.create", 422, NO, r#"{"message":"Validation Failed","errors":[{"code":"custom","message":"was submitted too quickly"}]}"#, RateLimited, "submitted_too_quickly", 60),
    ("issues.create-label", 422, NO, r#"{"message":"Validation Failed","errors":[{"resource":"Label","code":"already_exists","field":"name"}]}"#, Conflict, "already_exists", 0),
    ("repos.create-webhook", 422, NO, r#"{"message":"Validation Failed","errors":[{"code":"custom","message":"Hook already exists on this repository"}]}"#, Conflict, "already_exists", 0),
    ("issues.create", 422, NO, r#"{"message":"Validation Failed","errors":[{"resource":"Issue","code":"missing_field","field":"title"}]}"#, InvalidRequest, "missing_field", 0),
    ("issues.list", 451, NO, r#"{"message":"Repository access blocked"}"#, NotFound, "", 0),
    ("issues.list", 502, NO, r#"{"message":"Server Error"}"#, Timeout, "", 0),
    ("graphql", 502, NO, r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}"#, Timeout, "query_failed", 0),
    ("issues.list", 502, NO, "<html>CANARY-of-the-user</html>", ServiceUnavailable, "", 0),
    ("issues.list", 504, NO, "", Timeout, "", 0),
    ("issues.list", 500, NO, "", ServiceUnavailable, "", 0),
    ("issues.list", 503, NO, "", ServiceUnavailable, "", 0),
    ("issues.list", 400, NO, r#"{"message":"Problems parsing JSON"}"#, InvalidRequest, "", 0),
    ("issues.list", 409, NO, r#"{"message":"Git Repository is empty."}"#, Conflict, "", 0),
    // Not the shapes that are expected.
    ("issues.list", 422, NO, r#"{"message":["CANARY-of-the-user"],"errors":["CANARY-of-the-user"]}"#, InvalidRequest, "", 0),
];

#[rustfmt::skip]
const TOKEN_CASES: &[Case] = &[
    ("token.code", 200, NO, r#"{"error":"bad_verification_code","error_description":"CANARY-of-the-user"}"#, ReauthorizationRequired, "bad_verification_code", 0),
    ("token.code", 200, NO, "error=bad_verification_code&error_description=CANARY-of-the-user", ReauthorizationRequired, "bad_verification_code", 0),
    ("token.refresh", 200, NO, r#"{"error":"bad_refresh_token"}"#, ReauthorizationRequired, "bad_refresh_token", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant"}"#, ReauthorizationRequired, "invalid_grant", 0),
    ("token.code", 200, NO, r#"{"error":"unverified_user_email"}"#, ReauthorizationRequired, "unverified_user_email", 0),
    ("token.code", 200, NO, r#"{"error":"access_denied"}"#, ReauthorizationRequired, "access_denied", 0),
    ("token.code", 200, NO, r#"{"error":"incorrect_client_credentials"}"#, InvalidCredentials, "incorrect_client_credentials", 0),
    ("token.code", 401, NO, r#"{"error":"invalid_client"}"#, InvalidCredentials, "invalid_client", 0),
    ("token.code", 200, NO, r#"{"error":"application_suspended"}"#, InvalidCredentials, "application_suspended", 0),
    ("token.code", 200, NO, r#"{"error":"redirect_uri_mismatch"}"#, InvalidRequest, "redirect_uri_mismatch", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_request"}"#, InvalidRequest, "invalid_request", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_scope"}"#, InvalidRequest, "invalid_scope", 0),
    ("token.code", 200, NO, r#"{"error":"unsupported_grant_type"}"#, UnsupportedOperation, "unsupported_grant_type", 0),
    ("token.device", 200, NO, r#"{"error":"authorization_pending"}"#, RateLimited, "authorization_pending", 5),
    ("token.device", 200, NO, r#"{"error":"slow_down"}"#, RateLimited, "slow_down", 5),
    ("token.device", 200, NO, r#"{"error":"expired_token"}"#, ReauthorizationRequired, "expired_token", 0),
    ("token.device", 200, NO, r#"{"error":"incorrect_device_code"}"#, ReauthorizationRequired, "incorrect_device_code", 0),
    ("token.device", 200, NO, r#"{"error":"device_flow_disabled"}"#, UnsupportedOperation, "device_flow_disabled", 0),
    ("token.refresh", 503, NO, r#"{"error":"temporarily_unavailable"}"#, ServiceUnavailable, "temporarily_unavailable", 0),
    ("token.refresh", 500, NO, r#"{"error":"server_error"}"#, ServiceUnavailable, "server_error", 0),
    ("token.refresh", 401, NO, "", InvalidCredentials, "", 0),
    ("token.refresh", 404, NO, r#"{"error":"Not Found"}"#, InvalidCredentials, "", 0),
    ("token.refresh", 502, NO, "<html>CANARY-of-the-user</html>", ServiceUnavailable, "", 0),
    ("token.refresh", 200, NO, "error=CANARY-of-the-user", InvalidRequest, "", 0),
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
    walk(RULES, CASES, |failure| words(&failure.json()), error);
}

#[test]
fn every_row_of_the_token_endpoint_means_what_it_says() {
    walk(TOKEN_RULES, TOKEN_CASES, token_words, token_error);
}

#[test]
fn only_what_github_counts_is_not_processed() {
    for rule in RULES.iter().chain(TOKEN_RULES) {
        assert_eq!(rule.then.not_processed, rule.then.kind == RateLimited, "{rule:?}");
        assert_eq!(rule.when.phrase, rule.when.phrase.to_ascii_lowercase());
    }
}

#[test]
fn a_failure_in_a_200_is_found() {
    let answer = |body: &'static str| Response::new(StatusCode::OK, HeaderMap::new(), body);
    let kind = |outcome: Result<()>| outcome.unwrap_err().kind();
    for body in [r#"{"data":{}}"#, r#"{"data":{},"errors":[]}"#, r#"{"data":{},"errors":null}"#] {
        assert!(in_graphql_success("graphql", &answer(body)).is_ok(), "{body}");
    }
    let refused = answer(r#"{"data":{"a":null},"errors":[{"type":"NOT_FOUND"}]}"#);
    assert_eq!(kind(in_graphql_success("graphql", &refused)), NotFound);
    assert_eq!(kind(in_graphql_success("graphql", &answer("<html>"))), DataFormat);

    for body in [r#"{"access_token":"x","scope":""}"#, "access_token=x&scope=&token_type=bearer"] {
        assert!(in_token_success("token.code", &answer(body)).is_ok(), "{body}");
    }
    for body in [r#"{"error":"bad_refresh_token"}"#, "error=bad_refresh_token"] {
        assert_eq!(kind(in_token_success("token.refresh", &answer(body))), ReauthorizationRequired);
    }
}

#[test]
fn graphql_fails_with_status_200_and_304_is_no_failure() {
    let answer = |status: u16, body: &'static str| {
        Response::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), body)
    };
    let limited = answer(200, r#"{"data":null,"errors":[{"type":"RATE_LIMITED","message":"x"}]}"#);
    assert_eq!(judge("graphql.issues", &limited).unwrap_err().kind(), RateLimited);
    judge("issues.list", &limited).unwrap();
    judge("graphql.issues", &answer(200, r#"{"data":{}}"#)).unwrap();
    judge("issues.list", &answer(304, "")).unwrap();
    assert_eq!(judge("graphql.issues", &answer(401, "{}")).unwrap_err().kind(), TokenExpired);
}
