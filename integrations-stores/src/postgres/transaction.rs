//! How does a write happen whole or not at all, even if nobody waits for it any more?
//!
//! A transaction runs in a task of its own, so that dropping the caller's future cannot stop it half-way: its locks
//! are held for as long as it takes, and no longer.

use std::pin::Pin;

use integrations_core::{Error, ErrorKind, Result};
use sqlx::{Connection, PgConnection};
use tracing::Instrument;

use super::PostgresStore;
use super::failure::{Answered, TRANSACTION_CONFLICT, says_loss};

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
                match store.attempt(operation, &work).await {
                    Err(Failed { again: true, .. }) if attempt < ATTEMPTS => attempt += 1,
                    done => return done.map_err(|failed| failed.error),
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

    async fn attempt<T, F>(&self, operation: &'static str, work: &F) -> Result<T, Failed>
    where
        F: for<'c> Fn(&'c mut PgConnection) -> Work<'c, T>,
    {
        let mut connection = self.any_connection(operation).await?;
        // A connection that was lost while nobody used it says so now, when nothing has happened yet.
        let begun = connection.begin().answered(operation).await;
        let mut transaction = begun.map_err(|error| Failed { again: says_loss(&error), error })?;
        match work(&mut transaction).await {
            Ok(value) => {
                transaction.commit().answered(operation).await?;
                Ok(value)
            }
            Err(error) => {
                // Before the error is told, so that whoever comes next does not meet its locks. What cannot be rolled
                // back is so when its connection ends.
                if !says_loss(&error) {
                    let _ = transaction.rollback().answered(operation).await;
                }
                Err(error.into())
            }
        }
    }
}

struct Failed {
    error: Error,
    /// Nothing has happened, and it may go well the next time.
    again: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { again: error.provider_code() == Some(TRANSACTION_CONFLICT), error }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::postgres::failure::OrStore;

    async fn store() -> PostgresStore {
        let url = std::env::var("POSTGRES_URL")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into());
        // Nothing is made in it.
        PostgresStore::builder().schema("test_transactions").max_connections(1).connect(&url).await.unwrap()
    }

    /// Fails so many times, and says how often it was tried.
    async fn failing(store: &PostgresStore, state: &'static str, times: usize) -> (Result<()>, usize) {
        let tried = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tried);
        let done = store.transaction_unchecked("test", move |connection| {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                if number < times {
                    let raise = format!("DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$");
                    sqlx::raw_sql(AssertSqlSafe(raise)).execute(connection).await.or_store("test")?;
                }
                Ok(())
            })
        });
        (done.await, tried.load(Ordering::SeqCst))
    }

    #[tokio::test]
    #[ignore = "needs postgres"]
    async fn what_was_undone_for_the_sake_of_others_is_tried_again() {
        let store = store().await;
        for state in ["40001", "40P01"] {
            let (done, tried) = failing(&store, state, 3).await;
            done.unwrap();
            assert_eq!(tried, 4);
            let (done, tried) = failing(&store, state, usize::MAX).await;
            assert_eq!(done.unwrap_err().provider_code(), Some(TRANSACTION_CONFLICT));
            assert_eq!(tried, ATTEMPTS);
        }
        let (done, tried) = failing(&store, "23505", 1).await;
        assert_eq!(done.unwrap_err().kind(), ErrorKind::Store);
        assert_eq!(tried, 1, "nothing else is");
    }

    #[tokio::test]
    #[ignore = "needs postgres"]
    async fn what_panics_is_undone_and_gives_its_connection_back() {
        let store = store().await;
        let panicked: Result<()> = store
            .transaction_unchecked("panics", |connection| {
                Box::pin(async move {
                    sqlx::query("SELECT set_config('integrations.test', 'left', true)")
                        .execute(connection)
                        .await
                        .or_store("panics")?;
                    panic!("on purpose")
                })
            })
            .await;
        assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Store);
        let left: Option<String> = store
            .transaction_unchecked("works", |connection| {
                Box::pin(async move {
                    sqlx::query_scalar("SELECT nullif(current_setting('integrations.test', true), '')")
                        .fetch_one(connection)
                        .await
                        .or_store("works")
                })
            })
            .await
            .unwrap();
        assert_eq!(left, None);
    }
}
