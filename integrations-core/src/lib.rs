//! The traits and the engine of the integrations family.

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
pub mod memory;
pub mod model;
pub mod normalize;
pub mod observe;
pub mod resilience;
pub mod sync;

pub use self::adapter::{AdapterRegistry, ServiceAdapter};
pub use self::connection::{Connection, ConnectionId};
pub use self::error::{Disposition, Error, ErrorKind, Result};
pub use self::gateway::{Connect, Gateway, GatewayBuilder};
