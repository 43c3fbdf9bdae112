//! Where do short-lived values rest?

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;

/// The host's storage of small values that expire: OAuth states, replay guards, cached answers.
///
/// A value past its time to live is as good as absent, for every call.
#[async_trait]
pub trait KeyValueStore: fmt::Debug + Send + Sync + 'static {
    /// Reads a value.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// Writes a value, replacing any.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()>;

    /// Writes a value if there is none, and says whether it did. Of several that try at once, over all
    /// processes that share the storage, exactly one does.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn put_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool>;

    /// Reads a value and deletes it, in one step: of several that try at once, exactly one gets it.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>>;
}
