//! Which endpoint answers a request, and may the caller use it?

use http::{HeaderName, Method};
use percent_encoding::percent_decode_str;

use super::access::{self, Access};
use super::errors::{Refusal, Stamp};
use super::ids::guid;
use super::query::Query;
use super::{Graph, batch, calendar, mail, settings};
use crate::oauth::Operation;
use crate::random::mix;
use crate::server::{Call, Hold, Reply, Route, Service};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// An endpoint, with what its path names. A calendar without an id is the account's own.
#[derive(Debug)]
pub(super) enum Endpoint {
    Batch,
    Settings {
        zone_only: bool,
    },
    Calendars,
    Calendar(Option<String>),
    ViewDelta(Option<String>),
    View(Option<String>),
    Events(Option<String>),
    Event(String),
    CalendarOf(String),
    Instances(String),
    Folders,
    FoldersDelta,
    Folder(String),
    ChildFolders(String),
    Messages(Option<String>),
    MessagesDelta(String),
    Message(String),
    Attachments(String),
    Attachment(String, String),
    AttachmentValue(String, String),
    /// Change tracking that Graph does not offer.
    Untracked(&'static str),
    /// Something that Graph has and the fake does not.
    Unsupported,
    Unknown,
}

impl Endpoint {
    fn of(call: &Call) -> Self {
        let Some(path) = call.path.strip_prefix("/v1.0/") else { return Self::Unknown };
        let (get, post) = (call.method == Method::GET, call.method == Method::POST);
        let segments = segments(path);
        let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
        let names: Vec<&str> = lower.iter().map(String::as_str).collect();
        if names == ["$batch"] && post {
            return Self::Batch;
        }
        let [start, rest @ ..] = names.as_slice() else { return Self::Unknown };
        if *start != "me" || !get {
            return Self::Unsupported;
        }
        let id = |index: usize| segments[index + 1].clone();
        match rest {
            ["calendars"] => Self::Calendars,
            ["calendars", _] => Self::Calendar(Some(id(1))),
            ["calendar"] => Self::Calendar(None),
            ["calendars", _, "calendarview", "delta"] => Self::ViewDelta(Some(id(1))),
            ["calendarview", "delta"] | ["calendar", "calendarview", "delta"] => Self::ViewDelta(None),
            ["calendars", _, "calendarview"] => Self::View(Some(id(1))),
            ["calendarview"] | ["calendar", "calendarview"] => Self::View(None),
            ["events", "delta"] | ["calendar", "events", "delta"] | ["calendars", _, "events", "delta"] => {
                Self::Untracked("microsoft.graph.event")
            }
            ["calendars", _, "events"] => Self::Events(Some(id(1))),
            ["events"] | ["calendar", "events"] => Self::Events(None),
            ["events", _] => Self::Event(id(1)),
            ["calendar", "events", _] => Self::Event(id(2)),
            ["calendars", _, "events", _] => Self::Event(id(3)),
            ["events", _, "calendar"] => Self::CalendarOf(id(1)),
            ["calendars", _, "events", _, "calendar"] => Self::CalendarOf(id(3)),
            ["events", _, "instances"] => Self::Instances(id(1)),
            ["calendars", _, "events", _, "instances"] => Self::Instances(id(3)),
            ["mailfolders"] => Self::Folders,
            ["mailfolders", "delta"] => Self::FoldersDelta,
            ["mailfolders", _] => Self::Folder(id(1)),
            ["mailfolders", _, "childfolders"] => Self::ChildFolders(id(1)),
            ["mailfolders", _, "messages", "delta"] => Self::MessagesDelta(id(1)),
            ["messages", "delta"] => Self::Untracked("microsoft.graph.message"),
            ["mailfolders", _, "messages"] => Self::Messages(Some(id(1))),
            ["messages"] => Self::Messages(None),
            ["messages", _] => Self::Message(id(1)),
            ["mailfolders", _, "messages", _] => Self::Message(id(3)),
            ["messages", _, "attachments"] => Self::Attachments(id(1)),
            ["messages", _, "attachments", _] => Self::Attachment(id(1), id(3)),
            ["messages", _, "attachments", _, "$value"] => Self::AttachmentValue(id(1), id(3)),
            ["mailboxsettings"] => Self::Settings { zone_only: false },
            ["mailboxsettings", "timezone"] => Self::Settings { zone_only: true },
            _ => Self::Unsupported,
        }
    }

    const fn operation(&self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Settings { .. } => "mailboxSettings.get",
            Self::Calendars => "calendars.list",
            Self::Calendar(_) => "calendars.get",
            Self::ViewDelta(_) => "calendarView.delta",
            Self::View(_) => "calendarView.list",
            Self::Events(_) => "events.list",
            Self::Event(_) => "events.get",
            Self::CalendarOf(_) => "events.calendar",
            Self::Instances(_) => "events.instances",
            Self::Folders => "mailFolders.list",
            Self::FoldersDelta => "mailFolders.delta",
            Self::Folder(_) => "mailFolders.get",
            Self::ChildFolders(_) => "childFolders.list",
            Self::Messages(_) => "messages.list",
            Self::MessagesDelta(_) => "messages.delta",
            Self::Message(_) => "messages.get",
            Self::Attachments(_) => "attachments.list",
            Self::Attachment(..) => "attachments.get",
            Self::AttachmentValue(..) => "attachments.value",
            Self::Untracked(_) | Self::Unsupported | Self::Unknown => "unknown",
        }
    }

    /// Any of these scopes opens the endpoint; the last one without bodies.
    const fn scopes(&self) -> Option<(&'static [&'static str], Option<&'static str>)> {
        match self {
            Self::Settings { .. } => Some((access::SETTINGS, None)),
            Self::Calendars
            | Self::Calendar(_)
            | Self::ViewDelta(_)
            | Self::View(_)
            | Self::Events(_)
            | Self::Event(_)
            | Self::CalendarOf(_)
            | Self::Instances(_) => Some((access::CALENDAR, Some(access::CALENDAR_BASIC))),
            Self::Folders
            | Self::FoldersDelta
            | Self::Folder(_)
            | Self::ChildFolders(_)
            | Self::Messages(_)
            | Self::MessagesDelta(_)
            | Self::Message(_) => Some((access::MAIL, Some(access::MAIL_BASIC))),
            Self::Attachments(_) | Self::Attachment(..) | Self::AttachmentValue(..) => {
                Some((access::MAIL, None))
            }
            Self::Batch | Self::Untracked(_) | Self::Unsupported | Self::Unknown => None,
        }
    }
}

/// The names and keys of a path: `calendars('x')` is the same as `calendars/x`.
fn segments(path: &str) -> Vec<String> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut segments = Vec::new();
    for segment in path.trim_end_matches('/').split('/').map(decode) {
        match segment.strip_suffix("')").and_then(|segment| segment.split_once("('")) {
            Some((name, key)) => segments.extend([name.to_owned(), key.to_owned()]),
            None => segments.push(segment),
        }
    }
    segments
}

impl Service for Graph {
    fn route(&self, call: &Call) -> Route {
        let query = Query::of(call);
        Route {
            operation: self
                .authority
                .operation(call)
                .map_or_else(|| Endpoint::of(call).operation(), Operation::name),
            page_token: query.get("$skiptoken").or_else(|| query.get("$skip")).is_some(),
            sync_token: query.get("$deltatoken").is_some(),
        }
    }

    fn enter(&self, call: &Call) -> Result<Hold, Reply> {
        let endpoint = Endpoint::of(call);
        if self.authority.operation(call).is_some() || matches!(endpoint, Endpoint::Unknown) {
            return Ok(None);
        }
        match self.meter.begin(self.clock.now(), matches!(endpoint, Endpoint::Batch)) {
            Ok(under_way) => Ok(Some(Box::new(under_way))),
            Err(refusal) => Err(self.refuse(call, refusal)),
        }
    }

    fn answer(&self, _operation: &'static str, call: &Call) -> Reply {
        if let Some(reply) = self.authority.serve(call) {
            return reply;
        }
        self.serve(call, &Endpoint::of(call))
    }

    fn error(&self, _operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply {
        match (self.authority.operation(call), status, reason) {
            (Some(operation), ..) => self.authority.fail(operation, call, status, reason),
            (None, 401, None) => self.authority.fail(Operation::UserInfo, call, status, reason),
            _ => self.refuse(call, Refusal::of_fault(status, reason)),
        }
    }
}

impl Graph {
    /// One call that stands in a batch, if it may stand there.
    pub(super) fn serve_inner(&self, call: &Call) -> Reply {
        match Endpoint::of(call) {
            Endpoint::Batch => {
                self.refuse(call, Refusal::new(400, "BadRequest", "A batch cannot stand in a batch."))
            }
            _ => self.answer("", call),
        }
    }

    fn serve(&self, call: &Call, endpoint: &Endpoint) -> Reply {
        if let Endpoint::Unknown = endpoint {
            return Reply::html(404, "<!DOCTYPE html><title>404 - File or directory not found.</title>");
        }
        let granted = match self.authority.caller(call) {
            Ok(caller) => caller.scopes,
            Err(refused) => return refused,
        };
        let served = endpoint
            .scopes()
            .map_or(Some(Access::Full), |(any_of, basic)| Access::of(&granted, any_of, basic))
            .ok_or_else(|| Refusal::of(403, "ErrorAccessDenied"))
            .and_then(|access| self.dispatch(call, endpoint, access));
        let reply = served.unwrap_or_else(|refusal| refusal.reply(&self.stamp(call)));
        let stamp = self.stamp(call);
        reply.header(REQUEST_ID, &stamp.request_id).header(CLIENT_REQUEST_ID, &stamp.client_request_id)
    }

    fn dispatch(&self, call: &Call, endpoint: &Endpoint, access: Access) -> Result<Reply, Refusal> {
        match endpoint {
            Endpoint::Batch => batch::answer(self, call),
            Endpoint::Settings { zone_only } => settings::get(self, call, *zone_only),
            Endpoint::Calendars => calendar::list_calendars(self, call),
            Endpoint::Calendar(id) => calendar::show_calendar(self, call, id.as_deref()),
            Endpoint::ViewDelta(id) => calendar::round(self, call, access, id.as_deref()),
            Endpoint::View(id) => calendar::view(self, call, access, id.as_deref()),
            Endpoint::Events(id) => calendar::list_events(self, call, access, id.as_deref()),
            Endpoint::Event(id) => calendar::get(self, call, access, id),
            Endpoint::CalendarOf(id) => calendar::calendar_of(self, call, id),
            Endpoint::Instances(id) => calendar::instances(self, call, access, id),
            Endpoint::Folders => mail::list_folders(self, call),
            Endpoint::FoldersDelta => mail::folder_round(self, call),
            Endpoint::Folder(id) => mail::show_folder(self, call, id),
            Endpoint::ChildFolders(id) => mail::children(self, call, id),
            Endpoint::Messages(folder) => mail::list(self, call, access, folder.as_deref()),
            Endpoint::MessagesDelta(folder) => mail::round(self, call, access, folder),
            Endpoint::Message(id) => mail::get(self, call, access, id),
            Endpoint::Attachments(message) => mail::list_attachments(self, call, message),
            Endpoint::Attachment(message, id) => mail::get_attachment(self, call, message, id),
            Endpoint::AttachmentValue(message, id) => mail::attachment_value(self, call, message, id),
            Endpoint::Untracked(kind) => {
                let text = format!("Unsupported request: Change tracking is not supported against '{kind}'.");
                Err(Refusal::new(400, "ErrorInvalidRequest", text))
            }
            Endpoint::Unsupported | Endpoint::Unknown => {
                Err(Refusal::unsupported(&format!("{} of this path", call.method)))
            }
        }
    }

    /// What an answer says of its request; the same for each question about the same call.
    fn stamp(&self, call: &Call) -> Stamp {
        let given = call.header(CLIENT_REQUEST_ID).map(str::to_owned);
        let now = self.clock.now();
        let request_id = guid(
            mix(self.seed ^ crate::random::hash_text(&call.path)) ^ now.timestamp_millis().unsigned_abs(),
        );
        Stamp {
            date: now.format("%Y-%m-%dT%H:%M:%S").to_string(),
            client_request_id: given.unwrap_or_else(|| request_id.clone()),
            request_id,
        }
    }

    pub(super) fn refuse(&self, call: &Call, refusal: Refusal) -> Reply {
        let stamp = self.stamp(call);
        let reply = refusal.reply(&stamp);
        reply.header(REQUEST_ID, &stamp.request_id).header(CLIENT_REQUEST_ID, &stamp.client_request_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_parentheses_is_a_segment_of_its_own() {
        assert_eq!(
            segments("me/calendars('A=')/calendarView/delta"),
            ["me", "calendars", "A=", "calendarView", "delta"]
        );
        assert_eq!(segments("me/messages/A%2DB%3D/"), ["me", "messages", "A-B="]);
    }
}
