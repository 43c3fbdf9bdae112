//! What does the host hear of?

pub(crate) mod audit;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use self::audit::{AuditAction, AuditEntry, AuditLog, AuditOutcome, TracedAudit};
use crate::auth::RotationReport;
use crate::connection::{Connection, ConnectionId, ConnectionStatus, ServiceId};
use crate::error::Error;
use crate::queue::Job;
use crate::resilience::{BreakerChange, BreakerKey};
use crate::sync::{StreamKey, StreamReport, Withheld};

/// Something that the host may want to know, when it happens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A stream begins to be read.
    StreamStarted {
        /// The stream.
        stream: &'a StreamKey,
        /// The name that the user gave it.
        title: &'a str,
        /// From where: a [phase](crate::sync::Position::phase).
        phase: &'static str,
    },
    /// A page was committed.
    PageCommitted {
        /// The stream.
        stream: &'a StreamKey,
        /// What the run has done so far.
        report: &'a StreamReport,
    },
    /// The provider has forgotten the stream's position: everything is listed again.
    StreamResync {
        /// The stream.
        stream: &'a StreamKey,
    },
    /// A complete listing was too short to be believed: what it has not seen was not deleted.
    DeletionsWithheld {
        /// The stream.
        stream: &'a StreamKey,
        /// What it has seen and what not.
        withheld: Withheld,
    },
    /// A stream was read to its end, or as far as it went.
    StreamFinished {
        /// The stream.
        stream: &'a StreamKey,
        /// What the run has done.
        report: &'a StreamReport,
    },
    /// Streams that were read before are not listed by the provider any more; see
    /// [`SyncReport::vanished`](crate::sync::SyncReport::vanished). Said by each run for as long as their data
    /// is kept.
    StreamsVanished {
        /// The connection.
        connection: &'a ConnectionId,
        /// The streams.
        streams: &'a [StreamKey],
    },
    /// An account was connected, or connected again.
    Connected {
        /// The connection.
        connection: &'a Connection,
        /// The scopes that were asked for and not granted.
        missing_scopes: &'a [String],
        /// The features that do not work without them.
        disabled: &'a [&'static str],
    },
    /// A connection's tokens were refreshed.
    TokensRefreshed {
        /// The connection.
        connection: &'a ConnectionId,
    },
    /// A connection has gone from one stage of its life to another. Where it
    /// [needs its user](crate::connection::ConnectionStatus::needs_user), send them to
    /// [`Gateway::reconnect`](crate::Gateway::reconnect).
    StatusChanged {
        /// The connection, with its new status.
        connection: &'a Connection,
        /// Its status before.
        from: &'a ConnectionStatus,
    },
    /// A key expires within 14 days, or has expired. Said once in a process; nobody but a person can
    /// replace it.
    KeyExpires {
        /// The connection.
        connection: &'a Connection,
        /// When.
        expires_at: DateTime<Utc>,
    },
    /// The provider refuses the application's own credentials: refreshes at the service rest, and are tried
    /// once a minute. No user is marked; mend the credentials.
    ServicePaused {
        /// The service.
        service: &'a ServiceId,
        /// What the provider said.
        error: &'a Error,
    },
    /// The provider accepts the application again.
    ServiceResumed {
        /// The service.
        service: &'a ServiceId,
    },
    /// Refreshed tokens could not be stored yet. They are kept in memory and stored at the next use;
    /// if the process ends before, the user may have to connect again.
    TokensNotStored {
        /// The connection.
        connection: &'a ConnectionId,
    },
    /// A batch of connections was looked through for tokens under an old key.
    KeysRotated {
        /// What the rotation has done so far.
        report: &'a RotationReport,
    },
    /// A rotation of the keys could not seal a connection's tokens anew, and left them as they are.
    NotResealed {
        /// The connection.
        connection: &'a ConnectionId,
        /// Why.
        error: &'a Error,
    },
    /// A call to a provider has ended, with all its tries.
    CallFinished {
        /// The service.
        service: &'a ServiceId,
        /// The connection.
        connection: &'a ConnectionId,
        /// The operation, e.g. `events.list`.
        operation: &'static str,
        /// How long it took, waits included.
        took: Duration,
        /// Why it failed, if it did.
        error: Option<&'a Error>,
    },
    /// Calls to a host are held back from now on, or go through again.
    CircuitChanged {
        /// The host of a service.
        circuit: &'a BreakerKey,
        /// From what to what.
        change: BreakerChange,
    },
    /// A worker begins with a job.
    JobStarted {
        /// The job.
        job: &'a Job,
        /// The worker.
        worker: &'a str,
    },
    /// A worker has ended with a job.
    JobEnded {
        /// The job.
        job: &'a Job,
        /// The worker.
        worker: &'a str,
        /// How: `done`, `retried`, `dead`, `released`, or `lost` where somebody else has it by now.
        outcome: &'static str,
        /// How long it took.
        took: Duration,
        /// Why it failed, if it did.
        error: Option<&'a Error>,
    },
    /// A connection was taken down.
    Disconnected {
        /// The connection.
        connection: &'a ConnectionId,
    },
}

/// The host's ear. Called in the middle of the work: be quick, and do not block.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Hears of something.
    fn notice(&self, notice: &Notice<'_>);
}

/// An observer that does not listen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn notice(&self, _: &Notice<'_>) {}
}
