//! How does every service get one of its own?

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::connection::ServiceId;

/// One `T` for each service, made when it is first asked for: a budget, a bulkhead.
///
/// ```
/// use integrations_core::resilience::{PerService, RetryBudget};
///
/// let budgets = PerService::new(|_| RetryBudget::default());
/// let slack = budgets.of(&"slack".into());
/// assert!(std::sync::Arc::ptr_eq(&slack, &budgets.of(&"slack".into())));
/// ```
pub struct PerService<T> {
    make: Box<dyn Fn(&ServiceId) -> T + Send + Sync>,
    made: Mutex<HashMap<ServiceId, Arc<T>>>,
}

impl<T> PerService<T> {
    /// Makes them with this. It must not ask for one itself.
    pub fn new(make: impl Fn(&ServiceId) -> T + Send + Sync + 'static) -> Self {
        Self { make: Box::new(make), made: Mutex::default() }
    }

    /// The service's own.
    pub fn of(&self, service: &ServiceId) -> Arc<T> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = made.get(service) {
            return Arc::clone(own);
        }
        let own = Arc::new((self.make)(service));
        made.insert(service.clone(), Arc::clone(&own));
        own
    }
}

impl<T: fmt::Debug> fmt::Debug for PerService<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_map().entries(made.iter()).finish()
    }
}
