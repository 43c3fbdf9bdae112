//! How does the fake GitHub look as repositories with issues?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use integrations_core::connection::StreamId;
use integrations_core::model::Record;
use serde_json::{Value, json};

use crate::github::{FakeGitHub, InstallationSpec, RepoSpec};
use crate::scenario::{Answer, Fake, FakeServer, NotHere, ODD_WORD, SetUp};

const MAIN: &str = "octo-org/main";
const MAIN_ID: u64 = 1_296_269;

/// A fake GitHub whose account comes to one repository through a GitHub App, and to more when they are added.
#[derive(Debug)]
pub struct GitHub {
    github: FakeGitHub,
    /// How often something has happened; no two titles are the same.
    happened: AtomicUsize,
    malformed: Mutex<BTreeSet<u64>>,
}

impl GitHub {
    /// Starts it, as github.com is: pages of issues are linked by cursor.
    ///
    /// # Errors
    /// None: what a scenario wants of its fake, this one has.
    pub async fn start(set_up: SetUp) -> Answer<Self> {
        Ok(Self::with(set_up, false).await)
    }

    /// Starts it as an older GitHub Enterprise Server is: pages of issues are linked by number.
    ///
    /// # Errors
    /// [`NotHere`] for empty pages.
    pub async fn start_numbered(set_up: SetUp) -> Answer<Self> {
        if set_up.empty_pages {
            return Err(NotHere("pages that are counted have no empty ones in their middle"));
        }
        Ok(Self::with(set_up, true).await)
    }

    async fn with(set_up: SetUp, numbered: bool) -> Self {
        let everywhere = ["issues", "pull_requests", "checks", "statuses"]
            .iter()
            .fold(InstallationSpec::new(1, "octo-org"), |installed, name| installed.permission(name, "read"));
        let github = FakeGitHub::builder()
            .clock(Arc::new(set_up.clock))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .numbered_links(numbered)
            .installation(everywhere)
            .repository(RepoSpec::new(MAIN).id(MAIN_ID))
            .start()
            .await;
        Self { github, happened: AtomicUsize::new(0), malformed: Mutex::default() }
    }

    /// The fake GitHub.
    pub const fn github(&self) -> &FakeGitHub {
        &self.github
    }

    fn next(&self) -> usize {
        self.happened.fetch_add(1, Ordering::SeqCst)
    }

    fn title(&self) -> Value {
        json!({"title": format!("No. {}", self.next())})
    }

    fn malformed(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.malformed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, stream: &StreamId) -> String {
        let named = |name: &String| self.github.repository_id(name).to_string() == stream.as_str();
        let found = self.github.repositories().into_iter().find(named);
        found.unwrap_or_else(|| panic!("no repository {stream}"))
    }
}

fn number(id: &str) -> u64 {
    id.parse().unwrap_or_else(|_| panic!("{id} is no number of an issue"))
}

impl Fake for GitHub {
    fn server(&self) -> &dyn FakeServer {
        &self.github
    }

    fn stream(&self) -> StreamId {
        MAIN_ID.to_string().into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["issues.listForRepo"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.github.open_issue(&self.name(stream), self.title()).to_string()
    }

    fn change(&self, id: &str) {
        self.github.edit_issue(MAIN, number(id), self.title());
    }

    fn delete(&self, id: &str) {
        self.github.delete_issue(MAIN, number(id));
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let (name, malformed) = (self.name(stream), self.malformed());
        let numbers = self.github.issue_numbers(&name).into_iter();
        let title =
            |number| Some(self.github.issue(&name, number)?["title"].as_str().unwrap_or_default().to_owned());
        let readable = numbers.filter(|number| !malformed.contains(number));
        readable.filter_map(|number| Some((number.to_string(), title(number)?))).collect()
    }

    fn mark(&self, record: &Record) -> String {
        record.entity.title().unwrap_or_default().to_owned()
    }

    fn malform(&self, id: &str) -> Answer {
        self.change(id);
        self.malformed().insert(number(id));
        self.github.patch_issue(MAIN, number(id), json!({"title": ["no", "title"]}));
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.malformed().remove(&number(id));
        self.change(id);
        let title = json!({"title": format!("No. {}, mended", self.next())});
        self.github.patch_issue(MAIN, number(id), title);
    }

    fn odd_word(&self, id: &str) -> Answer {
        self.change(id);
        self.github.patch_issue(MAIN, number(id), json!({"state_reason": ODD_WORD}));
        Ok(())
    }

    fn repeat(&self, id: &str) -> Answer {
        let Some(issue) = self.github.issue(MAIN, number(id)) else { panic!("no issue {id} to be repeated") };
        self.github.raw_issue(MAIN, &issue.to_string());
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        let name = format!("octo-org/more-{}", self.next());
        self.github.add_repository(RepoSpec::new(&name));
        Ok(self.github.repository_id(&name).to_string().into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.github.remove_repository(&self.name(stream));
    }

    fn forget_positions(&self) -> Answer {
        Err(NotHere("changes are read since a time"))
    }

    fn forget_pages(&self) -> Answer {
        self.github.expire_cursors();
        Ok(())
    }
}
