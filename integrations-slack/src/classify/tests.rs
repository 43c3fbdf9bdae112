//! Does every row of the tables mean what it says? A row without a case fails the test.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind::{DataFormat, TokenExpired};

use super::*;

/// Stands in every body where the provider may quote the user.
const CANARY: &str = "CANARY-of-the-user";

const NO: (&str, &str) = ("x-none", "");

/// What Slack's codes mean, by the meaning; each comes in a 200.
#[rustfmt::skip]
const MEANT: &[(ErrorKind, u64, &[&str])] = &[
    (RateLimited, 30, &["ratelimited", "rate_limited", "message_limit_exceeded", "RATELIMITED"]),
    (TokenExpired, 0, &["token_expired"]),
    (ReauthorizationRequired, 0, &["invalid_auth", "not_authed", "token_revoked"]),
    (AccountSuspended, 0, &["account_inactive"]),
    (InsufficientPermissions, 0, &[
        "missing_scope", "no_permission", "access_denied", "ekm_access_denied", "org_login_required",
        "team_access_not_granted", "restricted_action", "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel", "restricted_action_non_threadable_channel",
        "app_access_restricted", "two_factor_setup_required", "not_in_channel", "not_an_admin",
        "enterprise_is_restricted", "user_is_restricted", "user_is_ultra_restricted",
    ]),
    (UnsupportedOperation, 0, &[
        "user_is_bot", "not_allowed_token_type", "method_not_supported_for_channel_type", "is_archived",
        "cant_update_message", "cant_delete_message", "edit_window_closed", "restricted_action_thread_locked",
        "deprecated_endpoint", "method_deprecated", "unknown_method", "compliance_exports_prevent_deletion",
        "paid_only", "upgrade_required",
    ]),
    (NotFound, 0, &[
        "channel_not_found", "user_not_found", "message_not_found", "thread_not_found", "users_not_found",
        "team_not_found", "user_not_visible", "user_disabled", "file_not_found",
    ]),
    (Conflict, 0, &["already_reacted", "no_reaction", "already_in_channel", "name_taken"]),
    (CursorExpired, 0, &["invalid_cursor"]),
    (InvalidRequest, 0, &[
        "invalid_arguments", "invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data",
        "invalid_post_type", "missing_post_type", "invalid_json", "json_not_object", "invalid_blocks",
        "invalid_blocks_format", "no_text", "msg_too_long", "msg_blocks_too_long", "too_many_attachments",
        "metadata_too_large", "invalid_ts_oldest", "invalid_ts_latest", "bad_timestamp", "invalid_limit",
        "limit_required", "invalid_types", "invalid_name", "too_many_emoji", "too_many_reactions",
        // What no row names is for good, and not tried again.
        "a_code_of_tomorrow",
    ]),
    (ServiceUnavailable, 0, &[
        "internal_error", "fatal_error", "service_unavailable", "team_added_to_org", "fetch_members_failed",
    ]),
    (Timeout, 0, &["request_timeout"]),
];

/// What the codes of `oauth.v2.access` mean, by the meaning.
#[rustfmt::skip]
const TOKEN_MEANT: &[(ErrorKind, u64, &[&str])] = &[
    (ReauthorizationRequired, 0, &[
        "invalid_refresh_token", "token_expired", "token_already_exchanged", "invalid_grant", "invalid_code",
        "code_already_used", "access_denied",
    ]),
    (InvalidCredentials, 0, &["invalid_client_id", "bad_client_secret", "invalid_client"]),
    (InvalidRequest, 0, &["bad_redirect_uri", "oauth_authorization_url_mismatch", "no_scopes", "invalid_scope"]),
    (UnsupportedOperation, 0, &["invalid_grant_type", "token_rotation_not_enabled"]),
    (InsufficientPermissions, 0, &["invalid_team_for_non_distributed_app"]),
    // What any method may say.
    (RateLimited, 30, &["ratelimited"]),
    (AccountSuspended, 0, &["account_inactive"]),
    (ServiceUnavailable, 0, &["internal_error"]),
];

/// What `needed` names; the message has to name it too.
const NEEDED: &[&str] = &[
    "channels:history",
    "groups:history",
    "mpim:history",
    "im:history",
    "channels:read",
    "groups:read",
    "mpim:read",
    "im:read",
    "users:read.email",
    "users:read",
    "chat:write.public",
    "chat:write",
    "reactions:read",
    "reactions:write",
];

/// The status, a header, the body; then the kind, the code, and the seconds to wait.
type Case = (u16, (&'static str, &'static str), &'static str, ErrorKind, &'static str, u64);

/// What comes in another status, or in a shape that is not expected.
#[rustfmt::skip]
const ODD: &[Case] = &[
    (429, NO, "", RateLimited, "ratelimited", 30),
    (429, ("retry-after", "7"), r#"{"ok":false,"error":"ratelimited"}"#, RateLimited, "ratelimited", 7),
    (500, NO, "<html>CANARY-of-the-user</html>", ServiceUnavailable, "", 0),
    (503, NO, r#"{"ok":false,"error":"service_unavailable"}"#, ServiceUnavailable, "service_unavailable", 0),
    (504, NO, "", Timeout, "", 0),
    (200, NO, r#"{"ok":false,"error":{"message":"CANARY-of-the-user"}}"#, InvalidRequest, "", 0),
    (200, NO, r#"{"ok":false,"error":"CANARY-of-the-user"}"#, InvalidRequest, "", 0),
    (200, NO, r#"{"ok":false}"#, InvalidRequest, "", 0),
    (200, NO, r#"{"ok":false,"error":"missing_scope","needed":"CANARY-of-the-user"}"#, InsufficientPermissions, "missing_scope", 0),
    (200, NO, r#"{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":["[ERROR] CANARY-of-the-user"]}}"#, InvalidRequest, "invalid_arguments", 0),
];

/// An answer, the table it is read by, and what comes of it.
fn judge(
    status: u16,
    header: (&'static str, &'static str),
    body: &str,
    token: bool,
) -> (Option<usize>, Error) {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static(header.0), HeaderValue::from_static(header.1));
    let status = StatusCode::from_u16(status).unwrap();
    let failure = Failure { operation: "x", status, headers: &headers, body: body.as_bytes() };
    let rules = if token { TOKEN_RULES } else { RULES };
    let error = if token { token_error(&failure) } else { error(&failure) };
    assert!(!format!("{error} {error:?}").contains(CANARY), "{status} {body}");
    (failure.row(rules, &words(&failure)), error)
}

fn walk(meant: &[(ErrorKind, u64, &[&str])], token: bool) -> BTreeSet<usize> {
    let mut hit = BTreeSet::new();
    for &(kind, wait, codes) in meant {
        for code in codes {
            let body = format!(r#"{{"ok":false,"error":"{code}","detail":"{CANARY}"}}"#);
            let (row, error) = judge(200, NO, &body, token);
            assert_eq!(error.kind(), kind, "{code}");
            assert!(error.provider_code().unwrap().eq_ignore_ascii_case(code), "{code}");
            assert_eq!(error.retry_after().unwrap_or_default(), Duration::from_secs(wait), "{code}");
            hit.extend(row);
        }
    }
    hit
}

fn every_row_is_hit(rules: &[Rule], hit: &BTreeSet<usize>) {
    let missed: Vec<_> = (0..rules.len()).filter(|row| !hit.contains(row)).map(|row| rules[row]).collect();
    assert!(missed.is_empty(), "no case for {missed:#?}");
}

#[test]
fn every_row_of_the_web_api_means_what_it_says() {
    let mut hit = walk(MEANT, false);
    for scope in NEEDED {
        let body =
            format!(r#"{{"ok":false,"error":"missing_scope","needed":"{scope}","provided":"{CANARY}"}}"#);
        let (row, error) = judge(200, NO, &body, false);
        assert_eq!(error.kind(), InsufficientPermissions, "{scope}");
        assert!(error.message().contains(&format!("`{scope}`")), "{scope}: {error}");
        hit.extend(row);
    }
    for &(status, header, body, kind, code, wait) in ODD {
        let (row, error) = judge(status, header, body, false);
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert_eq!(error.provider_code().unwrap_or_default(), code, "{status} {body}");
        assert_eq!(error.retry_after().unwrap_or_default(), Duration::from_secs(wait), "{status} {body}");
        hit.extend(row);
    }
    every_row_is_hit(RULES, &hit);
}

#[test]
fn every_row_of_the_token_endpoint_means_what_it_says() {
    let mut hit = walk(TOKEN_MEANT, true);
    let (row, error) = judge(401, NO, "", true);
    assert_eq!(error.kind(), InvalidCredentials);
    hit.extend(row);
    every_row_is_hit(TOKEN_RULES, &hit);
}

#[test]
fn only_what_slack_counts_or_refuses_at_once_is_not_processed() {
    for rule in RULES.iter().chain(TOKEN_RULES) {
        let early = matches!(rule.then.kind, RateLimited | TokenExpired);
        assert_eq!(rule.then.not_processed, early, "{rule:?}");
        assert_eq!(rule.when.phrase, rule.when.phrase.to_ascii_lowercase());
    }
}

#[test]
fn a_failure_in_a_200_is_found() {
    let answer = |body: &'static str| Response::new(StatusCode::OK, HeaderMap::new(), body);
    assert!(in_success("x", &answer(r#"{"ok":true,"messages":[]}"#)).is_ok());
    assert!(in_token_success("x", &answer(r#"{"ok":true}"#)).is_ok());
    let kind = |outcome: Result<()>| outcome.unwrap_err().kind();
    assert_eq!(kind(in_success("x", &answer(r#"{"ok":false,"error":"token_expired"}"#))), TokenExpired);
    let refused = answer(r#"{"ok":false,"error":"token_expired"}"#);
    assert_eq!(kind(in_token_success("x", &refused)), ReauthorizationRequired);
    for body in ["<html>", "", "[]", r#"{"messages":[]}"#] {
        assert_eq!(kind(in_success("x", &answer(body))), DataFormat, "{body}");
    }
}
