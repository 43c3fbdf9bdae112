//! How does everything that a host stores fit in one file?
//!
//! [`SqliteStore`] implements [`TokenStore`](integrations_core::auth::TokenStore),
//! [`SyncSink`](integrations_core::sync::SyncSink),
//! [`KeyValueStore`](integrations_core::cache::KeyValueStore) and
//! [`JobQueue`](integrations_core::queue::JobQueue) on one SQLite file. Several handles,
//! also of several processes, may share a file on a local disk.
//!
//! # The queue
//! | | |
//! |---|---|
//! | Durability | What [`enqueue`](integrations_core::queue::JobQueue::enqueue) returned survives what [`Durability`] says: a loss of power, by default. So does all else that the queue has said. |
//! | Order | Exact, over all processes: by priority, then users take turns, then by id. When more than 10,000 jobs of a kind and priority become due at once, those that became due first come first. |
//! | Sharing | Processes of one machine, with the file on a local disk. Who [waits](integrations_core::queue::JobQueue::wait) learns at once of jobs from this process, and within about 50 ms of those from others. |
//! | Failover | None: when the machine or its disk is gone, so is the queue. |
//! | Fences | At least the clock in microseconds, so that they grow even over a file that was lost, as long as the clock does. |
//! | Ids | Numbers, in the order in which jobs were put in. |
//!
//! Calls that come while others are written to the disk go together in the next transaction: many at a time
//! cost little more than one. [`purge`](integrations_core::queue::JobQueue::purge) deletes 2,000 jobs per
//! transaction, so that others need not wait for it; if it fails or is dropped, some are gone and some are there.
//!
//! # Resources
//! One connection writes and a few read, so that readers never wait for a writer. Memory stays small
//! whatever the size of the database: the writer holds at most 16 MB of it, and each reader 4 MB.

mod audit;
mod compact;
mod failure;
mod kv;
mod names;
mod open;
mod page;
mod query;
mod queue;
mod read;
mod schema;
mod sink;
mod tokens;
mod writer;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::clock::{Clock, SystemClock};
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::MutexGuard;

use self::failure::OrStore;
use self::open::Settings;
use self::queue::Queue;
use self::writer::{Slot, Work, Writer};
pub use crate::audit::AuditQuery;
pub use crate::records::{QuarantinedItem, RecordCursor, RecordQuery, StoredRecord};

/// What an `Ok` of a write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A loss of power: each commit is on the disk before it returns.
    #[default]
    Full,
    /// The end of the process. A loss of power may undo the last commits, all of each and in reverse
    /// order; the database stays whole.
    ///
    /// This is less than [`TokenStore`](integrations_core::auth::TokenStore) and
    /// [`SyncSink`](integrations_core::sync::SyncSink) promise: a provider that has rotated a refresh
    /// token may not accept the one before it any more.
    Process,
}

/// Connections, records with the positions of their streams, short-lived values and a queue of jobs in one
/// SQLite file.
///
/// Clones share the same connections. It runs on a Tokio runtime.
///
/// ```
/// # async fn example() -> integrations_core::Result<()> {
/// use integrations_core::model::RecordKind;
/// use integrations_stores::SqliteStore;
/// use integrations_stores::sqlite::RecordQuery;
///
/// let store = SqliteStore::open("app.db").await?;
/// let events = RecordQuery::new().owner("ada").kind(RecordKind::Event).limit(100);
/// for record in store.records(&events).await? {
///     println!("{}", record.entity.title().unwrap_or("(untitled)"));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    clock: Arc<dyn Clock>,
    writer: Writer,
    /// `None` for a database in memory, which lives in the writer's connection alone.
    readers: Option<SqlitePool>,
    queue: Queue,
}

impl SqliteStore {
    /// Opens a file with the defaults of [`builder`](Self::builder); creates it where it is missing, and
    /// brings its schema up to date.
    ///
    /// # Errors
    /// See [`SqliteStoreBuilder::open`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().open(path).await
    }

    /// A new database in memory, which is gone with the last clone of the store. For tests and trials.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](integrations_core::ErrorKind::Store) when there is no memory for it.
    pub async fn in_memory() -> Result<Self> {
        Self::builder().in_memory().await
    }

    /// Settings other than the defaults.
    pub fn builder() -> SqliteStoreBuilder {
        SqliteStoreBuilder {
            clock: SystemClock::shared(),
            durability: Durability::default(),
            busy_timeout: Duration::from_secs(30),
            readers: 4,
        }
    }

    async fn write<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        self.inner.writer.transaction(operation, work).await
    }

    async fn reader(&self, operation: &'static str) -> Result<Reader<'_>> {
        Ok(match &self.inner.readers {
            Some(readers) => Reader::Pooled(readers.acquire().await.or_store(operation)?),
            None => Reader::Shared(self.inner.writer.lock().await),
        })
    }

    fn now(&self) -> i64 {
        self.inner.clock.now().timestamp_micros()
    }

    /// When something that lives for `ttl` from now on is over; far in the future when it overflows.
    fn expiry(&self, ttl: Duration) -> i64 {
        self.now().saturating_add(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A connection to read with.
enum Reader<'a> {
    Pooled(PoolConnection<Sqlite>),
    Shared(MutexGuard<'a, Slot>),
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Shared(slot) => slot.connection(),
        }
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Shared(slot) => slot.connection_mut(),
        }
    }
}

/// Shows the file's name alone.
impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.inner.name).finish_non_exhaustive()
    }
}

/// Settings of a [`SqliteStore`].
#[derive(Debug, Clone)]
pub struct SqliteStoreBuilder {
    clock: Arc<dyn Clock>,
    durability: Durability,
    busy_timeout: Duration,
    readers: u32,
}

impl SqliteStoreBuilder {
    /// Where the time for expiries comes from; the machine's clock by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What an `Ok` of a write survives; a loss of power by default.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long a write waits for the writes of other processes; 30 s by default.
    pub fn busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout.min(Duration::from_secs(24 * 60 * 60));
        self
    }

    /// How many reads may run at the same time; 4 by default, and at least 1.
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    /// Opens a file; creates it where it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// * [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration): code
    ///   `schema_too_new` when a newer version of this crate has written it, `foreign_database` when it
    ///   belongs to another application, `invalid_path` when the path cannot be one of a file. The file
    ///   is left as it is.
    /// * [`ErrorKind::Store`](integrations_core::ErrorKind::Store): code `not_a_database` for any other
    ///   file, which is left as it is; `cannot_open`, `disk_full` and the like.
    ///
    /// # Cancel safety
    /// The file may be left behind empty; opening it again goes on from there.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore> {
        let opened = open::open(path.as_ref(), &self.settings()).await?;
        let writer = Writer::new(opened.writer, Some(opened.options));
        let queue = Queue::new(writer.clone(), Arc::clone(&self.clock), Some(opened.reader_options));
        let readers = Some(opened.readers);
        Ok(SqliteStore {
            inner: Arc::new(Inner { name: opened.name, clock: self.clock, writer, readers, queue }),
        })
    }

    /// Makes a new database in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](integrations_core::ErrorKind::Store) when there is no memory for it.
    pub async fn in_memory(self) -> Result<SqliteStore> {
        let writer = Writer::new(open::in_memory(&self.settings()).await?, None);
        let queue = Queue::new(writer.clone(), Arc::clone(&self.clock), None);
        let name = ":memory:".into();
        Ok(SqliteStore { inner: Arc::new(Inner { name, clock: self.clock, writer, readers: None, queue }) })
    }

    fn settings(&self) -> Settings {
        Settings { durability: self.durability, busy_timeout: self.busy_timeout, readers: self.readers }
    }
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
