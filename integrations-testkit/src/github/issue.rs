//! What is an issue, and how is it shown?
//!
//! A pull request is an issue too: they share their numbers, and the listings of issues have both. As an
//! issue it has another id than as a pull request.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::body::Body;
use super::ids::node;
use super::json::{Time, entries, text};
use super::pull::Pull;
use super::repository::Repository;
use super::user::UserKey;
use super::view::{Seen, View, WEB};

/// Why an issue was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Completed,
    NotPlanned,
    Duplicate,
}

impl Reason {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NotPlanned => "not_planned",
            Self::Duplicate => "duplicate",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Completed, Self::NotPlanned, Self::Duplicate].into_iter().find(|reason| reason.name() == name)
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Closed {
    pub(super) at: i64,
    pub(super) by: Option<UserKey>,
    /// A pull request has none.
    pub(super) reason: Option<Reason>,
}

/// Counts of the eight reactions, in GitHub's order.
pub(super) type Reactions = [u32; 8];

const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];

/// Which of the reactions this is.
pub(super) fn reaction(name: &str) -> Option<usize> {
    REACTIONS.iter().position(|known| *known == name)
}

#[derive(Debug, Clone)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) author: Option<UserKey>,
    pub(super) closed: Option<Closed>,
    pub(super) reopened: bool,
    pub(super) labels: Vec<u64>,
    pub(super) assignees: Vec<UserKey>,
    pub(super) milestone: Option<u64>,
    pub(super) locked: bool,
    pub(super) lock_reason: Option<String>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) reactions: Reactions,
    /// The app that acted for the author.
    pub(super) app: Option<String>,
    pub(super) pull: Option<Box<Pull>>,
    /// What a test says that the fake does not know.
    pub(super) patch: Option<Value>,
}

impl Issue {
    pub(super) fn node_id(&self, repository: &Repository) -> String {
        match &self.pull {
            Some(pull) => node("PR", &[repository.id, pull.id]),
            None => node("I", &[repository.id, self.id]),
        }
    }

    pub(super) const fn state(&self) -> &'static str {
        if self.closed.is_some() { "closed" } else { "open" }
    }

    pub(super) fn state_reason(&self) -> Option<&'static str> {
        match &self.closed {
            Some(closed) => closed.reason.map(Reason::name),
            None => self.reopened.then_some("reopened"),
        }
    }

    /// The part of an address that people look at.
    pub(super) const fn path(&self) -> &'static str {
        if self.pull.is_some() { "pull" } else { "issues" }
    }
}

/// Reactions, with the address of what they are to.
pub(super) struct Reacted<'a>(pub(super) &'a str, pub(super) Reactions);

impl Serialize for Reacted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(url, counts) = self;
        let mut map = serializer.serialize_map(None)?;
        let total: u32 = counts.iter().sum();
        entries!(map, {"url": text!("{url}/reactions"), "total_count": total});
        for (name, count) in REACTIONS.iter().zip(counts) {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}

/// The app that acted for somebody.
pub(super) struct App<'a>(pub(super) &'a str);

impl Serialize for App<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let slug = self.0;
        let id = crate::random::hash_text(slug) % 900_000 + 100_000;
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "id": id,
            "client_id": text!("Iv1.{:016x}", crate::random::hash_text(slug)),
            "slug": slug,
            "node_id": node("A", &[id]),
            "owner": (),
            "name": slug,
            "description": "",
            "external_url": text!("https://{slug}.example"),
            "html_url": text!("{WEB}/apps/{slug}"),
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
            "permissions": std::collections::BTreeMap::from([("issues", "write"), ("metadata", "read")]),
            "events": ["issues"],
        });
        map.end()
    }
}

/// Where a pull request is, as an issue says it.
struct PullLinks<'a>(View<'a>, &'a Repository, u64, &'a Pull);

impl Serialize for PullLinks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(view, repository, number, pull) = self;
        let html = format!("{WEB}/{}/pull/{number}", repository.full_name(view.hub));
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "url": text!("{}/pulls/{number}", repository.url(*view)),
            "html_url": html,
            "diff_url": text!("{html}.diff"),
            "patch_url": text!("{html}.patch"),
            "merged_at": pull.merged.map(|merged| Time(merged.at)),
        });
        map.end()
    }
}

#[derive(Serialize)]
struct SubIssues {
    total: u32,
    completed: u32,
    percent_completed: u32,
}

#[derive(Serialize)]
struct Dependencies {
    blocked_by: u32,
    total_blocked_by: u32,
    blocking: u32,
    total_blocking: u32,
}

/// An issue in its repository.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) repository: &'a Repository,
    pub(super) issue: &'a Issue,
    /// Whether it is shown alone, with all there is of it.
    pub(super) whole: bool,
}

impl Serialize for Seen<'_, Found<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Found { repository, issue, whole } = self.item;
        let view = self.view;
        let base = repository.url(view);
        let url = format!("{base}/issues/{}", issue.number);
        let mut map = serializer.serialize_map(None)?;
        let labels: Vec<_> = issue.labels.iter().filter_map(|&id| repository.label(id)).collect();
        let milestone = issue.milestone.and_then(|number| repository.milestone(number));
        let first = issue.assignees.iter().copied().find(|&user| !view.hub.roster.get(user).gone);
        entries!(map, {
            "url": url,
            "repository_url": base,
            "labels_url": text!("{url}/labels{{/name}}"),
            "comments_url": text!("{url}/comments"),
            "events_url": text!("{url}/events"),
            "html_url": text!("{WEB}/{}/{}/{}", repository.full_name(view.hub), issue.path(), issue.number),
            "id": issue.id,
            "node_id": issue.node_id(repository),
            "number": issue.number,
            "title": issue.title,
            "user": view.user(issue.author),
            "labels": view.list(labels.into_iter().map(|label| (repository, label))),
            "state": issue.state(),
            "locked": issue.locked,
            "assignee": view.user(first),
            "assignees": view.users(&issue.assignees),
            "milestone": milestone.map(|milestone| view.show((repository, milestone))),
            "comments": repository.tracker.comment_count(issue.number),
            "created_at": Time(issue.created),
            "updated_at": Time(issue.updated),
            "closed_at": issue.closed.map(|closed| Time(closed.at)),
            "author_association": repository.association(view.hub, issue.author),
            "type": (),
            "active_lock_reason": issue.lock_reason,
        });
        if let Some(pull) = &issue.pull {
            let links = PullLinks(view, repository, issue.number, pull);
            entries!(map, {"draft": pull.draft, "pull_request": links});
        } else {
            let none = SubIssues { total: 0, completed: 0, percent_completed: 0 };
            let free = Dependencies { blocked_by: 0, total_blocked_by: 0, blocking: 0, total_blocking: 0 };
            entries!(map, {"sub_issues_summary": none, "issue_dependencies_summary": free});
        }
        Body(issue.body.as_deref()).write(view.media, &mut map)?;
        if whole {
            map.serialize_entry("closed_by", &view.user(issue.closed.and_then(|closed| closed.by)))?;
        }
        entries!(map, {
            "reactions": Reacted(&url, issue.reactions),
            "timeline_url": text!("{url}/timeline"),
            "performed_via_github_app": issue.app.as_deref().map(App),
            "state_reason": issue.state_reason(),
        });
        map.end()
    }
}
