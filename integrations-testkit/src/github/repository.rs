//! What is a repository, and how is it shown?

use std::borrow::Cow;
use std::collections::HashMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::check::Checks;
use super::hub::Hub;
use super::ids::node;
use super::json::{Time, entries, text};
use super::label::{Label, Milestone};
use super::tracker::Tracker;
use super::user::{Sort, UserKey};
use super::view::{Seen, Version, View, WEB};

/// One repository.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the repository that GitHub shows")]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) owner: UserKey,
    pub(super) name: String,
    /// The full names that it had before.
    pub(super) former: Vec<String>,
    pub(super) description: Option<String>,
    pub(super) private: bool,
    pub(super) archived: bool,
    pub(super) fork: bool,
    pub(super) has_issues: bool,
    /// Which accounts it belongs to in some way; `None`: all of them.
    pub(super) members: Option<Vec<UserKey>>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) pushed: i64,
    pub(super) labels: Vec<Label>,
    pub(super) milestones: Vec<Milestone>,
    pub(super) tracker: Tracker,
    /// By the name of the commit.
    pub(super) checks: HashMap<String, Checks>,
    /// What a test says that the fake does not know.
    pub(super) patch: Option<Value>,
}

pub(super) const BRANCH: &str = "main";

/// Addresses of a repository's, behind its own.
const LINKS: &[(&str, &str)] = &[
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
];

impl Repository {
    pub(super) fn full_name(&self, hub: &Hub) -> String {
        format!("{}/{}", hub.roster.get(self.owner).login, self.name)
    }

    /// Its address in the API.
    pub(super) fn url(&self, view: View<'_>) -> String {
        format!("{}/repos/{}/{}", view.api, view.hub.roster.get(self.owner).login, self.name)
    }

    pub(super) fn node_id(&self) -> String {
        node("R", &[self.id])
    }

    /// Whether an account is its owner, a collaborator or a member of the organization.
    pub(super) fn has_member(&self, account: UserKey) -> bool {
        self.owner == account || self.members.as_ref().is_none_or(|members| members.contains(&account))
    }

    pub(super) fn label(&self, id: u64) -> Option<&Label> {
        self.labels.iter().find(|label| label.id == id)
    }

    pub(super) fn label_named(&self, name: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn milestone(&self, number: u64) -> Option<&Milestone> {
        self.milestones.iter().find(|milestone| milestone.number == number)
    }

    /// What machines say about a commit; `None` when there is no such commit.
    pub(super) fn checks_of(&self, sha: &str) -> Option<Cow<'_, Checks>> {
        let kept = self.checks.get(sha).map(Cow::Borrowed);
        kept.or_else(|| self.tracker.generated_checks(sha).map(Cow::Owned))
    }

    /// How many open and closed issues a milestone has.
    pub(super) fn milestone_counts(&self, number: u64) -> (u64, u64) {
        self.tracker.milestone_counts(number)
    }

    /// How the author of something belongs to the repository.
    pub(super) fn association(&self, hub: &Hub, author: Option<UserKey>) -> &'static str {
        let Some(author) = author else { return "NONE" };
        let of_organization = hub.roster.get(self.owner).sort == Sort::Organization;
        if author == self.owner {
            "OWNER"
        } else if hub.accounts.contains(&author) && self.has_member(author) {
            if of_organization { "MEMBER" } else { "COLLABORATOR" }
        } else if hub.roster.get(author).id.is_multiple_of(3) {
            "NONE"
        } else {
            "CONTRIBUTOR"
        }
    }

    /// What every object of a repository has.
    fn write_minimal<M: SerializeMap>(&self, view: View<'_>, map: &mut M) -> Result<(), M::Error> {
        let (full_name, url) = (self.full_name(view.hub), self.url(view));
        entries!(map, {
            "id": self.id,
            "node_id": self.node_id(),
            "name": self.name,
            "full_name": full_name,
            "private": self.private,
            "owner": view.user(Some(self.owner)),
            "html_url": text!("{WEB}/{full_name}"),
            "description": self.description,
            "fork": self.fork,
            "url": url,
        });
        for (name, rest) in LINKS {
            map.serialize_entry(name, &text!("{url}{rest}"))?;
        }
        Ok(())
    }

    fn write_listed<M: SerializeMap>(&self, view: View<'_>, map: &mut M) -> Result<(), M::Error> {
        let full_name = self.full_name(view.hub);
        let open = self.tracker.open();
        self.write_minimal(view, map)?;
        entries!(map, {
            "created_at": Time(self.created),
            "updated_at": Time(self.updated),
            "pushed_at": Time(self.pushed),
            "git_url": text!("git://github.com/{full_name}.git"),
            "ssh_url": text!("git@github.com:{full_name}.git"),
            "clone_url": text!("{WEB}/{full_name}.git"),
            "svn_url": text!("{WEB}/{full_name}"),
            "homepage": (),
            "size": 108,
            "stargazers_count": 0,
            "watchers_count": 0,
            "language": "Rust",
            "has_issues": self.has_issues,
            "has_projects": true,
        });
        if view.version == Version::V2022 {
            map.serialize_entry("has_downloads", &true)?;
        }
        entries!(map, {
            "has_wiki": true,
            "has_pages": false,
            "has_discussions": false,
            "forks_count": 0,
            "mirror_url": (),
            "archived": self.archived,
            "disabled": false,
            "open_issues_count": open,
            "license": (),
            "allow_forking": true,
            "is_template": false,
            "web_commit_signoff_required": false,
            "topics": [(); 0],
            "visibility": if self.private { "private" } else { "public" },
            "forks": 0,
            "open_issues": open,
            "watchers": 0,
            "default_branch": BRANCH,
            "permissions": Rights::of(self.members.as_ref().is_none_or(|members| !members.is_empty())),
        });
        Ok(())
    }
}

/// What those may do who see it.
#[derive(Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a right that GitHub shows")]
struct Rights {
    admin: bool,
    maintain: bool,
    push: bool,
    triage: bool,
    pull: bool,
}

impl Rights {
    const fn of(member: bool) -> Self {
        Self { admin: false, maintain: false, push: member, triage: member, pull: true }
    }
}

/// A repository in short, as a notification has it.
#[derive(Clone, Copy)]
pub(super) struct Minimal<'a>(pub(super) &'a Repository);

impl Serialize for Seen<'_, Minimal<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.item.0.write_minimal(self.view, &mut map)?;
        map.end()
    }
}

/// A repository as listings have it.
impl Serialize for Seen<'_, &Repository> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.item.write_listed(self.view, &mut map)?;
        map.end()
    }
}

/// A repository with all there is of it.
pub(super) struct Whole<'a>(pub(super) &'a Repository);

impl Serialize for Seen<'_, Whole<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let repository = self.item.0;
        let mut map = serializer.serialize_map(None)?;
        repository.write_listed(self.view, &mut map)?;
        entries!(map, {
            "temp_clone_token": "",
            "allow_squash_merge": true,
            "allow_merge_commit": true,
            "allow_rebase_merge": true,
            "allow_auto_merge": false,
            "delete_branch_on_merge": false,
            "allow_update_branch": false,
            "use_squash_pr_title_as_default": false,
        });
        if self.view.hub.roster.get(repository.owner).sort == Sort::Organization {
            map.serialize_entry("organization", &self.view.user(Some(repository.owner)))?;
        }
        entries!(map, {"network_count": 0, "subscribers_count": 1});
        map.end()
    }
}
