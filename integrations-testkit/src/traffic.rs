//! What reached the fake?
//!
//! Counters by operation are exact; the log keeps the last 10,000 requests. Neither holds a token, a
//! query string or a body, so a test may print them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;

const LOG_CAPACITY: usize = 10_000;

/// One request that reached a fake, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLog {
    /// The provider's name for the operation, such as `events.list`; `unknown` for other paths.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path as it was sent, without the query.
    pub path: String,
    /// Whether the request asked for a further page.
    pub page_token: bool,
    /// Whether the request asked for changes.
    pub sync_token: bool,
    /// The status answered; 0 when the connection was closed without an answer.
    pub status: u16,
}

#[derive(Debug, Default)]
struct Log {
    requests: VecDeque<RequestLog>,
    counts: HashMap<&'static str, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Traffic {
    log: Mutex<Log>,
    items: AtomicU64,
}

impl Traffic {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counted on arrival, so that a request still waiting for its answer is counted too.
    pub(crate) fn arrived(&self, operation: &'static str) {
        *self.log().counts.entry(operation).or_default() += 1;
    }

    pub(crate) fn answered(&self, request: RequestLog, items: u64) {
        self.items.fetch_add(items, Ordering::Relaxed);
        let mut log = self.log();
        if log.requests.len() == LOG_CAPACITY {
            log.requests.pop_front();
        }
        log.requests.push_back(request);
    }

    pub(crate) fn requests(&self) -> Vec<RequestLog> {
        self.log().requests.iter().cloned().collect()
    }

    pub(crate) fn count(&self, operation: &str) -> u64 {
        self.log().counts.get(operation).copied().unwrap_or(0)
    }

    pub(crate) fn items(&self) -> u64 {
        self.items.load(Ordering::Relaxed)
    }

    pub(crate) fn reset(&self) {
        *self.log() = Log::default();
        self.items.store(0, Ordering::Relaxed);
    }
}
