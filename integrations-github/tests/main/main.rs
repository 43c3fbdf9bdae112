//! GitHub's failures as they were really sent, and its accounts on the fake.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod bad_items;
mod classify;
mod corpus;
mod dialect;
mod items;
mod mapping;
mod oauth;
mod scenario;
