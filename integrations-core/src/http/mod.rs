//! How does a call reach a provider?
//!
//! An adapter speaks to its [`Session`], which gives the call a fresh token, sends it through a
//! [`Transport`], and turns an answer that is no success into an [`Error`](crate::Error). Only here
//! are credentials attached, and only to the origins that the adapter allows.

pub mod classify;
mod origin;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod session;
mod transport;

pub use self::classify::{Class, Failure, HeaderMatch, Rule, RuleMatch, Words};
pub use self::origin::Origins;
pub use self::session::Session;
pub use self::transport::{Priority, Request, Response, Transport};
