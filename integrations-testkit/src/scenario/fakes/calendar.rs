//! How does the fake Google look as a calendar?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use integrations_core::connection::StreamId;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::google::{CalendarSpec, FakeGoogle};
use crate::scenario::{Answer, Fake, ODD_WORD, SetUp};

const MAIN: &str = "ada@example.com";

/// A fake Google whose account has one calendar, and more when they are added.
#[derive(Debug)]
pub struct Calendar {
    server: FakeGoogle,
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
        let server = FakeGoogle::builder()
            .clock(Arc::new(set_up.clock))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .user(MAIN)
            .calendar(CalendarSpec::new(MAIN).summary("Ada").time_zone("Europe/Berlin").primary())
            .start()
            .await;
        Ok(Self { server, happened: AtomicUsize::new(0), malformed: Mutex::default() })
    }

    /// The fake Google.
    pub const fn server(&self) -> &FakeGoogle {
        &self.server
    }

    fn title(&self) -> String {
        format!("No. {}", self.happened.fetch_add(1, Ordering::SeqCst))
    }

    fn patch(&self, id: &str, patch: Value) {
        self.server.patch_event(MAIN, id, patch);
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

#[async_trait]
impl Fake for Calendar {
    async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.server.consent(authorization_url).await
    }

    fn stream(&self) -> StreamId {
        MAIN.into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["events.list"]
    }

    fn fault(&self, fault: Fault) {
        self.server.fault(fault);
    }

    fn clear_faults(&self) {
        self.server.clear_faults();
    }

    fn calls(&self, operation: &str) -> u64 {
        self.server.count(operation)
    }

    fn add(&self, stream: &StreamId) -> String {
        self.server.insert_event(stream.as_str(), json!({"summary": self.title()}))
    }

    fn change(&self, id: &str) {
        self.patch(id, json!({"summary": self.title()}));
    }

    fn delete(&self, id: &str) {
        self.server.delete_event(MAIN, id);
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let calendar = stream.as_str();
        let malformed = self.malformed();
        let readable = self.server.event_ids(calendar).into_iter().filter(|id| !malformed.contains(id));
        let etag = |id: &str| {
            self.server.event(calendar, id).and_then(|event| event["etag"].as_str().map(str::to_owned))
        };
        readable.map(|id| (etag(&id).unwrap_or_default(), id)).map(|(etag, id)| (id, etag)).collect()
    }

    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        Ok(self.server.insert_event(MAIN, event(&self.title(), at)))
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
        let Some(event) = self.server.event(MAIN, id) else { panic!("no event {id} to be repeated") };
        self.server.raw_item(MAIN, &event.to_string());
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        let id = format!("calendar-{}@example.com", self.happened.fetch_add(1, Ordering::SeqCst));
        self.server.add_calendar(CalendarSpec::new(&id));
        Ok(id.into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.server.remove_calendar(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        self.server.expire_sync_tokens(MAIN);
        Ok(())
    }

    fn forget_pages(&self) -> Answer {
        self.server.expire_page_tokens(MAIN);
        Ok(())
    }

    fn expire_tokens(&self) -> Answer {
        self.server.expire_access_tokens();
        Ok(())
    }
}
