//! How does the fake Slack look as a workspace with a channel?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use integrations_core::clock::{Clock as _, ManualClock};
use integrations_core::connection::StreamId;
use integrations_core::model::Record;
use serde_json::{Value, json};

use crate::scenario::{Answer, Fake, FakeServer, NotHere, ODD_WORD, SetUp};
use crate::slack::{ChannelSpec, FakeSlack};

const MAIN: &str = "C0GENERAL";

/// A fake Slack whose workspace has one channel, and more when they are added.
#[derive(Debug)]
pub struct Slack {
    workspace: FakeSlack,
    clock: ManualClock,
    /// How often something has happened; no two texts are the same.
    happened: AtomicUsize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    malformed: BTreeSet<String>,
    /// Where messages stand that are others once more.
    repeated: BTreeSet<String>,
}

impl Slack {
    /// Starts it.
    ///
    /// # Errors
    /// None: what a scenario wants of its fake, this one has.
    pub async fn start(set_up: SetUp) -> Answer<Self> {
        let workspace = FakeSlack::builder()
            .clock(Arc::new(set_up.clock.clone()))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .channel(ChannelSpec::public("general").id(MAIN).general())
            .start()
            .await;
        let happened = AtomicUsize::new(0);
        Ok(Self { workspace, clock: set_up.clock, happened, known: Mutex::default() })
    }

    /// The fake Slack.
    pub const fn slack(&self) -> &FakeSlack {
        &self.workspace
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> usize {
        self.happened.fetch_add(1, Ordering::SeqCst)
    }

    fn text(&self) -> Value {
        json!({"text": format!("No. {}", self.next())})
    }
}

impl Fake for Slack {
    fn server(&self) -> &dyn FakeServer {
        &self.workspace
    }

    fn stream(&self) -> StreamId {
        MAIN.into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["conversations.history"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.workspace.post(stream.as_str(), self.text())
    }

    fn change(&self, id: &str) {
        self.workspace.edit(MAIN, id, self.text());
    }

    fn delete(&self, id: &str) {
        self.workspace.delete(MAIN, id);
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let channel = stream.as_str();
        let known = self.known();
        let others = |ts: &String| !known.malformed.contains(ts) && !known.repeated.contains(ts);
        let readable = self.workspace.history(channel).into_iter().filter(others);
        let text = |ts: &str| self.workspace.message(channel, ts)?["text"].as_str().map(str::to_owned);
        readable.map(|ts| (ts.clone(), text(&ts).unwrap_or_default())).collect()
    }

    fn mark(&self, record: &Record) -> String {
        record.entity.as_message().and_then(|message| message.text.clone()).unwrap_or_default()
    }

    /// A message is known by its time. The fake posts none before its last one, so these come in order.
    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        let now = self.clock.now();
        self.clock.set_wall(at);
        let ts = self.workspace.post(MAIN, self.text());
        self.clock.set_wall(now);
        Ok(ts)
    }

    fn malform(&self, id: &str) -> Answer {
        self.known().malformed.insert(id.to_owned());
        self.workspace.patch_message(MAIN, id, json!({"text": ["no", "text"]}));
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.known().malformed.remove(id);
        self.change(id);
    }

    fn odd_word(&self, id: &str) -> Answer {
        self.workspace.patch_message(MAIN, id, json!({"subtype": ODD_WORD}));
        Ok(())
    }

    fn repeat(&self, id: &str) -> Answer {
        let Some(message) = self.workspace.message(MAIN, id) else {
            panic!("no message {id} to be repeated")
        };
        self.known().repeated.insert(self.workspace.raw_message(MAIN, &message.to_string()));
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        Ok(self.workspace.add_channel(ChannelSpec::public(&format!("channel-{}", self.next()))).into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.workspace.remove_channel(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        Err(NotHere("a position is the adapter's own, and not Slack's"))
    }

    fn forget_pages(&self) -> Answer {
        self.workspace.expire_cursors();
        Ok(())
    }
}
