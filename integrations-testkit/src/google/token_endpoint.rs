//! What do the token and revocation endpoints answer?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use super::Google;
use super::errors;
use super::oauth::Refused;
use super::query::Query;
use crate::server::{Call, Reply};

const FORM: &str = "application/x-www-form-urlencoded";

/// The form that a call posts; `None` when the body is something else.
pub(super) fn form(call: &Call) -> Option<Query> {
    let kind = call.header(CONTENT_TYPE)?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(FORM).then(|| Query::parse(&call.body))
}

/// Answers `POST /token`.
pub(super) fn exchange(google: &Google, call: &Call) -> Reply {
    let Some(form) = form(call) else {
        return errors::oauth(400, "invalid_request", "The body must be a form.");
    };
    if let Some(name) = form.repeated() {
        return errors::oauth(400, "invalid_request", &format!("Parameter given twice: {name}"));
    }
    if let Err(refused) = check_client(google, call, &form) {
        return refused;
    }
    let Some(grant) = form.get("grant_type") else { return missing("grant_type") };
    let now = google.clock.now();
    let answer = match grant {
        "authorization_code" => {
            let Some(code) = form.get("code") else { return missing("code") };
            let Some(redirect_uri) = form.get("redirect_uri") else { return missing("redirect_uri") };
            let Some(verifier) = form.get("code_verifier") else {
                return errors::oauth(400, "invalid_grant", "Missing code verifier.");
            };
            google.oauth().exchange(code, redirect_uri, verifier, now)
        }
        "refresh_token" => {
            let Some(token) = form.get("refresh_token") else { return missing("refresh_token") };
            google.oauth().refresh(token, now)
        }
        other => {
            return errors::oauth(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}"));
        }
    };
    match answer {
        Ok(body) => errors::oauth_success(&body),
        Err(Refused(error, description)) => errors::oauth(400, error, description),
    }
}

fn missing(name: &str) -> Reply {
    errors::oauth(400, "invalid_request", &format!("Missing required parameter: {name}"))
}

/// Client authentication in the body or by Basic, never both (RFC 6749, 2.3).
fn check_client(google: &Google, call: &Call, form: &Query) -> Result<(), Reply> {
    let posted = form.get("client_secret");
    let basic = call.header(AUTHORIZATION);
    let (id, secret) = match (posted, basic) {
        (Some(_), Some(_)) => {
            return Err(errors::oauth(400, "invalid_request", "More than one client authentication."));
        }
        (None, Some(header)) => match basic_credentials(header) {
            Some((id, secret)) => (Some(id), Some(secret)),
            None => return Err(errors::oauth(401, "invalid_client", "Unauthorized")),
        },
        (secret, None) => (form.get("client_id").map(str::to_owned), secret.map(str::to_owned)),
    };
    if id.as_deref() != Some(google.client_id.as_str()) {
        return Err(errors::oauth(401, "invalid_client", "The OAuth client was not found."));
    }
    match secret {
        None => Err(errors::oauth(400, "invalid_request", "client_secret is missing.")),
        Some(secret) if secret == google.client_secret => Ok(()),
        Some(_) => Err(errors::oauth(401, "invalid_client", "Unauthorized")),
    }
}

/// Both halves are form-encoded before they are joined (RFC 6749, 2.3.1).
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(String::from)
    };
    Some((decode(id)?, decode(secret)?))
}

/// Answers `POST /revoke`.
pub(super) fn revoke(google: &Google, call: &Call) -> Reply {
    // Google also takes the token in the query.
    let query = Query::parse(call.query.as_bytes());
    let form = form(call);
    let Some(token) = form.as_ref().and_then(|form| form.get("token")).or_else(|| query.get("token")) else {
        return missing("token");
    };
    if google.oauth().revoke(token, google.clock.now()) {
        Reply::json(200, "{}")
    } else {
        errors::oauth(400, "invalid_token", "Token expired or revoked")
    }
}
