//! What may a test do with issues?

use serde_json::Value;

use super::repositories::add_patch;
use super::{FakeGitHub, Given, author, id_of, issue, repository, user};
use crate::github::hub::Hub;
use crate::github::issue::{Closed, Issue, Reason, reaction};
use crate::github::label::Label;
use crate::github::layer::{By, Order, Served};
use crate::github::tracker::Departed;
use crate::github::user::UserKey;

/// An issue has no more assignees than this.
const MOST_ASSIGNEES: usize = 10;

/// The labels of these names; one that is not there is made, as GitHub does for those who may push.
fn labels(hub: &mut Hub, id: u64, names: &[String]) -> Vec<u64> {
    let mut labels = Vec::new();
    for name in names {
        let known = repository(hub, id).label_named(name).map(|label| label.id);
        let label = known.unwrap_or_else(|| {
            let fresh = hub.fresh_id();
            let (name, color) = (name.clone(), "ededed".to_owned());
            let label = Label { id: fresh, name, color, description: None, default: false };
            repository(hub, id).labels.push(label);
            fresh
        });
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn assignees(hub: &Hub, logins: &[String]) -> Vec<UserKey> {
    assert!(logins.len() <= MOST_ASSIGNEES, "an issue has at most {MOST_ASSIGNEES} assignees");
    logins.iter().map(|login| user(hub, login)).collect()
}

/// Makes an issue of what a test gives; `given` is what is left of it.
pub(super) fn new_issue(hub: &mut Hub, id: u64, given: &mut Given, now: i64) -> Issue {
    let author = author(hub, given.text("user").as_ref());
    let labels = labels(hub, id, &given.texts("labels").unwrap_or_default());
    let assignees = assignees(hub, &given.texts("assignees").unwrap_or_default());
    let milestone = given.number("milestone");
    let issue_id = hub.fresh_id();
    let repository = repository(hub, id);
    let known = milestone.is_none_or(|number| repository.milestone(number).is_some());
    assert!(known, "no milestone {milestone:?} in repository {:?}", repository.name);
    Issue {
        number: repository.tracker.next_number(),
        id: issue_id,
        title: given.text("title").unwrap_or_else(|| "Found a bug".to_owned()),
        body: given.some_text("body"),
        author: Some(author),
        closed: None,
        reopened: false,
        labels,
        assignees,
        milestone,
        locked: false,
        lock_reason: None,
        created: now,
        updated: now,
        reactions: [0; 8],
        app: given.text("app"),
        pull: None,
        patch: None,
    }
}

/// Issues, and pull requests as such. Methods that name one panic when there is none. Everything but
/// reactions and patches gives it a new `updated_at`.
impl FakeGitHub {
    /// Opens an issue; returns its number. Of what GitHub takes for a new issue: `title`, `body`, `labels`,
    /// `assignees`, `milestone`; and `user`, who opens it (by default the first account), and `app`, through
    /// which.
    ///
    /// # Panics
    /// When it names a user or a milestone that is not there, or a field that the fake does not know.
    pub fn open_issue(&self, full_name: &str, new: Value) -> u64 {
        let mut given = Given::new("an issue", new);
        let number = self.write(full_name, |hub, id, now| {
            let issue = new_issue(hub, id, &mut given, now);
            let number = issue.number;
            repository(hub, id).tracker.put(issue);
            number
        });
        given.end();
        number
    }

    /// Changes an issue, and its time of update.
    fn touch(&self, full_name: &str, number: u64, work: impl FnOnce(&mut Issue, &mut Hub, u64, i64)) {
        self.write(full_name, |hub, id, now| {
            let mut issue = issue(repository(hub, id), number);
            issue.updated = now;
            work(&mut issue, hub, id, now);
            repository(hub, id).tracker.put(issue);
        });
    }

    /// Changes an issue as GitHub's `PATCH` does: `title`, `body`, `state`, `state_reason`, `labels` and
    /// `assignees` (which replace what was), `milestone`; and `user`, who closes it.
    ///
    /// # Panics
    /// As [`open_issue`](Self::open_issue) does, and for a state or a reason that GitHub does not have.
    pub fn edit_issue(&self, full_name: &str, number: u64, changes: Value) {
        let mut given = Given::new("a change of an issue", changes);
        self.touch(full_name, number, |issue, hub, id, now| {
            if let Some(title) = given.text("title") {
                issue.title = title;
            }
            if given.is_null("body") {
                issue.body = None;
            } else if let Some(body) = given.text("body") {
                issue.body = Some(body);
            }
            if let Some(names) = given.texts("labels") {
                issue.labels = labels(hub, id, &names);
            }
            if let Some(logins) = given.texts("assignees") {
                issue.assignees = assignees(hub, &logins);
            }
            if given.is_null("milestone") {
                issue.milestone = None;
            } else if let Some(milestone) = given.number("milestone") {
                let known = repository(hub, id).milestone(milestone).is_some();
                assert!(known, "no milestone {milestone} in {full_name:?}");
                issue.milestone = Some(milestone);
            }
            let by = Some(author(hub, given.text("user").as_ref()));
            let reason = given.some_text("state_reason");
            let reason = reason.filter(|name| name != "reopened").map(|name| {
                Reason::named(&name).unwrap_or_else(|| panic!("there is no state_reason {name:?}"))
            });
            match given.text("state").as_deref() {
                Some("closed") => {
                    let reason = issue.pull.is_none().then(|| reason.unwrap_or(Reason::Completed));
                    issue.closed = Some(Closed { at: now, by, reason });
                }
                Some("open") => {
                    issue.reopened = issue.closed.is_some() && issue.pull.is_none();
                    issue.closed = None;
                }
                Some(other) => panic!("there is no state {other:?}"),
                None => {}
            }
        });
        given.end();
    }

    /// Closes an issue, with a reason (`completed`, `not_planned`, `duplicate`) if it is not `completed`; a
    /// pull request is closed without being merged.
    pub fn close_issue(&self, full_name: &str, number: u64, reason: Option<&str>) {
        self.edit_issue(full_name, number, serde_json::json!({"state": "closed", "state_reason": reason}));
    }

    /// Opens an issue again: its `state_reason` is `reopened`.
    pub fn reopen_issue(&self, full_name: &str, number: u64) {
        self.edit_issue(full_name, number, serde_json::json!({"state": "open"}));
    }

    /// Locks an issue, with a reason such as `too heated` or none.
    pub fn lock_issue(&self, full_name: &str, number: u64, reason: Option<&str>) {
        self.touch(full_name, number, |issue, _, _, _| {
            issue.locked = true;
            issue.lock_reason = reason.map(str::to_owned);
        });
    }

    /// Unlocks an issue.
    pub fn unlock_issue(&self, full_name: &str, number: u64) {
        self.touch(full_name, number, |issue, _, _, _| {
            issue.locked = false;
            issue.lock_reason = None;
        });
    }

    /// Somebody reacts, with `+1`, `heart` and so on. That is no update.
    ///
    /// # Panics
    /// When there is no such reaction.
    pub fn react_to_issue(&self, full_name: &str, number: u64, name: &str) {
        let place = reaction(name).unwrap_or_else(|| panic!("there is no reaction {name:?}"));
        self.change(full_name, |repository, _| {
            let mut issue = issue(repository, number);
            issue.reactions[place] += 1;
            repository.tracker.put(issue);
        });
    }

    /// Merges a patch into what is shown of an issue, or of a pull request, for fields that the fake does not
    /// know, or to make one wrong: null removes one. That is no update, and no filter looks at it.
    pub fn patch_issue(&self, full_name: &str, number: u64, patch: Value) {
        self.change(full_name, |repository, _| {
            let mut issue = issue(repository, number);
            add_patch(&mut issue.patch, patch);
            repository.tracker.put(issue);
        });
    }

    /// Moves an issue to another repository, where it gets a new number, which is returned. Its comments move
    /// with it; of labels and milestones it keeps those that the other repository has by the same name.
    /// Here the old number leads there (301).
    ///
    /// # Panics
    /// When it is a pull request, which cannot be moved.
    pub fn transfer_issue(&self, full_name: &str, number: u64, to: &str) -> u64 {
        self.write(full_name, |hub, id, now| {
            let (target, issue_id) = (id_of(hub, to), hub.fresh_id());
            let from = repository(hub, id);
            let mut issue = issue(from, number);
            assert!(issue.pull.is_none(), "a pull request cannot be transferred");
            let names: Vec<_> =
                issue.labels.iter().filter_map(|&id| Some(from.label(id)?.name.clone())).collect();
            let title = issue.milestone.and_then(|number| Some(from.milestone(number)?.title.clone()));
            let goal = repository(hub, target);
            let new_number = goal.tracker.next_number();
            issue.number = new_number;
            issue.id = issue_id;
            issue.updated = now;
            issue.labels = names.iter().filter_map(|name| Some(goal.label_named(name)?.id)).collect();
            let same =
                |milestone: &&crate::github::label::Milestone| Some(&milestone.title) == title.as_ref();
            issue.milestone = goal.milestones.iter().find(same).map(|milestone| milestone.number);
            goal.tracker.put(issue);
            let how = Departed::Transferred(target, new_number);
            for mut comment in repository(hub, id).tracker.depart(number, how) {
                comment.issue = new_number;
                repository(hub, target).tracker.put_comment(comment);
            }
            new_number
        })
    }

    /// Deletes an issue: it is in no listing any more, and answers 410.
    ///
    /// # Panics
    /// When it is a pull request, which cannot be deleted.
    pub fn delete_issue(&self, full_name: &str, number: u64) {
        self.write(full_name, |hub, id, _| {
            let from = repository(hub, id);
            assert!(issue(from, number).pull.is_none(), "a pull request cannot be deleted");
            from.tracker.depart(number, Departed::Deleted);
            hub.notifications.retain(|known| (known.repository, known.number) != (id, number));
        });
    }

    /// Serves this text as an issue of `issues.listForRepo`, as it is, updated now.
    pub fn raw_issue(&self, full_name: &str, raw_json_text: &str) {
        self.change(full_name, |repository, now| repository.tracker.raw(raw_json_text, false, now));
    }

    /// An issue, or a pull request as one, as `issues.get` shows it; `None` when it is not there.
    pub fn issue(&self, full_name: &str, number: u64) -> Option<Value> {
        self.shown(full_name, |view, repository, out| match repository.tracker.served(number) {
            Some(Served::Item(issue)) => view.put_issue(repository, &issue, true, out),
            Some(Served::Raw(text)) => out.extend_from_slice(text.as_bytes()),
            None => {}
        })
    }

    /// The numbers of all issues and pull requests, in their order.
    pub fn issue_numbers(&self, full_name: &str) -> Vec<u64> {
        self.read(full_name, |_, repository| {
            let order = Order { by: By::Created, descending: false };
            let keys = repository.tracker.issues(order, None);
            keys.map(|key| key.id).filter(|&number| repository.tracker.issue(number).is_some()).collect()
        })
    }
}
