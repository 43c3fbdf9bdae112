//! Which connection is used, and when is it given up?
//!
//! The connection makes itself anew when it breaks. It does not when the server is silent, or is not the primary any more:
//! then it is given up here, and the next call goes where the server's name leads.

use std::sync::{Arc, Mutex, PoisonError};

use integrations_core::Result;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, RedisError, ServerErrorKind};

use super::failure::store_error;

/// The way to the server. Clones share it.
#[derive(Clone)]
pub(super) struct Link {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    settings: ConnectionManagerConfig,
    current: Mutex<ConnectionManager>,
}

impl Link {
    pub(super) fn new(client: Client, settings: ConnectionManagerConfig, current: ConnectionManager) -> Self {
        Self { inner: Arc::new(Inner { client, settings, current: Mutex::new(current) }) }
    }

    pub(super) fn connection(&self) -> ConnectionManager {
        self.inner.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What an answer means to the host.
    pub(super) fn answered<T>(&self, operation: &'static str, answer: Result<T, RedisError>) -> Result<T> {
        answer.map_err(|error| {
            if is_of_the_connection(&error) {
                self.give_up();
            }
            store_error(operation, &error)
        })
    }

    fn give_up(&self) {
        let Inner { client, settings, current } = &*self.inner;
        if let Ok(next) = ConnectionManager::new_lazy_with_config(client.clone(), settings.clone()) {
            *current.lock().unwrap_or_else(PoisonError::into_inner) = next;
        }
    }
}

fn is_of_the_connection(error: &RedisError) -> bool {
    error.is_timeout()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::Io | ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
}
