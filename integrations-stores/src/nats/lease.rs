//! Who gets which job?

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream;
use integrations_core::Result;
use integrations_core::queue::{JobState, Lease, LeaseRequest, Leased};
use integrations_core::sync::Fence;

use super::counts::Counts;
use super::enqueue::still;
use super::index::Known;
use super::record::later;
use super::server::Put;
use super::settle::{conclude, count};
use super::shared::{PARALLEL, Shared};

const OPERATION: &str = "queue.lease";

pub(super) async fn lease(shared: &Shared, request: &LeaseRequest) -> Result<Leased> {
    let now = shared.now();
    let mut leases: Vec<Vec<Lease>> = request.wants.iter().map(|_| Vec::new()).collect();
    let mut caught_up = false;
    let mut skip = 0;
    loop {
        put_back_lost(shared, request, now).await?;
        let picked = pick(shared, request, &leases, skip, now);
        if picked.is_empty() {
            // Others may have written what is not known here yet; whoever got something comes again anyway.
            if caught_up || leases.iter().any(|leases| !leases.is_empty()) {
                break;
            }
            shared.catch_up(OPERATION).await?;
            caught_up = true;
            continue;
        }
        let slots: Vec<u128> = picked.iter().map(|(_, known)| known.slot).collect();
        let mut taking = stream::iter(picked)
            .map(|(place, known)| async move { (place, take(shared, request, known, now).await) })
            .buffered(PARALLEL);
        let mut failed = None;
        let mut missed = 0;
        while let Some((place, taken)) = taking.next().await {
            match taken {
                Ok(Some(lease)) => leases[place].push(lease),
                Ok(None) => missed += 1,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        drop(taking);
        give_back(shared, &slots);
        // Others are at the same jobs: processes that all begin with the first would meet again and again.
        skip = scatter(missed);
        // What was leased before the failure is the caller's, who would not hear of it otherwise.
        if let Some(error) = failed {
            if leases.iter().all(Vec::is_empty) {
                return Err(error);
            }
            break;
        }
    }
    Ok(Leased { leases: leases.into_iter().flatten().collect(), next_due: next_due(shared, request, now) })
}

fn pick(
    shared: &Shared,
    request: &LeaseRequest,
    leases: &[Vec<Lease>],
    skip: usize,
    now: DateTime<Utc>,
) -> Vec<(usize, Known)> {
    let mut index = shared.index();
    let mut picked = Vec::new();
    for (place, ((kind, most), leases)) in request.wants.iter().zip(leases).enumerate() {
        let wanted = most.saturating_sub(leases.len());
        let first = index.pick(kind, wanted, skip, now.timestamp_micros());
        picked.extend(first.into_iter().map(|known| (place, known)));
    }
    picked
}

/// A place among the first jobs, another for each process.
fn scatter(missed: usize) -> usize {
    // The last half of such an id is random.
    let random = uuid::Uuid::new_v4().as_u64_pair().1;
    usize::try_from(random % (2 * missed as u64 + 1)).unwrap_or(0)
}

/// What was taken has another sequence by now, and is left alone.
fn give_back(shared: &Shared, slots: &[u128]) {
    let now = shared.micros();
    let mut index = shared.index();
    for slot in slots {
        index.give_back(*slot, now);
    }
}

async fn take(
    shared: &Shared,
    request: &LeaseRequest,
    known: Known,
    now: DateTime<Utc>,
) -> Result<Option<Lease>> {
    let Some(held) = shared.read(OPERATION, &known).await? else { return Ok(None) };
    // It was changed since: its place in the order may be another.
    if held.sequence != known.sequence || held.record.job.state != JobState::Waiting {
        return Ok(None);
    }
    let mut record = held.record;
    record.start(request, now);
    match shared.put(OPERATION, known.slot, known.sequence, &record).await? {
        Put::Stored(sequence) => {
            shared.learn(known.slot, sequence, &record.glance());
            Ok(Some(Lease::new(record.job.job, Fence(shared.fence(sequence)))))
        }
        Put::Conflict => {
            shared.read_again(OPERATION, &known.kind, known.slot, known.sequence).await?;
            Ok(None)
        }
    }
}

/// Jobs whose leases have run out wait again.
async fn put_back_lost(shared: &Shared, request: &LeaseRequest, now: DateTime<Utc>) -> Result<()> {
    let margin = i64::try_from(shared.margin.as_micros()).unwrap_or(i64::MAX);
    let by = now.timestamp_micros().saturating_sub(margin);
    let expired: Vec<Known> = {
        let mut index = shared.index();
        request.wants.iter().flat_map(|(kind, _)| index.pick_expired(kind, by)).collect()
    };
    if expired.is_empty() {
        return Ok(());
    }
    let slots: Vec<u128> = expired.iter().map(|known| known.slot).collect();
    let mut counts = HashMap::new();
    let mut failed = None;
    let mut putting = stream::iter(expired)
        .map(|known| async move { (known.kind.clone(), put_back(shared, known, now).await) })
        .buffered(PARALLEL);
    while let Some((kind, result)) = putting.next().await {
        match result {
            Ok(true) => {
                let counts: &mut Counts = counts.entry(kind).or_default();
                counts.dead += 1;
            }
            Ok(false) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    drop(putting);
    give_back(shared, &slots);
    count(shared, counts).await;
    failed.map_or(Ok(()), Err)
}

/// Returns whether the job is dead.
async fn put_back(shared: &Shared, known: Known, now: DateTime<Utc>) -> Result<bool> {
    let _turn = shared.lock(known.slot).await;
    let Some(held) = still(shared.read(OPERATION, &known).await?, known.number) else { return Ok(false) };
    let until = held.record.job.due_at.map(|until| later(until, shared.margin));
    if !Shared::is_running(&held.record) || until.is_none_or(|until| until > now) {
        return Ok(false);
    }
    let fence = Fence(held.record.fence);
    let ended = held.record.put_back(now);
    let dead = ended.over.is_some();
    let concluded = conclude(shared, OPERATION, held.slot, held.sequence, fence, ended).await?;
    if !concluded {
        shared.read_again(OPERATION, &known.kind, held.slot, held.sequence).await?;
    }
    Ok(dead && concluded)
}

fn next_due(shared: &Shared, request: &LeaseRequest, now: DateTime<Utc>) -> Option<Duration> {
    let index = shared.index();
    let margin = i64::try_from(shared.margin.as_micros()).unwrap_or(i64::MAX);
    let times = request.wants.iter().flat_map(|(kind, _)| {
        let [due, until] = index.next(kind);
        [due, until.map(|until| until.saturating_add(margin))]
    });
    let next = times.flatten().min()?;
    let wait = next.saturating_sub(now.timestamp_micros());
    Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
}
