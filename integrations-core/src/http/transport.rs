//! What does a request look like, before any HTTP client sees it?

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::conditional::{CacheMode, Kept};
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
    /// How many bytes the answer's body may have.
    pub max_body: usize,
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
            max_body: Self::MAX_BODY,
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

/// An answer, whole.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Set when it is an answer that was kept.
    pub kept: Option<Kept>,
}

impl Response {
    /// An answer.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into(), kept: None }
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
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`Network`](crate::ErrorKind::Network) without an answer or with a broken one,
    /// [`Timeout`](crate::ErrorKind::Timeout) past the request's timeout,
    /// [`DataFormat`](crate::ErrorKind::DataFormat) with code `body_too_large` past its body limit.
    async fn send(&self, request: Request) -> Result<Response>;
}
