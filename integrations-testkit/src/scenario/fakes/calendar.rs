//! How does the fake Google look as a calendar?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use integrations_core::connection::StreamId;
use serde_json::{Value, json};

use crate::google::{CalendarSpec, FakeGoogle};
use crate::scenario::{Answer, Fake, FakeServer, ODD_WORD, SetUp};

const MAIN: &str = "ada@example.com";

/// A fake Google whose account has one calendar, and more when they are added.
#[derive(Debug)]
pub struct Calendar {
    google: FakeGoogle,
    /// How often something has happened; no two titles are the same.
    happened: AtomicUsize,
    malformed: Mutex<BTreeSet<String>>,
}

impl Calendar {
    /// Starts it.
    ///
    /// # Errors
    /// None: Google has all that can be asked of it.
    pub async fn start(set_up: SetUp) -> Answer<Self> {
        let google = FakeGoogle::builder()
            .clock(Arc::new(set_up.clock))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .user(MAIN)
            .calendar(CalendarSpec::new(MAIN).summary("Ada").time_zone("Europe/Berlin").primary())
            .start()
            .await;
        Ok(Self { google, happened: AtomicUsize::new(0), malformed: Mutex::default() })
    }

    /// The fake Google.
    pub const fn google(&self) -> &FakeGoogle {
        &self.google
    }

    fn title(&self) -> String {
        format!("No. {}", self.happened.fetch_add(1, Ordering::SeqCst))
    }

    fn patch(&self, id: &str, patch: Value) {
        self.google.patch_event(MAIN, id, patch);
    }

    fn malformed(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.malformed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event of an hour, from a time on.
fn event(title: &str, at: DateTime<Utc>) -> Value {
    let time = |at: DateTime<Utc>| json!({"dateTime": at.to_rfc3339_opts(SecondsFormat::Secs, true)});
    json!({"summary": title, "start": time(at), "end": time(at + chrono::TimeDelta::hours(1))})
}

impl Fake for Calendar {
    fn server(&self) -> &dyn FakeServer {
        &self.google
    }

    fn stream(&self) -> StreamId {
        MAIN.into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["events.list"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.google.insert_event(stream.as_str(), json!({"summary": self.title()}))
    }

    fn change(&self, id: &str) {
        self.patch(id, json!({"summary": self.title()}));
    }

    fn delete(&self, id: &str) {
        self.google.delete_event(MAIN, id);
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let calendar = stream.as_str();
        let malformed = self.malformed();
        let readable = self.google.event_ids(calendar).into_iter().filter(|id| !malformed.contains(id));
        let etag = |id: &str| {
            self.google.event(calendar, id).and_then(|event| event["etag"].as_str().map(str::to_owned))
        };
        readable.map(|id| (etag(&id).unwrap_or_default(), id)).map(|(etag, id)| (id, etag)).collect()
    }

    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        Ok(self.google.insert_event(MAIN, event(&self.title(), at)))
    }

    fn malform(&self, id: &str) -> Answer {
        self.malformed().insert(id.to_owned());
        self.patch(id, json!({"start": {"dateTime": "tomorrow"}}));
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.malformed().remove(id);
        self.patch(id, json!({"start": {"dateTime": "2026-03-01T09:00:00Z"}}));
    }

    fn odd_word(&self, id: &str) -> Answer {
        self.patch(id, json!({"visibility": ODD_WORD}));
        Ok(())
    }

    fn repeat(&self, id: &str) -> Answer {
        let Some(event) = self.google.event(MAIN, id) else { panic!("no event {id} to be repeated") };
        self.google.raw_item(MAIN, &event.to_string());
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        let id = format!("calendar-{}@example.com", self.happened.fetch_add(1, Ordering::SeqCst));
        self.google.add_calendar(CalendarSpec::new(&id));
        Ok(id.into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.google.remove_calendar(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        self.google.expire_sync_tokens(MAIN);
        Ok(())
    }

    fn forget_pages(&self) -> Answer {
        self.google.expire_page_tokens(MAIN);
        Ok(())
    }
}
