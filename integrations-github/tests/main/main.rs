//! GitHub, driven over real HTTP against the fake, and over exchanges that were really recorded.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod bad_input;
mod bad_items;
mod chaos;
mod classify;
mod corpus;
mod details;
mod dialect;
mod docs;
mod host;
mod items;
mod listing;
mod mapping;
mod notifications;
mod oauth;
mod pulls_only;
mod recorded;
mod scale;
mod scenario;
mod streams;
