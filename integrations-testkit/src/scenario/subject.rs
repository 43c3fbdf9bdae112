//! Which adapter, which fake, which client?

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use integrations_core::ServiceAdapter;
use integrations_core::http::Transport;
use integrations_core::sync::SyncSink;

use super::fake::{Answer, Fake, SetUp};

/// What stands under test: a provider's adapter, the fake that it is driven against, and an HTTP client.
///
/// Each part can be [wrapped](Self::wrap_adapter): that is how [broken](super::broken) ones are made.
///
/// ```ignore
/// fn subject() -> Subject {
///     Subject::new(
///         fakes::Calendar::start,
///         |fake| GoogleCalendar::new(config(fake.google())),
///         || Arc::new(ReqwestTransport::new("tests").unwrap()),
///     )
/// }
/// ```
#[derive(Clone)]
pub struct Subject {
    start: Arc<dyn Fn(SetUp) -> BoxFuture<'static, Answer<Running>> + Send + Sync>,
    transport: fn() -> Arc<dyn Transport>,
    adapters: Vec<Wrap<dyn ServiceAdapter>>,
    sinks: Vec<Wrap<dyn SyncSink>>,
    transports: Vec<Wrap<dyn Transport>>,
}

type Wrap<T> = Arc<dyn Fn(Arc<T>) -> Arc<T> + Send + Sync>;

/// A fake that runs, and adapters for it.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) fake: Arc<dyn Fake>,
    adapter: Arc<dyn Fn() -> Arc<dyn ServiceAdapter> + Send + Sync>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fake.fmt(f)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

impl Subject {
    /// A subject: how a fake is started, the adapter set up for it, and a client.
    pub fn new<F: Fake, R: Future<Output = Answer<F>> + Send + 'static>(
        fake: fn(SetUp) -> R,
        adapter: fn(&F) -> Arc<dyn ServiceAdapter>,
        transport: fn() -> Arc<dyn Transport>,
    ) -> Self {
        let start = move |set_up| -> BoxFuture<'static, Answer<Running>> {
            Box::pin(async move {
                let fake = Arc::new(fake(set_up).await?);
                let adapter = {
                    let fake = Arc::clone(&fake);
                    Arc::new(move || adapter(&fake))
                };
                Ok(Running { fake, adapter })
            })
        };
        Self {
            start: Arc::new(start),
            transport,
            adapters: Vec::new(),
            sinks: Vec::new(),
            transports: Vec::new(),
        }
    }

    /// Wraps every adapter that is made.
    #[must_use]
    pub fn wrap_adapter(
        mut self,
        wrap: impl Fn(Arc<dyn ServiceAdapter>) -> Arc<dyn ServiceAdapter> + Send + Sync + 'static,
    ) -> Self {
        self.adapters.push(Arc::new(wrap));
        self
    }

    /// Wraps the sink of every gateway.
    #[must_use]
    pub fn wrap_sink(
        mut self,
        wrap: impl Fn(Arc<dyn SyncSink>) -> Arc<dyn SyncSink> + Send + Sync + 'static,
    ) -> Self {
        self.sinks.push(Arc::new(wrap));
        self
    }

    /// Wraps the client of every gateway.
    #[must_use]
    pub fn wrap_transport(
        mut self,
        wrap: impl Fn(Arc<dyn Transport>) -> Arc<dyn Transport> + Send + Sync + 'static,
    ) -> Self {
        self.transports.push(Arc::new(wrap));
        self
    }

    pub(super) async fn start(&self, set_up: SetUp) -> Answer<Running> {
        (self.start)(set_up).await
    }

    pub(super) fn adapter(&self, running: &Running) -> Arc<dyn ServiceAdapter> {
        self.adapters.iter().fold((running.adapter)(), |adapter, wrap| wrap(adapter))
    }

    pub(super) fn sink(&self, sink: Arc<dyn SyncSink>) -> Arc<dyn SyncSink> {
        self.sinks.iter().fold(sink, |sink, wrap| wrap(sink))
    }

    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        self.transports.iter().fold((self.transport)(), |transport, wrap| wrap(transport))
    }
}
