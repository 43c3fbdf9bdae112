//! How does an object get into an answer, with what a test said about it?

use serde::Serialize;
use serde_json::Value;

use super::issue::{Found, Issue};
use super::layer::Served;
use super::paging::write;
use super::pull::FoundPull;
use super::repository::{Repository, Whole};
use super::talk::Comment;
use super::view::View;
use crate::patch::merge;

/// Writes an object, with a patch merged in if there is one.
pub(super) fn patched(object: &impl Serialize, patch: Option<&Value>, out: &mut Vec<u8>) {
    let Some(patch) = patch else { return write(object, out) };
    let mut value = serde_json::to_value(object).unwrap_or_default();
    merge(&mut value, patch.clone());
    write(&value, out);
}

impl View<'_> {
    pub(super) fn put_repository(self, repository: &Repository, whole: bool, out: &mut Vec<u8>) {
        let patch = repository.patch.as_ref();
        if whole {
            patched(&self.show(Whole(repository)), patch, out);
        } else {
            patched(&self.show(repository), patch, out);
        }
    }

    pub(super) fn put_issue(self, repository: &Repository, issue: &Issue, whole: bool, out: &mut Vec<u8>) {
        patched(&self.show(Found { repository, issue, whole }), issue.patch.as_ref(), out);
    }

    /// Nothing for what is no pull request.
    pub(super) fn put_pull(self, repository: &Repository, issue: &Issue, whole: bool, out: &mut Vec<u8>) {
        if let Some(pull) = &issue.pull {
            patched(&self.show(FoundPull { repository, issue, pull, whole }), issue.patch.as_ref(), out);
        }
    }

    pub(super) fn put_served_issue(self, repository: &Repository, number: u64, out: &mut Vec<u8>) {
        match repository.tracker.served(number) {
            Some(Served::Item(issue)) => self.put_issue(repository, &issue, false, out),
            Some(Served::Raw(text)) => out.extend_from_slice(text.as_bytes()),
            None => {}
        }
    }

    pub(super) fn put_comment(self, repository: &Repository, comment: &Comment, out: &mut Vec<u8>) {
        patched(&self.show((repository, comment)), comment.patch.as_ref(), out);
    }

    pub(super) fn put_served_comment(self, repository: &Repository, id: u64, out: &mut Vec<u8>) {
        match repository.tracker.comment(id) {
            Some(Served::Item(comment)) => self.put_comment(repository, &comment, out),
            Some(Served::Raw(text)) => out.extend_from_slice(text.as_bytes()),
            None => {}
        }
    }

    pub(super) fn put_review_comment(self, repository: &Repository, id: u64, out: &mut Vec<u8>) {
        match repository.tracker.review_comment(id) {
            Some(Served::Item(comment)) => {
                patched(&self.show((repository, &*comment)), comment.patch.as_ref(), out);
            }
            Some(Served::Raw(text)) => out.extend_from_slice(text.as_bytes()),
            None => {}
        }
    }
}
