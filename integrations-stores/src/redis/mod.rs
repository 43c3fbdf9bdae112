//! How do several machines share a queue that is fast, and small values?
//!
//! [`RedisStore`] implements [`JobQueue`](integrations_core::queue::JobQueue) and
//! [`KeyValueStore`](integrations_core::cache::KeyValueStore) on one Redis server, for any number of processes.
//! [`RedisGuards`] takes the guards of refreshes from a [`TokenStore`](integrations_core::auth::TokenStore) to Redis. It
//! needs Redis 6 or later, or Valkey, and was tested on Redis 7.0.
//!
//! # To begin with
//! A server comes with every distribution (`apt-get install redis-server`, `dnf install valkey`), as a container
//! (`docker run -p 6379:6379 redis redis-server --appendonly yes`), or from a cloud. The URL, e.g.
//! `rediss://user:password@host:6379/0`, belongs in the environment or in a store of secrets; what is secret in it stands
//! in no error and in no `Debug` output.
//!
//! ```no_run
//! # async fn example() -> integrations_core::Result<()> {
//! use integrations_stores::RedisStore;
//!
//! let store = RedisStore::connect(&std::env::var("REDIS_URL").unwrap_or_default()).await?;
//! store.migrate().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//! Each call is one script, so that it happens whole or not at all, whatever others do meanwhile; a server that drops keys
//! to make room breaks that.
//! * **Durability** is that of the server. With `appendonly yes` and `appendfsync always`, what has returned `Ok`
//!   survives a loss of power; with `everysec` the last second may be lost; without a file, everything with the server.
//!   After a loss, jobs that had been settled may run again, and those of the schedule are put back by
//!   [`Scheduler::begin`](integrations_core::schedule::Scheduler::begin). Fences and ids are at least the server's clock in
//!   microseconds: so they rise all the same, as long as the clock of a new primary is not behind by more than the
//!   failover takes.
//! * **Order** is that of the trait, over all processes.
//! * **Failover.** Redis hands over to a replica that may not have the last writes; see above for what that means.
//! * **Memory.** All jobs, the history too, are in the server's memory. It must not drop keys to make room: set
//!   `maxmemory-policy noeviction`, and purge the history as often as you need.
//! * **Time.** Every expiry is counted on the server's clock, so those of the machines may differ.
//!
//! # Keys
//! All keys of a store have one hash tag, its prefix, so that a cluster keeps them together.
//!
//! | Key | Type | What |
//! |---|---|---|
//! | `{prefix}:version` | string | the version of this layout |
//! | `{prefix}:kv:…`, `{prefix}:guard:…` | string | a value behind the microsecond at which it is over |
//! | `{prefix}:q:job:ID` | hash | a job and all that is known of it |
//! | `{prefix}:q:ids` | sorted set | all jobs, by id |
//! | `{prefix}:q:twin:TWIN` | string | the job of those twins that waits or runs |
//! | `{prefix}:q:ready:KIND:PRIORITY` | sorted set | jobs that wait for a worker, by turn |
//! | `{prefix}:q:turns:KIND:PRIORITY` | sorted set | users, by the last turn that they were given |
//! | `{prefix}:q:since:KIND` | sorted set | jobs that wait for a worker, by when they were due |
//! | `{prefix}:q:delayed:KIND`, `{prefix}:q:running:KIND` | sorted set | jobs, by when they are due or their lease runs out |
//! | `{prefix}:q:done`, `{prefix}:q:dead` | sorted set | jobs that are over, by when |
//! | `{prefix}:q:count:KIND`, `{prefix}:q:kinds` | hash, set | counters, and which kinds there are |
//! | `{prefix}:q:last`, `{prefix}:q:fence` | string | the last id, and the last fence |
//! | `{prefix}:q:news` | channel | the kinds of which there is something new |
//!
//! # When the server fails
//! All failures are [`ErrorKind::Store`] but for refused credentials; the connection
//! is made again by itself.
//!
//! | Code | What was it | And the call |
//! |---|---|---|
//! | `redis_unreachable` | no connection, a lost one, or no answer in time | may have happened |
//! | `redis_loading` | the server starts | has not happened |
//! | `redis_read_only` | a replica, or a primary of before | has not happened |
//! | `redis_out_of_memory` | the server is full | has not happened |
//! | `redis_cluster` | a part of the cluster is away or moves | has not happened |
//! | `redis_disk_failed`, `redis_busy`, `redis_failed` | what the server says | has not happened |
//!
//! After one of the first three, a new connection is made, by the name in the URL: after a failover it goes where that
//! leads.

mod failure;
mod guards;
mod kv;
mod link;
mod queue;
mod read;
mod wait;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use integrations_core::{Error, ErrorKind, Result};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use self::failure::store_error;
pub use self::guards::RedisGuards;
use self::link::Link;
use self::queue::Queue;
use self::wait::Bell;

/// The version of the keys' layout.
const VERSION: u64 = 1;

/// A queue of jobs and short-lived values on one Redis server. Clones share the connection.
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    link: Link,
    clock: Option<Arc<dyn Clock>>,
    /// The beginning of every key: the prefix as a hash tag, and a colon.
    start: String,
    queue: Queue,
    bell: Bell,
}

impl RedisStore {
    /// Connects with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    /// See [`RedisStoreBuilder::connect`].
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder().connect(url).await
    }

    /// Settings other than the defaults.
    pub fn builder() -> RedisStoreBuilder {
        RedisStoreBuilder {
            prefix: "integrations".into(),
            clock: None,
            answer_timeout: Duration::from_secs(10),
        }
    }

    /// Sets the store up, and brings an older layout up to date. It does no harm when it is done already, or by several
    /// processes at once.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with code `schema_too_new` when a newer version of this crate has been here, and
    /// [`ErrorKind::Store`].
    pub async fn migrate(&self) -> Result<()> {
        const OPERATION: &str = "redis.migrate";
        let key = format!("{}version", self.inner.start);
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(VERSION).arg("NX");
        let set = set.query_async::<Option<String>>(&mut self.inner.link.connection()).await;
        self.inner.link.answered(OPERATION, set)?;
        self.check_version(OPERATION).await
    }

    async fn check_version(&self, operation: &'static str) -> Result<()> {
        let key = format!("{}version", self.inner.start);
        let mut get = redis::cmd("GET");
        let found = get.arg(&key).query_async(&mut self.inner.link.connection()).await;
        let found: Option<u64> = self.inner.link.answered(operation, found)?;
        match found {
            Some(version) if version > VERSION => Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "the keys have layout {version}, and this version of the crate knows {VERSION}; upgrade the crate, \
                     or give another prefix"
                ),
            )
            .with_code("schema_too_new")
            .with_operation(operation)),
            _ => Ok(()),
        }
    }

    /// The host's time in microseconds; empty for the server's.
    fn now(&self) -> String {
        self.inner.clock.as_ref().map_or_else(String::new, |clock| clock.now().timestamp_micros().to_string())
    }
}

/// Shows the prefix alone.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("keys", &self.inner.start).finish_non_exhaustive()
    }
}

/// Settings of a [`RedisStore`].
#[derive(Debug, Clone)]
pub struct RedisStoreBuilder {
    prefix: String,
    clock: Option<Arc<dyn Clock>>,
    answer_timeout: Duration,
}

impl RedisStoreBuilder {
    /// What the keys begin with, in braces; `integrations` by default. Stores with different prefixes do not see each
    /// other.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Where the time comes from; the server's clock by default. For tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How long a call waits for the server's answer; 10 s by default.
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    /// Connects to a server: `redis://…`, or `rediss://…` with TLS.
    ///
    /// # Errors
    /// * [`ErrorKind::Configuration`]: code `invalid_url` or `invalid_prefix`, `redis_credentials` when the server refuses
    ///   them, `schema_too_new` when a newer version of this crate has been here.
    /// * [`ErrorKind::Store`] when the server is not there.
    pub async fn connect(self, url: &str) -> Result<RedisStore> {
        const OPERATION: &str = "redis.connect";
        let refused = |code: &'static str, message: &'static str| {
            Err(Error::new(ErrorKind::Configuration, message).with_code(code).with_operation(OPERATION))
        };
        if self.prefix.is_empty() || self.prefix.contains(['{', '}']) {
            return refused("invalid_prefix", "the prefix of the keys must be a word without braces");
        }
        // The error of the library may quote the URL, and so a password.
        let Ok(client) = redis::Client::open(url) else {
            return refused(
                "invalid_url",
                "the address is no URL of a Redis server, such as `redis://127.0.0.1:6379`",
            );
        };
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.answer_timeout))
            .set_response_timeout(Some(self.answer_timeout))
            .set_number_of_retries(2)
            .set_max_delay(Duration::from_millis(500));
        let connection = ConnectionManager::new_with_config(client.clone(), settings.clone())
            .await
            .map_err(|error| store_error(OPERATION, &error))?;
        let link = Link::new(client.clone(), settings, connection);
        let start = format!("{{{}}}:", self.prefix);
        let waits = self.clock.clone().unwrap_or_else(SystemClock::shared);
        let store = RedisStore {
            inner: Arc::new(Inner {
                queue: Queue::new(&link, &start),
                bell: Bell::new(client, format!("{start}q:news"), waits),
                link,
                clock: self.clock,
                start,
            }),
        };
        store.check_version(OPERATION).await?;
        Ok(store)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(LONGEST)
}

/// As long as a number of the scripts can be told from the next; with any time of day still exact.
const LONGEST: u64 = 1 << 52;
