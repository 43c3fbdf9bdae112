//! Repositories: their issues, pull requests and what is said of them; and the user's notifications.
//!
//! # Streams and ids
//!
//! | Stream | Id | Items |
//! |---|---|---|
//! | each repository | its number, `1296269`: it stays when the repository is renamed or moved | issues, pull requests, comments, reviews |
//! | [`NOTIFICATIONS`] | `notifications` | the user's notifications |
//!
//! | Item | Id of its record |
//! |---|---|
//! | issue, pull request | its number in the repository, `12` |
//! | comment on an issue or a pull request | `comment:` and its `id`, `comment:3456` |
//! | comment on a line | `review_comment:` and its `id` |
//! | review | `review:` and its `id` (`fullDatabaseId` or `databaseId` in GraphQL) |
//! | notification | its `id` |
//!
//! These are known from REST, GraphQL and webhooks alike. Node ids are not used: GitHub has two formats of them,
//! and not every API gives the same one.
//!
//! # What a page's items are
//!
//! Each is what REST sent, byte for byte, and is told by its own fields; or an object of the family's with
//! parts that GitHub sent:
//!
//! | Item | Told by |
//! |---|---|
//! | issue, as REST lists it; a pull request among them has `pull_request` | `number` and `title`, and an address of an issue |
//! | pull request, as REST has it | `number` and `title`, and an address of a pull request or `head` |
//! | comment on a line | `pull_request_review_id`, or `pull_request_url` and `path` |
//! | review | `state`, and `pull_request_url` or `submitted_at` |
//! | comment | `issue_url` |
//! | notification | `subject` and `reason` |
//! | `{"rest": …, "graphql": …}`: a pull request, as an issue or a pull request of REST, and beside it what GraphQL knows of it ([`PULL`]) | `rest` |
//! | `{"review": …, "number": 12, "repository_url": "…"}`: a review by GraphQL ([`REVIEW`]), the number of its pull request, and the repository's address in the API | `review` |

mod adapter;
mod address;
mod api;
mod comment;
mod details;
mod graphql;
mod kind;
mod list;
mod normalize;
mod notification;
mod notifications;
mod people;
mod pull;
mod pulls;
mod repository;
mod seen;
mod streams;
mod sync;
mod wire;

pub use self::adapter::{GitHub, SERVICE};
pub use self::normalize::GitHubNormalizer;

/// The stream of the user's notifications. No repository has such an id.
pub const NOTIFICATIONS: &str = "notifications";

/// What GraphQL is asked of a pull request; its reviews are taken out of it before it becomes part of an item.
/// Types that are not in these places on every server are not named: a query with one is refused as a whole.
pub const PULL: &str = "number isDraft merged mergedAt mergeable reviewDecision headRefName headRefOid \
    isCrossRepository headRepositoryOwner { login } baseRefName additions deletions changedFiles \
    mergedBy { __typename login ... on User { databaseId } ... on Bot { databaseId } } \
    commits(last: 1) { nodes { commit { statusCheckRollup { state } } } } \
    reviewRequests(first: 100) { nodes { requestedReviewer { __typename ... on Actor { login } \
    ... on User { databaseId } ... on Team { name slug databaseId } } } }";

/// What GraphQL is asked of a review.
pub const REVIEW: &str = "fullDatabaseId databaseId state body submittedAt updatedAt url \
    author { __typename login ... on User { databaseId } ... on Bot { databaseId } }";
