//! What happens when the tokens of many connections expire together?
//!
//! The tests run on a clock that jumps to the next sleeper as soon as no task has anything to do, and not
//! before: minutes pass in seconds, and every run is the same.
#![cfg(feature = "governor")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests to us, but not to clippy")]
#![allow(clippy::disallowed_methods, reason = "the clock of these tests is tokio's own, paused")]

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, StatusCode};
use integrations_core::adapter::{Page, Pull, ServiceInfo, Stream};
use integrations_core::auth::{
    AccessToken, Authenticator, AuthorizationRequest, CodeGrant, RefreshToken, SealedTokens, TokenSet,
    TokenStore, Tokens, Vault,
};
use integrations_core::clock::Clock;
use integrations_core::connection::{Account, ConnectionStatus, GrantType, Owner};
use integrations_core::http::{
    Failure, Origins, Priority, Request, Response, Session, Transport, token_lane,
};
use integrations_core::memory::MemoryStore;
use integrations_core::normalize::Normalizer;
use integrations_core::resilience::{Limits, Quota, Scope};
use integrations_core::{Connection, ConnectionId, Error, ErrorKind, Gateway, Result, ServiceAdapter};
use url::Url;

const SERVICE: &str = "fake";
const LIFE: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);
/// Ten exchanges a second, 15 at once.
const EXCHANGES: usize = 600;
const BURST: usize = 15;
const LIMITS: Limits = Limits::new(&[Quota::new(Scope::App, 600, MINUTE).burst(15)]);

/// The clock of a runtime whose time is paused.
#[derive(Debug)]
struct PausedClock {
    from: DateTime<Utc>,
    start: tokio::time::Instant,
}

#[async_trait]
impl Clock for PausedClock {
    fn now(&self) -> DateTime<Utc> {
        self.from + self.start.elapsed()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Exchanges each refresh token once, and looks at every token that it is shown.
#[derive(Debug)]
struct Provider {
    clock: Arc<dyn Clock>,
    exchange_takes: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The end of the one token that is refused before its time.
    refuses: Option<Duration>,
    exchanges: Vec<Duration>,
    spent: u64,
    calls: u64,
    with_expired: u64,
}

impl Provider {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// A token names its number and when it ends, in milliseconds.
fn token(number: usize, end: Duration) -> String {
    format!("{number}.{}", end.as_millis())
}

fn end_of(token: &str) -> Duration {
    Duration::from_millis(token.rsplit('.').next().unwrap().parse().unwrap())
}

#[async_trait]
impl Transport for Provider {
    async fn send(&self, request: Request) -> Result<Response> {
        let now = self.clock.monotonic();
        if request.operation == "token.refresh" {
            self.seen().exchanges.push(now);
            self.clock.sleep(self.exchange_takes).await;
        } else {
            let shown = request.headers[AUTHORIZATION].to_str().unwrap();
            let mut seen = self.seen();
            seen.calls += 1;
            seen.with_expired += u64::from(end_of(shown) <= now);
            if seen.refuses == Some(end_of(shown)) {
                return Ok(Response::new(StatusCode::UNAUTHORIZED, HeaderMap::new(), "{}"));
            }
        }
        Ok(Response::new(StatusCode::OK, HeaderMap::new(), "{}"))
    }
}

#[derive(Debug)]
struct Adapter {
    info: ServiceInfo,
    origins: Origins,
    provider: Arc<Provider>,
    spent: Mutex<std::collections::HashSet<String>>,
}

fn url(path: &str) -> Url {
    Url::parse(&format!("https://fake.example/{path}")).unwrap()
}

#[async_trait]
impl ServiceAdapter for Adapter {
    fn info(&self) -> &ServiceInfo {
        &self.info
    }

    fn normalizer(&self) -> Arc<dyn Normalizer> {
        unreachable!("nothing is synced")
    }

    fn allowed_origins(&self) -> &Origins {
        &self.origins
    }

    fn classify(&self, _: &Failure<'_>) -> Error {
        ErrorKind::TokenExpired.into()
    }

    fn authenticator(&self) -> &dyn Authenticator {
        self
    }

    async fn list_streams(&self, _: &Session) -> Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    async fn sync_data(&self, _: &Session, _: Pull<'_>) -> Result<Page> {
        unreachable!("nothing is synced")
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        session.send(Request::get("look", url("look"))).await.map(drop)
    }
}

#[async_trait]
impl Authenticator for Adapter {
    fn authorization_url(&self, _: &AuthorizationRequest) -> Result<Url> {
        unreachable!("nobody connects")
    }

    async fn authenticate(&self, _: &Session, _: &CodeGrant) -> Result<TokenSet> {
        unreachable!("nobody connects")
    }

    /// As [`integrations_core::auth::OAuthClient`] does it.
    async fn refresh_token(&self, session: &Session, refresh: &RefreshToken) -> Result<TokenSet> {
        let request = Request::new("token.refresh", Method::POST, url("token"))
            .with_priority(Priority::Interactive)
            .with_deadline(Duration::from_secs(40));
        session.send(request).await?;
        let number = {
            let mut seen = self.provider.seen();
            seen.spent += u64::from(!self.spent.lock().unwrap().insert(refresh.expose().to_owned()));
            seen.exchanges.len()
        };
        let end = self.provider.clock.monotonic() + LIFE;
        Ok(TokenSet::new(AccessToken::new(token(number, end)).unwrap())
            .with_refresh(Some(RefreshToken::new(format!("{}'", refresh.expose()))))
            .with_expires_in(Some(LIFE)))
    }

    async fn revoke_access(&self, _: &Session, _: &Tokens) -> Result<()> {
        Ok(())
    }

    async fn identify(&self, _: &Session) -> Result<Account> {
        unreachable!("nobody connects")
    }
}

fn gateway(adapter: &Arc<Adapter>, store: &MemoryStore, vault: &Vault) -> Gateway {
    let provider = &adapter.provider;
    Gateway::builder()
        .adapter(Arc::clone(adapter) as _)
        .store(store.clone())
        .vault(vault.clone())
        .transport(Arc::clone(provider) as _)
        .clock(Arc::clone(&provider.clock))
        .limits(SERVICE, Limits::UNKNOWN)
        .limits(token_lane(&SERVICE.into()), LIMITS)
        .build()
        .unwrap()
}

/// A gateway, and the provider behind it.
struct Stage {
    clock: Arc<dyn Clock>,
    store: MemoryStore,
    vault: Vault,
    provider: Arc<Provider>,
    adapter: Arc<Adapter>,
    gateway: Gateway,
}

impl Stage {
    fn new(exchange_takes: Duration) -> Self {
        let from = DateTime::from_timestamp(1_772_400_000, 0).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(PausedClock { from, start: tokio::time::Instant::now() });
        let store = MemoryStore::with_clock(Arc::clone(&clock));
        let vault = Vault::ephemeral().unwrap();
        let provider =
            Arc::new(Provider { clock: Arc::clone(&clock), exchange_takes, seen: Mutex::default() });
        let adapter = Arc::new(Adapter {
            info: ServiceInfo::new(SERVICE, "Fake", "1"),
            origins: Origins::of(&[url("")]),
            provider: Arc::clone(&provider),
            spent: Mutex::default(),
        });
        let gateway = gateway(&adapter, &store, &vault);
        Self { clock, store, vault, provider, adapter, gateway }
    }

    /// Another process, which shares nothing but the store.
    fn another_process(&self) -> Gateway {
        gateway(&self.adapter, &self.store, &self.vault)
    }

    /// Connections whose tokens have that much of an hour to live.
    async fn connect(&self, names: &str, count: usize, left: Duration) -> Vec<ConnectionId> {
        let mut ids = Vec::new();
        for number in 0..count {
            let id = ConnectionId::new(format!("{names}_{number}"));
            let (owner, service) = (Owner::from("ada"), SERVICE.into());
            let end = self.clock.monotonic() + left;
            let tokens = Tokens {
                access: AccessToken::new(token(number, end)).unwrap(),
                refresh: Some(RefreshToken::new(format!("refresh-{id}"))),
            };
            let (access, refresh) = self.vault.seal_tokens(&owner, &service, &id, &tokens).unwrap();
            let expires_at = self.clock.now() + left;
            let issued_at = expires_at - LIFE;
            let connection = Connection {
                id: id.clone(),
                owner,
                service,
                account: Account { id: "ada".into(), email: None, name: None },
                status: ConnectionStatus::Active,
                scopes: Vec::new(),
                tokens: SealedTokens { access, refresh, issued_at, expires_at: Some(expires_at) },
                grant: GrantType::User,
                refreshing_since: None,
                version: 0,
                created_at: issued_at,
                updated_at: issued_at,
            };
            self.store.put(&connection).await.unwrap();
            ids.push(id);
        }
        ids
    }

    /// Makes one call, and says how long it took.
    async fn call(&self, id: &ConnectionId, within: Duration) -> Result<Duration> {
        let begun = self.clock.monotonic();
        let request = Request::get("look", url("look")).with_deadline(within);
        self.gateway.session(id).await?.send(request).await?;
        Ok(self.clock.monotonic() - begun)
    }

    /// When the stored token ends.
    async fn end_of(&self, id: &ConnectionId) -> DateTime<Utc> {
        self.store.get(id).await.unwrap().unwrap().tokens.expires_at.unwrap()
    }

    /// The most exchanges in any window of that length.
    fn densest(&self, window: Duration) -> usize {
        let seen = self.provider.seen();
        let within = |from: usize| {
            seen.exchanges[from..].iter().take_while(|at| **at - seen.exchanges[from] < window).count()
        };
        (0..seen.exchanges.len()).map(within).max().unwrap_or(0)
    }

    /// No quota is overrun, no refresh token spent twice, and no call made with a token that has expired.
    fn assert_orderly(&self) {
        assert!(self.densest(MINUTE) <= EXCHANGES, "{} in a minute", self.densest(MINUTE));
        assert!(self.densest(Duration::from_millis(5)) <= BURST);
        let seen = self.provider.seen();
        assert_eq!((seen.spent, seen.with_expired), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_herd_is_refreshed_at_the_quota_and_its_calls_go_on_meanwhile() {
    const CONNECTIONS: usize = 1_200;
    let stage = Arc::new(Stage::new(Duration::from_millis(150)));
    let ids = stage.connect("herd", CONNECTIONS, 7 * MINUTE).await;
    let users = ids.iter().enumerate().map(|(number, id)| {
        let (stage, id) = (Arc::clone(&stage), id.clone());
        tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            stage.clock.sleep(Duration::from_millis(number as u64 * 8)).await;
            // Every ten seconds, from seven minutes before the end to a minute behind it.
            for _ in 0..48 {
                let took = stage.call(&id, MINUTE).await.unwrap();
                stage.clock.sleep(10 * SECOND - took).await;
                longest = longest.max(took);
            }
            longest
        })
    });
    let longest = join_all(users).await.into_iter().map(Result::unwrap).max().unwrap();
    assert!(longest <= 2 * SECOND, "a call waited for {longest:?}");
    stage.assert_orderly();
    let (first, last) = {
        let seen = stage.provider.seen();
        assert_eq!((seen.exchanges.len(), seen.calls), (CONNECTIONS, 48 * CONNECTIONS as u64));
        (seen.exchanges[0], seen.exchanges[CONNECTIONS - 1])
    };
    // The line is there within ten seconds.
    let at_the_quota = MINUTE * 2 * 100 / 95;
    assert!(last - first <= at_the_quota + 10 * SECOND, "{:?}", last - first);
    assert!(last <= 6 * MINUTE, "{last:?}: a minute before the first token ends");
}

#[tokio::test(start_paused = true)]
async fn where_all_have_expired_each_is_exchanged_once_as_fast_as_the_quota_allows() {
    // More than can be exchanged within the deadline of an exchange.
    const CONNECTIONS: usize = 600;
    let stage = Stage::new(Duration::from_millis(150));
    let ids = stage.connect("dead", CONNECTIONS, Duration::ZERO).await;
    let calls = join_all(ids.iter().map(|id| stage.call(id, 2 * MINUTE))).await;
    let longest = calls.into_iter().map(Result::unwrap).max().unwrap();
    assert!(longest <= MINUTE * 100 / 95 + SECOND, "{longest:?}");
    stage.assert_orderly();
    assert_eq!(stage.provider.seen().exchanges.len(), CONNECTIONS);
}

#[tokio::test(start_paused = true)]
async fn processes_that_use_the_same_herd_refresh_it_once() {
    const CONNECTIONS: usize = 400;
    let stage = Stage::new(Duration::from_millis(150));
    let ids = stage.connect("herd", CONNECTIONS, 4 * MINUTE).await;
    let processes = [stage.another_process(), stage.another_process()];
    let calls = processes.iter().flat_map(|process| ids.iter().map(|id| process.check_health(id)));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    assert!(stage.clock.monotonic() <= 2 * SECOND, "no call waited for the line");
    stage.clock.sleep(MINUTE).await;
    stage.assert_orderly();
    assert_eq!(stage.provider.seen().exchanges.len(), CONNECTIONS);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_token_goes_before_those_who_can_wait() {
    let stage = Stage::new(Duration::from_millis(150));
    let due = stage.connect("due", 400, 4 * MINUTE).await;
    let dead = stage.connect("dead", 1, Duration::ZERO).await;
    for took in join_all(due.iter().map(|id| stage.call(id, MINUTE))).await {
        assert!(took.unwrap() <= 2 * SECOND);
    }
    // 400 refreshes take 40 s; those few that are under way already go first.
    assert!(stage.call(&dead[0], MINUTE).await.unwrap() <= 3 * SECOND);
    stage.clock.sleep(MINUTE).await;
    stage.assert_orderly();
    assert_eq!(stage.provider.seen().exchanges.len(), 401, "nobody has to call again for it");
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_does_not_wait_where_its_refresh_stood_in_line() {
    let stage = Stage::new(Duration::from_millis(150));
    let ids = stage.connect("due", 400, 4 * MINUTE).await;
    let late = &stage.connect("late", 1, 4 * MINUTE + SECOND).await[0];
    for took in join_all(ids.iter().chain([late]).map(|id| stage.call(id, MINUTE))).await {
        assert!(took.unwrap() <= 2 * SECOND);
    }
    stage.provider.seen().refuses = Some(4 * MINUTE + SECOND);
    assert!(stage.call(late, MINUTE).await.unwrap() <= 3 * SECOND);
    stage.clock.sleep(MINUTE).await;
    stage.assert_orderly();
    assert_eq!(stage.provider.seen().exchanges.len(), 401);
}

#[tokio::test(start_paused = true)]
async fn calls_with_a_good_token_do_not_wait_for_those_that_have_none() {
    let stage = Arc::new(Stage::new(20 * SECOND));
    let dead = stage.connect("dead", 64, Duration::ZERO).await;
    let good = stage.connect("good", 1, LIFE).await;
    let waiting: Vec<_> = dead
        .into_iter()
        .map(|id| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move { stage.call(&id, 5 * MINUTE).await })
        })
        .collect();
    stage.clock.sleep(10 * SECOND).await;
    assert_eq!(stage.call(&good[0], MINUTE).await.unwrap(), Duration::ZERO);
    for call in waiting {
        assert!(call.await.unwrap().unwrap() >= 20 * SECOND);
    }
    stage.assert_orderly();
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_takes_long_goes_on_behind_a_call_that_can_do_without() {
    let stage = Stage::new(20 * SECOND);
    let id = &stage.connect("due", 1, 4 * MINUTE).await[0];
    let before = stage.end_of(id).await;
    assert_eq!(stage.call(id, MINUTE).await.unwrap(), 2 * SECOND);
    assert_eq!(stage.call(id, MINUTE).await.unwrap(), Duration::ZERO);
    assert_eq!(stage.end_of(id).await, before);
    stage.clock.sleep(20 * SECOND).await;
    assert!(stage.end_of(id).await > before + TimeDelta::minutes(50), "it was stored all the same");
    stage.call(id, MINUTE).await.unwrap();
    assert_eq!(stage.provider.seen().exchanges.len(), 1);
    stage.assert_orderly();
}
