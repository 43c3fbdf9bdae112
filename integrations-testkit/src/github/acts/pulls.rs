//! What may a test do with pull requests?

use serde_json::Value;

use super::issues::new_issue;
use super::{FakeGitHub, Given, author, issue, repository, user};
use crate::github::hub::Hub;
use crate::github::ids::sha;
use crate::github::issue::{Closed, Issue};
use crate::github::pull::{Branch, Merged, Pull};
use crate::github::repository::BRANCH;
use crate::github::talk::{Review, Verdict};
use crate::github::user::UserKey;
use crate::random::mix;

fn pull_of(issue: &mut Issue) -> &mut Pull {
    let number = issue.number;
    issue.pull.as_deref_mut().unwrap_or_else(|| panic!("issue {number} is no pull request"))
}

/// Pull requests. Methods that name one panic when there is none. All of them give it a new `updated_at`.
impl FakeGitHub {
    /// Opens a pull request; returns its number. It takes what [`open_issue`](Self::open_issue) takes, and
    /// `head` and `base` (the names of branches), `draft`, `sha` (of the head; by default made up).
    ///
    /// # Panics
    /// As [`open_issue`](Self::open_issue) does.
    pub fn open_pull(&self, full_name: &str, new: Value) -> u64 {
        let mut given = Given::new("a pull request", new);
        let number = self.write(full_name, |hub, id, now| {
            let mut issue = new_issue(hub, id, &mut given, now);
            let number = issue.number;
            let pull_id = hub.fresh_id();
            let head = given.text("head").unwrap_or_else(|| format!("topic-{number}"));
            issue.pull = Some(Box::new(Pull {
                id: pull_id,
                head: Branch { name: head, sha: given.text("sha").unwrap_or_else(|| sha(mix(pull_id))) },
                base: Branch {
                    name: given.text("base").unwrap_or_else(|| BRANCH.to_owned()),
                    sha: sha(mix(id)),
                },
                draft: given.flag("draft").unwrap_or(false),
                merged: None,
                merge_sha: None,
                reviewers: Vec::new(),
                commits: 1,
                additions: 12,
                deletions: 3,
                changed_files: 2,
            }));
            repository(hub, id).tracker.put(issue);
            number
        });
        given.end();
        number
    }

    fn touch_pull(&self, full_name: &str, number: u64, work: impl FnOnce(&mut Issue, &mut Hub, i64)) {
        self.write(full_name, |hub, id, now| {
            let mut issue = issue(repository(hub, id), number);
            pull_of(&mut issue);
            issue.updated = now;
            work(&mut issue, hub, now);
            repository(hub, id).tracker.put(issue);
        });
    }

    /// Merges a pull request, which closes it.
    pub fn merge_pull(&self, full_name: &str, number: u64) {
        self.touch_pull(full_name, number, |issue, hub, now| {
            let by = Some(hub.accounts[0]);
            issue.closed = Some(Closed { at: now, by, reason: None });
            let pull = pull_of(issue);
            pull.merged = Some(Merged { at: now, by });
            pull.merge_sha = Some(sha(mix(pull.id ^ 1)));
        });
    }

    /// Makes a pull request a draft, or says that it is ready for review.
    pub fn set_draft(&self, full_name: &str, number: u64, draft: bool) {
        self.touch_pull(full_name, number, |issue, _, _| pull_of(issue).draft = draft);
    }

    /// Pushes a commit to a pull request; returns its name.
    pub fn push_to_pull(&self, full_name: &str, number: u64) -> String {
        let mut pushed = String::new();
        self.touch_pull(full_name, number, |issue, hub, _| {
            let fresh = hub.fresh_id();
            let pull = pull_of(issue);
            pushed = sha(mix(fresh));
            pull.head.sha.clone_from(&pushed);
            pull.commits += 1;
        });
        self.change(full_name, |repository, now| repository.pushed = now);
        pushed
    }

    /// Asks a user for a review.
    pub fn request_review(&self, full_name: &str, number: u64, login: &str) {
        self.touch_pull(full_name, number, |issue, hub, _| {
            let reviewer = user(hub, login);
            let reviewers = &mut pull_of(issue).reviewers;
            if !reviewers.contains(&reviewer) {
                reviewers.push(reviewer);
            }
        });
    }

    /// Somebody reviews a pull request: `state` (`APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`; by default the
    /// last), `body`, `user`. Who was asked for a review is so no more. Returns the review's number.
    ///
    /// # Panics
    /// When there is no such state or user, or for a field that the fake does not know.
    pub fn review(&self, full_name: &str, number: u64, new: Value) -> u64 {
        let mut given = Given::new("a review", new);
        let mut review_id = 0;
        let mut reviewed: Option<Review> = None;
        self.touch_pull(full_name, number, |issue, hub, now| {
            let author: UserKey = author(hub, given.text("user").as_ref());
            let state = given.text("state").unwrap_or_else(|| "COMMENTED".to_owned());
            review_id = hub.fresh_id();
            let pull = pull_of(issue);
            pull.reviewers.retain(|&asked| asked != author);
            reviewed = Some(Review {
                id: review_id,
                pull: number,
                author: Some(author),
                body: given.text("body").unwrap_or_default(),
                verdict: Verdict::named(&state).unwrap_or_else(|| panic!("a review cannot be {state:?}")),
                submitted: now,
                sha: pull.head.sha.clone(),
                patch: None,
            });
        });
        given.end();
        if let Some(review) = reviewed {
            self.change(full_name, |repository, _| repository.tracker.put_review(review));
        }
        review_id
    }

    /// Dismisses a review.
    ///
    /// # Panics
    /// When there is no such review.
    pub fn dismiss_review(&self, full_name: &str, review_id: u64) {
        let number = self.change(full_name, |repository, _| {
            let found = repository.tracker.review(review_id);
            let mut review =
                found.unwrap_or_else(|| panic!("no review {review_id} in {full_name:?}")).into_owned();
            review.verdict = Verdict::Dismissed;
            let number = review.pull;
            repository.tracker.put_review(review);
            number
        });
        self.touch_pull(full_name, number, |_, _, _| {});
    }

    /// Serves this text as a pull request of `pulls.list`, as it is, updated now.
    pub fn raw_pull(&self, full_name: &str, raw_json_text: &str) {
        self.change(full_name, |repository, now| repository.tracker.raw(raw_json_text, true, now));
    }

    /// A pull request as `pulls.get` shows it; `None` when it is not there, or no pull request.
    pub fn pull(&self, full_name: &str, number: u64) -> Option<Value> {
        self.shown(full_name, |view, repository, out| {
            if let Some(issue) = repository.tracker.issue(number) {
                view.put_pull(repository, &issue, true, out);
            }
        })
    }

    /// The name of the commit at the head of a pull request.
    pub fn head_sha(&self, full_name: &str, number: u64) -> String {
        self.read(full_name, |_, repository| pull_of(&mut issue(repository, number)).head.sha.clone())
    }

    /// The numbers of a pull request's reviews, in their order.
    pub fn review_ids(&self, full_name: &str, number: u64) -> Vec<u64> {
        self.read(full_name, |_, repository| {
            repository.tracker.reviews_of(number).map(|review| review.id).collect()
        })
    }
}
