//! What is an item, and which id has its record?
//!
//! GitHub does not say what an object is; what it has tells. Its numeric ids are unique among things of one sort
//! alone, and a comment names its issue by the issue's number and by nothing else. So the records of a
//! repository's stream are named by sort and number, as the addresses of the API are:
//!
//! | Record | Id | Number |
//! |---|---|---|
//! | issue, pull request | `42` | `number`; the two share their numbers |
//! | comment | `comment:7` | `id` |
//! | comment on a place in a change | `review_comment:7` | `id` |
//! | review | `review:7` | `id` |
//! | notification | `7` | `id`; in a stream of their own |
//!
//! So a pull request is the same record whether a list of issues or one of pull requests shows it, and whatever
//! names an item (a webhook, a 404 for its address) names its record.

use integrations_core::model::Raw;
use serde_json::Value;

use super::address::{Address, digits};

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An issue, or a pull request in either of its shapes.
    Issue,
    Comment,
    ReviewComment,
    Review,
    Notification,
}

/// What something is that has these fields; `url` is where it says that it is, and `None` for something else.
pub(super) fn kind(has: impl Fn(&'static str) -> bool, url: Option<Address<'_>>) -> Option<Kind> {
    if has("review") {
        return Some(Kind::Review);
    }
    if has("subject") && has("reason") {
        return Some(Kind::Notification);
    }
    if has("number") && has("title") {
        // Milestones and discussions have both, too.
        return url.is_none_or(|url| url.number().is_some()).then_some(Kind::Issue);
    }
    if has("pull_request_review_id") || (has("pull_request_url") && has("path")) {
        return Some(Kind::ReviewComment);
    }
    if has("state") && (has("pull_request_url") || has("submitted_at")) {
        return Some(Kind::Review);
    }
    has("issue_url").then_some(Kind::Comment)
}

/// The id of an issue's or a pull request's record.
pub(super) fn issue_id(number: u64) -> String {
    number.to_string()
}

/// The id of a comment's record.
pub(super) fn comment_id(id: &str) -> String {
    ["comment:", id].concat()
}

/// The id of the record of a comment on a place in a change.
pub(super) fn review_comment_id(id: &str) -> String {
    ["review_comment:", id].concat()
}

/// The id of a review's record.
pub(super) fn review_id(id: &str) -> String {
    ["review:", id].concat()
}

/// The id that the record of an item would have that cannot be read as a whole.
#[cold]
pub(super) fn id_of_unreadable(item: &Raw) -> Option<String> {
    let item: Value = serde_json::from_slice(item.as_bytes()).ok()?;
    let item = item.get("rest").unwrap_or(&item);
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let number = |name: &str| match item.get("review").unwrap_or(item).get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => digits(text),
        _ => None,
    };
    let url = text("url").and_then(Address::api);
    let address = url.or_else(|| text("html_url").and_then(Address::page));
    let names = ["id", "fullDatabaseId", "databaseId"];
    let id = || names.into_iter().find_map(number).map(|id| id.to_string());
    let known = match kind(|name| item.get(name).is_some_and(|value| !value.is_null()), address) {
        Some(Kind::Issue) => number("number").map(issue_id),
        Some(Kind::Comment) => id().as_deref().map(comment_id),
        Some(Kind::ReviewComment) => id().as_deref().map(review_comment_id),
        Some(Kind::Review) => id().as_deref().map(review_id),
        Some(Kind::Notification) => text("id").map(str::to_owned).or_else(id),
        None => None,
    };
    let by_address = |url: Address<'_>| {
        let of = |id: Option<u64>, name: fn(&str) -> String| id.map(|id| name(&id.to_string()));
        let comment = || of(url.comment(), comment_id).or(of(url.review_comment(), review_comment_id));
        url.number().map(issue_id).or_else(comment)
    };
    known.or_else(|| by_address(url?))
}
