//! What are the values of an object's fields?

use std::cell::OnceCell;

use serde_json::{Value, json};

use super::connections::state;
use super::run::{Arguments, Failure, Node, Run};
use crate::github::check::Verdict as Checked;
use crate::github::ids::node as node_id;
use crate::github::issue::{Found, Issue};
use crate::github::json::Time;
use crate::github::repository::Repository;
use crate::github::talk::{Review, Verdict};
use crate::github::user::UserKey;

/// GraphQL's name of a field, and where REST has the same value.
type Same = (&'static str, &'static str);

const OF_REPOSITORY: &[Same] = &[
    ("id", "node_id"),
    ("databaseId", "id"),
    ("name", "name"),
    ("nameWithOwner", "full_name"),
    ("url", "html_url"),
    ("isPrivate", "private"),
    ("isArchived", "archived"),
    ("isFork", "fork"),
    ("hasIssuesEnabled", "has_issues"),
    ("description", "description"),
    ("createdAt", "created_at"),
    ("updatedAt", "updated_at"),
];
const OF_ISSUE: &[Same] = &[
    ("id", "node_id"),
    ("number", "number"),
    ("title", "title"),
    ("bodyText", "body_text"),
    ("bodyHTML", "body_html"),
    ("url", "html_url"),
    ("locked", "locked"),
    ("authorAssociation", "author_association"),
    ("createdAt", "created_at"),
    ("updatedAt", "updated_at"),
    ("closedAt", "closed_at"),
];
const OF_USER: &[Same] = &[
    ("login", "login"),
    ("url", "html_url"),
    ("avatarUrl", "avatar_url"),
    ("id", "node_id"),
    ("databaseId", "id"),
];
const OF_LABEL: &[Same] = &[
    ("id", "node_id"),
    ("name", "name"),
    ("color", "color"),
    ("description", "description"),
    ("isDefault", "default"),
    ("url", "url"),
];
const OF_MILESTONE: &[Same] = &[
    ("id", "node_id"),
    ("number", "number"),
    ("title", "title"),
    ("description", "description"),
    ("dueOn", "due_on"),
    ("closedAt", "closed_at"),
    ("createdAt", "created_at"),
    ("updatedAt", "updated_at"),
    ("url", "html_url"),
];
const OF_TALK: &[Same] = &[
    ("id", "node_id"),
    ("databaseId", "id"),
    ("fullDatabaseId", "id"),
    ("body", "body"),
    ("bodyText", "body_text"),
    ("bodyHTML", "body_html"),
    ("createdAt", "created_at"),
    ("updatedAt", "updated_at"),
    ("submittedAt", "submitted_at"),
    ("url", "html_url"),
    ("state", "state"),
    ("authorAssociation", "author_association"),
];

/// The value that REST has of a field.
fn as_in_rest(rest: &Value, table: &[Same], name: &str) -> Value {
    let place = table.iter().find(|(known, _)| *known == name).map(|(_, place)| *place);
    place.and_then(|place| rest.get(place).cloned()).unwrap_or_default()
}

/// Words that REST has in small letters.
fn capitals(word: Option<&str>) -> Value {
    json!(word.map(|word| word.to_uppercase().replace(' ', "_")))
}

impl<'a> Run<'a> {
    /// An object as REST has it, from which many fields are taken.
    fn rest(&self, node: &Node<'a>) -> Value {
        let view = self.view;
        let value = match node {
            Node::Repository(repository) => serde_json::to_value(view.show(*repository)),
            Node::Issue(repository, issue) => {
                serde_json::to_value(view.show(Found { repository, issue, whole: false }))
            }
            Node::User(key) => serde_json::to_value(view.show(view.hub.roster.get(*key))),
            Node::Label(repository, label) => serde_json::to_value(view.show((*repository, *label))),
            Node::Milestone(repository, milestone) => {
                serde_json::to_value(view.show((*repository, *milestone)))
            }
            Node::Comment(repository, comment) => serde_json::to_value(view.show((*repository, &**comment))),
            Node::Review(repository, review) => serde_json::to_value(view.show((*repository, &**review))),
            _ => Ok(Value::Null),
        };
        value.unwrap_or_default()
    }

    /// The value of a leaf; `rest` keeps the object as REST has it.
    pub(super) fn leaf(&self, node: &Node<'a>, name: &str, rest: &OnceCell<Value>) -> Value {
        let same = |table| as_in_rest(rest.get_or_init(|| self.rest(node)), table, name);
        match node {
            Node::Root => Value::Null,
            Node::RateLimit => match name {
                "limit" => json!(self.standing.limit),
                "cost" => json!(self.cost),
                "remaining" => json!(self.standing.remaining()),
                "used" => json!(self.standing.used),
                "nodeCount" => json!(self.nodes),
                _ => json!(Time(self.standing.reset)),
            },
            Node::Repository(_) => same(OF_REPOSITORY),
            Node::Issue(repository, issue) => {
                of_issue(repository, issue, name).unwrap_or_else(|| same(OF_ISSUE))
            }
            Node::User(key) => {
                let user = self.view.hub.roster.get(*key);
                match name {
                    "name" => json!(user.name),
                    // Only what somebody shows to the public.
                    "email" => json!(""),
                    "resourcePath" => json!(format!("/{}", user.short())),
                    // The login of a bot is without what marks it.
                    "login" => json!(user.short()),
                    _ => same(OF_USER),
                }
            }
            Node::Label(..) => same(OF_LABEL),
            Node::Milestone(_, milestone) if name == "state" => {
                json!(if milestone.closed.is_some() { "CLOSED" } else { "OPEN" })
            }
            Node::Milestone(..) => same(OF_MILESTONE),
            // A review's words are not edited here.
            Node::Review(..) if name == "updatedAt" => same(&[("updatedAt", "submitted_at")]),
            Node::Comment(..) | Node::Review(..) => same(OF_TALK),
            Node::PullCommit(repository, sha) => {
                json!(format!("{}:{sha}", node_id("PURC", &[repository.id])))
            }
            Node::Commit(repository, sha) => match name {
                "oid" => json!(sha),
                _ => json!(format!("{}:{sha}", node_id("C", &[repository.id]))),
            },
            Node::Rollup(verdict) => match (name, verdict) {
                ("state", Checked::Success) => json!("SUCCESS"),
                ("state", Checked::Failure) => json!("FAILURE"),
                ("state", Checked::Pending) => json!("PENDING"),
                _ => json!(node_id("SCR", &[1])),
            },
            Node::ReviewRequest(key) => json!(node_id("RR", &[self.view.hub.roster.get(*key).id])),
        }
    }
    /// The object that a field leads to.
    pub(super) fn child(
        &self,
        node: &Node<'a>,
        name: &str,
        arguments: &Arguments,
    ) -> Result<Option<Node<'a>>, Failure> {
        let user =
            |key: Option<UserKey>| key.filter(|key| !self.view.hub.roster.get(*key).gone).map(Node::User);
        let rollup = |repository: &Repository, sha: &str| {
            repository.checks_of(sha).and_then(|checks| checks.rollup()).map(Node::Rollup)
        };
        Ok(match (node, name) {
            (Node::Root, "rateLimit") => Some(Node::RateLimit),
            (Node::Root, "viewer") => Some(self.viewer()?),
            (Node::Root, _) => Some(Node::Repository(self.repository(arguments)?)),
            // Both ends of a pull request are in one repository.
            (Node::Repository(repository), "owner") | (Node::Issue(repository, _), "headRepositoryOwner") => {
                user(Some(repository.owner))
            }
            (Node::Repository(repository), _) => Some(self.issue(repository, name, arguments)?),
            (Node::Issue(repository, _), "repository") => Some(Node::Repository(repository)),
            (Node::Issue(_, issue), "author") => user(issue.author),
            (Node::Issue(repository, issue), "milestone") => {
                let milestone = issue.milestone.and_then(|number| repository.milestone(number));
                milestone.map(|milestone| Node::Milestone(repository, milestone))
            }
            (Node::Issue(_, issue), "mergedBy") => {
                user(issue.pull.as_ref().and_then(|pull| pull.merged).and_then(|merged| merged.by))
            }
            (Node::Issue(repository, issue), _) => {
                issue.pull.as_ref().and_then(|pull| rollup(repository, &pull.head.sha))
            }
            (Node::Comment(_, comment), _) => user(comment.author),
            (Node::Review(_, review), _) => user(review.author),
            (Node::PullCommit(repository, sha), _) => Some(Node::Commit(repository, sha.clone())),
            (Node::Commit(repository, sha), _) => rollup(repository, sha),
            (Node::ReviewRequest(key), _) => user(Some(*key)),
            _ => None,
        })
    }

    fn viewer(&self) -> Result<Node<'a>, Failure> {
        let account = self.caller.account.map(Node::User);
        account.ok_or_else(|| Failure::new("FORBIDDEN", "Resource not accessible by integration"))
    }

    fn repository(&self, arguments: &Arguments) -> Result<&'a Repository, Failure> {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let full_name = format!("{}/{}", text("owner"), text("name"));
        let follows = arguments.get("followRenames") != Some(&json!(false));
        let hub = self.view.hub;
        let found = hub.named(&full_name).filter(|(_, now)| *now || follows);
        let found = found.and_then(|(id, _)| hub.repository(id));
        found.filter(|repository| self.caller.sees(hub, repository)).ok_or_else(|| {
            let text = format!("Could not resolve to a Repository with the name '{full_name}'.");
            Failure::new("NOT_FOUND", text)
        })
    }

    fn issue(
        &self,
        repository: &'a Repository,
        name: &str,
        arguments: &Arguments,
    ) -> Result<Node<'a>, Failure> {
        let (pull, what) = if name == "issue" { (false, "an Issue") } else { (true, "a PullRequest") };
        let needed = if pull { "pull_requests" } else { "issues" };
        if self.caller.is_permitted(self.view.hub, repository, &[needed]).is_err() {
            return Err(Failure::new("FORBIDDEN", "Resource not accessible by integration"));
        }
        let number = arguments.get("number").and_then(Value::as_u64).unwrap_or(0);
        let issue = repository.tracker.issue(number).filter(|issue| issue.pull.is_some() == pull);
        let issue = issue.ok_or_else(|| {
            Failure::new("NOT_FOUND", format!("Could not resolve to {what} with the number of {number}."))
        })?;
        Ok(Node::Issue(repository, Box::new(issue.into_owned())))
    }
}

/// What the reviews of a pull request say together: the last word of each reviewer counts.
fn decision(repository: &Repository, issue: &Issue) -> Value {
    let mut last: Vec<Review> = Vec::new();
    for review in repository.tracker.reviews_of(issue.number) {
        // A comment takes nothing back; a dismissal does.
        if review.verdict != Verdict::Commented {
            last.retain(|before| before.author != review.author);
            last.push(review);
        }
    }
    let said = |verdict| last.iter().any(|review| review.verdict == verdict);
    if said(Verdict::ChangesRequested) {
        json!("CHANGES_REQUESTED")
    } else if said(Verdict::Approved) {
        json!("APPROVED")
    } else if issue.pull.as_ref().is_some_and(|pull| !pull.reviewers.is_empty()) {
        json!("REVIEW_REQUIRED")
    } else {
        Value::Null
    }
}

/// What GraphQL has of an issue in another way than REST.
fn of_issue(repository: &Repository, issue: &Issue, name: &str) -> Option<Value> {
    let number = || issue.pull.as_ref().map_or(issue.id, |pull| pull.id);
    Some(match name {
        "databaseId" => json!(number()),
        "fullDatabaseId" => json!(number().to_string()),
        "body" => json!(issue.body.as_deref().unwrap_or_default()),
        "state" => json!(state(issue)),
        "stateReason" => capitals(issue.state_reason()),
        "closed" => json!(issue.closed.is_some()),
        "activeLockReason" => capitals(issue.lock_reason.as_deref()),
        _ => return of_pull(repository, issue, name),
    })
}

fn of_pull(repository: &Repository, issue: &Issue, name: &str) -> Option<Value> {
    let pull = issue.pull.as_deref()?;
    Some(match name {
        "isDraft" => json!(pull.draft),
        "merged" => json!(pull.merged.is_some()),
        "mergedAt" => json!(pull.merged.map(|merged| Time(merged.at))),
        "mergeable" => json!(if issue.closed.is_none() { "MERGEABLE" } else { "UNKNOWN" }),
        "reviewDecision" => decision(repository, issue),
        "headRefName" => json!(pull.head.name),
        "headRefOid" => json!(pull.head.sha),
        "baseRefName" => json!(pull.base.name),
        "baseRefOid" => json!(pull.base.sha),
        "additions" => json!(pull.additions),
        "deletions" => json!(pull.deletions),
        "changedFiles" => json!(pull.changed_files),
        "isCrossRepository" => json!(false),
        _ => return None,
    })
}
