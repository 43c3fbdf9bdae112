//! A fake of a service that this crate knows nothing of: notebooks with notes, connected by a key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, Response, header};
use integrations_core::clock::{Clock as _, ManualClock};
use integrations_core::connection::{Connection, ServiceId, StreamId};
use integrations_core::{ApiKey, Gateway, Result};
use integrations_testkit::scenario::{Answer, Fake, FakeServer, NotHere, ODD_WORD, SetUp};
use integrations_testkit::{Api, FakeApi};
use serde_json::{Value, json};

const KEY: &str = "the-key";
const MAIN: &str = "1";

#[derive(Debug, Clone)]
struct Note {
    number: u64,
    book: String,
    text: String,
    at: DateTime<Utc>,
    updated: DateTime<Utc>,
    word: &'static str,
    malformed: bool,
}

impl Note {
    fn json(&self) -> Value {
        let at = if self.malformed { json!("lately") } else { json!(self.at.timestamp()) };
        json!({"id": self.number.to_string(), "text": self.text, "at": at, "state": self.word})
    }
}

#[derive(Debug, Default)]
struct State {
    notes: Vec<Note>,
    books: BTreeSet<String>,
    repeated: Vec<u64>,
    /// How often something has happened.
    happened: u64,
}

/// The server's side, and the test's.
#[derive(Debug)]
struct Shared {
    clock: ManualClock,
    page_cap: usize,
    empty_pages: bool,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The notes of a notebook that were updated since a time, behind a place; the place counts notes, and
    /// those that come again follow behind all the others.
    fn page(&self, book: &str, query: &BTreeMap<String, String>) -> Value {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
        let limit = number("limit").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        let since = number("since").unwrap_or(0);
        let state = self.state();
        let all = state.notes.iter().map(|note| (note.number, note));
        let last = state.notes.last().map_or(0, |note| note.number);
        let again = state.repeated.iter().zip(1..).filter_map(|(repeated, place)| {
            let note = state.notes.iter().find(|note| note.number == *repeated)?;
            Some((last + place, note))
        });
        let due = |(place, note): &(u64, &Note)| {
            note.book == book
                && note.updated.timestamp() >= i64::try_from(since).unwrap()
                && *place > number("after").unwrap_or(0)
        };
        let due: Vec<_> = all.chain(again).filter(due).collect();
        let paused = self.empty_pages && query.contains_key("after") && !query.contains_key("rested");
        let limit = if paused { 0 } else { limit.min(self.page_cap) };
        let (page, rest) = due.split_at(limit.min(due.len()));
        let next = match (paused, page.last()) {
            (true, _) => query.get("after").map(|after| format!("{after}&rested=1")),
            (false, Some((place, _))) if !rest.is_empty() => Some(place.to_string()),
            _ => None,
        };
        json!({
            "now": self.clock.now().timestamp(),
            "notes": page.iter().map(|(_, note)| note.json()).collect::<Vec<_>>(),
            "next": next,
        })
    }
}

impl Api for Shared {
    fn operation(&self, request: &Request<Bytes>) -> &'static str {
        match request.uri().path() {
            "/me" => "me",
            "/notebooks" => "notebooks.list",
            _ => "notes.list",
        }
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let key = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if key != Some("Bearer the-key") {
            return self.error("", 401, None);
        }
        let query = request.uri().query().unwrap_or_default();
        let query: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let body = match request.uri().path().split('/').collect::<Vec<_>>()[..] {
            ["", "me"] => json!({"id": "ada"}),
            ["", "notebooks"] => json!({"notebooks": self.state().books}),
            ["", "notebooks", book] if self.state().books.contains(book) => self.page(book, &query),
            _ => return self.error("", 404, None),
        };
        Response::new(Bytes::from(body.to_string()))
    }
}

/// The fake, as the scenarios see it.
#[derive(Debug)]
pub(crate) struct Notebooks {
    server: FakeApi,
    shared: Arc<Shared>,
}

impl Notebooks {
    pub(crate) async fn start(set_up: SetUp) -> Answer<Self> {
        let shared = Arc::new(Shared {
            clock: set_up.clock.clone(),
            page_cap: set_up.page_cap,
            empty_pages: set_up.empty_pages,
            state: Mutex::default(),
        });
        shared.state().books.insert(MAIN.to_owned());
        Ok(Self { server: FakeApi::start(Arc::clone(&shared), Arc::new(set_up.clock)).await, shared })
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    fn write(&self, book: &str, at: DateTime<Utc>) -> String {
        let mut state = self.shared.state();
        state.happened += 1;
        let number = state.happened;
        let (text, updated) = (format!("No. {number}"), self.shared.clock.now());
        let book = book.to_owned();
        state.notes.push(Note { number, book, text, at, updated, word: "sent", malformed: false });
        number.to_string()
    }

    fn edit(&self, id: &str, edit: impl FnOnce(&mut Note)) {
        let mut state = self.shared.state();
        state.happened += 1;
        let text = format!("No. {}", state.happened);
        let note = state.notes.iter_mut().find(|note| note.number.to_string() == id).unwrap();
        (note.text, note.updated) = (text, self.shared.clock.now());
        edit(note);
    }
}

#[async_trait]
impl Fake for Notebooks {
    async fn connect(&self, gateway: &Gateway, service: &ServiceId) -> Result<Connection> {
        gateway.connect_with_key("ada", service, ApiKey::new(KEY)).await
    }

    fn server(&self) -> &dyn FakeServer {
        &self.server
    }

    fn stream(&self) -> StreamId {
        MAIN.into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["notes.list"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.write(stream.as_str(), self.shared.clock.now())
    }

    fn change(&self, id: &str) {
        self.edit(id, |_| {});
    }

    fn delete(&self, id: &str) {
        self.shared.state().notes.retain(|note| note.number.to_string() != id);
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let state = self.shared.state();
        let of_stream = state.notes.iter().filter(|note| *stream == note.book.as_str() && !note.malformed);
        of_stream.map(|note| (note.number.to_string(), note.text.clone())).collect()
    }

    fn mark(&self, record: &integrations_core::model::Record) -> String {
        record.entity.as_message().and_then(|note| note.text.clone()).unwrap_or_default()
    }

    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        Ok(self.write(MAIN, at))
    }

    fn malform(&self, id: &str) -> Answer {
        self.edit(id, |note| note.malformed = true);
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.edit(id, |note| note.malformed = false);
    }

    fn odd_word(&self, id: &str) -> Answer {
        self.edit(id, |note| note.word = ODD_WORD);
        Ok(())
    }

    fn repeat(&self, id: &str) -> Answer {
        self.shared.state().repeated.push(id.parse().unwrap());
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        let mut state = self.shared.state();
        let book = (state.books.len() + 1).to_string();
        state.books.insert(book.clone());
        Ok(book.into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.shared.state().books.remove(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        Err(NotHere("changes are read since a time"))
    }

    fn forget_pages(&self) -> Answer {
        Err(NotHere("a page is named by the note before it"))
    }
}
