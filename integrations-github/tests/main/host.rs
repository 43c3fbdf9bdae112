//! A host for the tests: a gateway on the fake, in memory, on a manual clock.

use std::collections::BTreeSet;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::Vault;
use integrations_core::clock::ManualClock;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::memory::MemoryStore;
use integrations_core::model::Record;
use integrations_core::resilience::{ExponentialRetry, Unlimited};
use integrations_core::sync::{StreamKey, StreamReport, SyncReport, SyncRequest};
use integrations_core::{Connection, Error, Gateway, GatewayBuilder, Result};
use integrations_github::{GitHub, GitHubConfig, GitHubConfigBuilder};
use integrations_testkit::github::{FakeGitHub, FakeGitHubBuilder, InstallationSpec, RepoSpec};
use serde_json::Value;

pub(crate) const REDIRECT: &str = "https://app.example/callback";
/// The repository of most tests.
pub(crate) const HELLO: &str = "octo-org/hello";
pub(crate) const HELLO_ID: u64 = 1_296_269;

// GitHub's names of the operations, as the fake counts them.
pub(crate) const ISSUES: &str = "issues.listForRepo";
pub(crate) const COMMENTS: &str = "issues.listCommentsForRepo";
pub(crate) const REVIEW_COMMENTS: &str = "pulls.listReviewCommentsForRepo";
pub(crate) const GRAPHQL: &str = "graphql";

/// What happens just before a request goes out.
type Meddling = Box<dyn FnMut(&'static str, &FakeGitHub) + Send>;

/// A client that lets something happen between requests.
struct Meddled {
    http: ReqwestTransport,
    fake: Arc<FakeGitHub>,
    before: Arc<Mutex<Option<Meddling>>>,
    under_way: Arc<AtomicUsize>,
}

impl fmt::Debug for Meddled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddled")
    }
}

#[async_trait]
impl Transport for Meddled {
    async fn send(&self, request: Request) -> Result<Response> {
        if let Some(before) = self.before.lock().unwrap().as_mut() {
            before(request.operation, &self.fake);
        }
        self.under_way.fetch_add(1, Relaxed);
        let answer = self.http.send(request).await;
        self.under_way.fetch_sub(1, Relaxed);
        answer
    }
}

pub(crate) struct Host {
    pub(crate) clock: ManualClock,
    pub(crate) fake: Arc<FakeGitHub>,
    pub(crate) store: MemoryStore,
    pub(crate) gateway: Gateway,
    vault: Vault,
    wire: Wire,
    config: GitHubConfig,
}

/// What the clients of all gateways have in common.
#[derive(Clone, Default)]
struct Wire {
    before: Arc<Mutex<Option<Meddling>>>,
    /// How many requests wait for their answer.
    under_way: Arc<AtomicUsize>,
}

/// An installation that may read everything that is synced.
pub(crate) fn installation(id: u64, login: &str) -> InstallationSpec {
    let names = ["issues", "pull_requests", "checks", "statuses"];
    names.iter().fold(InstallationSpec::new(id, login), |installed, name| installed.permission(name, "read"))
}

impl Host {
    /// A host with an OAuth app, and one repository without issues. It gives up at the first failure, and knows
    /// of no quota: nothing waits on the clock.
    pub(crate) async fn new() -> Self {
        Self::with(|fake| fake.with_lasting_tokens().repository(RepoSpec::new(HELLO).id(HELLO_ID))).await
    }

    pub(crate) async fn with(fake: impl FnOnce(FakeGitHubBuilder) -> FakeGitHubBuilder) -> Self {
        Self::with_config(fake, |config| config).await
    }

    pub(crate) async fn with_config(
        fake: impl FnOnce(FakeGitHubBuilder) -> FakeGitHubBuilder,
        config: impl FnOnce(GitHubConfigBuilder) -> GitHubConfigBuilder,
    ) -> Self {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let fake = Arc::new(fake(FakeGitHub::builder().clock(Arc::new(clock.clone()))).start().await);
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let client =
            GitHubConfig::builder().client(fake.client_id(), fake.client_secret()).base_url(fake.url());
        let parts = (config(client).build().unwrap(), Vault::ephemeral().unwrap(), Wire::default());
        let (config, vault, wire) = parts;
        let gateway = gateway(&clock, &fake, &store, &vault, &wire, &config, impatient);
        Self { clock, fake, store, gateway, vault, wire, config }
    }

    /// Another process on the same storage.
    pub(crate) fn another_process(&self, set_up: fn(GatewayBuilder) -> GatewayBuilder) -> Gateway {
        let Self { clock, fake, store, vault, wire, config, .. } = self;
        gateway(clock, fake, store, vault, wire, config, set_up)
    }

    /// Runs a future; when nobody waits for anything but the time, the time passes.
    pub(crate) async fn while_time_passes<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut idle = 0;
        loop {
            let step = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
            if let Poll::Ready(done) = step {
                return done;
            }
            tokio::task::yield_now().await;
            idle = if self.wire.under_way.load(Relaxed) == 0 { idle + 1 } else { 0 };
            if idle > 8 {
                self.clock.advance(Duration::from_millis(50));
                idle = 0;
            }
        }
    }

    /// Lets something happen before each request from now on.
    pub(crate) fn meddle(&self, before: impl FnMut(&'static str, &FakeGitHub) + Send + 'static) {
        *self.wire.before.lock().unwrap() = Some(Box::new(before));
    }

    pub(crate) fn leave_alone(&self) {
        *self.wire.before.lock().unwrap() = None;
    }

    /// Connects the user's own account.
    pub(crate) async fn connect(&self) -> Connection {
        let begun = self.gateway.connect("ada", "github").redirect_uri(REDIRECT).begin().await.unwrap();
        let callback = self.fake.consent(begun.url.as_str()).await.unwrap();
        self.gateway.complete("ada", &callback).await.unwrap()
    }

    /// Brings everything up to date, and forgets what was counted before.
    pub(crate) async fn sync(&self, connection: &Connection) -> SyncReport {
        self.fake.reset_counters();
        self.gateway.sync(&connection.id).await.unwrap().into_result().unwrap()
    }

    /// Brings a stream up to date, and forgets what was counted before.
    pub(crate) async fn sync_one(&self, connection: &Connection, stream: &str) -> StreamReport {
        self.try_one(connection, stream, SyncRequest::incremental()).await.unwrap()
    }

    pub(crate) async fn try_one(
        &self,
        connection: &Connection,
        stream: &str,
        request: SyncRequest,
    ) -> Result<StreamReport, Error> {
        self.fake.reset_counters();
        self.gateway.sync_stream(&connection.id, &stream.into(), request).await
    }

    pub(crate) async fn sync_hello(&self, connection: &Connection) -> StreamReport {
        self.sync_one(connection, &HELLO_ID.to_string()).await
    }

    pub(crate) fn records(&self, connection: &Connection, stream: &str) -> Vec<Record> {
        self.store.records(&StreamKey::new(connection, &stream.into()))
    }

    pub(crate) fn record(&self, connection: &Connection, id: &str) -> Record {
        let records = self.records(connection, &HELLO_ID.to_string());
        let known: Vec<_> = records.iter().map(|record| record.id().to_owned()).collect();
        let found = records.into_iter().find(|record| record.id() == id);
        found.unwrap_or_else(|| panic!("no record {id} in {known:?}"))
    }

    /// A second passes.
    pub(crate) fn tick(&self) {
        self.clock.advance(Duration::from_secs(1));
    }

    /// The ids of the records that a repository should have.
    pub(crate) fn all(&self, repository: &str) -> BTreeSet<String> {
        let fake = &self.fake;
        let numbers = fake.issue_numbers(repository);
        let is_pull = |number: &&u64| fake.pull(repository, **number).is_some();
        let pulls: Vec<u64> = numbers.iter().filter(is_pull).copied().collect();
        let reviews = pulls.iter().flat_map(|number| fake.review_ids(repository, *number));
        let named = |sort: &'static str| move |id: u64| format!("{sort}:{id}");
        let mut all: BTreeSet<_> = numbers.iter().map(u64::to_string).collect();
        all.extend(reviews.map(named("review")));
        all.extend(fake.comment_ids(repository).into_iter().map(named("comment")));
        all.extend(fake.review_comment_ids(repository).into_iter().map(named("review_comment")));
        all
    }

    /// Asserts that the sink holds everything that the repository has, in its latest words.
    #[track_caller]
    pub(crate) fn assert_has_all(&self, connection: &Connection, repository: &str) {
        let stream = self.fake.repository_id(repository).to_string();
        let records = self.records(connection, &stream);
        let ours: BTreeSet<_> = records.iter().map(|record| record.id().to_owned()).collect();
        let missing: Vec<_> = self.all(repository).difference(&ours).cloned().collect();
        assert_eq!(missing, Vec::<String>::new());
        for record in records {
            let (sort, id) = record.id().split_once(':').unwrap_or(("", record.id()));
            let id: u64 = id.parse().unwrap();
            let theirs = match sort {
                "" => self.fake.issue(repository, id).map(|issue| issue["title"].clone()),
                "comment" => self.fake.comment_object(repository, id).map(|comment| comment["body"].clone()),
                _ => None,
            };
            if let Some(theirs) = theirs {
                assert_eq!(record.entity.title(), theirs.as_str(), "{}", record.id());
            }
        }
    }

    /// Asserts that the sink holds exactly what the repository has, as it is.
    #[track_caller]
    pub(crate) fn assert_same(&self, connection: &Connection, repository: &str) {
        let stream = self.fake.repository_id(repository).to_string();
        let records = self.records(connection, &stream);
        let ours: BTreeSet<_> = records.iter().map(|record| record.id().to_owned()).collect();
        assert_eq!(ours, self.all(repository), "{repository}");
        for record in records {
            let raw: Value = serde_json::from_slice(record.raw.as_bytes()).unwrap();
            let (sort, id) = record.id().split_once(':').unwrap_or(("", record.id()));
            let id: u64 = id.parse().unwrap();
            let (ours, theirs) = match sort {
                "" => (raw.get("rest").unwrap_or(&raw), self.fake.issue(repository, id)),
                "comment" => (&raw, self.fake.comment_object(repository, id)),
                "review_comment" => (&raw, self.fake.review_comment_object(repository, id)),
                // Of a review the fake shows nothing by itself.
                _ => continue,
            };
            let theirs = theirs.unwrap();
            for (name, value) in ours.as_object().unwrap() {
                // A list of pull requests has no such address, nor the same id.
                if theirs.get(name).is_some() && ours.get("head").is_none() {
                    assert_eq!(value, &theirs[name], "{repository} {}: {name}", record.id());
                }
            }
            assert_eq!((&ours["title"], &ours["body"]), (&theirs["title"], &theirs["body"]));
            if let Some(details) = raw.get("graphql") {
                assert_eq!(details["headRefOid"], self.fake.head_sha(repository, id).as_str());
            }
        }
    }
}

/// Gives up at the first failure, and knows of no quota.
pub(crate) fn impatient(gateway: GatewayBuilder) -> GatewayBuilder {
    gateway
        .retry_policy(Arc::new(ExponentialRetry::default().with_retries(0)))
        .rate_limiter(Arc::new(Unlimited))
}

fn gateway(
    clock: &ManualClock,
    fake: &Arc<FakeGitHub>,
    store: &MemoryStore,
    vault: &Vault,
    wire: &Wire,
    config: &GitHubConfig,
    set_up: fn(GatewayBuilder) -> GatewayBuilder,
) -> Gateway {
    let http = ReqwestTransport::new("tests").unwrap();
    let Wire { before, under_way } = wire.clone();
    let transport = Meddled { http, fake: Arc::clone(fake), before, under_way };
    let builder = Gateway::builder()
        .adapter(GitHub::new(config.clone()))
        .store(store.clone())
        .vault(vault.clone())
        .transport(Arc::new(transport))
        .clock(Arc::new(clock.clone()));
    set_up(builder).build().unwrap()
}

/// What became of one stream.
pub(crate) fn of<'a>(report: &'a SyncReport, stream: &str) -> &'a StreamReport {
    let found = report.streams.iter().find(|(key, _)| key.stream == stream);
    found.unwrap_or_else(|| panic!("no stream {stream}")).1.as_ref().unwrap()
}
