//! What went wrong, where, and what to do next?
//!
//! One opaque [`Error`] for the whole family. Its [`kind`](Error::kind) is the same word whichever
//! provider failed, and its [`disposition`](Error::disposition) is the answer to "what now?". The
//! one-line [`Display`](fmt::Display) never holds a secret, a body or a query string.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::connection::ServiceId;

/// The result of an operation of the family.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is, in the same words for every provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The provider asks for fewer calls. Retried after [`Error::retry_after`].
    RateLimited,
    /// No answer: name resolution, connection, TLS, or a connection that broke. Retried.
    Network,
    /// The provider is at fault or down (5xx). Retried.
    ServiceUnavailable,
    /// No answer in time. Retried if the request may be repeated.
    Timeout,
    /// The access token is not valid any more. Refreshed, then retried once.
    TokenExpired,
    /// The grant is gone: the user has to connect again.
    ReauthorizationRequired,
    /// The grant does not cover the call, or the user may not do it at the provider.
    InsufficientPermissions,
    /// The user's account at the provider is suspended or deleted.
    AccountSuspended,
    /// The application's own credentials are refused. An operator mends it; no user is at fault.
    InvalidCredentials,
    /// The service, or this adapter, cannot do that.
    UnsupportedOperation,
    /// The caller, or the request that was built, is at fault.
    InvalidRequest,
    /// An answer that cannot be read.
    DataFormat,
    /// The host has put the family together wrongly.
    Configuration,
    /// There is no such thing, or this user may not see it.
    NotFound,
    /// Somebody else changed it first. Read again, then decide.
    Conflict,
    /// The provider has forgotten the stream's position. The engine lists again from the start.
    CursorExpired,
    /// Calls to this provider are held back for a while because too many failed.
    CircuitOpen,
    /// The host's storage failed.
    Store,
    /// The operation was stopped before its end.
    Cancelled,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::RateLimited,
        Self::Network,
        Self::ServiceUnavailable,
        Self::Timeout,
        Self::TokenExpired,
        Self::ReauthorizationRequired,
        Self::InsufficientPermissions,
        Self::AccountSuspended,
        Self::InvalidCredentials,
        Self::UnsupportedOperation,
        Self::InvalidRequest,
        Self::DataFormat,
        Self::Configuration,
        Self::NotFound,
        Self::Conflict,
        Self::CursorExpired,
        Self::CircuitOpen,
        Self::Store,
        Self::Cancelled,
    ];

    /// The stable name for logs and metrics, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Network => "network",
            Self::ServiceUnavailable => "service_unavailable",
            Self::Timeout => "timeout",
            Self::TokenExpired => "token_expired",
            Self::ReauthorizationRequired => "reauthorization_required",
            Self::InsufficientPermissions => "insufficient_permissions",
            Self::AccountSuspended => "account_suspended",
            Self::InvalidCredentials => "invalid_credentials",
            Self::UnsupportedOperation => "unsupported_operation",
            Self::InvalidRequest => "invalid_request",
            Self::DataFormat => "data_format",
            Self::Configuration => "configuration",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::CursorExpired => "cursor_expired",
            Self::CircuitOpen => "circuit_open",
            Self::Store => "store",
            Self::Cancelled => "cancelled",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::RateLimited => "the provider asks for fewer calls",
            Self::Network => "the provider could not be reached",
            Self::ServiceUnavailable => "the provider is not available",
            Self::Timeout => "the provider did not answer in time",
            Self::TokenExpired => "the access token is not valid any more",
            Self::ReauthorizationRequired => "the user has to connect the account again",
            Self::InsufficientPermissions => "the grant does not cover this",
            Self::AccountSuspended => "the account is suspended at the provider",
            Self::InvalidCredentials => "the provider refuses the application's credentials",
            Self::UnsupportedOperation => "the service cannot do this",
            Self::InvalidRequest => "the request is not valid",
            Self::DataFormat => "the answer cannot be read",
            Self::Configuration => "the configuration is not complete",
            Self::NotFound => "there is no such thing",
            Self::Conflict => "it was changed in the meantime",
            Self::CursorExpired => "the provider has forgotten the position",
            Self::CircuitOpen => "calls are held back after many failures",
            Self::Store => "the storage failed",
            Self::Cancelled => "the operation was stopped",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The answer to "what now?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// The same call may work later; not before `after` where the provider named a time.
    Retry {
        /// The least time to wait, if the provider said so.
        after: Option<Duration>,
    },
    /// A fresh access token is needed, then the call may work.
    Refresh,
    /// The user has to connect the account again, or grant more.
    Reauthorize,
    /// Read the current state again, then decide (a conflict, or a lost position).
    Resync,
    /// Somebody has to mend something: the request, the configuration, the storage.
    Fix,
    /// Nothing helps: what was asked for does not exist, or the operation was stopped.
    GiveUp,
}

/// Why an operation of the family failed.
///
/// ```
/// use integrations_core::error::{Disposition, Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::RateLimited, "too many requests for this user")
///     .with_operation("events.list")
///     .with_status(429);
/// assert_eq!(error.kind(), ErrorKind::RateLimited);
/// assert_eq!(error.disposition(), Disposition::Retry { after: None });
/// assert_eq!(error.to_string(), "events.list: rate_limited (429): too many requests for this user");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    service: Option<ServiceId>,
    operation: Option<Cow<'static, str>>,
    status: Option<u16>,
    code: Option<Cow<'static, str>>,
    request_id: Option<String>,
    challenge: Option<String>,
    retry_after: Option<Duration>,
    not_processed: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind. The message says what happened and what to do next, and holds no secret.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            service: None,
            operation: None,
            status: None,
            code: None,
            request_id: None,
            challenge: None,
            retry_after: None,
            not_processed: false,
            source: None,
        }))
    }

    /// Names the service it happened at.
    pub fn with_service(mut self, service: &ServiceId) -> Self {
        self.0.service = Some(service.clone());
        self
    }

    /// Names the operation, e.g. `events.list`: a template, never a URL.
    pub fn with_operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation = Some(operation.into());
        self
    }

    /// Keeps the HTTP status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Keeps a stable code: the provider's own word for the failure, or one of the family's.
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Keeps the provider's request id, for its support.
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// Keeps the least time to wait that the provider named.
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Says that the provider has not processed the request, so that even one that is not idempotent may
    /// be sent again.
    pub fn with_not_processed(mut self) -> Self {
        self.0.not_processed = true;
        self
    }

    /// Keeps what the provider wants to see at the next authorisation.
    pub fn with_challenge(mut self, challenge: impl Into<String>) -> Self {
        self.0.challenge = Some(challenge.into());
        self
    }

    /// Keeps the cause. Its text must not hold a secret either: it is shown by error reporters.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What to do next.
    pub fn disposition(&self) -> Disposition {
        match self.kind() {
            ErrorKind::RateLimited
            | ErrorKind::Network
            | ErrorKind::ServiceUnavailable
            | ErrorKind::Timeout
            | ErrorKind::CircuitOpen => Disposition::Retry { after: self.retry_after() },
            ErrorKind::TokenExpired => Disposition::Refresh,
            ErrorKind::ReauthorizationRequired
            | ErrorKind::InsufficientPermissions
            | ErrorKind::AccountSuspended => Disposition::Reauthorize,
            ErrorKind::Conflict | ErrorKind::CursorExpired => Disposition::Resync,
            ErrorKind::InvalidCredentials
            | ErrorKind::UnsupportedOperation
            | ErrorKind::InvalidRequest
            | ErrorKind::DataFormat
            | ErrorKind::Configuration
            | ErrorKind::Store => Disposition::Fix,
            ErrorKind::NotFound | ErrorKind::Cancelled => Disposition::GiveUp,
        }
    }

    /// What happened, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The service it happened at.
    pub fn service(&self) -> Option<&ServiceId> {
        self.0.service.as_ref()
    }

    /// The operation it happened in.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's own code for the failure, or a code of the family such as `state_reused`.
    pub fn provider_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The provider's request id.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The least time to wait that the provider named.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the provider wants to see at the next authorisation before it serves this user again:
    /// Microsoft's `claims`, as JSON. [`Gateway::reconnect`](crate::Gateway::reconnect) takes it along.
    pub fn challenge(&self) -> Option<&str> {
        self.0.challenge.as_deref()
    }

    /// Whether it is certain that the provider has not processed the request: it refused it unread for
    /// its rate, or the request was never sent, or the one who made the error
    /// [knows it](Error::with_not_processed).
    ///
    /// A broken connection or a timeout says nothing of the kind.
    pub fn not_processed(&self) -> bool {
        self.0.not_processed
            || matches!(self.kind(), ErrorKind::RateLimited | ErrorKind::CircuitOpen)
            || (self.kind() == ErrorKind::Network && self.provider_code() == Some("not_connected"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        match (&inner.service, &inner.operation) {
            (Some(service), Some(operation)) => write!(f, "{service} {operation}: ")?,
            (Some(service), None) => write!(f, "{service}: ")?,
            (None, Some(operation)) => write!(f, "{operation}: ")?,
            (None, None) => {}
        }
        f.write_str(inner.kind.as_str())?;
        match (inner.status, &inner.code) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        f.write_str(": ")?;
        f.write_str(if inner.message.is_empty() { inner.kind.sentence() } else { &inner.message })?;
        if let Some(after) = inner.retry_after {
            write!(f, "; retry after {} s", after.as_secs_f64().ceil())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self}")?;
        if let Some(id) = &self.0.request_id {
            write!(f, "; request {id}")?;
        }
        if let Some(source) = &self.0.source {
            write!(f, "; caused by: {source}")?;
        }
        f.write_str(")")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_that_says_what_where_and_what_next() {
        let error = Error::new(ErrorKind::RateLimited, "the user's quota is used up")
            .with_service(&ServiceId::new("google_calendar"))
            .with_operation("events.list")
            .with_status(403)
            .with_code("userRateLimitExceeded")
            .with_retry_after(Duration::from_secs(30))
            .with_source(std::io::Error::other("inner"));
        assert_eq!(
            error.to_string(),
            "google_calendar events.list: rate_limited (403 userRateLimitExceeded): \
             the user's quota is used up; retry after 30 s"
        );
    }

    #[test]
    fn only_what_was_surely_not_processed_says_so() {
        let untouched = |kind| Error::from(kind).not_processed();
        assert!(untouched(ErrorKind::RateLimited) && untouched(ErrorKind::CircuitOpen));
        assert!(!untouched(ErrorKind::Network) && !untouched(ErrorKind::Timeout));
        assert!(!untouched(ErrorKind::ServiceUnavailable));
        assert!(Error::from(ErrorKind::Network).with_code("not_connected").not_processed());
        assert!(!Error::from(ErrorKind::Timeout).with_code("not_connected").not_processed());
        assert!(Error::from(ErrorKind::ServiceUnavailable).with_not_processed().not_processed());
    }

    #[test]
    fn an_error_without_a_message_still_says_what_happened() {
        assert_eq!(
            Error::from(ErrorKind::CursorExpired).to_string(),
            "cursor_expired: the provider has forgotten the position"
        );
    }
}
