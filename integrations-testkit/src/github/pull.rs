//! What has a pull request that an issue has not, and how is it shown?

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::body::Body;
use super::issue::Issue;
use super::json::{Time, entries, text};
use super::repository::Repository;
use super::user::UserKey;
use super::view::{Seen, Version, View, WEB};

/// One end of a pull request. Both are in the same repository.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) sha: String,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Merged {
    pub(super) at: i64,
    pub(super) by: Option<UserKey>,
}

#[derive(Debug, Clone)]
pub(super) struct Pull {
    pub(super) id: u64,
    pub(super) head: Branch,
    pub(super) base: Branch,
    pub(super) draft: bool,
    pub(super) merged: Option<Merged>,
    pub(super) merge_sha: Option<String>,
    pub(super) reviewers: Vec<UserKey>,
    pub(super) commits: u32,
    pub(super) additions: u32,
    pub(super) deletions: u32,
    pub(super) changed_files: u32,
}

struct Ended<'a>(View<'a>, &'a Repository, &'a Branch);

impl Serialize for Ended<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(view, repository, branch) = self;
        let owner = &view.hub.roster.get(repository.owner).login;
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "label": text!("{owner}:{}", branch.name),
            "ref": branch.name,
            "sha": branch.sha,
            "user": view.user(Some(repository.owner)),
            "repo": view.show(*repository),
        });
        map.end()
    }
}

/// Links by their name and what they lead to.
pub(super) struct Links<'a, const N: usize>(pub(super) [(&'static str, super::json::Text<'a>); N]);

#[derive(Serialize)]
struct Href<'a, 'b> {
    href: &'b super::json::Text<'a>,
}

impl<const N: usize> Serialize for Links<'_, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, href)| (name, Href { href })))
    }
}

/// A pull request in its repository.
#[derive(Clone, Copy)]
pub(super) struct FoundPull<'a> {
    pub(super) repository: &'a Repository,
    pub(super) issue: &'a Issue,
    pub(super) pull: &'a Pull,
    /// Whether it is shown alone, with all there is of it.
    pub(super) whole: bool,
}

impl Serialize for Seen<'_, FoundPull<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let FoundPull { repository, issue, pull, whole } = self.item;
        let view = self.view;
        let (base, number) = (repository.url(view), issue.number);
        let (url, of_issue) = (format!("{base}/pulls/{number}"), format!("{base}/issues/{number}"));
        let html = format!("{WEB}/{}/pull/{number}", repository.full_name(view.hub));
        let sha = &pull.head.sha;
        let labels: Vec<_> = issue.labels.iter().filter_map(|&id| repository.label(id)).collect();
        let milestone = issue.milestone.and_then(|number| repository.milestone(number));
        let first = issue.assignees.iter().copied().find(|&user| !view.hub.roster.get(user).gone);
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "url": url,
            "id": pull.id,
            "node_id": issue.node_id(repository),
            "html_url": html,
            "diff_url": text!("{html}.diff"),
            "patch_url": text!("{html}.patch"),
            "issue_url": of_issue,
            "number": number,
            "state": issue.state(),
            "locked": issue.locked,
            "title": issue.title,
            "user": view.user(issue.author),
        });
        Body(issue.body.as_deref()).write(view.media, &mut map)?;
        entries!(map, {
            "created_at": Time(issue.created),
            "updated_at": Time(issue.updated),
            "closed_at": issue.closed.map(|closed| Time(closed.at)),
            "merged_at": pull.merged.map(|merged| Time(merged.at)),
        });
        if view.version == Version::V2022 {
            map.serialize_entry("merge_commit_sha", &pull.merge_sha)?;
        }
        entries!(map, {
            "assignee": view.user(first),
            "assignees": view.users(&issue.assignees),
            "requested_reviewers": view.users(&pull.reviewers),
            "requested_teams": [(); 0],
            "labels": view.list(labels.into_iter().map(|label| (repository, label))),
            "milestone": milestone.map(|milestone| view.show((repository, milestone))),
            "draft": pull.draft,
            "commits_url": text!("{url}/commits"),
            "review_comments_url": text!("{url}/comments"),
            "review_comment_url": text!("{base}/pulls/comments{{/number}}"),
            "comments_url": text!("{of_issue}/comments"),
            "statuses_url": text!("{base}/statuses/{sha}"),
            "head": Ended(view, repository, &pull.head),
            "base": Ended(view, repository, &pull.base),
            "_links": Links([
                ("self", text!("{url}")),
                ("html", text!("{html}")),
                ("issue", text!("{of_issue}")),
                ("comments", text!("{of_issue}/comments")),
                ("review_comments", text!("{url}/comments")),
                ("review_comment", text!("{base}/pulls/comments{{/number}}")),
                ("commits", text!("{url}/commits")),
                ("statuses", text!("{base}/statuses/{sha}")),
            ]),
            "author_association": repository.association(view.hub, issue.author),
            "auto_merge": (),
            "active_lock_reason": issue.lock_reason,
        });
        if whole {
            let open = issue.closed.is_none();
            entries!(map, {
                "merged": pull.merged.is_some(),
                "mergeable": open.then_some(true),
                "rebaseable": open.then_some(true),
                "mergeable_state": if open { "clean" } else { "unknown" },
                "merged_by": view.user(pull.merged.and_then(|merged| merged.by)),
                "comments": repository.tracker.comment_count(number),
                "review_comments": repository.tracker.review_comments_of(number).count(),
                "maintainer_can_modify": false,
                "commits": pull.commits,
                "additions": pull.additions,
                "deletions": pull.deletions,
                "changed_files": pull.changed_files,
            });
        }
        map.end()
    }
}
