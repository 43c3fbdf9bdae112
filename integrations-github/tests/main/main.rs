//! GitHub, driven over real HTTP against the fake, and over exchanges that were really recorded.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod chaos;
mod classify;
mod details;
mod dialect;
mod docs;
mod host;
mod listing;
mod notifications;
mod oauth;
mod pulls_only;
mod recorded;
mod scale;
mod scenario;
mod streams;
