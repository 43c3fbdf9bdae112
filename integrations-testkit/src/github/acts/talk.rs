//! What may a test say?

use serde_json::Value;

use super::repositories::add_patch;
use super::{FakeGitHub, Given, author, issue, repository};
use crate::github::hub::Hub;
use crate::github::layer::{By, Order};
use crate::github::talk::{Comment, ReviewComment};

/// Something happens to what belongs to an issue, so it is updated.
fn update(hub: &mut Hub, id: u64, number: u64, now: i64) {
    let repository = repository(hub, id);
    let mut issue = issue(repository, number);
    issue.updated = now;
    repository.tracker.put(issue);
}

const OLDEST_FIRST: Order = Order { by: By::Created, descending: false };

/// Comments on issues and pull requests. Methods that name one panic when there is none.
impl FakeGitHub {
    /// Somebody comments on an issue or a pull request, which is updated by that: `body`, `user` (by default
    /// the first account), `app`. Returns the comment's number.
    ///
    /// # Panics
    /// When there is no such issue or user, or for a field that the fake does not know.
    pub fn comment(&self, full_name: &str, number: u64, new: Value) -> u64 {
        let mut given = Given::new("a comment", new);
        let comment_id = self.write(full_name, |hub, id, now| {
            update(hub, id, number, now);
            let comment = Comment {
                id: hub.fresh_id(),
                issue: number,
                author: Some(author(hub, given.text("user").as_ref())),
                body: given.text("body").unwrap_or_default(),
                created: now,
                updated: now,
                reactions: [0; 8],
                app: given.text("app"),
                patch: None,
            };
            let comment_id = comment.id;
            repository(hub, id).tracker.put_comment(comment);
            comment_id
        });
        given.end();
        comment_id
    }

    fn comment_of(&self, full_name: &str, comment_id: u64) -> Comment {
        let found = self.read(full_name, |_, repository| repository.tracker.comment_owned(comment_id));
        found.unwrap_or_else(|| panic!("no comment {comment_id} in {full_name:?}"))
    }

    /// Edits a comment; its issue is updated by that.
    pub fn edit_comment(&self, full_name: &str, comment_id: u64, body: &str) {
        let mut comment = self.comment_of(full_name, comment_id);
        self.write(full_name, |hub, id, now| {
            update(hub, id, comment.issue, now);
            body.clone_into(&mut comment.body);
            comment.updated = now;
            repository(hub, id).tracker.put_comment(comment);
        });
    }

    /// Deletes a comment: it leaves no trace, and its issue keeps the time of its update.
    pub fn delete_comment(&self, full_name: &str, comment_id: u64) {
        self.comment_of(full_name, comment_id);
        self.change(full_name, |repository, _| repository.tracker.delete_comment(comment_id));
    }

    /// Merges a patch into what is shown of a comment: null removes a field. That is no update.
    pub fn patch_comment(&self, full_name: &str, comment_id: u64, patch: Value) {
        let mut comment = self.comment_of(full_name, comment_id);
        add_patch(&mut comment.patch, patch);
        self.change(full_name, |repository, _| repository.tracker.put_comment(comment));
    }

    /// Serves this text as a comment of `issues.listCommentsForRepo`, as it is, updated now.
    pub fn raw_comment(&self, full_name: &str, raw_json_text: &str) {
        self.write(full_name, |hub, id, now| {
            let comment_id = hub.fresh_id();
            repository(hub, id).tracker.raw_comment(comment_id, raw_json_text, now);
        });
    }

    /// A comment as GitHub shows it; `None` when it is not there.
    pub fn comment_object(&self, full_name: &str, comment_id: u64) -> Option<Value> {
        self.shown(full_name, |view, repository, out| view.put_served_comment(repository, comment_id, out))
    }

    /// The numbers of all comments on issues and pull requests of a repository, in their order.
    pub fn comment_ids(&self, full_name: &str) -> Vec<u64> {
        self.read(full_name, |_, repository| {
            let keys = repository.tracker.comments(OLDEST_FIRST, None).map(|key| key.id);
            keys.filter(|&id| repository.tracker.comment_owned(id).is_some()).collect()
        })
    }

    /// The numbers of an issue's comments, in their order.
    pub fn comment_ids_of(&self, full_name: &str, number: u64) -> Vec<u64> {
        self.read(full_name, |_, repository| repository.tracker.comments_of(number).collect())
    }
}

/// Comments on lines of pull requests. Methods that name one panic when there is none.
impl FakeGitHub {
    /// Somebody comments on a line of a pull request, which is updated by that: `body`, `user`, `path`, `line`,
    /// `in_reply_to` (another such comment), `review` (the review that it belongs to). Returns the comment's
    /// number.
    ///
    /// # Panics
    /// When there is no such pull request or user, or for a field that the fake does not know.
    pub fn review_comment(&self, full_name: &str, number: u64, new: Value) -> u64 {
        let mut given = Given::new("a review comment", new);
        let sha = self.head_sha(full_name, number);
        let comment_id = self.write(full_name, |hub, id, now| {
            update(hub, id, number, now);
            let comment = ReviewComment {
                id: hub.fresh_id(),
                pull: number,
                review: given.number("review"),
                in_reply_to: given.number("in_reply_to"),
                author: Some(author(hub, given.text("user").as_ref())),
                body: given.text("body").unwrap_or_default(),
                path: given.text("path").unwrap_or_else(|| "README.md".to_owned()),
                line: given.number("line").and_then(|line| u32::try_from(line).ok()).unwrap_or(1),
                sha,
                created: now,
                updated: now,
                reactions: [0; 8],
                patch: None,
            };
            let comment_id = comment.id;
            repository(hub, id).tracker.put_review_comment(comment);
            comment_id
        });
        given.end();
        comment_id
    }

    fn review_comment_of(&self, full_name: &str, comment_id: u64) -> ReviewComment {
        let found = self.read(full_name, |_, repository| repository.tracker.review_comment_owned(comment_id));
        found.unwrap_or_else(|| panic!("no review comment {comment_id} in {full_name:?}"))
    }

    /// Edits such a comment; its pull request is updated by that.
    pub fn edit_review_comment(&self, full_name: &str, comment_id: u64, body: &str) {
        let mut comment = self.review_comment_of(full_name, comment_id);
        self.write(full_name, |hub, id, now| {
            update(hub, id, comment.pull, now);
            body.clone_into(&mut comment.body);
            comment.updated = now;
            repository(hub, id).tracker.put_review_comment(comment);
        });
    }

    /// Deletes such a comment without a trace.
    pub fn delete_review_comment(&self, full_name: &str, comment_id: u64) {
        self.review_comment_of(full_name, comment_id);
        self.change(full_name, |repository, _| repository.tracker.delete_review_comment(comment_id));
    }

    /// Serves this text as a comment of `pulls.listReviewCommentsForRepo`, as it is, updated now.
    pub fn raw_review_comment(&self, full_name: &str, raw_json_text: &str) {
        self.write(full_name, |hub, id, now| {
            let comment_id = hub.fresh_id();
            repository(hub, id).tracker.raw_review_comment(comment_id, raw_json_text, now);
        });
    }

    /// Such a comment as GitHub shows it; `None` when it is not there.
    pub fn review_comment_object(&self, full_name: &str, comment_id: u64) -> Option<Value> {
        self.shown(full_name, |view, repository, out| view.put_review_comment(repository, comment_id, out))
    }

    /// The numbers of all such comments of a repository, in their order.
    pub fn review_comment_ids(&self, full_name: &str) -> Vec<u64> {
        self.read(full_name, |_, repository| {
            let keys = repository.tracker.review_comments(OLDEST_FIRST, None).map(|key| key.id);
            keys.filter(|&id| repository.tracker.review_comment_owned(id).is_some()).collect()
        })
    }
}
