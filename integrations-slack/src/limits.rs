//! How much may be asked of Slack at once?
//!
//! Slack puts each method in a tier and counts it by itself, for each workspace and app; so do its 429s
//! speak. It states what is allowed at least, and takes short bursts.

use std::time::Duration;

use integrations_core::resilience::{Calls, Cost, Limits, Quota, Scope};

/// Users per page of `users.list`, and conversations per page of `users.conversations`: as many as Slack advises.
pub(crate) const ENTRIES_PER_PAGE: u32 = 200;
/// Messages per page of `conversations.history` and `conversations.replies`: as many as Slack advises.
pub(crate) const MESSAGES_PER_PAGE: u32 = 200;
/// The same, where reading messages is restricted: as many as Slack gives.
pub(crate) const RESTRICTED_MESSAGES_PER_PAGE: u32 = 15;

const MINUTE: Duration = Duration::from_secs(60);

const TIER_2: &str = "tier 2";
const TIER_3: &str = "tier 3";
const TIER_4: &str = "tier 4";
/// Tier 3, or once a minute: see [`RESTRICTED`].
const HISTORY: &str = "history";
/// About one message a second in a channel. It is not known which channel: the connection stands for it.
const POST: &str = "post";

/// The tier of each method; those that are not named here have none, or a special one of hundreds a minute.
#[rustfmt::skip]
const COSTS: &[Cost] = &[
    Cost::new("conversations.list", 1).class(TIER_2),
    Cost::new("users.list", 1).class(TIER_2),
    Cost::new("reactions.remove", 1).class(TIER_2),
    Cost::new("users.conversations", 1).class(TIER_3),
    Cost::new("conversations.info", 1).class(TIER_3),
    Cost::new("conversations.open", 1).class(TIER_3),
    Cost::new("conversations.join", 1).class(TIER_3),
    Cost::new("users.lookupByEmail", 1).class(TIER_3),
    Cost::new("chat.update", 1).class(TIER_3),
    Cost::new("chat.delete", 1).class(TIER_3),
    Cost::new("reactions.add", 1).class(TIER_3),
    Cost::new("reactions.get", 1).class(TIER_3),
    Cost::new("conversations.members", 1).class(TIER_4),
    Cost::new("users.info", 1).class(TIER_4),
    Cost::new("conversations.history", 1).class(HISTORY),
    Cost::new("conversations.replies", 1).class(HISTORY),
    Cost::new("chat.postMessage", 1).class(POST),
];

/// Of apps that are in Slack's Marketplace or are a customer's own.
#[rustfmt::skip]
pub const LIMITS: Limits = Limits::new(&[
    Quota::new(Scope::Group,      20,  MINUTE).of(Calls::EachOf(TIER_2)),
    Quota::new(Scope::Group,      50,  MINUTE).of(Calls::EachOf(TIER_3)),
    Quota::new(Scope::Group,      100, MINUTE).of(Calls::EachOf(TIER_4)),
    Quota::new(Scope::Group,      50,  MINUTE).of(Calls::EachOf(HISTORY)),
    Quota::new(Scope::Connection, 60,  MINUTE).of(Calls::EachOf(POST)),
])
.costs(COSTS)
.fallback_wait(Duration::from_secs(30))
.told(Scope::Group, Calls::Each);

/// Of apps that are sold outside Slack's Marketplace, since 29 May 2025: messages are read once a minute,
/// 15 at a time.
#[rustfmt::skip]
pub const RESTRICTED: Limits = Limits::new(&[
    Quota::new(Scope::Group,      20,  MINUTE).of(Calls::EachOf(TIER_2)),
    Quota::new(Scope::Group,      50,  MINUTE).of(Calls::EachOf(TIER_3)),
    Quota::new(Scope::Group,      100, MINUTE).of(Calls::EachOf(TIER_4)),
    Quota::new(Scope::Group,      1,   MINUTE).of(Calls::EachOf(HISTORY)),
    Quota::new(Scope::Connection, 60,  MINUTE).of(Calls::EachOf(POST)),
])
.costs(COSTS)
.fallback_wait(Duration::from_secs(30))
.told(Scope::Group, Calls::Each);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_has_a_quota() {
        for limits in [LIMITS, RESTRICTED] {
            for cost in limits.costs {
                let tier = cost.class.unwrap();
                assert!(limits.quotas.iter().any(|quota| quota.calls == Calls::EachOf(tier)), "{tier}");
            }
        }
    }
}
