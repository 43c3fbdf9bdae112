//! What becomes of a job?
//!
//! Every change of a job is a function of what it was, so that it can be made again on what somebody else has made of it
//! in the meantime.

use chrono::{DateTime, Utc};
use integrations_core::ErrorKind;
use integrations_core::queue::{
    Enqueuing, JobFailure, JobState, LeaseRequest, MOST_LOST_LEASES, NewJob, Outcome, Settlement,
};

use super::names::new_number;
use super::record::{Record, Twin, later};

/// What is left of a job that has ended.
pub(super) struct Ended {
    /// For the history, if it is over.
    pub(super) over: Option<Record>,
    /// What waits in its place.
    pub(super) next: Option<Record>,
}

impl Record {
    /// A twin comes.
    pub(super) fn join(&mut self, job: NewJob, now: DateTime<Utc>) -> Enqueuing {
        let twin = Twin { payload: job.payload, priority: job.priority, due: later(now, job.delay) };
        if self.job.state != JobState::Running {
            self.coalesce(twin);
            return Enqueuing::Coalesced;
        }
        self.again = Some(match self.again.take() {
            Some(kept) => kept.coalesce(twin),
            None => twin,
        });
        self.job.again = true;
        Enqueuing::Again
    }

    /// A job that waits takes on what a twin asks for; one that waits for a retry keeps its time.
    fn coalesce(&mut self, twin: Twin) {
        let job = &mut self.job.job;
        job.payload = twin.payload;
        job.priority = job.priority.min(twin.priority);
        if job.failures == 0 {
            self.job.due_at = self.job.due_at.min(Some(twin.due));
        }
    }

    /// A worker takes it.
    pub(super) fn start(&mut self, request: &LeaseRequest, now: DateTime<Utc>) {
        self.fence = 0;
        self.job.state = JobState::Running;
        self.job.due_at = Some(later(now, request.ttl));
        self.job.started_at = Some(now);
        self.job.worker = Some(request.worker.clone());
    }

    /// Its worker says how it has ended.
    pub(super) fn end(mut self, settlement: &Settlement, now: DateTime<Utc>) -> Ended {
        let record = &mut self.job;
        record.progress = settlement.progress.clone().or(record.progress.take());
        record.failure = settlement.failure.clone().or(record.failure.take());
        match settlement.outcome {
            Outcome::Done | Outcome::Dead => {
                let done = settlement.outcome == Outcome::Done;
                let repeat = settlement.repeat.as_ref().map(|repeat| Twin {
                    payload: repeat.payload.clone().unwrap_or_else(|| record.job.payload.clone()),
                    priority: record.job.priority,
                    due: later(now, repeat.after),
                });
                self.finish(if done { JobState::Done } else { JobState::Dead }, repeat, now)
            }
            Outcome::Retry { after } => {
                record.job.failures += 1;
                Ended { over: None, next: Some(self.wait_on(later(now, after))) }
            }
            Outcome::Release => Ended { over: None, next: Some(self.wait_on(now)) },
        }
    }

    /// Its lease has run out.
    pub(super) fn put_back(mut self, now: DateTime<Utc>) -> Ended {
        let job = &mut self.job.job;
        job.lost += 1;
        if job.lost < MOST_LOST_LEASES {
            let expired = self.job.due_at.unwrap_or(now);
            return Ended { over: None, next: Some(self.wait_on(expired)) };
        }
        self.job.failure = Some(JobFailure::new(
            ErrorKind::Cancelled,
            "lease_lost",
            format!(
                "{MOST_LOST_LEASES} workers have lost the job, the last was {}; see whether it crashes them, and put \
                 it into the queue again",
                self.job.worker.as_deref().unwrap_or("unknown"),
            ),
        ));
        self.finish(JobState::Dead, None, now)
    }

    /// It is over. What came while it ran, or is to come after it, waits as a new job.
    fn finish(mut self, state: JobState, repeat: Option<Twin>, now: DateTime<Utc>) -> Ended {
        let next = match (repeat, self.again.take()) {
            (Some(repeat), Some(again)) => Some(repeat.coalesce(again)),
            (repeat, again) => repeat.or(again),
        };
        let next = next.map(|Twin { payload, priority, due }| {
            let job = self.job.job.again().payload(payload).priority(priority);
            Self::new(new_number(), job, now, due.max(now))
        });
        self.fence = 0;
        self.job.state = state;
        self.job.again = false;
        self.job.due_at = None;
        self.job.finished_at = Some(now);
        Ended { over: Some(self), next }
    }

    /// It waits once more, and does the work of the twin that came while it ran.
    fn wait_on(mut self, due: DateTime<Utc>) -> Self {
        self.fence = 0;
        self.job.state = JobState::Waiting;
        self.job.again = false;
        self.job.due_at = Some(due);
        if let Some(Twin { payload, priority, .. }) = self.again.take() {
            self.coalesce(Twin { payload, priority, due });
        }
        self
    }
}

impl Twin {
    fn coalesce(self, newer: Self) -> Self {
        Self {
            payload: newer.payload,
            priority: self.priority.min(newer.priority),
            due: self.due.min(newer.due),
        }
    }
}
