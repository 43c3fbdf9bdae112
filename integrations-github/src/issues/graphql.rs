//! What does GraphQL send?
//!
//! The answers to [`PULL`](super::PULL) and [`REVIEW`](super::REVIEW). Anything may be missing or null, also for
//! want of a permission; what is asked of one thing and not of the other stays without a value.

use serde::Deserialize;

use super::wire::{Stamp, Time, WireId, Word};

/// What GraphQL says of a pull request. Anything may be missing or null, also for want of a permission.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PullDetails<'a> {
    pub merged: Option<bool>,
    pub is_draft: Option<bool>,
    pub merged_at: Option<Time>,
    pub merged_by: Option<WireActor<'a>>,
    #[serde(borrow)]
    pub mergeable: Option<Word<'a>>,
    pub review_decision: Option<Word<'a>>,
    pub head_ref_name: Option<String>,
    pub head_ref_oid: Option<String>,
    pub head_repository_owner: Option<WireOwner<'a>>,
    pub is_cross_repository: Option<bool>,
    pub base_ref_name: Option<String>,
    pub additions: Option<u64>,
    pub deletions: Option<u64>,
    pub changed_files: Option<u64>,
    pub review_requests: Option<Nodes<WireRequest<'a>>>,
    pub commits: Option<Nodes<WireCommitNode<'a>>>,
}

/// A connection's page.
#[derive(Deserialize)]
pub(super) struct Nodes<T> {
    pub nodes: Option<Vec<Option<T>>>,
}

#[derive(Deserialize)]
pub(super) struct WireOwner<'a> {
    #[serde(borrow)]
    pub login: Option<Word<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRequest<'a> {
    #[serde(borrow)]
    pub requested_reviewer: Option<WireActor<'a>>,
}

/// A user, a program, a team.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireActor<'a> {
    #[serde(rename = "__typename", borrow)]
    pub kind: Option<Word<'a>>,
    pub login: Option<String>,
    pub database_id: Option<WireId>,
    pub name: Option<String>,
    pub slug: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireCommitNode<'a> {
    #[serde(borrow)]
    pub commit: Option<WireCommit<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireCommit<'a> {
    #[serde(borrow)]
    pub status_check_rollup: Option<WireRollup<'a>>,
}

#[derive(Deserialize)]
pub(super) struct WireRollup<'a> {
    #[serde(borrow)]
    pub state: Option<Word<'a>>,
}

/// A review, as part of a pull request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphReview<'a> {
    pub full_database_id: Option<WireId>,
    pub database_id: Option<WireId>,
    #[serde(borrow)]
    pub state: Option<Word<'a>>,
    pub body: Option<String>,
    pub submitted_at: Option<Time>,
    pub updated_at: Option<Stamp>,
    pub url: Option<String>,
    #[serde(borrow)]
    pub author: Option<WireActor<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::{PULL, REVIEW};

    /// The fields that a query asks for, without what it asks for within them.
    fn fields(query: &str) -> Vec<String> {
        let mut depth = 0;
        let top: String = query
            .chars()
            .map(|char| {
                depth += i32::from("{(".contains(char));
                depth -= i32::from("})".contains(char));
                if depth == 0 && char.is_alphanumeric() { char } else { ' ' }
            })
            .collect();
        top.split_whitespace().map(str::to_owned).collect()
    }

    /// Whether a field is looked at: what it can never be is refused.
    fn reads<'a, T: Deserialize<'a>>(item: &'a str) -> bool {
        serde_json::from_str::<T>(item).is_err()
    }

    #[test]
    fn all_that_is_asked_for_is_read() {
        let (pull, review) = (fields(PULL), fields(REVIEW));
        assert_eq!((pull.len(), review.len()), (17, 8), "{pull:?} {review:?}");
        let never = |field: &String| format!(r#"{{"{field}":-1.5}}"#);
        // The number stands in REST's part, too.
        for item in pull.iter().filter(|field| *field != "number").map(never) {
            assert!(reads::<PullDetails<'_>>(&item), "{item}");
        }
        for item in review.iter().map(never) {
            assert!(reads::<GraphReview<'_>>(&item), "{item}");
        }
    }
}
