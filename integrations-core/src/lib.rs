//! Connect an application to its users' outside accounts, and keep a normalised copy of their data.
//!
//! This crate holds the traits, the model and the engine. It knows no provider and no database: those are
//! `integrations-google` and its like, and `integrations-stores` or the host's own.
//!
//! Where to begin:
//!
//! * a **host** puts a [`Gateway`] together and calls it;
//! * a host with **storage of its own** implements [`TokenStore`](auth::TokenStore),
//!   [`SyncSink`](sync::SyncSink) and [`KeyValueStore`](cache::KeyValueStore);
//! * a **provider** implements [`ServiceAdapter`] and a [`Normalizer`](normalize::Normalizer);
//! * what went wrong, and what to do next, is an [`Error`].
//!
//! # Features
//!
//! | Feature | Default | What |
//! |---|---|---|
//! | `cron` | yes | cron expressions in schedules ([`schedule`]) |
//! | `governor` | yes | the default rate limiter (`resilience::Governor`) |
//! | `oauth` | yes | the OAuth 2.0 client that adapters build on |
//! | `recurrence` | yes | occurrences of recurring events (`calendar`) |
//! | `reqwest` | yes | a ready [`Transport`](http::Transport) on reqwest and rustls |
//! | `backoff` | no | policies of the crate `backoff` as retry policies |
//! | `mail` | no | the headers and the HTML of mails (`mail`), for adapters of mailboxes |
//! | `schema` | no | the JSON Schema of a record, and `JsonSchema` for the [`model`] |
//!
//! Without them there is no HTTP client, no TLS and no SQL in the graph.

pub mod adapter;
pub mod auth;
pub mod cache;
#[cfg(feature = "recurrence")]
pub mod calendar;
pub mod clock;
pub mod connection;
pub mod error;
mod gateway;
pub mod http;
pub mod json;
#[cfg(feature = "mail")]
pub mod mail;
pub mod memory;
mod message;
pub mod model;
pub mod normalize;
pub mod observe;
pub mod queue;
pub mod resilience;
pub mod schedule;
pub mod sync;

pub use self::adapter::{AdapterRegistry, ServiceAdapter};
pub use self::connection::{Connection, ConnectionId};
pub use self::error::{Disposition, Error, ErrorKind, Result};
pub use self::gateway::{ApiKey, Connect, Data, Gateway, GatewayBuilder};
pub use self::message::Locale;
