//! Where do short-lived values rest?

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use serde::{Deserialize, Serialize};

use super::FileStore;
use super::file::{Blob, later};

pub(crate) type Values = BTreeMap<String, Value>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Value {
    value: Blob,
    /// It is there before this instant, and not at it.
    until: DateTime<Utc>,
}

#[async_trait]
impl KeyValueStore for FileStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let now = self.clock.now();
        Ok(self.values.look().get(key).filter(|value| now < value.until).map(|value| value.value.0.clone()))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()> {
        let now = self.clock.now();
        self.values.change(|all| {
            all.retain(|_, value| now < value.until);
            all.insert(key.to_owned(), Value { value: Blob(value.to_vec()), until: later(now, ttl) });
            Ok(())
        })
    }

    async fn put_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool> {
        let now = self.clock.now();
        self.values.change(|all| {
            if all.get(key).is_some_and(|value| now < value.until) {
                return Ok(false);
            }
            all.insert(key.to_owned(), Value { value: Blob(value.to_vec()), until: later(now, ttl) });
            Ok(true)
        })
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let now = self.clock.now();
        let taken = self.values.change(|all| Ok(all.remove(key)))?;
        Ok(taken.filter(|value| now < value.until).map(|value| value.value.0))
    }
}
