//! In which shape does a provider say no?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CACHE_CONTROL, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use super::account::guid;
use super::authority::Authority;
use super::dialect::Dialect;
use super::grant::Locked;
use super::refusal::{Refused, Row, row_for, row_named, row_of_status};
use crate::google::errors as google;
use crate::random::hash_text;
use crate::server::{Call, Reply};

/// What Microsoft asks to be taken to the authorization endpoint, where a step-up is needed.
const STEP_UP: &str = r#"{"access_token":{"capolids":{"essential":true,"values":["fake-policy"]}}}"#;

/// An answer of a token endpoint, which nobody may keep (RFC 6749, 5.1).
pub(super) fn no_store(reply: Reply) -> Reply {
    reply.header(CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate")
}

/// The refusal of something that went wrong by itself.
pub(super) fn refusal(authority: &Authority, call: &Call, refused: &Refused) -> Reply {
    let row = row_for(authority.rules.dialect, refused.why);
    token(authority, call, row.status, row.error, Some(&row), &refused.about)
}

/// The refusal that a fault asks for.
pub(super) fn fault(authority: &Authority, call: &Call, status: u16, reason: Option<&str>) -> Reply {
    let dialect = authority.rules.dialect;
    let row = match reason {
        Some(name) => row_named(dialect, name),
        None => row_of_status(dialect, status),
    };
    let fallback = if dialect == Dialect::Slack { "internal_error" } else { "server_error" };
    // Microsoft's numbers come under an error of RFC 6749, also those that the table does not know.
    let number = reason.filter(|name| dialect == Dialect::Microsoft && name.parse::<u32>().is_ok());
    let error = match (&row, reason) {
        (Some(row), _) => row.error,
        (None, Some(_)) if number.is_some() => "invalid_grant",
        (None, Some(name)) => name,
        (None, None) => fallback,
    };
    let unknown = number.and_then(|number| number.parse().ok()).map(|number| Row {
        on: &[],
        status,
        error: "invalid_grant",
        number,
        suberror: "",
        text: "",
    });
    token(authority, call, status, error, row.or(unknown).as_ref(), "")
}

fn token(
    authority: &Authority,
    call: &Call,
    status: u16,
    error: &str,
    row: Option<&Row>,
    about: &str,
) -> Reply {
    let text = row.map_or(String::new(), |row| row.text.replace("{}", about).trim().to_owned());
    let number = row.map_or(0, |row| row.number);
    let suberror = row.map_or("", |row| row.suberror);
    let mut body = match authority.rules.dialect {
        Dialect::Slack => json!({"ok": false, "error": error}),
        Dialect::Zoom => json!({"reason": if text.is_empty() { error } else { &text }, "error": error}),
        _ => json!({"error": error}),
    };
    match authority.rules.dialect {
        Dialect::Google => {
            set(&mut body, "error_description", &text);
            set(&mut body, "error_subtype", suberror);
        }
        Dialect::Microsoft => {
            body["error_description"] =
                json!(if number == 0 { text } else { format!("AADSTS{number}: {text}") });
            body["error_codes"] = if number == 0 { json!([]) } else { json!([number]) };
            body["timestamp"] = json!(authority.clock.now().format("%Y-%m-%d %H:%M:%SZ").to_string());
            body["trace_id"] = json!(guid(hash_text(error)));
            body["correlation_id"] = json!(guid(u64::from(number)));
            set(&mut body, "suberror", suberror);
            if suberror == "basic_action" {
                set(&mut body, "claims", STEP_UP);
            }
        }
        Dialect::GitHub if status == 200 => {
            set(&mut body, "error_description", &text);
            let page = "https://docs.github.com/apps/troubleshooting-oauth-app-access-token-request-errors/#";
            set(&mut body, "error_uri", &format!("{page}{}", error.replace('_', "-")));
            return as_asked(call, &body);
        }
        Dialect::GitHub => {
            body = github(status, if status == 429 { SECONDARY_LIMIT } else { "Server Error" });
        }
        Dialect::Zoom if number != 0 => body["code"] = json!(number),
        Dialect::Zoom | Dialect::Slack => {}
    }
    no_store(Reply::json(status, body.to_string()))
}

const SECONDARY_LIMIT: &str =
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

fn set(body: &mut Value, name: &str, text: &str) {
    if !text.is_empty() {
        body[name] = json!(text);
    }
}

/// GitHub's OAuth endpoint answers with a form unless the client asks for JSON.
pub(super) fn as_asked(call: &Call, body: &Value) -> Reply {
    if call.header(ACCEPT).is_some_and(|accept| accept.contains("json")) {
        return no_store(Reply::json(200, body.to_string()));
    }
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().into_iter().flatten() {
        form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    no_store(Reply::new(200, "application/x-www-form-urlencoded; charset=utf-8", form.finish()))
}

/// The refusal of an API call whose token opens nothing.
pub(super) fn locked(dialect: Dialect, locked: Locked) -> Reply {
    match dialect {
        Dialect::Google => google::unauthenticated(locked != Locked::Missing),
        Dialect::Slack => {
            let error = match locked {
                Locked::Missing => "not_authed",
                Locked::Unknown => "invalid_auth",
                Locked::Expired => "token_expired",
                Locked::Revoked => "token_revoked",
            };
            Reply::json(200, json!({"ok": false, "error": error}).to_string())
        }
        Dialect::Microsoft => {
            let text = match locked {
                Locked::Missing => "Access token is empty.",
                Locked::Unknown => "Invalid access token.",
                Locked::Expired => "Lifetime validation failed, the token is expired.",
                Locked::Revoked => "The token was revoked.",
            };
            let reply = graph(401, "InvalidAuthenticationToken", text);
            reply.header(WWW_AUTHENTICATE, &microsoft_challenge("invalid_token", None))
        }
        Dialect::GitHub => {
            let text = if locked == Locked::Missing { "Requires authentication" } else { "Bad credentials" };
            Reply::json(401, github(401, text).to_string())
        }
        Dialect::Zoom => {
            let text =
                if locked == Locked::Expired { "Access token is expired." } else { "Invalid access token." };
            zoom(401, 124, text)
        }
    }
}

/// Microsoft's way to ask for another sign-in in the middle of things (continuous access evaluation).
pub(super) fn claims_challenge(claims: &str) -> Reply {
    let text = "Continuous access evaluation resulted in challenge with result: InteractionRequired";
    let challenge = microsoft_challenge("insufficient_claims", Some(claims));
    graph(401, "InvalidAuthenticationToken", text).header(WWW_AUTHENTICATE, &challenge)
}

fn microsoft_challenge(error: &str, claims: Option<&str>) -> String {
    let mut value = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
         client_id=\"00000003-0000-0000-c000-000000000000\", error=\"{error}\""
    );
    if let Some(claims) = claims {
        value.extend([", claims=\"", &STANDARD.encode(claims), "\""]);
    }
    value
}

/// The refusal of an API call whose token is in force but not for this.
pub(super) fn missing_scope(dialect: Dialect, needed: &[&str]) -> Reply {
    let first = needed.first().copied().unwrap_or_default();
    match dialect {
        Dialect::Google => google::insufficient_scope("google.identity.openid.v1.UserInfo"),
        Dialect::Microsoft => {
            graph(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        }
        Dialect::Slack => {
            Reply::json(200, json!({"ok": false, "error": "missing_scope", "needed": first}).to_string())
        }
        Dialect::GitHub => {
            Reply::json(403, github(403, "Resource not accessible by integration").to_string())
        }
        Dialect::Zoom => zoom(
            400,
            4_711,
            &format!("Invalid access token, does not contain scopes:[{}].", needed.join(", ")),
        ),
    }
}

/// The refusal of an API call that a fault asks for.
pub(super) fn api_fault(
    dialect: Dialect,
    operation: &'static str,
    status: u16,
    reason: Option<&str>,
) -> Reply {
    match (dialect, status, reason) {
        (Dialect::Google, 401, None) => google::unauthenticated(true),
        (Dialect::Google, 403, Some("insufficientPermissions")) => google::insufficient_scope(operation),
        (Dialect::Google, ..) => google::envelope(status, reason),
        (_, 401, None) => locked(dialect, Locked::Unknown),
        (Dialect::Slack, ..) => {
            let usual = match status {
                429 => "ratelimited",
                503 => "service_unavailable",
                _ => "internal_error",
            };
            Reply::json(status, json!({"ok": false, "error": reason.unwrap_or(usual)}).to_string())
        }
        (Dialect::Microsoft, ..) => {
            let usual = match status {
                403 => "accessDenied",
                404 => "itemNotFound",
                429 => "TooManyRequests",
                503 => "serviceNotAvailable",
                _ => "generalException",
            };
            graph(status, reason.unwrap_or(usual), "The fake was asked to fail.")
        }
        (Dialect::GitHub, ..) => {
            let usual = match status {
                403 | 429 => SECONDARY_LIMIT,
                404 => "Not Found",
                _ => "Server Error",
            };
            Reply::json(status, github(status, reason.unwrap_or(usual)).to_string())
        }
        (Dialect::Zoom, ..) => {
            let code = reason.and_then(|reason| reason.parse().ok()).unwrap_or(u32::from(status));
            zoom(status, code, reason.unwrap_or("The fake was asked to fail."))
        }
    }
}

/// Graph's envelope.
pub(super) fn graph(status: u16, code: &str, message: &str) -> Reply {
    let inner = json!({
        "request-id": guid(hash_text(code)),
        "client-request-id": guid(hash_text(message)),
    });
    let body = json!({"error": {"code": code, "message": message, "innerError": inner}});
    Reply::json(status, body.to_string())
}

/// GitHub's envelope.
pub(super) fn github(status: u16, message: &str) -> Value {
    json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.to_string(),
    })
}

/// Zoom's envelope.
pub(super) fn zoom(status: u16, code: u32, message: &str) -> Reply {
    Reply::json(status, json!({"code": code, "message": message}).to_string())
}
