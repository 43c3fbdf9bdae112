//! How much may be asked of Zoom at once?
//!
//! Zoom puts each operation in a class (the header `X-RateLimit-Category`) and counts the calls of a class
//! for the whole account, over all apps and users. Meetings made and changed are counted apart: 100 a day
//! for each host.

use std::time::Duration;

use integrations_core::resilience::{Calls, Cost, Limits, Quota, Scope};

/// How many rows a page of a list has: Zoom gives no fewer than it likes, and no more.
pub(crate) const ROWS_PER_PAGE: (u32, u32) = (30, 300);
/// How many items a page of the engine's has at the most; each takes a call or more of its own.
pub(crate) const ITEMS_PER_PAGE: usize = 50;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

const LIGHT: &str = "light";
const MEDIUM: &str = "medium";
const HEAVY: &str = "heavy";
const INTENSIVE: &str = "resource-intensive";
/// Zoom's `light` and `medium` calls that make or change a meeting have a class of their own here, for the
/// 100 a day; they are few enough to need no other quota.
const WRITE: &str = "write";

/// The class of each operation; what is not named here is counted under none.
#[rustfmt::skip]
const COSTS: &[Cost] = &[
    Cost::new("users.me", 1).class(LIGHT),
    Cost::new("users.list", 1).class(MEDIUM),
    Cost::new("meetings.get", 1).class(LIGHT),
    Cost::new("meetings.delete", 1).class(LIGHT),
    Cost::new("meetings.end", 1).class(LIGHT),
    Cost::new("pastMeetings.get", 1).class(LIGHT),
    Cost::new("recordings.get", 1).class(LIGHT),
    Cost::new("meetings.list", 1).class(MEDIUM),
    Cost::new("pastMeetings.instances", 1).class(MEDIUM),
    Cost::new("pastMeetings.participants", 1).class(MEDIUM),
    Cost::new("recordings.list", 1).class(MEDIUM),
    Cost::new("reports.participants", 1).class(HEAVY),
    Cost::new("meetings.create", 1).class(WRITE),
    Cost::new("meetings.update", 1).class(WRITE),
];

/// Of an account with a Pro plan. A Business plan allows two to four times as much.
#[rustfmt::skip]
pub const LIMITS: Limits = Limits::new(&[
    Quota::new(Scope::Group,      30,     SECOND).of(Calls::Class(LIGHT)),
    Quota::new(Scope::Group,      20,     SECOND).of(Calls::Class(MEDIUM)),
    Quota::new(Scope::Group,      10,     SECOND).of(Calls::Class(HEAVY)),
    Quota::new(Scope::Group,      30_000, DAY).of(Calls::Class(HEAVY)),
    Quota::new(Scope::Group,      10,     MINUTE).of(Calls::Class(INTENSIVE)),
    Quota::new(Scope::Connection, 100,    DAY).of(Calls::Class(WRITE)).burst(20),
])
.costs(COSTS)
.fallback_wait(Duration::from_secs(2))
.told(Scope::Group, Calls::EachClass);

/// Of an account without a paid plan.
#[rustfmt::skip]
pub const FREE: Limits = Limits::new(&[
    Quota::new(Scope::Group,      4,      SECOND).of(Calls::Class(LIGHT)),
    Quota::new(Scope::Group,      6_000,  DAY).of(Calls::Class(LIGHT)),
    Quota::new(Scope::Group,      2,      SECOND).of(Calls::Class(MEDIUM)),
    Quota::new(Scope::Group,      2_000,  DAY).of(Calls::Class(MEDIUM)),
    Quota::new(Scope::Group,      1,      SECOND).of(Calls::Class(HEAVY)),
    Quota::new(Scope::Group,      1_000,  DAY).of(Calls::Class(HEAVY)),
    Quota::new(Scope::Group,      10,     MINUTE).of(Calls::Class(INTENSIVE)),
    Quota::new(Scope::Connection, 100,    DAY).of(Calls::Class(WRITE)).burst(20),
])
.costs(COSTS)
.fallback_wait(Duration::from_secs(2))
.told(Scope::Group, Calls::EachClass);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_a_quota() {
        for limits in [LIMITS, FREE] {
            for cost in limits.costs {
                let class = cost.class.unwrap();
                let counted = limits.quotas.iter().any(|quota| quota.calls == Calls::Class(class));
                assert!(counted, "{class}");
            }
        }
    }
}
