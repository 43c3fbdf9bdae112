//! A provider whose refresh tokens work once, a store that can be stopped, and an observer that keeps count.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::adapter::{AdapterRegistry, Page, Pull, ServiceInfo, Stream};
use integrations_core::auth::{
    AccessToken, Authenticator, AuthorizationRequest, CodeGrant, ConnectionFilter, KeyRing, RefreshGuard,
    RefreshToken, Sealed, SealedTokens, TokenManager, TokenParts, TokenSet, TokenSettings, TokenStore,
    Tokens, Vault,
};
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::connection::{Account, ConnectionStatus, GrantType};
use integrations_core::http::{
    Failure, Origins, Pipeline, PipelineParts, Request, Response, Session, Transport,
};
use integrations_core::memory::MemoryStore;
use integrations_core::normalize::Normalizer;
use integrations_core::observe::{Notice, Observer, TracedAudit};
use integrations_core::resilience::Unlimited;
use integrations_core::{Connection, ConnectionId, Error, ErrorKind, Result, ServiceAdapter};
use tokio::sync::oneshot;
use url::Url;

pub(crate) const SERVICE: &str = "fake";
const LIFE: Duration = Duration::from_secs(3_600);

/// Both keys, with this one primary.
pub(crate) fn both(primary: &str) -> KeyRing {
    KeyRing::new("old", [1; 32]).unwrap().with_key("new", [2; 32]).unwrap().with_primary(primary).unwrap()
}

pub(crate) fn only(id: &str) -> KeyRing {
    KeyRing::new(id, if id == "old" { [1; 32] } else { [2; 32] }).unwrap()
}

/// A place where the next one who comes by is stopped, if somebody waits for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<Option<Waiter>>>);

type Waiter = (oneshot::Sender<()>, oneshot::Receiver<()>);

pub(crate) struct Stopped {
    reached: oneshot::Receiver<()>,
    go_on: oneshot::Sender<()>,
}

impl Gate {
    pub(crate) fn close(&self) -> Stopped {
        let ((reached, has_reached), (go_on, may_go_on)) = (oneshot::channel(), oneshot::channel());
        *self.0.lock().unwrap() = Some((reached, may_go_on));
        Stopped { reached: has_reached, go_on }
    }

    async fn pass(&self) {
        let waiter = self.0.lock().unwrap().take();
        if let Some((reached, go_on)) = waiter {
            reached.send(()).unwrap();
            go_on.await.unwrap();
        }
    }
}

impl Stopped {
    pub(crate) async fn reached(&mut self) {
        (&mut self.reached).await.unwrap();
    }

    pub(crate) fn go_on(self) {
        self.go_on.send(()).unwrap();
    }
}

/// Exchanges each refresh token once; a second exchange ends the grant, as providers that rotate do.
#[derive(Debug)]
pub(crate) struct Provider {
    info: ServiceInfo,
    origins: Origins,
    exchanges: AtomicU64,
    /// The refresh token that works now, by the account that all of its tokens name.
    valid: Mutex<HashMap<String, String>>,
    pub(crate) before_exchange: Gate,
}

impl Provider {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            info: ServiceInfo::new(SERVICE, "Fake", "1"),
            origins: Origins::of(&[Url::parse("https://fake.example").unwrap()]),
            exchanges: AtomicU64::new(0),
            valid: Mutex::default(),
            before_exchange: Gate::default(),
        })
    }

    pub(crate) fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::SeqCst)
    }

    pub(crate) fn revoke(&self, account: &str) {
        self.valid.lock().unwrap().remove(account);
    }

    /// The refresh token of an account that works now.
    pub(crate) fn valid(&self, account: &str) -> String {
        self.valid.lock().unwrap()[account].clone()
    }

    fn grant(&self, account: &str, number: u64) -> TokenSet {
        let refresh = format!("{account}/refresh-{number}");
        self.valid.lock().unwrap().insert(account.to_owned(), refresh.clone());
        TokenSet::new(AccessToken::new(format!("{account}/access-{number}")).unwrap())
            .with_refresh(Some(RefreshToken::new(refresh)))
            .with_expires_in(Some(LIFE))
    }
}

#[async_trait]
impl ServiceAdapter for Provider {
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
        unreachable!("nothing is called")
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

    async fn check_health(&self, _: &Session) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Authenticator for Provider {
    fn authorization_url(&self, request: &AuthorizationRequest) -> Result<Url> {
        Ok(Url::parse_with_params("https://fake.example/", [("state", request.state.expose())]).unwrap())
    }

    async fn authenticate(&self, _: &Session, grant: &CodeGrant) -> Result<TokenSet> {
        assert_eq!(grant.verifier.expose().len(), 43);
        Ok(self.grant(grant.code.expose(), 0))
    }

    async fn refresh_token(&self, _: &Session, refresh: &RefreshToken) -> Result<TokenSet> {
        self.before_exchange.pass().await;
        tokio::task::yield_now().await;
        let (account, _) = refresh.expose().split_once('/').unwrap();
        let number = self.exchanges.fetch_add(1, Ordering::SeqCst) + 1;
        if self.valid.lock().unwrap().get(account).is_none_or(|valid| valid != refresh.expose()) {
            self.revoke(account);
            return Err(Error::new(ErrorKind::ReauthorizationRequired, "the refresh token was used before"));
        }
        Ok(self.grant(account, number))
    }

    async fn revoke_access(&self, _: &Session, _: &Tokens) -> Result<()> {
        Ok(())
    }

    async fn identify(&self, _: &Session) -> Result<Account> {
        Ok(Account { id: "ada".into(), email: None, name: None })
    }
}

#[derive(Debug)]
pub(crate) struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn send(&self, _: Request) -> Result<Response> {
        unreachable!("nothing is called")
    }
}

/// Keeps what it hears, as text.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn notice(&self, notice: &Notice<'_>) {
        let text = match notice {
            Notice::KeysRotated { report } => format!("KeysRotated {} {}", report.seen, report.resealed),
            Notice::NotResealed { connection, error } => {
                format!("NotResealed {connection} {}", error.provider_code().unwrap_or_default())
            }
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

impl Heard {
    pub(crate) fn all(&self, beginning: &str) -> Vec<String> {
        let heard = self.0.lock().unwrap();
        heard.iter().filter(|text| text.starts_with(beginning)).cloned().collect()
    }
}

/// A store whose reads and writes give way to others, and can be stopped.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    inner: MemoryStore,
    pub(crate) before_put: Gate,
    /// How often each call gives way before and behind its work: 0 to 3 times, by this seed.
    turns: Option<Arc<AtomicU64>>,
}

impl Store {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self {
            inner: MemoryStore::with_clock(Arc::new(clock.clone())),
            before_put: Gate::default(),
            turns: None,
        }
    }

    pub(crate) fn giving_way(mut self, seed: u64) -> Self {
        self.turns = Some(Arc::new(AtomicU64::new(seed)));
        self
    }

    async fn give_way(&self) {
        let Some(turns) = &self.turns else { return };
        let seed = turns.fetch_add(1, Ordering::Relaxed);
        for _ in 0..(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 62) {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl TokenStore for Store {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        self.give_way().await;
        let found = TokenStore::get(&self.inner, id).await;
        self.give_way().await;
        found
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        self.before_put.pass().await;
        self.give_way().await;
        let version = TokenStore::put(&self.inner, connection).await;
        self.give_way().await;
        version
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        self.inner.delete(id).await
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        self.give_way().await;
        let page = self.inner.list(filter).await;
        self.give_way().await;
        page
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        self.inner.acquire_refresh_guard(id, ttl).await
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        self.inner.release_refresh_guard(guard).await
    }
}

/// What the processes of a host share.
pub(crate) struct Host {
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    pub(crate) provider: Arc<Provider>,
    pub(crate) heard: Arc<Heard>,
}

impl Host {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at("2026-03-01T09:00:00Z");
        let store = Store::new(&clock);
        Self { clock, store, provider: Provider::new(), heard: Arc::default() }
    }

    /// The tokens of one process, which has opened nothing yet.
    pub(crate) fn process(&self, vault: &Vault) -> Arc<TokenManager> {
        let mut adapters = AdapterRegistry::default();
        adapters.register(Arc::clone(&self.provider) as _).unwrap();
        Arc::new(TokenManager::new(TokenParts {
            store: Arc::new(self.store.clone()),
            vault: vault.clone(),
            adapters: Arc::new(adapters),
            pipeline: Arc::new(Pipeline::new(
                PipelineParts::new(
                    Arc::new(Nowhere),
                    Arc::new(self.clock.clone()),
                    Arc::new(self.store.inner.clone()),
                    Arc::new(Unlimited),
                ),
                1,
            )),
            clock: Arc::new(self.clock.clone()),
            observer: Arc::clone(&self.heard) as _,
            audit: Arc::new(TracedAudit),
            settings: TokenSettings::default(),
        }))
    }

    /// Stores a connection whose access token has an hour to live.
    pub(crate) async fn connect(&self, vault: &Vault, name: &str) -> ConnectionId {
        let (id, owner, service) = (ConnectionId::from(name), name.into(), SERVICE.into());
        let set = self.provider.grant(name, 0);
        let tokens = Tokens { access: set.access, refresh: set.refresh };
        let (access, refresh) = vault.seal_tokens(&owner, &service, &id, &tokens).unwrap();
        let now = self.clock.now();
        let expires_at = Some(now + LIFE);
        let connection = Connection {
            id: id.clone(),
            owner,
            service,
            account: Account { id: name.into(), email: None, name: None },
            status: ConnectionStatus::Active,
            scopes: Vec::new(),
            tokens: SealedTokens { access, refresh, issued_at: now, expires_at },
            grant: GrantType::User,
            refreshing_since: None,
            version: 0,
            created_at: now,
            updated_at: now,
        };
        self.store.put(&connection).await.unwrap();
        id
    }

    pub(crate) async fn read(&self, id: &ConnectionId) -> Connection {
        self.store.get(id).await.unwrap().unwrap()
    }

    /// What the store holds, as it is: not sealed again, not opened.
    pub(crate) async fn all(&self) -> Vec<Connection> {
        self.store.list(&ConnectionFilter::default()).await.unwrap()
    }
}

/// The ids of the keys that seal the access token and the refresh token.
pub(crate) fn keys(connection: &Connection) -> (&str, &str) {
    let refresh = connection.tokens.refresh.as_ref();
    (connection.tokens.access.key_id().unwrap(), refresh.and_then(Sealed::key_id).unwrap())
}
