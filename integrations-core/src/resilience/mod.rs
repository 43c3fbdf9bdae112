//! What keeps a bad hour of a provider, or of one user, from becoming everybody's?
//!
//! Decisions as data: nothing here sends, and nothing here sleeps but a call that waits for its turn at
//! the [`Bulkhead`]. Time is passed in. A call goes through in this order:
//!
//! 1. [`Bulkhead`]: how many calls may be under way at once, and whose turn is it?
//! 2. [`CircuitBreaker`]: is the provider worth a call at all?
//! 3. [`RetryPolicy`] and [`RetryBudget`]: is it worth another try, and when? The provider's own word,
//!    which [`hints`] reads, wins over every computed wait.

#[cfg(feature = "backoff")]
pub mod backoff;
mod breaker;
mod budget;
mod bulkhead;
pub mod hints;
mod per_service;
mod retry;
mod rolling;

pub use self::breaker::{
    Admission, BreakerChange, BreakerKey, BreakerPermit, BreakerState, CircuitBreaker, Outcome,
};
pub use self::budget::{BudgetSettings, BudgetState, RetryBudget, RetryToken};
pub use self::bulkhead::{Bulkhead, BulkheadLimits, BulkheadPermit, BulkheadState};
pub use self::hints::QuotaHint;
pub use self::per_service::PerService;
pub use self::retry::{Attempt, ExponentialRetry, RetryPolicy};
pub use self::rolling::{BreakerSettings, RollingBreaker};
