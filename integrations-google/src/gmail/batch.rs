//! How are many messages got with few requests?
//!
//! Google's batch carries many `messages.get` in one request, and each counts as one. It may succeed in part:
//! what failed for a passing reason is asked for again by itself, a message that is not there is gone, and one
//! that cannot be got stands in the page as Google's error with its id, for the quarantine. A batch that is
//! answered with more than may be kept in memory is asked for in halves.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::{Method, StatusCode};
use integrations_core::error::Disposition;
use integrations_core::http::{Failure, Request, Response, Session, join};
use integrations_core::model::Raw;
use integrations_core::{Error, ErrorKind, Result};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use url::Position;

use super::multipart::{Part, content_id, parts};
use crate::classify;
use crate::config::GoogleConfig;
use crate::limits::{BATCHES_AT_ONCE, GMAIL, MESSAGES_PER_BATCH};

const BATCH: &str = "batch";
const GET: &str = "messages.get";
/// How often what failed for a passing reason is asked for again.
const ROUNDS: u32 = 3;
/// How large the answer to a batch may be. The text of most mails has less than 200 KiB.
const MAX_BATCH: usize = 8 << 20;
/// How large a single message may be, without its attachments.
const MAX_MESSAGE: usize = Request::MAX_BODY;

/// What became of the messages that were asked for, in their order.
#[derive(Debug, Default)]
pub(super) struct Got {
    /// Messages, and errors in the place of some.
    pub items: Vec<Raw>,
    /// The ids of those that are not there.
    pub gone: Vec<String>,
}

/// What became of one.
enum Answer {
    /// The message.
    There(Raw),
    /// It was deleted.
    Gone,
    /// An error in its place.
    Refused(Raw),
}

/// Gets messages.
///
/// # Errors
/// Those of the calls, and what would come of every message: a missing permission, a limit that does not
/// pass, a service that gives none of them.
pub(super) async fn get(config: &GoogleConfig, session: &Session, ids: &[String]) -> Result<Got> {
    let batches = || ids.chunks(MESSAGES_PER_BATCH);
    let calls: Vec<_> = batches().map(|ids| get_batch(config, session, ids)).collect();
    let mut calls = stream::iter(calls).buffered(BATCHES_AT_ONCE).zip(stream::iter(batches()));
    let mut got = Got::default();
    let mut alone = None;
    while let Some((answers, ids)) = calls.next().await {
        let answers = match (answers, ids) {
            (Ok(answers), _) => answers,
            // It may be the message, and it may be the service: the others tell.
            (Err(error), [id]) if is_of_messages(&error) => {
                alone = Some((id, error));
                continue;
            }
            (Err(error), _) => return Err(error),
        };
        for (id, answer) in ids.iter().zip(answers) {
            match answer {
                Answer::There(item) | Answer::Refused(item) => got.items.push(item),
                Answer::Gone => got.gone.push(id.clone()),
            }
        }
    }
    match alone {
        Some((_, error)) if ids.len() == 1 => Err(error),
        Some((id, error)) => {
            got.items.push(refused(id, &error));
            Ok(got)
        }
        None => Ok(got),
    }
}

/// Gets the messages of one batch, in as many requests as it takes.
async fn get_batch(config: &GoogleConfig, session: &Session, ids: &[String]) -> Result<Vec<Answer>> {
    let mut answers: Vec<Option<Answer>> = ids.iter().map(|_| None).collect();
    let mut given_up = Vec::new();
    let mut todo = vec![(0, (0..ids.len()).collect::<Vec<_>>())];
    while let Some((round, asked)) = todo.pop() {
        let answer = match session.send(request(config, ids, &asked)?).await {
            Ok(answer) => answer,
            Err(error) if error.provider_code() == Some("body_too_large") => {
                if let [one] = asked[..] {
                    answers[one] = Some(Answer::Refused(too_large(&ids[one])));
                }
                let halves = asked.chunks(asked.len().div_ceil(2)).filter(|_| asked.len() > 1);
                todo.extend(halves.map(|half| (round, half.to_vec())));
                continue;
            }
            Err(error) if is_of_messages(&error) => {
                given_up.push((asked, error));
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut failures: Vec<Option<Error>> = ids.iter().map(|_| None).collect();
        for part in parts(&answer).unwrap_or_default() {
            let Some(id) = ids.get(part.number) else { continue };
            match verdict(&part) {
                Verdict::There => answers[part.number] = Some(Answer::There(Raw::new(part.body))),
                Verdict::Gone => answers[part.number] = Some(Answer::Gone),
                Verdict::Passing(error) => failures[part.number] = Some(error),
                Verdict::Everybody(_) | Verdict::Own => {
                    answers[part.number] = Some(Answer::Refused(quote(id, &part)));
                }
            }
        }
        let open: Vec<_> = asked.into_iter().filter(|one| answers[*one].is_none()).collect();
        if round < ROUNDS && !open.is_empty() {
            todo.push((round + 1, open));
            continue;
        }
        for one in open {
            let error = failures[one].take().unwrap_or_else(no_answer);
            // A limit passes, and says nothing of the message.
            if error.kind() == ErrorKind::RateLimited {
                return Err(error);
            }
            given_up.push((vec![one], error));
        }
    }
    // It is these messages only if there are others that Gmail gives.
    let gives = answers.iter().flatten().any(|answer| !matches!(answer, Answer::Refused(_)));
    for (asked, error) in given_up {
        if !gives {
            return Err(error);
        }
        for one in asked {
            answers[one] = Some(Answer::Refused(refused(&ids[one], &error)));
        }
    }
    Ok(answers.into_iter().flatten().collect())
}

/// What the answer to one call of a batch means.
enum Verdict {
    There,
    Gone,
    /// It may be got later.
    Passing(Error),
    /// The others fail for the same reason.
    Everybody(Error),
    /// There is something about this message.
    Own,
}

fn verdict(part: &Part) -> Verdict {
    let Part { status, headers, body, .. } = part;
    if status.is_success() {
        return if is_whole(body) { Verdict::There } else { Verdict::Passing(no_answer()) };
    }
    let error = classify::error(&Failure { operation: GET, status: *status, headers, body });
    match (error.kind(), error.disposition()) {
        (ErrorKind::NotFound, _) => Verdict::Gone,
        // Of calls that come together; alone it may succeed.
        (ErrorKind::Conflict, _) | (_, Disposition::Retry { .. }) => Verdict::Passing(error),
        (_, Disposition::Refresh | Disposition::Reauthorize)
        | (ErrorKind::UnsupportedOperation | ErrorKind::InvalidCredentials, _) => Verdict::Everybody(error),
        _ => Verdict::Own,
    }
}

/// Tells whether a batch succeeded at least in part. A part that was refused for its token refuses them all:
/// then the token is refreshed, and the batch is sent again.
fn judge(operation: &'static str, answer: &Response) -> Result<()> {
    if !answer.status.is_success() {
        return Err(classify::error(&Failure::of(operation, answer)));
    }
    let Some(parts) = parts(answer) else {
        return Err(Error::new(ErrorKind::DataFormat, "the answer is no batch of answers"));
    };
    let mut passing: Option<Error> = None;
    let mut failed = 0;
    for part in &parts {
        match verdict(part) {
            Verdict::Everybody(error) => return Err(error),
            Verdict::Passing(error) => {
                failed += 1;
                // A limit has to be kept to, whatever else there is; the longest wait is the true one.
                let rank = |error: &Error| (error.kind() == ErrorKind::RateLimited, error.retry_after());
                if passing.as_ref().is_none_or(|known| rank(known) < rank(&error)) {
                    passing = Some(error);
                }
            }
            Verdict::There | Verdict::Gone | Verdict::Own => {}
        }
    }
    match passing {
        Some(error) if failed == parts.len() => Err(error),
        _ => Ok(()),
    }
}

/// Whether it was the messages that failed, for a passing reason other than a limit, while the batch itself
/// was answered.
fn is_of_messages(error: &Error) -> bool {
    error.operation() == Some(GET)
        && error.kind() != ErrorKind::RateLimited
        && (error.kind() == ErrorKind::Conflict || matches!(error.disposition(), Disposition::Retry { .. }))
}

/// Whether it is JSON from the beginning to the end.
fn is_whole(body: &Bytes) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

fn request(config: &GoogleConfig, ids: &[String], asked: &[usize]) -> Result<Request> {
    let mut body = String::with_capacity(asked.len() * 200);
    for &number in asked {
        let mut url = join(&config.gmail_url, &["users", "me", "messages", &ids[number]])?;
        url.query_pairs_mut().append_pair("format", "full").append_pair("prettyPrint", "false");
        body += "--batch\r\nContent-Type: application/http\r\nContent-ID: ";
        body += &content_id(number);
        body += "\r\n\r\nGET ";
        body += &url[Position::BeforePath..];
        body += " HTTP/1.1\r\n\r\n\r\n";
    }
    body += "--batch--\r\n";
    let parts = u32::try_from(asked.len()).unwrap_or(u32::MAX);
    Ok(Request::new(BATCH, Method::POST, config.gmail_batch_url.clone())
        .with_idempotent(true)
        .with_cost(parts.saturating_mul(GMAIL.cost(GET, 1)))
        .with_judge(judge)
        .with_max_body(if parts > 1 { MAX_BATCH } else { MAX_MESSAGE })
        .body("multipart/mixed; boundary=batch", body))
}

/// Google's error in the place of a message, as far as it gives one.
fn quote(id: &str, part: &Part) -> Raw {
    let mut said: Value = serde_json::from_slice(&part.body).unwrap_or_default();
    let error = match said["error"].take() {
        error @ Value::Object(_) => error,
        _ => json!({ "code": part.status.as_u16() }),
    };
    in_place_of(id, &error)
}

fn refused(id: &str, error: &Error) -> Raw {
    in_place_of(id, &json!({ "code": error.status(), "status": error.provider_code() }))
}

fn too_large(id: &str) -> Raw {
    in_place_of(id, &json!({ "code": StatusCode::PAYLOAD_TOO_LARGE.as_u16(), "status": "body_too_large" }))
}

/// What is left out of a batch's answer, or is no whole answer.
fn no_answer() -> Error {
    Error::new(ErrorKind::ServiceUnavailable, "the batch has no whole answer for some of its messages")
        .with_operation(GET)
        .with_code("no_answer")
}

fn in_place_of(id: &str, error: &Value) -> Raw {
    Raw::new(json!({ "id": id, "error": error }).to_string())
}
