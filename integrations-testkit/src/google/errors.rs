//! How does Google say no?
//!
//! The resource servers answer with an envelope (`error.errors[].reason`).

use http::header::WWW_AUTHENTICATE;
use serde_json::json;

use crate::server::Reply;

/// `(reason, domain, message)` of the errors that Google's APIs are known to send.
const REASONS: &[(&str, &str, &str)] = &[
    ("accessNotConfigured", "usageLimits", "Access Not Configured."),
    ("authError", "global", "Invalid Credentials"),
    ("backendError", "global", "Backend Error"),
    ("badRequest", "global", "Bad Request"),
    ("conditionNotMet", "global", "Precondition Failed"),
    ("dailyLimitExceeded", "usageLimits", "Daily Limit Exceeded"),
    ("deleted", "global", "Resource has been deleted"),
    ("duplicate", "global", "The requested identifier already exists."),
    ("failedPrecondition", "global", "Precondition check failed."),
    ("forbidden", "global", "Forbidden"),
    ("fullSyncRequired", "calendar", "Sync token is no longer valid, a full sync is required."),
    ("insufficientPermissions", "global", "Insufficient Permission"),
    ("internalError", "global", "Internal Error"),
    ("invalid", "global", "Invalid Value"),
    ("invalidArgument", "global", "Request contains an invalid argument."),
    ("notFound", "global", "Not Found"),
    ("quotaExceeded", "usageLimits", "Calendar usage limits exceeded."),
    ("rateLimitExceeded", "usageLimits", "Rate Limit Exceeded"),
    (
        "syncTokenWithRequestRestrictions",
        "calendar",
        "Sync token cannot be used with other query restrictions.",
    ),
    ("timeRangeEmpty", "calendar", "The specified time range is empty."),
    ("updatedMinTooLongAgo", "calendar", "The requested minimum modification time lies too far in the past."),
    ("userRateLimitExceeded", "usageLimits", "User Rate Limit Exceeded"),
];

/// `(HTTP status, usual reason, google.rpc status)`.
const STATUSES: &[(u16, &str, &str)] = &[
    (400, "badRequest", "INVALID_ARGUMENT"),
    (400, "failedPrecondition", "FAILED_PRECONDITION"),
    (401, "authError", "UNAUTHENTICATED"),
    (403, "forbidden", "PERMISSION_DENIED"),
    (404, "notFound", "NOT_FOUND"),
    (409, "duplicate", "ALREADY_EXISTS"),
    (410, "fullSyncRequired", ""),
    (412, "conditionNotMet", "FAILED_PRECONDITION"),
    (429, "rateLimitExceeded", "RESOURCE_EXHAUSTED"),
    (500, "backendError", "INTERNAL"),
    (503, "backendError", "UNAVAILABLE"),
];

/// `(HTTP status, usual reason, message)` where Gmail and Tasks say it in other words than Calendar.
const NEWER: &[(u16, &str, &str)] = &[
    (400, "invalidArgument", "Request contains an invalid argument."),
    (403, "forbidden", "The caller does not have permission"),
    (404, "notFound", "Requested entity was not found."),
    (429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota)."),
    (500, "backendError", "Internal error encountered."),
    (503, "backendError", "The service is currently unavailable."),
];

/// `(beginning of a method's name, service)`, as the refusal of a scope names them.
const SERVICES: &[(&str, &str)] = &[
    ("caribou.api.proto.MailboxService.", "gmail.googleapis.com"),
    ("google.apps.tasks.v1.", "tasks.googleapis.com"),
    ("", "calendar-json.googleapis.com"),
];

/// The envelope for a status; without a reason the usual one for that status.
pub(crate) fn envelope(status: u16, reason: Option<&str>) -> Reply {
    envelope_at(status, reason, None, None)
}

/// The envelope for a query parameter that is wrong.
pub(super) fn parameter(status: u16, reason: &str, message: Option<&str>, location: &str) -> Reply {
    envelope_at(status, Some(reason), message, Some(("parameter", location)))
}

/// The envelope of Gmail and Tasks; without a reason or a message the usual ones.
pub(super) fn newer(status: u16, reason: Option<&str>, message: Option<&str>) -> Reply {
    let row = NEWER.iter().find(|row| row.0 == status && reason.is_none_or(|reason| reason == row.1));
    envelope_at(status, reason.or(row.map(|row| row.1)), message.or(row.map(|row| row.2)), None)
}

/// 400: an argument that Gmail or Tasks cannot take.
pub(super) fn argument(message: &str) -> Reply {
    newer(400, None, Some(message))
}

/// 400: something that Google has and the fake does not.
pub(super) fn unsupported(name: &str) -> Reply {
    let message = format!("The fake does not support {name}.");
    parameter(400, "unsupportedByFake", Some(&message), name)
}

fn envelope_at(
    status: u16,
    reason: Option<&str>,
    message: Option<&str>,
    location: Option<(&str, &str)>,
) -> Reply {
    let usual = STATUSES.iter().find(|row| row.0 == status);
    let reason = reason.or(usual.map(|row| row.1)).unwrap_or("backendError");
    let known = REASONS.iter().find(|row| row.0 == reason);
    let domain = known.map_or("global", |row| row.1);
    let message = message.or(known.map(|row| row.2)).unwrap_or(reason);
    let mut detail = json!({"domain": domain, "reason": reason, "message": message});
    if let Some((kind, name)) = location {
        detail["locationType"] = json!(kind);
        detail["location"] = json!(name);
    }
    let mut error = json!({"errors": [detail], "code": status, "message": message});
    let exact = STATUSES.iter().find(|row| row.0 == status && row.1 == reason);
    if let Some(rpc) = exact.or(usual).map(|row| row.2).filter(|rpc| !rpc.is_empty()) {
        error["status"] = json!(rpc);
    }
    Reply::json(status, json!({ "error": error }).to_string())
}

/// 401: no bearer token at all, or one that is expired, revoked or unknown.
pub(crate) fn unauthenticated(token_given: bool) -> Reply {
    let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                   cookie or other valid authentication credential.";
    let body = json!({"error": {
        "code": 401,
        "message": message,
        "errors": [{
            "message": "Invalid Credentials",
            "domain": "global",
            "reason": "authError",
            "location": "Authorization",
            "locationType": "header",
        }],
        "status": "UNAUTHENTICATED",
    }});
    challenge(Reply::json(401, body.to_string()), if token_given { Some("invalid_token") } else { None })
}

/// 403: the grant does not cover the operation.
pub(crate) fn insufficient_scope(method: &str) -> Reply {
    let service = SERVICES.iter().find(|row| method.starts_with(row.0)).map(|row| row.1);
    let body = json!({"error": {
        "code": 403,
        "message": "Request had insufficient authentication scopes.",
        "errors": [{
            "message": "Insufficient Permission",
            "domain": "global",
            "reason": "insufficientPermissions",
        }],
        "status": "PERMISSION_DENIED",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {"service": service, "method": method},
        }],
    }});
    challenge(Reply::json(403, body.to_string()), Some("insufficient_scope"))
}

fn challenge(reply: Reply, error: Option<&str>) -> Reply {
    let mut value = r#"Bearer realm="https://accounts.google.com/""#.to_owned();
    if let Some(error) = error {
        value.push_str(", error=\"");
        value.push_str(error);
        value.push('"');
    }
    reply.header(WWW_AUTHENTICATE, &value)
}
