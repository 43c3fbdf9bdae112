//! How does a job end, and how long is it held?

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream;
use integrations_core::Result;
use integrations_core::queue::{Heartbeat, JobKind, LeaseId, Outcome, Settlement};
use integrations_core::sync::Fence;

use super::counts::Counts;
use super::enqueue::still;
use super::index::Known;
use super::life::Ended;
use super::names;
use super::record::{Stand, later};
use super::server::Put;
use super::shared::{ATTEMPTS, Held, PARALLEL, Shared, contended};

pub(super) async fn extend(shared: &Shared, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
    const OPERATION: &str = "queue.extend";
    let now = shared.now();
    let known = locate(shared, OPERATION, heartbeats.iter().map(|heartbeat| &heartbeat.lease)).await?;
    let mut extending = stream::iter(heartbeats.into_iter().zip(known))
        .map(|(heartbeat, known)| extend_one(shared, OPERATION, heartbeat, known, now))
        .buffered(PARALLEL);
    let mut held = Vec::new();
    while let Some(one) = extending.next().await {
        held.push(one);
    }
    held.into_iter().collect()
}

async fn extend_one(
    shared: &Shared,
    operation: &'static str,
    heartbeat: Heartbeat,
    known: Option<Known>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let Heartbeat { lease, ttl, progress } = heartbeat;
    let Some(known) = known else { return Ok(false) };
    let _turn = shared.lock(known.slot).await;
    let mut held = newest(shared, operation, &known).await?;
    for _ in 0..ATTEMPTS {
        let Some(Held { slot, sequence, mut record }) = still_leased(held, &lease) else {
            return Ok(false);
        };
        record.fence = lease.fence.0;
        record.job.due_at = Some(later(now, ttl));
        record.job.progress = progress.clone().or(record.job.progress);
        match shared.put(operation, slot, sequence, &record).await? {
            Put::Stored(sequence) => {
                shared.learn(slot, sequence, &record.glance());
                return Ok(true);
            }
            Put::Conflict => held = shared.read_again(operation, &known.kind, slot, sequence).await?,
        }
    }
    Err(contended(operation))
}

pub(super) async fn settle(shared: &Shared, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
    const OPERATION: &str = "queue.settle";
    let now = shared.now();
    let known = locate(shared, OPERATION, settlements.iter().map(|settlement| &settlement.lease)).await?;
    let mut settling = stream::iter(settlements.into_iter().zip(known))
        .map(|(settlement, known)| settle_one(shared, OPERATION, settlement, known, now))
        .buffered(PARALLEL);
    let mut held = Vec::new();
    let mut counts: HashMap<JobKind, Counts> = HashMap::new();
    while let Some(one) = settling.next().await {
        if let Ok(Some((kind, one))) = &one {
            *counts.entry(kind.clone()).or_default() += *one;
        }
        held.push(one.map(|one| one.is_some()));
    }
    drop(settling);
    count(shared, counts).await;
    held.into_iter().collect()
}

/// Returns what is to be counted, of which kind; `None` when the lease was not held any more.
async fn settle_one(
    shared: &Shared,
    operation: &'static str,
    settlement: Settlement,
    known: Option<Known>,
    now: DateTime<Utc>,
) -> Result<Option<(JobKind, Counts)>> {
    let Some(known) = known else { return Ok(None) };
    let _turn = shared.lock(known.slot).await;
    let mut held = newest(shared, operation, &known).await?;
    for _ in 0..ATTEMPTS {
        let Some(Held { slot, sequence, record }) = still_leased(held, &settlement.lease) else {
            return Ok(None);
        };
        let ended = record.end(&settlement, now);
        if conclude(shared, operation, slot, sequence, settlement.lease.fence, ended).await? {
            let counts = match settlement.outcome {
                Outcome::Done => Counts { done: 1, ..Counts::default() },
                Outcome::Retry { .. } => Counts { retried: 1, ..Counts::default() },
                Outcome::Dead => Counts { dead: 1, ..Counts::default() },
                Outcome::Release => Counts::default(),
            };
            return Ok(Some((known.kind, counts)));
        }
        held = shared.read_again(operation, &known.kind, slot, sequence).await?;
    }
    Err(contended(operation))
}

/// Writes how a job has ended, if nobody was there first.
pub(super) async fn conclude(
    shared: &Shared,
    operation: &'static str,
    slot: u128,
    sequence: u64,
    fence: Fence,
    ended: Ended,
) -> Result<bool> {
    let remembered = match &ended.over {
        // Before it leaves the queue: a crash in between makes it run once more, and does not lose it.
        Some(over) => {
            let once = format!("{}-{}", over.job.job.id, fence.0);
            Some(shared.remember(operation, over, once).await?)
        }
        None => None,
    };
    let concluded = match &ended.next {
        Some(next) => match shared.put(operation, slot, sequence, next).await? {
            Put::Stored(sequence) => {
                shared.learn(slot, sequence, &next.glance());
                true
            }
            Put::Conflict => false,
        },
        None => shared.empty(operation, slot, sequence).await?,
    };
    if let (false, Some(remembered)) = (concluded, remembered) {
        shared.server.delete(operation, &shared.names.history, remembered).await?;
    }
    Ok(concluded)
}

/// Adds to the counts. What could not be counted is lost to the statistics, and to nothing else.
pub(super) async fn count(shared: &Shared, counts: HashMap<JobKind, Counts>) {
    let counts: Vec<_> = counts.into_iter().filter(|(_, counts)| *counts != Counts::default()).collect();
    if counts.is_empty() {
        return;
    }
    if let Some(counter) = shared.counter.get()
        && let Err(error) = counter.run("queue.count", counts).await
    {
        tracing::warn!(queue = shared.names.queue, %error, "cannot count what has become of jobs");
    }
}

/// Finds the jobs of leases, each if it is still held as far as this process knows.
async fn locate<'a>(
    shared: &Shared,
    operation: &'static str,
    leases: impl Iterator<Item = &'a LeaseId> + Clone,
) -> Result<Vec<Option<Known>>> {
    let look = |lease: &LeaseId| {
        let known = shared.index().job(names::number(&lease.job)?)?;
        let fence = match known.stand {
            Stand::Runs(_, 0) => shared.fence(known.sequence),
            Stand::Runs(_, fence) => fence,
            Stand::Waits(_) | Stand::Ended(_) => return None,
        };
        (fence == lease.fence.0).then_some(known)
    };
    let known: Vec<_> = leases.clone().map(look).collect();
    if known.iter().all(Option::is_some) {
        return Ok(known);
    }
    // Another process may have leased them, of which nothing is known here yet.
    shared.catch_up(operation).await?;
    Ok(leases.map(look).collect())
}

/// Reads a slot as it is known now that its turn has come.
async fn newest(shared: &Shared, operation: &'static str, known: &Known) -> Result<Option<Held>> {
    let newest = shared.index().known(known.slot);
    match newest {
        Some(newest) => Ok(still(shared.read(operation, &newest).await?, known.number)),
        None => Ok(None),
    }
}

fn still_leased(held: Option<Held>, lease: &LeaseId) -> Option<Held> {
    held.filter(|held| {
        let record = &held.record;
        Shared::is_running(record) && record.job.job.id == lease.job && record.fence == lease.fence.0
    })
}
