//! Ready storage backends for the integrations family.
//!
//! A host that has no storage of its own yet begins with [`SqliteStore`]: one file that keeps
//! connections, records with the positions of their streams, short-lived values, and jobs.
//!
//! | Feature | Backend | Implements |
//! |---|---|---|
//! | `sqlite` (default) | [`sqlite::SqliteStore`], embedded | `TokenStore`, `SyncSink`, `KeyValueStore`, `JobQueue` |
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

#[allow(dead_code, reason = "the queues use it")]
mod group;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
