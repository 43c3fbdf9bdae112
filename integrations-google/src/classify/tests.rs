//! Does every row of the tables mean what it says? A row without a case fails the test.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind::{
    self, AccountSuspended, Configuration, Conflict, CursorExpired, InsufficientPermissions,
    InvalidCredentials, InvalidRequest, NotFound, RateLimited, ReauthorizationRequired, ServiceUnavailable,
    Timeout, TokenExpired, UnsupportedOperation,
};
use integrations_core::http::{Failure, Rule, Words};

use super::*;

/// Stands in every body where the provider may quote the user.
const CANARY: &str = "CANARY-of-the-user";

/// The operation, the status, a header, the body; then the kind, the code, and the seconds to wait.
type Case = (&'static str, u16, (&'static str, &'static str), &'static str, ErrorKind, &'static str, u64);

const NO: (&str, &str) = ("x-none", "");

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("messages.list", 400, NO, r#"{"error":{"errors":[{"reason":"failedPrecondition"}],"message":"CANARY-of-the-user"}}"#, UnsupportedOperation, "failedPrecondition", 0),
    ("messages.list", 400, NO, r#"{"error":{"status":"FAILED_PRECONDITION","errors":[{"reason":"failedPrecondition"}]}}"#, UnsupportedOperation, "failedPrecondition", 0),
    ("events.list", 400, NO, r#"{"error":{"errors":[{"reason":"syncTokenWithRequestRestrictions"}]}}"#, InvalidRequest, "syncTokenWithRequestRestrictions", 0),
    ("events.list", 400, NO, r#"{"error":{"errors":[{"reason":"timeRangeEmpty","message":"CANARY-of-the-user"}]}}"#, InvalidRequest, "timeRangeEmpty", 0),
    ("events.watch", 401, NO, r#"{"error":{"errors":[{"reason":"push.webhookUrlUnauthorized"}]}}"#, Configuration, "push.webhookUrlUnauthorized", 0),
    ("events.watch", 403, NO, r#"{"error":{"errors":[{"reason":"push.webhookUrlUnauthorized"}]}}"#, Configuration, "push.webhookUrlUnauthorized", 0),
    ("events.list", 401, NO, r#"{"error":{"status":"UNAUTHENTICATED","message":"Account has been deleted"}}"#, AccountSuspended, "account_deleted", 0),
    ("events.list", 401, NO, r#"{"error":{"status":"UNAUTHENTICATED","message":"Account has been disabled"}}"#, AccountSuspended, "account_disabled", 0),
    ("events.list", 401, NO, r#"{"error":{"errors":[{"reason":"authError"}],"message":"Invalid Credentials"}}"#, TokenExpired, "authError", 0),
    ("events.list", 403, NO, r#"{"error":{"errors":[{"reason":"userRateLimitExceeded"}]}}"#, RateLimited, "userRateLimitExceeded", 0),
    ("events.list", 403, ("retry-after", "7"), r#"{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}"#, RateLimited, "rateLimitExceeded", 7),
    ("events.list", 403, NO, r#"{"error":{"details":[{"reason":"RATE_LIMIT_EXCEEDED"}]}}"#, RateLimited, "RATE_LIMIT_EXCEEDED", 0),
    ("messages.get", 403, NO, r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#, RateLimited, "RESOURCE_EXHAUSTED", 0),
    ("events.insert", 403, NO, r#"{"error":{"errors":[{"reason":"quotaExceeded"}]}}"#, RateLimited, "quotaExceeded", 3600),
    ("events.list", 403, NO, r#"{"error":{"errors":[{"reason":"dailyLimitExceeded"}]}}"#, RateLimited, "dailyLimitExceeded", 3600),
    ("events.list", 403, NO, r#"{"error":{"errors":[{"reason":"accessNotConfigured"}]}}"#, UnsupportedOperation, "accessNotConfigured", 0),
    ("tasks.list", 403, NO, r#"{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#, UnsupportedOperation, "SERVICE_DISABLED", 0),
    ("events.list", 403, NO, r#"{"error":{"errors":[{"reason":"insufficientPermissions"}]}}"#, InsufficientPermissions, "insufficientPermissions", 0),
    ("tasks.list", 403, NO, r#"{"error":{"details":[{"@type":"x"},{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}"#, InsufficientPermissions, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", 0),
    ("events.list", 403, NO, r#"{"error":{"errors":[{"reason":"domainPolicy"}]}}"#, InsufficientPermissions, "domainPolicy", 0),
    ("events.patch", 403, NO, r#"{"error":{"errors":[{"reason":"forbiddenForNonOrganizer"}]}}"#, InsufficientPermissions, "forbiddenForNonOrganizer", 0),
    ("history.list", 404, NO, r#"{"error":{"errors":[{"reason":"notFound"}]}}"#, CursorExpired, "notFound", 0),
    ("messages.get", 404, NO, r#"{"error":{"errors":[{"reason":"notFound"}]}}"#, NotFound, "notFound", 0),
    ("events.insert", 409, NO, r#"{"error":{"errors":[{"reason":"duplicate"}]}}"#, Conflict, "duplicate", 0),
    ("events.insert", 409, NO, r#"{"error":{"errors":[{"reason":"conflict"}]}}"#, Conflict, "conflict", 0),
    ("events.list", 410, NO, r#"{"error":{"errors":[{"reason":"fullSyncRequired"}]}}"#, CursorExpired, "fullSyncRequired", 0),
    ("events.list", 410, NO, r#"{"error":{"errors":[{"reason":"updatedMinTooLongAgo"}]}}"#, CursorExpired, "updatedMinTooLongAgo", 0),
    ("events.delete", 410, NO, r#"{"error":{"errors":[{"reason":"deleted"}]}}"#, NotFound, "deleted", 0),
    ("events.list", 410, NO, "", CursorExpired, "", 0),
    ("calendarList.list", 410, NO, "<html>CANARY-of-the-user</html>", CursorExpired, "", 0),
    ("events.get", 410, NO, "", NotFound, "", 0),
    ("events.patch", 412, NO, r#"{"error":{"errors":[{"reason":"conditionNotMet"}]}}"#, Conflict, "conditionNotMet", 0),
    ("messages.send", 429, NO, r#"{"error":{"errors":[{"reason":"rateLimitExceeded"}],"status":"RESOURCE_EXHAUSTED"}}"#, RateLimited, "rateLimitExceeded", 0),
    ("events.list", 500, NO, r#"{"error":{"errors":[{"reason":"backendError"}]}}"#, ServiceUnavailable, "backendError", 0),
    ("events.list", 502, NO, "<html>CANARY-of-the-user</html>", ServiceUnavailable, "", 0),
    ("events.list", 504, NO, "", Timeout, "", 0),
    // Not the shapes that are expected.
    ("events.list", 403, NO, r#"{"error":"CANARY-of-the-user"}"#, InsufficientPermissions, "", 0),
    ("events.list", 403, NO, r#"{"error":{"errors":{"reason":"rateLimitExceeded"}}}"#, InsufficientPermissions, "", 0),
    ("events.list", 403, NO, r#"{"error":{"errors":[{"reason":"CANARY-of-the-user"}]}}"#, InsufficientPermissions, "", 0),
];

#[rustfmt::skip]
const TOKEN_CASES: &[Case] = &[
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_subtype":"invalid_rapt","error_description":"reauth related error"}"#, ReauthorizationRequired, "invalid_rapt", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_description":"Account has been deleted"}"#, AccountSuspended, "invalid_grant", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_description":"Account has been disabled"}"#, AccountSuspended, "invalid_grant", 0),
    ("token.jwt", 400, NO, r#"{"error":"invalid_grant","error_description":"Invalid JWT: CANARY-of-the-user"}"#, InvalidCredentials, "invalid_grant", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked. CANARY-of-the-user"}"#, ReauthorizationRequired, "invalid_grant", 0),
    ("token.refresh", 401, NO, r#"{"error":"invalid_client"}"#, InvalidCredentials, "invalid_client", 0),
    ("token.refresh", 401, NO, r#"{"error":"unauthorized_client"}"#, InvalidCredentials, "unauthorized_client", 0),
    ("token.refresh", 401, NO, r#"{"error":"deleted_client"}"#, InvalidCredentials, "deleted_client", 0),
    ("token.refresh", 401, NO, r#"{"error":"disabled_client"}"#, InvalidCredentials, "disabled_client", 0),
    ("token.code", 400, NO, r#"{"error":"admin_policy_enforced"}"#, InsufficientPermissions, "admin_policy_enforced", 0),
    ("token.code", 403, NO, r#"{"error":"org_internal"}"#, InsufficientPermissions, "org_internal", 0),
    ("token.code", 400, NO, r#"{"error":"access_denied"}"#, ReauthorizationRequired, "access_denied", 0),
    ("token.code", 400, NO, r#"{"error":"redirect_uri_mismatch"}"#, InvalidRequest, "redirect_uri_mismatch", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_scope"}"#, InvalidRequest, "invalid_scope", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_request"}"#, InvalidRequest, "invalid_request", 0),
    ("token.code", 400, NO, r#"{"error":"unsupported_grant_type"}"#, UnsupportedOperation, "unsupported_grant_type", 0),
    ("token.refresh", 500, NO, r#"{"error":"server_error"}"#, ServiceUnavailable, "server_error", 0),
    ("token.refresh", 503, NO, r#"{"error":"temporarily_unavailable"}"#, ServiceUnavailable, "temporarily_unavailable", 0),
    ("token.refresh", 401, NO, "", InvalidCredentials, "", 0),
    ("token.refresh", 502, NO, "<html>CANARY-of-the-user</html>", ServiceUnavailable, "", 0),
    ("token.refresh", 400, NO, r#"{"error":"CANARY-of-the-user"}"#, InvalidRequest, "", 0),
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
fn every_row_of_the_apis_means_what_it_says() {
    walk(RULES, CASES, words, error);
}

#[test]
fn every_row_of_the_token_endpoint_means_what_it_says() {
    walk(TOKEN_RULES, TOKEN_CASES, token_words, token_error);
}

#[test]
fn what_google_counts_it_has_not_processed() {
    for rule in RULES.iter().chain(TOKEN_RULES) {
        assert_eq!(rule.then.not_processed, rule.then.kind == RateLimited, "{rule:?}");
        assert_eq!(rule.when.phrase, rule.when.phrase.to_ascii_lowercase());
    }
}
