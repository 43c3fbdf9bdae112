//! A process of the host: it uses the connection when it is told to, and says what came of it.

use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::{ConnectionFilter, RefreshGuard, TokenSettings, TokenStore};
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::connection::ConnectionId;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::{Connection, Gateway, Result, ServiceAdapter};
use integrations_stores::SqliteStore;
use tokio::sync::Semaphore;

/// What stands before everything that a child has to say.
pub(crate) const SAYS: char = '@';

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{SAYS}{text}");
    let _ = out.flush();
}

/// What the parent says; `None` when it has no more to say.
fn hear() -> Option<String> {
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(1..) => Some(line.trim().to_owned()),
        _ => None,
    }
}

/// Where the child stops, if it was told to stop anywhere.
#[derive(Debug)]
struct Stops(AtomicBool);

impl Stops {
    /// Says where it is, and waits until it may go on; `run` lets it run from here.
    fn at(&self, place: &str) {
        if self.0.load(Ordering::SeqCst) {
            say(place);
            if hear().is_none_or(|said| said == "run") {
                self.0.store(false, Ordering::SeqCst);
            }
        }
    }
}

#[derive(Debug)]
struct StoppingStore(SqliteStore, Arc<Stops>);

#[async_trait]
impl TokenStore for StoppingStore {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        self.1.at("before get");
        let found = self.0.get(id).await;
        self.1.at("after get");
        found
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        self.1.at("before put");
        let version = self.0.put(connection).await;
        self.1.at("after put");
        version
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        self.0.delete(id).await
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        self.0.list(filter).await
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        self.1.at("before guard");
        let guard = self.0.acquire_refresh_guard(id, ttl).await;
        self.1.at("after guard");
        guard
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        self.1.at("before release");
        self.0.release_refresh_guard(guard).await
    }
}

/// A thousand callers do not need a thousand sockets.
#[derive(Debug)]
struct StoppingTransport(ReqwestTransport, Semaphore, Arc<Stops>);

#[async_trait]
impl Transport for StoppingTransport {
    async fn send(&self, request: Request) -> Result<Response> {
        let _socket = self.1.acquire().await;
        let refreshes = request.operation == "token.refresh";
        if refreshes {
            self.2.at("before exchange");
        }
        let answer = self.0.send(request).await;
        if refreshes {
            self.2.at("after exchange");
        }
        answer
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn milliseconds(name: &str) -> Duration {
    Duration::from_millis(variable(name).parse().unwrap())
}

struct Host {
    gateway: Gateway,
    adapter: Arc<dyn ServiceAdapter>,
    id: ConnectionId,
    stops: Arc<Stops>,
}

impl Host {
    async fn open() -> Self {
        let stops = Arc::new(Stops(AtomicBool::new(false)));
        let store = SqliteStore::open(variable("PROCESSES_DB")).await.unwrap();
        let mut settings = TokenSettings::default();
        settings.guard_ttl = milliseconds("PROCESSES_GUARD_TTL");
        settings.exchange_limit = milliseconds("PROCESSES_EXCHANGE_LIMIT");
        settings.patience = Duration::from_secs(30);
        let transport = ReqwestTransport::new("test").unwrap();
        let transport = StoppingTransport(transport, Semaphore::new(16), Arc::clone(&stops));
        let adapter = super::adapter(&variable("PROCESSES_FAKE"));
        let gateway = super::gateway(&adapter, store.clone(), settings)
            .token_store(Arc::new(StoppingStore(store, Arc::clone(&stops))))
            .transport(Arc::new(transport))
            .build()
            .unwrap();
        Self { gateway, adapter, id: ConnectionId::new(variable("PROCESSES_CONNECTION")), stops }
    }

    async fn touch(&self) -> Result<()> {
        let session = self.gateway.session(&self.id).await?;
        self.adapter.authenticator().identify(&session).await.map(drop)
    }

    /// So many callers at once.
    async fn touch_by(self: &Arc<Self>, callers: usize) {
        let calls: Vec<_> = (0..callers)
            .map(|_| {
                let host = Arc::clone(self);
                tokio::spawn(async move { host.touch().await })
            })
            .collect();
        let mut failures = Vec::new();
        for call in calls {
            failures.extend(call.await.unwrap().err());
        }
        let first = failures.first().map(ToString::to_string).unwrap_or_default();
        say(&format!("done {} {} {first}", callers - failures.len(), failures.len()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a parent: started by the tests of this binary"]
async fn child() {
    let host = Arc::new(Host::open().await);
    let clock = SystemClock::new();
    say("ready");
    while let Some(told) = hear() {
        match told.split_once(' ') {
            Some(("call", callers)) => host.touch_by(callers.parse().unwrap()).await,
            // One call, step by step.
            None if told == "step" => {
                host.stops.0.store(true, Ordering::SeqCst);
                host.touch_by(1).await;
            }
            // Calls for ever, step by step: somebody will end it.
            None if told == "loop" => {
                host.stops.0.store(true, Ordering::SeqCst);
                loop {
                    let _ = host.touch().await;
                    clock.sleep(Duration::from_millis(20)).await;
                }
            }
            _ => panic!("what is {told:?}?"),
        }
    }
}
