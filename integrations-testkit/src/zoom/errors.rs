//! How does Zoom say no?

use serde_json::{Value, json};

use crate::server::Reply;

/// The codes and messages that stand for a status, where a fault gives no reason.
const STATUSES: &[(u16, u32, &str)] = &[
    (400, 300, "Validation Failed."),
    (401, 124, "Invalid access token."),
    (403, 3_001, "No permission."),
    (404, 3_001, "Meeting does not exist."),
    (409, 409, "Conflict."),
    (429, 429, PER_SECOND),
];

/// What Zoom says of the calls of a second.
pub(super) const PER_SECOND: &str =
    "You have reached the maximum per-second rate limit for this API. Try again later.";
/// What Zoom says of the calls of a day.
pub(super) const DAILY: &str = "You have reached the maximum daily rate limit for this API. Refer to the \
                                response header for details on when you can make another request.";

/// A refusal in Zoom's envelope.
pub(super) fn refused(status: u16, code: u32, message: &str) -> Reply {
    envelope(status, &json!({"code": code, "message": message}))
}

fn envelope(status: u16, body: &Value) -> Reply {
    Reply::json(status, body.to_string())
}

/// A field that Zoom does not take, or not so.
pub(super) fn invalid(field: &str, problem: &str) -> Reply {
    let errors = [json!({"field": field, "message": problem})];
    envelope(400, &json!({"code": 300, "message": "Validation Failed.", "errors": errors}))
}

/// What Zoom has and the fake does not.
pub(super) fn unsupported(what: &str) -> Reply {
    invalid(what, &format!("unsupported by the fake: {what}"))
}

/// There is no such path.
pub(super) fn no_endpoint() -> Reply {
    refused(404, 2_300, "This API endpoint is not recognized.")
}

/// The token does not cover the call.
pub(super) fn missing_scope(needed: &[&str]) -> Reply {
    let message = format!("Invalid access token, does not contain scopes:[{}].", needed.join(", "));
    refused(400, 4_711, &message)
}

/// A user's token is for that user, who is `me`.
pub(super) fn not_me() -> Reply {
    refused(401, 4_700, "Invalid access token, does not contain scopes.")
}

pub(super) fn no_user(named: &str) -> Reply {
    refused(404, 1_001, &format!("User does not exist: {named}."))
}

pub(super) fn no_meeting(named: &str) -> Reply {
    refused(404, 3_001, &format!("Meeting does not exist: {named}."))
}

pub(super) fn no_recording() -> Reply {
    refused(404, 3_301, "There is no recording for this meeting.")
}

pub(super) fn still_processing() -> Reply {
    refused(404, 3_310, "This meeting recording is still being processed.")
}

pub(super) fn not_paid(account: &str) -> Reply {
    refused(400, 200, &format!("Only available for Paid or ZMP account: {account}."))
}

/// A page that has expired, or that belongs to something else.
pub(super) fn no_page() -> Reply {
    refused(400, 300, "The next page token is invalid or expired.")
}

/// The error that a fault asks for. Its reason is a code of Zoom's or a message.
pub(super) fn fault(status: u16, reason: Option<&str>) -> Reply {
    let (code, message) = STATUSES
        .iter()
        .find(|row| row.0 == status)
        .map_or((u32::from(status), "Internal Server Error."), |row| (row.1, row.2));
    match reason {
        None if matches!(status, 502..=504) => Reply::html(
            status,
            "<html><head><title>Error</title></head><body><center><h1>Zoom is not here</h1></center></body></html>",
        ),
        None => refused(status, code, message),
        Some(reason) => match reason.parse() {
            Ok(code) => refused(status, code, message),
            Err(_) => refused(status, code, reason),
        },
    }
}
