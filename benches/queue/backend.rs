//! Which queues are measured, and how are they set up and cleared away?

use std::env;
use std::fmt;
use std::sync::Arc;

use integrations_benches::Result;
use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::memory::MemoryStore;
use integrations_core::queue::JobQueue;
use integrations_core::sync::SyncSink;
use integrations_stores::{NatsQueue, PostgresStore, RedisStore, SqliteStore};
use tempfile::TempDir;
use uuid::Uuid;

/// A kind of queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    Sqlite,
    Postgres,
    Redis,
    Nats,
}

impl Backend {
    pub(crate) const ALL: [Self; 5] = [Self::Memory, Self::Sqlite, Self::Postgres, Self::Redis, Self::Nats];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.to_string() == name)
    }

    /// Measures something on an empty queue, which is cleared away afterwards.
    pub(crate) async fn with<T>(self, measure: impl AsyncFnOnce(&Site) -> Result<T>) -> Result<T> {
        let site = self.open().await?;
        let measured = measure(&site).await;
        site.close().await?;
        measured
    }

    async fn open(self) -> Result<Site> {
        let name = format!("bench_{}", Uuid::new_v4().simple());
        let mut site = Site {
            backend: self,
            name,
            folder: None,
            queue: Arc::new(MemoryStore::new()),
            store: Arc::new(MemoryStore::new()),
        };
        if self == Self::Sqlite {
            site.folder = Some(tempfile::tempdir()?);
        }
        site.attach().await?;
        Ok(site)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Nats => "nats",
        })
    }
}

/// What a host stores its connections in.
pub(crate) trait Store: TokenStore + SyncSink + KeyValueStore {}

impl<S: TokenStore + SyncSink + KeyValueStore> Store for S {}

/// A queue, and where it is.
#[derive(Debug)]
pub(crate) struct Site {
    backend: Backend,
    name: String,
    folder: Option<TempDir>,
    pub(crate) queue: Arc<dyn JobQueue>,
    /// The same, where it is a store of connections, too; otherwise one in memory.
    pub(crate) store: Arc<dyn Store>,
}

impl Site {
    async fn attach(&mut self) -> Result<()> {
        match self.backend {
            Backend::Memory => {
                let store = Arc::new(MemoryStore::new());
                (self.queue, self.store) = (Arc::clone(&store) as _, store);
            }
            Backend::Sqlite => {
                let folder = self.folder.as_ref().ok_or("there is no folder")?;
                let store = Arc::new(SqliteStore::open(folder.path().join("queue.db")).await?);
                (self.queue, self.store) = (Arc::clone(&store) as _, store);
            }
            Backend::Postgres => {
                let store = PostgresStore::builder().schema(&self.name).max_connections(10);
                let store = store.connect(&postgres_url()).await?;
                store.migrate().await?;
                let store = Arc::new(store);
                (self.queue, self.store) = (Arc::clone(&store) as _, store);
            }
            Backend::Redis => {
                let store = RedisStore::builder().prefix(&self.name).connect(&redis_url()).await?;
                store.migrate().await?;
                self.queue = Arc::new(store);
            }
            Backend::Nats => {
                let queue = NatsQueue::builder().name(&self.name).connect(&nats_url()).await?;
                queue.migrate().await?;
                self.queue = Arc::new(queue);
            }
        }
        Ok(())
    }

    /// The same queue as another process sees it; `None` for one that no other can see.
    pub(crate) async fn elsewhere(&self) -> Result<Option<Arc<dyn JobQueue>>> {
        Ok(match self.backend {
            Backend::Memory => None,
            Backend::Sqlite => {
                let folder = self.folder.as_ref().ok_or("there is no folder")?;
                Some(Arc::new(SqliteStore::open(folder.path().join("queue.db")).await?))
            }
            Backend::Postgres => {
                Some(Arc::new(PostgresStore::builder().schema(&self.name).connect(&postgres_url()).await?))
            }
            Backend::Redis => {
                Some(Arc::new(RedisStore::builder().prefix(&self.name).connect(&redis_url()).await?))
            }
            Backend::Nats => {
                Some(Arc::new(NatsQueue::builder().name(&self.name).connect(&nats_url()).await?))
            }
        })
    }

    async fn close(self) -> Result<()> {
        let Self { backend, name, folder, queue, store } = self;
        drop((queue, store));
        match backend {
            Backend::Memory => {}
            Backend::Sqlite => drop(folder),
            Backend::Postgres => {
                use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
                let mut connection = PgConnection::connect(&postgres_url()).await?;
                connection.execute(AssertSqlSafe(format!("DROP SCHEMA {name} CASCADE"))).await?;
            }
            Backend::Redis => {
                let mut connection =
                    redis::Client::open(redis_url())?.get_multiplexed_async_connection().await?;
                let (mut cursor, pattern) = (0_u64, format!("*{name}*"));
                loop {
                    let mut scan = redis::cmd("SCAN");
                    scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(10_000);
                    let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await?;
                    if !keys.is_empty() {
                        redis::cmd("UNLINK").arg(keys).query_async::<()>(&mut connection).await?;
                    }
                    cursor = next;
                    if cursor == 0 {
                        break;
                    }
                }
            }
            Backend::Nats => {
                let jetstream = async_nats::jetstream::new(async_nats::connect(nats_url()).await?);
                for part in ["JOBS", "HISTORY"] {
                    jetstream.delete_stream(format!("{}_{part}", name.to_uppercase())).await?;
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn postgres_url() -> String {
    env::var("POSTGRES_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into())
}

pub(crate) fn redis_url() -> String {
    env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into())
}

fn nats_url() -> String {
    env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".into())
}
