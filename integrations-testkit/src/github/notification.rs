//! What is a user told of, and how is it shown?

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::json::{Time, entries, text};
use super::repository::{Minimal, Repository};
use super::view::{Seen, View};

/// A thread of notifications. They are the first account's.
#[derive(Debug, Clone)]
pub(super) struct Notification {
    pub(super) id: u64,
    pub(super) repository: u64,
    /// The number of the issue or pull request.
    pub(super) number: u64,
    pub(super) reason: String,
    pub(super) unread: bool,
    pub(super) updated: i64,
    pub(super) last_read: Option<i64>,
    /// The comment that it is about.
    pub(super) comment: Option<u64>,
    pub(super) patch: Option<Value>,
}

/// Reasons that come of watching a repository, and not of taking part.
const ONLY_WATCHING: &[&str] = &["subscribed", "ci_activity", "security_alert"];

impl Notification {
    pub(super) fn participates(&self) -> bool {
        !ONLY_WATCHING.contains(&self.reason.as_str())
    }
}

struct Subject<'a>(View<'a>, &'a Repository, &'a Notification);

impl Serialize for Subject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(view, repository, Notification { number, comment, .. }) = self;
        let issue = repository.tracker.issue(*number);
        let (base, pull) = (repository.url(*view), issue.as_ref().is_some_and(|issue| issue.pull.is_some()));
        let url = format!("{base}/{}/{number}", if pull { "pulls" } else { "issues" });
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {"title": issue.as_ref().map(|issue| &issue.title), "url": url});
        match comment {
            Some(id) => map.serialize_entry("latest_comment_url", &text!("{base}/issues/comments/{id}"))?,
            None => map.serialize_entry("latest_comment_url", &url)?,
        }
        map.serialize_entry("type", if pull { "PullRequest" } else { "Issue" })?;
        map.end()
    }
}

impl Serialize for Seen<'_, (&Repository, &Notification)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (repository, notification) = self.item;
        let (id, api) = (notification.id, self.view.api);
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "id": text!("{id}"),
            "unread": notification.unread,
            "reason": notification.reason,
            "updated_at": Time(notification.updated),
            "last_read_at": notification.last_read.map(Time),
            "subject": Subject(self.view, repository, notification),
            "repository": self.view.show(Minimal(repository)),
            "url": text!("{api}/notifications/threads/{id}"),
            "subscription_url": text!("{api}/notifications/threads/{id}/subscription"),
        });
        map.end()
    }
}
