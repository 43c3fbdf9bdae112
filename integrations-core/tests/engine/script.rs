//! A provider that reads its answers from a script, and a host that runs the engine on it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::adapter::{
    Capabilities, Deletions, Increments, Next, Page, Pull, PullFrom, ServiceInfo, Stream,
};
use integrations_core::auth::Authenticator;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::{
    Failure, Origins, Pipeline, PipelineParts, Request, Response, Session, Transport,
};
use integrations_core::memory::MemoryStore;
use integrations_core::model::{Change, Event, EventTime, Message, MessageKind, Raw, Record, Series, Source};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer, Stages};
use integrations_core::observe::{Notice, Observer};
use integrations_core::resilience::Unlimited;
use integrations_core::sync::{
    Commit, Cursor, Position, StreamKey, StreamReport, StreamState, SyncEngine, SyncRequest, SyncSettings,
    SyncSink, Window,
};
use integrations_core::{Error, ErrorKind, Result, ServiceAdapter};
use serde::Deserialize;

const SERVICE: &str = "scripted";

/// An item: `{"id": …}`, with a time, with the series that it belongs to, or as the word that it is gone.
#[derive(Deserialize)]
struct Item {
    id: String,
    at: Option<DateTime<Utc>>,
    series: Option<String>,
    #[serde(default)]
    gone: bool,
}

/// An item without a time.
pub(crate) fn item(id: &str) -> String {
    format!(r#"{{"id":"{id}"}}"#)
}

/// An item of a time.
pub(crate) fn item_at(id: &str, at: DateTime<Utc>) -> String {
    format!(r#"{{"id":"{id}","at":"{}"}}"#, at.to_rfc3339())
}

/// The word that an item is gone.
pub(crate) fn gone(id: &str) -> String {
    format!(r#"{{"id":"{id}","gone":true}}"#)
}

/// An item that is gone when its series is.
pub(crate) fn exception(id: &str, series: &str) -> String {
    format!(r#"{{"id":"{id}","series":"{series}"}}"#)
}

/// A page of items with a next page.
pub(crate) fn page(items: &[String], next: &str) -> Page {
    page_of(items, Next::Page(Cursor::new(next)))
}

/// The last page of a listing, or of changes.
pub(crate) fn done(items: &[String], since: &str) -> Page {
    page_of(items, Next::Done(Cursor::new(since)))
}

/// The last page of a listing that no changes follow.
pub(crate) fn listed(items: &[String]) -> Page {
    page_of(items, Next::Listed)
}

fn page_of(items: &[String], next: Next) -> Page {
    Page::new(items.iter().map(|item| Raw::new(item.clone())).collect(), next)
}

/// Items without a time.
pub(crate) fn items(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| item(id)).collect()
}

#[derive(Debug)]
struct Mapping;

impl Normalizer for Mapping {
    fn normalize(&self, raw: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let item: Item =
            serde_json::from_slice(raw.as_bytes()).map_err(|_| ItemError::new("$", "no item"))?;
        if item.gone {
            return Ok(Change::Delete { id: item.id });
        }
        let entity = if let Some(series) = item.series {
            let start = EventTime::day("2026-03-01".parse().unwrap());
            let mut event = Event::new(&item.id, &context.stream.stream, start.clone());
            event.series = Some(Series { id: series, original_start: start });
            event.into()
        } else {
            let mut message = Message::new(&item.id, MessageKind::Chat);
            message.sent_at = item.at;
            message.into()
        };
        let source =
            Source { service: SERVICE.into(), id: item.id, version: None, link: None, modified_at: None };
        Ok(Change::Upsert(Record { entity, source, raw: raw.clone() }))
    }
}

/// What was asked of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `listing`, `listing p2`, `changes s1`, or `changes s1 p2`.
    pub(crate) from: String,
    pub(crate) window: Window,
}

#[derive(Debug)]
struct Scripted {
    info: ServiceInfo,
    origins: Origins,
    script: Mutex<VecDeque<Result<Page>>>,
    asked: Mutex<Vec<Asked>>,
}

#[async_trait]
impl ServiceAdapter for Scripted {
    fn info(&self) -> &ServiceInfo {
        &self.info
    }

    fn normalizer(&self) -> Arc<dyn Normalizer> {
        Arc::new(Mapping)
    }

    fn allowed_origins(&self) -> &Origins {
        &self.origins
    }

    fn classify(&self, _: &Failure<'_>) -> Error {
        unreachable!("nothing is called")
    }

    fn authenticator(&self) -> &dyn Authenticator {
        unreachable!("nobody connects")
    }

    async fn list_streams(&self, _: &Session) -> Result<Vec<Stream>> {
        unreachable!("the tests name the stream")
    }

    async fn sync_data(&self, _: &Session, pull: Pull<'_>) -> Result<Page> {
        let page = |page: Option<&Cursor>| page.map(|page| format!(" {}", page.as_str())).unwrap_or_default();
        let from = match pull.from {
            PullFrom::Listing { page: next } => format!("listing{}", page(next)),
            PullFrom::Changes { since, page: next } => format!("changes {}{}", since.as_str(), page(next)),
        };
        self.asked.lock().unwrap().push(Asked { from, window: pull.window });
        self.script.lock().unwrap().pop_front().expect("the script has no answer to this")
    }

    async fn check_health(&self, _: &Session) -> Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn send(&self, _: Request) -> Result<Response> {
        unreachable!("nothing is called")
    }
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn notice(&self, notice: &Notice<'_>) {
        self.0.lock().unwrap().push(format!("{notice:?}"));
    }
}

/// An engine on an empty store, and one stream.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    store: MemoryStore,
    heard: Arc<Heard>,
    adapter: Arc<Scripted>,
    engine: SyncEngine,
    session: Session,
    key: StreamKey,
    pub(crate) stream: Stream,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(SyncSettings::default())
    }

    pub(crate) fn with(settings: SyncSettings) -> Self {
        Self::of(settings, Deletions::Listing)
    }

    /// A world whose provider lets deletions be known in this way.
    pub(crate) fn of(settings: SyncSettings, deletions: Deletions) -> Self {
        let manual = ManualClock::at("2026-03-01T09:00:00Z");
        let clock: Arc<dyn Clock> = Arc::new(manual.clone());
        let store = MemoryStore::with_clock(Arc::clone(&clock));
        let heard = Arc::new(Heard::default());
        let adapter = Arc::new(Scripted {
            info: ServiceInfo::new(SERVICE, "Scripted", "1").with_capabilities(
                Capabilities::default().with_increments(Increments::Overlapping, deletions),
            ),
            origins: Origins::of([]),
            script: Mutex::default(),
            asked: Mutex::default(),
        });
        let parts =
            PipelineParts::new(Arc::new(Nowhere), clock, Arc::new(store.clone()), Arc::new(Unlimited));
        let session = Session::without_token(
            Arc::clone(&adapter) as _,
            Arc::new(Pipeline::new(parts, 1)),
            "cn_1".into(),
        );
        let key = StreamKey {
            owner: "ada".into(),
            service: SERVICE.into(),
            connection: "cn_1".into(),
            stream: "main".into(),
        };
        Self {
            clock: manual,
            engine: SyncEngine::new(Arc::new(store.clone()), Arc::clone(&heard) as _, settings),
            stream: Stream::new("main", "Main"),
            store,
            heard,
            adapter,
            session,
            key,
        }
    }

    /// Runs the stream; the provider gives these answers, and all of them are asked for.
    pub(crate) async fn try_run(
        &self,
        request: SyncRequest,
        script: Vec<Result<Page>>,
    ) -> Result<StreamReport> {
        *self.adapter.script.lock().unwrap() = script.into();
        self.adapter.asked.lock().unwrap().clear();
        let stages = Stages::new(self.adapter.normalizer());
        let outcome =
            self.engine.run(&*self.adapter, &self.session, &stages, &self.key, &self.stream, request).await;
        assert_eq!(self.adapter.script.lock().unwrap().len(), 0, "answers that nobody asked for");
        outcome
    }

    pub(crate) async fn run(&self, request: SyncRequest, pages: Vec<Page>) -> StreamReport {
        self.try_run(request, pages.into_iter().map(Ok).collect()).await.unwrap()
    }

    /// Runs the stream as usual.
    pub(crate) async fn sync(&self, pages: Vec<Page>) -> StreamReport {
        self.run(SyncRequest::incremental(), pages).await
    }

    /// Runs the stream until the provider breaks down behind these pages.
    pub(crate) async fn break_after(&self, request: SyncRequest, pages: Vec<Page>) {
        let broken = Err(Error::new(ErrorKind::ServiceUnavailable, "not now"));
        let script = pages.into_iter().map(Ok).chain([broken]).collect();
        let error = self.try_run(request, script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ServiceUnavailable);
    }

    /// What the last run has asked the provider for.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.adapter.asked.lock().unwrap().clone()
    }

    /// The same without the window.
    pub(crate) fn asked_from(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.from).collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.store.records(&self.key).iter().map(|record| record.id().to_owned()).collect()
    }

    pub(crate) async fn state(&self) -> StreamState {
        self.store.load(&self.key).await.unwrap()
    }

    pub(crate) async fn position(&self) -> Position {
        self.state().await.position
    }

    /// Puts the stream where an earlier version has left it.
    pub(crate) async fn stand_at(&self, position: Position) {
        let StreamState { revision, fence, .. } = self.state().await;
        let commit = Commit {
            stream: self.key.clone(),
            fence,
            expected_revision: revision,
            generation: position.generation(),
            changes: Vec::new(),
            quarantined: Vec::new(),
            sweep: None,
            position,
        };
        self.store.commit(commit).await.unwrap();
    }

    pub(crate) fn notices(&self, name: &str) -> usize {
        self.heard.0.lock().unwrap().iter().filter(|notice| notice.starts_with(name)).count()
    }
}
