//! How much has the account used, and may it use more?

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::server::Reply;

const MINUTE: i64 = 60_000;

/// Counts Gmail's quota units, and holds the account to its share of them.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Units in any minute; without it everything goes.
    limit: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// What was used in the last minute: when, and how many units.
    recent: VecDeque<(i64, u64)>,
    sum: u64,
}

impl Meter {
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self { limit, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the units of a call; a call that is refused takes none.
    pub(super) fn charge(&self, now: DateTime<Utc>, units: u64) -> Result<(), Reply> {
        let now = now.timestamp_millis();
        let mut state = self.state();
        if let Some(limit) = self.limit {
            while let Some((_, units)) = state.recent.pop_front_if(|(then, _)| *then <= now - MINUTE) {
                state.sum -= units;
            }
            if state.sum + units > limit {
                return Err(exceeded());
            }
            state.recent.push_back((now, units));
            state.sum += units;
        }
        state.used += units;
        Ok(())
    }

    pub(super) fn used(&self) -> u64 {
        self.state().used
    }

    /// Forgets what was counted; the running minute stays as full as it is.
    pub(super) fn reset(&self) {
        self.state().used = 0;
    }
}

fn exceeded() -> Reply {
    let message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of \
                   service 'gmail.googleapis.com' for consumer 'project_number:100000000001'.";
    let body = json!({"error": {
        "code": 429,
        "message": message,
        "errors": [{"message": message, "domain": "usageLimits", "reason": "rateLimitExceeded"}],
        "status": "RESOURCE_EXHAUSTED",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "googleapis.com",
            "metadata": {
                "service": "gmail.googleapis.com",
                "quota_metric": "gmail.googleapis.com/queries",
                "quota_limit": "QueriesPerMinutePerUser",
                "consumer": "projects/100000000001",
            },
        }],
    }});
    Reply::json(429, body.to_string())
}
