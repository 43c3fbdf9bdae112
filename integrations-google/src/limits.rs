//! How much may be asked of Google at once?

use std::time::Duration;

use integrations_core::resilience::{Cost, Limits, Quota, Scope};

/// Calendars per page of `calendarList.list` at most.
pub(crate) const CALENDARS_PER_PAGE: u32 = 250;
/// Events per page of `events.list` at most.
pub(crate) const EVENTS_PER_PAGE: u32 = 2500;
/// Messages per page of `messages.list`, which are read with it. Google would name 500.
pub(crate) const MESSAGES_PER_PAGE: u32 = 100;
/// Changes per page of `history.list`, and messages that are read with it. Google would name 500 changes.
pub(crate) const CHANGES_PER_PAGE: u32 = 100;
/// Messages that one batch asks for. Google would take 100, and refuse most of them: it works on the parts at
/// once, and a user may not have many calls under way at once.
pub(crate) const MESSAGES_PER_BATCH: usize = 10;
/// Batches of a stream under way at once.
pub(crate) const BATCHES_AT_ONCE: usize = 2;
/// Lists per page of `tasklists.list` at most.
pub(crate) const LISTS_PER_PAGE: u32 = 1000;
/// Tasks per page of `tasks.list` at most.
pub(crate) const TASKS_PER_PAGE: u32 = 100;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Of Calendar, for a project that has used it first since May 2026. Older projects keep what they have.
/// Writes to one calendar in quick succession are throttled besides, at no stated rate.
#[rustfmt::skip]
pub const CALENDAR: Limits = Limits::new(&[
    Quota::new(Scope::App,        10_000, MINUTE),
    Quota::new(Scope::Connection, 600,    MINUTE),
]);

/// Of Gmail, in its quota units, for a new project; an older one has 15,000 a minute for each user. A batch
/// costs as much as its parts.
#[rustfmt::skip]
pub const GMAIL: Limits = Limits::new(&[
    Quota::new(Scope::App,        1_200_000,  MINUTE),
    // A batch of messages goes at once. The larger the burst, the less of the quota can be used.
    Quota::new(Scope::Connection, 6_000,      MINUTE).burst(200),
    // Past this, a project is billed.
    Quota::new(Scope::App,        80_000_000, DAY),
])
.costs(&[
    Cost::new("getProfile", 1),
    Cost::new("labels.get", 1),
    Cost::new("labels.list", 1),
    Cost::new("history.list", 2),
    Cost::new("labels.create", 5),
    Cost::new("labels.patch", 5),
    Cost::new("labels.delete", 5),
    Cost::new("messages.list", 5),
    Cost::new("messages.modify", 5),
    Cost::new("messages.trash", 5),
    Cost::new("messages.untrash", 5),
    Cost::new("messages.attachments.get", 5),
    // The dearer of two tables: older projects pay 5 for a message and 10 for a thread.
    Cost::new("messages.get", 20),
    Cost::new("threads.get", 40),
    Cost::new("messages.import", 25),
    Cost::new("messages.insert", 25),
    Cost::new("messages.batchModify", 50),
    Cost::new("messages.batchDelete", 50),
    Cost::new("stop", 50),
    Cost::new("messages.send", 100),
    Cost::new("watch", 100),
]);

/// Of Tasks.
pub const TASKS: Limits = Limits::new(&[Quota::new(Scope::App, 50_000, DAY)]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_costs_more_than_a_user_has() {
        let most = GMAIL.costs.iter().map(|cost| cost.units).max().unwrap();
        assert!(GMAIL.quotas.iter().all(|quota| quota.units > most));
        assert_eq!((GMAIL.cost("messages.get", 1), CALENDAR.cost("events.list", 1)), (20, 1));
        let batch = GMAIL.cost("messages.get", 1) * u32::try_from(MESSAGES_PER_BATCH).unwrap();
        assert_eq!(GMAIL.quotas[1].burst, batch, "a batch is not held back to be let through piece by piece");
    }
}
