//! How does a write happen whole or not at all, even if nobody waits for it any more?
//!
//! A transaction runs in a task of its own, so that dropping the caller's future cannot stop it half-way: its locks
//! are held for as long as it takes, and no longer.

use std::pin::Pin;

use integrations_core::{Error, ErrorKind, Result};
use sqlx::{Connection, PgConnection};
use tracing::Instrument;

use super::PostgresStore;
use super::failure::{OrStore, TRANSACTION_CONFLICT};

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
        let mut connection = self.inner.pool.acquire().await.or_store(operation)?;
        let mut transaction = connection.begin().await.or_store(operation)?;
        match work(&mut transaction).await {
            Ok(value) => {
                transaction.commit().await.or_store(operation)?;
                Ok(value)
            }
            Err(error) => {
                // Before the error is told, so that whoever comes next does not meet its locks.
                let undone = transaction.rollback().await;
                if undone.is_err() || error.provider_code() == Some("database_read_only") {
                    connection.close_on_drop();
                }
                Err(error)
            }
        }
    }
}

fn conflicts(error: &Error) -> bool {
    error.provider_code() == Some(TRANSACTION_CONFLICT)
}
