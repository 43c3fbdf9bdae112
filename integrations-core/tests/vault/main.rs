//! The life of the keys: no secret shows, a ring changes while it is in use, and a rotation disturbs nobody.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod guarded;
mod host;
mod refresh;
mod ring;
mod rotation;
