//! Slack, driven over real HTTP against the fake, and over payloads that no one here wrote.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod changes;
mod classify;
mod dialect;
mod host;
mod listing;
mod oauth;
mod streams;
mod threads;
