//! How many calls may be under way at once, and whose turn is next?
//!
//! A provider is slow for one user: without a bulkhead, that user's calls take every place and everybody
//! waits. So each connection has a few places, the service has more, and the places that become free go
//! round: one call for each connection that waits, then the next round. Within a connection the higher
//! priority goes first, then the order of arrival.
//!
//! There is no task in the background: whoever gives a place back passes it on.

mod adaptive;
mod queue;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use self::adaptive::{Heard, Seat};
use self::queue::{Arrival, Queue, Ticket, Turn, Verdict};
use super::limiter::{Observation, Reply};
use crate::connection::ConnectionId;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Priority;

/// How many calls of a service may be under way, and how many may wait. Each counts as at least 1,
/// except `waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadLimits {
    /// How many calls of all connections together may be under way: 16 by default.
    pub service: usize,
    /// How many calls of one connection may be under way: 4 by default.
    pub connection: usize,
    /// How many calls of all connections together may wait: 1,000 by default.
    pub waiting: usize,
}

impl Default for BulkheadLimits {
    fn default() -> Self {
        Self { service: 16, connection: 4, waiting: 1_000 }
    }
}

/// The places of one service.
///
/// A connection whose provider refuses calls (429) although its quota is not used up has too many under
/// way at once: half as many may be from then on, 1 at the least, and one more after each 500 calls that
/// are let through, up to the limit. Calls that were under way when the limit was halved do not halve it
/// again. What 4,096 connections have learnt so is kept.
///
/// ```
/// use integrations_core::http::Priority;
/// use integrations_core::resilience::Bulkhead;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> integrations_core::Result<()> {
/// let bulkhead = Bulkhead::default();
/// let place = bulkhead.acquire(&"anna".into(), Priority::Interactive).await?;
/// // ... the call ...
/// drop(place);
/// assert_eq!(bulkhead.state().under_way, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Bulkhead {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
}

/// How a [`Bulkhead`] stands, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadState {
    /// How many calls are under way.
    pub under_way: usize,
    /// How many calls wait.
    pub waiting: usize,
    /// How many connections have a call under way or waiting.
    pub connections: usize,
}

impl Default for Bulkhead {
    fn default() -> Self {
        Self::new(BulkheadLimits::default())
    }
}

impl Bulkhead {
    /// A bulkhead with every place free.
    pub fn new(limits: BulkheadLimits) -> Self {
        Self { shared: Arc::new(Shared { queue: Mutex::new(Queue::new(limits)) }) }
    }

    /// Takes a place, or waits for its turn. Dropping the permit gives the place back.
    ///
    /// # Errors
    /// [`ErrorKind::RateLimited`] with code `queue_full`, and [`Error::not_processed`], when too many
    /// wait already. It hits the connection that has the most calls waiting: a newcomer from a connection
    /// that has fewer takes the place of that one's last, lowest in priority; so does a call of higher
    /// priority than the last of the same connection.
    ///
    /// # Cancel safety
    /// Dropping the future takes the call out of the queue; a place that it was just given goes to the
    /// next.
    pub async fn acquire(&self, connection: &ConnectionId, priority: Priority) -> Result<BulkheadPermit> {
        let (ticket, turn) = match self.shared.with(|queue, turns| queue.arrive(connection, priority, turns))
        {
            Arrival::Place(seat) => return Ok(BulkheadPermit::new(&self.shared, connection, seat)),
            Arrival::Full => return Err(queue_full()),
            Arrival::Queued(ticket, turn) => (ticket, turn),
        };
        Waiting { shared: &self.shared, connection, ticket: Some(ticket), turn }.wait().await
    }

    /// Changes how many calls of this connection may be under way; at least 1. Calls that are under way
    /// go on. The number of [`BulkheadLimits::connection`] takes the exception back.
    pub fn set_connection_limit(&self, connection: &ConnectionId, limit: usize) {
        self.shared.with(|queue, turns| queue.set_limit(connection, limit.max(1), turns));
    }

    /// How many calls of this connection may be under way: the limit, or less after its provider refused
    /// some.
    pub fn connection_limit(&self, connection: &ConnectionId) -> usize {
        self.shared.lock().limit(connection)
    }

    /// What it was made with.
    pub fn limits(&self) -> BulkheadLimits {
        self.shared.lock().limits()
    }

    /// How it stands.
    pub fn state(&self) -> BulkheadState {
        self.shared.lock().state()
    }
}

fn queue_full() -> Error {
    Error::new(ErrorKind::RateLimited, "too many calls to this service wait already; come back later")
        .with_code("queue_full")
}

impl Shared {
    /// Changes the queue, then tells those whose turn it is: they are woken outside the lock, because
    /// a waker may run anything.
    fn with<T>(&self, change: impl FnOnce(&mut Queue, &mut Vec<Turn>) -> T) -> T {
        let mut turns = Vec::new();
        let outcome = change(&mut self.lock(), &mut turns);
        for turn in turns {
            turn.tell();
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.lock();
        f.debug_struct("Bulkhead").field("limits", &queue.limits()).field("state", &queue.state()).finish()
    }
}

/// A place in the queue that is left when it is dropped.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    connection: &'a ConnectionId,
    /// Taken once the verdict is in.
    ticket: Option<Ticket>,
    turn: oneshot::Receiver<Verdict>,
}

impl Waiting<'_> {
    async fn wait(mut self) -> Result<BulkheadPermit> {
        let verdict = (&mut self.turn).await;
        let Some(ticket) = self.ticket.take() else { return Err(queue_full()) };
        match verdict {
            Ok(Verdict::Place(seat)) => {
                self.shared.lock().claim(ticket);
                Ok(BulkheadPermit::new(self.shared, self.connection, seat))
            }
            Ok(Verdict::Crowded) | Err(_) => Err(queue_full()),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.with(|queue, turns| queue.leave(self.connection, ticket, turns));
        }
    }
}

/// A call's place. Dropping it gives the place to the next.
#[derive(Debug)]
#[must_use]
pub struct BulkheadPermit {
    shared: Arc<Shared>,
    connection: ConnectionId,
    seat: Seat,
    heard: Heard,
}

impl BulkheadPermit {
    fn new(shared: &Arc<Shared>, connection: &ConnectionId, seat: Seat) -> Self {
        Self { shared: Arc::clone(shared), connection: connection.clone(), seat, heard: Heard::Nothing }
    }

    /// The connection whose call it is.
    pub fn connection(&self) -> &ConnectionId {
        &self.connection
    }

    /// Says what the answer said; it counts when the place is given back. See [`Bulkhead`].
    pub fn observe(&mut self, told: &Observation) {
        self.heard = match told.outcome {
            Reply::Accepted => Heard::Good,
            // A quota that is used up says nothing about how many calls may be under way.
            Reply::Throttled { .. } if told.remaining != Some(0) && !told.app_wide => Heard::Refused,
            Reply::Throttled { .. } | Reply::Unknown => Heard::Nothing,
        };
    }
}

impl Drop for BulkheadPermit {
    fn drop(&mut self) {
        self.shared.with(|queue, turns| {
            queue.learn(&self.connection, self.seat, self.heard);
            queue.give_back(&self.connection, turns);
        });
    }
}
