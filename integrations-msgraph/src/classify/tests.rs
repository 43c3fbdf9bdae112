//! Does every row of the tables mean what it says? A row without a case fails the test.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind::{self, NotFound, Timeout, TokenExpired};

use super::*;

/// Stands in every body where the provider may quote the user.
const CANARY: &str = "CANARY-of-the-user";

/// The operation, the status, a header, the body; then the kind, the code, and the seconds to wait.
type Case = (&'static str, u16, (&'static str, &'static str), &'static str, ErrorKind, &'static str, u64);

const NO: (&str, &str) = ("x-none", "");

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("messages.delta", 410, NO, r#"{"error":{"code":"SyncStateNotFound","message":"CANARY-of-the-user"}}"#, CursorExpired, "syncStateNotFound", 0),
    ("messages.delta", 404, NO, r#"{"error":{"code":"syncStateInvalid"}}"#, CursorExpired, "syncStateInvalid", 0),
    ("messages.delta", 400, NO, r#"{"error":{"code":"ResyncRequired"}}"#, CursorExpired, "resyncRequired", 0),
    ("events.list", 410, ("location", "https://graph.microsoft.com/v1.0/x"), "", CursorExpired, "", 0),
    ("calendarView.delta", 410, NO, "", CursorExpired, "", 0),
    ("messages.delta", 410, NO, r#"{"error":{"code":"","innererror":{"code":"gone"}}}"#, CursorExpired, "gone", 0),
    ("mailFolders.delta", 410, NO, "", CursorExpired, "", 0),
    ("events.get", 410, NO, "", NotFound, "", 0),
    ("events.create", 400, NO, r#"{"error":{"code":"ErrorDuplicateTransactionId","message":"CANARY-of-the-user"}}"#, Conflict, "ErrorDuplicateTransactionId", 0),
    ("events.create", 409, NO, r#"{"error":{"code":"ErrorDuplicateTransactionId"}}"#, Conflict, "ErrorDuplicateTransactionId", 0),
    ("mailFolders.create", 409, NO, r#"{"error":{"code":"nameAlreadyExists"}}"#, Conflict, "nameAlreadyExists", 0),
    ("messages.list", 404, NO, r#"{"error":{"code":"MailboxNotEnabledForRESTAPI"}}"#, UnsupportedOperation, "MailboxNotEnabledForRESTAPI", 0),
    ("messages.list", 404, NO, r#"{"error":{"code":"ErrorNonExistentMailbox"}}"#, UnsupportedOperation, "ErrorNonExistentMailbox", 0),
    ("messages.list", 403, NO, r#"{"error":{"code":"ExtensionError"}}"#, UnsupportedOperation, "extensionError", 0),
    ("messages.list", 404, NO, r#"{"error":{"code":"ExtensionError"}}"#, UnsupportedOperation, "extensionError", 0),
    ("messages.list", 503, NO, r#"{"error":{"code":"ExtensionError"}}"#, ServiceUnavailable, "ExtensionError", 0),
    ("messages.create", 507, NO, r#"{"error":{"code":"quotaLimitReached"}}"#, UnsupportedOperation, "quotaLimitReached", 0),
    ("messages.create", 403, NO, r#"{"error":{"code":"ErrorQuotaExceeded"}}"#, UnsupportedOperation, "ErrorQuotaExceeded", 0),
    ("messages.create", 507, NO, "", UnsupportedOperation, "", 0),
    ("events.list", 400, NO, r#"{"error":{"code":"invalidRequest","innerError":{"code":"notSupported"}}}"#, UnsupportedOperation, "notSupported", 0),
    ("events.list", 402, NO, "", UnsupportedOperation, "", 0),
    ("sendMail", 403, NO, r#"{"error":{"code":"ErrorAccountSuspend"}}"#, AccountSuspended, "ErrorAccountSuspend", 0),
    ("events.list", 401, ("www-authenticate", r#"Bearer realm="", error="insufficient_claims", claims="CANARY-of-the-user""#), r#"{"error":{"code":"InvalidAuthenticationToken"}}"#, ReauthorizationRequired, "insufficient_claims", 0),
    ("events.list", 401, ("www-authenticate", r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize""#), r#"{"error":{"code":"InvalidAuthenticationToken"}}"#, TokenExpired, "InvalidAuthenticationToken", 0),
    ("sendMail", 403, NO, r#"{"error":{"code":"ErrorSendAsDenied"}}"#, InsufficientPermissions, "ErrorSendAsDenied", 0),
    ("events.list", 403, NO, r#"{"error":{"code":"ErrorAccessDenied","message":"CANARY-of-the-user"}}"#, InsufficientPermissions, "ErrorAccessDenied", 0),
    ("events.get", 404, NO, r#"{"error":{"code":"ErrorItemNotFound"}}"#, NotFound, "ErrorItemNotFound", 0),
    ("events.patch", 412, NO, r#"{"error":{"code":"ErrorIrresolvableConflict"}}"#, Conflict, "ErrorIrresolvableConflict", 0),
    ("events.patch", 423, NO, r#"{"error":{"code":"locked"}}"#, Conflict, "locked", 0),
    ("batch", 424, NO, r#"{"error":{"code":"FailedDependency"}}"#, Conflict, "FailedDependency", 0),
    ("events.list", 429, ("retry-after", "11"), r#"{"error":{"code":"ApplicationThrottled","message":"CANARY-of-the-user"}}"#, RateLimited, "ApplicationThrottled", 11),
    ("events.list", 503, NO, r#"{"error":{"code":"activityLimitReached"}}"#, RateLimited, "activityLimitReached", 0),
    ("events.list", 429, ("retry-after", "10"), r#"{"error":{"code":"TooManyRequests","innerError":{"code":"429"}}}"#, RateLimited, "429", 10),
    ("messages.create", 509, NO, "", RateLimited, "", 0),
    ("events.list", 400, NO, r#"{"error":{"code":"InefficientFilter"}}"#, InvalidRequest, "InefficientFilter", 0),
    ("events.list", 500, NO, r#"{"error":{"code":"generalException"}}"#, ServiceUnavailable, "generalException", 0),
    ("events.list", 501, NO, r#"{"error":{"code":"NotImplemented"}}"#, UnsupportedOperation, "NotImplemented", 0),
    ("events.list", 503, NO, r#"{"error":{"code":"serviceNotAvailable"}}"#, ServiceUnavailable, "serviceNotAvailable", 0),
    ("events.list", 504, NO, "<html>CANARY-of-the-user</html>", Timeout, "", 0),
    // Not the shapes that are expected.
    ("events.list", 400, NO, r#"{"error":"CANARY-of-the-user"}"#, InvalidRequest, "", 0),
    ("events.list", 400, NO, r#"{"error":{"code":"CANARY-of-the-user","innerError":[1]}}"#, InvalidRequest, "", 0),
];

#[rustfmt::skip]
const TOKEN_CASES: &[Case] = &[
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[50057],"error_description":"AADSTS50057: CANARY-of-the-user"}"#, AccountSuspended, "AADSTS50057", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[50053]}"#, AccountSuspended, "AADSTS50053", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[50034]}"#, ReauthorizationRequired, "AADSTS50034", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_grant","error_codes":[70008]}"#, ReauthorizationRequired, "AADSTS70008", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[700082]}"#, ReauthorizationRequired, "AADSTS700082", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[50173]}"#, ReauthorizationRequired, "AADSTS50173", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_grant","error_codes":[54005]}"#, ReauthorizationRequired, "AADSTS54005", 0),
    ("token.code", 400, NO, r#"{"error":"access_denied","error_codes":[65004]}"#, ReauthorizationRequired, "AADSTS65004", 0),
    ("token.refresh", 400, NO, r#"{"error":"interaction_required","error_codes":[50076],"suberror":"basic_action"}"#, ReauthorizationRequired, "AADSTS50076", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[50078]}"#, ReauthorizationRequired, "AADSTS50078", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[50079]}"#, ReauthorizationRequired, "AADSTS50079", 0),
    ("token.refresh", 400, NO, r#"{"error":"interaction_required","error_codes":[50158]}"#, ReauthorizationRequired, "AADSTS50158", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[65001],"suberror":"consent_required"}"#, InsufficientPermissions, "AADSTS65001", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","suberror":"consent_required"}"#, InsufficientPermissions, "consent_required", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[53000]}"#, InsufficientPermissions, "AADSTS53000", 0),
    ("token.refresh", 400, NO, r#"{"error":"interaction_required","error_codes":[53003]}"#, InsufficientPermissions, "AADSTS53003", 0),
    ("token.refresh", 401, NO, r#"{"error":"invalid_client","error_codes":[7000215]}"#, InvalidCredentials, "AADSTS7000215", 0),
    ("token.refresh", 401, NO, r#"{"error":"invalid_client","error_codes":[7000222]}"#, InvalidCredentials, "AADSTS7000222", 0),
    ("token.refresh", 400, NO, r#"{"error":"unauthorized_client","error_codes":[700016]}"#, InvalidCredentials, "AADSTS700016", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_request","error_codes":[90002]}"#, InvalidCredentials, "AADSTS90002", 0),
    ("token.refresh", 400, NO, r#"{"error":"server_error","error_codes":[90033]}"#, ServiceUnavailable, "AADSTS90033", 0),
    ("token.refresh", 400, NO, r#"{"error":"invalid_grant","error_codes":[123456],"error_description":"CANARY-of-the-user"}"#, ReauthorizationRequired, "invalid_grant", 0),
    ("token.refresh", 400, NO, r#"{"error":"interaction_required"}"#, ReauthorizationRequired, "interaction_required", 0),
    ("token.code", 400, NO, r#"{"error":"login_required"}"#, ReauthorizationRequired, "login_required", 0),
    ("token.code", 400, NO, r#"{"error":"access_denied"}"#, ReauthorizationRequired, "access_denied", 0),
    ("token.refresh", 401, NO, r#"{"error":"invalid_client"}"#, InvalidCredentials, "invalid_client", 0),
    ("token.refresh", 400, NO, r#"{"error":"unauthorized_client"}"#, InvalidCredentials, "unauthorized_client", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_scope"}"#, InvalidRequest, "invalid_scope", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_resource"}"#, InvalidRequest, "invalid_resource", 0),
    ("token.code", 400, NO, r#"{"error":"invalid_request"}"#, InvalidRequest, "invalid_request", 0),
    ("token.code", 400, NO, r#"{"error":"unsupported_grant_type"}"#, UnsupportedOperation, "unsupported_grant_type", 0),
    ("token.refresh", 500, NO, r#"{"error":"server_error"}"#, ServiceUnavailable, "server_error", 0),
    ("token.refresh", 400, NO, r#"{"error":"temporarily_unavailable"}"#, ServiceUnavailable, "temporarily_unavailable", 0),
    ("token.refresh", 401, NO, "", InvalidCredentials, "", 0),
    ("token.refresh", 504, NO, "<html>CANARY-of-the-user</html>", Timeout, "", 0),
    // Not the shapes that are expected.
    ("token.refresh", 400, NO, r#"{"error":{"code":"CANARY-of-the-user"},"error_codes":"50057"}"#, InvalidRequest, "", 0),
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
fn every_row_of_graph_means_what_it_says() {
    walk(RULES, CASES, words, error);
}

#[test]
fn every_row_of_the_token_endpoint_means_what_it_says() {
    walk(TOKEN_RULES, TOKEN_CASES, token_words, token_error);
}

#[test]
fn only_what_is_throttled_or_waits_in_a_batch_is_not_processed() {
    for rule in RULES.iter().chain(TOKEN_RULES) {
        let early = rule.then.kind == RateLimited || rule.when.status == 424;
        assert_eq!(rule.then.not_processed, early, "{rule:?}");
    }
}

#[test]
fn an_inner_error_without_an_end_is_left_alone() {
    let mut body = r#"{"code":"resyncRequired"}"#.to_owned();
    for _ in 0..DEPTH {
        body = format!(r#"{{"code":"outer","innerError":{body}}}"#);
    }
    let body = format!(r#"{{"error":{body}}}"#);
    let headers = HeaderMap::new();
    let failure =
        Failure { operation: "x", status: StatusCode::BAD_REQUEST, headers: &headers, body: body.as_bytes() };
    assert_eq!(error(&failure).kind(), InvalidRequest);
}
