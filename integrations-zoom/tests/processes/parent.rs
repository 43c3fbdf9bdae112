//! What does the parent have in hand: the fake, the database, and the processes?

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::{Either, select};
use integrations_core::auth::{TokenSettings, TokenStore, Tokens};
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::{Connection, Gateway, Result};
use integrations_stores::SqliteStore;
use integrations_testkit::oauth::{Dialect, FakeOAuth, FakeOAuthBuilder};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::child::SAYS;

/// Nothing here takes longer.
const LATEST: Duration = Duration::from_secs(60);

/// What somebody waits for; fails the test when it does not come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    let clock = SystemClock::new();
    match select(Box::pin(what), clock.sleep(LATEST)).await {
        Either::Left((come, _)) => come,
        Either::Right(_) => panic!("it does not come"),
    }
}

/// A provider, and a connection in a database that processes share.
pub(crate) struct Stage {
    pub(crate) fake: FakeOAuth,
    pub(crate) connection: Connection,
    pub(crate) store: SqliteStore,
    pub(crate) settings: TokenSettings,
    pub(crate) clock: SystemClock,
    folder: TempDir,
}

impl Stage {
    /// A connected account, at a provider that is set up like this.
    pub(crate) async fn new(
        (guard_ttl, exchange_limit): (u64, u64),
        set_up: impl Fn(FakeOAuthBuilder) -> FakeOAuthBuilder,
    ) -> Self {
        let fake = set_up(FakeOAuth::builder(Dialect::Zoom).client("client", "secret")).start().await;
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("host.db")).await.unwrap();
        let mut settings = TokenSettings::default();
        settings.guard_ttl = Duration::from_millis(guard_ttl);
        settings.exchange_limit = Duration::from_millis(exchange_limit);
        let gateway = crate::gateway(&crate::adapter(fake.url()), store.clone(), settings).build().unwrap();
        let connection = connect(&fake, &gateway).await;
        Self { fake, connection, store, settings, clock: SystemClock::new(), folder }
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("host.db")
    }

    /// This process as one of the host's, with nothing in memory.
    pub(crate) fn gateway(&self) -> Gateway {
        crate::gateway(&crate::adapter(self.fake.url()), self.store.clone(), self.settings).build().unwrap()
    }

    /// Uses the connection from this process.
    pub(crate) async fn touch(&self) -> Result<()> {
        let adapter = crate::adapter(self.fake.url());
        let session = self.gateway().session(&self.connection.id).await?;
        soon(adapter.authenticator().identify(&session)).await.map(drop)
    }

    /// The user connects the account again.
    pub(crate) async fn connect_again(&self) {
        assert_eq!(connect(&self.fake, &self.gateway()).await.id, self.connection.id);
    }

    pub(crate) async fn stored(&self) -> Connection {
        self.store.get(&self.connection.id).await.unwrap().unwrap()
    }

    pub(crate) async fn tokens(&self) -> Tokens {
        crate::vault().open_tokens(&self.stored().await).unwrap()
    }

    /// The access token has expired, for the provider as for whoever reads the database.
    pub(crate) async fn expire(&self) {
        let mut connection = self.stored().await;
        let now = self.clock.now();
        connection.tokens.issued_at = now - TimeDelta::hours(2);
        connection.tokens.expires_at = Some(now - TimeDelta::hours(1));
        self.store.put(&connection).await.unwrap();
        self.fake.expire_access_tokens();
    }

    /// Starts a process.
    pub(crate) async fn process(&self) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env("PROCESSES_FAKE", self.fake.url())
            .env("PROCESSES_DB", self.db())
            .env("PROCESSES_CONNECTION", self.connection.id.as_str())
            .env("PROCESSES_GUARD_TTL", self.settings.guard_ttl.as_millis().to_string())
            .env("PROCESSES_EXCHANGE_LIMIT", self.settings.exchange_limit.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Process { child, input, output };
        assert_eq!(process.hear().await, "ready");
        process
    }
}

async fn connect(fake: &FakeOAuth, gateway: &Gateway) -> Connection {
    let redirect = "http://127.0.0.1:9/callback";
    let begun = gateway.connect("ada", "zoom").redirect_uri(redirect).begin().await.unwrap();
    let callback = fake.consent(begun.url.as_str()).await.unwrap();
    gateway.complete("ada", &callback).await.unwrap()
}

/// One of the host's processes.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// What came of some calls.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    /// The first failure.
    pub(crate) error: String,
}

impl Process {
    pub(crate) async fn tell(&mut self, what: &str) {
        self.input.write_all(format!("{what}\n").as_bytes()).await.unwrap();
    }

    /// What the process says next.
    pub(crate) async fn hear(&mut self) -> String {
        soon(async {
            while let Some(line) = self.output.next_line().await.unwrap() {
                if let Some((_, said)) = line.split_once(SAYS) {
                    return said.to_owned();
                }
            }
            panic!("the process has ended");
        })
        .await
    }

    /// Lets it go on from stop to stop, until it stands there.
    pub(crate) async fn walk_to(&mut self, place: &str) {
        loop {
            let said = self.hear().await;
            if said == place {
                return;
            }
            assert!(!said.starts_with("done"), "{said}: {place} was never reached");
            self.tell("").await;
        }
    }

    /// What came of the calls that it was told to make.
    pub(crate) async fn done(&mut self) -> Outcome {
        let said = self.hear().await;
        let mut words = said.strip_prefix("done ").unwrap_or_else(|| panic!("{said}")).splitn(3, ' ');
        let mut number = || words.next().unwrap().parse().unwrap();
        let (succeeded, failed) = (number(), number());
        Outcome { succeeded, failed, error: words.next().unwrap_or_default().to_owned() }
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends a signal by its name, e.g. `STOP`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let kill = ["-c", "kill -s \"$1\" \"$2\"", "sh", name, &id];
        let sent = Command::new("sh").args(kill).status().await.unwrap();
        assert!(sent.success());
        // The signal stops one thread, which stops the others when it is given the processor.
        while name == "STOP" && !self.stands_still() {
            tokio::task::yield_now().await;
        }
    }

    /// Whether every thread has stopped, where the system says so.
    fn stands_still(&self) -> bool {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", self.child.id().unwrap())) else {
            return true;
        };
        tasks.flatten().all(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with(['T', 't']))
        })
    }
}

impl Outcome {
    #[track_caller]
    pub(crate) fn all_succeeded(&self, calls: usize) {
        assert_eq!((self.succeeded, self.failed), (calls, 0), "{}", self.error);
    }
}

/// The connection's stored times tell that nobody tried before the mark was old.
#[track_caller]
pub(crate) fn assert_waited(stage: &Stage, marked: &Connection, after: &Connection) {
    let waited = after.updated_at - marked.refreshing_since.unwrap();
    assert!(waited >= TimeDelta::from_std(stage.settings.exchange_limit).unwrap(), "{waited}");
}
