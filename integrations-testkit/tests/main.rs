//! The fakes from the outside, over HTTP, as an adapter meets them; and the conformance suites on the
//! in-memory store.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod google;
mod memory;
mod oauth;
