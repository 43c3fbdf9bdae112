//! Google's services, driven over real HTTP against the fake, and over payloads that no one here wrote.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod bad_input;
mod chaos;
mod classify;
mod corpus;
mod docs;
mod gmail;
mod host;
mod mapping;
mod oauth;
mod outbound;
mod scenario;
mod schedule;
mod streams;
mod tasks;
mod tokens;
mod whole_way;
