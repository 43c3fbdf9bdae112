//! What a repository of GitHub's holds, with the fields that our normaliser reads. Who and what an address names,
//! ours finds out beside.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub struct Issue {
    pub id: u64,
    pub url: String,
    pub repository_url: String,
    pub html_url: String,
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub user: Option<User>,
    pub state: State,
    pub state_reason: Option<String>,
    #[serde(rename = "type")]
    pub issue_type: Option<IssueType>,
    #[serde(default)]
    pub labels: Vec<Label>,
    pub assignee: Option<User>,
    #[serde(default)]
    pub assignees: Vec<User>,
    pub milestone: Option<Milestone>,
    #[serde(default)]
    pub locked: bool,
    pub active_lock_reason: Option<String>,
    pub comments: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<User>,
    #[serde(default)]
    pub reactions: BTreeMap<String, Value>,
    #[serde(default)]
    pub draft: bool,
    pub pull_request: Option<PullLinks>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Closed,
}

#[derive(Debug, Deserialize)]
pub struct IssueType {
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub struct PullLinks {
    pub merged_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
pub struct User {
    pub id: u64,
    pub login: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub email: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Label {
    pub id: u64,
    pub name: String,
    pub color: String,
}

#[derive(Debug, Deserialize)]
pub struct Milestone {
    pub number: u64,
    pub title: String,
    pub due_on: Option<DateTime<Utc>>,
    pub state: State,
}

/// A pull request of a list of issues, with what GraphQL says of it.
#[derive(Debug, Deserialize)]
pub struct Pull {
    pub rest: Issue,
    pub graphql: Details,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    pub is_draft: bool,
    pub merged: bool,
    pub merged_at: Option<DateTime<Utc>>,
    pub merged_by: Option<Actor>,
    pub mergeable: String,
    pub review_decision: Option<String>,
    pub head_ref_name: String,
    pub head_ref_oid: String,
    pub is_cross_repository: bool,
    pub head_repository_owner: Option<Owner>,
    pub base_ref_name: String,
    pub additions: u64,
    pub deletions: u64,
    pub changed_files: u64,
    pub commits: Nodes<CommitNode>,
    pub review_requests: Nodes<Request>,
}

#[derive(Debug, Deserialize)]
pub struct Nodes<T> {
    pub nodes: Vec<T>,
}

#[derive(Debug, Deserialize)]
pub struct CommitNode {
    pub commit: Commit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    pub status_check_rollup: Option<Rollup>,
}

#[derive(Debug, Deserialize)]
pub struct Rollup {
    pub state: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub requested_reviewer: Option<Actor>,
}

#[derive(Debug, Deserialize)]
pub struct Owner {
    pub login: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    #[serde(rename = "__typename")]
    pub kind: String,
    pub login: Option<String>,
    pub database_id: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub struct Comment {
    pub id: u64,
    pub url: String,
    pub html_url: String,
    pub issue_url: String,
    pub user: Option<User>,
    pub body: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(default)]
    pub reactions: BTreeMap<String, Value>,
}
