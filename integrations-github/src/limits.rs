//! How much may be asked of GitHub at once?

use std::time::Duration;

use integrations_core::resilience::{Calls, Cost, Limits, Quota, Scope};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The class of calls that make something which others see.
const CONTENT: &str = "content";

/// Of the REST API.
///
/// A user's 5,000 calls an hour are shared by all applications that act for the user; an organisation of
/// Enterprise Cloud has 15,000. The rest are GitHub's secondary limits: points a minute for each endpoint,
/// of which a read costs 1 and a write 5; 80 calls a minute and 500 an hour that make content; 100 at
/// once, REST and GraphQL together. A search is counted apart, 30 a minute.
#[rustfmt::skip]
pub const LIMITS: Limits = Limits::new(&[
    Quota::new(Scope::Connection, 5_000, HOUR).of_requests(),
    Quota::new(Scope::Connection, 900, MINUTE).of(Calls::Each),
    Quota::new(Scope::Connection, 80, MINUTE).of(Calls::Class(CONTENT)).of_requests(),
    Quota::new(Scope::Connection, 500, HOUR).of(Calls::Class(CONTENT)).of_requests(),
    Quota::new(Scope::Connection, 30, MINUTE).of(Calls::Operation("search.issues-and-pull-requests")),
])
.costs(&[
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
.concurrent(100)
.fallback_wait(MINUTE);

/// Of GraphQL: points by the nodes that a query may touch, which the request states, 1 at least.
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
