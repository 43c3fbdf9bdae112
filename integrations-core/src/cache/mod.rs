//! Where do short-lived values rest, and how are answers kept for a while?
//!
//! [`KeyValueStore`] is the host's storage of values that expire. [`TieredCache`] puts a small cache in
//! memory in front of it.

mod store;
mod tiers;

pub use self::store::KeyValueStore;
pub use self::tiers::{CacheSettings, TieredCache};
