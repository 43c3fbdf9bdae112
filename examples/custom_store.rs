//! Keeps everything in plain files: a host's own storage, to begin with.
//!
//! A host has a database already, and implements four traits over it: [`TokenStore`] for connections, [`SyncSink`] for
//! records and positions, [`KeyValueStore`] for what expires, [`JobQueue`] for work. Here each of them is a file of
//! its own in `custom_store/`, over the simplest storage that loses nothing: a JSON file that is written anew,
//! flushed and renamed at each change (`file.rs`). So `kill -9` at any moment leaves what was last answered with `Ok`.
//!
//! The family's suites say whether such a storage keeps the traits' promises; they stand at the end of this file, and
//! are the first thing to copy: `cargo test -p integrations-examples --example custom_store`.
//!
//! What it is not for: more than one process (a lock keeps others out), more than some thousands of items (each change
//! writes its whole file), and many users at once (a write holds up the thread it is on). For those there are the
//! stores of `integrations-stores`.

#[path = "custom_store/connections.rs"]
mod connections;
#[path = "custom_store/file.rs"]
mod file;
#[path = "custom_store/jobs.rs"]
mod jobs;
#[path = "custom_store/records.rs"]
mod records;
#[path = "custom_store/values.rs"]
mod values;

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::Vault;
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::Clock;
use integrations_core::queue::{JobKind, JobQueue, LeaseRequest, NewJob, Payload, Settlement};
use integrations_core::{ConnectionId, Gateway, auth::TokenStore, sync::SyncSink};
use integrations_examples::{loopback::Loopback, providers::Providers};
use integrations_google::{GoogleTasks, tasks::SERVICE};

use self::connections::Connections;
use self::file::Collection;
use self::jobs::{Jobs, News};
use self::records::Streams;
use self::values::Values;

/// A directory of files.
#[derive(Debug)]
struct FileStore {
    connections: Collection<Connections>,
    streams: Collection<Streams>,
    values: Collection<Values>,
    jobs: Collection<Jobs>,
    news: News,
    clock: Arc<dyn Clock>,
    _lock: File,
}

impl FileStore {
    /// Opens a directory that is there; it is empty at first.
    fn open(directory: &Path, clock: Arc<dyn Clock>) -> integrations_core::Result<Self> {
        let lock = file::lock(directory)?;
        Ok(Self {
            connections: Collection::open(directory, "connections.json")?,
            streams: Collection::open(directory, "streams.json")?,
            values: Collection::open(directory, "values.json")?,
            jobs: Collection::open(directory, "jobs.json")?,
            news: News::default(),
            clock,
            _lock: lock,
        })
    }
}

fn gateway(providers: &Providers, store: &Arc<FileStore>, vault: &Vault) -> Result<Gateway, Box<dyn Error>> {
    let builder = providers.gateway().adapter(GoogleTasks::new(providers.google()?)).vault(vault.clone());
    Ok(builder
        .token_store(Arc::clone(store) as Arc<dyn TokenStore>)
        .sync_sink(Arc::clone(store) as Arc<dyn SyncSink>)
        .key_value_store(Arc::clone(store) as Arc<dyn KeyValueStore>)
        .build()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let providers = Providers::from_arguments().await;
    let vault = Vault::ephemeral()?;

    // A process in which a user connects an account, and which is to read it in a while. Then it ends.
    {
        let store = Arc::new(FileStore::open(directory.path(), providers.clock())?);
        let gateway = gateway(&providers, &store, &vault)?;
        let loopback = Loopback::listen().await?;
        let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
        let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;
        let job = NewJob::new(JobKind::FULL_SYNC, "ada").payload(Payload::json(&connection.id)?);
        store.enqueue(vec![job]).await?;
    }

    // The next one finds the connection and the job in the files.
    let store = Arc::new(FileStore::open(directory.path(), providers.clock())?);
    let gateway = gateway(&providers, &store, &vault)?;
    let minute = Duration::from_secs(60);
    for lease in store.lease(&LeaseRequest::new("example", JobKind::FULL_SYNC, 1, minute)).await?.leases {
        let connection: ConnectionId = lease.job.payload.read()?;
        gateway.sync(&connection).await?.into_result()?;
        store.settle(vec![Settlement::done(&lease)]).await?;
        for list in gateway.streams(&connection).await? {
            println!("{}:", list.title);
            for entity in store.entities(&connection, &list.id) {
                println!("  {}", entity.title().unwrap_or("(untitled)"));
            }
        }
    }
    println!("\nThat is kept in:");
    for name in ["connections.json", "streams.json", "values.json", "jobs.json"] {
        let size = directory.path().join(name).metadata()?.len();
        println!("  {name:<16} {size:>6} bytes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use integrations_core::auth::ConnectionFilter;
    use integrations_testkit::conformance::{clock, connection};
    use tempfile::TempDir;

    use super::*;

    async fn make(clock: Arc<dyn Clock>) -> (FileStore, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        (FileStore::open(directory.path(), clock).unwrap(), directory)
    }

    integrations_testkit::token_store_conformance!(make, with guard);
    integrations_testkit::sync_sink_conformance!(make, with guard);
    integrations_testkit::key_value_store_conformance!(make, with guard);
    integrations_testkit::job_queue_conformance!(make, with guard);

    /// Counts up in a process of its own, until that is killed.
    #[tokio::test]
    #[ignore = "is the process that the next one kills"]
    async fn count() {
        let directory = std::env::var_os("CUSTOM_STORE").unwrap();
        let store = FileStore::open(directory.as_ref(), Arc::new(clock())).unwrap();
        for count in 1_u64.. {
            let mut one = connection(&format!("cn_{count}"), "ada");
            one.version = TokenStore::put(&store, &one).await.unwrap();
            store.enqueue(vec![NewJob::new("count", "ada")]).await.unwrap();
            println!("counted {count}");
        }
    }

    #[tokio::test]
    async fn what_was_answered_outlives_a_kill() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::count", "--ignored", "--nocapture"])
            .env("CUSTOM_STORE", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut counted = lines.filter_map(|line| line.split_once("counted ")?.1.parse::<usize>().ok());
        assert_eq!(counted.by_ref().find(|count| *count == 50), Some(50));
        assert!(FileStore::open(directory.path(), Arc::new(clock())).is_err(), "one process at a time");
        child.kill().unwrap();
        child.wait().unwrap();
        let last = counted.last().unwrap_or(50);
        let store = FileStore::open(directory.path(), Arc::new(clock())).unwrap();
        let kept = store.list(&ConnectionFilter::default()).await.unwrap();
        assert!((last..=last + 1).contains(&kept.len()), "{} of {last} connections", kept.len());
        let jobs = store.stats().await.unwrap().total().ready;
        assert!((last as u64..=last as u64 + 1).contains(&jobs), "{jobs} of {last} jobs");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_named_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jobs.json");
        std::fs::write(&path, "{ half of a fi").unwrap();
        let error = FileStore::open(directory.path(), Arc::new(clock())).unwrap_err();
        assert!(error.to_string().contains("jobs.json"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ half of a fi");
    }
}
