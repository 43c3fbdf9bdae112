//! An adapter of a service of one's own, in two makes: one that reads what has changed since a time, and one
//! that lists everything in every run.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::DateTime;
use integrations_core::adapter::{
    Capabilities, Deletions, Increments, Next, Page, Pull, PullFrom, ServiceInfo, Stream,
};
use integrations_core::auth::Authenticator;
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Origins, Request, Session};
use integrations_core::model::{
    Change, Message, MessageKind, MessageStatus, Raw, Record, RecordKind, Source,
};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};
use integrations_core::sync::Cursor;
use integrations_core::{Error, Result, ServiceAdapter, json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::fake::Notebooks;

const SERVICE: &str = "notes";
const LIST: &str = "notes.list";
/// How many seconds before the last run the next one begins to read: what happened in the same second as the
/// answer may not be in it.
const OVERLAP: i64 = 1;

#[derive(Debug)]
pub(crate) struct NotesAdapter {
    info: ServiceInfo,
    base: Url,
    origins: Origins,
}

impl NotesAdapter {
    pub(crate) fn reading_changes(fake: &Notebooks) -> Arc<dyn ServiceAdapter> {
        Self::with(fake, Increments::Overlapping)
    }

    pub(crate) fn always_listing(fake: &Notebooks) -> Arc<dyn ServiceAdapter> {
        Self::with(fake, Increments::None)
    }

    fn with(fake: &Notebooks, increments: Increments) -> Arc<dyn ServiceAdapter> {
        let base = Url::parse(fake.url()).unwrap();
        let capabilities =
            Capabilities::reading([RecordKind::Message]).with_increments(increments, Deletions::Listing);
        Arc::new(Self {
            info: ServiceInfo::new(SERVICE, "Notes", "1").with_capabilities(capabilities),
            origins: Origins::of([&base]),
            base,
        })
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        session: &Session,
        operation: &'static str,
        path: &str,
    ) -> Result<T> {
        let answer = session.send(Request::get(operation, self.base.join(path).unwrap())).await?;
        json::decode(&answer.body, operation)
    }
}

#[derive(Deserialize)]
struct Me {
    id: String,
}

#[derive(Deserialize)]
struct Books {
    notebooks: Vec<String>,
}

#[derive(Deserialize)]
struct Notes {
    #[serde(rename = "notes")]
    _cut_out: [IgnoredAny; 0],
    now: i64,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Note {
    id: String,
    text: String,
    at: i64,
    state: String,
}

#[async_trait]
impl ServiceAdapter for NotesAdapter {
    fn info(&self) -> &ServiceInfo {
        &self.info
    }

    fn normalizer(&self) -> Arc<dyn Normalizer> {
        Arc::new(Mapping)
    }

    fn allowed_origins(&self) -> &Origins {
        &self.origins
    }

    fn classify(&self, failure: &Failure<'_>) -> Error {
        failure.by(&[], &integrations_core::http::Words::default())
    }

    fn authenticator(&self) -> &dyn Authenticator {
        self
    }

    async fn list_streams(&self, session: &Session) -> Result<Vec<Stream>> {
        let books: Books = self.get(session, "notebooks.list", "/notebooks").await?;
        Ok(books.notebooks.iter().map(|book| Stream::new(book.as_str(), book)).collect())
    }

    /// The mark is the time of the first page's answer: a page's cursor carries it to the last.
    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        let (since, page) = match pull.from {
            PullFrom::Listing { page } => (None, page),
            PullFrom::Changes { since, page } => (Some(since.as_str()), page),
        };
        let (mark, after) = match page.and_then(|page| page.as_str().split_once('|')) {
            Some((mark, after)) => (Some(mark.to_owned()), Some(after)),
            None => (None, None),
        };
        let mut path = format!("/notebooks/{}?limit={}", pull.stream, pull.page_size);
        for (name, value) in [("since", since), ("after", after)] {
            path.extend(value.map(|value| format!("&{name}={value}")));
        }
        let request = Request::get(LIST, self.base.join(&path).unwrap());
        let answer = session.send(request).await?;
        let Some((notes, items)) = json::cut_items::<Notes>(&answer.body, "notes") else {
            return Err(json::unreadable::<Books>(&answer.body, LIST));
        };
        let mark = mark.unwrap_or_else(|| (notes.now - OVERLAP).to_string());
        let next = match notes.next {
            Some(next) => Next::Page(Cursor::new(format!("{mark}|{next}"))),
            None if self.info.capabilities.increments == Increments::None => Next::Listed,
            None => Next::Done(Cursor::new(mark)),
        };
        Ok(Page::new(items, next))
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        self.identify(session).await.map(drop)
    }
}

#[async_trait]
impl Authenticator for NotesAdapter {
    async fn identify(&self, session: &Session) -> Result<Account> {
        let me: Me = self.get(session, "me", "/me").await?;
        Ok(Account { id: me.id.into(), email: None, name: None })
    }
}

#[derive(Debug)]
struct Mapping;

impl Normalizer for Mapping {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let note: Note = json::decode_item(item.as_bytes()).map_err(|error| {
            let id = serde_json::from_slice::<Me>(item.as_bytes()).ok().map(|Me { id }| id);
            error.with_id(id)
        })?;
        let mut message = Message::new(&note.id, MessageKind::Chat);
        message.sent_at = DateTime::from_timestamp(note.at, 0);
        message.text = Some(note.text);
        message.status = MessageStatus::from(note.state.as_str());
        let source = Source {
            service: context.stream.service.clone(),
            id: note.id,
            version: None,
            link: None,
            modified_at: None,
        };
        Ok(Change::Upsert(Record { entity: message.into(), source, raw: item.clone() }))
    }
}
