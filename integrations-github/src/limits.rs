//! How much may be asked of GitHub at once?

use std::time::Duration;

use integrations_core::resilience::{Calls, Cost, Limits, Quota, Scope};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The class of calls that make something which others see.
const CONTENT: &str = "content";
/// The class of queries.
const QUERY: &str = "graphql";

/// Items per page of a listing at most.
pub(crate) const PER_PAGE: u32 = 100;
/// Notifications per page at most.
pub(crate) const NOTIFICATIONS_PER_PAGE: u32 = 50;
/// Pull requests that one query asks for. GitHub gives up on a query after ten seconds.
pub(crate) const PULLS_PER_QUERY: usize = 50;
/// Reviews of each that come with it.
pub(crate) const REVIEWS_PER_QUERY: u32 = 50;

/// Of the API.
///
/// How many calls an hour has is no number to be written down: 5,000 for a user, shared by all applications that
/// act for the user; 15,000 in an organisation of Enterprise Cloud; up to 12,500 for an installation; as many
/// points again for GraphQL; and nothing is taken for an answer of 304. Every answer says what is left, and that
/// is followed, for REST and for GraphQL apart.
///
/// What is written down are GitHub's secondary limits: points a minute for each endpoint, of which a read costs 1
/// and a write 5, and for GraphQL; 80 calls a minute and 500 an hour that make content; 100 at once, REST and
/// GraphQL together. A search is counted apart, 30 a minute.
#[rustfmt::skip]
pub const LIMITS: Limits = Limits::new(&[
    // A connection looks at each of its repositories in turn, and then rests.
    Quota::new(Scope::Connection, 900, MINUTE).of(Calls::Each).burst(300),
    Quota::new(Scope::Connection, 2_000, MINUTE).of(Calls::Class(QUERY)).burst(300),
    Quota::new(Scope::Connection, 80, MINUTE).of(Calls::Class(CONTENT)).of_requests(),
    Quota::new(Scope::Connection, 500, HOUR).of(Calls::Class(CONTENT)).of_requests(),
    Quota::new(Scope::Connection, 30, MINUTE).of(Calls::Operation("search.issues-and-pull-requests")),
])
.costs(&[
    Cost::new("graphql.pulls", 1).class(QUERY),
    Cost::new("graphql.reviews", 1).class(QUERY),
    Cost::new("issues.create", 5).class(CONTENT),
    Cost::new("issues.create-comment", 5).class(CONTENT),
    Cost::new("pulls.create", 5).class(CONTENT),
    Cost::new("repos.create-webhook", 5).class(CONTENT),
    Cost::new("issues.update", 5),
    Cost::new("issues.update-comment", 5),
    Cost::new("issues.delete-comment", 5),
    Cost::new("issues.add-labels", 5),
    Cost::new("issues.remove-label", 5),
    Cost::new("issues.add-assignees", 5),
    Cost::new("issues.remove-assignees", 5),
    Cost::new("pulls.update", 5),
    Cost::new("repos.update-webhook", 5),
    Cost::new("repos.delete-webhook", 5),
    Cost::new("activity.mark-notifications-as-read", 5),
    Cost::new("activity.mark-thread-as-read", 5),
])
.told(Scope::Connection, Calls::EachClass)
.concurrent(100)
.fallback_wait(MINUTE);

/// Of GraphQL by itself, for calls of the host's own: points by the nodes that a query may touch, which the
/// request states, 1 at least.
#[rustfmt::skip]
pub const GRAPHQL: Limits = Limits::new(&[
    Quota::new(Scope::Connection, 5_000, HOUR),
    Quota::new(Scope::Connection, 2_000, MINUTE),
])
.concurrent(100)
.fallback_wait(MINUTE);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_costs_five_reads() {
        assert_eq!((LIMITS.cost("issues.create", 1), LIMITS.cost("issues.list-for-repo", 1)), (5, 1));
        assert_eq!(LIMITS.class("issues.create"), Some(CONTENT));
        assert_eq!((LIMITS.class("issues.update"), GRAPHQL.cost("graphql", 7)), (None, 7));
    }
}
