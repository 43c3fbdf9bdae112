//! Whose tokens are refreshed next?
//!
//! Thousands of tokens may expire together, and a token endpoint takes only so many exchanges a minute. If
//! all refreshes were begun at once, their guards and marks would run out while they wait for the quota. So
//! only as many are under way as there are places at the endpoint; the others stand in line with nothing in
//! hand, and whose connection is first without a token that it can use goes first.
//!
//! There is no task in the background: whoever gives a place back passes it on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use crate::connection::ServiceId;

/// The lines of a process, one for each service.
#[derive(Debug, Default, Clone)]
pub(super) struct Lines(Arc<Mutex<HashMap<ServiceId, Line>>>);

#[derive(Debug, Default)]
struct Line {
    under_way: usize,
    waiting: BTreeMap<Rank, oneshot::Sender<Place>>,
    arrivals: u64,
}

/// The time from which somebody has to wait, then the order of arrival.
type Rank = (DateTime<Utc>, u64);

impl Line {
    fn enter(&mut self, until: DateTime<Utc>, whom: oneshot::Sender<Place>) -> Rank {
        self.arrivals += 1;
        let rank = (until, self.arrivals);
        self.waiting.insert(rank, whom);
        rank
    }
}

impl Lines {
    /// A refresh comes, for a connection that can do without until then. It gets one of that many places, or
    /// stands in line.
    pub(super) fn arrive(&self, service: &ServiceId, places: usize, until: DateTime<Utc>) -> Arrival {
        let mut lines = self.inner();
        let line = lines.entry(service.clone()).or_default();
        if line.under_way < places.max(1) {
            line.under_way += 1;
            return Arrival::Place(Place::new(self, service));
        }
        let (whom, turn) = oneshot::channel();
        let rank = line.enter(until, whom);
        Arrival::InLine(Ticket { lines: self.clone(), service: service.clone(), rank }, turn)
    }

    fn inner(&self) -> MutexGuard<'_, HashMap<ServiceId, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who gets a place that was given back; nobody, if nobody waits.
    fn next(&self, service: &ServiceId) -> Option<oneshot::Sender<Place>> {
        let mut lines = self.inner();
        let line = lines.get_mut(service)?;
        if let Some((_, whom)) = line.waiting.pop_first() {
            return Some(whom);
        }
        line.under_way = line.under_way.saturating_sub(1);
        if line.under_way == 0 {
            lines.remove(service);
        }
        None
    }
}

/// What a refresh finds.
#[derive(Debug)]
pub(super) enum Arrival {
    Place(Place),
    /// The place comes when it is its turn.
    InLine(Ticket, oneshot::Receiver<Place>),
}

/// Where somebody stands in line.
#[derive(Debug)]
pub(super) struct Ticket {
    lines: Lines,
    service: ServiceId,
    rank: Rank,
}

impl Ticket {
    /// The connection cannot do without any more.
    pub(super) fn hurry(self, now: DateTime<Utc>) {
        if let Some(line) = self.lines.inner().get_mut(&self.service)
            && let Some(whom) = line.waiting.remove(&self.rank)
        {
            line.enter(now, whom);
        }
    }
}

/// The right to have a refresh under way. Dropping it passes it on.
#[derive(Debug)]
#[must_use = "dropping it passes the place on"]
pub(super) struct Place {
    lines: Lines,
    service: ServiceId,
    passed_on: bool,
}

impl Place {
    fn new(lines: &Lines, service: &ServiceId) -> Self {
        Self { lines: lines.clone(), service: service.clone(), passed_on: false }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Not under the lock: the other one's waker may run anything. Who has gone is passed over.
        while !self.passed_on
            && let Some(whom) = self.lines.next(&self.service)
        {
            match whom.send(Self::new(&self.lines, &self.service)) {
                Ok(()) => return,
                Err(mut refused) => refused.passed_on = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::from(minute) * 60, 0).unwrap()
    }

    fn place(arrival: Arrival) -> Place {
        match arrival {
            Arrival::Place(place) => place,
            Arrival::InLine(..) => panic!("there is no place"),
        }
    }

    fn in_line(arrival: Arrival) -> (Ticket, oneshot::Receiver<Place>) {
        match arrival {
            Arrival::InLine(ticket, turn) => (ticket, turn),
            Arrival::Place(_) => panic!("there is a place"),
        }
    }

    #[test]
    fn first_goes_who_is_first_without_a_token() {
        let (lines, service) = (Lines::default(), ServiceId::from("one"));
        let arrive = |until| lines.arrive(&service, 1, until);
        let mut under_way = place(arrive(at(9)));
        let (mut tickets, mut turns): (Vec<_>, Vec<_>) =
            [5, 3, 8, 3, 9].map(|until| in_line(arrive(at(until)))).into_iter().unzip();
        // One service's refreshes do not wait for another's.
        let _other = place(lines.arrive(&"two".into(), 1, at(9)));
        tickets.pop().unwrap().hurry(at(4));
        for expected in [1, 3, 4, 0, 2] {
            drop(under_way);
            let mut came: Vec<_> = turns.iter_mut().map(|turn| turn.try_recv().ok()).collect();
            assert_eq!(came.iter().position(Option::is_some), Some(expected));
            under_way = came.swap_remove(expected).unwrap();
        }
        // Who has had their turn cannot be hurried.
        tickets.pop().unwrap().hurry(at(1));
        drop(under_way);
        drop(place(arrive(at(9))));
        assert_eq!(lines.inner().len(), 1);
    }

    #[test]
    fn a_place_is_lost_on_nobody() {
        let (lines, service) = (Lines::default(), ServiceId::from("one"));
        let arrive = || lines.arrive(&service, 2, at(0));
        let places = [place(arrive()), place(arrive())];
        // Some go before their turn, one at the very moment that it comes.
        drop([in_line(arrive()), in_line(arrive())]);
        let ((_, gone), (_, mut stays)) = (in_line(arrive()), in_line(arrive()));
        drop(places);
        drop(gone);
        let both = (stays.try_recv().unwrap(), place(arrive()));
        in_line(arrive());
        drop(both);
        assert!(lines.inner().is_empty());
    }
}
