//! Microsoft Graph's failures as they were really sent, and its accounts on the fake.

#![recursion_limit = "512"]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod calendar;
mod classify;
mod corpus;
mod dialect;
mod docs;
mod mail;
mod oauth;
mod scenario;
