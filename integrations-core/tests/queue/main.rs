//! Do workers do what the queue holds, and nothing else?

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod failures;
mod fairness;
mod host;
mod leases;
mod shutdown;
