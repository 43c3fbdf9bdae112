//! How does Graph say no?
//!
//! With an envelope whose `innerError` may hold a code of its own, nested; a client has to walk down to the
//! deepest one that it knows.

use std::borrow::Cow;

use http::HeaderName;
use http::header::{LOCATION, RETRY_AFTER};
use serde_json::{Value, json};

use crate::server::Reply;

/// `(HTTP status, usual code)`, for a fault that names no reason.
const STATUSES: &[(u16, &str)] = &[
    (400, "BadRequest"),
    (403, "ErrorAccessDenied"),
    (404, "ErrorItemNotFound"),
    (405, "methodNotAllowed"),
    (409, "nameAlreadyExists"),
    (410, "resyncRequired"),
    (412, "ErrorIrresolvableConflict"),
    (423, "locked"),
    (429, "ApplicationThrottled"),
    (500, "generalException"),
    (501, "notSupported"),
    (502, "BadGateway"),
    (503, "serviceNotAvailable"),
    (504, "UnknownError"),
    (507, "quotaLimitReached"),
    (509, "activityLimitReached"),
];

/// `(code, message)` of the errors that Graph is known to send.
const MESSAGES: &[(&str, &str)] = &[
    ("ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
    ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    ("ErrorInvalidIdMalformed", "Id is malformed."),
    (
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
    ),
    ("ErrorItemNotFound", "The specified object was not found in the store."),
    ("MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."),
    ("SyncStateInvalid", "The sync state is invalid."),
    (
        "SyncStateNotFound",
        "The sync state generation is not found; generation=149;[highest=157][157][155][156].",
    ),
    ("resyncRequired", "Resync required. Please restart the round without a token."),
    ("serviceNotAvailable", "The service is temporarily unavailable."),
    ("TooManyRequests", "Too many requests."),
];

/// What is wrong with a request, before it is written down.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The code; codes behind a slash stand in `innerError`, each inside the one before.
    pub(super) code: Cow<'static, str>,
    message: Cow<'static, str>,
    header: Option<(HeaderName, String)>,
}

impl Refusal {
    pub(super) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), header: None }
    }

    /// With the usual message of the code.
    pub(super) fn of(status: u16, code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let outer = code.split('/').next().unwrap_or_default();
        let known = MESSAGES.iter().find(|row| row.0.eq_ignore_ascii_case(outer));
        let message = known.map_or("The fake was asked to fail.", |row| row.1);
        Self::new(status, code, message)
    }

    /// What a fault asks for.
    pub(super) fn of_fault(status: u16, reason: Option<&str>) -> Self {
        let usual = STATUSES.iter().find(|row| row.0 == status).map_or("UnknownError", |row| row.1);
        Self::of(status, reason.map_or(Cow::Borrowed(usual), |reason| Cow::Owned(reason.to_owned())))
    }

    pub(super) fn not_found() -> Self {
        Self::of(404, "ErrorItemNotFound")
    }

    pub(super) fn parameter(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "ErrorInvalidParameter", message)
    }

    /// What Graph has and the fake does not.
    pub(super) fn unsupported(what: &str) -> Self {
        Self::new(400, "unsupportedByFake", format!("The fake does not support {what}."))
    }

    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self { header: Some((RETRY_AFTER, seconds.to_string())), ..self }
    }

    pub(super) fn location(self, url: String) -> Self {
        Self { header: Some((LOCATION, url)), ..self }
    }

    pub(super) fn body(&self, stamp: &Stamp) -> Value {
        let mut codes = self.code.split('/');
        let outer = codes.next().unwrap_or_default();
        let mut inner = Value::Null;
        for code in codes.rev() {
            let mut level = json!({ "code": code });
            if !inner.is_null() {
                level["innerError"] = inner;
            }
            inner = level;
        }
        if inner.is_null() {
            inner = json!({});
        }
        inner["date"] = json!(stamp.date);
        inner["request-id"] = json!(stamp.request_id);
        inner["client-request-id"] = json!(stamp.client_request_id);
        json!({"error": {"code": outer, "message": self.message, "innerError": inner}})
    }

    pub(super) fn reply(self, stamp: &Stamp) -> Reply {
        let reply = Reply::json(self.status, self.body(stamp).to_string());
        match self.header {
            Some((name, value)) => reply.header(name, &value),
            None => reply,
        }
    }
}

/// What every answer says of its request.
#[derive(Debug)]
pub(super) struct Stamp {
    /// Without an offset, in UTC.
    pub(super) date: String,
    pub(super) request_id: String,
    pub(super) client_request_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_stand_inside_another() {
        let stamp =
            Stamp { date: String::new(), request_id: "1".to_owned(), client_request_id: "2".to_owned() };
        let plain = Refusal::of_fault(503, None).body(&stamp);
        assert_eq!(plain["error"]["code"], "serviceNotAvailable");
        assert_eq!(plain["error"]["innerError"]["request-id"], "1");
        let nested = Refusal::of_fault(400, Some("BadRequest/invalid/syncStateNotFound")).body(&stamp);
        assert_eq!(nested["error"]["code"], "BadRequest");
        assert_eq!(nested["error"]["innerError"]["code"], "invalid");
        assert_eq!(nested["error"]["innerError"]["innerError"]["code"], "syncStateNotFound");
    }
}
