//! What may a test do on this GitHub?
//!
//! What people and machines do there, and what only a test does. Methods that name a repository take its
//! full name, such as `octo-org/hello`, and panic when there is none; JSON that they take has GitHub's own
//! names for its fields, and a field that they do not know is refused.

mod checks;
mod issues;
mod notifications;
mod pulls;
mod repositories;
mod talk;

use serde_json::Value;

use super::FakeGitHub;
use super::hub::Hub;
use super::issue::Issue;
use super::repository::Repository;
use super::user::UserKey;
use super::view::{Media, Version, View};
use crate::given::Given;

fn user(hub: &Hub, login: &str) -> UserKey {
    hub.roster.find(login).unwrap_or_else(|| panic!("no user {login:?} in this fake"))
}

/// The user that is given, or the first account.
fn author(hub: &Hub, given: Option<&String>) -> UserKey {
    given.map_or(hub.accounts[0], |login| user(hub, login))
}

fn id_of(hub: &Hub, full_name: &str) -> u64 {
    match hub.named(full_name) {
        Some((id, true)) => id,
        _ => panic!("no repository {full_name:?} in this fake"),
    }
}

impl FakeGitHub {
    /// Changes what there is. With the repository goes the time, in seconds.
    fn write<T>(&self, full_name: &str, work: impl FnOnce(&mut Hub, u64, i64) -> T) -> T {
        let now = self.github.now();
        let mut hub = self.github.hub_mut();
        let id = id_of(&hub, full_name);
        work(&mut hub, id, now)
    }

    /// Changes a repository.
    fn change<T>(&self, full_name: &str, work: impl FnOnce(&mut Repository, i64) -> T) -> T {
        self.write(full_name, |hub, id, now| work(repository(hub, id), now))
    }

    fn read<T>(&self, full_name: &str, work: impl FnOnce(View<'_>, &Repository) -> T) -> T {
        let hub = self.github.hub();
        let found = hub.repository(id_of(&hub, full_name));
        let repository = found.unwrap_or_else(|| panic!("no repository {full_name:?} in this fake"));
        let media = Media { raw: true, text: false, html: false, name: "" };
        work(View { hub: &hub, api: &self.url, media, version: Version::V2022 }, repository)
    }

    /// What is written as JSON, as a value.
    fn shown(&self, full_name: &str, put: impl FnOnce(View<'_>, &Repository, &mut Vec<u8>)) -> Option<Value> {
        let mut text = Vec::new();
        self.read(full_name, |view, repository| put(view, repository, &mut text));
        serde_json::from_slice(&text).ok()
    }
}

fn repository(hub: &mut Hub, id: u64) -> &mut Repository {
    hub.repository_mut(id).unwrap_or_else(|| panic!("no repository with the id {id} in this fake"))
}

/// An issue of a repository, to be changed and put back.
fn issue(repository: &Repository, number: u64) -> Issue {
    let found = repository.tracker.issue(number);
    found.unwrap_or_else(|| panic!("no issue {number} in repository {:?}", repository.name)).into_owned()
}
