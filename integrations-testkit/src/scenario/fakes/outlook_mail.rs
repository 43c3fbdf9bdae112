//! How does the fake Graph look as a mailbox?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use integrations_core::connection::StreamId;
use serde_json::{Value, json};

use crate::msgraph::{FakeGraph, FolderSpec};
use crate::scenario::{Answer, Fake, FakeServer, NotHere, SetUp};

const MAIN: &str = "inbox";

/// A fake Microsoft Graph whose account has a mailbox.
#[derive(Debug)]
pub struct OutlookMail {
    graph: FakeGraph,
    /// How often something has happened; no two subjects are the same.
    happened: AtomicUsize,
    malformed: Mutex<BTreeSet<String>>,
}

impl OutlookMail {
    /// Starts it.
    ///
    /// # Errors
    /// None: Graph has all that can be asked of it.
    pub async fn start(set_up: SetUp) -> Answer<Self> {
        let graph = FakeGraph::builder()
            .clock(Arc::new(set_up.clock))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .start()
            .await;
        Ok(Self { graph, happened: AtomicUsize::new(0), malformed: Mutex::default() })
    }

    /// The fake Graph.
    pub const fn graph(&self) -> &FakeGraph {
        &self.graph
    }

    fn subject(&self) -> String {
        format!("No. {}", self.happened.fetch_add(1, Ordering::SeqCst))
    }

    fn malformed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.malformed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn message(&self, id: &str) -> Value {
        self.graph.message(id).unwrap_or_else(|| panic!("no message {id}"))
    }
}

impl Fake for OutlookMail {
    fn server(&self) -> &dyn FakeServer {
        &self.graph
    }

    fn stream(&self) -> StreamId {
        self.graph.folder_id(MAIN).into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["messages.delta"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.graph.insert_message(stream.as_str(), json!({"subject": self.subject()}))
    }

    fn change(&self, id: &str) {
        self.graph.patch_message(id, json!({"subject": self.subject()}));
    }

    fn delete(&self, id: &str) {
        self.graph.delete_message(id);
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let malformed = self.malformed();
        let readable =
            self.graph.message_ids(stream.as_str()).into_iter().filter(|id| !malformed.contains(id));
        let etag = |id: &str| self.message(id)["@odata.etag"].as_str().unwrap_or_default().to_owned();
        readable.map(|id| (etag(&id), id)).map(|(etag, id)| (id, etag)).collect()
    }

    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let message = json!({"subject": self.subject(), "receivedDateTime": at, "sentDateTime": at});
        Ok(self.graph.insert_message(MAIN, message))
    }

    fn malform(&self, id: &str) -> Answer {
        self.malformed().insert(id.to_owned());
        let odd = json!({
            "id": id, "body": null, "receivedDateTime": "yesterday", "lastModifiedDateTime": "yesterday",
        });
        self.graph.garble_message(id, &odd.to_string());
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.malformed().remove(id);
        self.graph.mend_message(id);
    }

    fn odd_word(&self, _: &str) -> Answer {
        Err(NotHere("the model has yes and no for a message's words: importance and flag"))
    }

    fn repeat(&self, id: &str) -> Answer {
        self.graph.raw_message(MAIN, &self.message(id).to_string());
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        let name = format!("Folder {}", self.happened.fetch_add(1, Ordering::SeqCst));
        Ok(self.graph.add_folder(&FolderSpec::new(&name)).into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.graph.delete_folder(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        self.graph.expire_delta_tokens();
        Ok(())
    }

    fn forget_pages(&self) -> Answer {
        self.graph.expire_skip_tokens();
        Ok(())
    }
}
