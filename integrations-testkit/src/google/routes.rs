//! Which endpoint answers a request, and may the caller use it?

use http::Method;
use percent_encoding::percent_decode_str;

use super::Google;
use super::query::Query;
use super::{batch, errors, events, gmail, tasks};
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
pub(super) const OPEN_SCOPES: &[&str] = &[
    "openid",
    "email",
    "profile",
    "https://www.googleapis.com/auth/calendar",
    // Not `gmail.metadata`: it takes rights away from wider scopes.
    "https://www.googleapis.com/auth/gmail.modify",
    "https://mail.google.com/",
    "https://www.googleapis.com/auth/tasks",
];
/// Parameters that ask for changes.
const CHANGES: [&str; 3] = ["syncToken", "startHistoryId", "updatedMin"];

/// Whose calls one batch may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Gmail,
    Tasks,
}

/// An endpoint, with what its path names.
pub(super) enum Endpoint {
    CalendarList,
    Events(String),
    Event(String, String),
    Gmail(gmail::Endpoint),
    Tasks(tasks::Endpoint),
    /// A batch of calls of one of these.
    Batch(&'static [Api]),
    Unknown,
}

impl Endpoint {
    pub(super) fn of(call: &Call) -> Self {
        let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
        let get = call.method == Method::GET;
        let post = call.method == Method::POST;
        match segments.as_slice() {
            ["calendar", "v3", "users", "me", "calendarList"] if get => Self::CalendarList,
            ["calendar", "v3", "calendars", calendar, "events"] if get => Self::Events(decode(calendar)),
            ["calendar", "v3", "calendars", calendar, "events", event] if get => {
                Self::Event(decode(calendar), decode(event))
            }
            ["batch", "gmail", "v1"] if post => Self::Batch(&[Api::Gmail]),
            // In production each API has its own host for it.
            ["batch"] if post => Self::Batch(&[Api::Gmail, Api::Tasks]),
            segments => gmail::Endpoint::of(&call.method, segments)
                .map(Self::Gmail)
                .or_else(|| tasks::Endpoint::of(&call.method, segments).map(Self::Tasks))
                .unwrap_or(Self::Unknown),
        }
    }

    const fn operation(&self) -> &'static str {
        match self {
            Self::CalendarList => "calendarList.list",
            Self::Events(_) => "events.list",
            Self::Event(..) => "events.get",
            Self::Gmail(endpoint) => endpoint.rule.operation,
            Self::Tasks(endpoint) => endpoint.operation(),
            Self::Batch(_) => "batch",
            Self::Unknown => "unknown",
        }
    }

    /// The method, as the refusal of a scope names it.
    const fn rpc(&self) -> &'static str {
        match self {
            Self::CalendarList => "calendar.v3.CalendarList.List",
            Self::Events(_) => "calendar.v3.Events.List",
            Self::Event(..) => "calendar.v3.Events.Get",
            Self::Gmail(endpoint) => endpoint.rule.rpc,
            Self::Tasks(endpoint) => endpoint.rpc(),
            Self::Batch(_) | Self::Unknown => "",
        }
    }

    /// Whether its errors are worded as newer APIs do.
    const fn is_newer(&self) -> bool {
        matches!(self, Self::Gmail(_) | Self::Tasks(_) | Self::Batch(_))
    }

    /// The API it belongs to, if that has batches.
    pub(super) const fn api(&self) -> Option<Api> {
        match self {
            Self::Gmail(_) => Some(Api::Gmail),
            Self::Tasks(_) => Some(Api::Tasks),
            _ => None,
        }
    }
}

pub(super) fn decode(segment: &str) -> String {
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
            sync_token: CHANGES.iter().any(|name| query.get(name).is_some()),
        }
    }

    fn answer(&self, _operation: &'static str, call: &Call) -> Reply {
        if let Some(reply) = self.authority.serve(call) {
            return reply;
        }
        let query = Query::parse(call.query.as_bytes());
        let endpoint = Endpoint::of(call);
        let admit = |any_of| self.admit(call, any_of, endpoint.rpc());
        match &endpoint {
            Endpoint::CalendarList => {
                admit(LIST_SCOPES).map_or_else(|refused| refused, |()| self.account().list(self, &query))
            }
            Endpoint::Events(calendar) => {
                admit(EVENT_SCOPES).map_or_else(|refused| refused, |()| events::list(self, calendar, &query))
            }
            Endpoint::Event(calendar, event) => admit(EVENT_SCOPES)
                .map_or_else(|refused| refused, |()| events::get(self, calendar, event, call)),
            Endpoint::Gmail(endpoint) => endpoint.answer(self, call, &query),
            Endpoint::Tasks(endpoint) => endpoint.answer(self, call, &query),
            Endpoint::Batch(apis) => batch::answer(self, call, apis),
            Endpoint::Unknown => Reply::html(404, "<!DOCTYPE html><title>Error 404 (Not Found)</title>"),
        }
    }

    fn error(&self, _operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        if let Some(operation) = self.authority.operation(call) {
            return self.authority.fail(operation, call, status, reason);
        }
        let endpoint = Endpoint::of(call);
        match (status, reason) {
            (401, None) => errors::unauthenticated(true),
            (403, Some("insufficientPermissions")) => errors::insufficient_scope(endpoint.rpc()),
            _ if endpoint.is_newer() => errors::newer(status, reason, None),
            _ => errors::envelope(status, reason),
        }
    }
}

impl Google {
    pub(super) fn admit(&self, call: &Call, any_of: &[&str], method: &str) -> Result<(), Reply> {
        let token = bearer(call).ok_or_else(|| errors::unauthenticated(false))?;
        let covered = self.authority.scopes(token, |granted| any_of.iter().any(|scope| has(granted, scope)));
        match covered {
            None => Err(errors::unauthenticated(true)),
            Some(false) => Err(errors::insufficient_scope(method)),
            Some(true) => Ok(()),
        }
    }

    /// Whether the caller's grant has a scope.
    pub(super) fn granted(&self, call: &Call, scope: &str) -> bool {
        let check = |token| self.authority.scopes(token, |granted| has(granted, scope));
        bearer(call).and_then(check).unwrap_or(false)
    }
}

/// Whether a scope was granted, given without Google's prefix if it has it.
fn has(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|granted| granted.strip_prefix(SCOPE_PREFIX).unwrap_or(granted) == scope)
}
