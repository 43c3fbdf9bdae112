//! Which endpoint answers a request, and may the caller use it?

use http::Method;
use http::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::Google;
use super::query::Query;
use super::{authorization, errors, events, token_endpoint};
use crate::server::{Call, Reply, Route, Service};

const SCOPE_PREFIX: &str = "https://www.googleapis.com/auth/";
/// Scopes that read events.
const EVENT_SCOPES: &[&str] =
    &["calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly"];
/// Scopes that read the list of calendars.
const LIST_SCOPES: &[&str] =
    &["calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"];
/// Scopes that say who the user is; also known by their short names.
const EMAIL_SCOPE: &str = "userinfo.email";
const PROFILE_SCOPE: &str = "userinfo.profile";

/// All that an open token may do.
pub(super) const OPEN_SCOPES: &[&str] =
    &["openid", "email", "profile", "https://www.googleapis.com/auth/calendar"];

/// An endpoint, with what its path names.
enum Endpoint {
    Authorize,
    TokenCode,
    TokenRefresh,
    Revoke,
    UserInfo,
    CalendarList,
    Events(String),
    Event(String, String),
    Unknown,
}

impl Endpoint {
    fn of(call: &Call) -> Self {
        let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
        let get = call.method == Method::GET;
        let post = call.method == Method::POST;
        match segments.as_slice() {
            ["o", "oauth2", "v2", "auth"] if get => Self::Authorize,
            ["token"] if post => {
                let form = token_endpoint::form(call);
                let grant = form.as_ref().and_then(|form| form.get("grant_type"));
                if grant == Some("refresh_token") { Self::TokenRefresh } else { Self::TokenCode }
            }
            ["revoke"] if post => Self::Revoke,
            ["v1", "userinfo"] if get => Self::UserInfo,
            ["calendar", "v3", "users", "me", "calendarList"] if get => Self::CalendarList,
            ["calendar", "v3", "calendars", calendar, "events"] if get => Self::Events(decode(calendar)),
            ["calendar", "v3", "calendars", calendar, "events", event] if get => {
                Self::Event(decode(calendar), decode(event))
            }
            _ => Self::Unknown,
        }
    }

    const fn operation(&self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::TokenCode => "token.code",
            Self::TokenRefresh => "token.refresh",
            Self::Revoke => "revoke",
            Self::UserInfo => "userinfo",
            Self::CalendarList => "calendarList.list",
            Self::Events(_) => "events.list",
            Self::Event(..) => "events.get",
            Self::Unknown => "unknown",
        }
    }
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

impl Service for Google {
    fn route(&self, call: &Call) -> Route {
        let query = Query::parse(call.query.as_bytes());
        Route {
            operation: Endpoint::of(call).operation(),
            page_token: query.get("pageToken").is_some(),
            sync_token: query.get("syncToken").is_some(),
        }
    }

    fn answer(&self, _operation: &'static str, call: &Call) -> Reply {
        let query = Query::parse(call.query.as_bytes());
        match Endpoint::of(call) {
            Endpoint::Authorize => authorization::authorize(self, &query),
            Endpoint::TokenCode | Endpoint::TokenRefresh => token_endpoint::exchange(self, call),
            Endpoint::Revoke => token_endpoint::revoke(self, call),
            Endpoint::UserInfo => self.user_info(call),
            Endpoint::CalendarList => self
                .admit(call, LIST_SCOPES, "calendar.v3.CalendarList.List")
                .map_or_else(|refused| refused, |()| self.account().list(self, &query)),
            Endpoint::Events(calendar) => self
                .admit(call, EVENT_SCOPES, "calendar.v3.Events.List")
                .map_or_else(|refused| refused, |()| events::list(self, &calendar, &query)),
            Endpoint::Event(calendar, event) => self
                .admit(call, EVENT_SCOPES, "calendar.v3.Events.Get")
                .map_or_else(|refused| refused, |()| events::get(self, &calendar, &event, call)),
            Endpoint::Unknown => Reply::html(404, "<!DOCTYPE html><title>Error 404 (Not Found)</title>"),
        }
    }

    fn error(&self, operation: &'static str, status: u16, reason: Option<&str>) -> Reply {
        match (operation, status, reason) {
            ("token.code" | "token.refresh" | "revoke", ..) => errors::oauth_fault(status, reason),
            (_, 401, None) => errors::unauthenticated(true),
            (_, 403, Some("insufficientPermissions")) => errors::insufficient_scope(operation),
            _ => errors::envelope(status, reason),
        }
    }
}

impl Google {
    fn admit(&self, call: &Call, any_of: &[&str], method: &str) -> Result<(), Reply> {
        let token = bearer(call).ok_or_else(|| errors::unauthenticated(false))?;
        let covered = self
            .oauth()
            .scopes(token, self.clock.now(), |granted| any_of.iter().any(|scope| has(granted, scope)));
        match covered {
            None => Err(errors::unauthenticated(true)),
            Some(false) => Err(errors::insufficient_scope(method)),
            Some(true) => Ok(()),
        }
    }

    fn user_info(&self, call: &Call) -> Reply {
        let Some(token) = bearer(call) else { return errors::unauthenticated(false) };
        let granted = self.oauth().scopes(token, self.clock.now(), <[String]>::to_vec);
        let Some(granted) = granted else { return errors::unauthenticated(true) };
        let may = |short: &str, long: &str| granted.iter().any(|scope| scope == short) || has(&granted, long);
        let (email, profile) = (may("email", EMAIL_SCOPE), may("profile", PROFILE_SCOPE));
        if !email && !profile && !may("openid", "openid") {
            return errors::insufficient_scope("google.identity.openid.v1.UserInfo");
        }
        let mut body = json!({"sub": self.user.sub});
        if email {
            body["email"] = json!(self.user.email);
            body["email_verified"] = json!(true);
        }
        if profile {
            body["name"] = json!(self.user.name);
        }
        Reply::json(200, body.to_string())
    }
}

/// Whether a scope was granted, given without Google's prefix.
fn has(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|granted| granted.strip_prefix(SCOPE_PREFIX) == Some(scope))
}

fn bearer(call: &Call) -> Option<&str> {
    let (scheme, token) = call.header(AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}
