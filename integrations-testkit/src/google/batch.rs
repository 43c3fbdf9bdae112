//! How does one request carry many, and how are they answered?
//!
//! A batch is `multipart/mixed`, each part a request of its own (`application/http`) with its own answer.
//! The answers come in an order that is not that of the requests: only `Content-ID` tells whose they are.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::Google;
use super::errors;
use super::routes::{Api, Endpoint};
use crate::fault::{Effect, Ending};
use crate::random::{Draw, hash_text, mix};
use crate::server::{Call, Reply, Service as _};
use crate::traffic::RequestLog;

/// How many calls a batch may carry.
const LIMIT: usize = 100;

/// A part of the request.
struct Part {
    /// As it stands in the header, without the angle brackets.
    content_id: Option<String>,
    call: Call,
}

/// Answers a batch of calls of one of these APIs.
pub(super) fn answer(google: &Google, call: &Call, apis: &[Api]) -> Reply {
    let Some(parts) = split(call) else { return errors::argument("Failed to parse batch request.") };
    if parts.len() > LIMIT {
        let message =
            format!("Inner request count exceeds the limit. Received: {}, Limit: {LIMIT}", parts.len());
        return errors::argument(&message);
    }
    let boundary =
        format!("batch_{:016x}", mix(google.seed ^ hash_text(&String::from_utf8_lossy(&call.body))));
    // All calls must go where the first one goes.
    let first = parts.first().and_then(|part| Endpoint::of(&part.call).api());
    let api = first.filter(|api| apis.contains(api));
    let mut answers = Vec::with_capacity(parts.len());
    for part in parts {
        if let Some(reply) = google.inner(part.call, api) {
            answers.push((part.content_id, reply));
        }
    }
    shuffle(&mut answers, google.seed);

    let mut body = Vec::new();
    for (content_id, reply) in &answers {
        body.extend_from_slice(format!("--{boundary}\r\nContent-Type: application/http\r\n").as_bytes());
        if let Some(id) = content_id {
            body.extend_from_slice(format!("Content-ID: <response-{id}>\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        put(reply, &mut body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let reply = Reply { body: body.into(), ..Reply::empty(200) };
    reply.header(CONTENT_TYPE, &format!("multipart/mixed; boundary={boundary}"))
}

impl Google {
    /// One call of a batch: counted and struck by faults as if it had come alone. `None` when a fault
    /// closes the connection: inside a batch that leaves the answer out.
    fn inner(&self, call: Call, api: Option<Api>) -> Option<Reply> {
        let route = self.route(&call);
        self.traffic.arrived(route.operation);
        let effect = self.faults.strike(route.operation).unwrap_or_default();
        let reply =
            (effect.ending != Ending::Reset).then(|| self.struck(route.operation, &call, &effect, api));
        let sent = reply.filter(|_| effect.ending != Ending::Lost);
        let whole = effect.ending == Ending::Whole;
        self.traffic.answered(
            RequestLog {
                operation: route.operation,
                method: call.method,
                path: call.path,
                page_token: route.page_token,
                sync_token: route.sync_token,
                status: sent.as_ref().map_or(0, |reply| reply.status),
            },
            sent.as_ref().filter(|_| whole).map_or(0, |reply| reply.items),
        );
        sent.map(|reply| match effect.ending {
            Ending::Truncated(bytes) => {
                let length = reply.body.len();
                let cut = Reply { body: reply.body.slice(..bytes.min(length)), ..reply };
                cut.header(CONTENT_LENGTH, &length.to_string())
            }
            _ => reply,
        })
    }

    fn struck(&self, operation: &'static str, call: &Call, effect: &Effect, api: Option<Api>) -> Reply {
        if effect.delay.is_some() || effect.before.is_some() || effect.after.is_some() {
            return errors::unsupported("a delay of one part; order it on `batch`");
        }
        let mut reply = match (effect.status, &effect.body) {
            (status, Some((body, content_type))) => {
                let reply = Reply { body: body.clone(), ..Reply::empty(status.unwrap_or(200)) };
                Reply { headers: vec![(CONTENT_TYPE, content_type.clone())], ..reply }
            }
            (Some(status), None) => self.error(operation, call, status, effect.reason.as_deref()),
            (None, None) if api.is_some() && Endpoint::of(call).api() == api => self.answer(operation, call),
            (None, None) => errors::newer(404, None, None),
        };
        reply.headers.retain(|(name, _)| effect.headers.iter().all(|(given, _)| given != name));
        reply.headers.extend(effect.headers.iter().cloned());
        reply
    }
}

/// Brings the answers into an order that depends on the seed and is not the one they have.
fn shuffle<T>(answers: &mut [T], seed: u64) {
    let mut draw = Draw::new(mix(seed ^ answers.len() as u64));
    let mut moved = false;
    for last in (1..answers.len()).rev() {
        let other = draw.below(u32::try_from(last + 1).unwrap_or(u32::MAX)) as usize;
        moved |= other != last;
        answers.swap(last, other);
    }
    if !moved && answers.len() > 1 {
        answers.rotate_left(1);
    }
}

fn put(reply: &Reply, out: &mut Vec<u8>) {
    let reason = StatusCode::from_u16(reply.status).ok().and_then(|status| status.canonical_reason());
    let line = format!("HTTP/1.1 {} {}\r\n", reply.status, reason.unwrap_or("Unknown"));
    out.extend_from_slice(line.as_bytes());
    for (name, value) in &reply.headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if reply.headers.iter().all(|(name, _)| *name != CONTENT_LENGTH) {
        out.extend_from_slice(format!("content-length: {}\r\n", reply.body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&reply.body);
}

/// The parts of a batch; `None` when it is not one, or has none.
fn split(call: &Call) -> Option<Vec<Part>> {
    let boundary = boundary(call.header(CONTENT_TYPE)?)?;
    let body = std::str::from_utf8(&call.body).ok()?;
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut open: Option<String> = None;
    for line in body.split_inclusive('\n') {
        match line.trim_end().strip_prefix(&delimiter) {
            Some("--") => {
                parts.extend(open.take().map(|text| part(&text, call)));
                let parts: Option<Vec<Part>> = parts.into_iter().collect();
                return parts.filter(|parts| !parts.is_empty());
            }
            Some("") => {
                parts.extend(open.replace(String::new()).map(|text| part(&text, call)));
            }
            _ => {
                if let Some(text) = &mut open {
                    text.push_str(line);
                }
            }
        }
    }
    // The closing delimiter is missing: the request was cut.
    None
}

/// The boundary of a `multipart/mixed` (RFC 2046, 5.1.1).
fn boundary(content_type: &str) -> Option<&str> {
    let mut pieces = content_type.split(';').map(str::trim);
    if !pieces.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let (_, value) = pieces
        .filter_map(|piece| piece.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty() && value.len() <= 70)
}

fn part(text: &str, outer: &Call) -> Option<Part> {
    let (headers, request) = head(text)?;
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.split(';').next()?.trim().eq_ignore_ascii_case("application/http") {
        return None;
    }
    let content_id = headers.get("content-id").and_then(|id| id.to_str().ok());
    let content_id = content_id.map(|id| id.trim_start_matches('<').trim_end_matches('>').to_owned());

    let (line, rest) = request.trim_start_matches(['\r', '\n']).split_once('\n')?;
    let mut words = line.split_whitespace();
    let method = Method::from_bytes(words.next()?.as_bytes()).ok()?;
    let target = words.next().filter(|target| target.starts_with('/'))?;
    // The version may be missing.
    if words.next().is_some_and(|version| !version.starts_with("HTTP/1.")) || words.next().is_some() {
        return None;
    }
    let (mut headers, body) = head(rest)?;
    if let (Some(token), false) = (outer.headers.get(AUTHORIZATION), headers.contains_key(AUTHORIZATION)) {
        headers.insert(AUTHORIZATION, token.clone());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let call = Call {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.trim_end_matches(['\r', '\n']).to_owned().into(),
    };
    Some(Part { content_id, call })
}

/// Reads headers up to the empty line, or to the end; returns what is behind.
fn head(text: &str) -> Option<(HeaderMap, &str)> {
    let mut headers = HeaderMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = behind;
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some((headers, rest))
}
