//! How do several machines share everything that a host stores?
//!
//! [`PostgresStore`] implements [`TokenStore`](integrations_core::auth::TokenStore),
//! [`SyncSink`](integrations_core::sync::SyncSink), [`KeyValueStore`](integrations_core::cache::KeyValueStore),
//! [`AuditLog`](integrations_core::observe::AuditLog) and [`JobQueue`](integrations_core::queue::JobQueue) on one
//! PostgreSQL schema, for any number of processes. It needs PostgreSQL 12 or later, and was tested on 15. Once
//! somebody waits for jobs, a process has one connection more than its pool, on which it listens.
//!
//! # To begin with
//! A server comes with every distribution (`apt-get install postgresql`, `dnf install postgresql-server`), as a
//! container (`docker run -e POSTGRES_PASSWORD=… -p 5432:5432 postgres`), or from a cloud. The store needs a database
//! and a user who may make a schema in it, or one that was made for that user:
//!
//! ```sql
//! CREATE USER app PASSWORD '…';
//! CREATE DATABASE app OWNER app;
//! ```
//!
//! The URL holds the password: it belongs in the environment or in a store of secrets, not in the code. Where it has no
//! password, `PGPASSWORD` or the file `~/.pgpass` gives it. Neither stands in an error or in `Debug` output. Over a
//! network that is not yours, say `?sslmode=verify-full`: by default TLS is used where the server offers it, and
//! nobody checks who that is. A pooler in between (PgBouncer and the like) has to pool sessions, not transactions, and
//! to pass the start-up parameter `options` on.
//!
//! [`migrate`](PostgresStore::migrate) makes the tables and brings older ones up to date, when the host says so: as
//! each process starts, or once in a deployment, by a user with more rights. Processes of the version before may run on
//! meanwhile; they cannot be started any more.
//!
//! # What it promises
//! * **Durability.** What has returned `Ok` survives whatever a commit of the server survives: with its defaults, a
//!   crash of every process and a loss of power. A server with `synchronous_commit = off` may lose the last moments in
//!   a crash, and a standby that is not synchronous may lose them in a failover; that is less than the traits promise.
//! * **Order.** Commits to one stream take turns, over all processes; those to different streams do not wait for each
//!   other. Whoever reads sees a commit whole, or not yet. Entries of the audit log become visible in the order of their
//!   numbers.
//! * **Time.** Every expiry is counted on the server's clock, so those of the machines may differ.
//! * **Dropped futures.** A call whose future is dropped has happened whole, or not at all, or is about to.
//!
//! # When the server fails
//! | Code | What was it | And the call |
//! |---|---|---|
//! | `database_unreachable` | no connection, a lost one, or no answer within a minute | may have happened |
//! | `database_restarting` | the server shuts down or starts up | has not happened, but for a lost `COMMIT` |
//! | `database_busy` | no free connection within [`acquire_timeout`](PostgresStoreBuilder::acquire_timeout), or a lock that was held for half a minute | has not happened |
//! | `database_read_only` | a standby, or a primary of before | has not happened |
//! | `transaction_conflict` | others were in the way, each of five times | has not happened |
//! | `disk_full`, `too_many_connections`, … | the server says what it is short of | has not happened |
//!
//! All of them are [`ErrorKind::Store`](integrations_core::ErrorKind::Store), and worth another try. After one of the
//! first two or a `database_read_only`, the store leaves all its connections and makes new ones, by the names in its
//! URL: after a failover it follows where those lead. By itself it tries again what the server has undone for the sake
//! of others (deadlocks), what was lost before it began, and for as long as `acquire_timeout` a connection that is
//! refused.

mod audit;
mod failure;
mod kv;
mod open;
mod page;
mod query;
mod queue;
mod read;
mod schema;
mod session;
mod sink;
mod tokens;
mod transaction;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use integrations_core::Result;
use integrations_core::clock::Clock;
use sqlx::PgPool;

pub use crate::audit::AuditQuery;
pub use crate::records::{QuarantinedItem, RecordCursor, RecordQuery, StoredRecord};

/// Connections, records with the positions of their streams, short-lived values and the audit log in one schema of a
/// PostgreSQL database.
///
/// Clones share the same connections. It runs on a Tokio runtime.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use integrations_stores::PostgresStore;
///
/// let store = PostgresStore::connect(&std::env::var("DATABASE_URL")?).await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    /// `None`: the server's, on which all machines agree.
    clock: Option<Arc<dyn Clock>>,
    schema: String,
    /// Whether the tables have been seen to be there, in the version that this crate knows.
    ready: AtomicBool,
    /// Counts the writes of what expires.
    writes: AtomicU64,
    queue: queue::Queue,
}

impl PostgresStore {
    /// Connects with the defaults of [`builder`](Self::builder). It changes nothing in the database: new tables are
    /// made by [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// See [`PostgresStoreBuilder::connect`].
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder().connect(url).await
    }

    /// Settings other than the defaults.
    pub fn builder() -> PostgresStoreBuilder {
        PostgresStoreBuilder {
            schema: "integrations".into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(10),
            clock: None,
        }
    }

    /// Makes the schema and its tables where they are missing, and brings older ones up to date. It may be called
    /// each time a process starts, by any number of them at once.
    ///
    /// # Errors
    /// * [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration): code `schema_too_new` when a newer
    ///   version of this crate has been here, `foreign_schema` when the schema holds the tables of another
    ///   application, `privilege_missing` when the user may not make tables. The schema is left as it is.
    /// * [`ErrorKind::Store`](integrations_core::ErrorKind::Store).
    ///
    /// # Cancel safety
    /// When the future is dropped, it has happened whole or not at all.
    pub async fn migrate(&self) -> Result<()> {
        schema::migrate(self).await?;
        self.inner.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// For what is neither a statement nor a [transaction](Self::transaction), such as listening. A transaction that
    /// is begun here and dropped while it begins stays open on its connection (sqlx 0.9.0).
    fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    /// Microseconds of the given clock; `None` is the server's. Every statement that needs the time binds it, and
    /// says `now_micros($n)`, or `(SELECT now_micros($n))` where an index is to be used.
    fn now(&self) -> Option<i64> {
        self.inner.clock.as_ref().map(|clock| clock.now().timestamp_micros())
    }
}

/// Shows the schema's name alone.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("schema", &self.inner.schema).finish_non_exhaustive()
    }
}

/// Settings of a [`PostgresStore`].
#[derive(Debug, Clone)]
pub struct PostgresStoreBuilder {
    schema: String,
    max_connections: u32,
    acquire_timeout: Duration,
    clock: Option<Arc<dyn Clock>>,
}

impl PostgresStoreBuilder {
    /// The PostgreSQL schema that holds the tables; `integrations` by default. Lower-case letters, digits and
    /// underscores, at most 63, and no digit first. It belongs to the store alone.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// How many connections this process may have; 10 by default, and at least 1. All processes together must stay
    /// below the server's `max_connections`, which is 100 unless somebody has changed it.
    pub fn max_connections(mut self, max_connections: u32) -> Self {
        self.max_connections = max_connections.max(1);
        self
    }

    /// How long a call waits for a connection, also while the server restarts; 10 s by default.
    pub fn acquire_timeout(mut self, acquire_timeout: Duration) -> Self {
        self.acquire_timeout = acquire_timeout;
        self
    }

    /// Where the time for expiries comes from. For tests: by default it is the server's clock, on which all
    /// machines agree.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Connects to the database of a URL, e.g. `postgres://user:password@host:5432/database?sslmode=verify-full`.
    ///
    /// # Errors
    /// * [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration): code `invalid_schema` or
    ///   `invalid_url` when these cannot be read, `access_denied`, `database_missing`; `schema_too_new` when a newer
    ///   version of this crate has migrated the schema, `foreign_schema` when it belongs to another application.
    /// * [`ErrorKind::Store`](integrations_core::ErrorKind::Store): code `database_unreachable` and the like.
    ///
    /// That the schema is missing, or is an older one, is said by each call until [`migrate`](PostgresStore::migrate)
    /// was called: `Configuration` with code `schema_missing` or `schema_outdated`.
    pub async fn connect(self, url: &str) -> Result<PostgresStore> {
        let opened = open::open(url, &self).await?;
        Ok(PostgresStore {
            inner: Arc::new(Inner {
                pool: opened.pool,
                clock: self.clock,
                schema: self.schema,
                ready: AtomicBool::new(opened.ready),
                writes: AtomicU64::new(0),
                queue: queue::Queue::new(),
            }),
        })
    }
}

/// A time to live in microseconds; so long that it never ends where it does not fit.
fn micros(ttl: Duration) -> i64 {
    const FOREVER: i64 = i64::MAX / 4;
    i64::try_from(ttl.as_micros()).unwrap_or(FOREVER).min(FOREVER)
}
