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

/// Clones share the connection.
#[derive(Clone)]
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
        detached(operation, async move { slot.run(operation, work).await }).await
    }

    /// Does what SQLite does outside of transactions only.
    ///
    /// # Cancel safety
    /// As [`transaction`](Self::transaction).
    pub(super) async fn outside_transaction<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        detached(operation, async move {
            if slot.in_transaction {
                slot.rollback().await;
            }
            work(&mut slot.connection).await
        })
        .await
    }

    /// The connection itself, for reading from a database that lives in it alone.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().await
    }
}

/// Runs in a task of its own, which nobody stops by not waiting for it.
async fn detached<T: Send + 'static>(
    operation: &'static str,
    run: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(run.in_current_span()).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(
            ErrorKind::Store,
            "the write was stopped before its end and has been undone; was the runtime shut down?",
        )
        .with_operation(operation)
        .with_source(error)),
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

#[cfg(test)]
mod tests {
    use std::future;

    use sqlx::Row;
    use tokio::runtime::Runtime;
    use tokio::sync::oneshot;

    use super::*;

    async fn writer() -> Writer {
        let options = SqliteConnectOptions::new().in_memory(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::query("CREATE TABLE t (x)").execute(&mut connection).await.unwrap();
        Writer::new(connection, None)
    }

    async fn rows(writer: &Writer) -> i64 {
        let counted = writer.transaction("count", |connection| {
            Box::pin(async move {
                let row =
                    sqlx::query("SELECT count(*) FROM t").fetch_one(connection).await.or_store("count")?;
                row.try_get(0).or_store("count")
            })
        });
        counted.await.unwrap()
    }

    async fn insert(connection: &mut SqliteConnection) -> Result<()> {
        sqlx::query("INSERT INTO t VALUES (1)").execute(connection).await.or_store("insert")?;
        Ok(())
    }

    #[test]
    fn what_is_torn_down_with_its_runtime_is_undone() {
        let runtime = Runtime::new().unwrap();
        let writer = Arc::new(runtime.block_on(writer()));
        let (begun, has_begun) = oneshot::channel();
        let held = Arc::clone(&writer);
        runtime.spawn(async move {
            let stuck = held.transaction("stuck", |connection| {
                Box::pin(async move {
                    insert(connection).await?;
                    let _ = begun.send(());
                    future::pending().await
                })
            });
            let _: Result<()> = stuck.await;
        });
        has_begun.blocking_recv().unwrap();
        runtime.shutdown_background();
        let other = Runtime::new().unwrap();
        assert_eq!(other.block_on(rows(&writer)), 0);
    }

    #[tokio::test]
    async fn what_fails_or_panics_is_undone() {
        let writer = writer().await;
        let failed: Result<()> = writer
            .transaction("fails", |connection| {
                Box::pin(async move {
                    insert(connection).await?;
                    Err(Error::new(ErrorKind::Conflict, "no"))
                })
            })
            .await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Conflict);
        let panicked: Result<()> = writer
            .transaction("panics", |connection| {
                Box::pin(async move {
                    insert(connection).await?;
                    panic!("on purpose")
                })
            })
            .await;
        assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Store);
        assert_eq!(rows(&writer).await, 0);
        writer.transaction("works", |connection| Box::pin(insert(connection))).await.unwrap();
        assert_eq!(rows(&writer).await, 1);
    }

    #[tokio::test]
    async fn what_is_dropped_after_it_has_begun_runs_to_its_end() {
        let writer = writer().await;
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel::<()>();
        {
            let dropped = writer.transaction("dropped", |connection| {
                Box::pin(async move {
                    let _ = begun.send(());
                    let _ = may_go_on.await;
                    insert(connection).await
                })
            });
            tokio::select! {
                _ = dropped => panic!("it waits to go on"),
                begun = has_begun => begun.unwrap(),
            }
        }
        go_on.send(()).unwrap();
        assert_eq!(rows(&writer).await, 1);
    }
}
