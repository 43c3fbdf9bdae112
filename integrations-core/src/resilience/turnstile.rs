//! Who goes next, and who waits?
//!
//! A [`RateLimiter`] only decides; the [`Turnstile`] waits. Calls stand in a line for each connection, and
//! the lines take turns, so that a connection with a thousand calls does not hold up one with a single
//! call. One of the waiting calls, the leader, asks for all of them and sleeps until the next may go.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::limiter::{Call, Decision, Hold, Moment, Observation, RateLimiter};
use crate::clock::Clock;
use crate::connection::{ConnectionId, ServiceId};
use crate::error::{Error, ErrorKind, Result};

/// How many calls of one line are looked at for one that may go.
const LOOK_AHEAD: usize = 64;
/// As good as for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(366 * 24 * 3_600);
/// How many priorities there are.
const LANES: usize = 3;

/// Lets calls through as fast as a [`RateLimiter`] allows, in a fair order.
///
/// Higher priorities go first. Within a priority, connections take turns. Within a connection, calls go
/// in the order of their arrival; only where one waits for a limit of its own operation, calls of other
/// operations pass it. Clones share the lines.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # #[cfg(feature = "governor")] {
/// use std::sync::Arc;
/// use std::time::Duration;
/// use integrations_core::clock::SystemClock;
/// use integrations_core::resilience::{Call, Governor, Limits, Observation, Quota, Scope, Turnstile};
///
/// const LIMITS: Limits = Limits::new(&[Quota::new(Scope::Connection, 600, Duration::from_secs(60))]);
///
/// let governor = Governor::builder().service("google_calendar", LIMITS).build();
/// let turnstile = Turnstile::new(Arc::new(governor), SystemClock::shared());
///
/// let call = Call::new("google_calendar", "cn_1", "events.list");
/// let permit = turnstile.acquire(&call, Duration::from_secs(30)).await?;
/// // ... make the call, then say what the answer said ...
/// permit.observe(&Observation::accepted()).await;
/// # }
/// # Ok::<(), integrations_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Turnstile {
    shared: Arc<Shared>,
}

struct Shared {
    limiter: Arc<dyn RateLimiter>,
    clock: Arc<dyn Clock>,
    lines: Mutex<HashMap<ServiceId, Lines>>,
}

/// The waiting calls of one service.
#[derive(Default)]
struct Lines {
    lanes: [Lane; LANES],
    /// The waiter that asks for all.
    leader: Option<Arc<Waiter>>,
    waiting: usize,
}

#[derive(Default)]
struct Lane {
    /// The connections in the order of their turns; each has a line that is not empty.
    turns: VecDeque<ConnectionId>,
    lines: HashMap<ConnectionId, Line>,
}

#[derive(Default)]
struct Line {
    waiters: VecDeque<Arc<Waiter>>,
    /// None of them can go before.
    not_before: Duration,
}

struct Waiter {
    call: Call,
    deadline: Duration,
    /// Only set under the lock of the lines.
    verdict: Mutex<Option<Result<()>>>,
    wake: Notify,
}

/// The right to make one call. Dropping it says that the call is over.
#[must_use = "dropping it says that the call is over"]
pub struct Permit {
    shared: Arc<Shared>,
    call: Call,
    released: bool,
}

impl Turnstile {
    /// A turnstile with that limiter, on that clock.
    pub fn new(limiter: Arc<dyn RateLimiter>, clock: Arc<dyn Clock>) -> Self {
        Self { shared: Arc::new(Shared { limiter, clock, lines: Mutex::default() }) }
    }

    /// Waits until the call may go, for `within` at the most.
    ///
    /// # Errors
    /// [`RateLimited`](ErrorKind::RateLimited) with the least time to wait, as soon as it is known that the
    /// call cannot go within that time, and after that time at the latest;
    /// [`Store`](ErrorKind::Store) where a shared quota cannot be reached.
    ///
    /// # Cancel safety
    /// When the future is dropped, the call leaves the line; what was taken for it goes back.
    pub async fn acquire(&self, call: &Call, within: Duration) -> Result<Permit> {
        // Clocks add to it.
        let within = within.min(LONGEST_WAIT);
        let now = Moment::of(&*self.shared.clock);
        if self.shared.passes_at_once(call, now) {
            return Ok(Permit::new(&self.shared, call.clone()));
        }
        let deadline = now.monotonic.saturating_add(within);
        let ticket = Ticket::enter(&self.shared, call.clone(), deadline);
        self.shared.admission(&ticket.waiter, within).await?;
        Ok(ticket.redeem())
    }

    /// How many calls wait for a service.
    pub fn waiting(&self, service: &ServiceId) -> usize {
        self.shared.lines().get(service).map_or(0, |lines| lines.waiting)
    }
}

impl Permit {
    fn new(shared: &Arc<Shared>, call: Call) -> Self {
        Self { shared: Arc::clone(shared), call, released: false }
    }

    /// Says what the answer said, and lets other processes know what matters to them.
    ///
    /// # Cancel safety
    /// What the answer said is kept in this process, whatever happens.
    pub async fn observe(&self, observation: &Observation) {
        let now = Moment::of(&*self.shared.clock);
        self.shared.limiter.observe(&self.call, observation, now);
        self.share(observation, now).await;
    }

    /// As [`observe`](Self::observe), of a call that is over with this.
    ///
    /// # Cancel safety
    /// As that of [`observe`](Self::observe).
    pub async fn settle(mut self, observation: &Observation) {
        let now = Moment::of(&*self.shared.clock);
        self.released = true;
        self.shared.limiter.settle(&self.call, observation, now);
        self.shared.freed(&self.call);
        self.share(observation, now).await;
    }

    async fn share(&self, observation: &Observation, now: Moment) {
        if let super::Reply::Throttled { .. } = observation.outcome {
            // This process knows; that another one does not, stops nobody.
            if let Err(error) = self.shared.limiter.exchange(&self.call, now).await {
                tracing::warn!(service = %self.call.service, %error, "a rate limit could not be shared");
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.released {
            self.shared.limiter.release(&self.call, true, Moment::of(&*self.shared.clock));
            self.shared.freed(&self.call);
        }
    }
}

/// A place in the line; given up when dropped.
struct Ticket<'a> {
    shared: &'a Arc<Shared>,
    waiter: Arc<Waiter>,
    redeemed: bool,
}

impl<'a> Ticket<'a> {
    fn enter(shared: &'a Arc<Shared>, call: Call, deadline: Duration) -> Self {
        let waiter = Arc::new(Waiter { call, deadline, verdict: Mutex::default(), wake: Notify::new() });
        let call = &waiter.call;
        let mut all = shared.lines();
        let lines = all.entry(call.service.clone()).or_default();
        let rank = &mut lines.lanes[lane(call)];
        let line = rank.lines.entry(call.connection.clone()).or_insert_with(|| {
            rank.turns.push_back(call.connection.clone());
            Line::default()
        });
        line.waiters.push_back(Arc::clone(&waiter));
        line.not_before = Duration::ZERO;
        lines.waiting += 1;
        match &lines.leader {
            Some(leader) => leader.wake.notify_one(),
            None => lines.leader = Some(Arc::clone(&waiter)),
        }
        drop(all);
        Self { shared, waiter, redeemed: false }
    }

    fn redeem(mut self) -> Permit {
        self.redeemed = true;
        Permit::new(self.shared, self.waiter.call.clone())
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let call = &self.waiter.call;
        let mut all = self.shared.lines();
        if let Some(lines) = all.get_mut(&call.service) {
            lines.remove(&self.waiter);
            if lines.leader.as_ref().is_some_and(|leader| Arc::ptr_eq(leader, &self.waiter)) {
                lines.leader = lines.lanes.iter().rev().find_map(Lane::first).cloned();
                if let Some(leader) = &lines.leader {
                    leader.wake.notify_one();
                }
            }
            if lines.waiting == 0 {
                all.remove(&call.service);
            }
        }
        drop(all);
        let granted = self.waiter.verdict().as_ref().is_some_and(Result::is_ok);
        if granted && !self.redeemed {
            self.shared.limiter.release(call, false, Moment::of(&*self.shared.clock));
            self.shared.freed(call);
        }
    }
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, HashMap<ServiceId, Lines>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a call through where it finds no line. While it looks, nobody can line up before it.
    fn passes_at_once(&self, call: &Call, now: Moment) -> bool {
        let all = self.lines();
        !all.contains_key(&call.service) && self.limiter.check(call, now) == Decision::Ready
    }

    /// Waits for the verdict; and decides on all calls while it is the leader.
    async fn admission(&self, waiter: &Arc<Waiter>, within: Duration) -> Result<()> {
        let mut late = std::pin::pin!(self.clock.sleep(within));
        loop {
            // Enabled before looking, so that no call to wake up is missed.
            let mut woken = std::pin::pin!(waiter.wake.notified());
            woken.as_mut().enable();
            if let Some(verdict) = waiter.take_verdict() {
                return verdict;
            }
            let mut next = Duration::MAX;
            if self.leads(waiter) {
                next = self.dispatch(&waiter.call.service).await;
                if let Some(verdict) = waiter.take_verdict() {
                    return verdict;
                }
            }
            let due = next.saturating_sub(self.clock.monotonic());
            let due = std::pin::pin!(async {
                if next == Duration::MAX { std::future::pending().await } else { self.clock.sleep(due).await }
            });
            let woken_or_due = select(woken, due);
            if let Either::Right(_) = select(woken_or_due, late.as_mut()).await {
                // A verdict at the last moment counts.
                return waiter.take_verdict().unwrap_or_else(|| Err(self.too_late(waiter)));
            }
        }
    }

    fn leads(&self, waiter: &Arc<Waiter>) -> bool {
        let all = self.lines();
        let leader = all.get(&waiter.call.service).and_then(|lines| lines.leader.as_ref());
        leader.is_some_and(|leader| Arc::ptr_eq(leader, waiter))
    }

    /// Lets through all that may go, and says when to look again.
    async fn dispatch(&self, service: &ServiceId) -> Duration {
        // A limiter asks for an exchange, and for few in a row; one that never ceases must not spin.
        let mut exchanges = 0;
        loop {
            let now = Moment::of(&*self.clock);
            let step = match self.lines().get_mut(service) {
                Some(lines) => lines.scan(&*self.limiter, now),
                None => Step::Sleep(Duration::MAX),
            };
            match step {
                Step::Sleep(until) => return until,
                Step::Exchange(_) if exchanges > 256 => return now.monotonic + Duration::from_millis(100),
                Step::Exchange(waiter) => {
                    exchanges += 1;
                    if let Err(error) = self.limiter.exchange(&waiter.call, now).await
                        && let Some(lines) = self.lines().get_mut(service)
                    {
                        lines.decide(&waiter, Err(error));
                    }
                }
            }
        }
    }

    fn too_late(&self, waiter: &Waiter) -> Error {
        let all = self.lines();
        let line = all
            .get(&waiter.call.service)
            .and_then(|lines| lines.lanes[lane(&waiter.call)].lines.get(&waiter.call.connection));
        let wait = line.map_or(Duration::ZERO, |line| line.not_before.saturating_sub(self.clock.monotonic()));
        refusal(&waiter.call, wait.max(Duration::from_secs(1)))
    }

    /// A call of the connection is over: it may have made room for the next.
    fn freed(&self, call: &Call) {
        let mut all = self.lines();
        let Some(lines) = all.get_mut(&call.service) else { return };
        let mut waits = false;
        for line in lines.lanes.iter_mut().filter_map(|lane| lane.lines.get_mut(&call.connection)) {
            line.not_before = Duration::ZERO;
            waits = true;
        }
        if waits {
            lines.wake();
        }
    }
}

enum Step {
    Sleep(Duration),
    Exchange(Arc<Waiter>),
}

impl Lines {
    fn wake(&self) {
        if let Some(leader) = &self.leader {
            leader.wake.notify_one();
        }
    }

    fn scan(&mut self, limiter: &dyn RateLimiter, now: Moment) -> Step {
        let mut next = Duration::MAX;
        for number in (0..LANES).rev() {
            let mut turn = 0;
            while let Some(connection) = self.lanes[number].turns.get(turn).cloned() {
                match self.ask(number, &connection, limiter, now) {
                    Asked::Granted(waiter) => {
                        self.decide(&waiter, Ok(()));
                        let lane = &mut self.lanes[number];
                        if lane.turns.get(turn) == Some(&connection) {
                            lane.turns.remove(turn);
                            lane.turns.push_back(connection);
                        }
                    }
                    Asked::Refused(waiter, after) => {
                        let error = refusal(&waiter.call, after);
                        self.decide(&waiter, Err(error));
                    }
                    Asked::Exchange(waiter) => return Step::Exchange(waiter),
                    Asked::Held(until) => {
                        next = next.min(until);
                        turn += 1;
                    }
                    // Lower priorities would have to wait as well.
                    Asked::AllHeld(until) => return Step::Sleep(next.min(until)),
                }
            }
        }
        Step::Sleep(next)
    }

    /// Looks for a call of the line that may go.
    fn ask(
        &mut self,
        number: usize,
        connection: &ConnectionId,
        limiter: &dyn RateLimiter,
        now: Moment,
    ) -> Asked {
        let Some(line) = self.lanes[number].lines.get_mut(connection) else {
            return Asked::Held(Duration::MAX);
        };
        if line.not_before > now.monotonic {
            return Asked::Held(line.not_before);
        }
        let mut until = Duration::MAX;
        let mut held: Vec<&'static str> = Vec::new();
        for waiter in line.waiters.iter().take(LOOK_AHEAD) {
            if held.contains(&waiter.call.operation) {
                continue;
            }
            match limiter.check(&waiter.call, now) {
                Decision::Ready => return Asked::Granted(Arc::clone(waiter)),
                Decision::Exchange => return Asked::Exchange(Arc::clone(waiter)),
                Decision::Wait { after, hold } => {
                    let at = now.monotonic.saturating_add(after);
                    if at > waiter.deadline {
                        return Asked::Refused(Arc::clone(waiter), after);
                    }
                    until = until.min(at);
                    match hold {
                        Hold::Operation => held.push(waiter.call.operation),
                        Hold::Connection => break,
                        Hold::Service => return Asked::AllHeld(until),
                    }
                }
            }
        }
        line.not_before = until;
        Asked::Held(until)
    }

    fn decide(&mut self, waiter: &Arc<Waiter>, verdict: Result<()>) {
        if self.remove(waiter) {
            *waiter.verdict() = Some(verdict);
            waiter.wake.notify_one();
        }
    }

    fn remove(&mut self, waiter: &Arc<Waiter>) -> bool {
        let rank = &mut self.lanes[lane(&waiter.call)];
        let connection = &waiter.call.connection;
        let Some(line) = rank.lines.get_mut(connection) else { return false };
        let Some(place) = line.waiters.iter().position(|other| Arc::ptr_eq(other, waiter)) else {
            return false;
        };
        line.waiters.remove(place);
        // Somebody else stands first now, for another operation perhaps.
        line.not_before = Duration::ZERO;
        if line.waiters.is_empty() {
            rank.lines.remove(connection);
            rank.turns.retain(|other| other != connection);
        }
        self.waiting -= 1;
        true
    }
}

enum Asked {
    Granted(Arc<Waiter>),
    Refused(Arc<Waiter>, Duration),
    Exchange(Arc<Waiter>),
    Held(Duration),
    AllHeld(Duration),
}

impl Lane {
    fn first(&self) -> Option<&Arc<Waiter>> {
        self.turns.front().and_then(|connection| self.lines.get(connection)?.waiters.front())
    }
}

impl Waiter {
    /// An error is handed over; a grant stays, so that the ticket knows of it.
    fn take_verdict(&self) -> Option<Result<()>> {
        let mut verdict = self.verdict();
        if matches!(*verdict, Some(Ok(()))) { Some(Ok(())) } else { verdict.take() }
    }

    fn verdict(&self) -> MutexGuard<'_, Option<Result<()>>> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lane(call: &Call) -> usize {
    use crate::http::Priority;
    match call.priority {
        Priority::Backfill => 0,
        Priority::Webhook => 1,
        Priority::Interactive => 2,
    }
}

fn refusal(call: &Call, wait: Duration) -> Error {
    Error::new(ErrorKind::RateLimited, "the quota leaves no room within the time given")
        .with_service(&call.service)
        .with_operation(call.operation)
        .with_code("quota_wait")
        .with_retry_after(wait)
}

impl fmt::Debug for Turnstile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turnstile").field("limiter", &self.shared.limiter).finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.call).finish()
    }
}
