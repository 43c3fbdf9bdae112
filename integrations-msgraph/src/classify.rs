//! What do Microsoft's failures mean?
//!
//! ONE table each for Graph and for the identity platform's token endpoint. Graph's codes stand in
//! `error.code` and, more telling, in `innerError`, which may nest and is spelt in two ways; they come in
//! any case. A part of a `$batch` is read like an answer of its own. The token endpoint has `error`, its
//! `suberror`, and numbers, which are written here as its texts write them: `AADSTS` and the number.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use integrations_core::Error;
use integrations_core::ErrorKind::{
    AccountSuspended, Conflict, CursorExpired, InsufficientPermissions, InvalidCredentials, InvalidRequest,
    RateLimited, ReauthorizationRequired, ServiceUnavailable, UnsupportedOperation,
};
use integrations_core::http::{Failure, HeaderMatch, Rule, Words};
use serde_json::Value;

/// How deep an `innerError` is followed. Microsoft's nest once or twice.
const DEPTH: usize = 8;

const NO_MAILBOX: &str =
    "the account has no mailbox that Graph can reach; it may be on premises or without a licence";
const REFUSED: &str = "the user may not do this, or the grant lacks the scope";
const FULL: &str = "the mailbox is full; the user has to make room";
const SUSPENDED: &str = "Microsoft has suspended the account; its owner has to sign in there";
const AGAIN: &str = "the grant is revoked, expired or used; the user has to connect the account again";
const STEP_UP: &str = "the organisation asks its users to sign in with more than a password; the user has to connect the account again";
const POLICY: &str = "the organisation's Conditional Access does not allow it; an administrator has to";
const CONSENT: &str = "consent is missing or was withdrawn; the user or an administrator has to grant it";
const SECRET: &str = "Microsoft does not accept the application's client id and secret";

/// What the failures of Graph mean, in the order in which they are looked up.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    // A lost position, in whatever status; a 410 says with `Location` where to begin anew.
    Rule::new(0, "syncStateNotFound", CursorExpired, ""),
    Rule::new(0, "syncStateInvalid", CursorExpired, ""),
    Rule::new(0, "resyncRequired", CursorExpired, ""),
    Rule::new(410, "", CursorExpired, "").with(HeaderMatch::Present("location")),
    Rule::new(410, "", CursorExpired, "").on("calendarView.delta"),
    Rule::new(410, "", CursorExpired, "").on("messages.delta"),
    Rule::new(410, "", CursorExpired, "").on("mailFolders.delta"),
    // A POST that was done already, in a 400 or a 409 alike.
    Rule::new(0, "ErrorDuplicateTransactionId", Conflict, "an earlier attempt has made the event already; look it up"),
    Rule::new(0, "nameAlreadyExists", Conflict, "there is one of this name already"),
    // What the account cannot do, whatever the status is.
    Rule::new(0, "MailboxNotEnabledForRESTAPI", UnsupportedOperation, NO_MAILBOX),
    Rule::new(0, "ErrorNonExistentMailbox", UnsupportedOperation, NO_MAILBOX),
    Rule::new(403, "extensionError", UnsupportedOperation, NO_MAILBOX),
    Rule::new(404, "extensionError", UnsupportedOperation, NO_MAILBOX),
    Rule::new(0, "quotaLimitReached", UnsupportedOperation, FULL),
    Rule::new(0, "ErrorQuotaExceeded", UnsupportedOperation, FULL),
    Rule::new(0, "notSupported", UnsupportedOperation, ""),
    Rule::new(402, "", UnsupportedOperation, "only a paid plan has this"),
    Rule::new(507, "", UnsupportedOperation, FULL),
    Rule::new(0, "ErrorAccountSuspend", AccountSuspended, SUSPENDED),
    // 401: a token that has expired, unless Continuous Access Evaluation asks for the user.
    Rule::new(401, "", ReauthorizationRequired, "access was revoked since the token was issued; the user has to connect the account again").with(HeaderMatch::Contains("www-authenticate", "claims=")).named("insufficient_claims"),
    // 403
    Rule::new(403, "ErrorSendAsDenied", InsufficientPermissions, "the user may not send in the name of that account"),
    Rule::new(403, "", InsufficientPermissions, REFUSED),
    // 412 comes on `If-Match`, and now and then without one, when Exchange changes the item itself.
    Rule::new(412, "", Conflict, "the item was changed in the meantime; read it again"),
    Rule::new(423, "", Conflict, "the item is locked for the moment"),
    // A part of a batch whose `dependsOn` failed.
    Rule::new(424, "", Conflict, "a request of the batch that this one waits for has failed").not_processed(),
    // 429: ten thousand in ten minutes for a mailbox, or more than four at once.
    Rule::new(429, "ApplicationThrottled", RateLimited, "too many calls to one mailbox at once").not_processed(),
    Rule::new(0, "activityLimitReached", RateLimited, "").not_processed(),
    Rule::new(429, "", RateLimited, "").not_processed(),
    Rule::new(509, "", RateLimited, "too many bytes in a short time").not_processed(),
];

/// What the failures of the token endpoint mean, in the order in which they are looked up. The numbers
/// refine what `error` says, and come before it.
#[rustfmt::skip]
pub const TOKEN_RULES: &[Rule] = &[
    // The account.
    Rule::new(0, "AADSTS50057", AccountSuspended, "the account is disabled in its organisation"),
    Rule::new(0, "AADSTS50053", AccountSuspended, "the account is locked after failed attempts to sign in"),
    Rule::new(0, "AADSTS50034", ReauthorizationRequired, "the organisation does not know the user; connect the account again, or set another tenant"),
    // The grant.
    Rule::new(0, "AADSTS70008", ReauthorizationRequired, "the code or the grant has expired; the user has to connect the account again"),
    Rule::new(0, "AADSTS700082", ReauthorizationRequired, "the grant was unused for too long; the user has to connect the account again"),
    Rule::new(0, "AADSTS50173", ReauthorizationRequired, "the password was changed or the sessions revoked; the user has to connect the account again"),
    Rule::new(0, "AADSTS54005", ReauthorizationRequired, "the code is used already; the user has to start again"),
    Rule::new(0, "AADSTS65004", ReauthorizationRequired, "the user did not grant access"),
    Rule::new(0, "AADSTS50076", ReauthorizationRequired, STEP_UP),
    Rule::new(0, "AADSTS50078", ReauthorizationRequired, STEP_UP),
    Rule::new(0, "AADSTS50079", ReauthorizationRequired, STEP_UP),
    Rule::new(0, "AADSTS50158", ReauthorizationRequired, STEP_UP),
    // Policy and consent.
    Rule::new(0, "AADSTS65001", InsufficientPermissions, CONSENT),
    Rule::new(0, "consent_required", InsufficientPermissions, CONSENT),
    Rule::new(0, "AADSTS53000", InsufficientPermissions, POLICY),
    Rule::new(0, "AADSTS53003", InsufficientPermissions, POLICY),
    // The application.
    Rule::new(0, "AADSTS7000215", InvalidCredentials, "the client secret is wrong; it is the secret's value that counts, and not its id"),
    Rule::new(0, "AADSTS7000222", InvalidCredentials, "the client secret has expired; make another in the Entra admin center"),
    Rule::new(0, "AADSTS700016", InvalidCredentials, "the directory does not know the client id; check the id and the tenant"),
    Rule::new(0, "AADSTS90002", InvalidCredentials, "there is no such tenant; check its name in the configuration"),
    // Microsoft itself.
    Rule::new(0, "AADSTS90033", ServiceUnavailable, ""),
    // What `error` says by itself (RFC 6749, 5.2, and OpenID Connect).
    Rule::new(0, "invalid_grant", ReauthorizationRequired, AGAIN),
    Rule::new(0, "interaction_required", ReauthorizationRequired, STEP_UP),
    Rule::new(0, "login_required", ReauthorizationRequired, AGAIN),
    Rule::new(0, "access_denied", ReauthorizationRequired, "the user did not grant access"),
    Rule::new(0, "invalid_client", InvalidCredentials, SECRET),
    Rule::new(0, "unauthorized_client", InvalidCredentials, "the application may not use this kind of grant, or is not known in this tenant"),
    Rule::new(0, "invalid_scope", InvalidRequest, "Microsoft does not know one of the scopes"),
    Rule::new(0, "invalid_resource", InvalidRequest, "Microsoft does not know the resource that a scope names"),
    Rule::new(0, "invalid_request", InvalidRequest, "Microsoft does not accept the request for a token"),
    Rule::new(0, "unsupported_grant_type", UnsupportedOperation, "Microsoft does not offer this kind of grant"),
    Rule::new(0, "server_error", ServiceUnavailable, ""),
    Rule::new(0, "temporarily_unavailable", ServiceUnavailable, ""),
    // Here no 401 means that an access token has expired.
    Rule::new(401, "", InvalidCredentials, SECRET),
];

/// Tells what went wrong from an answer of Graph, or from a part of a `$batch`. What a challenge wants to see
/// at the next authorisation is its [`challenge`](Error::challenge).
pub fn error(failure: &Failure<'_>) -> Error {
    let error = failure.by(RULES, &words(failure));
    match challenge(failure.headers) {
        Some(claims) if error.kind() == ReauthorizationRequired => error.with_challenge(claims),
        _ => error,
    }
}

/// The claims of a challenge: base64 in the header, JSON at the authorisation.
fn challenge(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
    let (_, claims) = header.split_once("claims=\"")?;
    let (claims, _) = claims.split_once('"')?;
    let claims = String::from_utf8(STANDARD.decode(claims).ok()?).ok()?;
    serde_json::from_str::<Value>(&claims).ok()?.is_object().then_some(claims)
}

/// Tells what went wrong from an answer of the token endpoint.
pub fn token_error(failure: &Failure<'_>) -> Error {
    failure.by(TOKEN_RULES, &token_words(failure))
}

/// The codes, the deepest first.
fn words(failure: &Failure<'_>) -> Words {
    let body = failure.json();
    let mut codes = Vec::new();
    let mut level = &body["error"];
    for _ in 0..DEPTH {
        codes.push(&level["code"]);
        level = match &level["innerError"] {
            Value::Null => &level["innererror"],
            inner => inner,
        };
    }
    Words::default().codes(codes.into_iter().rev())
}

fn token_words(failure: &Failure<'_>) -> Words {
    let body = failure.json();
    let numbers = body["error_codes"].as_array().into_iter().flatten().filter_map(Value::as_u64);
    let codes: Vec<Value> = numbers.map(|number| format!("AADSTS{number}").into()).collect();
    Words::default().codes(&codes).code(&body["suberror"]).code(&body["error"])
}

#[cfg(test)]
mod tests;
