//! What happens to every call on its way out, from top to bottom?
//!
//! ```text
//! once a call   kept answer ─▶ deadline ─▶ ┌ every try ──────────────────────────────────────────┐ ─▶ keep, note
//!                                          │ fresh token ─▶ rate governor ─▶ bulkhead             │
//!                                          │   ─▶ circuit breaker ─▶ send ─▶ hints ─▶ classify    │
//!                                          │ failed: refresh once on 401, or wait and try again   │
//!                                          └─────────────────────────────────────────────────────┘
//! ```
//!
//! A retry is a request like any other: it takes quota and its turn again, and holds no place while it
//! waits. Nor does a call that waits for a fresh token: those of connections that have one go on. Whatever a
//! step takes (a place, a probe, a unit of quota) it gives back when the call is dropped.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::conditional::{Answer, Conditional};
use super::session::Credentials;
use super::transport::{Priority, Request, Response, Transport};
use crate::adapter::ServiceAdapter;
use crate::cache::{CacheSettings, KeyValueStore, TieredCache};
use crate::clock::Clock;
use crate::connection::{ConnectionId, ServiceId};
use crate::error::{Disposition, Error, ErrorKind, Result};
use crate::observe::{Notice, Observer, Silent};
use crate::resilience::{
    Attempt, BreakerChange, BreakerKey, BreakerPermit, Bulkhead, BulkheadPermit, Call, CircuitBreaker,
    ExponentialRetry, Observation, Outcome, PerService, Permit, QuotaHint, RateLimiter, Reply, RetryBudget,
    RetryPolicy, RollingBreaker, Turnstile, hints,
};
use futures_util::future::{Either, select};
use tracing::Instrument;

/// What a [`Pipeline`] is put together from.
#[derive(Debug)]
pub struct PipelineParts {
    /// The HTTP client.
    pub http: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who hears of calls and of circuits.
    pub observer: Arc<dyn Observer>,
    /// Whose turn it is, by the providers' quotas.
    pub turnstile: Turnstile,
    /// How many calls may be under way.
    pub bulkheads: PerService<Bulkhead>,
    /// Whether a host is worth a call.
    pub breaker: Arc<dyn CircuitBreaker>,
    /// Whether a failure is worth another try.
    pub retry: Arc<dyn RetryPolicy>,
    /// How many retries a service may cause.
    pub budgets: PerService<RetryBudget>,
    /// Where answers are kept.
    pub cache: TieredCache,
}

impl PipelineParts {
    /// Defaults behind an HTTP client, a clock, a storage of answers and a limiter.
    pub fn new(
        http: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        values: Arc<dyn KeyValueStore>,
        limiter: Arc<dyn RateLimiter>,
    ) -> Self {
        Self {
            observer: Arc::new(Silent),
            turnstile: Turnstile::new(limiter, Arc::clone(&clock)),
            bulkheads: PerService::new(|_| Bulkhead::default()),
            breaker: Arc::new(RollingBreaker::default()),
            retry: Arc::new(ExponentialRetry::default()),
            budgets: PerService::new(|_| RetryBudget::default()),
            cache: TieredCache::new(values, Arc::clone(&clock), CacheSettings::default()),
            http,
            clock,
        }
    }
}

/// The one way out to every provider.
#[derive(Debug)]
pub struct Pipeline {
    parts: PipelineParts,
    /// The state of the jitter.
    random: AtomicU64,
}

/// On whose behalf a call is made.
pub(super) struct Caller<'a> {
    pub adapter: &'a dyn ServiceAdapter,
    /// Whose quotas, places and circuits the call uses.
    pub lane: &'a ServiceId,
    pub connection: &'a ConnectionId,
    pub credentials: &'a Credentials,
}

impl Caller<'_> {
    fn service(&self) -> &ServiceId {
        &self.adapter.info().id
    }
}

/// What the tries of one call have in common.
struct Tries {
    call: Call,
    circuit: BreakerKey,
    started: Duration,
    ends: Duration,
    number: u32,
}

impl Pipeline {
    /// A pipeline of these parts; `seed` is that of the jitter.
    pub fn new(parts: PipelineParts, seed: u64) -> Self {
        Self { parts, random: AtomicU64::new(seed) }
    }

    /// Whether calls to a host go through.
    pub fn circuit(&self, service: &ServiceId, url: &url::Url) -> crate::resilience::BreakerState {
        self.parts.breaker.state(&BreakerKey::of(service, url), self.parts.clock.monotonic())
    }

    /// How many calls of a lane may be under way.
    pub(crate) fn places(&self, lane: &ServiceId) -> usize {
        self.parts.bulkheads.of(lane).limits().service
    }

    pub(super) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.parts.clock.now()
    }

    /// Makes a call; returns the answer if it is a success (see [`ServiceAdapter::judge`]).
    pub(super) async fn call(&self, caller: &Caller<'_>, request: Request) -> Result<Response> {
        let started = self.parts.clock.monotonic();
        let operation = request.operation;
        let span = tracing::debug_span!(
            "call", service = %caller.service(), connection = %caller.connection, operation
        );
        let outcome = self.kept_or_called(caller, request).instrument(span.clone()).await;
        let took = self.parts.clock.monotonic().saturating_sub(started);
        let error = outcome.as_ref().err();
        tracing::debug!(parent: &span, ?took, error = error.map(tracing::field::display), "done");
        self.parts.observer.notice(&Notice::CallFinished {
            service: caller.service(),
            connection: caller.connection,
            operation,
            took,
            error,
        });
        outcome
    }

    /// Gives a kept answer that is fresh, or asks whether it still holds, or falls back on it.
    async fn kept_or_called(&self, caller: &Caller<'_>, mut request: Request) -> Result<Response> {
        let Some(conditional) = Conditional::of(&self.parts.cache, caller.connection, &request) else {
            return self.before_deadline(caller, request).await;
        };
        // A cache that cannot be read is as good as empty.
        let kept = conditional.kept().await.unwrap_or_else(|error| ignored(&error));
        if let Some(kept) = kept.as_ref().filter(|kept| conditional.is_fresh(kept, self.parts.clock.now())) {
            return Ok(kept.respond(false));
        }
        if let Some(kept) = &kept {
            kept.condition(&mut request);
        }
        let fallback = request.fallback;
        match self.before_deadline(caller, request).await {
            Ok(answer) => Ok(conditional.settle(kept, answer, self.parts.clock.now()).await),
            Err(error) => match (&kept, error.disposition()) {
                (Some(kept), Disposition::Retry { .. }) if fallback => Ok(kept.respond(true)),
                _ => Err(error),
            },
        }
    }

    async fn before_deadline(&self, caller: &Caller<'_>, request: Request) -> Result<Response> {
        let within = request.deadline.unwrap_or_else(|| default_deadline(request.priority));
        let started = self.parts.clock.monotonic();
        let mut tries = Tries {
            call: Call::of(caller.lane, caller.connection, &request),
            circuit: BreakerKey::of(caller.lane, &request.url),
            started,
            ends: started.saturating_add(within),
            number: 0,
        };
        let work = pin!(self.until_done(caller, &request, &mut tries));
        let late = pin!(self.parts.clock.sleep(within));
        match select(work, late).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => {
                Err(Error::new(ErrorKind::Timeout, "the call's deadline has passed").with_code("deadline"))
            }
        }
    }

    /// Tries until the call succeeds, or another try is not worth it.
    async fn until_done(
        &self,
        caller: &Caller<'_>,
        request: &Request,
        tries: &mut Tries,
    ) -> Result<Response> {
        if !request.wait.is_zero() {
            self.parts.clock.sleep(request.wait).await;
        }
        let budget = self.parts.budgets.of(caller.lane);
        budget.deposit();
        let mut refused = None;
        let mut paid = None;
        loop {
            tries.number += 1;
            let mut token = None;
            let error = match self.one_try(caller, request, tries, refused.as_ref(), &mut token).await {
                Ok(answer) => {
                    if let Some(paid) = paid.take() {
                        budget.refund(paid);
                    }
                    return Ok(answer);
                }
                Err(error) => error,
            };
            caller.credentials.hear(token.as_ref(), &error).await;
            // A token may be refused before its time, once.
            if error.kind() == ErrorKind::TokenExpired && caller.credentials.can_renew() {
                if refused.is_some() {
                    return Err(refused_again(&error));
                }
                refused = token;
                tries.number -= 1;
                continue;
            }
            let now = self.parts.clock.monotonic();
            let attempt = Attempt {
                error: &error,
                number: tries.number,
                idempotent: request.idempotent,
                elapsed: now.saturating_sub(tries.started),
                remaining: tries.ends.saturating_sub(now),
                jitter: self.jitter(),
            };
            let Some(wait) = attempt.ask(&*self.parts.retry) else { return Err(error) };
            let Some(price) = budget.withdraw(&error, now) else { return Err(error) };
            paid = Some(price);
            tracing::debug!(service = %caller.service(), operation = request.operation, %error, ?wait, "trying again");
            self.parts.clock.sleep(wait).await;
        }
    }

    async fn one_try(
        &self,
        caller: &Caller<'_>,
        request: &Request,
        tries: &Tries,
        refused: Option<&super::session::Token>,
        used: &mut Option<super::session::Token>,
    ) -> Result<Response> {
        // Waited for here: turns and places are for those who can go.
        caller.credentials.token(refused).await?;
        let remaining = tries.ends.saturating_sub(self.parts.clock.monotonic());
        let turn = self.parts.turnstile.acquire(&tries.call, remaining).await?;
        let bulkhead = self.parts.bulkheads.of(caller.lane);
        let mut place = bulkhead.acquire(caller.connection, request.priority).await?;
        let circuit = self.admit(tries)?;
        // The same as before, unless the turn and the place were long in coming.
        let token = caller.credentials.token(refused).await?;
        let mut sent = request.clone();
        sent.timeout = sent.timeout.min(remaining);
        if let Some(token) = token {
            let (name, value) = token.header();
            sent.headers.insert(name, value);
            *used = Some(token);
        }
        let outcome = self.parts.http.send(sent).await;
        self.learn(caller, request, turn, &mut place, circuit, outcome).await
    }

    /// Reads what an answer says, and tells those who decide on the next one.
    async fn learn(
        &self,
        caller: &Caller<'_>,
        request: &Request,
        turn: Permit,
        place: &mut BulkheadPermit,
        circuit: BreakerPermit,
        outcome: Result<Response>,
    ) -> Result<Response> {
        let now = self.parts.clock.now();
        let window = outcome.as_ref().ok().and_then(|answer| hints::quota(&answer.headers, now));
        let outcome = outcome.and_then(|answer| judged(caller, request, answer, now));
        let mut observation = Observation::new(Reply::of(&outcome));
        if let Some(QuotaHint { limit, remaining, resets_at }) = window {
            let units = |units: Option<u64>| units.map(|units| u32::try_from(units).unwrap_or(u32::MAX));
            (observation.limit, observation.remaining) = (units(limit), units(remaining));
            observation.resets_at = resets_at;
        }
        place.observe(&observation);
        turn.settle(&observation).await;
        let key = circuit.key().clone();
        self.circuit_changed(&key, circuit.finish(Outcome::of(&outcome)));
        if let Err(error) = &outcome
            && error.kind() == ErrorKind::ServiceUnavailable
            && let Some(wait) = error.retry_after()
        {
            let now = self.parts.clock.monotonic();
            self.circuit_changed(&key, self.parts.breaker.hold_open(&key, now.saturating_add(wait), now));
        }
        outcome
    }

    fn admit(&self, tries: &Tries) -> Result<BreakerPermit> {
        let permit = BreakerPermit::acquire(&self.parts.breaker, &self.parts.clock, tries.circuit.clone())?;
        self.circuit_changed(permit.key(), permit.change());
        Ok(permit)
    }

    fn circuit_changed(&self, key: &BreakerKey, change: Option<BreakerChange>) {
        if let Some(change) = change {
            tracing::info!(circuit = %key, from = change.from.as_str(), to = change.to.as_str(), "circuit");
            self.parts.observer.notice(&Notice::CircuitChanged { circuit: key, change });
        }
    }

    /// Uniform in `[0, 1)`: SplitMix64, which is small and good enough to spread waits.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn jitter(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.random.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How long a call may take with all its tries, unless it says so itself.
fn default_deadline(priority: Priority) -> Duration {
    match priority {
        Priority::Interactive => Duration::from_secs(60),
        Priority::Webhook => Duration::from_secs(300),
        Priority::Backfill => Duration::from_secs(900),
    }
}

fn judged(
    caller: &Caller<'_>,
    request: &Request,
    answer: Response,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Response> {
    let verdict = match request.judge {
        Some(judge) => judge(request.operation, &answer),
        None => caller.adapter.judge(request.operation, &answer),
    };
    let Err(error) = verdict else { return Ok(answer) };
    // By its status an error is known to be the provider's.
    let error = if error.status().is_none() { error.with_status(answer.status.as_u16()) } else { error };
    let Response { headers, body, .. } = &answer;
    // Some say how long to wait in a sentence of the body; further behind there is none.
    let sentence = str::from_utf8(&body[..body.len().min(4096)]).ok();
    let told = match error.kind() {
        ErrorKind::RateLimited | ErrorKind::ServiceUnavailable => hints::retry_after(headers, sentence, now),
        _ => None,
    };
    Err(match told.max(error.retry_after()) {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    })
}

fn ignored(error: &Error) -> Option<Answer> {
    tracing::warn!(%error, "the kept answer could not be read");
    None
}

/// A token that was refused right after its refresh will not be accepted by refreshing more.
fn refused_again(error: &Error) -> Error {
    let mut again = Error::new(
        ErrorKind::ReauthorizationRequired,
        "the provider refuses even a fresh token; the user has to connect the account again",
    );
    if let Some(status) = error.status() {
        again = again.with_status(status);
    }
    again
}
