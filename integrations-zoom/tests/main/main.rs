//! Zoom's failures, as they were really sent.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod classify;
