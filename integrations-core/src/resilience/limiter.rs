//! May this call go now?
//!
//! [`RateLimiter`] answers as data and never sleeps: waiting is the [`Turnstile`](super::Turnstile)'s.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::connection::{ConnectionId, ServiceId};
use crate::error::{ErrorKind, Result};
use crate::http::{Priority, Request};

/// A call that wants to be made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Call {
    /// The service.
    pub service: ServiceId,
    /// The connection.
    pub connection: ConnectionId,
    /// What the connection shares quotas with at the provider (a workspace, an account, a tenant).
    /// Without it, the connection is its own group.
    pub group: Option<Arc<str>>,
    /// The operation, e.g. `events.list`.
    pub operation: &'static str,
    /// What it costs, in the provider's units; 1 by default. Where the service's table of costs says
    /// more, the table counts.
    pub cost: u32,
    /// Who waits for it; nobody, by default.
    pub priority: Priority,
}

impl Call {
    /// A call of cost 1 that nobody waits for.
    pub fn new(
        service: impl Into<ServiceId>,
        connection: impl Into<ConnectionId>,
        operation: &'static str,
    ) -> Self {
        Self {
            service: service.into(),
            connection: connection.into(),
            group: None,
            operation,
            cost: 1,
            priority: Priority::default(),
        }
    }

    /// The call that a request makes.
    pub fn of(service: &ServiceId, connection: &ConnectionId, request: &Request) -> Self {
        Self::new(service, connection, request.operation).cost(request.cost).priority(request.priority)
    }

    /// Sets the cost.
    pub fn cost(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }

    /// Sets the priority.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Names what the connection shares quotas with.
    pub fn group(mut self, group: impl Into<Arc<str>>) -> Self {
        self.group = Some(group.into());
        self
    }
}

/// A point of time, on both of a [`Clock`]'s scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The wall-clock time: only for what the provider or another process named by it.
    pub wall: DateTime<Utc>,
    /// The monotonic time: everything that is measured here.
    pub monotonic: Duration,
}

impl Moment {
    /// Now, on that clock.
    pub fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), monotonic: clock.monotonic() }
    }
}

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It may go. Its units are taken; [`RateLimiter::release`] is owed.
    Ready,
    /// Not before this has passed. Nothing is taken.
    Wait {
        /// The least time that it takes, as far as is known.
        after: Duration,
        /// Who else has to wait.
        hold: Hold,
    },
    /// Other processes have a say: call [`RateLimiter::exchange`], then ask again. Nothing is taken.
    Exchange,
}

/// Who else has to wait when a call has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// Calls of the same operation and connection.
    Operation,
    /// Calls of the same connection.
    Connection,
    /// Every call of the service with the same or a lower priority.
    Service,
}

/// What an answer says of the provider's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// How the call ended.
    pub outcome: Reply,
    /// How many units the provider's window has.
    pub limit: Option<u32>,
    /// How many of them are left.
    pub remaining: Option<u32>,
    /// When the window starts anew, by the provider's clock.
    pub resets_at: Option<DateTime<Utc>>,
    /// Whether it speaks of the whole application, not of what [`Limits::told_scope`] says.
    ///
    /// [`Limits::told_scope`]: super::Limits::told_scope
    pub app_wide: bool,
}

/// How a call ended, as far as limits are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It was let through, whatever else came of it.
    Accepted,
    /// It was refused because there were too many.
    Throttled {
        /// How long to wait, where the provider said so.
        retry_after: Option<Duration>,
    },
    /// There is no telling: it got no answer, or one that says nothing of limits (a 5xx).
    Unknown,
}

impl Reply {
    /// What the end of a call says of the provider's limits.
    ///
    /// Only the provider can say that there were too many, and it says so with a status: an error of
    /// this process's own ([`quota_wait`](super::Turnstile::acquire), [`queue_full`](super::Bulkhead::acquire),
    /// those of a transport that limits itself) must not teach it to go slower still.
    pub fn of<T>(outcome: &Result<T>) -> Self {
        match outcome {
            Ok(_) => Self::Accepted,
            Err(error) => match (error.kind(), error.status()) {
                (ErrorKind::RateLimited, Some(_)) => Self::Throttled { retry_after: error.retry_after() },
                (ErrorKind::RateLimited, None) | (_, None | Some(500..)) => Self::Unknown,
                (_, Some(_)) => Self::Accepted,
            },
        }
    }
}

impl Observation {
    /// An answer without news.
    pub const fn new(outcome: Reply) -> Self {
        Self { outcome, limit: None, remaining: None, resets_at: None, app_wide: false }
    }

    /// A call that was let through.
    pub const fn accepted() -> Self {
        Self::new(Reply::Accepted)
    }

    /// A 429 or its like.
    pub const fn throttled(retry_after: Option<Duration>) -> Self {
        Self::new(Reply::Throttled { retry_after })
    }

    /// Adds what the headers say of the window.
    pub const fn window(mut self, limit: Option<u32>, remaining: u32, resets_at: DateTime<Utc>) -> Self {
        self.limit = limit;
        self.remaining = Some(remaining);
        self.resets_at = Some(resets_at);
        self
    }

    /// Says that it speaks of the whole application.
    pub const fn app_wide(mut self) -> Self {
        self.app_wide = true;
        self
    }
}

/// Decides which calls may go, and learns from what came of them.
///
/// Every [`Ready`](Decision::Ready) is followed by one [`release`](Self::release), and by one
/// [`observe`](Self::observe) if there was an answer; or by one [`settle`](Self::settle), which is both.
/// [`Turnstile`](super::Turnstile) sees to the first.
#[async_trait]
pub trait RateLimiter: fmt::Debug + Send + Sync + 'static {
    /// May the call go now? Takes its units if so. Never blocks.
    fn check(&self, call: &Call, now: Moment) -> Decision;

    /// The call is over; or it was never `sent`, and what was taken for it goes back.
    fn release(&self, call: &Call, sent: bool, now: Moment);

    /// Learns from an answer. What other processes should know of it waits for the next
    /// [`exchange`](Self::exchange).
    fn observe(&self, call: &Call, observation: &Observation, now: Moment);

    /// A call that was sent is over, and its answer says this. By default [`observe`](Self::observe), then
    /// [`release`](Self::release); a limiter that can do both at once saves a look at its state.
    fn settle(&self, call: &Call, observation: &Observation, now: Moment) {
        self.observe(call, observation, now);
        self.release(call, true, now);
    }

    /// Tells other processes what was learnt, and learns from them what matters for the call. Waits for
    /// storage, never for a quota. The default does nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Store`] where the call cannot be decided without storage.
    ///
    /// # Cancel safety
    /// At worst, a share of a quota that was being fetched stays unused.
    async fn exchange(&self, call: &Call, now: Moment) -> Result<()> {
        let _ = (call, now);
        Ok(())
    }
}

/// A limiter that lets every call through, for hosts that limit elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl RateLimiter for Unlimited {
    fn check(&self, _: &Call, _: Moment) -> Decision {
        Decision::Ready
    }

    fn release(&self, _: &Call, _: bool, _: Moment) {}

    fn observe(&self, _: &Call, _: &Observation, _: Moment) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn only_the_provider_can_say_that_there_were_too_many() {
        let wait = Duration::from_secs(7);
        let limited = || Error::from(ErrorKind::RateLimited).with_retry_after(wait);
        let throttled = Reply::Throttled { retry_after: Some(wait) };
        for (error, reply) in [
            (limited().with_status(429), throttled),
            (limited().with_status(403), throttled),
            (limited().with_status(503), throttled),
            // Slack and others say it with status 200.
            (limited().with_status(200), throttled),
            (limited(), Reply::Unknown),
            (limited().with_code("queue_full"), Reply::Unknown),
            (limited().with_code("quota_wait"), Reply::Unknown),
            (Error::from(ErrorKind::NotFound).with_status(404), Reply::Accepted),
            (Error::from(ErrorKind::ServiceUnavailable).with_status(503), Reply::Unknown),
            (Error::from(ErrorKind::Network), Reply::Unknown),
            (Error::from(ErrorKind::ReauthorizationRequired), Reply::Unknown),
        ] {
            let shown = error.to_string();
            assert_eq!(Reply::of(&Err::<(), _>(error)), reply, "{shown}");
        }
        assert_eq!(Reply::of(&Ok(())), Reply::Accepted);
    }
}
