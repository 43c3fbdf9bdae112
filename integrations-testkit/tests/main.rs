//! The fakes, from the outside: over HTTP, as an adapter meets them.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod google;
