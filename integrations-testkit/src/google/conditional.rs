//! Does the caller have this resource already?

use http::header::{ETAG, IF_NONE_MATCH};
use serde_json::Value;

use crate::server::{Call, Reply};

/// Answers with a resource, or with 304 when the caller names its `etag`.
pub(super) fn answer(call: &Call, text: Vec<u8>) -> Reply {
    let etag = serde_json::from_slice::<Value>(&text)
        .ok()
        .and_then(|resource| resource["etag"].as_str().map(str::to_owned))
        .unwrap_or_default();
    let known = call.header(IF_NONE_MATCH).is_some_and(|known| known == "*" || known == etag);
    let reply = if known { Reply::empty(304) } else { Reply::json(200, text) };
    reply.header(ETAG, &etag)
}
