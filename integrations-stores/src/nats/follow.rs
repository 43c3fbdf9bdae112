//! How does a process learn what others write?
//!
//! A task follows the stream of jobs, the headers alone. After each loss of the connection it reads all of it again:
//! that slots were emptied is said outside of the stream, once, to whoever listens.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::HeaderValue;
use async_nats::jetstream::consumer::{DeliverPolicy, push};
use async_nats::jetstream::{self, Message};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use integrations_core::Result;

use super::counts::Counts;
use super::record::Glance;
use super::schema;
use super::server::{GLANCE, Writing, lost};
use super::shared::Shared;

const OPERATION: &str = "nats.follow";

/// How often it is looked whether the connection has been another one.
const LOOK: Duration = Duration::from_millis(500);

/// Follows until it is stopped.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut failures = 0_u32;
    loop {
        match follow_once(&shared).await {
            Ok(()) => failures = 0,
            Err(error) => {
                failures += 1;
                tracing::warn!(queue = shared.names.queue, %error, "cannot follow the queue; trying again");
            }
        }
        shared.server.sleep(Duration::from_millis(100) * failures.min(20)).await;
    }
}

/// Reads everything, then what is new, until the connection was lost or the stream was made again.
async fn follow_once(shared: &Arc<Shared>) -> Result<()> {
    let client = &shared.server.client;
    shared.remade.store(false, Ordering::SeqCst);
    let statistics = client.statistics();
    let connects = statistics.connects.load(Ordering::Relaxed);
    let gone = async {
        let gone = client.subscribe(shared.names.gone()).await;
        // The server knows of it before anything is read.
        client.flush().await.map_err(|error| lost(OPERATION, error.kind()))?;
        gone.map_err(|error| lost(OPERATION, error.kind()))
    };
    let mut gone = shared.server.in_time(gone).await.unwrap_or_else(|| Err(lost(OPERATION, "no answer")))?;
    let info = schema::info(&shared.server, &shared.names.jobs, OPERATION).await?;
    let last = info.state.last_seq;
    shared.begin(info.created);
    let stream = async {
        let stream = jetstream::new(client.clone())
            .get_stream_no_info(&shared.names.jobs)
            .await
            .map_err(|error| lost(OPERATION, error.kind()))?;
        let config = push::OrderedConfig {
            deliver_subject: client.new_inbox(),
            deliver_policy: DeliverPolicy::LastPerSubject,
            filter_subject: format!("{}.>", shared.names.queue),
            headers_only: true,
            ..push::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| lost(OPERATION, error.kind()))?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|error| lost(OPERATION, error.kind()))?;
        Ok((pending, messages))
    };
    let (pending, mut messages) =
        shared.server.in_time(stream).await.unwrap_or_else(|| Err(lost(OPERATION, "no answer")))?;
    let mut loading = true;
    if pending == 0 {
        end_load(shared, last);
        loading = false;
    }
    let mut look = shared.server.pause(LOOK);
    let mut silent = Duration::ZERO;
    loop {
        // What is gone first: a process says so before it writes what comes next.
        let next = select(gone.next(), messages.next());
        match select(next, &mut look).await {
            Either::Left((Either::Right((Some(Ok(message)), _)), _)) => {
                silent = Duration::ZERO;
                let (sequence, pending) = learn(shared, &message)?;
                // A slot that is written while it is read is counted once too often by the server.
                if loading && (pending == 0 || sequence >= last) {
                    end_load(shared, last.max(sequence));
                    loading = false;
                } else if !loading {
                    see(shared, sequence);
                }
            }
            Either::Left((Either::Right((Some(Err(error)), _)), _)) => {
                return Err(lost(OPERATION, error.kind()));
            }
            Either::Left((Either::Left((Some(message), _)), _)) => forget(shared, &message.payload),
            Either::Left(_) => return Err(lost(OPERATION, "the subscription has ended")),
            Either::Right(_) => {
                look = shared.server.pause(LOOK);
                silent += LOOK;
                if loading && silent >= shared.server.timeout {
                    return Err(lost(OPERATION, "the stream was not read to its end"));
                }
                if loading {
                    // What was to come may have been emptied; this comes after all of it.
                    let writing = Writing { behind: None, glance: "", body: bytes::Bytes::new(), once: None };
                    shared.server.put(OPERATION, shared.names.tick(), writing).await?;
                }
                let connected = statistics.connects.load(Ordering::Relaxed) == connects;
                if !connected || shared.remade.load(Ordering::SeqCst) {
                    return Ok(());
                }
            }
        }
    }
}

fn end_load(shared: &Shared, sequence: u64) {
    shared.index().end_load(sequence);
    see(shared, sequence);
    shared.news.send_replace(());
}

fn see(shared: &Shared, sequence: u64) {
    shared.index().see(sequence);
    shared.seen.send_modify(|seen| *seen = Some(seen.unwrap_or(0).max(sequence)));
}

fn learn(shared: &Shared, message: &Message) -> Result<(u64, u64)> {
    let info = message.info().map_err(|_| lost(OPERATION, "a message without a sequence"))?;
    let (sequence, pending) = (info.stream_sequence, info.pending);
    let text = message.headers.as_ref().and_then(|headers| headers.get(GLANCE)).map(HeaderValue::as_str);
    let text = text.unwrap_or_default();
    if let Some(slot) = shared.names.slot_of(&message.subject) {
        if let Some(glance) = Glance::read(text) {
            shared.learn(slot, sequence, &glance);
        } else {
            tracing::warn!(queue = shared.names.queue, sequence, "a stored job cannot be read");
        }
    } else if shared.names.is_count(&message.subject)
        && let Ok((kind, counts)) = serde_json::from_str::<(_, Counts)>(text)
    {
        shared.index().set_counts(&kind, sequence, counts);
    }
    Ok((sequence, pending))
}

fn forget(shared: &Shared, text: &[u8]) {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| {
        let (slot, sequence) = text.split_once(' ')?;
        Some((u128::from_str_radix(slot, 16).ok()?, sequence.parse().ok()?))
    });
    if let Some((slot, sequence)) = parsed {
        shared.index().remove(slot, sequence);
    }
}
