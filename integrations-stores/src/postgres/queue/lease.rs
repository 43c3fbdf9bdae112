//! Who gets which job?

use std::mem;
use std::sync::{Arc, Weak};
use std::time::Duration;

use integrations_core::Result;
use integrations_core::queue::{JobKind, Lease, LeaseRequest, Leased, MOST_LOST_LEASES};
use integrations_core::sync::Fence;
use sqlx::Row as _;

use super::super::failure::{Answered, OrStore, count};
use super::super::{PostgresStore, micros};
use super::{again, read};
use crate::group::same;

const OPERATION: &str = "queue.lease";

/// A request that stands in line.
pub(super) struct Waiting {
    store: PostgresStore,
    request: LeaseRequest,
    /// Gone when nobody waits for the jobs any more: then none are taken.
    caller: Weak<()>,
}

/// Leases for several requests at once: one call for all that are alike but for how many jobs they want.
pub(super) async fn lease_together(batch: Vec<Waiting>) -> Vec<Result<Leased>> {
    let mut results: Vec<Option<Result<Leased>>> = batch.iter().map(|_| None).collect();
    for first in 0..batch.len() {
        if results[first].is_some() {
            continue;
        }
        let alike: Vec<usize> = (first..batch.len())
            .filter(|&one| is_alike(&batch[first].request, &batch[one].request))
            .collect();
        let wanting: Vec<usize> =
            alike.iter().copied().filter(|&one| batch[one].caller.strong_count() > 0).collect();
        for one in alike {
            results[one] = Some(Ok(Leased::default()));
        }
        let Some((&one, others)) = wanting.split_first() else { continue };
        let mut request = batch[one].request.clone();
        for other in others {
            for ((_, sum), (_, most)) in request.wants.iter_mut().zip(&batch[*other].request.wants) {
                *sum = sum.saturating_add(*most);
            }
        }
        match batch[one].store.lease_jobs(&request).await {
            Ok(mut leased) => {
                for one in wanting {
                    results[one] = Some(Ok(hand_out(&mut leased, &batch[one].request)));
                }
            }
            Err(error) => {
                for one in wanting {
                    results[one] = Some(Err(same(&error)));
                }
            }
        }
    }
    results.into_iter().map(|result| result.unwrap_or_else(|| Ok(Leased::default()))).collect()
}

/// Of the same kinds, so that each hears when the next of its own kinds is due.
fn is_alike(one: &LeaseRequest, other: &LeaseRequest) -> bool {
    one.worker == other.worker
        && one.ttl == other.ttl
        && one.wants.iter().map(|(kind, _)| kind).eq(other.wants.iter().map(|(kind, _)| kind))
}

/// The part of a request, in the order of the jobs.
fn hand_out(all: &mut Leased, request: &LeaseRequest) -> Leased {
    let mut rooms = request.wants.clone();
    let (leases, rest) = mem::take(&mut all.leases).into_iter().partition(|lease| {
        let room = rooms.iter_mut().find(|(kind, room)| *room > 0 && *kind == lease.job.kind);
        room.map(|(_, room)| *room -= 1).is_some()
    });
    all.leases = rest;
    Leased { leases, next_due: all.next_due }
}

impl PostgresStore {
    pub(super) async fn lease_with_others(&self, request: &LeaseRequest) -> Result<Leased> {
        let caller = Arc::new(());
        let waiting =
            Waiting { store: self.clone(), request: request.clone(), caller: Arc::downgrade(&caller) };
        self.inner.queue.leasing.run(OPERATION, waiting).await
    }

    async fn lease_jobs(&self, request: &LeaseRequest) -> Result<Leased> {
        let kinds: Vec<&str> = request.wants.iter().map(|(kind, _)| kind.as_str()).collect();
        let mosts: Vec<i64> =
            request.wants.iter().map(|(_, most)| i64::try_from(*most).unwrap_or(i64::MAX)).collect();
        let heard = self.inner.queue.bell.heard(&request.wants);
        self.check(OPERATION).await?;
        let rows = again(|| async {
            let mut connection = self.any_connection(OPERATION).await?;
            sqlx::query(concat!(
                "SELECT ",
                read::live!(),
                ", j.fence, j.turn FROM jobs_lease($1, $2, $3, $4, $5, $6) AS j"
            ))
            .bind(self.now())
            .bind(&kinds)
            .bind(&mosts)
            .bind(micros(request.ttl))
            .bind(&request.worker)
            .bind(i32::try_from(MOST_LOST_LEASES).unwrap_or(i32::MAX))
            .fetch_all(&mut *connection)
            .answered(OPERATION)
            .await
        })
        .await?;
        let mut leased = Leased::default();
        let mut left = false;
        let mut ordered = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.try_get::<Option<i64>, _>(0).or_store(OPERATION)?.is_none() {
                let due: Option<i64> = row.try_get("due_at").or_store(OPERATION)?;
                left = row.try_get::<Option<i64>, _>("turn").or_store(OPERATION)?.is_some();
                leased.next_due = due.map(|due| Duration::from_micros(count(due.max(0))));
                continue;
            }
            let fence: i64 = row.try_get("fence").or_store(OPERATION)?;
            ordered.push((fence, Lease::new(read::record(row, OPERATION)?.job, Fence(count(fence)))));
        }
        // Fences were given in the order of the jobs.
        ordered.sort_unstable_by_key(|(fence, _)| *fence);
        leased.leases = ordered.into_iter().map(|(_, lease)| lease).collect();
        let took = |kind: &JobKind| leased.leases.iter().filter(|lease| lease.job.kind == *kind).count();
        // Whoever could take no more need not be told of what is left; whoever could is told by the bell.
        let emptied = request.wants.iter().zip(heard).filter(|((kind, most), _)| !left && took(kind) < *most);
        self.inner.queue.bell.seen(emptied.map(|((kind, _), heard)| (kind, heard)));
        Ok(leased)
    }
}
