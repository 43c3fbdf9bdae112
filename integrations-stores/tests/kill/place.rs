//! Where are the queue and the sink?

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use integrations_core::queue::JobQueue;
use integrations_core::sync::SyncSink;

/// What parent and children share, as it stands in their environment.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    backend: String,
    /// A name that no other run has.
    name: String,
    folder: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Stores {
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) sink: Arc<dyn SyncSink>,
}

impl Place {
    pub(crate) fn new(backend: &str, folder: &Path) -> Self {
        let name = format!("kill_{}", uuid::Uuid::new_v4().simple());
        Self { backend: backend.into(), name, folder: folder.to_str().unwrap().into() }
    }

    pub(crate) fn tell(&self, command: &mut Command) {
        command
            .env("KILL_BACKEND", &self.backend)
            .env("KILL_NAME", &self.name)
            .env("KILL_FOLDER", &self.folder);
    }

    /// `None` in a process that nobody has told.
    pub(crate) fn told() -> Option<Self> {
        let told = |name| std::env::var(name).ok();
        Some(Self { backend: told("KILL_BACKEND")?, name: told("KILL_NAME")?, folder: told("KILL_FOLDER")? })
    }

    pub(crate) async fn open(&self) -> Stores {
        match self.backend.as_str() {
            #[cfg(feature = "sqlite")]
            "sqlite" => both(self.file().await),
            #[cfg(feature = "postgres")]
            "postgres" => {
                let store =
                    integrations_stores::PostgresStore::builder().schema(&self.name).max_connections(4);
                let store = store.connect(&postgres_url()).await.unwrap();
                store.migrate().await.unwrap();
                both(store)
            }
            // Redis keeps the queue, a file what is read.
            #[cfg(all(feature = "redis", feature = "sqlite"))]
            "redis" => {
                let store = integrations_stores::RedisStore::builder().prefix(&self.name);
                let store = store.connect(&redis_url()).await.unwrap();
                store.migrate().await.unwrap();
                Stores { queue: Arc::new(store), sink: Arc::new(self.file().await) }
            }
            other => panic!("no backend {other}"),
        }
    }

    /// What is killed is a process, not the machine.
    #[cfg(feature = "sqlite")]
    async fn file(&self) -> integrations_stores::SqliteStore {
        use integrations_stores::sqlite::Durability;
        let path = Path::new(&self.folder).join("app.db");
        let store = integrations_stores::SqliteStore::builder().durability(Durability::Process).readers(1);
        store.open(path).await.unwrap()
    }

    /// Leaves nothing on a server.
    pub(crate) async fn clear(&self) {
        match self.backend.as_str() {
            #[cfg(feature = "postgres")]
            "postgres" => {
                use sqlx::Connection as _;
                let mut connection = sqlx::PgConnection::connect(&postgres_url()).await.unwrap();
                let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name);
                sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            #[cfg(feature = "redis")]
            "redis" => {
                let client = redis::Client::open(redis_url()).unwrap();
                let mut connection = client.get_multiplexed_async_connection().await.unwrap();
                let keys =
                    redis::cmd("KEYS").arg(format!("{{{}}}:*", self.name)).query_async(&mut connection).await;
                let keys: Vec<Vec<u8>> = keys.unwrap();
                let _: u64 = redis::cmd("DEL").arg(keys).query_async(&mut connection).await.unwrap();
            }
            _ => {}
        }
    }
}

fn both<S: JobQueue + SyncSink>(store: S) -> Stores {
    let store = Arc::new(store);
    Stores { queue: Arc::clone(&store) as _, sink: store }
}

#[cfg(feature = "postgres")]
fn postgres_url() -> String {
    std::env::var("POSTGRES_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into())
}

#[cfg(feature = "redis")]
fn redis_url() -> String {
    std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into())
}
