//! What does a provider allow?
//!
//! Quotas and costs as data: a provider's `limits.rs` is one `const` [`Limits`] table. Nothing here
//! counts or waits.
//!
//! ```
//! use std::time::Duration;
//! use integrations_core::resilience::{Calls, Cost, Limits, Quota, Scope};
//!
//! const MINUTE: Duration = Duration::from_secs(60);
//!
//! /// Calendar: 10,000 requests a minute for the project, 600 of them for each user.
//! const CALENDAR: Limits = Limits::new(&[
//!     Quota::new(Scope::App, 10_000, MINUTE),
//!     Quota::new(Scope::Connection, 600, MINUTE),
//! ]);
//!
//! /// Gmail: 6,000 units a minute for each user.
//! const GMAIL: Limits = Limits::new(&[
//!     Quota::new(Scope::App, 1_200_000, MINUTE),
//!     Quota::new(Scope::Connection, 6_000, MINUTE),
//! ])
//! .costs(&[Cost::new("messages.get", 20), Cost::new("messages.list", 5), Cost::new("send", 100)]);
//!
//! /// Slack: each method by its tier, for the whole workspace; so do its 429s speak.
//! const SLACK: Limits = Limits::new(&[
//!     Quota::new(Scope::Group, 20, MINUTE).of(Calls::EachOf("tier 2")),
//!     Quota::new(Scope::Group, 50, MINUTE).of(Calls::EachOf("tier 3")),
//! ])
//! .costs(&[Cost::new("users.list", 1).class("tier 2"), Cost::new("conversations.history", 1).class("tier 3")])
//! .told(Scope::Group, Calls::Each);
//!
//! /// Graph: 10,000 requests in 10 minutes and 4 at once for each mailbox.
//! const OUTLOOK: Limits =
//!     Limits::new(&[Quota::new(Scope::Connection, 10_000, Duration::from_secs(600))]).concurrent(4);
//!
//! /// GitHub: 5,000 requests an hour; and 900 points a minute for each endpoint, a write being 5.
//! const GITHUB: Limits = Limits::new(&[
//!     Quota::new(Scope::Connection, 5_000, Duration::from_secs(3_600)).of_requests(),
//!     Quota::new(Scope::Connection, 900, MINUTE).of(Calls::Each),
//! ])
//! .costs(&[Cost::new("issues.create", 5)]);
//!
//! /// Zoom: so many a second of each class, for the whole account.
//! const ZOOM: Limits = Limits::new(&[
//!     Quota::new(Scope::Group, 30, Duration::from_secs(1)).of(Calls::Class("light")),
//!     Quota::new(Scope::Group, 20, Duration::from_secs(1)).of(Calls::Class("medium")),
//! ])
//! .costs(&[Cost::new("meetings.get", 1).class("light"), Cost::new("meetings.list", 1).class("medium")])
//! .told(Scope::Group, Calls::EachClass);
//!
//! assert_eq!(GMAIL.cost("send", 1), 100);
//! assert_eq!(CALENDAR.cost("events.list", 1), 1);
//! # let _ = (SLACK, OUTLOOK, GITHUB, ZOOM);
//! ```

use std::time::Duration;

/// Whose calls a quota counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// All calls of the application, over all connections.
    App,
    /// The calls for what several connections have in common at the provider: a Slack workspace, a Zoom
    /// account, a Microsoft tenant. See [`Call::group`](super::Call::group).
    Group,
    /// The calls of one connection.
    Connection,
}

/// Which operations a quota counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Calls {
    /// All of them.
    All,
    /// Each operation by itself.
    Each,
    /// One operation.
    Operation(&'static str),
    /// The operations of one class.
    Class(&'static str),
    /// Each operation of one class by itself.
    EachOf(&'static str),
    /// The operations of each class together, and those without a class together.
    EachClass,
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Counts {
    /// What the calls cost.
    Units,
    /// The calls, whatever they cost.
    Requests,
}

/// So many units in so much time.
///
/// No window of length [`per`](Self::per), wherever it starts, sees more than [`units`](Self::units).
/// What can go at once is paid for with the steady rate, which is `(units - burst + 1) / per`, less 1 %
/// (2 s of a window at the most) for what the network does to the times between calls. With the default
/// burst, at least 96 % of a quota can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// Whose calls are counted.
    pub scope: Scope,
    /// Which operations are counted.
    pub calls: Calls,
    /// What is counted.
    pub counts: Counts,
    /// How many units.
    pub units: u32,
    /// The window.
    pub per: Duration,
    /// How many units may go at once after a rest, between 1 and [`units`](Self::units); 2.5 % of them
    /// by default. It is raised to the cost of the dearest call.
    pub burst: u32,
}

impl Quota {
    /// So many units of all operations.
    ///
    /// # Panics
    /// When `units` or `per` is zero; in a `const`, that fails to compile.
    pub const fn new(scope: Scope, units: u32, per: Duration) -> Self {
        assert!(units > 0 && !per.is_zero(), "a quota allows something, in some time");
        let burst = if units < 40 { 1 } else { units / 40 };
        Self { scope, calls: Calls::All, counts: Counts::Units, units, per, burst }
    }

    /// Counts only those operations.
    pub const fn of(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// Counts the calls, not what they cost.
    pub const fn of_requests(mut self) -> Self {
        self.counts = Counts::Requests;
        self
    }

    /// Sets how many units may go at once.
    pub const fn burst(mut self, units: u32) -> Self {
        self.burst = if units == 0 {
            1
        } else if units > self.units {
            self.units
        } else {
            units
        };
        self
    }
}

/// What one call of an operation costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// The operation, e.g. `events.list`.
    pub operation: &'static str,
    /// How many of the provider's units.
    pub units: u32,
    /// The class that the provider puts the operation in, e.g. a tier.
    pub class: Option<&'static str>,
}

impl Cost {
    /// The cost of an operation without a class.
    pub const fn new(operation: &'static str, units: u32) -> Self {
        Self { operation, units, class: None }
    }

    /// Puts the operation in a class.
    pub const fn class(mut self, class: &'static str) -> Self {
        self.class = Some(class);
        self
    }
}

/// Everything that a service says of its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The quotas; a call must fit in every one that counts it.
    pub quotas: &'static [Quota],
    /// The operations that cost more than 1 unit or have a class.
    pub costs: &'static [Cost],
    /// How many calls of a connection may be under way at once; no limit by default.
    pub concurrent: Option<u32>,
    /// How long to wait after a 429 that names no time; doubled with every further one in a row, up to
    /// 16 times. 60 s by default.
    pub fallback_wait: Duration,
    /// Whose calls a 429 or a header with the remaining units speaks of: those of the connection, by
    /// default.
    pub told_scope: Scope,
    /// Which operations it speaks of: all of them, by default.
    pub told_calls: Calls,
}

impl Limits {
    /// What is known of a service that says nothing: no quota. Its 429s and headers are followed.
    pub const UNKNOWN: Self = Self::new(&[]);

    /// Quotas, with the defaults for the rest.
    pub const fn new(quotas: &'static [Quota]) -> Self {
        Self {
            quotas,
            costs: &[],
            concurrent: None,
            fallback_wait: Duration::from_secs(60),
            told_scope: Scope::Connection,
            told_calls: Calls::All,
        }
    }

    /// Sets the costs and classes of the operations.
    pub const fn costs(mut self, costs: &'static [Cost]) -> Self {
        self.costs = costs;
        self
    }

    /// Sets how many calls of a connection may be under way at once.
    pub const fn concurrent(mut self, calls: u32) -> Self {
        self.concurrent = Some(calls);
        self
    }

    /// Sets how long to wait after a 429 that names no time.
    pub const fn fallback_wait(mut self, wait: Duration) -> Self {
        self.fallback_wait = wait;
        self
    }

    /// Sets whom and what the provider's 429s and headers speak of.
    pub const fn told(mut self, scope: Scope, calls: Calls) -> Self {
        self.told_scope = scope;
        self.told_calls = calls;
        self
    }

    /// What a call costs: by the table, or what the request says if that is more.
    pub fn cost(&self, operation: &str, request: u32) -> u32 {
        self.entry(operation).map_or(1, |cost| cost.units).max(request)
    }

    /// The class of an operation.
    pub fn class(&self, operation: &str) -> Option<&'static str> {
        self.entry(operation).and_then(|cost| cost.class)
    }

    fn entry(&self, operation: &str) -> Option<&'static Cost> {
        self.costs.iter().find(|cost| cost.operation == operation)
    }

    /// What an operation is counted under, or `None` where it is not counted.
    #[cfg(feature = "governor")]
    pub(super) fn counted(&self, calls: Calls, operation: &'static str) -> Option<&'static str> {
        match calls {
            Calls::All => Some(""),
            Calls::Each => Some(operation),
            Calls::Operation(one) => (one == operation).then_some(""),
            Calls::Class(class) => (self.class(operation) == Some(class)).then_some(""),
            Calls::EachOf(class) => (self.class(operation) == Some(class)).then_some(operation),
            Calls::EachClass => Some(self.class(operation).unwrap_or_default()),
        }
    }

    /// The cost of the dearest call that a quota counts, as far as the table knows.
    #[cfg(feature = "governor")]
    pub(super) fn dearest(&self, quota: &Quota) -> u32 {
        match quota.counts {
            Counts::Requests => 1,
            Counts::Units => self
                .costs
                .iter()
                .filter(|cost| self.counted(quota.calls, cost.operation).is_some())
                .map(|cost| cost.units)
                .fold(1, u32::max),
        }
    }
}
