//! The process that rotates, and is killed.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::{
    ConnectionFilter, RefreshGuard, RotationSettings, TokenStore, Vault, rotate_keys,
};
use integrations_core::observe::{Notice, Observer};
use integrations_core::{Connection, ConnectionId, Result};
use integrations_stores::SqliteStore;

/// What a line to the parent begins with. The test harness writes its own lines to the same pipe.
pub(crate) const STOPPED: &str = "@stopped";
pub(crate) const PROGRESS: &str = "@progress ";
pub(crate) const DONE: &str = "@done ";
pub(crate) const FOUND: &str = "@found ";

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n{line}");
    let _ = out.flush();
}

/// Stops at one checkpoint, before or after a write, until it is told to go on.
#[derive(Debug)]
struct Stopping {
    store: SqliteStore,
    passed: AtomicU64,
    stop_at: Option<u64>,
}

impl Stopping {
    fn checkpoint(&self) {
        if Some(self.passed.fetch_add(1, Ordering::SeqCst)) == self.stop_at {
            say(STOPPED);
            let _ = std::io::stdin().read(&mut [0]);
        }
    }
}

#[async_trait]
impl TokenStore for Stopping {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        TokenStore::get(&self.store, id).await
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        self.checkpoint();
        let version = TokenStore::put(&self.store, connection).await?;
        self.checkpoint();
        Ok(version)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        self.store.delete(id).await
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        self.store.list(filter).await
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        self.store.acquire_refresh_guard(id, ttl).await
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        self.store.release_refresh_guard(guard).await
    }
}

#[derive(Debug)]
struct Telling;

impl Observer for Telling {
    fn notice(&self, notice: &Notice<'_>) {
        if let Notice::KeysRotated { report } = notice
            && let Some(last) = &report.last
        {
            say(&format!("{PROGRESS}{last}"));
        }
    }
}

#[tokio::test]
#[ignore = "needs a parent: started by the test of this binary"]
async fn child() {
    let store = super::open(std::env::var("ROTATION_DB").unwrap().as_ref()).await;
    let stop_at = std::env::var("ROTATION_STOP_AT").ok().map(|number| number.parse().unwrap());
    let store = Stopping { store, passed: AtomicU64::new(0), stop_at };
    let mut settings = RotationSettings::default();
    if let Ok(id) = std::env::var("ROTATION_STARTING_AFTER") {
        settings = settings.starting_after(id);
    }
    let report = rotate_keys(&store, &Vault::from(super::both("new")), &Telling, &settings).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    say(&format!("{DONE}{} {} {}", report.seen, report.resealed, report.already));
}

/// Looks through all bytes of a folder for values by the key that has sealed them.
///
/// A process that closes a file gives up all its locks on it, those of SQLite too: so it is not the parent
/// who looks (<https://www.sqlite.org/howtocorrupt.html>, 2.2).
#[test]
#[ignore = "needs a parent: started by the test of this binary"]
fn look() {
    let folder = std::env::var("ROTATION_FOLDER").unwrap();
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    for key in ["old", "new"] {
        let needle = format!("v1.{key}.");
        let found = files.iter().any(|file| {
            let bytes = std::fs::read(file).unwrap();
            bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
        });
        if found {
            say(&format!("{FOUND}{key}"));
        }
    }
}
