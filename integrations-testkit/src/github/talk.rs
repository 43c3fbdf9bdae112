//! What do people say about issues and pull requests, and how is it shown?

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::body::Body;
use super::ids::node;
use super::issue::{App, Reacted, Reactions};
use super::json::{Time, entries, text};
use super::pull::Links;
use super::repository::Repository;
use super::user::UserKey;
use super::view::{Seen, WEB};

/// A comment on an issue, or on a pull request as an issue.
#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) issue: u64,
    pub(super) author: Option<UserKey>,
    pub(super) body: String,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) reactions: Reactions,
    pub(super) app: Option<String>,
    pub(super) patch: Option<Value>,
}

impl Serialize for Seen<'_, (&Repository, &Comment)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (repository, comment) = self.item;
        let (base, view) = (repository.url(self.view), self.view);
        let url = format!("{base}/issues/comments/{}", comment.id);
        let path = repository.tracker.issue(comment.issue).map_or("issues", |issue| issue.path());
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "url": url,
            "html_url": text!(
                "{WEB}/{}/{path}/{}#issuecomment-{}",
                repository.full_name(view.hub), comment.issue, comment.id
            ),
            "issue_url": text!("{base}/issues/{}", comment.issue),
            "id": comment.id,
            "node_id": node("IC", &[repository.id, comment.id]),
            "user": view.user(comment.author),
            "created_at": Time(comment.created),
            "updated_at": Time(comment.updated),
        });
        Body(Some(&comment.body)).write(view.media, &mut map)?;
        entries!(map, {
            "author_association": repository.association(view.hub, comment.author),
            "reactions": Reacted(&url, comment.reactions),
            "performed_via_github_app": comment.app.as_deref().map(App),
        });
        map.end()
    }
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Approved,
    ChangesRequested,
    Commented,
    Dismissed,
}

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::ChangesRequested => "CHANGES_REQUESTED",
            Self::Commented => "COMMENTED",
            Self::Dismissed => "DISMISSED",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::Approved, Self::ChangesRequested, Self::Commented, Self::Dismissed];
        all.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// A review of a pull request.
#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) id: u64,
    pub(super) pull: u64,
    pub(super) author: Option<UserKey>,
    pub(super) body: String,
    pub(super) verdict: Verdict,
    pub(super) submitted: i64,
    pub(super) sha: String,
    pub(super) patch: Option<Value>,
}

impl Serialize for Seen<'_, (&Repository, &Review)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (repository, review) = self.item;
        let (view, pull) = (self.view, review.pull);
        let url = format!("{}/pulls/{pull}", repository.url(view));
        let html =
            format!("{WEB}/{}/pull/{pull}#pullrequestreview-{}", repository.full_name(view.hub), review.id);
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "id": review.id,
            "node_id": node("PRR", &[repository.id, review.id]),
            "user": view.user(review.author),
        });
        Body(Some(&review.body)).write(view.media, &mut map)?;
        entries!(map, {
            "state": review.verdict.name(),
            "html_url": html,
            "pull_request_url": url,
            "author_association": repository.association(view.hub, review.author),
            "_links": Links([("html", text!("{html}")), ("pull_request", text!("{url}"))]),
            "submitted_at": Time(review.submitted),
            "commit_id": review.sha,
        });
        map.end()
    }
}

/// A comment on a line of a pull request.
#[derive(Debug, Clone)]
pub(super) struct ReviewComment {
    pub(super) id: u64,
    pub(super) pull: u64,
    pub(super) review: Option<u64>,
    pub(super) in_reply_to: Option<u64>,
    pub(super) author: Option<UserKey>,
    pub(super) body: String,
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) sha: String,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) reactions: Reactions,
    pub(super) patch: Option<Value>,
}

impl Serialize for Seen<'_, (&Repository, &ReviewComment)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (repository, comment) = self.item;
        let (view, base, pull) = (self.view, repository.url(self.view), comment.pull);
        let url = format!("{base}/pulls/comments/{}", comment.id);
        let html = format!("{WEB}/{}/pull/{pull}#discussion_r{}", repository.full_name(view.hub), comment.id);
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "url": url,
            "pull_request_review_id": comment.review,
            "id": comment.id,
            "node_id": node("PRRC", &[repository.id, comment.id]),
            "diff_hunk": "@@ -1 +1 @@\n-# Hello",
            "path": comment.path,
            "position": 1,
            "original_position": 1,
            "commit_id": comment.sha,
            "original_commit_id": comment.sha,
            "user": view.user(comment.author),
        });
        Body(Some(&comment.body)).write(view.media, &mut map)?;
        entries!(map, {
            "created_at": Time(comment.created),
            "updated_at": Time(comment.updated),
            "html_url": html,
            "pull_request_url": text!("{base}/pulls/{pull}"),
            "author_association": repository.association(view.hub, comment.author),
            "_links": Links([
                ("self", text!("{url}")),
                ("html", text!("{html}")),
                ("pull_request", text!("{base}/pulls/{pull}")),
            ]),
            "reactions": Reacted(&url, comment.reactions),
            "start_line": (),
            "original_start_line": (),
            "start_side": (),
            "line": comment.line,
            "original_line": comment.line,
            "side": "RIGHT",
            "subject_type": "line",
        });
        if let Some(parent) = comment.in_reply_to {
            map.serialize_entry("in_reply_to_id", &parent)?;
        }
        map.end()
    }
}
