//! How do bytes get in and out?
//!
//! One HTTP/1.1 server for every fake: it reads a request, lets the service name the operation, lets a
//! fault strike, and counts the traffic. It works below the level of a web framework because a fault
//! must be able to end a connection in the middle of an answer.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use integrations_core::clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::fault::{Effect, Ending, Faults};
use crate::traffic::{RequestLog, Traffic};

const BODY_LIMIT: usize = 1 << 20;

/// A request, read to its end. It has no `Debug`: it holds tokens.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// The value of a header that is text and stands once.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() { None } else { value.to_str().ok() }
    }
}

/// What a request asks for, as far as the log is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) operation: &'static str,
    pub(crate) page_token: bool,
    pub(crate) sync_token: bool,
}

/// An answer, before a fault may strike it. It has no `Debug`: it may hold tokens.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// How many items of a listing the body carries.
    pub(crate) items: u64,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { status, headers, body: body.into(), items: 0 }
    }

    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json; charset=UTF-8", body)
    }

    pub(crate) fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/html; charset=UTF-8", body)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), items: 0 }
    }

    /// Adds a header; text that cannot stand in a header is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

/// What a provider answers. Synchronous: a fake keeps its state in memory.
pub(crate) trait Service: Send + Sync + 'static {
    fn route(&self, call: &Call) -> Route;
    fn answer(&self, operation: &'static str, call: &Call) -> Reply;
    /// The provider's error body for a status, with the reason that a fault asks for.
    fn error(&self, operation: &'static str, call: &Call, status: u16, reason: Option<&str>) -> Reply;
    /// The status of a fault that names a reason and no status; without one such a fault has no reason.
    fn status_of_a_reason(&self) -> Option<u16> {
        None
    }
    /// What lives from a request's arrival until its answer is ready to go out, held back or not.
    fn hold(&self, _call: &Call) -> Option<Box<dyn Send>> {
        None
    }
}

/// What stands between the socket and a service.
pub(crate) struct Front<S> {
    pub(crate) service: Arc<S>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) traffic: Arc<Traffic>,
}

impl<S: Service> Front<S> {
    async fn serve(&self, request: Request<Incoming>) -> Result<Response<ReplyBody>, Hangup> {
        let (parts, body) = request.into_parts();
        let call = Call {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            method: parts.method,
            headers: parts.headers,
            body: read(body).await?,
        };
        let route = self.service.route(&call);
        self.traffic.arrived(route.operation);
        let _held = self.service.hold(&call);
        let effect = self.faults.strike(route.operation).unwrap_or_default();
        if let Some(delay) = effect.delay {
            self.clock.sleep(delay).await;
        }
        if let Some(gate) = &effect.before {
            gate.pass().await;
        }
        let reply = (effect.ending != Ending::Reset).then(|| self.reply(route.operation, &call, &effect));
        if let Some(gate) = &effect.after {
            gate.pass().await;
        }
        let ending = effect.ending;
        let sent = reply.filter(|_| ending != Ending::Lost);
        self.traffic.answered(
            RequestLog {
                operation: route.operation,
                method: call.method,
                path: call.path,
                page_token: route.page_token,
                sync_token: route.sync_token,
                status: sent.as_ref().map_or(0, |reply| reply.status),
            },
            sent.as_ref().filter(|_| ending == Ending::Whole).map_or(0, |reply| reply.items),
        );
        sent.map(|reply| respond(self.dated(reply), ending)).ok_or(Hangup)
    }

    /// The `Date` of the fake's clock: a client may measure by it how far its own clock is off.
    fn dated(&self, reply: Reply) -> Reply {
        if reply.headers.iter().any(|(name, _)| *name == DATE) {
            return reply;
        }
        reply.header(DATE, &self.clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }

    fn reply(&self, operation: &'static str, call: &Call, effect: &Effect) -> Reply {
        let of_a_reason = || effect.reason.as_ref().and_then(|_| self.service.status_of_a_reason());
        let mut reply = match (effect.status.or_else(of_a_reason), &effect.body) {
            (status, Some((body, content_type))) => Reply {
                status: status.unwrap_or(200),
                headers: vec![(CONTENT_TYPE, content_type.clone())],
                body: body.clone(),
                items: 0,
            },
            (Some(status), None) => self.service.error(operation, call, status, effect.reason.as_deref()),
            (None, None) => self.service.answer(operation, call),
        };
        reply.headers.retain(|(name, _)| effect.headers.iter().all(|(given, _)| given != name));
        reply.headers.extend(effect.headers.iter().cloned());
        reply
    }
}

async fn read(mut body: Incoming) -> Result<Bytes, Hangup> {
    let mut whole = BytesMut::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.map_err(|_| Hangup)?.into_data() {
            if whole.len() + data.len() > BODY_LIMIT {
                return Err(Hangup);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

fn respond(reply: Reply, ending: Ending) -> Response<ReplyBody> {
    let whole = reply.body.len();
    let body = match ending {
        Ending::Truncated(bytes) => ReplyBody::Cut(Some(reply.body.slice(..bytes.min(whole)))),
        _ => ReplyBody::Whole(Some(reply.body).filter(|body| !body.is_empty())),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        headers.append(name, value);
    }
    if matches!(ending, Ending::Truncated(_)) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(whole));
    }
    response
}

/// The connection ends here.
#[derive(Debug)]
struct Hangup;

impl fmt::Display for Hangup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fake closes this connection")
    }
}

impl std::error::Error for Hangup {}

enum ReplyBody {
    Whole(Option<Bytes>),
    /// Ends in an error once its bytes are out.
    Cut(Option<Bytes>),
    /// hyper drops what is unflushed when a body fails, so one turn goes by before it does.
    Flushing(u8),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Hangup;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Hangup>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Cut(bytes) => {
                let bytes = bytes.take().filter(|bytes| !bytes.is_empty());
                *self = Self::Flushing(2);
                match bytes {
                    Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                    None => self.poll_frame(context),
                }
            }
            Self::Flushing(0) => Poll::Ready(Some(Err(Hangup))),
            Self::Flushing(turns) => {
                *turns -= 1;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Cut(_) | Self::Flushing(_) => SizeHint::default(),
        }
    }
}

/// A running server; dropping it closes the listener and every connection.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start<S: Service>(port: u16, front: Front<S>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(accept(listener, Arc::new(front))) })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stop(mut self) {
        self.task.abort();
        // The answer is always "cancelled"; what matters is that the port is free afterwards.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The connections live in this future, so they end with it.
async fn accept<S: Service>(listener: TcpListener, front: Arc<Front<S>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                match accepted {
                    Ok((stream, _)) => drop(connections.spawn(converse(stream, Arc::clone(&front)))),
                    // Out of file descriptors: let the connections that are open go on and end.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse<S: Service>(stream: TcpStream, front: Arc<Front<S>>) {
    // A socket that refuses the option still works, only slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { front.serve(request).await }
    });
    // An error here is a fault that was ordered, or a client that went away.
    let _ =
        http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service).await;
}
