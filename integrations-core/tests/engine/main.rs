//! The engine on a provider that reads its answers from a script: what each answer leads to, and what the
//! next run asks for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test fails the test")]

mod frozen;
mod kept;
mod listed;
mod position;
mod relist;
mod script;
mod window;
