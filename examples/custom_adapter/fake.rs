//! The tracker, made up: projects whose issues are numbered by their last change, behind a key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use integrations_core::clock::Clock;
use integrations_core::connection::{Connection, ServiceId, StreamId};
use integrations_core::{ApiKey, Gateway, Result};
use integrations_testkit::scenario::{Answer, Fake, FakeServer, ODD_WORD};
use integrations_testkit::{Api, FakeApi};
use serde_json::{Value, json};
use url::Url;

/// What the user has typed in.
pub(crate) const KEY: &str = "the-key";
/// The project that is there from the beginning.
pub(crate) const MAIN: &str = "APP";

/// One project: its issues by id, and the order of their changes.
#[derive(Debug, Default)]
struct Project {
    issues: BTreeMap<String, Value>,
    /// An issue stands at its last change; one that is named twice stands at two.
    changes: BTreeMap<u64, String>,
}

#[derive(Debug, Default)]
struct State {
    projects: BTreeMap<String, Project>,
    malformed: BTreeSet<String>,
    revision: u64,
    /// Places of another one are forgotten.
    age: u64,
}

/// What the server and the test share.
#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    page_cap: usize,
    empty_pages: bool,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The changes behind a place, which is an age, a revision, and a dash if it has been rested at; `0` is the
    /// beginning. `None` for a place that is forgotten.
    fn issues(&self, age: u64, project: &Project, limit: usize, after: &str) -> Option<Value> {
        let (of, place) = after.split_once('.').unwrap_or(("", after));
        let from: u64 = place.trim_end_matches('-').parse().ok()?;
        if after != "0" && of.parse() != Ok(age) {
            return None;
        }
        let due: Vec<_> = project.changes.range(from + 1..).collect();
        let rest = self.empty_pages && after != "0" && !after.ends_with('-') && !due.is_empty();
        let page = &due[..if rest { 0 } else { limit.min(self.page_cap).min(due.len()) }];
        let last = page.last().map_or(from, |(revision, _)| **revision);
        let issues: Vec<_> = page.iter().filter_map(|(_, id)| project.issues.get(*id)).collect();
        let last = format!("{age}.{last}{}", if rest { "-" } else { "" });
        Some(json!({"issues": issues, "last": last, "more": page.len() < due.len()}))
    }
}

impl Api for Shared {
    fn operation(&self, request: &Request<Bytes>) -> &'static str {
        match request.uri().path() {
            "/me" => "me",
            "/projects" => "projects.list",
            _ => "issues.list",
        }
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let key = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if key != Some("Bearer the-key") {
            return self.error("", 401, None);
        }
        let query = request.uri().query().unwrap_or_default();
        let query: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let after = query.get("after").map_or("0", String::as_str);
        let state = self.state();
        let body = match request.uri().path().split('/').collect::<Vec<_>>()[..] {
            ["", "me"] => json!({"id": "ada"}),
            ["", "projects"] => json!({"projects": state.projects.keys().collect::<Vec<_>>()}),
            ["", "projects", name, "issues"] => match state.projects.get(name) {
                None => return self.error("", 404, None),
                Some(project) => match self.issues(state.age, project, limit, after) {
                    None => return self.error("", 410, None),
                    Some(issues) => issues,
                },
            },
            _ => return self.error("", 404, None),
        };
        Response::new(Bytes::from(body.to_string()))
    }
}

/// The fake, as a test sees it.
#[derive(Debug)]
pub(crate) struct FakeTracker {
    server: FakeApi,
    shared: Arc<Shared>,
}

impl FakeTracker {
    /// Starts it with an empty project.
    pub(crate) async fn start(clock: Arc<dyn Clock>, page_cap: usize, empty_pages: bool) -> Self {
        let state =
            State { projects: BTreeMap::from([(MAIN.to_owned(), Project::default())]), ..State::default() };
        let shared =
            Arc::new(Shared { clock: Arc::clone(&clock), page_cap, empty_pages, state: Mutex::new(state) });
        Self { server: FakeApi::start(Arc::clone(&shared), clock).await, shared }
    }

    /// The same, as a scenario wants it.
    #[cfg(test)]
    pub(crate) async fn set_up(set_up: integrations_testkit::scenario::SetUp) -> Answer<Self> {
        Ok(Self::start(Arc::new(set_up.clock), set_up.page_cap, set_up.empty_pages).await)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> Url {
        self.server.url().parse().unwrap_or_else(|_| unreachable!("a server has an address"))
    }

    /// Writes fields of an issue; a new one has none yet. Returns its id.
    pub(crate) fn write(&self, project: &str, id: Option<&str>, fields: Value) -> String {
        let mut state = self.shared.state();
        state.revision += 1;
        let revision = state.revision;
        let id = id.map_or_else(|| revision.to_string(), str::to_owned);
        let project = state.projects.entry(project.to_owned()).or_default();
        let issue = project
            .issues
            .entry(id.clone())
            .or_insert_with(|| json!({"id": id, "title": format!("No. {id}"), "state": "todo"}));
        issue["revision"] = revision.into();
        issue["changed"] = self.shared.clock.now().to_rfc3339().into();
        if let Value::Object(fields) = fields {
            for (name, value) in fields {
                issue[name] = value;
            }
        }
        project.changes.retain(|_, changed| *changed != id);
        project.changes.insert(revision, id.clone());
        id
    }

    /// Forgets every place, and with them what was deleted.
    fn forget(&self) {
        let mut state = self.shared.state();
        state.age += 1;
        for Project { issues, changes } in state.projects.values_mut() {
            issues.retain(|_, issue| issue["deleted"] != true);
            changes.retain(|_, id| issues.contains_key(id));
        }
    }
}

#[async_trait]
impl Fake for FakeTracker {
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
        &["issues.list"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.write(stream.as_str(), None, Value::Null)
    }

    fn change(&self, id: &str) {
        self.write(MAIN, Some(id), Value::Null);
    }

    fn delete(&self, id: &str) {
        self.write(MAIN, Some(id), json!({"deleted": true}));
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let state = self.shared.state();
        let Some(project) = state.projects.get(stream.as_str()) else { return BTreeMap::new() };
        let readable =
            |(id, issue): &(&String, &Value)| issue["deleted"] != true && !state.malformed.contains(*id);
        let marked = |(id, issue): (&String, &Value)| (id.clone(), issue["revision"].to_string());
        project.issues.iter().filter(readable).map(marked).collect()
    }

    fn malform(&self, id: &str) -> Answer {
        self.shared.state().malformed.insert(id.to_owned());
        self.write(MAIN, Some(id), json!({"title": ["no", "title"]}));
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.shared.state().malformed.remove(id);
        self.write(MAIN, Some(id), json!({"title": "Mended"}));
    }

    fn odd_word(&self, id: &str) -> Answer {
        self.write(MAIN, Some(id), json!({"state": ODD_WORD}));
        Ok(())
    }

    fn repeat(&self, id: &str) -> Answer {
        let mut state = self.shared.state();
        state.revision += 1;
        let revision = state.revision;
        if let Some(project) = state.projects.get_mut(MAIN) {
            project.changes.insert(revision, id.to_owned());
        }
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        let mut state = self.shared.state();
        let name = format!("P{}", state.projects.len());
        state.projects.insert(name.clone(), Project::default());
        Ok(name.into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.shared.state().projects.remove(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        self.forget();
        Ok(())
    }

    fn forget_pages(&self) -> Answer {
        self.forget();
        Ok(())
    }
}
