//! How does a write happen whole or not at all, even if nobody waits for it any more?
//!
//! A transaction runs in a task of its own, so that dropping the caller's future cannot stop it half-way: its locks
//! are held for as long as it takes, and no longer.

use std::pin::Pin;

use integrations_core::{Error, ErrorKind, Result};
use sqlx::{PgConnection, PgTransaction};
use tracing::Instrument;

use super::PostgresStore;
use super::failure::{OrStore, TRANSACTION_CONFLICT, is_loss, store_error};

/// What is to be done on a connection.
pub(super) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// A transaction that was undone for the sake of others succeeds when it is tried again, unless very many are after
/// the same rows.
const ATTEMPTS: usize = 5;

impl PostgresStore {
    /// Does the work in a transaction, and commits it if it succeeds. It is done anew, from its beginning, when the
    /// server has undone it for the sake of another.
    ///
    /// # Cancel safety
    /// While the tables are not known to be there, dropping the future may mean that nothing happens; after that the
    /// transaction runs to its end.
    pub(super) async fn transaction<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection) -> Work<'c, T> + Send + Sync + 'static,
    {
        self.check(operation).await?;
        self.transaction_unchecked(operation, work).await
    }

    /// As [`transaction`](Self::transaction), whether or not the tables are there.
    pub(super) async fn transaction_unchecked<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection) -> Work<'c, T> + Send + Sync + 'static,
    {
        let store = self.clone();
        let run = async move {
            let mut attempt = 1;
            loop {
                let done = store.attempt(operation, &work).await;
                match &done {
                    Err(error) if conflicts(error) && attempt < ATTEMPTS => attempt += 1,
                    _ => return done,
                }
            }
        };
        match tokio::spawn(run.in_current_span()).await {
            Ok(result) => result,
            Err(error) => Err(Error::new(
                ErrorKind::Store,
                "the write was stopped before its end, and may or may not have happened; was the runtime shut down?",
            )
            .with_operation(operation)
            .with_source(error)),
        }
    }

    async fn attempt<T, F>(&self, operation: &'static str, work: &F) -> Result<T>
    where
        F: for<'c> Fn(&'c mut PgConnection) -> Work<'c, T>,
    {
        let mut transaction = self.begin(operation).await?;
        match work(&mut transaction).await {
            Ok(value) => {
                transaction.commit().await.or_store(operation)?;
                Ok(value)
            }
            Err(error) => {
                // Before the error is told, so that whoever comes next does not meet its locks. What cannot be rolled
                // back is so when its connection ends.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }

    async fn begin(&self, operation: &'static str) -> Result<PgTransaction<'static>> {
        match self.inner.pool.begin().await {
            // It was lost while nobody used it, nothing has happened yet, and the next one is a new one.
            Err(error) if is_loss(&error) => {
                tracing::debug!(error = %store_error(operation, error), "a connection was lost; another is made");
                self.inner.pool.begin().await.or_store(operation)
            }
            begun => begun.or_store(operation),
        }
    }
}

fn conflicts(error: &Error) -> bool {
    error.provider_code() == Some(TRANSACTION_CONFLICT)
}
