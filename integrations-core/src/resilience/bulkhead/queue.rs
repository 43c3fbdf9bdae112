//! Who has a place, who waits, and who is next?
//!
//! Between two changes this holds: either no place is free, or nobody who may have one waits. The *ring*
//! holds each connection that waits and may have another place, once; a connection that has all its own
//! places joins again, at the end, when it gives one back.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use tokio::sync::oneshot;

use super::adaptive::{Adaptive, Heard, Seat};
use super::{BulkheadLimits, BulkheadState};
use crate::connection::ConnectionId;
use crate::http::Priority;

/// A call that waits: the higher priority first, then the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ticket {
    priority: Reverse<Priority>,
    number: u64,
}

/// What becomes of a call that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has a place.
    Place(Seat),
    /// Its place in the queue went to somebody who waits for less.
    Crowded,
}

/// Somebody to tell.
pub(super) struct Turn {
    verdict: Verdict,
    whom: oneshot::Sender<Verdict>,
}

impl Turn {
    pub(super) fn tell(self) {
        // Whoever has gone in the meantime has given the place back: `leave`.
        let _ = self.whom.send(self.verdict);
    }
}

/// What a call finds.
pub(super) enum Arrival {
    Place(Seat),
    Queued(Ticket, oneshot::Receiver<Verdict>),
    Full,
}

pub(super) struct Queue {
    limits: BulkheadLimits,
    /// The connections whose limit is not the common one.
    exceptions: HashMap<ConnectionId, usize>,
    /// What the providers' refusals made of the limits.
    adaptive: Adaptive,
    lanes: HashMap<ConnectionId, Lane>,
    ring: VecDeque<ConnectionId>,
    /// Places that were given to a call which has not taken note yet.
    unclaimed: HashSet<Ticket>,
    under_way: usize,
    waiting: usize,
    tickets: u64,
    /// How many places were given away.
    seats: u64,
}

/// One connection's calls.
#[derive(Default)]
struct Lane {
    under_way: usize,
    waiting: BTreeMap<Ticket, oneshot::Sender<Verdict>>,
    in_ring: bool,
}

impl Lane {
    /// The call that is next to nobody: the lowest in priority, the last to come.
    fn last(&self) -> Option<Ticket> {
        self.waiting.last_key_value().map(|(ticket, _)| *ticket)
    }
}

impl Queue {
    pub(super) fn new(limits: BulkheadLimits) -> Self {
        let BulkheadLimits { service, connection, waiting } = limits;
        Self {
            limits: BulkheadLimits { service: service.max(1), connection: connection.max(1), waiting },
            exceptions: HashMap::new(),
            adaptive: Adaptive::default(),
            lanes: HashMap::new(),
            ring: VecDeque::new(),
            unclaimed: HashSet::new(),
            under_way: 0,
            waiting: 0,
            tickets: 0,
            seats: 0,
        }
    }

    pub(super) fn limits(&self) -> BulkheadLimits {
        self.limits
    }

    pub(super) fn limit(&self, connection: &ConnectionId) -> usize {
        self.adaptive.limit(connection, self.own_limit(connection))
    }

    /// The limit without what was learnt.
    fn own_limit(&self, connection: &ConnectionId) -> usize {
        self.exceptions.get(connection).copied().unwrap_or(self.limits.connection)
    }

    pub(super) fn state(&self) -> BulkheadState {
        BulkheadState { under_way: self.under_way, waiting: self.waiting, connections: self.lanes.len() }
    }

    /// A call comes.
    pub(super) fn arrive(
        &mut self,
        connection: &ConnectionId,
        priority: Priority,
        turns: &mut Vec<Turn>,
    ) -> Arrival {
        let limit = self.limit(connection);
        if self.under_way < self.limits.service {
            // One that has no lane yet has no call under way, and gets the place.
            let lane = self.lanes.entry(connection.clone()).or_default();
            // Nobody who may have this place waits: else it would not be free.
            if lane.under_way < limit {
                lane.under_way += 1;
                self.under_way += 1;
                self.seats += 1;
                return Arrival::Place(Seat { number: self.seats, together: lane.under_way });
            }
        }
        self.tickets += 1;
        let ticket = Ticket { priority: Reverse(priority), number: self.tickets };
        if self.waiting >= self.limits.waiting && !self.crowd_out(connection, ticket, turns) {
            return Arrival::Full;
        }
        let (whom, turn) = oneshot::channel();
        self.lanes.entry(connection.clone()).or_default().waiting.insert(ticket, whom);
        self.waiting += 1;
        self.line_up(connection);
        Arrival::Queued(ticket, turn)
    }

    /// A call that was given a place takes note of it.
    pub(super) fn claim(&mut self, ticket: Ticket) {
        self.unclaimed.remove(&ticket);
    }

    /// A call that waited goes away, maybe just as it was given a place, or crowded out.
    pub(super) fn leave(&mut self, connection: &ConnectionId, ticket: Ticket, turns: &mut Vec<Turn>) {
        if self.unclaimed.remove(&ticket) {
            self.give_back(connection, turns);
        } else {
            self.strike(connection, ticket);
        }
    }

    /// A call is over, and its answer said this. Giving the place back hands out what follows from it.
    pub(super) fn learn(&mut self, connection: &ConnectionId, seat: Seat, heard: Heard) {
        match heard {
            Heard::Nothing => {}
            Heard::Good => {
                let limit = self.own_limit(connection);
                self.adaptive.good(connection, seat, limit);
            }
            Heard::Refused => {
                let under_way = self.lanes.get(connection).map_or(0, |lane| lane.under_way);
                self.adaptive.refused(connection, seat, under_way, self.seats);
            }
        }
    }

    /// A call is over.
    pub(super) fn give_back(&mut self, connection: &ConnectionId, turns: &mut Vec<Turn>) {
        if self.waiting == 0 {
            // Nobody to hand it to: one look, not one for each step of what follows.
            if let Entry::Occupied(mut lane) = self.lanes.entry(connection.clone()) {
                lane.get_mut().under_way = lane.get().under_way.saturating_sub(1);
                self.under_way = self.under_way.saturating_sub(1);
                if lane.get().under_way == 0 {
                    lane.remove();
                }
            }
            return;
        }
        if let Some(lane) = self.lanes.get_mut(connection) {
            lane.under_way = lane.under_way.saturating_sub(1);
            self.under_way = self.under_way.saturating_sub(1);
        }
        self.line_up(connection);
        self.tidy(connection);
        self.hand_out(turns);
    }

    pub(super) fn set_limit(&mut self, connection: &ConnectionId, limit: usize, turns: &mut Vec<Turn>) {
        if limit == self.limits.connection {
            self.exceptions.remove(connection);
        } else {
            self.exceptions.insert(connection.clone(), limit);
        }
        self.line_up(connection);
        self.hand_out(turns);
    }

    /// Puts a connection at the end of the ring, if it belongs there and is not in it.
    fn line_up(&mut self, connection: &ConnectionId) {
        let limit = self.limit(connection);
        if let Some(lane) = self.lanes.get_mut(connection)
            && !lane.in_ring
            && !lane.waiting.is_empty()
            && lane.under_way < limit
        {
            lane.in_ring = true;
            self.ring.push_back(connection.clone());
        }
    }

    /// Gives the free places away, one to each connection in the ring, round by round.
    fn hand_out(&mut self, turns: &mut Vec<Turn>) {
        while self.under_way < self.limits.service
            && let Some(connection) = self.ring.pop_front()
        {
            let limit = self.limit(&connection);
            let Some(lane) = self.lanes.get_mut(&connection) else { continue };
            lane.in_ring = false;
            // The limit may have been lowered since it lined up.
            if lane.under_way < limit
                && let Some((ticket, whom)) = lane.waiting.pop_first()
            {
                lane.under_way += 1;
                self.under_way += 1;
                self.waiting -= 1;
                self.unclaimed.insert(ticket);
                self.seats += 1;
                let seat = Seat { number: self.seats, together: lane.under_way };
                turns.push(Turn { verdict: Verdict::Place(seat), whom });
            }
            self.line_up(&connection);
        }
    }

    /// Makes room in a full queue for a call that waits for less than somebody who is in it.
    fn crowd_out(&mut self, connection: &ConnectionId, ticket: Ticket, turns: &mut Vec<Turn>) -> bool {
        let mine = self.lanes.get(connection).map_or(0, |lane| lane.waiting.len());
        let size = |lane: &Lane| (lane.waiting.len(), lane.last());
        let Some((crowd, lane)) = self.lanes.iter().max_by_key(|(_, lane)| size(lane)) else {
            return false;
        };
        let victim = if lane.waiting.len() > mine + 1 {
            Some((crowd.clone(), lane))
        } else {
            self.lanes.get(connection).map(|lane| (connection.clone(), lane))
        };
        let Some((crowd, last)) = victim.and_then(|(crowd, lane)| Some((crowd, lane.last()?))) else {
            return false;
        };
        if crowd == *connection && last.priority <= ticket.priority {
            return false;
        }
        let Some(whom) = self.strike(&crowd, last) else { return false };
        turns.push(Turn { verdict: Verdict::Crowded, whom });
        true
    }

    /// Takes a call out of the queue.
    fn strike(&mut self, connection: &ConnectionId, ticket: Ticket) -> Option<oneshot::Sender<Verdict>> {
        let lane = self.lanes.get_mut(connection)?;
        let whom = lane.waiting.remove(&ticket)?;
        self.waiting -= 1;
        if lane.waiting.is_empty() && lane.in_ring {
            lane.in_ring = false;
            self.ring.retain(|other| other != connection);
        }
        self.tidy(connection);
        Some(whom)
    }

    /// Forgets a connection that has nothing here any more.
    fn tidy(&mut self, connection: &ConnectionId) {
        if self.lanes.get(connection).is_some_and(|lane| lane.under_way == 0 && lane.waiting.is_empty()) {
            self.lanes.remove(connection);
        }
    }
}
