//! How does Slack say no?
//!
//! With status 200 and a code; only what is asked too often has a status of its own, and what breaks in
//! front of the API has a page of HTML.

use http::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::server::Reply;

/// What a 429 says that a fault asks for, unless the fault says it itself.
const USUAL_WAIT: u64 = 30;

/// The codes that stand for a status, where a fault gives no reason.
const STATUSES: &[(u16, &str)] = &[
    (400, "invalid_arguments"),
    (401, "invalid_auth"),
    (403, "access_denied"),
    (404, "unknown_method"),
    (408, "request_timeout"),
];

/// A refusal with this code.
pub(super) fn refused(code: &str) -> Reply {
    failure(200, &json!({"ok": false, "error": code}))
}

/// The refusal of an argument, with what is wrong with it.
pub(super) fn argument(problem: &str) -> Reply {
    let messages = [format!("[ERROR] {problem}")];
    failure(
        200,
        &json!({
            "ok": false,
            "error": "invalid_arguments",
            "response_metadata": {"messages": messages},
        }),
    )
}

/// The grant does not cover the call.
pub(super) fn missing_scope(needed: &[&str], provided: &[String]) -> Reply {
    let body = json!({
        "ok": false,
        "error": "missing_scope",
        "needed": needed.join(","),
        "provided": provided.join(","),
    });
    failure(200, &body)
}

/// There is no method of this name.
pub(super) fn unknown_method(name: &str) -> Reply {
    failure(200, &json!({"ok": false, "error": "unknown_method", "req_method": name}))
}

/// Asked too often; a place is free in so many seconds.
pub(super) fn rate_limited(seconds: u64) -> Reply {
    failure(429, &json!({"ok": false, "error": "ratelimited"})).header(RETRY_AFTER, &seconds.to_string())
}

/// The error that a fault asks for.
pub(super) fn fault(status: u16, reason: Option<&str>) -> Reply {
    match (status, reason) {
        (429, _) => rate_limited(USUAL_WAIT),
        (500.., None) => unavailable(status),
        (_, reason) => {
            let usual = STATUSES.iter().find(|row| row.0 == status).map_or("internal_error", |row| row.1);
            failure(status, &json!({"ok": false, "error": reason.unwrap_or(usual)}))
        }
    }
}

/// What a load balancer says for an API that does not answer.
fn unavailable(status: u16) -> Reply {
    let page = "<!DOCTYPE html><html lang=\"en\"><title>Server Error | Slack</title><h1>Server Error</h1>";
    Reply::html(status, page)
}

pub(super) fn not_found() -> Reply {
    Reply::html(404, "<!DOCTYPE html><html lang=\"en\"><title>There's been a glitch | Slack</title>")
}

fn failure(status: u16, body: &Value) -> Reply {
    Reply::json(status, body.to_string())
}
