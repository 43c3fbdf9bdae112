//! Who gets which job?

use std::time::Duration;

use integrations_core::Result;
use integrations_core::queue::{JobKind, Lease, LeaseRequest, Leased, MOST_LOST_LEASES};
use integrations_core::sync::Fence;
use sqlx::Row as _;

use super::super::failure::{Answered, OrStore, count};
use super::super::{PostgresStore, micros};
use super::{again, read};

const OPERATION: &str = "queue.lease";

impl PostgresStore {
    pub(super) async fn lease_jobs(&self, request: &LeaseRequest) -> Result<Leased> {
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
