//! What does a gateway need to be put together?

use std::collections::HashMap;
use std::sync::Arc;

use crate::adapter::{AdapterRegistry, ServiceAdapter};
use crate::auth::{OAuthManager, TokenManager, TokenParts, TokenSettings, TokenStore, Vault};
use crate::cache::{CacheSettings, KeyValueStore, TieredCache};
use crate::clock::{Clock, SystemClock};
use crate::connection::ServiceId;
use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "governor")]
use crate::http::token_lane;
use crate::http::{Pipeline, PipelineParts, Transport};
use crate::normalize::Stage;
use crate::observe::{AuditLog, Observer, Silent, TracedAudit};
#[cfg(not(feature = "governor"))]
use crate::resilience::Unlimited;
use crate::resilience::{
    BudgetSettings, Bulkhead, BulkheadLimits, CircuitBreaker, Limits, PerService, RateLimiter, RetryBudget,
    RetryPolicy,
};
#[cfg(feature = "governor")]
use crate::resilience::{Governor, Quota, Scope};
use crate::sync::{SyncEngine, SyncSettings, SyncSink};

use super::{Gateway, Inner};

/// Puts a [`Gateway`] together. Needed: an adapter, storage and a vault.
#[derive(Debug, Default)]
pub struct GatewayBuilder {
    adapters: Vec<Arc<dyn ServiceAdapter>>,
    connections: Option<Arc<dyn TokenStore>>,
    sink: Option<Arc<dyn SyncSink>>,
    values: Option<Arc<dyn KeyValueStore>>,
    vault: Option<Vault>,
    http: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    observer: Option<Arc<dyn Observer>>,
    audit: Option<Arc<dyn AuditLog>>,
    tokens: TokenSettings,
    settings: SyncSettings,
    stages: Vec<Arc<dyn Stage>>,
    limiter: Option<Arc<dyn RateLimiter>>,
    limits: HashMap<ServiceId, Limits>,
    breaker: Option<Arc<dyn CircuitBreaker>>,
    retry: Option<Arc<dyn RetryPolicy>>,
    budget: BudgetSettings,
    bulkhead: BulkheadLimits,
    cache: CacheSettings,
    #[cfg(feature = "reqwest")]
    user_agent: Option<String>,
}

impl GatewayBuilder {
    /// Adds a service.
    pub fn adapter(mut self, adapter: Arc<dyn ServiceAdapter>) -> Self {
        self.adapters.push(adapter);
        self
    }

    /// Keeps everything in one store that implements all three traits.
    pub fn store<S: TokenStore + SyncSink + KeyValueStore>(self, store: S) -> Self {
        let store = Arc::new(store);
        self.token_store(Arc::clone(&store) as _).sync_sink(Arc::clone(&store) as _).key_value_store(store)
    }

    /// Keeps connections here.
    pub fn token_store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.connections = Some(store);
        self
    }

    /// Keeps records and positions here.
    pub fn sync_sink(mut self, sink: Arc<dyn SyncSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Keeps short-lived values here.
    pub fn key_value_store(mut self, store: Arc<dyn KeyValueStore>) -> Self {
        self.values = Some(store);
        self
    }

    /// Seals tokens with this vault.
    pub fn vault(mut self, vault: Vault) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Calls providers through this client; with the feature `reqwest`, a reqwest client by default.
    pub fn transport(mut self, http: Arc<dyn Transport>) -> Self {
        self.http = Some(http);
        self
    }

    /// What the default client says in `User-Agent`: who the application is, and how to reach you.
    #[cfg(feature = "reqwest")]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Takes the time from this clock; the system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Tells this observer what happens.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Writes down here who did what to whose connection; by default with `tracing` alone.
    pub fn audit_log(mut self, audit: Arc<dyn AuditLog>) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Coordinates refreshes in this way.
    pub fn token_settings(mut self, settings: TokenSettings) -> Self {
        self.tokens = settings;
        self
    }

    /// Reads streams in this way.
    pub fn sync_settings(mut self, settings: SyncSettings) -> Self {
        self.settings = settings;
        self
    }

    /// What a service allows, instead of what its adapter states, e.g. a quota that the provider has raised.
    pub fn limits(mut self, service: impl Into<ServiceId>, limits: Limits) -> Self {
        self.limits.insert(service.into(), limits);
        self
    }

    /// Decides which calls may go; by default a [`Governor`](crate::resilience::Governor) with the adapters'
    /// [limits](ServiceAdapter::limits), shared over the key-value store.
    pub fn rate_limiter(mut self, limiter: Arc<dyn RateLimiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Decides whether a host is worth a call; a [`RollingBreaker`](crate::resilience::RollingBreaker) by default.
    pub fn circuit_breaker(mut self, breaker: Arc<dyn CircuitBreaker>) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Decides whether a failure is worth another try; an [`ExponentialRetry`](crate::resilience::ExponentialRetry) by default.
    pub fn retry_policy(mut self, retry: Arc<dyn RetryPolicy>) -> Self {
        self.retry = Some(retry);
        self
    }

    /// How many retries a service may cause.
    pub fn retry_budget(mut self, budget: BudgetSettings) -> Self {
        self.budget = budget;
        self
    }

    /// How many calls of a service, and of a connection, may be under way.
    pub fn bulkhead(mut self, limits: BulkheadLimits) -> Self {
        self.bulkhead = limits;
        self
    }

    /// How much of the providers' answers is kept, and for how long.
    pub fn cache(mut self, settings: CacheSettings) -> Self {
        self.cache = settings;
        self
    }

    /// Sends each item through this stage, behind the provider's mapping and the family's rules.
    pub fn stage(mut self, stage: Arc<dyn Stage>) -> Self {
        self.stages.push(stage);
        self
    }

    /// The gateway.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a part is missing; the message says which, and what to call.
    pub fn build(self) -> Result<Gateway> {
        let mut adapters = AdapterRegistry::default();
        for adapter in self.adapters {
            adapters.register(adapter)?;
        }
        if adapters.is_empty() {
            return Err(missing("an adapter", "adapter"));
        }
        let adapters = Arc::new(adapters);
        let connections =
            self.connections.ok_or_else(|| missing("a token store", "store` or `token_store"))?;
        let sink = self.sink.ok_or_else(|| missing("a sync sink", "store` or `sync_sink"))?;
        let values = self.values.ok_or_else(|| missing("a key-value store", "store` or `key_value_store"))?;
        let vault = self.vault.ok_or_else(|| missing("a vault", "vault"))?;
        #[cfg_attr(
            not(feature = "reqwest"),
            allow(clippy::manual_let_else, reason = "two features, one match")
        )]
        let http = match self.http {
            Some(http) => http,
            #[cfg(feature = "reqwest")]
            None => {
                let name = concat!("integrations/", env!("CARGO_PKG_VERSION"));
                Arc::new(crate::http::reqwest::ReqwestTransport::new(
                    self.user_agent.as_deref().unwrap_or(name),
                )?)
            }
            #[cfg(not(feature = "reqwest"))]
            None => return Err(missing("a transport", "transport")),
        };
        let clock = self.clock.unwrap_or_else(SystemClock::shared);
        let observer = self.observer.unwrap_or_else(|| Arc::new(Silent));
        let limiter = match self.limiter {
            Some(limiter) => limiter,
            None => default_limiter(&adapters, self.limits, &values),
        };
        let (bulkhead, budget) = (self.bulkhead, self.budget);
        let mut parts = PipelineParts::new(http, Arc::clone(&clock), Arc::clone(&values), limiter);
        parts.observer = Arc::clone(&observer);
        parts.bulkheads = PerService::new(move |_| Bulkhead::new(bulkhead));
        parts.breaker = self.breaker.unwrap_or(parts.breaker);
        parts.retry = self.retry.unwrap_or(parts.retry);
        parts.budgets = PerService::new(move |_| RetryBudget::new(budget));
        parts.cache = TieredCache::new(Arc::clone(&values), Arc::clone(&clock), self.cache);
        let pipeline = Arc::new(Pipeline::new(parts, random_seed()));
        let oauth =
            OAuthManager::new(Arc::clone(&values), vault.clone(), Arc::clone(&pipeline), Arc::clone(&clock));
        let audit = self.audit.unwrap_or_else(|| Arc::new(TracedAudit));
        let tokens = Arc::new(TokenManager::new(TokenParts {
            store: Arc::clone(&connections),
            vault: vault.clone(),
            adapters: Arc::clone(&adapters),
            pipeline: Arc::clone(&pipeline),
            clock: Arc::clone(&clock),
            observer: Arc::clone(&observer),
            audit: Arc::clone(&audit),
            settings: self.tokens,
        }));
        let engine = SyncEngine::new(Arc::clone(&sink), Arc::clone(&observer), self.settings);
        let stages = self.stages;
        let inner = Inner {
            adapters,
            connections,
            sink,
            vault,
            clock,
            observer,
            audit,
            oauth,
            tokens,
            pipeline,
            values,
            engine,
            stages,
        };
        Ok(Gateway { inner: Arc::new(inner), tenant: None, origin: None })
    }
}

/// No provider says what its token endpoint allows. Ten thousand connections that expire together are
/// refreshed within two minutes so, without a burst; a host sets its own under the name of the
/// [lane](token_lane).
#[cfg(feature = "governor")]
const TOKEN_LIMITS: Limits =
    Limits::new(&[Quota::new(Scope::App, 6_000, std::time::Duration::from_secs(60)).burst(100)]);

/// Quotas as the adapters state them, unless the host says otherwise, shared over the host's storage.
#[cfg(feature = "governor")]
fn default_limiter(
    adapters: &AdapterRegistry,
    own: HashMap<ServiceId, Limits>,
    values: &Arc<dyn KeyValueStore>,
) -> Arc<dyn RateLimiter> {
    let stated = adapters.iter().flat_map(|adapter| {
        let service = &adapter.info().id;
        [(service.clone(), adapter.limits()), (token_lane(service), TOKEN_LIMITS)]
    });
    let limits: HashMap<_, _> = stated.chain(own).collect();
    let governor = limits
        .into_iter()
        .fold(Governor::builder(), |governor, (service, limits)| governor.service(service, limits));
    Arc::new(governor.shared(Arc::clone(values)).build())
}

/// Without the feature `governor`, nothing is held back but by a limiter of the host's own.
#[cfg(not(feature = "governor"))]
fn default_limiter(
    _: &AdapterRegistry,
    _: HashMap<ServiceId, Limits>,
    _: &Arc<dyn KeyValueStore>,
) -> Arc<dyn RateLimiter> {
    Arc::new(Unlimited)
}

/// Without randomness, waits are spread the same way everywhere; nothing worse.
fn random_seed() -> u64 {
    let mut seed = [0; 8];
    let _ = getrandom::fill(&mut seed);
    u64::from_le_bytes(seed)
}

fn missing(part: &str, call: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("the gateway needs {part}: call `{call}` on its builder"))
}
