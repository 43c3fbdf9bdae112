//! How does a job come into the queue?

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream;
use integrations_core::Result;
use integrations_core::queue::{Enqueued, Enqueuing, JobKind, NewJob};

use super::names::new_number;
use super::record::{Glance, Record, later};
use super::server::Put;
use super::shared::{ATTEMPTS, Held, PARALLEL, Shared, contended};

const OPERATION: &str = "queue.enqueue";

/// The jobs of one call that are for the same slot, with their places in the call.
struct Arrivals {
    slot: u128,
    /// For the job, if it is a new one.
    number: u128,
    kind: JobKind,
    /// Whether there may be a twin.
    keyed: bool,
    jobs: Vec<(usize, NewJob)>,
}

struct Arrived {
    slot: u128,
    sequence: u64,
    glance: Glance,
    enqueued: Vec<(usize, Enqueued)>,
}

pub(super) async fn enqueue(shared: &Shared, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
    let now = shared.now();
    let mut enqueued = vec![None; jobs.len()];
    let mut writing =
        stream::iter(by_slot(jobs)).map(|arrivals| arrive(shared, arrivals, now)).buffered(PARALLEL);
    let mut written = Vec::new();
    let mut failed = None;
    while let Some(arrived) = writing.next().await {
        match arrived {
            Ok(arrived) => written.push(arrived),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    // In the order that other processes see.
    written.sort_unstable_by_key(|arrived| arrived.sequence);
    for arrived in written {
        shared.learn(arrived.slot, arrived.sequence, &arrived.glance);
        for (place, one) in arrived.enqueued {
            enqueued[place] = Some(one);
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(enqueued.into_iter().flatten().collect()),
    }
}

fn by_slot(jobs: Vec<NewJob>) -> Vec<Arrivals> {
    let mut all: Vec<Arrivals> = Vec::with_capacity(jobs.len());
    let mut twins: HashMap<u128, usize> = HashMap::new();
    for (place, job) in jobs.into_iter().enumerate() {
        let twin = job.twin_id().and_then(|id| u128::from_str_radix(&id, 16).ok());
        if let Some(known) = twin.and_then(|twin| twins.get(&twin)) {
            all[*known].jobs.push((place, job));
            continue;
        }
        let number = new_number();
        if let Some(twin) = twin {
            twins.insert(twin, all.len());
        }
        all.push(Arrivals {
            slot: twin.unwrap_or(number),
            number,
            kind: job.kind.clone(),
            keyed: twin.is_some(),
            jobs: vec![(place, job)],
        });
    }
    all
}

async fn arrive(shared: &Shared, arrivals: Arrivals, now: DateTime<Utc>) -> Result<Arrived> {
    let Arrivals { slot, number, kind, keyed, jobs } = arrivals;
    let _turn = if keyed { Some(shared.lock(slot).await) } else { None };
    let known = if keyed { shared.index().known(slot) } else { None };
    let mut held = match known {
        Some(known) => shared.read(OPERATION, &known).await?,
        None => None,
    };
    for _ in 0..ATTEMPTS {
        let behind = held.as_ref().map_or(0, |held| held.sequence);
        let mut record = held.map(|held| held.record);
        let mut enqueued = Vec::with_capacity(jobs.len());
        for (place, job) in &jobs {
            let (one, how) = add(record, number, job.clone(), now);
            enqueued.push((*place, Enqueued::new(one.job.job.id.clone(), how)));
            record = Some(one);
        }
        let Some(record) = record else { break };
        match shared.put(OPERATION, slot, behind, &record).await? {
            Put::Stored(sequence) => {
                return Ok(Arrived { slot, sequence, glance: record.glance(), enqueued });
            }
            Put::Conflict => held = shared.read_again(OPERATION, &kind, slot, behind).await?,
        }
    }
    Err(contended(OPERATION))
}

fn add(held: Option<Record>, number: u128, job: NewJob, now: DateTime<Utc>) -> (Record, Enqueuing) {
    if let Some(mut record) = held {
        let how = record.join(job, now);
        return (record, how);
    }
    let due = later(now, job.delay);
    (Record::new(number, job, now, due), Enqueuing::Added)
}

/// The job that is in a slot, if it is still the one that was meant.
pub(super) fn still(held: Option<Held>, number: u128) -> Option<Held> {
    held.filter(|held| held.record.number() == number)
}
