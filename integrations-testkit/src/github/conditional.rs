//! Does the caller have this answer already?

use std::fmt::Write as _;

use chrono::NaiveDateTime;
use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LINK};
use http::{HeaderName, Method};
use sha2::{Digest as _, Sha256};

use crate::server::{Call, Reply};

/// What an answer without a body keeps of its headers.
const KEPT: [HeaderName; 3] = [LINK, LAST_MODIFIED, HeaderName::from_static("x-poll-interval")];

/// Tags an answer, or says with 304 that nothing has changed. The tag is of the body, the address and the
/// caller's secret.
pub(super) fn answer(call: &Call, secret: &str, reply: Reply) -> Reply {
    if call.method != Method::GET || reply.status != 200 {
        return reply;
    }
    let etag = tag(call, secret, &reply);
    let unchanged = match call.header(IF_NONE_MATCH) {
        Some(known) => known.split(',').map(str::trim).any(|known| known == "*" || same(known, &etag)),
        // RFC 9110, 13.1.3: only where there is no tag to compare.
        None => is_not_modified_since(call, &reply),
    };
    if !unchanged {
        return reply.header(ETAG, &etag);
    }
    let mut empty = Reply::empty(304);
    empty.headers = reply.headers.into_iter().filter(|(name, _)| KEPT.contains(name)).collect();
    empty.header(ETAG, &etag)
}

fn tag(call: &Call, secret: &str, reply: &Reply) -> String {
    let mut hash = Sha256::new();
    for part in [secret, &call.path, &call.query] {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    hash.update(&reply.body);
    let mut etag = String::from("W/\"");
    for byte in hash.finalize() {
        // Writing to a string does not fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    etag
}

/// Weak comparison (RFC 9110, 8.8.3.2).
fn same(known: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    opaque(known) == opaque(etag)
}

fn is_not_modified_since(call: &Call, reply: &Reply) -> bool {
    let time = |text: &str| NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT").ok();
    let modified = reply.headers.iter().find(|(name, _)| *name == LAST_MODIFIED);
    let modified = modified.and_then(|(_, value)| value.to_str().ok()).and_then(time);
    let known = call.header(IF_MODIFIED_SINCE).and_then(time);
    modified.zip(known).is_some_and(|(modified, known)| modified <= known)
}
