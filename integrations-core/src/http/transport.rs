//! What does a request look like, before any HTTP client sees it?

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::conditional::{CacheMode, Kept};
use super::content::{Content, Handed};
use crate::error::Result;

/// A request to a provider.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The operation, as a template for errors, metrics and quotas: `events.list`, never a URL.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; may be empty.
    pub body: Bytes,
    /// Whether sending it twice does the same as sending it once.
    pub idempotent: bool,
    /// What it costs of the provider's quota, in the provider's units; 1 by default.
    pub cost: u32,
    /// Who waits for it.
    pub priority: Priority,
    /// What may be done with an answer that is kept; nothing by default.
    pub cache: CacheMode,
    /// Whether an answer that is kept will do when the provider cannot be reached; no by default.
    pub fallback: bool,
    /// How long one try may take, until its answer is whole; 30 s by default.
    pub timeout: Duration,
    /// How long the call may take with all its tries and waits; by default 60 s for a person, 300 s for a
    /// notification, 900 s for a sync in the background.
    pub deadline: Option<Duration>,
    /// How long to wait before it is sent, within the deadline, because an earlier answer says so; not at all by
    /// default.
    pub wait: Duration,
    /// How many bytes the answer's body may have; 32 MiB by default.
    pub max_body: usize,
    /// Whether the body of a success is handed out [as it arrives](Response::content); no by default. Then the
    /// timeout counts for the head, and for each piece.
    pub streamed: bool,
    /// Whether an answer is a success, for calls whose answers speak another language than the service's:
    /// by default [`ServiceAdapter::judge`](crate::ServiceAdapter::judge) says.
    pub judge: Option<Judge>,
}

/// Tells whether an answer is a success, and if not, what went wrong.
pub type Judge = fn(operation: &'static str, answer: &Response) -> Result<()>;

impl Request {
    /// The default of [`timeout`](Self::timeout).
    pub const TIMEOUT: Duration = Duration::from_secs(30);
    /// The default of [`max_body`](Self::max_body): 32 MiB.
    pub const MAX_BODY: usize = 32 << 20;

    /// A request; GET, HEAD, PUT and DELETE count as idempotent (RFC 9110, 9.2.2).
    pub fn new(operation: &'static str, method: Method, url: Url) -> Self {
        let idempotent = matches!(method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE);
        Self {
            operation,
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            idempotent,
            cost: 1,
            priority: Priority::default(),
            cache: CacheMode::Off,
            fallback: false,
            timeout: Self::TIMEOUT,
            deadline: None,
            wait: Duration::ZERO,
            max_body: Self::MAX_BODY,
            streamed: false,
            judge: None,
        }
    }

    /// A GET request.
    pub fn get(operation: &'static str, url: Url) -> Self {
        Self::new(operation, Method::GET, url)
    }

    /// Says what it costs, in the provider's units.
    pub fn with_cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Says who waits for it.
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Keeps the answer, and says what may be done with it. Only the answers of GET are kept.
    pub fn with_cache(mut self, cache: CacheMode) -> Self {
        self.cache = cache;
        self
    }

    /// Takes the last good answer when this one fails for a passing reason; it is marked as
    /// [stale](super::Kept::stale), with its age. Needs a [`CacheMode`] that keeps answers.
    pub fn with_fallback(mut self) -> Self {
        self.fallback = true;
        self
    }

    /// Says how long the call may take with all its tries and waits.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Says how long to wait before it is sent.
    pub fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Says how many bytes the answer's body may have.
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Has the body of a success handed out as it arrives, of so many bytes at the most. Such an answer is
    /// never kept.
    pub fn streamed(mut self, limit: u64) -> Self {
        self.streamed = true;
        self.max_body = usize::try_from(limit).unwrap_or(usize::MAX);
        self.cache = CacheMode::Off;
        self
    }

    /// Says whether sending it twice does the same as sending it once.
    pub fn with_idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Says who tells whether an answer is a success.
    pub fn with_judge(mut self, judge: Judge) -> Self {
        self.judge = Some(judge);
        self
    }

    /// Adds a header, replacing any of the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body.
    pub fn body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = body.into();
        self
    }
}

/// Who waits for a request: what is scarce goes to the higher priority first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Priority {
    /// Nobody: a sync in the background.
    #[default]
    Backfill,
    /// A notification of the provider, which says that something has changed.
    Webhook,
    /// A person.
    Interactive,
}

/// Shows no query, no header and no body: they hold secrets and the user's data.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("host", &self.url.host_str().unwrap_or_default())
            .finish_non_exhaustive()
    }
}

/// An answer: whole, or with its body still on the way.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty where it is still [on the way](Self::content).
    pub body: Bytes,
    /// Set when it is an answer that was kept.
    pub kept: Option<Kept>,
    rest: Option<Handed>,
}

impl Response {
    /// An answer.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into(), kept: None, rest: None }
    }

    /// An answer whose body is on the way.
    pub fn streaming(status: StatusCode, headers: HeaderMap, content: Content) -> Self {
        Self { rest: Some(Handed::new(content)), ..Self::new(status, headers, Bytes::new()) }
    }

    /// The body, piece by piece: as it arrives for a request that was [streamed](Request::streamed), else in one
    /// piece. The first who asks has it; clones share it.
    pub fn content(self) -> Content {
        let whole = self.body;
        self.rest.and_then(|rest| rest.take()).unwrap_or_else(|| Content::new(stream::iter([Ok(whole)])))
    }
}

/// Shows no header and no body.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// An HTTP client, without any policy of its own: one request, one answer.
///
/// It follows no redirect, retries nothing, and keeps no cookies. An answer of any status is `Ok`.
///
/// # Cancel safety
/// When the future is dropped, the request may or may not have reached the provider.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends a request and reads the whole answer. For a request that is [streamed](Request::streamed), a
    /// success may be [answered](Response::streaming) as soon as its head is there; an answer that is no
    /// success is read whole.
    ///
    /// # Errors
    /// [`Network`](crate::ErrorKind::Network) without an answer or with a broken one,
    /// [`Timeout`](crate::ErrorKind::Timeout) past the request's timeout,
    /// [`DataFormat`](crate::ErrorKind::DataFormat) with code `body_too_large` past its body limit.
    async fn send(&self, request: Request) -> Result<Response>;
}
