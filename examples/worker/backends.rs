//! Where does everything rest?

use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::queue::JobQueue;
use integrations_core::sync::SyncSink;
use integrations_core::{Error, ErrorKind, GatewayBuilder, Result};
use integrations_stores::{NatsQueue, PostgresStore, RedisStore, SqliteStore};

/// Where connections and records rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreIn {
    /// A file.
    #[default]
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// Where jobs rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueueIn {
    /// A file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
    /// A Redis server.
    Redis,
    /// A NATS server with JetStream.
    Nats,
}

impl From<StoreIn> for QueueIn {
    fn from(store: StoreIn) -> Self {
        match store {
            StoreIn::Sqlite => Self::Sqlite,
            StoreIn::Postgres => Self::Postgres,
        }
    }
}

/// What a host stores in. One backend may serve for all of it.
pub(crate) struct Backends {
    connections: Arc<dyn TokenStore>,
    sink: Arc<dyn SyncSink>,
    pub(crate) values: Arc<dyn KeyValueStore>,
    pub(crate) queue: Arc<dyn JobQueue>,
}

const NAME: &str = "integrations_worker";

impl Backends {
    pub(crate) async fn open(store: StoreIn, queue: QueueIn, dir: &Path) -> Result<Self> {
        let sqlite = if store == StoreIn::Sqlite || queue == QueueIn::Sqlite {
            Some(sqlite(dir).await?)
        } else {
            None
        };
        let postgres = if store == StoreIn::Postgres || queue == QueueIn::Postgres {
            Some(postgres().await?)
        } else {
            None
        };
        let queue: Arc<dyn JobQueue> = match (queue, &sqlite, &postgres) {
            (QueueIn::Redis, ..) => Arc::new(redis().await?),
            (QueueIn::Nats, ..) => Arc::new(nats().await?),
            (QueueIn::Sqlite, Some(sqlite), _) => Arc::new(sqlite.clone()),
            (_, _, Some(postgres)) => Arc::new(postgres.clone()),
            _ => return Err(Error::new(ErrorKind::Configuration, "no queue was chosen")),
        };
        match (store, sqlite, postgres) {
            (StoreIn::Sqlite, Some(sqlite), _) => Ok(Self::of(sqlite, queue)),
            (_, _, Some(postgres)) => Ok(Self::of(postgres, queue)),
            _ => Err(Error::new(ErrorKind::Configuration, "no store was chosen")),
        }
    }

    fn of<S: TokenStore + SyncSink + KeyValueStore>(store: S, queue: Arc<dyn JobQueue>) -> Self {
        let store = Arc::new(store);
        Self { connections: Arc::clone(&store) as _, sink: Arc::clone(&store) as _, values: store, queue }
    }

    /// A gateway that stores here.
    pub(crate) fn gateway(&self, gateway: GatewayBuilder) -> GatewayBuilder {
        gateway
            .token_store(Arc::clone(&self.connections))
            .sync_sink(Arc::clone(&self.sink))
            .key_value_store(Arc::clone(&self.values))
    }
}

async fn sqlite(dir: &Path) -> Result<SqliteStore> {
    std::fs::create_dir_all(dir).map_err(|error| {
        Error::new(ErrorKind::Configuration, "the folder of the database cannot be made; see `--dir`")
            .with_source(error)
    })?;
    SqliteStore::open(dir.join("worker.db")).await
}

async fn postgres() -> Result<PostgresStore> {
    let url = address("POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres");
    let store = PostgresStore::builder().schema(NAME).connect(&url).await?;
    store.migrate().await?;
    Ok(store)
}

async fn redis() -> Result<RedisStore> {
    let url = address("REDIS_URL", "redis://127.0.0.1:6379");
    let store = RedisStore::builder().prefix(NAME).connect(&url).await?;
    store.migrate().await?;
    Ok(store)
}

async fn nats() -> Result<NatsQueue> {
    let queue =
        NatsQueue::builder().name(NAME).connect(&address("NATS_URL", "nats://127.0.0.1:4222")).await?;
    queue.migrate().await?;
    Ok(queue)
}

fn address(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}
