//! Which services do not accept the application any more?
//!
//! A wrong client secret is nobody's grant gone. It is the operator's to mend; until then each refresh
//! would fail like the last, so the service's refreshes rest for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::connection::ServiceId;
use crate::error::{Error, ErrorKind, Result};

/// How long refreshes rest after the provider has refused the application.
pub(super) const REST: Duration = Duration::from_secs(60);

/// The services whose refreshes rest, until when (monotonic time), and the provider's code.
#[derive(Debug, Default)]
pub(super) struct Pauses(Mutex<HashMap<ServiceId, (Duration, Option<String>)>>);

impl Pauses {
    fn inner(&self) -> MutexGuard<'_, HashMap<ServiceId, (Duration, Option<String>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the service may be asked.
    pub(super) fn check(&self, service: &ServiceId, now: Duration) -> Result<()> {
        match self.inner().get(service) {
            Some((until, code)) if now < *until => {
                let error = Error::new(
                    ErrorKind::InvalidCredentials,
                    "the provider has refused the application's own credentials a moment ago; mend them, it is \
                     tried again by itself",
                )
                .with_retry_after(until.saturating_sub(now));
                Err(match code {
                    Some(code) => error.with_code(code.clone()),
                    None => error,
                })
            }
            _ => Ok(()),
        }
    }

    /// The provider has refused the application; says whether that is news.
    pub(super) fn pause(&self, service: &ServiceId, error: &Error, now: Duration) -> bool {
        let code = error.provider_code().map(str::to_owned);
        self.inner().insert(service.clone(), (now.saturating_add(REST), code)).is_none()
    }

    /// The provider has accepted the application; says whether that is news.
    pub(super) fn resume(&self, service: &ServiceId) -> bool {
        let mut inner = self.inner();
        !inner.is_empty() && inner.remove(service).is_some()
    }
}
