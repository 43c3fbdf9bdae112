//! What do machines say about a commit, and how is it shown?

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::ids::node;
use super::issue::App;
use super::json::{Time, entries, text};
use super::repository::{Minimal, Repository};
use super::view::{Seen, WEB};

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pending,
    Success,
    Failure,
}

/// A run of an app, such as a job of a workflow.
#[derive(Debug, Clone)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) name: String,
    /// `queued`, `in_progress`, `completed`.
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) started: i64,
    pub(super) completed: Option<i64>,
}

impl CheckRun {
    pub(super) fn verdict(&self) -> Verdict {
        match self.conclusion.as_deref() {
            None => Verdict::Pending,
            Some("success" | "neutral" | "skipped") => Verdict::Success,
            Some(_) => Verdict::Failure,
        }
    }
}

/// A status, the older way to say it.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) context: String,
    /// `error`, `failure`, `pending`, `success`.
    pub(super) state: String,
    pub(super) description: Option<String>,
    pub(super) created: i64,
}

impl Status {
    pub(super) fn verdict(&self) -> Verdict {
        match self.state.as_str() {
            "success" => Verdict::Success,
            "pending" => Verdict::Pending,
            _ => Verdict::Failure,
        }
    }
}

/// All there is about one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Checks {
    /// Of each name the latest last.
    pub(super) runs: Vec<CheckRun>,
    /// Of each context the latest last.
    pub(super) statuses: Vec<Status>,
}

/// The worst of several: a failure, or what is not done yet; `None` when there is nothing.
pub(super) fn worst(verdicts: impl Iterator<Item = Verdict>) -> Option<Verdict> {
    const BY_WEIGHT: [Verdict; 3] = [Verdict::Success, Verdict::Pending, Verdict::Failure];
    verdicts.max_by_key(|verdict| BY_WEIGHT.iter().position(|known| known == verdict))
}

impl Checks {
    /// The latest run of each name, the newest first.
    pub(super) fn latest_runs(&self) -> Vec<&CheckRun> {
        let later = |at: usize, run: &CheckRun| self.runs[at + 1..].iter().any(|next| next.name == run.name);
        let runs = self.runs.iter().enumerate().rev();
        runs.filter(|(at, run)| !later(*at, run)).map(|(_, run)| run).collect()
    }

    /// The latest status of each context, the newest first.
    pub(super) fn latest_statuses(&self) -> Vec<&Status> {
        let statuses = self.statuses.iter().enumerate().rev();
        let later =
            |at: usize, status: &Status| self.statuses[at + 1..].iter().any(|s| s.context == status.context);
        statuses.filter(|(at, status)| !later(*at, status)).map(|(_, status)| status).collect()
    }

    /// What runs and statuses say together.
    pub(super) fn rollup(&self) -> Option<Verdict> {
        let runs = self.latest_runs().into_iter().map(CheckRun::verdict);
        worst(runs.chain(self.latest_statuses().into_iter().map(Status::verdict)))
    }
}

/// What is known of a commit in its repository.
#[derive(Clone, Copy)]
pub(super) struct Commit<'a, T> {
    pub(super) repository: &'a Repository,
    pub(super) sha: &'a str,
    pub(super) item: T,
}

#[derive(Serialize)]
struct Suite {
    id: u64,
}

struct Output<'a>(&'a str);

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "title": (),
            "summary": (),
            "text": (),
            "annotations_count": 0,
            "annotations_url": text!("{}/annotations", self.0),
        });
        map.end()
    }
}

impl Serialize for Seen<'_, Commit<'_, &CheckRun>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Commit { repository, sha, item: run } = self.item;
        let url = format!("{}/check-runs/{}", repository.url(self.view), run.id);
        let html = format!("{WEB}/{}/runs/{}", repository.full_name(self.view.hub), run.id);
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "id": run.id,
            "name": run.name,
            "node_id": node("CR", &[repository.id, run.id]),
            "head_sha": sha,
            "external_id": "",
            "url": url,
            "html_url": html,
            "details_url": html,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": Time(run.started),
            "completed_at": run.completed.map(Time),
            "output": Output(&url),
            "check_suite": Suite { id: run.id + 1 },
            "app": App("github-actions"),
            "pull_requests": [(); 0],
        });
        map.end()
    }
}

impl Serialize for Seen<'_, Commit<'_, &Status>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Commit { repository, sha, item: status } = self.item;
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "url": text!("{}/statuses/{sha}", repository.url(self.view)),
            "avatar_url": "https://avatars.githubusercontent.com/oa/1?v=4",
            "id": status.id,
            "node_id": node("SC", &[repository.id, status.id]),
            "state": status.state,
            "description": status.description,
            "target_url": (),
            "context": status.context,
            "created_at": Time(status.created),
            "updated_at": Time(status.created),
        });
        map.end()
    }
}

/// The statuses of a commit together.
pub(super) struct Combined<'a> {
    pub(super) statuses: Vec<&'a Status>,
    /// How many there are on all pages, and what they say together.
    pub(super) total: usize,
    pub(super) verdict: Option<Verdict>,
}

impl Serialize for Seen<'_, Commit<'_, &Combined<'_>>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Commit { repository, sha, item: combined } = self.item;
        let url = format!("{}/commits/{sha}", repository.url(self.view));
        let state = match combined.verdict {
            Some(Verdict::Success) => "success",
            Some(Verdict::Failure) => "failure",
            Some(Verdict::Pending) | None => "pending",
        };
        let statuses = combined.statuses.iter().map(|status| Commit { repository, sha, item: *status });
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "state": state,
            "statuses": self.view.list(statuses),
            "sha": sha,
            "total_count": combined.total,
            "repository": self.view.show(Minimal(repository)),
            "commit_url": url,
            "url": text!("{url}/status"),
        });
        map.end()
    }
}
