//! How does a write happen whole or not at all, even if nobody waits for it any more?
//!
//! There is one connection that writes. A transaction runs in a task of its own, so that dropping the
//! caller's future cannot stop it half-way, and it begins IMMEDIATE, so that two processes queue up for
//! the lock instead of deadlocking over an upgrade.

use std::pin::Pin;
use std::sync::Arc;

use integrations_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};
use tracing::Instrument;

use super::failure::{OrStore, store_error};

/// What is to be done on a connection.
pub(super) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

pub(super) struct Writer {
    slot: Arc<Mutex<Slot>>,
}

pub(super) struct Slot {
    connection: SqliteConnection,
    /// How to connect again; `None` where the data would be lost with the connection.
    reconnect: Option<SqliteConnectOptions>,
    /// Set from before BEGIN until after COMMIT or ROLLBACK: a task that was torn down with its
    /// runtime, or has panicked, leaves it set.
    in_transaction: bool,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection, reconnect: Option<SqliteConnectOptions>) -> Self {
        let slot = Slot { connection, reconnect, in_transaction: false };
        Self { slot: Arc::new(Mutex::new(slot)) }
    }

    /// Does the work in a transaction, and commits it if it succeeds.
    ///
    /// # Cancel safety
    /// While the future waits for its turn, dropping it means that nothing happens; after that the
    /// transaction runs to its end.
    pub(super) async fn transaction<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        let run = async move { slot.run(operation, work).await }.in_current_span();
        match tokio::spawn(run).await {
            Ok(result) => result,
            Err(error) => Err(Error::new(
                ErrorKind::Store,
                "the write was stopped before its end and has been undone; was the runtime shut down?",
            )
            .with_operation(operation)
            .with_source(error)),
        }
    }

    /// The connection itself, for reading from a database that lives in it alone.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().await
    }
}

impl Slot {
    pub(super) fn connection(&self) -> &SqliteConnection {
        &self.connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    async fn run<T, F>(&mut self, operation: &'static str, work: F) -> Result<T>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T>,
    {
        if self.in_transaction {
            self.rollback().await;
        }
        self.begin(operation).await?;
        match work(&mut self.connection).await {
            Ok(value) => match self.execute("COMMIT").await {
                Ok(()) => {
                    self.in_transaction = false;
                    Ok(value)
                }
                Err(error) => {
                    self.rollback().await;
                    Err(store_error(operation, error))
                }
            },
            Err(error) => {
                self.rollback().await;
                Err(error)
            }
        }
    }

    async fn begin(&mut self, operation: &'static str) -> Result<()> {
        self.in_transaction = true;
        match (self.execute("BEGIN IMMEDIATE").await, &self.reconnect) {
            (Ok(()), _) => Ok(()),
            (Err(sqlx::Error::WorkerCrashed), Some(options)) => {
                self.connection = options.connect().await.or_store(operation)?;
                self.execute("BEGIN IMMEDIATE").await.or_store(operation)
            }
            (Err(error), _) => {
                self.in_transaction = false;
                Err(store_error(operation, error))
            }
        }
    }

    /// SQLite rolls back by itself after some failures (a full disk, for one), and then says that there
    /// is nothing to roll back.
    async fn rollback(&mut self) {
        let _ = self.execute("ROLLBACK").await;
        self.in_transaction = false;
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(&mut self.connection).await.map(|_| ())
    }
}
