//! How does somebody who waits for a job learn that there is one?
//!
//! What this process puts into the queue rings a bell. What others put into it shows in SQLite's `data_version`, which
//! one of those who wait looks at now and then; it costs a read of memory that the processes share. Whoever
//! is woken looks whether there is really something new, for the file has other tables, too.

use std::collections::HashMap;
use std::future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use integrations_core::Result;
use integrations_core::queue::JobKind;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::Notify;

use super::super::SqliteStore;
use super::super::failure::OrStore;
use super::desk::News;
use super::row::json;

const OPERATION: &str = "queue.wait";

/// How often somebody looks whether another process has written to the file.
const WATCHED_EVERY: Duration = Duration::from_millis(50);

/// Of each kind: when the first lease runs out, when the first delayed job is due, and whether one is ready.
pub(super) const AGENDA: &str = "SELECT k.value, \
     (SELECT due_at FROM jobs WHERE state = 'running' AND kind = k.value ORDER BY due_at LIMIT 1), \
     (SELECT min(due) FROM (SELECT (SELECT due_at FROM jobs WHERE state = 'waiting' AND turn IS NULL \
     AND kind = k.value AND priority = p.column1 ORDER BY due_at LIMIT 1) AS due \
     FROM (VALUES (0), (1), (2)) AS p)), \
     EXISTS (SELECT 1 FROM jobs WHERE state = 'waiting' AND turn IS NOT NULL AND kind = k.value) \
     FROM json_each(?) AS k";

pub(super) struct Bell {
    rung: Notify,
    written: Notify,
    /// Of each kind, when the next job was due when this process last asked for some.
    seen: Mutex<HashMap<JobKind, Option<i64>>>,
    watch: Option<Watch>,
}

/// Held by the one who looks, while he looks.
type Watch = tokio::sync::Mutex<Watcher>;

struct Watcher {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    version: Option<i64>,
}

impl Bell {
    pub(super) fn new(watched: Option<SqliteConnectOptions>) -> Self {
        let watch = |options| Watch::new(Watcher { options, connection: None, version: None });
        Self {
            rung: Notify::new(),
            written: Notify::new(),
            seen: Mutex::default(),
            watch: watched.map(watch),
        }
    }

    pub(super) fn ring(&self, news: News) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(news.seen);
        if !news.waiting.is_empty() {
            self.rung.notify_waiters();
        }
    }

    fn seen(&self, kind: &JobKind) -> Option<i64> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(kind).copied().flatten()
    }
}

impl Watcher {
    /// Whether the file was written to since this was last asked.
    async fn written(&mut self) -> Result<bool> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.options.connect().await.or_store(OPERATION)?),
        };
        let version: i64 =
            sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await.or_store(OPERATION)?;
        Ok(self.version.replace(version) != Some(version))
    }
}

impl SqliteStore {
    pub(super) async fn wait_for_jobs(&self, kinds: &[JobKind]) {
        let bell = &self.inner.queue.bell;
        loop {
            // It listens before it looks, so that what comes in between wakes it.
            let (rung, written) = (bell.rung.notified(), bell.written.notified());
            // A file that cannot be read has no news: `lease` says what is wrong with it.
            if self.has_news(kinds).await.unwrap_or(false) {
                return;
            }
            tokio::select! {
                () = rung => {}
                () = written => {}
                () = self.watch() => {}
            }
        }
    }

    /// Returns when another process may have written to the file.
    async fn watch(&self) {
        let bell = &self.inner.queue.bell;
        let Some(watch) = &bell.watch else { return future::pending().await };
        let mut watcher = watch.lock().await;
        loop {
            self.inner.clock.sleep(WATCHED_EVERY).await;
            if watcher.written().await.unwrap_or(false) {
                bell.written.notify_waiters();
                return;
            }
        }
    }

    /// Whether a job of these kinds is ready, or will be sooner than this process knows.
    async fn has_news(&self, kinds: &[JobKind]) -> Result<bool> {
        let kinds_json = json(kinds, OPERATION)?;
        let mut connection = self.reader(OPERATION).await?;
        let rows: Vec<(String, Option<i64>, Option<i64>, bool)> =
            sqlx::query_as(AGENDA).bind(kinds_json).fetch_all(&mut *connection).await.or_store(OPERATION)?;
        drop(connection);
        let now = self.now();
        Ok(rows.into_iter().any(|(kind, running, delayed, ready)| {
            let next = [running, delayed].into_iter().flatten().min();
            let seen = self.inner.queue.bell.seen(&kind.into());
            ready || next.is_some_and(|next| next <= now || seen.is_none_or(|seen| next < seen))
        }))
    }
}
