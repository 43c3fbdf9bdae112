//! How does a call reach a provider?
//!
//! An adapter speaks to its [`Session`], which sends the call through the [`Pipeline`]: quota, turn,
//! circuit, fresh token, [`Transport`], retries, kept answers. An answer that is no success becomes an
//! [`Error`](crate::Error). Only here are credentials attached, and only to the origins that the adapter
//! allows.

pub mod classify;
mod conditional;
mod content;
mod origin;
mod pipeline;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod session;
mod target;
mod transport;

pub use self::classify::{Class, Failure, HeaderMatch, Rule, RuleMatch, Words};
pub use self::conditional::{CacheMode, Kept};
pub use self::content::Content;
pub use self::origin::Origins;
pub use self::pipeline::{Pipeline, PipelineParts};
pub use self::session::{Session, token_lane};
pub use self::target::join;
pub use self::transport::{Judge, Priority, Request, Response, Transport};
