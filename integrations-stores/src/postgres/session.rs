//! How is a connection taken from the pool, and how is it given back?

use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use integrations_core::Result;
use integrations_core::clock::Clock;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tokio::runtime::Handle;

use super::failure::{CLOCK, OrStore};
use super::{PostgresStore, schema};

/// How long the pool may ask a connection that is given back whether it still lives.
const RETURN_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection, for as long as somebody needs it.
pub(super) struct Session(PoolConnection<Postgres>);

impl PostgresStore {
    /// A connection to a database whose tables are there.
    pub(super) async fn connection(&self, operation: &'static str) -> Result<Session> {
        self.check(operation).await?;
        self.any_connection(operation).await
    }

    /// A connection, whether or not the tables are there.
    pub(super) async fn any_connection(&self, operation: &'static str) -> Result<Session> {
        self.inner.pool.acquire().await.map(Session).or_store(operation)
    }

    /// Whether the tables are there; asked until they are.
    pub(super) async fn check(&self, operation: &'static str) -> Result<()> {
        if !self.inner.ready.load(Ordering::Acquire) {
            let mut connection = self.any_connection(operation).await?;
            schema::check(&mut connection, &self.inner.schema, operation).await?;
            self.inner.ready.store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

/// By itself the pool waits without end for the answer of a connection that is given back, and lets nobody have its
/// place meanwhile: a server that has vanished without a word would use up all places for good.
impl Drop for Session {
    fn drop(&mut self) {
        let returned = self.0.return_to_pool();
        // Without a runtime it is closed.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            let (mut returned, mut late) = (pin!(returned), CLOCK.sleep(RETURN_TIMEOUT));
            poll_fn(|context| match returned.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => late.as_mut().poll(context),
            })
            .await;
        });
    }
}
