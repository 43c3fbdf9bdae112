//! What is an issue, a pull request, and what is said of them?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::message::Reaction;
use super::open_enum::open_enum;
use super::person::PersonRef;

/// An issue of a tracker, or a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Issue {
    /// The provider's id, unique within its stream.
    pub id: String,
    /// What sort of issue it is.
    #[serde(default)]
    pub kind: IssueKind,
    /// The tracker's own word for what sort of work it is, e.g. `Bug` or `Feature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_type: Option<String>,
    /// The number that people call it by, within its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The project that it belongs to, by the name that people know, e.g. `owner/repository`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text, in the provider's markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether it is open.
    #[serde(default)]
    pub state: IssueState,
    /// Why it is in this state, in the provider's word, e.g. `not_planned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<PersonRef>,
    /// Who is to see to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<PersonRef>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<PersonRef>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<IssueLabel>,
    /// The milestone that it is planned for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestone: Option<Milestone>,
    /// Whether only members of the project may speak of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// Why it is locked, in the provider's words, e.g. `too heated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_reason: Option<String>,
    /// How many comments it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_count: Option<u64>,
    /// How people reacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// What a pull request has beside; `None` for an issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Box<PullRequest>>,
    /// When it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was closed; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
}

impl Issue {
    /// An open issue with nothing but an id and a kind.
    pub fn new(id: impl Into<String>, kind: IssueKind) -> Self {
        Self {
            id: id.into(),
            kind,
            issue_type: None,
            number: None,
            project: None,
            title: None,
            body: None,
            state: IssueState::default(),
            state_reason: None,
            author: None,
            assignees: Vec::new(),
            closed_by: None,
            labels: Vec::new(),
            milestone: None,
            locked: false,
            lock_reason: None,
            comment_count: None,
            reactions: Vec::new(),
            pull: None,
            created_at: None,
            updated_at: None,
            closed_at: None,
        }
    }
}

open_enum! {
    /// What sort of issue it is.
    #[derive(Default)]
    IssueKind {
        /// Something to see to.
        #[default]
        Issue = "issue",
        /// A change that is offered.
        PullRequest = "pull_request",
    }
}

open_enum! {
    /// Whether an issue is open.
    #[derive(Default)]
    IssueState {
        /// It is.
        #[default]
        Open = "open",
        /// It is closed; a pull request without being merged.
        Closed = "closed",
        /// The change was taken in.
        Merged = "merged",
    }
}

/// A word that issues are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IssueLabel {
    /// The provider's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The word.
    pub name: String,
    /// Its colour, as `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// What issues are planned for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Milestone {
    /// The provider's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The title.
    pub title: String,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Whether it is open.
    #[serde(default)]
    pub state: IssueState,
}

/// What a pull request has beside what an issue has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PullRequest {
    /// Whether it is not ready to be looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// The branch that the change comes from, e.g. `fork:topic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_branch: Option<String>,
    /// The branch that the change is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_branch: Option<String>,
    /// The commit that the change ends in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    /// When it was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_at: Option<DateTime<Utc>>,
    /// Who is asked to look at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requested_reviewers: Vec<PersonRef>,
    /// What those who looked at it say, all in all; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewState>,
    /// What the checks of its last commit say, all in all; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<CheckState>,
    /// Whether it can be taken in as it is; `None` while the provider does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mergeable: Option<bool>,
    /// How many lines it adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additions: Option<u64>,
    /// How many lines it takes away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletions: Option<u64>,
    /// How many files it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_files: Option<u64>,
}

open_enum! {
    /// What a review says.
    ReviewState {
        /// Nobody has decided yet.
        Pending = "pending",
        /// Something was said, and nothing decided.
        Commented = "commented",
        /// The change is good.
        Approved = "approved",
        /// The change has to be changed.
        ChangesRequested = "changes_requested",
        /// The review does not count any more.
        Dismissed = "dismissed",
    }
}

open_enum! {
    /// What checks say.
    CheckState {
        /// They are not done yet.
        Pending = "pending",
        /// All went well.
        Success = "success",
        /// Some did not.
        Failure = "failure",
    }
}

/// Something said of an issue, or of a place in a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Comment {
    /// The provider's id, unique within its stream.
    pub id: String,
    /// What sort of comment it is.
    #[serde(default)]
    pub kind: CommentKind,
    /// The project that it belongs to, by the name that people know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The id of the issue's record, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_id: Option<String>,
    /// The number of the issue within its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_number: Option<u64>,
    /// The provider's id of the comment that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<PersonRef>,
    /// The text, in the provider's markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What a review says; `None` for a plain comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewState>,
    /// The file that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line of the file that it speaks of; the last one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// How people reacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl Comment {
    /// A comment with nothing but an id and a kind.
    pub fn new(id: impl Into<String>, kind: CommentKind) -> Self {
        Self {
            id: id.into(),
            kind,
            project: None,
            issue_id: None,
            issue_number: None,
            answers: None,
            author: None,
            body: None,
            review: None,
            path: None,
            line: None,
            reactions: Vec::new(),
            created_at: None,
            updated_at: None,
        }
    }
}

open_enum! {
    /// What sort of comment it is.
    #[derive(Default)]
    CommentKind {
        /// On the issue.
        #[default]
        Comment = "comment",
        /// A review of a change as a whole.
        Review = "review",
        /// On a place in a change.
        ReviewComment = "review_comment",
        /// On a commit.
        CommitComment = "commit_comment",
    }
}
