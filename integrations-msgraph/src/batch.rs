//! How are many things got with few requests?
//!
//! Graph's `$batch` carries up to 20 requests, each of which counts as one and is answered by itself. What
//! failed for a passing reason is asked for again alone, no sooner than the longest `Retry-After` among the parts
//! says; what was got is not got again. A batch whose answer is larger than an answer may be is asked for in
//! halves.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use integrations_core::error::Disposition;
use integrations_core::http::{Failure, Request, Response, Session, join};
use integrations_core::model::Raw;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use url::Url;

use crate::classify;
use crate::config::GraphConfig;
use crate::limits::REQUESTS_PER_BATCH;

const BATCH: &str = "batch";
/// Where all parts failed while the batch was answered.
const PART: &str = "batch.part";
/// How often what failed for a passing reason is asked for again.
const ROUNDS: u32 = 3;
/// How long to wait before that, where no part says so: for each round so far.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a part may ask to wait. Beyond that, the run is what waits.
const LONGEST: Duration = Duration::from_secs(300);

/// Gets what is at these addresses, in their order. What Graph refuses to give, or does not give for now while it
/// gives others, is an error in its place.
///
/// `operation` is that of the parts, for the table of errors; `prefer` is said with each. What is asked for alone
/// and fails may be to blame, and so may the service: `lives`, a call that it answers while it answers any, tells.
///
/// # Errors
/// Those of the calls, and what would come of every part: a token that is refused, a limit that does not pass, a
/// service that gives nothing.
pub(crate) async fn get(
    config: &GraphConfig,
    session: &Session,
    operation: &'static str,
    prefer: &str,
    urls: &[Url],
    lives: impl Future<Output = Result<()>>,
) -> Result<Vec<Result<Bytes>>> {
    let batches = Batches { config, session, operation, prefer, urls };
    let alone = |error: &Error| {
        urls.len() == 1 && error.operation() == Some(operation) && error.kind() != ErrorKind::RateLimited
    };
    match Box::pin(batches.get()).await {
        // The service may have come back just then.
        Err(error) if alone(&error) && lives.await.is_ok() => match Box::pin(batches.get()).await {
            Err(error) if alone(&error) => Ok(vec![Err(error)]),
            outcome => outcome,
        },
        outcome => outcome,
    }
}

/// What is asked for in as many batches as it takes.
struct Batches<'a> {
    config: &'a GraphConfig,
    session: &'a Session,
    operation: &'static str,
    prefer: &'a str,
    urls: &'a [Url],
}

/// What is still to be asked for.
struct Open {
    parts: Vec<usize>,
    round: u32,
    wait: Duration,
}

impl Batches<'_> {
    async fn get(&self) -> Result<Vec<Result<Bytes>>> {
        let mut got: Vec<Option<Result<Bytes>>> = self.urls.iter().map(|_| None).collect();
        let mut given_up = Vec::new();
        let numbers: Vec<_> = (0..self.urls.len()).collect();
        let batches = numbers.chunks(REQUESTS_PER_BATCH);
        let open = |parts: &[usize]| Open { parts: parts.to_vec(), round: 0, wait: Duration::ZERO };
        let mut todo: Vec<_> = batches.rev().map(open).collect();
        while let Some(Open { parts, round, wait }) = todo.pop() {
            let answer = match self.session.send(self.request(&parts, wait)?).await {
                Ok(answer) => answer,
                Err(error) if error.provider_code() == Some("body_too_large") => {
                    if let [one] = parts[..] {
                        got[one] = Some(Err(error));
                    } else {
                        let halves = parts.chunks(parts.len().div_ceil(2));
                        todo.extend(halves.map(|half| Open { parts: half.to_vec(), round, wait }));
                    }
                    continue;
                }
                Err(error) if error.operation() == Some(PART) && error.kind() != ErrorKind::RateLimited => {
                    given_up.push((parts, error));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut failures: HashMap<usize, Error> = HashMap::new();
            for part in read(&answer.body).unwrap_or_default() {
                let Some(number) = part.id.parse().ok().filter(|number| parts.contains(number)) else {
                    continue;
                };
                match part.verdict(self.operation) {
                    Err(error) if is_passing(&error) => drop(failures.insert(number, error)),
                    verdict => got[number] = Some(verdict),
                }
            }
            let open: Vec<_> = parts.into_iter().filter(|part| got[*part].is_none()).collect();
            if open.is_empty() {
                continue;
            }
            let told = failures.values().filter_map(Error::retry_after).max();
            if told.is_some_and(|told| told > LONGEST) {
                let longest = failures.into_values().max_by_key(Error::retry_after);
                return Err(longest.unwrap_or_else(|| no_answer(self.operation)));
            }
            if round < ROUNDS {
                let wait = told.unwrap_or(PAUSE * (round + 1));
                todo.push(Open { parts: open, round: round + 1, wait });
                continue;
            }
            for part in open {
                let error = failures.remove(&part).unwrap_or_else(|| no_answer(self.operation));
                // A limit passes, and says nothing of the part.
                if error.kind() == ErrorKind::RateLimited {
                    return Err(error);
                }
                given_up.push((vec![part], error));
            }
        }
        // It is these parts only if there are others that Graph gives.
        let gives = got.iter().flatten().any(Result::is_ok);
        for (parts, error) in given_up {
            if !gives {
                return Err(error.with_operation(self.operation));
            }
            for part in parts {
                got[part] = Some(Err(self.again(&error)));
            }
        }
        Ok(got.into_iter().flatten().collect())
    }

    /// The same error, for another part.
    fn again(&self, error: &Error) -> Error {
        let again = Error::new(error.kind(), error.message().to_owned()).with_operation(self.operation);
        let again = error.status().into_iter().fold(again, Error::with_status);
        error.provider_code().map(str::to_owned).into_iter().fold(again, Error::with_code)
    }

    fn request(&self, parts: &[usize], wait: Duration) -> Result<Request> {
        let base = self.config.api_url.as_str().trim_end_matches('/');
        let requests: Vec<_> = parts
            .iter()
            .map(|part| {
                let url = self.urls[*part].as_str();
                let url = url.strip_prefix(base).unwrap_or(url);
                let headers = serde_json::json!({ "Prefer": self.prefer });
                serde_json::json!({ "id": part.to_string(), "method": "GET", "url": url, "headers": headers })
            })
            .collect();
        let body = serde_json::json!({ "requests": requests }).to_string();
        let url = join(&self.config.api_url, &["$batch"])?;
        Ok(Request::new(BATCH, Method::POST, url)
            .with_idempotent(true)
            .with_cost(u32::try_from(parts.len()).unwrap_or(u32::MAX))
            .with_judge(judge)
            .with_wait(wait)
            .body("application/json", body))
    }
}

/// The answer to one request of a batch.
struct Part {
    id: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Part {
    fn read(part: &Raw, answer: &Bytes) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            id: String,
            status: u16,
            #[serde(default)]
            headers: HashMap<String, Word>,
            #[serde(borrow)]
            body: Option<&'a RawValue>,
        }
        /// A header is a string; some are written as numbers.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Word {
            Text(String),
            Number(u64),
            Other(IgnoredAny),
        }
        let wire: Wire<'_> = serde_json::from_slice(part.as_bytes()).ok()?;
        let mut headers = HeaderMap::new();
        for (name, value) in wire.headers {
            let value = match value {
                Word::Text(text) => HeaderValue::try_from(text).ok(),
                Word::Number(number) => Some(number.into()),
                Word::Other(_) => None,
            };
            if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
                headers.insert(name, value);
            }
        }
        let body = wire.body.map(|body| answer.slice_ref(body.get().as_bytes())).unwrap_or_default();
        Some(Self { id: wire.id, status: StatusCode::from_u16(wire.status).ok()?, headers, body })
    }

    fn verdict(self, operation: &'static str) -> Result<Bytes> {
        let Self { status, headers, body, .. } = self;
        if status.is_success() {
            // What is no JSON is told as a string.
            return if body.starts_with(b"{") { Ok(body) } else { Err(no_answer(operation)) };
        }
        let error = classify::error(&Failure { operation, status, headers: &headers, body: &body });
        Err(error.with_operation(operation).with_status(status.as_u16()))
    }
}

/// The answers of a batch; `None` for what is no such thing. One that cannot be read is left out.
fn read(answer: &Bytes) -> Option<Vec<Part>> {
    #[derive(Deserialize)]
    struct Answers {
        #[serde(rename = "responses")]
        _responses: [IgnoredAny; 0],
    }
    let (Answers { .. }, parts) = json::cut_items::<Answers>(answer, "responses")?;
    Some(parts.iter().filter_map(|part| Part::read(part, answer)).collect())
}

/// Whether something else may come of asking again.
pub(crate) fn is_passing(error: &Error) -> bool {
    // Of calls that come together, one may be in the way of another.
    error.kind() == ErrorKind::Conflict || matches!(error.disposition(), Disposition::Retry { .. })
}

/// Tells whether a batch succeeded at least in part. A part that was refused for its token refuses them all: then
/// the token is refreshed, and the batch is sent again.
fn judge(operation: &'static str, answer: &Response) -> Result<()> {
    if !answer.status.is_success() {
        return Err(classify::error(&Failure::of(operation, answer)));
    }
    let Some(parts) = read(&answer.body) else {
        return Err(Error::new(ErrorKind::DataFormat, "the answer is no batch of answers"));
    };
    let count = parts.len();
    let mut passing = Vec::new();
    for part in parts {
        match part.verdict(PART) {
            Err(error)
                if matches!(error.kind(), ErrorKind::TokenExpired | ErrorKind::ReauthorizationRequired) =>
            {
                return Err(error);
            }
            Err(error) if is_passing(&error) => passing.push(error),
            _ => {}
        }
    }
    if passing.len() < count {
        return Ok(());
    }
    // A limit has to be kept to, whatever else there is; the longest wait is the true one.
    let worst =
        passing.into_iter().max_by_key(|error| (error.kind() == ErrorKind::RateLimited, error.retry_after()));
    worst.map_or_else(|| Err(no_answer(PART)), Err)
}

/// What is left out of a batch's answer, or is no whole answer.
fn no_answer(operation: &'static str) -> Error {
    Error::new(ErrorKind::ServiceUnavailable, "the batch has no whole answer for some of its requests")
        .with_operation(operation)
        .with_code("no_answer")
}
