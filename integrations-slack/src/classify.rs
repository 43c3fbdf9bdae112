//! What do Slack's failures mean?
//!
//! ONE table each for the Web API and for the token endpoint, which is a method of it. Slack answers with
//! status 200, `ok: false` and a code in `error`, so hardly a row asks for a status; a refusal for want of
//! a scope names it in `needed`.

use std::time::Duration;

use integrations_core::ErrorKind::{
    AccountSuspended, Conflict, CursorExpired, InsufficientPermissions, InvalidCredentials, InvalidRequest,
    NotFound, RateLimited, ReauthorizationRequired, ServiceUnavailable, Timeout, UnsupportedOperation,
};
use integrations_core::http::{Failure, Response, Rule, Words};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;

/// Where Slack names no time.
const THROTTLED: Duration = Duration::from_secs(30);

const SLOWER: &str = "Slack asks for fewer calls of this method in this workspace";
const CONNECT: &str = "the token is revoked or the app is removed; the user has to connect the account again";
const ADMIN: &str = "the workspace does not allow it; one of its administrators has to";
const ARGUMENT: &str = "Slack does not accept an argument of the request";
const FORM: &str = "Slack cannot read the request; its encoding or media type is at fault";
const TOO_MUCH: &str = "there is more in the message than Slack takes; shorten it";
const NOT_THERE: &str = "Slack does not know it, or the user may not see it";
const OLD: &str = "Slack has taken this method away; the adapter needs an update";
const DOWN: &str = "Slack failed; a write may have been done all the same";

/// What a code means, whatever the status is.
const fn code(code: &'static str, kind: ErrorKind, message: &'static str) -> Rule {
    Rule::new(0, code, kind, message)
}

/// A scope that is missing, by its name in `needed`.
const fn lacks(scope: &'static str, message: &'static str) -> Rule {
    Rule::new(0, "missing_scope", InsufficientPermissions, message).saying(scope)
}

/// What the failures of the Web API mean, in the order in which they are looked up.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    // Too fast. A 429 may have a body or none.
    Rule::new(429, "", RateLimited, SLOWER).named("ratelimited").wait(THROTTLED).not_processed(),
    code("ratelimited", RateLimited, SLOWER).wait(THROTTLED).not_processed(),
    code("rate_limited", RateLimited, SLOWER).wait(THROTTLED).not_processed(),
    code("message_limit_exceeded", RateLimited, "the workspace has sent all the messages that it may for now").wait(THROTTLED).not_processed(),
    // The token. Only one that rotates expires.
    code("token_expired", ErrorKind::TokenExpired, "").not_processed(),
    code("invalid_auth", ReauthorizationRequired, CONNECT),
    code("not_authed", ReauthorizationRequired, "no token reached Slack; connect the account again"),
    code("token_revoked", ReauthorizationRequired, CONNECT),
    code("account_inactive", AccountSuspended, "the user or the workspace is deactivated, or the app is removed"),
    // The scope, by name; the longer name first where one holds the other.
    lacks("channels:history", "the grant lacks `channels:history`, to read public channels; the user has to grant it"),
    lacks("groups:history", "the grant lacks `groups:history`, to read private channels; the user has to grant it"),
    lacks("mpim:history", "the grant lacks `mpim:history`, to read group messages; the user has to grant it"),
    lacks("im:history", "the grant lacks `im:history`, to read direct messages; the user has to grant it"),
    lacks("channels:read", "the grant lacks `channels:read`, to list public channels; the user has to grant it"),
    lacks("groups:read", "the grant lacks `groups:read`, to list private channels; the user has to grant it"),
    lacks("mpim:read", "the grant lacks `mpim:read`, to list group messages; the user has to grant it"),
    lacks("im:read", "the grant lacks `im:read`, to list direct messages; the user has to grant it"),
    lacks("users:read.email", "the grant lacks `users:read.email`, to read e-mail addresses; the user has to grant it"),
    lacks("users:read", "the grant lacks `users:read`, to read who people are; the user has to grant it"),
    lacks("chat:write.public", "the grant lacks `chat:write.public`, to write where the app is no member; the user has to grant it"),
    lacks("chat:write", "the grant lacks `chat:write`, to send messages; the user has to grant it"),
    lacks("reactions:read", "the grant lacks `reactions:read`, to read reactions; the user has to grant it"),
    lacks("reactions:write", "the grant lacks `reactions:write`, to react; the user has to grant it"),
    code("missing_scope", InsufficientPermissions, "the grant lacks a scope; the user has to grant it"),
    // What the user, or the app, may not do.
    code("not_in_channel", InsufficientPermissions, "the app is no member of the channel; somebody has to invite it"),
    code("no_permission", InsufficientPermissions, "the user may not do this in Slack"),
    code("access_denied", InsufficientPermissions, "the user may not do this in Slack"),
    code("not_an_admin", InsufficientPermissions, "only an administrator of the workspace may do this"),
    code("ekm_access_denied", InsufficientPermissions, ADMIN),
    code("org_login_required", InsufficientPermissions, "the workspace moves into an organisation; the user has to sign in there"),
    code("team_access_not_granted", InsufficientPermissions, ADMIN),
    code("enterprise_is_restricted", InsufficientPermissions, ADMIN),
    code("app_access_restricted", InsufficientPermissions, ADMIN),
    code("two_factor_setup_required", InsufficientPermissions, "the user has to set up two-factor sign-in at Slack"),
    code("user_is_restricted", InsufficientPermissions, "a guest may not do this in Slack"),
    code("user_is_ultra_restricted", InsufficientPermissions, "a guest may not do this in Slack"),
    code("restricted_action_thread_locked", UnsupportedOperation, "the thread is locked"),
    code("restricted_action_read_only_channel", InsufficientPermissions, "the channel is for reading alone"),
    code("restricted_action_thread_only_channel", InsufficientPermissions, "the channel takes replies alone"),
    code("restricted_action_non_threadable_channel", InsufficientPermissions, "the channel takes no replies"),
    code("restricted_action", InsufficientPermissions, ADMIN),
    // What Slack cannot do.
    code("user_is_bot", UnsupportedOperation, "this cannot be done by a bot or with one"),
    code("not_allowed_token_type", UnsupportedOperation, "this method does not take this kind of token, bot or user"),
    code("method_not_supported_for_channel_type", UnsupportedOperation, "this cannot be done in a channel of this kind"),
    code("is_archived", UnsupportedOperation, "the channel is archived"),
    code("cant_update_message", UnsupportedOperation, "the message cannot be changed; only its author can"),
    code("cant_delete_message", UnsupportedOperation, "the message cannot be deleted; only its author can"),
    code("compliance_exports_prevent_deletion", UnsupportedOperation, "the workspace keeps its messages for compliance"),
    code("edit_window_closed", UnsupportedOperation, "the time in which the message could be changed is over"),
    code("paid_only", UnsupportedOperation, "only a paid plan of Slack has this"),
    code("upgrade_required", UnsupportedOperation, "the workspace's plan or app does not have this"),
    code("deprecated_endpoint", UnsupportedOperation, OLD),
    code("method_deprecated", UnsupportedOperation, OLD),
    code("unknown_method", UnsupportedOperation, OLD),
    // What is not there.
    code("channel_not_found", NotFound, NOT_THERE),
    code("user_not_found", NotFound, NOT_THERE),
    code("users_not_found", NotFound, NOT_THERE),
    code("user_not_visible", NotFound, NOT_THERE),
    code("user_disabled", NotFound, "the other user is deactivated"),
    code("message_not_found", NotFound, NOT_THERE),
    code("thread_not_found", NotFound, NOT_THERE),
    code("team_not_found", NotFound, NOT_THERE),
    code("file_not_found", NotFound, NOT_THERE),
    // Done already: what was asked for is how it is.
    code("already_reacted", Conflict, "the reaction is there already"),
    code("no_reaction", Conflict, "the reaction is gone already"),
    code("already_in_channel", Conflict, "the user is a member already"),
    code("name_taken", Conflict, "there is a channel of this name already"),
    // A cursor lives for a short while.
    code("invalid_cursor", CursorExpired, "Slack does not know the page any more"),
    // The request.
    code("invalid_arguments", InvalidRequest, ARGUMENT),
    code("invalid_arg_name", InvalidRequest, ARGUMENT),
    code("invalid_array_arg", InvalidRequest, ARGUMENT),
    code("invalid_limit", InvalidRequest, ARGUMENT),
    code("limit_required", InvalidRequest, "there are too many users for one answer; ask for a page"),
    code("invalid_types", InvalidRequest, ARGUMENT),
    code("invalid_name", InvalidRequest, "Slack has no emoji of this name"),
    code("bad_timestamp", InvalidRequest, ARGUMENT),
    code("invalid_ts_oldest", InvalidRequest, ARGUMENT),
    code("invalid_ts_latest", InvalidRequest, ARGUMENT),
    code("invalid_charset", InvalidRequest, FORM),
    code("invalid_form_data", InvalidRequest, FORM),
    code("invalid_post_type", InvalidRequest, FORM),
    code("missing_post_type", InvalidRequest, FORM),
    code("invalid_json", InvalidRequest, FORM),
    code("json_not_object", InvalidRequest, FORM),
    code("invalid_blocks", InvalidRequest, "Slack does not accept the blocks of the message"),
    code("invalid_blocks_format", InvalidRequest, "Slack does not accept the blocks of the message"),
    code("no_text", InvalidRequest, "the message is empty"),
    code("msg_too_long", InvalidRequest, TOO_MUCH),
    code("msg_blocks_too_long", InvalidRequest, TOO_MUCH),
    code("too_many_attachments", InvalidRequest, TOO_MUCH),
    code("metadata_too_large", InvalidRequest, TOO_MUCH),
    code("too_many_reactions", InvalidRequest, "the message has all the reactions that it can have"),
    code("too_many_emoji", InvalidRequest, "the message has all the reactions that it can have"),
    // Slack itself. After `internal_error` and `fatal_error` a write may have been done.
    code("internal_error", ServiceUnavailable, DOWN),
    code("fatal_error", ServiceUnavailable, DOWN),
    code("service_unavailable", ServiceUnavailable, "Slack is not available"),
    code("fetch_members_failed", ServiceUnavailable, "Slack could not read the channel's members"),
    code("team_added_to_org", ServiceUnavailable, "the workspace is moving into an organisation; Slack answers again when that is done"),
    code("request_timeout", Timeout, "the request did not reach Slack whole"),
];

/// What the failures of `oauth.v2.access` mean, before those of any method.
#[rustfmt::skip]
pub const TOKEN_RULES: &[Rule] = &[
    // A refresh token is used once: one that is refused was revoked, used, or has expired.
    code("invalid_refresh_token", ReauthorizationRequired, "the refresh token is used, revoked or expired; the user has to connect the account again"),
    code("token_expired", ReauthorizationRequired, "the refresh token has expired; the user has to connect the account again"),
    code("token_already_exchanged", ReauthorizationRequired, "the token was exchanged for one that rotates; the user has to connect the account again"),
    // The standard's word for it, which a proxy or another server may use.
    code("invalid_grant", ReauthorizationRequired, "the grant is revoked, expired or used; the user has to connect the account again"),
    // A code lives for ten minutes and is used once.
    code("invalid_code", ReauthorizationRequired, "the code is not valid (any more); the user has to start again"),
    code("code_already_used", ReauthorizationRequired, "the code is used already; the user has to start again"),
    code("access_denied", ReauthorizationRequired, "the user did not grant access"),
    // The app.
    code("invalid_client_id", InvalidCredentials, "Slack does not know the client id"),
    code("bad_client_secret", InvalidCredentials, "Slack does not accept the client secret"),
    code("invalid_client", InvalidCredentials, "Slack does not accept the application's client id and secret"),
    code("bad_redirect_uri", InvalidRequest, "the redirect address is not registered for the app, or not the one of the first step"),
    code("oauth_authorization_url_mismatch", InvalidRequest, "the code comes from another authorisation address than this exchange is for"),
    code("no_scopes", InvalidRequest, "no scope was asked for"),
    code("invalid_scope", InvalidRequest, "Slack does not know one of the scopes"),
    code("invalid_grant_type", UnsupportedOperation, "Slack does not offer this kind of grant"),
    code("token_rotation_not_enabled", UnsupportedOperation, "the app's tokens do not rotate: they do not expire and cannot be refreshed"),
    code("invalid_team_for_non_distributed_app", InsufficientPermissions, "the app is open to its own workspace alone"),
    // Here no 401 means that an access token has expired.
    Rule::new(401, "", InvalidCredentials, "Slack does not accept the application's client id and secret"),
];

/// Tells what went wrong from an answer of the Web API, whatever its status.
pub fn error(failure: &Failure<'_>) -> Error {
    failure.by(RULES, &words(failure))
}

/// Tells what went wrong from an answer of `oauth.v2.access`, whatever its status.
pub fn token_error(failure: &Failure<'_>) -> Error {
    let words = words(failure);
    let own = failure.row(TOKEN_RULES, &words).is_some();
    failure.by(if own { TOKEN_RULES } else { RULES }, &words)
}

/// Tells whether an answer of the Web API is a success, whatever its status.
///
/// # Errors
/// As [`in_success`], and what the status means.
pub(crate) fn judge(operation: &'static str, answer: &Response) -> Result<()> {
    if answer.status.is_success() {
        return in_success(operation, answer);
    }
    Err(error(&Failure::of(operation, answer)))
}

/// Finds the failure in an answer of status 200.
///
/// # Errors
/// What the code of an answer with `ok: false` means; [`ErrorKind::DataFormat`] for an answer without `ok`.
pub fn in_success(operation: &'static str, answer: &Response) -> Result<()> {
    if is_ok(operation, answer)? { Ok(()) } else { Err(error(&Failure::of(operation, answer))) }
}

/// Finds the failure in an answer of `oauth.v2.access` of status 200.
///
/// # Errors
/// As [`in_success`], with what the token endpoint means by its codes.
pub fn in_token_success(operation: &'static str, answer: &Response) -> Result<()> {
    if is_ok(operation, answer)? { Ok(()) } else { Err(token_error(&Failure::of(operation, answer))) }
}

fn is_ok(operation: &'static str, answer: &Response) -> Result<bool> {
    /// What every answer has; the rest is skipped, not stored.
    #[derive(Deserialize)]
    struct Envelope {
        ok: bool,
    }
    json::decode::<Envelope>(&answer.body, operation).map(|envelope| envelope.ok)
}

fn words(failure: &Failure<'_>) -> Words {
    let body = failure.json();
    Words::default().code(&body["error"]).text(&body["needed"])
}

#[cfg(test)]
mod tests;
