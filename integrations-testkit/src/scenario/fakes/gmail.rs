//! How does the fake Google look as a mailbox?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use integrations_core::connection::StreamId;
use serde_json::json;

use crate::google::{FakeGoogle, MailSpec};
use crate::scenario::{Answer, Fake, FakeServer, NotHere, SetUp};

const MAIN: &str = "messages";
/// What changes of a message: its labels.
const CHANGES: &[&str] = &["STARRED"];

/// A fake Google whose account has a mailbox.
#[derive(Debug)]
pub struct Gmail {
    google: FakeGoogle,
    /// How many messages were sent; no two subjects are the same.
    sent: AtomicUsize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    starred: BTreeSet<String>,
    malformed: BTreeSet<String>,
    /// What Gmail calls the messages that are others once more.
    repeated: BTreeSet<String>,
}

impl Gmail {
    /// Starts it.
    ///
    /// # Errors
    /// None: what a scenario wants of its fake, this one has.
    pub async fn start(set_up: SetUp) -> Answer<Self> {
        let google = FakeGoogle::builder()
            .clock(Arc::new(set_up.clock))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .start()
            .await;
        Ok(Self { google, sent: AtomicUsize::new(0), known: Mutex::default() })
    }

    /// The fake Google.
    pub const fn google(&self) -> &FakeGoogle {
        &self.google
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mail(&self) -> MailSpec {
        MailSpec::new(&format!("No. {}", self.sent.fetch_add(1, Ordering::SeqCst)))
    }
}

impl Fake for Gmail {
    fn server(&self) -> &dyn FakeServer {
        &self.google
    }

    fn stream(&self) -> StreamId {
        MAIN.into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["messages.list", "batch"]
    }

    fn changes(&self) -> &'static [&'static str] {
        &["history.list", "batch"]
    }

    fn add(&self, _: &StreamId) -> String {
        self.google.add_message(self.mail())
    }

    fn change(&self, id: &str) {
        let mut known = self.known();
        if known.starred.remove(id) {
            self.google.remove_labels(id, CHANGES);
        } else {
            known.starred.insert(id.to_owned());
            self.google.add_labels(id, CHANGES);
        }
    }

    fn delete(&self, id: &str) {
        self.google.delete_message(id);
    }

    fn there(&self, _: &StreamId) -> BTreeMap<String, String> {
        let known = self.known();
        let others = |id: &String| !known.malformed.contains(id) && !known.repeated.contains(id);
        let readable = self.google.message_ids().into_iter().filter(others);
        let version = |id: &str| self.google.message(id)?["historyId"].as_str().map(str::to_owned);
        readable.map(|id| (id.clone(), version(&id).unwrap_or_default())).collect()
    }

    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        Ok(self.google.add_message(self.mail().date(at)))
    }

    /// What a message says never changes at Gmail: its labels do, so that it is got again.
    fn malform(&self, id: &str) -> Answer {
        self.known().malformed.insert(id.to_owned());
        self.google.garble_message(id, &json!({"id": id, "payload": "no payload"}).to_string());
        self.change(id);
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.known().malformed.remove(id);
        self.google.rewrite_message(id, self.mail());
        self.change(id);
    }

    fn odd_word(&self, _: &str) -> Answer {
        Err(NotHere("a message has no word from a list: its labels are ids"))
    }

    fn repeat(&self, id: &str) -> Answer {
        let Some(message) = self.google.message(id) else { panic!("no message {id} to be repeated") };
        self.known().repeated.insert(self.google.raw_message(&message.to_string()));
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        Err(NotHere("every mailbox has the same streams"))
    }

    fn forget_positions(&self) -> Answer {
        self.google.expire_history();
        Ok(())
    }

    fn forget_pages(&self) -> Answer {
        self.google.expire_mail_page_tokens();
        Ok(())
    }
}
