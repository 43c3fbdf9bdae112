//! What is in the mailbox, and how does it change?
//!
//! Every message has a position: generated messages their index, messages of the test follow in the
//! order of their coming. Positions never move, and the id of a message is its position, scattered.
//! What the test changes of a generated message lies over it; the rest is made up when it is asked for.

mod rewritten;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::generate::Generator;
use super::history::{Change, Kind, Record};
use super::labels::{LabelTable, Labels};
use super::spec::MailSpec;
use crate::random::mix;

/// What changes of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) labels: Labels,
    /// The version of its last change.
    pub(super) version: u64,
    pub(super) deleted: bool,
}

/// What a message says; it never changes.
#[derive(Debug)]
pub(super) enum Content {
    Mail(Box<MailSpec>),
    /// Text of the test, served as it is.
    Raw(String),
}

#[derive(Debug)]
struct Added {
    content: Content,
    thread: u64,
    date: i64,
    state: State,
}

/// The messages of the account.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) generator: Generator,
    pub(super) labels: LabelTable,
    /// What changed after the generated messages had come; `records[n]` has version `count + n + 1`.
    pub(super) records: Vec<Record>,
    /// The first version that a listing of history may start at.
    pub(super) oldest: u64,
    pub(super) page_epoch: u64,
    key: u64,
    /// Generated messages that the test touched.
    touched: HashMap<u64, State>,
    added: Vec<Added>,
    /// Messages of the test that are not deleted, by date.
    order: BTreeSet<(i64, u64)>,
    /// Messages of the test by the first message of their thread.
    threads: HashMap<u64, Vec<u64>>,
    live: u64,
    live_threads: u64,
}

impl Mailbox {
    pub(super) fn new(seed: u64, generator: Generator) -> Self {
        Self {
            live: generator.count(),
            live_threads: generator.roots().count() as u64,
            generator,
            labels: LabelTable::default(),
            records: Vec::new(),
            oldest: 0,
            page_epoch: 0,
            key: mix(seed ^ 0x6d61_696c) & ID_MASK,
            touched: HashMap::new(),
            added: Vec::new(),
            order: BTreeSet::new(),
            threads: HashMap::new(),
        }
    }

    pub(super) const fn key(&self) -> u64 {
        self.key
    }

    /// One behind the last position.
    fn end(&self) -> u64 {
        self.generator.count() + self.added.len() as u64
    }

    /// The version of the latest change. Message `n` of the generated ones came with version `n + 1`.
    pub(super) fn version(&self) -> u64 {
        self.generator.count() + self.records.len() as u64
    }

    pub(super) fn id(&self, position: u64) -> String {
        format!("19{:014x}", scatter(position ^ self.key))
    }

    /// The position behind an id, also of a message that was deleted.
    pub(super) fn position(&self, id: &str) -> Option<u64> {
        let digits = id.strip_prefix("19").filter(|digits| digits.len() == 14)?;
        let position = gather(u64::from_str_radix(digits, 16).ok()?) ^ self.key;
        (position < self.end() && self.id(position) == id).then_some(position)
    }

    fn added(&self, position: u64) -> Option<&Added> {
        let index = position.checked_sub(self.generator.count())?;
        self.added.get(usize::try_from(index).ok()?)
    }

    pub(super) fn state(&self, position: u64) -> State {
        match self.added(position) {
            Some(added) => added.state,
            None => self.touched.get(&position).copied().unwrap_or_else(|| State {
                labels: self.generator.labels(position),
                version: position + 1,
                deleted: false,
            }),
        }
    }

    fn state_mut(&mut self, position: u64) -> &mut State {
        let state = self.state(position);
        let index =
            position.checked_sub(self.generator.count()).and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.added.get_mut(index)) {
            Some(added) => &mut added.state,
            None => self.touched.entry(position).or_insert(state),
        }
    }

    /// The labels of a message that was not deleted.
    pub(super) fn live_labels(&self, position: u64) -> Option<Labels> {
        Some(self.state(position)).filter(|state| !state.deleted).map(|state| state.labels)
    }

    /// What a message of the test says; `None` for one that is generated.
    pub(super) fn content(&self, position: u64) -> Option<&Content> {
        self.added(position).map(|added| &added.content)
    }

    /// When Gmail accepted the message, in milliseconds of the epoch.
    pub(super) fn date(&self, position: u64) -> i64 {
        self.added(position).map_or_else(|| self.generator.date(position), |added| added.date)
    }

    /// The first message of a message's thread, whose id the thread has.
    pub(super) fn thread(&self, position: u64) -> u64 {
        self.added(position).map_or_else(|| self.generator.root(position), |added| added.thread)
    }

    /// The messages of a thread, deleted ones too, in the order of their coming.
    pub(super) fn members(&self, root: u64) -> impl Iterator<Item = u64> {
        let joined = self.threads.get(&root).into_iter().flatten().copied();
        self.generator.members(root).chain(joined)
    }

    /// The first message of every thread that there ever was.
    pub(super) fn threads(&self) -> impl Iterator<Item = u64> {
        let begun =
            (self.generator.count()..self.end()).filter(|&position| self.thread(position) == position);
        self.generator.roots().chain(begun)
    }

    pub(super) const fn live(&self) -> u64 {
        self.live
    }

    pub(super) const fn live_threads(&self) -> u64 {
        self.live_threads
    }

    /// The messages that come before a place in the listing, the newest first.
    pub(super) fn older(&self, place: (i64, u64)) -> impl Iterator<Item = (i64, u64)> {
        let mut generated = self.generator.before(place);
        let mut added = self.order.range(..place).rev().copied().peekable();
        std::iter::from_fn(move || {
            let made = generated.checked_sub(1).map(|index| (self.generator.date(index), index));
            match (made, added.peek().copied()) {
                (Some(made), Some(given)) if given > made => added.next(),
                (Some(made), _) => {
                    generated -= 1;
                    Some(made)
                }
                (None, _) => added.next(),
            }
        })
    }

    fn live_in(&self, thread: u64) -> bool {
        self.members(thread).any(|position| !self.state(position).deleted)
    }

    /// Adds a message; `thread` is the first message of the thread it joins.
    pub(super) fn add(
        &mut self,
        content: Content,
        labels: Labels,
        thread: Option<u64>,
        date: DateTime<Utc>,
    ) -> u64 {
        let position = self.end();
        let thread = thread.unwrap_or(position);
        if !self.live_in(thread) {
            self.live_threads += 1;
        }
        self.live += 1;
        let state = State { labels, version: self.version() + 1, deleted: false };
        let date = date.timestamp_millis();
        self.added.push(Added { content, thread, date, state });
        self.order.insert((date, position));
        self.threads.entry(thread).or_default().push(position);
        self.records.push(Record::of(Change { position, labels, kind: Kind::Added }));
        position
    }

    /// Adds and removes labels in one step of history; what is so already makes no step.
    pub(super) fn relabel(&mut self, positions: &[u64], add: Labels, remove: Labels) {
        let version = self.version() + 1;
        let mut changes = Vec::new();
        for &position in positions {
            let before = self.state(position).labels;
            let labels = before.with(add).without(remove);
            if labels == before {
                continue;
            }
            let kind = Kind::Labels { added: labels.without(before), removed: before.without(labels) };
            let state = self.state_mut(position);
            (state.labels, state.version) = (labels, version);
            changes.push(Change { position, labels, kind });
        }
        if !changes.is_empty() {
            self.records.push(Record { changes });
        }
    }

    /// Deletes a message for ever.
    pub(super) fn delete(&mut self, position: u64) {
        let version = self.version() + 1;
        let state = self.state_mut(position);
        (state.deleted, state.version) = (true, version);
        let labels = state.labels;
        self.order.remove(&(self.date(position), position));
        self.records.push(Record::of(Change { position, labels, kind: Kind::Deleted }));
        self.live -= 1;
        if !self.live_in(self.thread(position)) {
            self.live_threads -= 1;
        }
    }

    /// Lets every history id so far be too old.
    pub(super) fn expire(&mut self) {
        // A step without a change: the next id is one that nobody has seen.
        self.records.push(Record { changes: Vec::new() });
        self.oldest = self.version();
    }
}

const ID_BITS: u32 = 56;
const ID_MASK: u64 = (1 << ID_BITS) - 1;
/// Odd, and its inverse modulo 2^56.
const FACTOR: u64 = 0x00e3_779b_97f4_a7c1;
const INVERSE: u64 = inverse(FACTOR) & ID_MASK;

/// Newton's method: every step doubles the bits that are right.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut step = 0;
    while step < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

/// A bijection of 56 bits that scatters neighbouring values.
const fn scatter(value: u64) -> u64 {
    let value = value.wrapping_mul(FACTOR) & ID_MASK;
    let value = value ^ (value >> (ID_BITS / 2));
    value.wrapping_mul(FACTOR) & ID_MASK
}

/// The inverse of [`scatter`].
const fn gather(value: u64) -> u64 {
    let value = value.wrapping_mul(INVERSE) & ID_MASK;
    // A shift by half the bits undoes itself.
    let value = value ^ (value >> (ID_BITS / 2));
    value.wrapping_mul(INVERSE) & ID_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gather_undoes_scatter() {
        for value in (0..5_000).chain([ID_MASK, ID_MASK / 3, 1 << 55]) {
            assert_eq!(gather(scatter(value)), value);
            assert!(scatter(value) <= ID_MASK);
        }
    }
}
