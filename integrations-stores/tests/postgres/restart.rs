//! What if the server itself crashes in the middle of the load?
//!
//! The test starts a server of its own, from the installed programs: PostgreSQL's `initdb` and `pg_ctl`, which do not run
//! as root, so that root becomes the user `postgres` for them.

use std::collections::HashSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use integrations_core::queue::{JobId, JobQuery, JobQueue, JobState, LeaseRequest, NewJob, Settlement};
use integrations_core::{Error, ErrorKind};
use integrations_stores::PostgresStore;
use tempfile::TempDir;

const TTL: Duration = Duration::from_millis(300);

/// A server that is gone with this.
struct Server {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    is_root: bool,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let server = Self { programs: programs(), folder, port, is_root };
        if is_root {
            let owner = Command::new("chown").arg("postgres").arg(server.folder.path()).status().unwrap();
            assert!(owner.success());
        }
        let data = server.data();
        server.run("initdb", &["--auth=trust", "--username=postgres", "--pgdata", data.to_str().unwrap()]);
        server.start();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        let done =
            command.args(arguments).current_dir(self.folder.path()).stdout(Stdio::null()).status().unwrap();
        assert!(done.success(), "{} failed", program.display());
    }

    fn start(&self) {
        let options =
            format!("-p {} -c listen_addresses=127.0.0.1 -k {}", self.port, self.folder.path().display());
        let (data, log) = (self.data(), self.folder.path().join("log"));
        let (data, log) = (data.to_str().unwrap(), log.to_str().unwrap());
        self.run("pg_ctl", &["start", "--wait", "--pgdata", data, "--log", log, "--options", &options]);
    }

    /// As a crash does: without a last word to anybody.
    fn crash(&self) {
        self.run(
            "pg_ctl",
            &["stop", "--mode=immediate", "--wait", "--pgdata", self.data().to_str().unwrap()],
        );
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
        }
    }
}

/// Where Debian has them, or where `pg_config` says.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
    found.unwrap_or_else(|| {
        let said = Command::new("pg_config").arg("--bindir").output().expect("PostgreSQL is installed");
        Path::new(String::from_utf8(said.stdout).unwrap().trim()).to_owned()
    })
}

/// The words that a host reads while the server is away.
fn says_what_happened(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Store, "{error:?}");
    let code = error.provider_code().unwrap_or_default();
    assert!(["database_unreachable", "database_restarting", "database_busy"].contains(&code), "{error:?}");
}

/// Puts jobs into the queue and works some of them off; returns those that the queue has taken.
async fn load(store: &PostgresStore, jobs: usize) -> (HashSet<JobId>, usize) {
    let (mut taken, mut errors) = (HashSet::new(), 0);
    let mut failed = |error: Error| {
        says_what_happened(&error);
        errors += 1;
    };
    for number in 0..jobs {
        match store.enqueue(vec![NewJob::new("work", format!("user-{}", number % 5))]).await {
            Ok(enqueued) => {
                taken.insert(enqueued[0].id.clone());
            }
            Err(error) => failed(error),
        }
        let leased = match store.lease(&LeaseRequest::new("worker", "work", 1, TTL)).await {
            Ok(leased) => leased.leases,
            Err(error) => {
                failed(error);
                continue;
            }
        };
        if number % 2 == 0
            && let Err(error) = store.settle(leased.iter().map(Settlement::done).collect()).await
        {
            failed(error);
        }
    }
    (taken, errors)
}

/// Works off what is there, and returns which jobs were done in all.
async fn work_off(store: &PostgresStore) -> HashSet<JobId> {
    let clock = SystemClock::new();
    for _ in 0..1_000 {
        let leased = store.lease(&LeaseRequest::new("worker", "work", 100, TTL)).await.unwrap();
        store.settle(leased.leases.iter().map(Settlement::done).collect()).await.unwrap();
        let total = store.stats().await.unwrap().total();
        if total.ready + total.delayed + total.running == 0 {
            let done = store.find(&JobQuery::in_state(JobState::Done).page(None, 1_000_000)).await.unwrap();
            return done.into_iter().map(|record| record.job.id).collect();
        }
        clock.sleep(Duration::from_millis(20)).await;
    }
    panic!("the jobs do not come to their end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres"]
async fn what_was_taken_survives_crashes_in_the_middle_of_the_load() {
    let server = Server::new();
    let store = PostgresStore::builder().max_connections(3).connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let (mut taken, mut errors) = (HashSet::new(), 0);
    for _ in 0..3 {
        let loaded = tokio::spawn({
            let store = store.clone();
            async move { load(&store, 300).await }
        });
        // Somewhere in the middle of the load.
        while store.stats().await.map_or(0, |stats| stats.total().running) < 10 {
            tokio::task::yield_now().await;
        }
        server.crash();
        server.start();
        let (more, failed) = loaded.await.unwrap();
        taken.extend(more);
        errors += failed;
        work_off(&store).await;
    }
    let done = work_off(&store).await;
    assert!(done.is_superset(&taken), "{} jobs are lost", taken.difference(&done).count());
    println!("three crashes: {} jobs taken, {errors} calls failed, none lost", taken.len());
}
