//! Which endpoint answers a request, and may the caller use it?

use http::Method;
use percent_encoding::percent_decode_str;

use super::Google;
use super::query::Query;
use super::{errors, events};
use crate::oauth::Operation;
use crate::params::bearer;
use crate::server::{Call, Reply, Route, Service};

const SCOPE_PREFIX: &str = "https://www.googleapis.com/auth/";
/// Scopes that read events.
const EVENT_SCOPES: &[&str] =
    &["calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly"];
/// Scopes that read the list of calendars.
const LIST_SCOPES: &[&str] =
    &["calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"];
/// All that an open token may do.
pub(super) const OPEN_SCOPES: &[&str] =
    &["openid", "email", "profile", "https://www.googleapis.com/auth/calendar"];

/// An endpoint, with what its path names.
enum Endpoint {
    CalendarList,
    Events(String),
    Event(String, String),
    Unknown,
}

impl Endpoint {
    fn of(call: &Call) -> Self {
        let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
        let get = call.method == Method::GET;
        match segments.as_slice() {
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
            operation: self
                .authority
                .operation(call)
                .map_or_else(|| Endpoint::of(call).operation(), Operation::name),
            page_token: query.get("pageToken").is_some(),
            sync_token: query.get("syncToken").is_some(),
        }
    }

    fn answer(&self, _operation: &'static str, call: &Call) -> Reply {
        if let Some(reply) = self.authority.serve(call) {
            return reply;
        }
        let query = Query::parse(call.query.as_bytes());
        match Endpoint::of(call) {
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

    fn error(&self, operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        match (self.authority.operation(call), status, reason) {
            (Some(operation), ..) => self.authority.fail(operation, call, status, reason),
            (_, 401, None) => errors::unauthenticated(true),
            (_, 403, Some("insufficientPermissions")) => errors::insufficient_scope(operation),
            _ => errors::envelope(status, reason),
        }
    }
}

impl Google {
    fn admit(&self, call: &Call, any_of: &[&str], method: &str) -> Result<(), Reply> {
        let token = bearer(call).ok_or_else(|| errors::unauthenticated(false))?;
        let covered = self.authority.scopes(token, |granted| any_of.iter().any(|scope| has(granted, scope)));
        match covered {
            None => Err(errors::unauthenticated(true)),
            Some(false) => Err(errors::insufficient_scope(method)),
            Some(true) => Ok(()),
        }
    }
}

/// Whether a scope was granted, given without Google's prefix.
fn has(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|granted| granted.strip_prefix(SCOPE_PREFIX) == Some(scope))
}
