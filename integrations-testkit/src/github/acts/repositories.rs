//! What may a test do to users and repositories?

use serde_json::Value;

use super::{FakeGitHub, id_of, repository, user};
use crate::github::hub::Seat;
use crate::github::json::parse_time;
use crate::github::label::{Label, Milestone};
use crate::github::spec::RepoSpec;
use crate::github::user::UserSpec;

/// Users.
impl FakeGitHub {
    /// Adds a user; returns the number.
    ///
    /// # Panics
    /// When the login is taken.
    pub fn add_user(&self, user: UserSpec) -> u64 {
        let mut hub = self.github.hub_mut();
        let key = hub.add_user(user, None);
        hub.roster.get(key).id
    }

    /// A user takes another login; repositories of the user are moved with it.
    ///
    /// # Panics
    /// When there is no such user, or the new login is taken.
    pub fn rename_user(&self, login: &str, new_login: &str) {
        let mut hub = self.github.hub_mut();
        let key = user(&hub, login);
        hub.rename_user(key, new_login);
    }

    /// A user deletes the account: what the user did is nobody's (`null`).
    ///
    /// # Panics
    /// When there is no such user, or it is an account of the fake.
    pub fn delete_user(&self, login: &str) {
        let mut hub = self.github.hub_mut();
        let key = user(&hub, login);
        assert!(!hub.accounts.contains(&key), "{login:?} is an account of this fake");
        hub.roster.delete(key);
    }
}

/// Repositories.
impl FakeGitHub {
    /// Adds a repository; returns its number.
    ///
    /// # Panics
    /// When the name or the number is taken.
    pub fn add_repository(&self, repository: RepoSpec) -> u64 {
        let now = self.github.now();
        self.github.hub_mut().add_repository(repository, now)
    }

    /// Removes a repository: it is in no listing any more, and answers 404.
    pub fn remove_repository(&self, full_name: &str) {
        self.write(full_name, |hub, id, _| hub.remove(id));
    }

    /// Renames a repository; returns its full name. The old one leads to it (301), until another repository
    /// takes it.
    pub fn rename_repository(&self, full_name: &str, new_name: &str) -> String {
        let owner = full_name.split('/').next().unwrap_or_default();
        self.move_repository(full_name, owner, new_name)
    }

    /// Gives a repository to another owner; returns its full name. The old one leads to it (301).
    ///
    /// # Panics
    /// When nobody has the new owner's login.
    pub fn transfer_repository(&self, full_name: &str, new_owner: &str) -> String {
        let name = full_name.split('/').nth(1).unwrap_or_default();
        self.move_repository(full_name, new_owner, name)
    }

    fn move_repository(&self, full_name: &str, owner: &str, name: &str) -> String {
        self.write(full_name, |hub, id, now| {
            hub.rename(id, owner, name);
            repository(hub, id).updated = now;
        });
        format!("{owner}/{name}")
    }

    /// Makes a repository private, or public.
    pub fn set_private(&self, full_name: &str, private: bool) {
        self.change(full_name, |repository, now| {
            repository.private = private;
            repository.updated = now;
        });
    }

    /// Archives a repository, or takes it out of the archive.
    pub fn set_archived(&self, full_name: &str, archived: bool) {
        self.change(full_name, |repository, now| {
            repository.archived = archived;
            repository.updated = now;
        });
    }

    /// Switches the issues of a repository off, or on again. Its pull requests stay.
    pub fn set_has_issues(&self, full_name: &str, has_issues: bool) {
        self.change(full_name, |repository, now| {
            repository.has_issues = has_issues;
            repository.updated = now;
        });
    }

    /// Says which accounts belong to a repository; none makes it somebody else's.
    pub fn set_members(&self, full_name: &str, logins: &[&str]) {
        self.write(full_name, |hub, id, _| {
            let members = logins.iter().map(|login| user(hub, login)).collect();
            repository(hub, id).members = Some(members);
        });
    }

    /// Merges a patch into what is shown of a repository, for fields that the fake does not know: null
    /// removes one.
    pub fn patch_repository(&self, full_name: &str, patch: Value) {
        self.change(full_name, |repository, _| repository.patch = Some(patch));
    }

    /// Serves this text as an item of `repos.listForAuthenticatedUser`, at its end, as it is.
    pub fn raw_repository(&self, raw_json_text: &str) {
        self.github.hub_mut().seats.push(Seat::Raw(raw_json_text.to_owned()));
    }

    /// A repository as `repos.get` shows it.
    pub fn repository_object(&self, full_name: &str) -> Option<Value> {
        self.github.hub().named(full_name)?;
        self.shown(full_name, |view, repository, out| view.put_repository(repository, true, out))
    }

    /// The full names of all repositories, in the order in which they came.
    pub fn repositories(&self) -> Vec<String> {
        let hub = self.github.hub();
        hub.repositories().map(|repository| repository.full_name(&hub)).collect()
    }

    /// The number of a repository.
    pub fn repository_id(&self, full_name: &str) -> u64 {
        id_of(&self.github.hub(), full_name)
    }
}

/// Labels and milestones.
impl FakeGitHub {
    /// Adds a label; returns its number. A repository begins with GitHub's nine, `bug` among them.
    ///
    /// # Panics
    /// When there is a label with this name.
    pub fn add_label(&self, full_name: &str, name: &str, color: &str) -> u64 {
        self.write(full_name, |hub, id, _| {
            let label_id = hub.fresh_id();
            let repository = repository(hub, id);
            assert!(repository.label_named(name).is_none(), "there is a label {name:?} already");
            let (name, color) = (name.to_owned(), color.to_owned());
            let label = Label { id: label_id, name, color, description: None, default: false };
            repository.labels.push(label);
            label_id
        })
    }

    /// Renames a label. The issues that have it are not updated by that.
    ///
    /// # Panics
    /// When there is no such label.
    pub fn rename_label(&self, full_name: &str, name: &str, new_name: &str) {
        self.change(full_name, |repository, _| {
            let found = repository.labels.iter_mut().find(|label| label.name.eq_ignore_ascii_case(name));
            let label = found.unwrap_or_else(|| panic!("no label {name:?} in {full_name:?}"));
            new_name.clone_into(&mut label.name);
        });
    }

    /// Deletes a label; issues have it no more.
    ///
    /// # Panics
    /// When there is no such label.
    pub fn delete_label(&self, full_name: &str, name: &str) {
        self.change(full_name, |repository, _| {
            let before = repository.labels.len();
            repository.labels.retain(|label| !label.name.eq_ignore_ascii_case(name));
            assert!(repository.labels.len() < before, "no label {name:?} in {full_name:?}");
        });
    }

    /// Adds a milestone, due at a time such as `2026-04-01T07:00:00Z` or never; returns its number in the
    /// repository.
    ///
    /// # Panics
    /// When the time is none.
    pub fn add_milestone(&self, full_name: &str, title: &str, due_on: Option<&str>) -> u64 {
        let due = due_on.map(|text| parse_time(text).unwrap_or_else(|| panic!("{text:?} is no time")));
        self.write(full_name, |hub, id, now| {
            let (milestone_id, creator) = (hub.fresh_id(), hub.accounts[0]);
            let milestones = &mut repository(hub, id).milestones;
            let number = milestones.iter().map(|milestone| milestone.number).max().unwrap_or(0) + 1;
            milestones.push(Milestone {
                id: milestone_id,
                number,
                title: title.to_owned(),
                description: None,
                creator: Some(creator),
                created: now,
                updated: now,
                closed: None,
                due,
            });
            number
        })
    }

    /// Closes a milestone, or opens it again.
    ///
    /// # Panics
    /// When there is no such milestone.
    pub fn set_milestone_closed(&self, full_name: &str, number: u64, closed: bool) {
        self.change(full_name, |repository, now| {
            let found = repository.milestones.iter_mut().find(|milestone| milestone.number == number);
            let milestone = found.unwrap_or_else(|| panic!("no milestone {number} in {full_name:?}"));
            milestone.closed = closed.then_some(now);
            milestone.updated = now;
        });
    }
}

/// Merges a patch into another that waits to be shown.
pub(super) fn add_patch(before: &mut Option<Value>, patch: Value) {
    match before {
        // A null must stay, to remove a field when the patch is applied.
        Some(Value::Object(before)) => {
            if let Value::Object(patch) = patch {
                before.extend(patch);
            }
        }
        _ => *before = Some(patch),
    }
}
