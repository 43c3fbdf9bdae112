//! Slack, driven over real HTTP against the fake, and over payloads that no one here wrote.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod bad_input;
mod changes;
mod chaos;
mod classify;
mod corpus;
mod dialect;
mod docs;
mod host;
mod listing;
mod mapping;
mod oauth;
mod scale;
mod scenario;
mod streams;
mod threads;
