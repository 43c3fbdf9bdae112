//! What are issues sorted by: labels and milestones?

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::ids::node;
use super::json::{Time, entries, text};
use super::repository::Repository;
use super::user::UserKey;
use super::view::{Seen, WEB};

#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) color: String,
    pub(super) description: Option<String>,
    /// One of those that every repository begins with.
    pub(super) default: bool,
}

/// The labels that a repository begins with: name, color, description.
pub(super) const DEFAULTS: &[[&str; 3]] = &[
    ["bug", "d73a4a", "Something isn't working"],
    ["documentation", "0075ca", "Improvements or additions to documentation"],
    ["duplicate", "cfd3d7", "This issue or pull request already exists"],
    ["enhancement", "a2eeef", "New feature or request"],
    ["good first issue", "7057ff", "Good for newcomers"],
    ["help wanted", "008672", "Extra attention is needed"],
    ["invalid", "e4e669", "This doesn't seem right"],
    ["question", "d876e3", "Further information is requested"],
    ["wontfix", "ffffff", "This will not be worked on"],
];

impl Serialize for Seen<'_, (&Repository, &Label)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (repository, label) = self.item;
        let url = repository.url(self.view);
        let name = utf8_percent_encode(&label.name, NON_ALPHANUMERIC);
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "id": label.id,
            "node_id": node("LA", &[repository.id, label.id]),
            "url": text!("{url}/labels/{name}"),
            "name": label.name,
            "color": label.color,
            "default": label.default,
            "description": label.description,
        });
        map.end()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Milestone {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) creator: Option<UserKey>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) closed: Option<i64>,
    pub(super) due: Option<i64>,
}

impl Serialize for Seen<'_, (&Repository, &Milestone)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (repository, milestone) = self.item;
        let (url, number) = (repository.url(self.view), milestone.number);
        let (open, closed) = repository.milestone_counts(number);
        let mut map = serializer.serialize_map(None)?;
        entries!(map, {
            "url": text!("{url}/milestones/{number}"),
            "html_url": text!("{WEB}/{}/milestone/{number}", repository.full_name(self.view.hub)),
            "labels_url": text!("{url}/milestones/{number}/labels"),
            "id": milestone.id,
            "node_id": node("MI", &[repository.id, milestone.id]),
            "number": number,
            "title": milestone.title,
            "description": milestone.description,
            "creator": self.view.user(milestone.creator),
            "open_issues": open,
            "closed_issues": closed,
            "state": if milestone.closed.is_some() { "closed" } else { "open" },
            "created_at": Time(milestone.created),
            "updated_at": Time(milestone.updated),
            "due_on": milestone.due.map(Time),
            "closed_at": milestone.closed.map(Time),
        });
        map.end()
    }
}
