//! What is asked of the server?
//!
//! Each request is bounded in time. None is sent again by itself: whether a change has happened, its caller finds out
//! by reading.

use std::pin::Pin;
use std::time::Duration;

use async_nats::header::{HeaderMap, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID};
use async_nats::{Client, Message, Request, RequestErrorKind, StatusCode};
use bytes::Bytes;
use futures_util::future::{Either, select};
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::failure::{
    MESSAGE_NOT_FOUND, Refusal, WRONG_LAST_SEQUENCE, disabled, is_nothing_to_delete, refused, too_large,
    unavailable, unreachable, unreadable,
};

/// The header that says of a message what is to be known of all jobs at all times.
pub(super) const GLANCE: &str = "Job";

#[derive(Clone)]
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) timeout: Duration,
    /// Of the machine, whatever the queue's is: it bounds the waiting for answers.
    clock: SystemClock,
}

/// What became of a message that was to be put behind another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It has this sequence.
    Stored(u64),
    /// Something else came first.
    Conflict,
}

/// A message of a stream.
pub(super) struct Stored {
    pub(super) sequence: u64,
    pub(super) body: Bytes,
}

/// What a message is written with.
pub(super) struct Writing<'a> {
    /// The sequence of the message before it on its subject, 0 for none; `None` for whichever.
    pub(super) behind: Option<u64>,
    pub(super) glance: &'a str,
    pub(super) body: Bytes,
    /// What keeps it from being written twice.
    pub(super) once: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Refused { error: Refusal },
    Given(T),
}

impl Server {
    pub(super) fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout, clock: SystemClock::new() }
    }

    /// Waits for something, but not for longer than for an answer.
    pub(super) async fn in_time<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let future = std::pin::pin!(future);
        match select(future, self.clock.sleep(self.timeout)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// As [`sleep`](Self::sleep), to be waited for beside something else.
    pub(super) fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = self.clock;
        Box::pin(async move { clock.sleep(duration).await })
    }

    async fn request(
        &self,
        operation: &'static str,
        subject: String,
        headers: Option<HeaderMap>,
        body: Bytes,
    ) -> Result<Option<Message>> {
        let request = Request::new().payload(body).timeout(None);
        let request = match headers {
            Some(headers) => request.headers(headers),
            None => request,
        };
        match self.in_time(self.client.send_request(subject, request)).await {
            Some(Ok(message)) => Ok(Some(message)),
            Some(Err(error)) => match error.kind() {
                RequestErrorKind::NoResponders => Ok(None),
                RequestErrorKind::MaxPayloadExceeded => Err(too_large(operation)),
                _ => Err(unreachable(operation).with_source(error.kind().to_string())),
            },
            None => Err(unreachable(operation)),
        }
    }

    /// A request to JetStream's API.
    pub(super) async fn api<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: String,
        body: &Value,
    ) -> Result<Result<T, Refusal>> {
        let subject = format!("$JS.API.{path}");
        let Some(message) = self.request(operation, subject, None, body.to_string().into()).await? else {
            return Err(disabled(operation));
        };
        match serde_json::from_slice(&message.payload) {
            Ok(Answer::Given(answer)) => Ok(Ok(answer)),
            Ok(Answer::Refused { error }) => Ok(Err(error)),
            Err(_) => Err(unreadable(operation)),
        }
    }

    pub(super) async fn put(
        &self,
        operation: &'static str,
        subject: String,
        writing: Writing<'_>,
    ) -> Result<Put> {
        #[derive(Deserialize)]
        struct Ack {
            seq: u64,
        }
        let Writing { behind, glance, body, once } = writing;
        let mut headers = HeaderMap::new();
        headers.insert(GLANCE, glance);
        if let Some(sequence) = behind {
            headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, sequence.to_string());
        }
        if let Some(once) = once {
            headers.insert(NATS_MESSAGE_ID, once);
        }
        let Some(message) = self.request(operation, subject, Some(headers), body).await? else {
            return Err(unavailable(operation));
        };
        match serde_json::from_slice(&message.payload) {
            Ok(Answer::Given(Ack { seq })) => Ok(Put::Stored(seq)),
            Ok(Answer::Refused { error }) if error.err_code == WRONG_LAST_SEQUENCE => Ok(Put::Conflict),
            Ok(Answer::Refused { error }) => Err(refused(operation, &error)),
            Err(_) => Err(unreadable(operation)),
        }
    }

    /// The message of a sequence, from any server that has it. One that was just written may be missing there.
    pub(super) async fn at(
        &self,
        operation: &'static str,
        stream: &str,
        sequence: u64,
    ) -> Result<Option<Stored>> {
        let subject = format!("$JS.API.DIRECT.GET.{stream}");
        let body = json!({ "seq": sequence }).to_string();
        let Some(message) = self.request(operation, subject, None, body.into()).await? else {
            return Err(unavailable(operation));
        };
        match message.status {
            None | Some(StatusCode::OK) => Ok(Some(Stored { sequence, body: message.payload })),
            Some(_) => Ok(None),
        }
    }

    /// The last message on a subject, from the leader: as it is now.
    pub(super) async fn last(
        &self,
        operation: &'static str,
        stream: &str,
        subject: &str,
    ) -> Result<Option<Stored>> {
        #[derive(Deserialize)]
        struct Found {
            message: Position,
        }
        #[derive(Deserialize)]
        struct Position {
            seq: u64,
        }
        // The answer holds the body in base64; the second request is for what it is without.
        loop {
            let path = format!("STREAM.MSG.GET.{stream}");
            let found: Result<Found, Refusal> =
                self.api(operation, path, &json!({ "last_by_subj": subject })).await?;
            let sequence = match found {
                Ok(found) => found.message.seq,
                Err(refusal) if refusal.err_code == MESSAGE_NOT_FOUND => return Ok(None),
                Err(refusal) => return Err(refused(operation, &refusal)),
            };
            if let Some(stored) = self.at(operation, stream, sequence).await? {
                return Ok(Some(stored));
            }
        }
    }

    /// Deletes the message of a sequence, and says whether it was there.
    pub(super) async fn delete(&self, operation: &'static str, stream: &str, sequence: u64) -> Result<bool> {
        #[derive(Deserialize)]
        struct Deleted {
            success: bool,
        }
        // Not overwritten on the disk: what is deleted is no secret.
        let body = json!({ "seq": sequence, "no_erase": true });
        match self.api::<Deleted>(operation, format!("STREAM.MSG.DELETE.{stream}"), &body).await? {
            Ok(deleted) => Ok(deleted.success),
            Err(refusal) if is_nothing_to_delete(&refusal) => Ok(false),
            Err(refusal) => Err(refused(operation, &refusal)),
        }
    }

    /// Says something to whoever listens; nobody answers.
    pub(super) async fn tell(&self, subject: String, body: String) {
        let _ = self.in_time(self.client.publish(subject, body.into())).await;
    }
}

/// The server's own words are kept, as far as they are known to hold no value.
pub(super) fn lost(operation: &'static str, cause: impl std::fmt::Display) -> Error {
    unreachable(operation).with_source(cause.to_string())
}
