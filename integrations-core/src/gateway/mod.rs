//! What does a host put together, and what does it call?
//!
//! See [`Gateway`].

mod builder;
mod connect;
mod life;

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

pub use self::builder::GatewayBuilder;
pub use self::connect::{ApiKey, Connect};
pub use self::life::Data;
use crate::adapter::{AdapterRegistry, AttachmentRef, Download, ServiceAdapter, Stream};
use crate::auth::{
    OAuthManager, RotationReport, RotationSettings, TokenManager, TokenStore, Vault, rotate_keys,
};
use crate::cache::KeyValueStore;
use crate::clock::Clock;
use crate::connection::{Connection, ConnectionId, ServiceId, StreamId, TenantId};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Pipeline, Session};
use crate::model::Attachment;
use crate::normalize::{Stage, Stages};
use crate::observe::{AuditAction, AuditLog, Notice, Observer};
use crate::sync::{StreamKey, SyncEngine, SyncReport, SyncRequest, SyncSink};

/// How many streams of a connection are read at once, unless the request says so.
const PARALLEL: usize = 4;

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
    tenant: Option<TenantId>,
    origin: Option<Arc<str>>,
}

struct Inner {
    adapters: Arc<AdapterRegistry>,
    connections: Arc<dyn TokenStore>,
    sink: Arc<dyn SyncSink>,
    vault: Vault,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    audit: Arc<dyn AuditLog>,
    oauth: OAuthManager,
    tokens: Arc<TokenManager>,
    pipeline: Arc<Pipeline>,
    values: Arc<dyn KeyValueStore>,
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

    /// This gateway for one tenant: a connection of another tenant is not found, and a plain user id stands
    /// for that user of this tenant.
    pub fn for_tenant(&self, tenant: impl Into<TenantId>) -> Self {
        Self { tenant: Some(tenant.into()), ..self.clone() }
    }

    /// This gateway for one caller: what it does is written down in the audit log as coming from there, e.g.
    /// an address, a session, a job.
    pub fn with_origin(&self, origin: impl Into<Arc<str>>) -> Self {
        Self { origin: Some(origin.into()), ..self.clone() }
    }

    /// The streams that a connection may read, e.g. the calendars of an account.
    ///
    /// # Errors
    /// Those of the store, of the token's refresh and of the provider.
    pub async fn streams(&self, id: &ConnectionId) -> Result<Vec<Stream>> {
        let (connection, adapter) = self.open(id).await?;
        adapter.list_streams(&self.session_of(&connection, &adapter)).await.map_err(at(&connection.service))
    }

    /// Brings all streams of a connection up to date: lists what is new to the sink, reads the changes of
    /// what it knows. Four streams are read at once; one that fails does not stop the others. Streams that the
    /// provider does not list any more are named, and their data is kept.
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
    ///
    /// # Cancel safety
    /// As [`sync`](Self::sync).
    pub async fn sync_with(&self, id: &ConnectionId, request: SyncRequest) -> Result<SyncReport> {
        self.sync_selected(id, request, |_| true).await
    }

    /// As [`sync_with`](Self::sync_with), of those streams that the host chooses, e.g. the calendars that the
    /// user has ticked.
    ///
    /// # Errors
    /// As [`sync`](Self::sync).
    ///
    /// # Cancel safety
    /// As [`sync`](Self::sync).
    pub async fn sync_selected(
        &self,
        id: &ConnectionId,
        request: SyncRequest,
        chosen: impl Fn(&Stream) -> bool,
    ) -> Result<SyncReport> {
        let (connection, adapter) = self.open(id).await?;
        let session = self.session_of(&connection, &adapter);
        let mut streams = adapter.list_streams(&session).await.map_err(at(&connection.service))?;
        let mut report =
            SyncReport { vanished: self.vanished(&connection, &streams).await?, ..SyncReport::default() };
        streams.retain(chosen);
        let runs = streams.into_iter().map(|stream| {
            let key = StreamKey::new(&connection, &stream.id);
            let (gateway, adapter, session) = (self.clone(), Arc::clone(&adapter), session.clone());
            async move {
                let outcome = gateway.run_stream(&adapter, &session, &key, &stream, request).await;
                (key, outcome)
            }
        });
        let parallel = request.parallel.map_or(PARALLEL, NonZeroUsize::get);
        let mut runs = stream::iter(runs).buffered(parallel);
        while let Some((key, outcome)) = runs.next().await {
            // Without a grant, no other stream will do better.
            let gone = matches!(&outcome, Err(error) if error.kind() == ErrorKind::ReauthorizationRequired);
            report.streams.push((key, outcome));
            if gone {
                break;
            }
        }
        Ok(report)
    }

    /// The streams that have been read and that the provider does not list any more.
    async fn vanished(&self, connection: &Connection, listed: &[Stream]) -> Result<Vec<StreamKey>> {
        let listed: HashSet<_> = listed.iter().map(|stream| &stream.id).collect();
        let mut vanished = self.inner.sink.streams(&connection.id).await?;
        vanished.retain(|stream| !listed.contains(stream));
        vanished.sort_unstable();
        let streams: Vec<_> = vanished.iter().map(|stream| StreamKey::new(connection, stream)).collect();
        if !streams.is_empty() {
            let notice = Notice::StreamsVanished { connection: &connection.id, streams: &streams };
            self.inner.observer.notice(&notice);
        }
        Ok(streams)
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
        let session = self.session_of(&connection, &adapter);
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
        self.inner
            .engine
            .run(&**adapter, session, &self.stages_of(adapter), key, stream, request)
            .await
            .map_err(at(&key.service))
    }

    /// As [`sync_stream`](Self::sync_stream), of a stream of which more is known, for another ear.
    pub(crate) async fn read_stream(
        &self,
        connection: &Connection,
        stream: &Stream,
        request: SyncRequest,
        observer: Arc<dyn Observer>,
    ) -> Result<crate::sync::StreamReport> {
        let adapter = Arc::clone(self.inner.adapters.get(&connection.service)?);
        let session = self.session_of(connection, &adapter);
        let key = StreamKey::new(connection, &stream.id);
        let engine = self.inner.engine.clone().with_observer(observer);
        engine
            .run(&*adapter, &session, &self.stages_of(&adapter), &key, stream, request)
            .await
            .map_err(at(&key.service))
    }

    /// The streams of a connection that have been read.
    pub(crate) async fn known_streams(&self, id: &ConnectionId) -> Result<Vec<StreamId>> {
        self.inner.sink.streams(id).await
    }

    /// Refreshes a connection's tokens, if they are about to expire.
    pub(crate) async fn refresh_if_due(&self, id: &ConnectionId) -> Result<()> {
        self.connection(id).await?;
        self.inner.tokens.fresh(id).await.map(|_| ())
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn values(&self) -> &dyn KeyValueStore {
        &*self.inner.values
    }

    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.inner.observer)
    }

    fn stages_of(&self, adapter: &Arc<dyn ServiceAdapter>) -> Stages {
        self.inner
            .stages
            .iter()
            .fold(Stages::new(adapter.normalizer()), |stages, stage| stages.with_stage(Arc::clone(stage)))
    }

    /// Seals the tokens of all connections with the primary key of the vault, while traffic goes on; those of
    /// the gateway's tenant alone, if it has one. See [`auth`](crate::auth#changing-the-key) for what comes
    /// before and after.
    ///
    /// [`Notice::KeysRotated`](crate::observe::Notice::KeysRotated) tells the observer after each batch; the
    /// audit log has an entry for the run.
    ///
    /// # Errors
    /// As [`rotate_keys`](crate::auth::rotate_keys).
    ///
    /// # Cancel safety
    /// May be dropped at any await; the next call goes on from there.
    pub async fn rotate_keys(&self) -> Result<RotationReport> {
        self.rotate_keys_with(RotationSettings::default()).await
    }

    /// As [`rotate_keys`](Self::rotate_keys), with a say in how.
    ///
    /// # Errors
    /// As [`rotate_keys`](Self::rotate_keys).
    pub async fn rotate_keys_with(&self, mut settings: RotationSettings) -> Result<RotationReport> {
        let Inner { connections, vault, observer, .. } = &*self.inner;
        settings.tenant = self.tenant.clone().or(settings.tenant);
        let outcome = rotate_keys(&**connections, vault, &**observer, &settings).await;
        let entry = self.entry(AuditAction::KeysRotated);
        let entry = match &outcome {
            Ok(report) if report.is_complete() => entry.detail(report.to_string()),
            Ok(report) => entry.detail(report.to_string()).critical(),
            Err(error) => entry.failed(error),
        };
        self.audit(entry).await;
        outcome
    }

    /// Makes one cheap call that needs the grant.
    ///
    /// # Errors
    /// What stands in the way of using the connection.
    pub async fn check_health(&self, id: &ConnectionId) -> Result<()> {
        let (connection, adapter) = self.open(id).await?;
        adapter.check_health(&self.session_of(&connection, &adapter)).await.map_err(at(&connection.service))
    }

    /// Opens an attachment that a record names; its content comes as it arrives, of `limit` bytes at the most.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] for a service whose attachments cannot be read, and those of
    /// [`AttachmentReader::open`](crate::adapter::AttachmentReader::open).
    ///
    /// # Cancel safety
    /// May be dropped at any await, as may the content.
    pub async fn attachment(
        &self,
        id: &ConnectionId,
        stream: &StreamId,
        item: &str,
        attachment: &Attachment,
        limit: u64,
    ) -> Result<Download> {
        let (connection, adapter) = self.open(id).await?;
        let session = self.session_of(&connection, &adapter);
        let reader = adapter.attachments().ok_or_else(|| {
            Error::new(
                ErrorKind::UnsupportedOperation,
                "the content of this service's attachments cannot be read",
            )
        });
        let wanted = AttachmentRef { stream, item, attachment, limit };
        let opened = match reader {
            Ok(reader) => reader.open(&session, &wanted).await,
            Err(error) => Err(error),
        };
        opened.map_err(at(&connection.service))
    }

    /// A session of a connection, for calls of the host's own: with a fresh token, through the whole
    /// pipeline, to the service's own hosts alone.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::UnsupportedOperation`] for a service that is not registered any
    /// more, and those of the store.
    pub async fn session(&self, id: &ConnectionId) -> Result<Session> {
        let (connection, adapter) = self.open(id).await?;
        Ok(self.session_of(&connection, &adapter))
    }

    async fn open(&self, id: &ConnectionId) -> Result<(Connection, Arc<dyn ServiceAdapter>)> {
        let connection = self.connection(id).await?;
        let adapter = Arc::clone(self.inner.adapters.get(&connection.service)?);
        Ok((connection, adapter))
    }

    fn session_of(&self, connection: &Connection, adapter: &Arc<dyn ServiceAdapter>) -> Session {
        Session::new(
            Arc::clone(adapter),
            Arc::clone(&self.inner.pipeline),
            Arc::clone(&self.inner.tokens),
            connection.id.clone(),
        )
    }
}

/// Names the service in an error that does not yet.
fn at(service: &ServiceId) -> impl Fn(Error) -> Error + '_ {
    move |error| if error.service().is_none() { error.with_service(service) } else { error }
}
