//! What is in the queue, and in its history?

use std::collections::BTreeMap;

use async_nats::jetstream;
use async_nats::jetstream::consumer::push;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream;
use integrations_core::Result;
use integrations_core::queue::{Enqueued, JobId, JobKind, JobQuery, JobRecord, JobState, QueueStats};
use serde::Deserialize;
use serde_json::{Value, json};

use super::enqueue::enqueue;
use super::failure::{refused, unreadable};
use super::index::Known;
use super::names;
use super::record::{Glance, Record, Stand};
use super::server::{GLANCE, lost};
use super::shared::{PARALLEL, Shared};

pub(super) async fn stats(shared: &Shared) -> Result<QueueStats> {
    const OPERATION: &str = "queue.stats";
    shared.catch_up(OPERATION).await?;
    let kinds = shared.index().stats(shared.micros());
    let mut stats = QueueStats::default();
    for (kind, mut of_kind) in kinds {
        if of_kind.dead_ever > 0 {
            of_kind.dead = count_dead(shared, OPERATION, &kind).await?;
        }
        stats.kinds.insert(kind, of_kind);
    }
    Ok(stats)
}

/// A consumer that nobody listens to tells how many messages there would be.
async fn count_dead(shared: &Shared, operation: &'static str, kind: &JobKind) -> Result<u64> {
    #[derive(Deserialize)]
    struct Consumer {
        name: String,
        num_pending: u64,
    }
    let stream = &shared.names.history;
    let request = json!({
        "stream_name": stream,
        "config": {
            "filter_subject": shared.names.some_history(Some(JobState::Dead), Some(kind)),
            "deliver_policy": "all",
            "ack_policy": "none",
            "replay_policy": "instant",
            "mem_storage": true,
            "num_replicas": 1,
            "inactive_threshold": 5_000_000_000_u64,
        },
    });
    let consumer: Consumer =
        match shared.server.api(operation, format!("CONSUMER.CREATE.{stream}"), &request).await? {
            Ok(consumer) => consumer,
            Err(refusal) => return Err(refused(operation, &refusal)),
        };
    // If this fails, the server deletes it by itself soon after.
    let path = format!("CONSUMER.DELETE.{stream}.{}", consumer.name);
    drop(shared.server.api::<Value>(operation, path, &json!({})).await);
    Ok(consumer.num_pending)
}

/// Where a job is read from.
enum Source {
    Queue(Known),
    History(u64),
}

pub(super) async fn find(shared: &Shared, query: &JobQuery) -> Result<Vec<JobRecord>> {
    const OPERATION: &str = "queue.find";
    let limit = query.limit();
    let after = match &query.after {
        Some(after) => match names::number(after) {
            Some(after) => Some(after),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let one = match &query.id {
        Some(id) => match names::number(id) {
            Some(number) => Some(number),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let in_page =
        |number: u128| after.is_none_or(|after| number > after) && one.is_none_or(|one| number == one);
    let mut found: BTreeMap<u128, Source> = BTreeMap::new();
    if query.state.is_none_or(JobState::is_finished) {
        let mut keep = |number: u128, sequence: u64| {
            if in_page(number) {
                found.insert(number, Source::History(sequence));
                if found.len() > limit {
                    found.pop_last();
                }
            }
        };
        if let Some(id) = &query.id {
            for (number, sequence, _) in in_history(shared, OPERATION, id).await? {
                keep(number, sequence);
            }
        } else {
            let subject = shared.names.some_history(query.state, query.kind.as_ref());
            scan(shared, OPERATION, subject, |glance, sequence| {
                if may_match(query, &glance) {
                    keep(glance.number(), sequence);
                }
            })
            .await?;
        }
    }
    let of_the_past = query.finished_since.is_some() || query.finished_before.is_some();
    if !of_the_past && query.state.is_none_or(|state| !state.is_finished()) {
        shared.catch_up(OPERATION).await?;
        let waiting = shared.index().all(|kind, owner, stand, number| {
            let state = if matches!(stand, Stand::Waits(_)) { JobState::Waiting } else { JobState::Running };
            in_page(number)
                && query.state.is_none_or(|wanted| wanted == state)
                && query.kind.as_ref().is_none_or(|wanted| wanted == kind)
                && query.owner.as_ref().is_none_or(|wanted| wanted == owner)
        });
        // What is in both has come into the history, and its worker has crashed before it left the queue.
        found.extend(waiting.into_iter().map(|known| (known.number, Source::Queue(known))));
    }
    let first = found.into_values().take(limit);
    let mut reading = stream::iter(first).map(|source| read(shared, OPERATION, source)).buffered(PARALLEL);
    let mut records = Vec::new();
    while let Some(record) = reading.next().await {
        records.extend(record?.filter(|record| query.matches(record)));
    }
    Ok(records)
}

fn may_match(query: &JobQuery, glance: &Glance) -> bool {
    let Stand::Ended(at) = glance.stand else { return false };
    query.owner.as_ref().is_none_or(|owner| *owner == glance.owner)
        && query.kind.as_ref().is_none_or(|kind| *kind == glance.kind)
        && query.finished_since.is_none_or(|since| at >= since.timestamp_micros())
        && query.finished_before.is_none_or(|before| at <= before.timestamp_micros())
}

async fn read(shared: &Shared, operation: &'static str, source: Source) -> Result<Option<JobRecord>> {
    match source {
        Source::Queue(known) => {
            let held = shared.look(operation, &known).await?;
            Ok(held.filter(|held| held.record.number() == known.number).map(|held| held.record.job))
        }
        Source::History(sequence) => {
            let stored = shared.server.at(operation, &shared.names.history, sequence).await?;
            stored.map(|stored| Record::read(operation, &stored.body).map(|record| record.job)).transpose()
        }
    }
}

/// What the history holds of a job, the dead letter first.
async fn in_history(
    shared: &Shared,
    operation: &'static str,
    id: &JobId,
) -> Result<Vec<(u128, u64, Record)>> {
    let mut found = Vec::new();
    for state in [JobState::Dead, JobState::Done] {
        let Some(subject) = shared.names.finished(state, id) else { continue };
        if let Some(stored) = shared.server.last(operation, &shared.names.history, &subject).await? {
            let record = Record::read(operation, &stored.body)?;
            found.push((record.number(), stored.sequence, record));
        }
    }
    Ok(found)
}

pub(super) async fn requeue(shared: &Shared, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
    const OPERATION: &str = "queue.requeue";
    let mut requeued = Vec::with_capacity(jobs.len());
    for id in jobs {
        let Some((_, sequence, record)) = in_history(shared, OPERATION, id).await?.into_iter().next() else {
            requeued.push(None);
            continue;
        };
        // It waits before it leaves the dead letters: a crash in between makes two of it, and loses none.
        let enqueued = enqueue(shared, vec![record.job.job.again()]).await?;
        if record.job.state == JobState::Dead {
            shared.server.delete(OPERATION, &shared.names.history, sequence).await?;
        }
        requeued.push(enqueued.into_iter().next());
    }
    Ok(requeued)
}

pub(super) async fn purge(shared: &Shared, before: DateTime<Utc>) -> Result<u64> {
    const OPERATION: &str = "queue.purge";
    let mut old = Vec::new();
    scan(shared, OPERATION, shared.names.all_history(), |glance, sequence| {
        if matches!(glance.stand, Stand::Ended(at) if at < before.timestamp_micros()) {
            old.push(sequence);
        }
    })
    .await?;
    let mut deleting = stream::iter(old)
        .map(|sequence| shared.server.delete(OPERATION, &shared.names.history, sequence))
        .buffered(PARALLEL);
    let mut purged = 0;
    while let Some(deleted) = deleting.next().await {
        purged += u64::from(deleted?);
    }
    Ok(purged)
}

/// Reads what is at a glance of all that the history holds by now.
async fn scan(
    shared: &Shared,
    operation: &'static str,
    subject: String,
    mut each: impl FnMut(Glance, u64),
) -> Result<()> {
    let client = &shared.server.client;
    let start = async {
        let stream = jetstream::new(client.clone())
            .get_stream_no_info(&shared.names.history)
            .await
            .map_err(|error| lost(operation, error.kind()))?;
        let config = push::OrderedConfig {
            deliver_subject: client.new_inbox(),
            filter_subject: subject,
            headers_only: true,
            ..push::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| lost(operation, error.kind()))?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|error| lost(operation, error.kind()))?;
        Ok((pending, messages))
    };
    let (pending, mut messages) =
        shared.server.in_time(start).await.unwrap_or_else(|| Err(lost(operation, "no answer")))?;
    if pending == 0 {
        return Ok(());
    }
    loop {
        let message = match shared.server.in_time(messages.next()).await {
            Some(Some(Ok(message))) => message,
            Some(Some(Err(error))) => return Err(lost(operation, error.kind())),
            Some(None) | None => return Err(lost(operation, "no answer")),
        };
        let info = message.info().map_err(|_| unreadable(operation))?;
        let (sequence, pending) = (info.stream_sequence, info.pending);
        let text = message.headers.as_ref().and_then(|headers| headers.get(GLANCE));
        if let Some(glance) = text.and_then(|text| Glance::read(text.as_str())) {
            each(glance, sequence);
        }
        if pending == 0 {
            return Ok(());
        }
    }
}
