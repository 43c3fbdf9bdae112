//! How does a call survive a provider that is busy, slow or down?

#[cfg(feature = "governor")]
mod cell;
#[cfg(feature = "governor")]
mod gate;
#[cfg(feature = "governor")]
mod governor;
#[cfg(feature = "governor")]
mod lease;
pub mod limiter;
pub mod quota;
#[cfg(feature = "governor")]
mod service;
pub mod turnstile;

#[cfg(feature = "governor")]
pub use self::governor::{Governor, GovernorBuilder};
pub use self::limiter::{Call, Decision, Hold, Moment, Observation, Outcome, RateLimiter};
pub use self::quota::{Calls, Cost, Counts, Limits, Quota, Scope};
pub use self::turnstile::{Permit, Turnstile};
