//! How does the fake Google look as lists of tasks?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use integrations_core::connection::StreamId;
use serde_json::{Value, json};

use crate::google::{FakeGoogle, TaskListSpec};
use crate::scenario::{Answer, Fake, FakeServer, NotHere, ODD_WORD, SetUp};

const MAIN: &str = "list-a";

/// A fake Google whose account has one list of tasks, and more when they are added.
#[derive(Debug)]
pub struct Tasks {
    google: FakeGoogle,
    /// How often something has happened; no two titles are the same.
    happened: AtomicUsize,
    malformed: Mutex<BTreeSet<String>>,
}

impl Tasks {
    /// Starts it.
    ///
    /// # Errors
    /// None: what a scenario wants of its fake, this one has.
    pub async fn start(set_up: SetUp) -> Answer<Self> {
        let google = FakeGoogle::builder()
            .clock(Arc::new(set_up.clock))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .task_list(TaskListSpec::new(MAIN).title("Mine"))
            .start()
            .await;
        Ok(Self { google, happened: AtomicUsize::new(0), malformed: Mutex::default() })
    }

    /// The fake Google.
    pub const fn google(&self) -> &FakeGoogle {
        &self.google
    }

    fn next(&self) -> usize {
        self.happened.fetch_add(1, Ordering::SeqCst)
    }

    fn title(&self) -> Value {
        json!({"title": format!("No. {}", self.next())})
    }

    fn malformed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.malformed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fake for Tasks {
    fn server(&self) -> &dyn FakeServer {
        &self.google
    }

    fn stream(&self) -> StreamId {
        MAIN.into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["tasks.list"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.google.insert_task(stream.as_str(), self.title())
    }

    fn change(&self, id: &str) {
        self.google.patch_task(MAIN, id, self.title());
    }

    fn delete(&self, id: &str) {
        self.google.delete_task(MAIN, id);
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let list = stream.as_str();
        let malformed = self.malformed();
        let readable = self.google.task_ids(list).into_iter().filter(|id| !malformed.contains(id));
        let etag = |id: &str| self.google.task(list, id)?["etag"].as_str().map(str::to_owned);
        readable.map(|id| (id.clone(), etag(&id).unwrap_or_default())).collect()
    }

    fn malform(&self, id: &str) -> Answer {
        self.malformed().insert(id.to_owned());
        self.google.patch_task(MAIN, id, json!({"title": ["no", "title"]}));
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.malformed().remove(id);
        self.change(id);
    }

    fn odd_word(&self, id: &str) -> Answer {
        self.google.patch_task(MAIN, id, json!({"status": ODD_WORD}));
        Ok(())
    }

    fn repeat(&self, id: &str) -> Answer {
        let Some(task) = self.google.task(MAIN, id) else { panic!("no task {id} to be repeated") };
        self.google.raw_task(MAIN, &task.to_string());
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        let id = format!("list-{}", self.next());
        self.google.add_task_list(TaskListSpec::new(&id));
        Ok(id.into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.google.remove_task_list(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        Err(NotHere("changes are read since a time"))
    }

    fn forget_pages(&self) -> Answer {
        self.google.expire_task_page_tokens(MAIN);
        Ok(())
    }
}
