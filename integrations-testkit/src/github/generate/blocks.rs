//! When was what made up, and in which order?
//!
//! Time is cut into blocks of the same length, each with 64 issues and all that belongs to them. A block
//! has three parts: in the first its issues are opened, in the second they are talked about, in the third
//! what was said is edited, issues are closed, and at last each is updated, in an order of its own. So a
//! listing by any time goes from block to block, and finds its place at once.

use chrono::{DateTime, TimeDelta, Utc};

use crate::github::layer::{By, Key, Order, in_order};
use crate::random::{Draw, mix};

/// How many issues a block has.
pub(super) const BLOCK: u64 = 64;
/// How many things of a kind may belong to one issue.
pub(super) const MOST: u64 = 5;
/// Made-up issues lie in this span before the fake's start, in the order of their number.
const SPAN: TimeDelta = TimeDelta::days(400);
/// What lies between the last of them and the start.
const REST: TimeDelta = TimeDelta::days(1);
/// Every so many blocks one was edited at one stroke, as by a rename of a label: all its issues have the
/// same time of their update.
const BULK: u64 = 8;

/// Before anything made up, in seconds.
pub(in crate::github) fn dawn(start: DateTime<Utc>) -> i64 {
    (start - SPAN - REST).timestamp()
}

/// The times of one repository's issues. An issue's index is its number less one.
#[derive(Debug)]
pub(super) struct Blocks {
    key: u64,
    count: u64,
    dawn: i64,
    length: i64,
}

impl Blocks {
    pub(super) fn new(key: u64, count: u64, start: DateTime<Utc>) -> Self {
        let blocks = count.div_ceil(BLOCK).max(1);
        let length = SPAN.num_seconds() / i64::try_from(blocks).unwrap_or(i64::MAX);
        assert!(length >= 2_000, "a repository cannot have {count} generated issues");
        Self { key, count, dawn: dawn(start), length }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    const fn blocks(&self) -> u64 {
        self.count.div_ceil(BLOCK)
    }

    /// A point of an issue's block, in parts of `of`.
    fn point(&self, index: u64, part: u64, of: u64) -> i64 {
        let signed = |number: u64| i64::try_from(number).unwrap_or(0);
        self.dawn + signed(index / BLOCK) * self.length + self.length * signed(part) / signed(of)
    }

    pub(super) fn created(&self, index: u64) -> i64 {
        self.point(index, index % BLOCK, 3 * BLOCK)
    }

    /// When what belongs to an issue at a place was said.
    pub(super) fn said(&self, index: u64, place: u64) -> i64 {
        let steps = BLOCK * MOST;
        self.point(index, steps + index % BLOCK * MOST + place, 3 * steps)
    }

    /// When that was edited.
    pub(super) fn edited(&self, index: u64, place: u64) -> i64 {
        let steps = BLOCK * MOST;
        // The order of edits is the reverse one.
        let turned = steps - 1 - (index % BLOCK * MOST + place);
        self.point(index, 4 * steps + turned, 6 * steps)
    }

    pub(super) fn closed(&self, index: u64) -> i64 {
        self.point(index, 4 * BLOCK + index % BLOCK, 6 * BLOCK)
    }

    /// In the block's last part, four issues at a time.
    pub(super) fn updated(&self, index: u64) -> i64 {
        let block = index / BLOCK;
        let mut draw = Draw::new(mix(self.key ^ block));
        let (factor, shift) = (draw.next() | 1, draw.next());
        let turned = (index % BLOCK).wrapping_mul(factor).wrapping_add(shift) % BLOCK;
        let turned = if block % BULK == BULK - 1 { BLOCK / 2 } else { turned / 4 * 4 };
        self.point(index, 5 * BLOCK + turned, 6 * BLOCK)
    }

    /// The issues whose block this is.
    pub(super) fn of_block(&self, block: u64) -> std::ops::Range<u64> {
        block * BLOCK..((block + 1) * BLOCK).min(self.count)
    }

    fn block_at(&self, at: i64) -> u64 {
        u64::try_from((at - self.dawn).div_euclid(self.length)).unwrap_or(0)
    }

    /// Everything that blocks have, in an order by time, behind a place if there is one.
    pub(super) fn ordered<'a>(
        &'a self,
        order: Order,
        from: Option<Key>,
        keys: impl Fn(u64, By) -> Vec<Key> + 'a,
    ) -> Box<dyn Iterator<Item = Key> + 'a> {
        let (first, end) = match (from, order.descending) {
            (None, _) => (0, self.blocks()),
            (Some(from), false) => (self.block_at(from.at).min(self.blocks()), self.blocks()),
            (Some(from), true) if from.at < self.dawn => (0, 0),
            (Some(from), true) => (0, (self.block_at(from.at) + 1).min(self.blocks())),
        };
        let of_block = move |block| in_order(keys(block, order.by), order, from);
        if order.descending {
            Box::new((first..end).rev().flat_map(of_block))
        } else {
            Box::new((first..end).flat_map(of_block))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(count: u64) -> Blocks {
        let start = DateTime::from_timestamp(1_772_355_600, 0).unwrap();
        Blocks::new(7, count, start)
    }

    #[test]
    fn what_happens_to_an_issue_happens_in_its_order_and_in_its_block() {
        for count in [1, 64, 1_000, 1_000_000] {
            let blocks = blocks(count);
            for index in (0..count).step_by(usize::try_from(count / 500).unwrap().max(1)) {
                let first = blocks.point(index, 0, 1);
                let said: Vec<_> = (0..MOST).map(|place| blocks.said(index, place)).collect();
                let edited: Vec<_> = (0..MOST).map(|place| blocks.edited(index, place)).collect();
                assert!(said.is_sorted() && first <= blocks.created(index));
                assert!(blocks.created(index) <= said[0] && said[4] <= blocks.closed(index));
                let updated = blocks.updated(index);
                assert!(said.iter().chain(&edited).all(|&at| at <= updated));
                assert!(blocks.closed(index) <= updated && updated < first + blocks.length);
            }
        }
    }

    #[test]
    fn every_order_has_everything_from_any_place_on() {
        let blocks = blocks(700);
        let keys = |block, by| {
            let key = |index| match by {
                By::Updated => Key { at: blocks.updated(index), id: index + 1 },
                _ => Key { at: blocks.created(index), id: index + 1 },
            };
            blocks.of_block(block).map(key).collect::<Vec<_>>()
        };
        for by in [By::Created, By::Updated] {
            for descending in [false, true] {
                let order = Order { by, descending };
                let all: Vec<_> = blocks.ordered(order, None, keys).collect();
                assert_eq!(all.len(), 700);
                assert!(all.windows(2).all(|pair| order.is_behind(pair[1], pair[0])));
                for at in [0, 1, 63, 64, 500, 698, 699] {
                    let rest: Vec<_> = blocks.ordered(order, Some(all[at]), keys).collect();
                    assert_eq!(rest, all[at + 1..]);
                }
                let early = Key { at: i64::MIN / 2, id: 0 };
                let late = Key { at: i64::MAX / 2, id: 0 };
                let (none, every) = if descending { (early, late) } else { (late, early) };
                assert_eq!(blocks.ordered(order, Some(none), keys).count(), 0);
                assert_eq!(blocks.ordered(order, Some(every), keys).count(), 700);
            }
        }
    }

    #[test]
    fn updates_come_in_another_order_than_issues_and_several_at_a_time() {
        let blocks = blocks(64);
        let updated: Vec<_> = (0..64).map(|index| blocks.updated(index)).collect();
        assert!(!updated.is_sorted());
        let mut times = updated;
        times.sort_unstable();
        times.dedup();
        assert_eq!(times.len(), 16);
    }
}
