//! Zoom's failures as they were really sent, its accounts, and its meetings on the fake.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod bad_input;
mod changes;
mod chaos;
mod classify;
mod corpus;
mod dialect;
mod docs;
mod host;
mod life;
mod mapping;
mod oauth;
mod past;
mod recurrence;
mod scenario;
mod streams;
