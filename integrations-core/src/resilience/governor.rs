//! What is the default rate limiter?

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::gate::Told;
use super::keys::{GateKey, Who};
use super::limiter::{Call, Decision, Moment, Observation, RateLimiter};
use super::quota::Limits;
use super::service::Service;
use crate::cache::KeyValueStore;
use crate::connection::ServiceId;
use crate::error::Result;

/// The default [`RateLimiter`]: static quotas, and above them gates that follow what the provider says.
///
/// * A call must fit in every [`Quota`](super::Quota) that counts it, or takes from none.
/// * A 429 closes its key (see [`Limits::told_scope`]) for the time that the provider names, a day or the
///   longest window of a quota at the most, plus up to a tenth and a second of jitter; without a time for [`Limits::fallback_wait`], doubled each time in a
///   row. Afterwards calls go at 98 % of the rate at which the 429 came, and slowly faster again.
/// * Where headers say that little is left until the window starts anew, what is left is spread; 10 % of
///   the window are kept for webhooks and people, and 5 % for people; both melt away towards its end.
/// * With a [shared store](GovernorBuilder::shared), a 429 that one process sees closes the key for all
///   within [`read_every`](GovernorBuilder::read_every), and quotas of the whole application
///   ([`Scope::App`](super::Scope::App)) are divided among the processes. Other quotas are counted in
///   each process by itself.
///
/// # Clocks of several processes
/// A 429 holds another process back as long as its mark is in the store, and never longer than told, from
/// when that process first read of it: however the wall clocks differ, and wherever they jump. A wall
/// clock that runs ahead by more than the time told only makes that process look again every
/// [`read_every`](GovernorBuilder::read_every) instead of knowing the end; one that runs behind makes a
/// process that comes late wait too long by the time that has passed, at the most. The store must measure
/// times to live by one clock. The shares of quotas of the whole application are another matter: they are
/// kept only while wall clocks differ by less than half an interval of the quota, which is about a
/// hundredth of its window.
///
/// Memory is bounded by [`max_keys`](GovernorBuilder::max_keys) for each service, and by the calls under
/// way.
#[derive(Debug)]
pub struct Governor {
    services: Mutex<HashMap<ServiceId, Service>>,
    settings: GovernorBuilder,
}

/// Puts a [`Governor`] together.
#[derive(Clone)]
#[must_use]
pub struct GovernorBuilder {
    limits: HashMap<ServiceId, Limits>,
    store: Option<Arc<dyn KeyValueStore>>,
    read_every: Duration,
    max_keys: usize,
    seed: u64,
}

impl fmt::Debug for GovernorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GovernorBuilder")
            .field("services", &self.limits.keys())
            .field("store", &self.store)
            .field("read_every", &self.read_every)
            .field("max_keys", &self.max_keys)
            .finish_non_exhaustive()
    }
}

impl GovernorBuilder {
    /// Says what a service allows. Without it, only what the provider answers is followed.
    pub fn service(mut self, service: impl Into<ServiceId>, limits: Limits) -> Self {
        self.limits.insert(service.into(), limits);
        self
    }

    /// Shares what is learnt, and the quotas of the application, with all processes on that store. They
    /// must be given the same [`Limits`].
    pub fn shared(mut self, store: Arc<dyn KeyValueStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// How old another process's 429 may be before it is noticed; 1 s by default. Each key in use is read
    /// that often.
    pub fn read_every(mut self, age: Duration) -> Self {
        self.read_every = age;
        self
    }

    /// How many keys (connections × operations, where those are counted) a service may have in memory;
    /// 20,000 by default, of less than 1 KiB each. Keys at rest are retired first.
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys.max(8);
        self
    }

    /// Seeds the jitter, for tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The limiter.
    pub fn build(self) -> Governor {
        Governor { services: Mutex::default(), settings: self }
    }
}

impl Governor {
    /// Puts a governor together.
    pub fn builder() -> GovernorBuilder {
        let mut seed = [0; 8];
        // Without randomness, the jitter is the same everywhere; nothing worse.
        let _ = getrandom::fill(&mut seed);
        GovernorBuilder {
            limits: HashMap::new(),
            store: None,
            read_every: Duration::from_secs(1),
            max_keys: 20_000,
            seed: u64::from_le_bytes(seed),
        }
    }

    /// How many keys a service has in memory.
    pub fn keys(&self, service: &ServiceId) -> usize {
        self.services().get(service).map_or(0, Service::keys)
    }

    fn services(&self) -> MutexGuard<'_, HashMap<ServiceId, Service>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, call: &Call, act: impl FnOnce(&mut Service) -> T) -> T {
        let mut services = self.services();
        if let Some(service) = services.get_mut(&call.service) {
            return act(service);
        }
        let settings = &self.settings;
        let limits = settings.limits.get(&call.service).copied().unwrap_or(Limits::UNKNOWN);
        let read_every = settings.store.is_some().then_some(settings.read_every);
        let service = Service::new(limits, read_every, settings.max_keys, settings.seed);
        act(services.entry(call.service.clone()).or_insert(service))
    }

    /// Writes what the other processes should know.
    async fn publish(&self, store: &dyn KeyValueStore, call: &Call, now: Moment) {
        for (gate, wait) in self.with(call, |service| service.take_marks(now)) {
            let key = mark_key(&call.service, &gate);
            let mark = format!("{} {}", now.wall.timestamp_millis(), wait.as_millis());
            // Storage that fails must not hold up calls; this process knows anyway.
            if let Err(error) = store.put(&key, mark.as_bytes(), wait).await {
                tracing::warn!(service = %call.service, %error, "a rate limit could not be shared");
            }
        }
    }

    /// Reads what another process wrote.
    async fn read(&self, store: &dyn KeyValueStore, call: &Call, gate: &GateKey, now: Moment) {
        let mark = match store.get(&mark_key(&call.service, gate)).await {
            Ok(value) => value.and_then(|value| read_mark(&value)),
            Err(error) => {
                tracing::warn!(service = %call.service, %error, "shared rate limits could not be read");
                None
            }
        };
        self.with(call, |service| service.read(gate, mark, now));
    }
}

#[async_trait]
impl RateLimiter for Governor {
    fn check(&self, call: &Call, now: Moment) -> Decision {
        self.with(call, |service| service.check(call, now))
    }

    fn release(&self, call: &Call, sent: bool, now: Moment) {
        self.with(call, |service| service.release(call, sent, now));
    }

    fn observe(&self, call: &Call, observation: &Observation, now: Moment) {
        self.with(call, |service| service.observe(call, observation, now));
    }

    fn settle(&self, call: &Call, observation: &Observation, now: Moment) {
        self.with(call, |service| service.settle(call, observation, now));
    }

    async fn exchange(&self, call: &Call, now: Moment) -> Result<()> {
        let Some(store) = self.settings.store.as_deref() else { return Ok(()) };
        self.publish(store, call, now).await;
        let (gates, slots) = self.with(call, |service| service.questions(call, now));
        for gate in &gates {
            self.read(store, call, gate, now).await;
        }
        for slot in &slots {
            let name = self.with(call, |service| service.slot_name(call, slot));
            let key = format!("quota:{}:slot:{name}", call.service);
            let won = store.put_if_absent(&key, b"", slot.keep).await?;
            self.with(call, |service| service.tried(call, slot, won));
        }
        Ok(())
    }
}

/// Names of groups and connections are hashed: they come from outside, and may be long.
fn mark_key(service: &ServiceId, gate: &GateKey) -> String {
    let (kind, id) = match &gate.who {
        Who::App => ("app", ""),
        Who::Group(group) => ("group", &**group),
        Who::Connection(connection) => ("connection", connection.as_str()),
    };
    let mut key = format!("quota:{service}:closed:{kind}:");
    for byte in &Sha256::digest(id)[..if id.is_empty() { 0 } else { 16 }] {
        use fmt::Write;
        let _ = write!(key, "{byte:02x}");
    }
    key + ":" + gate.what.unwrap_or_default()
}

fn read_mark(value: &[u8]) -> Option<Told> {
    let (at, wait) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    Some(Told { at: at.parse().ok()?, wait: Duration::from_millis(wait.parse().ok()?) })
}
