//! How does one request carry many, and how are they answered?
//!
//! A batch is JSON, each part a request of its own with its own answer. The answers come in an order that is
//! not that of the requests: only their ids tell whose they are.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::Graph;
use super::errors::Refusal;
use crate::fault::{Effect, Ending};
use crate::random::{Draw, hash_text, mix};
use crate::server::{Call, Reply, Service as _};
use crate::traffic::RequestLog;

/// How many requests a batch may carry.
const LIMIT: usize = 20;

/// One request of a batch.
struct Part {
    id: String,
    after: Vec<String>,
    call: Call,
}

/// Answers `/$batch`.
pub(super) fn answer(graph: &Graph, call: &Call) -> Result<Reply, Refusal> {
    let parts = parts(call)?;
    let mut statuses: HashMap<String, u16> = HashMap::new();
    let mut answers = Vec::with_capacity(parts.len());
    for part in parts {
        let failed = |earlier: &String| statuses.get(earlier).is_none_or(|status| *status >= 400);
        let reply = if part.after.iter().any(failed) {
            Some(graph.refuse(&part.call, Refusal::new(424, "FailedDependency", "Failed Dependency.")))
        } else {
            graph.inner(part.call)
        };
        let Some(reply) = reply else { continue };
        statuses.insert(part.id.to_ascii_lowercase(), reply.status);
        answers.push(written(&part.id, &reply));
    }
    shuffle(&mut answers, graph.seed);
    Ok(Reply::json(200, json!({"responses": answers}).to_string()))
}

impl Graph {
    /// One request of a batch: counted and struck by faults as if it had come alone. `None` when a fault
    /// closes the connection: inside a batch that leaves the answer out.
    fn inner(&self, call: Call) -> Option<Reply> {
        let route = self.route(&call);
        self.traffic.arrived(route.operation);
        let mut ending = Ending::Whole;
        let reply = if let Err(refusal) = self.meter.count(self.clock.now()) {
            Some(self.refuse(&call, refusal))
        } else {
            let effect = self.faults.strike(route.operation).unwrap_or_default();
            ending = effect.ending;
            (ending != Ending::Reset).then(|| self.struck(route.operation, &call, &effect))
        };
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
            sent.as_ref().map_or(0, |reply| reply.items),
        );
        sent
    }

    fn struck(&self, operation: &'static str, call: &Call, effect: &Effect) -> Reply {
        if effect.delay.is_some() || effect.before.is_some() || effect.after.is_some() {
            let what = "a delay of one part; order it on \"batch\"";
            return self.refuse(call, Refusal::unsupported(what));
        }
        if matches!(effect.ending, Ending::Truncated(_)) {
            let what = "an answer that is cut inside of another; order it on \"batch\"";
            return self.refuse(call, Refusal::unsupported(what));
        }
        let mut reply = match (effect.status, &effect.body) {
            (status, Some((body, content_type))) => {
                let reply = Reply { body: body.clone(), ..Reply::empty(status.unwrap_or(200)) };
                Reply { headers: vec![(CONTENT_TYPE, content_type.clone())], ..reply }
            }
            (Some(status), None) => self.error(operation, call, status, effect.reason.as_deref()),
            (None, None) => self.serve_inner(call),
        };
        reply.headers.retain(|(name, _)| effect.headers.iter().all(|(given, _)| given != name));
        reply.headers.extend(effect.headers.iter().cloned());
        reply
    }
}

fn parts(call: &Call) -> Result<Vec<Part>, Refusal> {
    let wrong = |text: &str| Refusal::new(400, "BadRequest", text.to_owned());
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| wrong("Invalid batch payload format."))?;
    let requests = body["requests"].as_array().filter(|requests| !requests.is_empty());
    let requests = requests.ok_or_else(|| wrong("Invalid batch payload format."))?;
    if requests.len() > LIMIT {
        let text = format!("Number of batch request steps exceeds the maximum value of {LIMIT}.");
        return Err(Refusal::new(400, "MaximumValueExceeded", text));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(requests.len());
    for request in requests {
        let part = part(request, call).ok_or_else(|| wrong("Invalid batch payload format."))?;
        let twice = |other: &Part| other.id.eq_ignore_ascii_case(&part.id);
        if parts.iter().any(twice) {
            return Err(wrong("Request ids of a batch have to be unique."));
        }
        parts.push(part);
    }
    // All at once, or each after the one before it.
    let parallel = parts.iter().all(|part| part.after.is_empty());
    let follows = |(index, part): (usize, &Part)| match index.checked_sub(1) {
        None => part.after.is_empty(),
        Some(before) => part.after == [parts[before].id.to_ascii_lowercase()],
    };
    if !parallel && !parts.iter().enumerate().all(follows) {
        return Err(wrong("Requests of a batch depend on none, or each on the one before it."));
    }
    Ok(parts)
}

fn part(request: &Value, outer: &Call) -> Option<Part> {
    let method = Method::from_bytes(request["method"].as_str()?.to_ascii_uppercase().as_bytes()).ok()?;
    let url = request["url"].as_str().filter(|url| !url.contains("://"))?;
    let mut headers = HeaderMap::new();
    for name in [AUTHORIZATION, HOST] {
        if let Some(value) = outer.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    let body = match &request["body"] {
        Value::Null => Vec::new(),
        // A body has to say what it is.
        _ if !headers.contains_key(CONTENT_TYPE) => return None,
        Value::String(encoded) => STANDARD.decode(encoded).ok()?,
        body => body.to_string().into_bytes(),
    };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let after = match &request["dependsOn"] {
        Value::Null => Vec::new(),
        after => {
            let ids = after.as_array()?.iter().map(|id| id.as_str().map(str::to_ascii_lowercase));
            ids.collect::<Option<Vec<String>>>()?
        }
    };
    Some(Part {
        id: request["id"].as_str().filter(|id| !id.is_empty())?.to_owned(),
        after,
        call: Call {
            method,
            path: format!("/v1.0/{}", path.trim_start_matches('/')),
            query: query.to_owned(),
            headers,
            body: body.into(),
        },
    })
}

fn written(id: &str, reply: &Reply) -> Value {
    let mut headers = Map::new();
    for (name, value) in &reply.headers {
        let name = match name.as_str() {
            "content-type" => "Content-Type".to_owned(),
            "retry-after" => "Retry-After".to_owned(),
            name => name.to_owned(),
        };
        headers.insert(name, json!(value.to_str().unwrap_or_default()));
    }
    let mut answer = json!({"id": id, "status": reply.status, "headers": headers});
    if !reply.body.is_empty() {
        // What is no JSON is told in base64.
        let body = serde_json::from_slice(&reply.body).ok();
        answer["body"] = body.unwrap_or_else(|| json!(STANDARD.encode(&reply.body)));
    }
    answer
}

/// Brings the answers into an order that depends on the seed and is not the one they have.
fn shuffle(answers: &mut [Value], seed: u64) {
    let mut draw = Draw::new(mix(seed ^ hash_text("batch") ^ answers.len() as u64));
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
