//! How many calls of one connection does its provider bear at once?
//!
//! Nobody says so, but a refusal tells: additive increase, multiplicative decrease. Half as many calls as
//! were under way, then one more after each long run of calls that went well.

use std::collections::HashMap;

use crate::connection::ConnectionId;

/// How many calls go well before one more may be under way: growing back by two steps or more, a
/// connection has fewer than one call in a thousand refused.
const RUN: u32 = 500;
/// How many connections are kept; forgetting one costs it a refusal.
const MOST: usize = 4_096;

/// Where a call stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    /// Which place it was that was given away, over all connections.
    pub(super) number: u64,
    /// How many of its connection's calls were under way then, itself among them.
    pub(super) together: usize,
}

/// What a call's answer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// It was let through.
    Good,
    /// It was one too many.
    Refused,
}

/// The connections that may have fewer calls under way than their limit says.
#[derive(Debug, Default)]
pub(super) struct Adaptive {
    lowered: HashMap<ConnectionId, Lowered>,
}

#[derive(Debug)]
struct Lowered {
    limit: usize,
    /// The place that was given away last before it was lowered: answers up to that one are old news.
    since: u64,
    /// Calls that went well in a row.
    good: u32,
}

impl Adaptive {
    /// The limit of a connection whose own is `limit`.
    pub(super) fn limit(&self, connection: &ConnectionId, limit: usize) -> usize {
        self.lowered.get(connection).map_or(limit, |lowered| lowered.limit.min(limit))
    }

    /// A call of a connection went well; `limit` is the connection's own.
    pub(super) fn good(&mut self, connection: &ConnectionId, seat: Seat, limit: usize) {
        let Some(lowered) = self.lowered.get_mut(connection) else { return };
        if seat.number <= lowered.since {
            return;
        }
        lowered.good += 1;
        if lowered.good >= RUN {
            (lowered.good, lowered.limit) = (0, lowered.limit + 1);
        }
        if lowered.limit >= limit {
            self.lowered.remove(connection);
        }
    }

    /// A call of a connection was refused while `under_way` were, itself among them; `newest` is the place
    /// that was given away last.
    pub(super) fn refused(&mut self, connection: &ConnectionId, seat: Seat, under_way: usize, newest: u64) {
        let together = under_way.max(seat.together);
        let known = self.lowered.get(connection);
        // One call alone is not too many at once: it was something else.
        if together < 2 || known.is_some_and(|lowered| seat.number <= lowered.since) {
            return;
        }
        let limit = known.map_or(together / 2, |lowered| (together / 2).min(lowered.limit));
        if known.is_none() && self.lowered.len() >= MOST {
            let longest = self.lowered.iter().min_by_key(|(_, lowered)| lowered.since);
            if let Some(longest) = longest.map(|(connection, _)| connection.clone()) {
                self.lowered.remove(&longest);
            }
        }
        self.lowered.insert(connection.clone(), Lowered { limit, since: newest, good: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(number: u64, together: usize) -> Seat {
        Seat { number, together }
    }

    #[test]
    fn a_refusal_halves_once_and_long_runs_of_good_calls_raise_it_by_one() {
        let (mut adaptive, a) = (Adaptive::default(), ConnectionId::from("a"));
        // Eight leave together, and three of them are refused.
        for (number, together) in [(2, 2), (5, 5), (8, 8)] {
            adaptive.refused(&a, seat(number, together), 8, 8);
            assert_eq!(adaptive.limit(&a, 8), 4);
        }
        adaptive.good(&a, seat(7, 7), 8);
        for number in 0..u64::from(RUN) * 4 {
            let steps = usize::try_from(number / u64::from(RUN)).unwrap();
            assert_eq!(adaptive.limit(&a, 8), 4 + steps);
            adaptive.good(&a, seat(9 + number, 4), 8);
        }
        assert!(adaptive.lowered.is_empty());
        assert_eq!(adaptive.limit(&a, 8), 8);
    }

    #[test]
    fn it_goes_down_to_one_and_a_refusal_ends_the_run() {
        let (mut adaptive, a) = (Adaptive::default(), ConnectionId::from("a"));
        for (number, limit) in [(4, 2), (6, 1), (7, 1), (8, 1)] {
            adaptive.refused(&a, seat(number, adaptive.limit(&a, 4)), 0, number);
            assert_eq!(adaptive.limit(&a, 4), limit);
        }
        (0..RUN).for_each(|_| adaptive.good(&a, seat(9, 1), 4));
        assert_eq!(adaptive.limit(&a, 4), 2);
        (1..RUN).for_each(|_| adaptive.good(&a, seat(10, 1), 4));
        adaptive.refused(&a, seat(11, 2), 2, 11);
        adaptive.good(&a, seat(12, 1), 4);
        assert_eq!(adaptive.limit(&a, 4), 1);
    }

    #[test]
    fn a_limit_of_the_hosts_stays_the_ceiling_and_memory_is_bounded() {
        let (mut adaptive, a) = (Adaptive::default(), ConnectionId::from("a"));
        adaptive.refused(&a, seat(8, 8), 8, 8);
        assert_eq!(adaptive.limit(&a, 2), 2);
        for number in 0..2 * MOST as u64 {
            adaptive.refused(&format!("cn_{number}").into(), seat(9 + number, 2), 2, 9 + number);
        }
        assert_eq!(adaptive.lowered.len(), MOST);
        assert_eq!(adaptive.limit(&a, 8), 8);
    }
}
