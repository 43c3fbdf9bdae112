//! What the examples share: at whom they connect, the way back from the browser, what a sync has changed,
//! progress on the terminal, and small talk with the machine. Nothing here is part of the family; a host brings
//! its own.

pub mod changes;
pub mod loopback;
pub mod memory;
pub mod progress;
pub mod providers;
pub mod story;
pub mod words;

/// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
