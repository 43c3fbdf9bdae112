//! The ready [`Transport`]: reqwest on rustls.

use std::error::Error as StdError;

use ::reqwest::Client;
use ::reqwest::redirect::Policy;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream;

use super::content::{Content, too_large};
use super::transport::{Request, Response, Transport};
use crate::error::{Error, ErrorKind, Result};

/// A [`Transport`] on a pooled reqwest client: TLS by rustls, proxies from the environment, no
/// redirects, no cookies.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: Client,
}

impl ReqwestTransport {
    /// A client that names itself in `User-Agent`; say who you are and how to reach you.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the client cannot be built, e.g. for a bad user agent.
    pub fn new(user_agent: &str) -> Result<Self> {
        let client = Client::builder()
            .user_agent(user_agent)
            .redirect(Policy::none())
            .read_timeout(Request::TIMEOUT)
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Configuration, "the HTTP client cannot be built").with_source(error)
            })?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request) -> Result<Response> {
        let Request { operation, method, url, headers, body, timeout, max_body, streamed, .. } = request;
        let failed = move |error| failure(error, operation);
        let request = self.client.request(method, url).headers(headers).body(body);
        // What is handed out as it arrives has the client's timeout for each piece, and none for the whole.
        let request = if streamed { request } else { request.timeout(timeout) };
        let mut answer = request.send().await.map_err(failed)?;
        let length = answer.content_length().unwrap_or(0);
        if length > max_body as u64 {
            return Err(too_large(max_body as u64).with_operation(operation));
        }
        if streamed && answer.status().is_success() {
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            let pieces = stream::try_unfold(answer, move |mut answer| async move {
                let piece = answer.chunk().await.map_err(failed)?;
                Ok(piece.map(|piece| (piece, answer)))
            });
            return Ok(Response::streaming(status, headers, Content::new(pieces).limited(max_body as u64)));
        }
        // The length is the provider's word: take it as a hint, and only as far as a page goes.
        let mut body = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0).min(4 << 20));
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > max_body {
                return Err(too_large(max_body as u64).with_operation(operation));
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        Ok(Response::new(status, headers, Bytes::from(body)))
    }
}

/// Keeps what happened and drops the URL, whose query may hold secrets.
fn failure(error: ::reqwest::Error, operation: &'static str) -> Error {
    let error = error.without_url();
    let connected = !error.is_connect();
    let (kind, message) = if error.is_timeout() {
        (ErrorKind::Timeout, "the provider did not answer in time")
    } else if error.is_builder() {
        (ErrorKind::InvalidRequest, "the request cannot be sent")
    } else if error.is_connect() {
        (ErrorKind::Network, "no connection to the provider")
    } else {
        (ErrorKind::Network, "the connection broke before the answer was whole")
    };
    let mut cause: &dyn StdError = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let failure = Error::new(kind, message).with_operation(operation).with_source(cause.to_string());
    // Without a connection nothing was sent, and nothing can have been processed.
    if connected { failure } else { failure.with_code("not_connected").with_not_processed() }
}
