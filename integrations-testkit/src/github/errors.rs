//! How does GitHub say no?

use http::HeaderName;
use http::header::{LOCATION, RETRY_AFTER};
use serde_json::{Value, json};

use crate::server::Reply;

const DOCS: &str = "https://docs.github.com/rest";
/// What a 403 or 429 of a fault says, unless the fault says it itself.
const USUAL_WAIT: u64 = 60;
const SECONDARY: &str = "You have exceeded a secondary rate limit. Please wait a few minutes before you try \
                         again. If you reach out to GitHub Support for help, please include the request ID.";

/// A refusal in GitHub's envelope; `docs` is the page about it.
pub(super) fn refused(status: u16, message: &str, docs: &str) -> Reply {
    let page = if docs.is_empty() { DOCS.to_owned() } else { format!("{DOCS}/{docs}") };
    let body = json!({"message": message, "documentation_url": page, "status": status.to_string()});
    envelope(status, &body)
}

fn envelope(status: u16, body: &Value) -> Reply {
    Reply::new(status, "application/json; charset=utf-8", body.to_string())
}

/// It is not there, or not for this caller.
pub(super) fn not_found(docs: &str) -> Reply {
    refused(404, "Not Found", docs)
}

/// What GitHub has and the fake does not.
pub(super) fn unsupported(what: &str) -> Reply {
    refused(422, &format!("unsupported by the fake: {what}"), "")
}

/// A parameter has a value that it cannot have.
pub(super) fn invalid(resource: &str, field: &str, value: &str, docs: &str) -> Reply {
    let body = json!({
        "message": "Validation Failed",
        "errors": [{"value": value, "resource": resource, "field": field, "code": "invalid"}],
        "documentation_url": format!("{DOCS}/{docs}"),
        "status": "422",
    });
    envelope(422, &body)
}

/// It is somewhere else now.
pub(super) fn moved(url: &str) -> Reply {
    let docs = "guides/best-practices-for-using-the-rest-api#follow-redirects";
    let body = json!({
        "message": "Moved Permanently",
        "url": url,
        "documentation_url": format!("{DOCS}/{docs}"),
    });
    envelope(301, &body).header(LOCATION, url)
}

/// An app may not do this, or only with one of these permissions.
pub(super) fn not_for_apps(accepted: &str) -> Reply {
    let reply = refused(403, "Resource not accessible by integration", "");
    if accepted.is_empty() {
        return reply;
    }
    reply.header(HeaderName::from_static("x-accepted-github-permissions"), accepted)
}

/// The hour's units are used up.
pub(super) fn used_up(status: u16, payer: &str) -> Reply {
    let message = format!("API rate limit exceeded for {payer}.");
    refused(status, &message, "overview/rate-limits-for-the-rest-api")
}

/// Of a secondary limit.
pub(super) fn too_fast(status: u16, seconds: u64) -> Reply {
    refused(status, SECONDARY, "overview/rate-limits-for-the-rest-api#about-secondary-rate-limits")
        .header(RETRY_AFTER, &seconds.to_string())
}

/// The error that a fault asks for: a status, and as its reason a message of GitHub's.
pub(super) fn fault(status: u16, reason: Option<&str>) -> Reply {
    match (status, reason) {
        (403 | 429, None) => too_fast(status, USUAL_WAIT),
        (503 | 504, None) => Reply::html(
            status,
            "<!DOCTYPE html><html lang=\"en\"><title>Unicorn! &middot; GitHub</title><p>No server is currently available to service your request.",
        ),
        (_, Some(message)) => refused(status, message, ""),
        (400, None) => refused(status, "Problems parsing JSON", ""),
        (401, None) => refused(status, "Bad credentials", ""),
        (404, None) => not_found(""),
        (410, None) => refused(status, "This issue was deleted", "issues/issues#get-an-issue"),
        (422, None) => refused(status, "Validation Failed", ""),
        (451, None) => refused(status, "Repository access blocked", ""),
        (_, None) => refused(status, "Server Error", ""),
    }
}
