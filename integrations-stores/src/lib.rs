//! Ready storage backends for the integrations family.
//!
//! A host that has no storage of its own yet begins with `SqliteStore`: one file that keeps
//! connections, records with the positions of their streams, and short-lived values.
//!
//! | Feature | Backend | Implements |
//! |---|---|---|
//! | `sqlite` (default) | `SqliteStore`, embedded | `TokenStore`, `SyncSink`, `KeyValueStore`, `JobQueue`, `AuditLog` |
//! | `postgres` | `PostgresStore`, for several machines | `TokenStore`, `SyncSink`, `KeyValueStore`, `JobQueue`, `AuditLog` |
//! | `redis` | `RedisStore`, for several machines | `KeyValueStore`, `JobQueue`; `RedisGuards` for a `TokenStore` |
//! | `nats` | `NatsQueue`, on NATS with JetStream | `JobQueue` |
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # async fn example() -> integrations_core::Result<()> {
//! use std::sync::Arc;
//! use integrations_core::auth::TokenStore;
//! use integrations_core::sync::SyncSink;
//! use integrations_stores::SqliteStore;
//!
//! let store = SqliteStore::open("app.db").await?;
//! let tokens: Arc<dyn TokenStore> = Arc::new(store.clone());
//! let sink: Arc<dyn SyncSink> = Arc::new(store);
//! # Ok(())
//! # }
//! ```

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod audit;
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis", feature = "sqlite"))]
mod group;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod records;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod settled;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(feature = "nats")]
pub use self::nats::NatsQueue;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use self::redis::{RedisGuards, RedisStore};
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
