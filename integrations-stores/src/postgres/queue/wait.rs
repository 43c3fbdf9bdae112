//! How does somebody who waits for a job learn that there is one?
//!
//! What this process puts into the queue rings its own bell at once; what others put in comes as a notification of the
//! server. The process listens from when somebody first waits. Whenever it begins to listen, also after its
//! connection was lost, it may have missed something, so everybody is woken.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use integrations_core::clock::Clock;
use integrations_core::queue::JobKind;
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{Error, PgPool};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::super::PostgresStore;
use super::super::failure::CLOCK;

/// How long after a failure it tries to listen again.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(in super::super) struct Bell {
    news: Notify,
    heard: Mutex<Heard>,
    ear: Mutex<Option<JoinHandle<()>>>,
}

/// Counts news.
#[derive(Default)]
struct Heard {
    /// Those that may be of any kind.
    of_all: u64,
    of: HashMap<JobKind, u64>,
    /// How many there were of a kind when this process last found nothing more to lease of it.
    seen: HashMap<JobKind, u64>,
}

impl Heard {
    fn count(&self, kind: &JobKind) -> u64 {
        self.of_all + self.of.get(kind).copied().unwrap_or(0)
    }

    fn has_news(&self, kind: &JobKind) -> bool {
        self.seen.get(kind).is_none_or(|seen| *seen != self.count(kind))
    }
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something new of these kinds.
    pub(super) fn ring<'a>(&self, kinds: impl Iterator<Item = &'a JobKind>) {
        let mut heard = self.lock();
        for kind in kinds {
            match heard.of.get_mut(kind) {
                Some(count) => *count += 1,
                None => {
                    heard.of.insert(kind.clone(), 1);
                }
            }
        }
        drop(heard);
        self.news.notify_waiters();
    }

    fn ring_all(&self) {
        self.lock().of_all += 1;
        self.news.notify_waiters();
    }

    /// How much news there was so far of each kind.
    pub(super) fn heard(&self, wants: &[(JobKind, usize)]) -> Vec<u64> {
        let heard = self.lock();
        wants.iter().map(|(kind, _)| heard.count(kind)).collect()
    }

    /// So much news was looked at, and nothing is left.
    pub(super) fn seen<'a>(&self, kinds: impl Iterator<Item = (&'a JobKind, u64)>) {
        let mut heard = self.lock();
        for (kind, count) in kinds {
            heard.seen.insert(kind.clone(), count);
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let ear = self.ear.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(ear) = ear.take() {
            ear.abort();
        }
    }
}

impl PostgresStore {
    /// On which the server tells of news; a schema has its own.
    pub(super) fn channel(&self) -> String {
        // A channel's name has 63 bytes at the most, as a schema's.
        self.inner.schema.clone()
    }

    pub(super) async fn wait_for_jobs(&self, kinds: &[JobKind]) {
        self.listen();
        let bell = &self.inner.queue.bell;
        loop {
            let mut news = std::pin::pin!(bell.news.notified());
            // It listens before it looks, so that what comes in between wakes it.
            news.as_mut().enable();
            if kinds.iter().any(|kind| bell.lock().has_news(kind)) {
                return;
            }
            news.await;
        }
    }

    /// Begins to listen, unless somebody has.
    fn listen(&self) {
        let mut ear = self.inner.queue.bell.ear.lock().unwrap_or_else(PoisonError::into_inner);
        if ear.as_ref().is_none_or(JoinHandle::is_finished) {
            // A place of its own, or it would take one from the calls for good.
            let options = (*self.pool().connect_options()).clone();
            let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
            let (channel, store) = (self.channel(), std::sync::Arc::downgrade(&self.inner));
            *ear = Some(tokio::spawn(async move {
                // Ends when the store is gone; while it waits, the store's end stops it.
                while let Some(ring) = store.upgrade().map(|_| &store) {
                    let _ = hear(&pool, &channel, ring).await;
                    CLOCK.sleep(PAUSE).await;
                }
            }));
        }
    }
}

async fn hear(
    pool: &PgPool,
    channel: &str,
    store: &std::sync::Weak<super::super::Inner>,
) -> Result<(), Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(channel).await?;
    let mut missed = true;
    loop {
        let Some(inner) = store.upgrade() else { return Ok(()) };
        if std::mem::take(&mut missed) {
            inner.queue.bell.ring_all();
        }
        drop(inner);
        let heard = listener.try_recv().await?;
        let Some(inner) = store.upgrade() else { return Ok(()) };
        match heard.map(|news| serde_json::from_str::<Vec<String>>(news.payload())) {
            Some(Ok(kinds)) => {
                let kinds: Vec<JobKind> = kinds.into_iter().map(JobKind::from).collect();
                inner.queue.bell.ring(kinds.iter());
            }
            // The connection was lost, and there is a new one; or the kinds were too many to be named.
            None | Some(Err(_)) => missed = true,
        }
    }
}
