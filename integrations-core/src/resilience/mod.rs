//! What keeps a bad hour of a provider, or of one user, from becoming everybody's?
//!
//! Decisions as data: nothing here sends, and only a call that waits for its turn sleeps. Time is passed
//! in. A call goes through in this order; the [`Pipeline`](crate::http::Pipeline) puts it together:
//!
//! 1. [`RateLimiter`], behind a [`Turnstile`]: does the provider's quota allow it, and whose turn is it?
//! 2. [`Bulkhead`]: how many calls may be under way at once?
//! 3. [`CircuitBreaker`]: is the provider worth a call at all?
//! 4. [`RetryPolicy`] and [`RetryBudget`]: is it worth another try, and when? The provider's own word,
//!    which [`hints`] reads, wins over every computed wait.

#[cfg(feature = "backoff")]
pub mod backoff;
mod breaker;
mod budget;
mod bulkhead;
#[cfg(feature = "governor")]
mod cell;
#[cfg(feature = "governor")]
mod gate;
#[cfg(feature = "governor")]
mod governor;
pub mod hints;
#[cfg(feature = "governor")]
mod kept;
#[cfg(feature = "governor")]
mod keys;
#[cfg(feature = "governor")]
mod lease;
pub mod limiter;
mod per_service;
pub mod quota;
mod retry;
mod rolling;
#[cfg(feature = "governor")]
mod service;
pub mod turnstile;

pub use self::breaker::{
    Admission, BreakerChange, BreakerKey, BreakerPermit, BreakerState, CircuitBreaker, Outcome,
};
pub use self::budget::{BudgetSettings, BudgetState, RetryBudget, RetryToken};
pub use self::bulkhead::{Bulkhead, BulkheadLimits, BulkheadPermit, BulkheadState};
#[cfg(feature = "governor")]
pub use self::governor::{Governor, GovernorBuilder};
pub use self::hints::QuotaHint;
pub use self::limiter::{Call, Decision, Hold, Moment, Observation, RateLimiter, Reply, Unlimited};
pub use self::per_service::PerService;
pub use self::quota::{Calls, Cost, Counts, Limits, Quota, Scope};
pub use self::retry::{Attempt, ExponentialRetry, RetryPolicy};
pub use self::rolling::{BreakerSettings, RollingBreaker};
pub use self::turnstile::{Permit, Turnstile};
