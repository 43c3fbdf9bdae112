//! How does a test serve a fake of its own?

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use integrations_core::clock::Clock;

use crate::fault::{Fault, Faults};
use crate::server::{Call, Front, Reply, Route, Server, Service};
use crate::traffic::{RequestLog, Traffic};

/// What a provider answers. Synchronous: a fake keeps its state in memory.
pub trait Api: Send + Sync + 'static {
    /// The provider's name for what a request asks for, such as `events.list`: what [`Fault::on`] and
    /// [`FakeApi::count`] take.
    fn operation(&self, request: &Request<Bytes>) -> &'static str;

    /// The answer to a request.
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes>;

    /// The provider's error body for a status, with the reason that a [fault](Fault::reason) asks for. By
    /// default `{"error": "…"}`, with the reason or the status.
    fn error(&self, _operation: &'static str, status: u16, reason: Option<&str>) -> Response<Bytes> {
        let word = reason.map_or_else(|| status.to_string(), str::to_owned);
        let mut answer = Response::new(Bytes::from(serde_json::json!({ "error": word }).to_string()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }
}

/// A fake of a test's own: an HTTP server on the loopback interface that answers as an [`Api`] says, unless a
/// fault strikes. Dropping it stops the server and closes every connection.
///
/// ```
/// use std::sync::Arc;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use integrations_testkit::{Api, FakeApi, Fault, ManualClock};
///
/// struct Notes;
///
/// impl Api for Notes {
///     fn operation(&self, _: &Request<Bytes>) -> &'static str {
///         "notes.list"
///     }
///
///     fn answer(&self, _: &Request<Bytes>) -> Response<Bytes> {
///         Response::new(Bytes::from_static(br#"{"notes":[]}"#))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let clock = Arc::new(ManualClock::at("2026-03-01T09:00:00Z"));
/// let fake = FakeApi::start(Arc::new(Notes), clock).await;
/// fake.fault(Fault::on("notes.list").status(503));
/// assert_eq!(fake.count("notes.list"), 0);
/// # }
/// ```
pub struct FakeApi {
    url: String,
    faults: Arc<Faults>,
    traffic: Arc<Traffic>,
    server: Server,
}

impl fmt::Debug for FakeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeApi").field("url", &self.url).finish_non_exhaustive()
    }
}

impl FakeApi {
    /// Starts the fake on a port that is free, on the caller's runtime.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start<A: Api>(api: Arc<A>, clock: Arc<dyn Clock>) -> Self {
        let (faults, traffic) = (Arc::new(Faults::default()), Arc::new(Traffic::default()));
        let front = Front {
            service: Arc::new(Served(api)),
            clock,
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
        };
        let server = match Server::start(0, front).await {
            Ok(server) => server,
            Err(error) => panic!("the fake cannot listen: {error}"),
        };
        Self { url: format!("http://{}", server.address()), faults, traffic, server }
    }

    /// The base of every endpoint, such as `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Orders a fault.
    pub fn fault(&self, fault: Fault) {
        drop(self.faults.arm(fault));
    }

    /// Takes back every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// How many requests of an operation arrived, those struck by a fault included.
    pub fn count(&self, operation: &str) -> u64 {
        self.traffic.count(operation)
    }

    /// The last 10,000 requests, oldest first. Of a fake of a test's own it is not known whether a request
    /// asked for a further page, or for changes.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.traffic.requests()
    }

    /// Stops the server; afterwards its port is free.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// An [`Api`], as the server asks it.
struct Served<A>(Arc<A>);

impl<A: Api> Service for Served<A> {
    fn route(&self, call: &Call) -> Route {
        Route { operation: self.0.operation(&request(call)), page_token: false, sync_token: false }
    }

    fn answer(&self, _: &'static str, call: &Call) -> Reply {
        reply(self.0.answer(&request(call)))
    }

    fn error(&self, operation: &'static str, _: &Call, status: u16, reason: Option<&str>) -> Reply {
        reply(self.0.error(operation, status, reason))
    }
}

fn request(call: &Call) -> Request<Bytes> {
    let mut request = Request::new(call.body.clone());
    *request.method_mut() = call.method.clone();
    // The server has read it as the target of a request, so it is one.
    *request.uri_mut() = format!("{}?{}", call.path, call.query).parse().unwrap_or_default();
    *request.headers_mut() = call.headers.clone();
    request
}

fn reply(answer: Response<Bytes>) -> Reply {
    let (parts, body) = answer.into_parts();
    let mut headers = Vec::new();
    let mut named = None;
    for (name, value) in parts.headers {
        // A header that stands more than once is named once.
        named = name.or(named);
        headers.extend(named.clone().map(|name| (name, value)));
    }
    Reply { status: parts.status.as_u16(), headers, body, items: 0 }
}
