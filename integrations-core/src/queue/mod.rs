//! How is work done later, elsewhere, and even if the process dies?
//!
//! A [`JobQueue`] holds the work.

mod job;
mod store;

pub use self::job::{
    Job, JobFailure, JobId, JobKind, JobRecord, JobState, Lease, LeaseId, NewJob, Payload, Priority, Progress,
};
pub use self::store::{
    Enqueued, Enqueuing, Heartbeat, JobQuery, JobQueue, KindStats, LeaseRequest, Leased, MOST_LOST_LEASES,
    Outcome, QueueStats, Repeat, Settlement,
};
