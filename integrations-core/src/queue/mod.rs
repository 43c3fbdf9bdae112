//! How is work done later, elsewhere, and even if the process dies?
//!
//! A [`JobQueue`] holds the work, over all processes that share it; a [`WorkerPool`] takes jobs out of it and has them
//! done by a [`JobHandler`] per kind.

mod after;
mod builder;
mod handler;
mod held;
mod job;
mod pool;
mod store;
mod work;

pub use self::after::{JobRetries, after};
pub use self::builder::WorkerPoolBuilder;
pub use self::handler::{JobHandler, JobRun, ProgressReporter};
pub use self::job::{
    Job, JobFailure, JobId, JobKind, JobRecord, JobState, Lease, LeaseId, NewJob, Payload, Priority, Progress,
};
pub use self::pool::{PoolReport, WorkerPool};
pub use self::store::{
    Enqueued, Enqueuing, Heartbeat, JobQuery, JobQueue, KindStats, LeaseRequest, Leased, MOST_LOST_LEASES,
    Outcome, QueueStats, Repeat, Settlement,
};
