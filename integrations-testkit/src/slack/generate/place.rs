//! When was a generated message posted, and what is at a given `ts`?
//!
//! Time is cut into slots of the same length, one a message. A slot has eight parts: the message stands
//! somewhere in the first, its replies in those that follow.

use chrono::TimeDelta;

use super::Sort;
use crate::random::{Draw, mix};
use crate::slack::ts::Ts;

const MOST_REPLIES: usize = 5;
const PARTS: u64 = 8;

/// The slots of one channel.
#[derive(Debug)]
pub(super) struct Slots {
    key: u64,
    count: u64,
    first: u64,
    length: u64,
    direct: bool,
}

/// A message or a reply of a thread, and the whole thread around it.
#[derive(Debug, Clone, Copy)]
pub(in crate::slack) struct Place {
    /// What everything here is drawn from.
    key: u64,
    first: u64,
    length: u64,
    message: Ts,
    replies: [Ts; MOST_REPLIES],
    reply_count: u8,
    broadcast: bool,
    /// `None` for the message itself.
    reply: Option<u8>,
}

impl Place {
    pub(in crate::slack) const fn message(&self) -> Ts {
        self.message
    }

    pub(in crate::slack) fn ts(&self) -> Ts {
        self.reply.map_or(self.message, |reply| self.replies[usize::from(reply)])
    }

    pub(super) const fn reply(&self) -> Option<u8> {
        self.reply
    }

    pub(super) const fn reply_count(&self) -> u8 {
        self.reply_count
    }

    /// The thread's replies, the oldest first.
    pub(in crate::slack) fn replies(&self) -> impl Iterator<Item = Ts> + use<> {
        self.replies.into_iter().take(usize::from(self.reply_count))
    }

    /// The parent of a reply.
    pub(in crate::slack) fn parent(&self) -> Option<Ts> {
        self.reply.map(|_| self.message)
    }

    pub(super) const fn parent_place(&self) -> Self {
        Self { reply: None, ..*self }
    }

    /// Whether it is a reply that stands in the history too: the last one of some threads.
    pub(in crate::slack) fn is_broadcast(&self) -> bool {
        self.broadcast && self.reply.is_some_and(|reply| reply + 1 == self.reply_count)
    }

    /// Where the thread begins, and what is behind it.
    pub(in crate::slack) const fn span(&self) -> (Ts, Ts) {
        (Ts(self.first), Ts(self.first + self.length))
    }

    /// What the message, or one of the replies, is drawn from.
    pub(super) fn draw(&self, reply: Option<u8>) -> Draw {
        Draw::new(mix(self.key ^ reply.map_or(0, |reply| u64::from(reply) + 1)))
    }
}

impl Slots {
    pub(super) fn new(key: u64, count: u64, first: Ts, span: TimeDelta, direct: bool) -> Self {
        let span = u64::try_from(span.num_microseconds().unwrap_or(i64::MAX)).unwrap_or(0);
        let length = span / count.max(1);
        assert!(length >= PARTS, "a channel cannot have {count} generated messages");
        Self { key, count, first: first.0, length, direct }
    }

    fn slot(&self, index: u64) -> Place {
        let key = mix(self.key.wrapping_add(index)) ^ self.key;
        let mut draw = Draw::new(key);
        let first = self.first + index * self.length;
        let part = self.length / PARTS;
        let mut place = Place {
            key,
            first,
            length: self.length,
            message: Ts(first + draw.next() % part),
            replies: [Ts(0); MOST_REPLIES],
            reply_count: 0,
            broadcast: false,
            reply: None,
        };
        if draw.percent(8) && self.takes_replies(&place) {
            place.reply_count = *draw.pick(&[1, 2, 3, 4, 5]);
            place.broadcast = draw.percent(10);
            for (reply, from) in place.replies.iter_mut().zip(1..) {
                *reply = Ts(first + part * from + draw.next() % part);
            }
        }
        place
    }

    /// Nobody replies to the news that somebody joined.
    fn takes_replies(&self, place: &Place) -> bool {
        let mut draw = place.draw(None);
        // The author is drawn first.
        draw.next();
        Sort::draw(&mut draw, self.direct) != Sort::Join
    }

    /// The index of the slot around a `ts`; of the last one for what is later.
    fn index(&self, ts: Ts) -> Option<u64> {
        let index = ts.0.checked_sub(self.first)? / self.length;
        Some(index.min(self.count.checked_sub(1)?))
    }

    pub(super) fn find(&self, ts: Ts) -> Option<Place> {
        let place = self.slot(self.index(ts)?);
        if place.message == ts {
            return Some(place);
        }
        let reply = place.replies().position(|reply| reply == ts)?;
        Some(Place { reply: u8::try_from(reply).ok(), ..place })
    }

    pub(super) fn history(&self, from: Ts) -> impl Iterator<Item = Ts> + '_ {
        let end = self.index(from).map_or(0, |last| last + 1);
        let of_slot = move |index| {
            let place = self.slot(index);
            let broadcast = place.replies().last().filter(|_| place.broadcast);
            broadcast.into_iter().chain([place.message])
        };
        (0..end).rev().flat_map(of_slot).filter(move |&ts| ts <= from)
    }
}
