//! Which jobs does a pool have, and how are their leases kept?
//!
//! A lease is kept by heartbeats. One that the queue says is lost, or that could not be kept before it ran out,
//! stops its work: somebody else may have the job by then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::handler::JobRun;
use super::job::LeaseId;
use super::store::{Heartbeat, JobQueue};
use crate::clock::Clock;

/// Why work stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The lease is lost.
    Lost,
    /// The pool's time is over; the job is handed back.
    HandBack,
}

pub(super) struct HeldJob {
    run: Arc<JobRun>,
    /// When the lease runs out, at the earliest, on the pool's monotonic clock.
    until: Duration,
    beaten_at: Duration,
    stop: watch::Sender<Option<Stop>>,
}

/// The leases of a pool.
#[derive(Default)]
pub(super) struct Held {
    jobs: Mutex<HashMap<LeaseId, HeldJob>>,
}

impl Held {
    /// Takes a lease into care that was asked for at `asked`; returns what tells when to stop.
    pub(super) fn add(
        &self,
        run: &Arc<JobRun>,
        asked: Duration,
        ttl: Duration,
    ) -> watch::Receiver<Option<Stop>> {
        let (stop, stopped) = watch::channel(None);
        let job = HeldJob { run: Arc::clone(run), until: asked + ttl, beaten_at: asked, stop };
        self.jobs().insert(run.lease().id(), job);
        stopped
    }

    pub(super) fn remove(&self, lease: &LeaseId) {
        self.jobs().remove(lease);
    }

    /// Whether a lease has certainly not run out yet.
    pub(super) fn is_alive(&self, lease: &LeaseId, now: Duration) -> bool {
        self.jobs().get(lease).is_some_and(|job| now < job.until)
    }

    pub(super) fn stop_all(&self, why: Stop) {
        for job in self.jobs().values() {
            job.stop.send_if_modified(|stop| stop.replace(why).is_none());
        }
    }

    /// Sends heartbeats, for ever.
    pub(super) async fn keep(&self, queue: &dyn JobQueue, clock: &dyn Clock, ttl: Duration) {
        let tick = (ttl / 12).min(Duration::from_secs(1)).max(Duration::from_millis(1));
        loop {
            clock.sleep(tick).await;
            self.beat(queue, clock, ttl).await;
        }
    }

    async fn beat(&self, queue: &dyn JobQueue, clock: &dyn Clock, ttl: Duration) {
        let now = clock.monotonic();
        let beats = self.due(now, ttl);
        if !beats.is_empty() {
            let leases: Vec<_> = beats.iter().map(|beat| beat.lease.clone()).collect();
            let answer = tokio::select! {
                answer = queue.extend(beats) => answer,
                // A queue that does not answer must not keep lost work alive.
                () = clock.sleep(ttl / 3) => Ok(Vec::new()),
            };
            match answer {
                Ok(kept) => self.answered(&leases, &kept, now, ttl),
                Err(error) => {
                    tracing::warn!(%error, jobs = leases.len(), "the queue did not take the heartbeats");
                }
            }
        }
        self.stop_what_ran_out(clock.monotonic());
    }

    /// The leases that a third of their time has passed of, and those whose job has news.
    fn due(&self, now: Duration, ttl: Duration) -> Vec<Heartbeat> {
        let jobs = self.jobs();
        let beats = jobs.iter().filter(|(_, job)| job.stop.borrow().is_none()).filter_map(|(lease, job)| {
            let progress = job.run.untold();
            (progress.is_some() || now >= job.beaten_at + ttl / 3).then(|| Heartbeat {
                lease: lease.clone(),
                ttl,
                progress,
            })
        });
        beats.collect()
    }

    fn answered(&self, leases: &[LeaseId], kept: &[bool], asked: Duration, ttl: Duration) {
        let mut jobs = self.jobs();
        for (lease, kept) in leases.iter().zip(kept) {
            let Some(job) = jobs.get_mut(lease) else { continue };
            if *kept {
                (job.until, job.beaten_at) = (asked + ttl, asked);
            } else {
                job.stop.send_replace(Some(Stop::Lost));
            }
        }
    }

    fn stop_what_ran_out(&self, now: Duration) {
        for job in self.jobs().values().filter(|job| now >= job.until) {
            job.stop.send_if_modified(|stop| stop.replace(Stop::Lost) != Some(Stop::Lost));
        }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<LeaseId, HeldJob>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
