//! What does the page stand on?

use std::sync::Arc;

use integrations_core::adapter::ServiceInfo;
use integrations_core::auth::Vault;
use integrations_core::clock::Clock;
use integrations_core::connection::UserId;
use integrations_core::{Connection, Error, ErrorKind, Gateway, GatewayBuilder, Result, ServiceAdapter};
use integrations_examples::providers::without_quotas;
use integrations_stores::SqliteStore;
use url::Url;

use super::session::Sessions;
use super::sync::Syncs;

/// What is put together.
pub(crate) struct Parts {
    pub(crate) adapters: Vec<Arc<dyn ServiceAdapter>>,
    pub(crate) store: SqliteStore,
    pub(crate) vault: Vault,
    /// The address that browsers use.
    pub(crate) public: Url,
    /// Whether the providers are fakes: the page says so.
    pub(crate) fake: bool,
    /// The time that the providers live in.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What every route needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) gateway: Gateway,
    pub(crate) store: SqliteStore,
    pub(crate) sessions: Sessions,
    pub(crate) syncs: Arc<Syncs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fake: bool,
    origin: Arc<str>,
    host: Arc<str>,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Result<Self> {
        let Parts { adapters, store, vault, public, fake, clock } = parts;
        let host = public.host_str().filter(|_| public.path() == "/" && public.query().is_none());
        let host = host.filter(|_| matches!(public.scheme(), "http" | "https")).ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "the public address must be like https://demo.example")
        })?;
        let host = public.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let gateway = if fake { without_quotas(Gateway::builder()) } else { Gateway::builder() };
        let gateway = adapters
            .into_iter()
            .fold(gateway, GatewayBuilder::adapter)
            .store(store.clone())
            .audit_log(Arc::new(store.clone()))
            .vault(vault)
            .clock(Arc::clone(&clock))
            .build()?;
        Ok(Self {
            gateway,
            sessions: Sessions::new(Arc::new(store.clone()), public.scheme() == "https"),
            syncs: Arc::new(Syncs::new(Arc::new(store.clone()), Arc::clone(&clock))),
            store,
            clock,
            fake,
            origin: public.origin().ascii_serialization().into(),
            host: host.into(),
        })
    }

    /// `scheme://host:port` of the page.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// What a browser says in `Host`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where a provider sends its users back to: each to a path of its own, so that one provider's answer
    /// cannot pass for another's.
    pub(crate) fn redirect_uri(&self, service: &str) -> String {
        format!("{}/callback/{service}", self.origin)
    }

    /// A service that is offered.
    pub(crate) fn service(&self, id: &str) -> Option<&ServiceInfo> {
        self.gateway.services().find(|info| info.id == *id)
    }

    /// The user's connection; `None` also for one of another user.
    pub(crate) async fn connection(&self, user: &UserId, id: &str) -> Result<Option<Connection>> {
        match self.gateway.connection_of(user, &id.into()).await {
            Ok(connection) => Ok(Some(connection)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a service has data that is kept here.
pub(crate) fn syncs(info: &ServiceInfo) -> bool {
    !info.capabilities.kinds.is_empty()
}
