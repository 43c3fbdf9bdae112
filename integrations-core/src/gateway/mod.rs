//! What does a host put together, and what does it call?
//!
//! See [`Gateway`].

mod builder;

use std::fmt;
use std::sync::Arc;

use url::Url;

pub use self::builder::GatewayBuilder;
use crate::adapter::{AdapterRegistry, ServiceAdapter, Stream};
use crate::auth::{
    Authorization, Callback, ConnectionFilter, Grant, OAuthManager, SealedTokens, TokenManager, TokenStore,
    Tokens, Vault,
};
use crate::clock::Clock;
use crate::connection::{Account, Connection, ConnectionId, ConnectionStatus, Owner, ServiceId, StreamId};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Pipeline, Session, Transport};
use crate::normalize::{Stage, Stages};
use crate::observe::{Notice, Observer};
use crate::sync::{StreamKey, SyncEngine, SyncReport, SyncRequest, SyncSink};

/// A host's one way to its users' accounts: connect them, sync them, take them down.
///
/// Cheap to clone; clones share everything.
///
/// ```
/// use std::sync::Arc;
/// use integrations_core::auth::Vault;
/// use integrations_core::memory::MemoryStore;
/// use integrations_core::{Gateway, ServiceAdapter};
///
/// # async fn host(adapter: Arc<dyn ServiceAdapter>) -> integrations_core::Result<()> {
/// let gateway = Gateway::builder()
///     .adapter(adapter)
///     .store(MemoryStore::new())
///     .vault(Vault::from_env()?)
///     .build()?;
///
/// // 1. Send the user to the provider …
/// let redirect = "https://app.example/oauth/callback";
/// let authorization = gateway.connect("ada", "google_calendar").redirect_uri(redirect).begin().await?;
/// println!("open {}", authorization.url);
///
/// // 2. … take them back with the address that they come back to …
/// # let address = "";
/// let connection = gateway.complete("ada", address).await?;
///
/// // 3. … and keep their data up to date.
/// let report = gateway.sync(&connection.id).await?;
/// println!("{} records", report.total().upserted);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    adapters: Arc<AdapterRegistry>,
    connections: Arc<dyn TokenStore>,
    sink: Arc<dyn SyncSink>,
    vault: Vault,
    http: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    oauth: OAuthManager,
    tokens: Arc<TokenManager>,
    pipeline: Arc<Pipeline>,
    engine: SyncEngine,
    stages: Vec<Arc<dyn Stage>>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self.inner.adapters.iter().map(|adapter| adapter.info().id.as_str()).collect();
        f.debug_struct("Gateway").field("services", &services).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Puts a gateway together.
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::default()
    }

    /// The services that the host has registered.
    pub fn services(&self) -> impl Iterator<Item = &crate::adapter::ServiceInfo> {
        self.inner.adapters.iter().map(|adapter| adapter.info())
    }

    /// Begins to connect an account of a user; see [`Connect`].
    pub fn connect(&self, owner: impl Into<Owner>, service: impl Into<ServiceId>) -> Connect<'_> {
        Connect {
            gateway: self,
            owner: owner.into(),
            service: service.into(),
            redirect_uri: None,
            scopes: None,
            login_hint: None,
        }
    }

    /// Ends what [`connect`](Self::connect) began: takes the address that the user came back to (or its
    /// query alone), exchanges the code, asks whose account it is, and stores the connection.
    ///
    /// `owner` is the user of the session that comes back. Connecting the same account again renews the
    /// connection and keeps its streams.
    ///
    /// # Errors
    /// Those of [`OAuthManager::finish`], of the provider and of the store. Nothing is stored then.
    ///
    /// # Cancel safety
    /// The state is used up: after a drop the user has to begin again.
    pub async fn complete(&self, owner: impl Into<Owner>, callback: &str) -> Result<Connection> {
        let owner = owner.into();
        let callback = Callback::parse(callback);
        let service = self.inner.oauth.service_of(&callback).await?;
        let adapter = self.inner.adapters.get(&service)?;
        let grant = self.inner.oauth.finish(&**adapter, &owner, &callback).await?;
        // The connection has no id before the account is known.
        let connection = ConnectionId::new(format!("{}:{}:{service}", owner.tenant, owner.user));
        let session = Session::with_token(
            Arc::clone(adapter),
            Arc::clone(&self.inner.pipeline),
            connection,
            grant.tokens.access.clone(),
        );
        let account = adapter.identify(&session).await.map_err(at(&service))?;
        let connection = self.store_grant(owner, account, &grant).await?;
        let missing_scopes = grant.missing_scopes();
        self.inner.tokens.forget(&connection.id);
        self.inner
            .observer
            .notice(&Notice::Connected { connection: &connection, missing_scopes: &missing_scopes });
        Ok(connection)
    }

    async fn store_grant(&self, owner: Owner, account: Account, grant: &Grant) -> Result<Connection> {
        let id = Connection::derive_id(&owner, &grant.service, &account.id);
        let tokens = Tokens { access: grant.tokens.access.clone(), refresh: grant.tokens.refresh.clone() };
        let (access, refresh) = self.inner.vault.seal_tokens(&owner, &grant.service, &id, &tokens)?;
        let now = self.inner.clock.now();
        let expires_at = grant
            .tokens
            .expires_in
            .and_then(|life| now.checked_add_signed(chrono::TimeDelta::from_std(life).ok()?));
        loop {
            let stored = self.inner.connections.get(&id).await?;
            // A provider that gives a refresh token only once leaves the earlier one valid.
            let kept = stored.as_ref().and_then(|stored| stored.tokens.refresh.clone());
            let mut connection = Connection {
                id: id.clone(),
                owner: owner.clone(),
                service: grant.service.clone(),
                account: account.clone(),
                status: ConnectionStatus::Active,
                scopes: grant.scopes(),
                tokens: SealedTokens {
                    access: access.clone(),
                    refresh: refresh.clone().or(kept),
                    issued_at: now,
                    expires_at,
                },
                version: stored.as_ref().map_or(0, |stored| stored.version),
                created_at: stored.as_ref().map_or(now, |stored| stored.created_at),
                updated_at: now,
            };
            match self.inner.connections.put(&connection).await {
                Ok(version) => {
                    connection.version = version;
                    return Ok(connection);
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The connections of a user.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn connections(&self, owner: impl Into<Owner>) -> Result<Vec<Connection>> {
        self.inner.connections.list(&ConnectionFilter::of(owner)).await
    }

    /// One connection.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], and those of the store.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Connection> {
        self.inner
            .connections
            .get(id)
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no connection {id}")))
    }

    /// The streams that a connection may read, e.g. the calendars of an account.
    ///
    /// # Errors
    /// Those of the store, of the token's refresh and of the provider.
    pub async fn streams(&self, id: &ConnectionId) -> Result<Vec<Stream>> {
        let (connection, adapter) = self.open(id).await?;
        adapter.list_streams(&self.session(&connection, &adapter)).await.map_err(at(&connection.service))
    }

    /// Brings all streams of a connection up to date: lists what is new to the sink, reads the changes of
    /// what it knows.
    ///
    /// # Errors
    /// Those that concern the connection as a whole. What concerns one stream stands in the report.
    ///
    /// # Cancel safety
    /// May be dropped at any await; the next call goes on from the last commit.
    pub async fn sync(&self, id: &ConnectionId) -> Result<SyncReport> {
        self.sync_with(id, SyncRequest::incremental()).await
    }

    /// As [`sync`](Self::sync), with a say in how.
    ///
    /// # Errors
    /// As [`sync`](Self::sync).
    pub async fn sync_with(&self, id: &ConnectionId, request: SyncRequest) -> Result<SyncReport> {
        let (connection, adapter) = self.open(id).await?;
        let session = self.session(&connection, &adapter);
        let mut report = SyncReport::default();
        for stream in adapter.list_streams(&session).await.map_err(at(&connection.service))? {
            let key = StreamKey::new(&connection, &stream.id);
            let outcome = self.run_stream(&adapter, &session, &key, &stream, request).await;
            // Without a grant, no other stream will do better.
            let gone = matches!(&outcome, Err(error) if error.kind() == ErrorKind::ReauthorizationRequired);
            report.streams.push((key, outcome));
            if gone {
                break;
            }
        }
        Ok(report)
    }

    /// Brings one stream up to date, without asking the provider which streams there are.
    ///
    /// # Errors
    /// Those of the store, of the token's refresh and of the provider.
    ///
    /// # Cancel safety
    /// As [`sync`](Self::sync).
    pub async fn sync_stream(
        &self,
        id: &ConnectionId,
        stream: &StreamId,
        request: SyncRequest,
    ) -> Result<crate::sync::StreamReport> {
        let (connection, adapter) = self.open(id).await?;
        let session = self.session(&connection, &adapter);
        let key = StreamKey::new(&connection, stream);
        self.run_stream(&adapter, &session, &key, &Stream::new(stream, stream.as_str()), request).await
    }

    async fn run_stream(
        &self,
        adapter: &Arc<dyn ServiceAdapter>,
        session: &Session,
        key: &StreamKey,
        stream: &Stream,
        request: SyncRequest,
    ) -> Result<crate::sync::StreamReport> {
        let stages =
            self.inner.stages.iter().fold(Stages::new(adapter.normalizer()), |stages, stage| {
                stages.with_stage(Arc::clone(stage))
            });
        self.inner
            .engine
            .run(&**adapter, session, &stages, key, stream, request)
            .await
            .map_err(at(&key.service))
    }

    /// Makes one cheap call that needs the grant.
    ///
    /// # Errors
    /// What stands in the way of using the connection.
    pub async fn check_health(&self, id: &ConnectionId) -> Result<()> {
        let (connection, adapter) = self.open(id).await?;
        adapter.check_health(&self.session(&connection, &adapter)).await.map_err(at(&connection.service))
    }

    /// Takes a connection down: revokes the grant at the provider and deletes the tokens here.
    ///
    /// The tokens are deleted even when the provider cannot be reached or the tokens do not open. The
    /// records stay; [`erase`](Self::erase) deletes them, too.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], and those of the store.
    pub async fn disconnect(&self, id: &ConnectionId) -> Result<()> {
        let (connection, adapter) = self.open(id).await?;
        if let Ok(tokens) = self.inner.vault.open_tokens(&connection)
            && let Err(error) = adapter.revoke_access(&*self.inner.http, &tokens).await
        {
            tracing::warn!(connection = %id, %error, "the grant could not be revoked at the provider");
        }
        self.inner.connections.delete(id).await?;
        self.inner.tokens.forget(id);
        self.inner.observer.notice(&Notice::Disconnected { connection: id });
        Ok(())
    }

    /// Deletes all records and positions of a connection, and returns how many records there were.
    ///
    /// # Errors
    /// Those of the sink.
    pub async fn erase(&self, id: &ConnectionId) -> Result<u64> {
        self.inner.sink.forget(id).await
    }

    async fn open(&self, id: &ConnectionId) -> Result<(Connection, Arc<dyn ServiceAdapter>)> {
        let connection = self.connection(id).await?;
        let adapter = Arc::clone(self.inner.adapters.get(&connection.service)?);
        Ok((connection, adapter))
    }

    fn session(&self, connection: &Connection, adapter: &Arc<dyn ServiceAdapter>) -> Session {
        Session::new(
            Arc::clone(adapter),
            Arc::clone(&self.inner.pipeline),
            Arc::clone(&self.inner.tokens),
            connection.id.clone(),
        )
    }
}

/// A connect that is being prepared.
#[derive(Debug)]
#[must_use = "nothing happens before `begin`"]
pub struct Connect<'a> {
    gateway: &'a Gateway,
    owner: Owner,
    service: ServiceId,
    redirect_uri: Option<String>,
    scopes: Option<Vec<String>>,
    login_hint: Option<String>,
}

impl Connect<'_> {
    /// Where the provider sends the user back to, exactly as it is registered there. Required.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// Which scopes to ask for, instead of the adapter's own.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Which account to offer the user first, e.g. an e-mail address.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Says where to send the user. They have 600 s to come back.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] for a service that is not registered,
    /// [`ErrorKind::InvalidRequest`] for a redirect address that will not do, and those of the store.
    pub async fn begin(self) -> Result<Authorization> {
        let inner = &self.gateway.inner;
        let adapter = inner.adapters.get(&self.service)?;
        let redirect_uri =
            self.redirect_uri.as_deref().and_then(|uri| Url::parse(uri).ok()).ok_or_else(|| {
                Error::new(ErrorKind::InvalidRequest, "the redirect address is missing or no address")
                    .with_code("redirect_uri")
                    .with_service(&self.service)
            })?;
        inner.oauth.begin(&**adapter, &self.owner, &redirect_uri, self.scopes, self.login_hint).await
    }
}

/// Names the service in an error that does not yet.
fn at(service: &ServiceId) -> impl Fn(Error) -> Error + '_ {
    move |error| if error.service().is_none() { error.with_service(service) } else { error }
}
