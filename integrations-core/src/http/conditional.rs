//! Has an answer changed since it was last read?
//!
//! An answer with an `ETag` or a `Last-Modified` (RFC 9110, 8.8) is kept, and asked for again with
//! `If-None-Match` or `If-Modified-Since`; `304 Not Modified` gives the kept one, which some providers do
//! not count. Answers are kept per connection: two users never share one, whatever their address.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::transport::{Request, Response};
use crate::cache::TieredCache;
use crate::connection::ConnectionId;
use crate::error::Result;

/// What may be done with an answer that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CacheMode {
    /// Nothing is kept.
    #[default]
    Off,
    /// Every call asks whether the kept answer still holds.
    Revalidate,
    /// A kept answer younger than this is given without asking.
    Fresh(Duration),
}

impl CacheMode {
    /// How long an answer is fresh unless the caller says otherwise.
    pub const FRESH: Duration = Duration::from_secs(300);
}

/// Where an answer that was kept comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// When the provider last said that it holds.
    pub at: DateTime<Utc>,
    /// Whether the provider could not be asked now: it may not hold any more.
    pub stale: bool,
}

/// An answer as it is kept: a line of JSON, then the body.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    at: DateTime<Utc>,
    headers: Vec<(String, String)>,
}

/// Headers that an adapter may need of a kept answer; others, cookies among them, are not kept.
const KEPT_HEADERS: [HeaderName; 5] = [
    ETAG,
    LAST_MODIFIED,
    http::header::CONTENT_TYPE,
    http::header::LINK,
    // What the token may do, at GitHub and at Slack.
    HeaderName::from_static("x-oauth-scopes"),
];

/// A kept answer.
#[derive(Debug)]
pub(super) struct Answer {
    at: DateTime<Utc>,
    headers: HeaderMap,
    body: Bytes,
}

/// The kept answers of one call.
#[derive(Debug)]
pub(super) struct Conditional<'a> {
    cache: &'a TieredCache,
    key: String,
    mode: CacheMode,
}

impl<'a> Conditional<'a> {
    /// `None` for a call that must not be kept.
    pub(super) fn of(cache: &'a TieredCache, connection: &ConnectionId, request: &Request) -> Option<Self> {
        let keepable = request.cache != CacheMode::Off && request.method == Method::GET;
        keepable.then(|| Self { cache, key: key(connection, request), mode: request.cache })
    }

    pub(super) async fn kept(&self) -> Result<Option<Answer>> {
        Ok(self.cache.get(&self.key).await?.as_ref().and_then(Answer::read))
    }

    /// Whether a kept answer may be given without asking.
    pub(super) fn is_fresh(&self, answer: &Answer, now: DateTime<Utc>) -> bool {
        let CacheMode::Fresh(life) = self.mode else { return false };
        (now - answer.at).to_std().is_ok_and(|age| age < life)
    }

    /// Keeps an answer that can be asked for again, or renews the one that still holds.
    pub(super) async fn settle(
        &self,
        kept: Option<Answer>,
        answer: Response,
        now: DateTime<Utc>,
    ) -> Response {
        if let (Some(mut kept), StatusCode::NOT_MODIFIED) = (kept, answer.status) {
            kept.at = now;
            self.keep(&kept).await;
            return kept.respond(false);
        }
        let validated = answer.headers.contains_key(ETAG) || answer.headers.contains_key(LAST_MODIFIED);
        if answer.status == StatusCode::OK && (validated || matches!(self.mode, CacheMode::Fresh(_))) {
            self.keep(&Answer { at: now, headers: answer.headers.clone(), body: answer.body.clone() }).await;
        }
        answer
    }

    /// What cannot be kept is asked for again.
    async fn keep(&self, answer: &Answer) {
        if let Err(error) = self.cache.put(&self.key, answer.write()).await {
            tracing::warn!(%error, "the answer could not be kept");
        }
    }
}

/// The connection and all of the request that can change its answer.
fn key(connection: &ConnectionId, request: &Request) -> String {
    let mut hash = Sha256::new();
    let accept = request.headers.get(http::header::ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    for part in [connection.as_str().as_bytes(), request.url.as_str().as_bytes(), accept] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("answer:{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

impl Answer {
    fn read(bytes: &Bytes) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let headers = head
            .headers
            .iter()
            .filter_map(|(name, value)| {
                Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
            })
            .collect();
        Some(Self { at: head.at, headers, body: bytes.slice(end + 1..) })
    }

    fn write(&self) -> Bytes {
        let headers = KEPT_HEADERS
            .iter()
            .filter_map(|name| Some((name.to_string(), self.headers.get(name)?.to_str().ok()?.to_owned())))
            .collect();
        let mut bytes = serde_json::to_vec(&Head { at: self.at, headers }).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes.into()
    }

    /// Asks only for what has changed since.
    pub(super) fn condition(&self, request: &mut Request) {
        for (from, to) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
            if let Some(value) = self.headers.get(from) {
                request.headers.insert(to, value.clone());
            }
        }
    }

    /// The kept answer, as the provider gave it.
    pub(super) fn respond(&self, stale: bool) -> Response {
        let mut response = Response::new(StatusCode::OK, self.headers.clone(), self.body.clone());
        response.kept = Some(Kept { at: self.at, stale });
        response
    }
}
