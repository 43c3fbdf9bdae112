//! Which items are where, and what has changed since when?
//!
//! One engine for events in calendars and for messages in folders. A generated item that nobody touched
//! takes no memory: it is known by its container and index. Every item has a place in its container, from
//! which a listing can be taken up again: generated items their index, what came later the order of its
//! arrival. Every change has a version, and what changed in a container since a version is a range.

use std::collections::{BTreeMap, HashMap};

const INDEX_BITS: u32 = 40;

/// Names an item for as long as it lives, wherever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u64);

impl Key {
    pub(super) const fn of(number: u64) -> Self {
        Self(number)
    }

    pub(super) const fn generated(container: usize, index: u64) -> Self {
        Self(((container as u64 + 1) << INDEX_BITS) | index)
    }

    pub(super) const fn number(self) -> u64 {
        self.0
    }

    /// The container and the index of a generated item.
    pub(super) fn origin(self) -> Option<(usize, u64)> {
        let container = usize::try_from(self.0 >> INDEX_BITS).ok()?.checked_sub(1)?;
        Some((container, self.0 & ((1 << INDEX_BITS) - 1)))
    }
}

/// An item that the test made or touched.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) item: T,
    /// Its container; `None` once it is deleted.
    pub(super) at: Option<usize>,
    /// How often it has moved.
    pub(super) moves: u32,
    /// Of its latest change.
    pub(super) version: u64,
    /// Milliseconds.
    pub(super) modified: i64,
    /// Its place in its container.
    place: u64,
}

/// What happened in a container.
#[derive(Debug)]
pub(super) struct Change<'a, T> {
    pub(super) version: u64,
    pub(super) key: Key,
    /// How often the item had moved when it was here.
    pub(super) moves: u32,
    pub(super) entry: &'a Entry<T>,
}

impl<T> Change<'_, T> {
    /// Whether the item is in this container still, in the way in which it was then.
    pub(super) fn stays(&self, container: usize) -> bool {
        self.entry.at == Some(container) && self.entry.moves == self.moves
    }
}

#[derive(Debug, Default)]
struct Container {
    generated: u64,
    arrivals: BTreeMap<u64, Key>,
    arrived: u64,
    /// The latest version of each item that changed here, with the moves that it then had.
    changes: BTreeMap<u64, (Key, u32)>,
    latest: HashMap<(Key, u32), u64>,
    live: u64,
    /// Which generation of tokens; expiring them starts the next one.
    epoch: u32,
    removed: bool,
}

/// Items in containers.
#[derive(Debug)]
pub(super) struct Store<T> {
    containers: Vec<Container>,
    entries: HashMap<Key, Entry<T>>,
    added: u64,
    version: u64,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self { containers: Vec::new(), entries: HashMap::new(), added: 0, version: 0 }
    }
}

impl<T> Store<T> {
    pub(super) fn add_container(&mut self, generated: u64) -> usize {
        self.containers.push(Container { generated, live: generated, ..Container::default() });
        self.containers.len() - 1
    }

    /// The container is gone, with everything in it.
    pub(super) fn remove_container(&mut self, container: usize) {
        self.containers[container].removed = true;
        for entry in self.entries.values_mut().filter(|entry| entry.at == Some(container)) {
            entry.at = None;
        }
    }

    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn live(&self, container: usize) -> u64 {
        self.containers[container].live
    }

    pub(super) fn epoch(&self, container: usize) -> u32 {
        self.containers[container].epoch
    }

    pub(super) fn expire(&mut self, container: usize) {
        self.containers[container].epoch += 1;
    }

    pub(super) fn entry(&self, key: Key) -> Option<&Entry<T>> {
        self.entries.get(&key)
    }

    /// Every item that the test made or touched.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Key, &Entry<T>)> {
        self.entries.iter().map(|(key, entry)| (*key, entry))
    }

    /// Where an item is, and how often it has moved; `None` when there is none.
    pub(super) fn find(&self, key: Key) -> Option<(usize, u32)> {
        if let Some(entry) = self.entries.get(&key) {
            return entry.at.map(|at| (at, entry.moves));
        }
        let (container, index) = key.origin()?;
        let home = self.containers.get(container)?;
        (index < home.generated && !home.removed).then_some((container, 0))
    }

    /// Makes a generated item one that can be changed. What it is, is for the caller to say.
    pub(super) fn adopt(&mut self, key: Key, modified: i64, item: impl FnOnce() -> T) {
        let Some((container, moves)) = self.find(key) else { return };
        let (_, place) = key.origin().unwrap_or((container, 0));
        self.entries.entry(key).or_insert_with(|| Entry {
            item: item(),
            at: Some(container),
            moves,
            version: 0,
            modified,
            place,
        });
    }

    pub(super) fn insert(&mut self, container: usize, item: T, now: i64) -> Key {
        let key = Key(self.added);
        self.added += 1;
        let place = self.arrive(container, key);
        let entry = Entry { item, at: Some(container), moves: 0, version: 0, modified: now, place };
        self.entries.insert(key, entry);
        self.log(container, key, 0);
        key
    }

    /// Changes an item that has an entry.
    pub(super) fn touch(&mut self, key: Key, now: i64, change: impl FnOnce(&mut T)) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        change(&mut entry.item);
        entry.modified = now;
        if let Some(at) = entry.at {
            let moves = entry.moves;
            self.log(at, key, moves);
        }
    }

    /// Moves an item that has an entry: a removal there, and an addition here.
    pub(super) fn relocate(&mut self, key: Key, to: usize, now: i64) {
        let Some((from, moves)) = self.find(key) else { return };
        self.leave(from, key, moves);
        let place = self.arrive(to, key);
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.at = Some(to);
            entry.moves += 1;
            entry.modified = now;
            entry.place = place;
        }
        self.log(to, key, moves + 1);
    }

    /// Deletes an item that has an entry.
    pub(super) fn remove(&mut self, key: Key, now: i64) {
        let Some((from, moves)) = self.find(key) else { return };
        self.leave(from, key, moves);
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.at = None;
            entry.modified = now;
        }
    }

    fn arrive(&mut self, container: usize, key: Key) -> u64 {
        let container = &mut self.containers[container];
        let place = container.generated + container.arrived;
        container.arrived += 1;
        container.live += 1;
        container.arrivals.insert(place, key);
        place
    }

    fn leave(&mut self, container: usize, key: Key, moves: u32) {
        self.log(container, key, moves);
        let place = self.entries.get(&key).map(|entry| entry.place);
        let container = &mut self.containers[container];
        container.live -= 1;
        if let Some(place) = place {
            container.arrivals.remove(&place);
        }
    }

    fn log(&mut self, container: usize, key: Key, moves: u32) {
        self.version += 1;
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.version = self.version;
        }
        let container = &mut self.containers[container];
        if let Some(before) = container.latest.insert((key, moves), self.version) {
            container.changes.remove(&before);
        }
        container.changes.insert(self.version, (key, moves));
    }

    /// Shows the items of a container from a place on, each with its place, until `visit` says to stop.
    pub(super) fn walk(&self, container: usize, from: u64, mut visit: impl FnMut(u64, Key) -> bool) {
        let inside = &self.containers[container];
        for index in from..inside.generated {
            let key = Key::generated(container, index);
            let entry = self.entries.get(&key);
            if entry.is_some_and(|entry| entry.at != Some(container) || entry.place != index) {
                continue;
            }
            if !visit(index, key) {
                return;
            }
        }
        for (&place, &key) in inside.arrivals.range(from.max(inside.generated)..) {
            if !visit(place, key) {
                return;
            }
        }
    }

    /// Shows what changed in a container in these versions, each item once, until `visit` says to stop.
    pub(super) fn changes(
        &self,
        container: usize,
        versions: std::ops::RangeInclusive<u64>,
        mut visit: impl FnMut(Change<'_, T>) -> bool,
    ) {
        if versions.is_empty() {
            return;
        }
        for (&version, &(key, moves)) in self.containers[container].changes.range(versions) {
            let Some(entry) = self.entries.get(&key) else { continue };
            if !visit(Change { version, key, moves, entry }) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(store: &Store<char>, container: usize, from: u64) -> Vec<(u64, Key)> {
        let mut listed = Vec::new();
        store.walk(container, from, |place, key| {
            listed.push((place, key));
            true
        });
        listed
    }

    fn changed(store: &Store<char>, container: usize, since: u64) -> Vec<(Key, bool)> {
        let mut changed = Vec::new();
        store.changes(container, since + 1..=store.version(), |change| {
            changed.push((change.key, change.stays(container)));
            true
        });
        changed
    }

    #[test]
    fn an_item_that_moves_away_and_back_keeps_its_key_and_gets_a_new_place() {
        let mut store = Store::default();
        let (a, b) = (store.add_container(2), store.add_container(0));
        let key = Key::generated(a, 0);
        store.adopt(key, 1, || 'x');
        store.relocate(key, b, 2);
        assert_eq!((store.find(key), store.live(a), store.live(b)), (Some((b, 1)), 1, 1));
        assert_eq!(listed(&store, a, 0), [(1, Key::generated(a, 1))]);
        assert_eq!(listed(&store, b, 0), [(0, key)]);
        let since = store.version();
        store.relocate(key, a, 3);
        assert_eq!(listed(&store, a, 0), [(1, Key::generated(a, 1)), (2, key)]);
        assert_eq!(changed(&store, a, 0), [(key, false), (key, true)], "the old id goes, the new one comes");
        assert_eq!(
            (changed(&store, a, since), changed(&store, b, since)),
            (vec![(key, true)], vec![(key, false)])
        );
        assert!(listed(&store, b, 0).is_empty());
    }

    #[test]
    fn a_change_is_told_once_in_its_latest_version() {
        let mut store = Store::default();
        let a = store.add_container(0);
        let (first, second) = (store.insert(a, 'x', 1), store.insert(a, 'y', 1));
        store.touch(first, 2, |item| *item = 'z');
        assert_eq!(changed(&store, a, 0), [(second, true), (first, true)]);
        store.remove(second, 3);
        assert_eq!(changed(&store, a, 2), [(first, true), (second, false)]);
        assert_eq!((store.live(a), store.find(second)), (1, None));
    }

    #[test]
    fn what_is_in_a_container_goes_with_it() {
        let mut store = Store::default();
        let a = store.add_container(3);
        let key = store.insert(a, 'x', 1);
        store.remove_container(a);
        assert_eq!([store.find(key), store.find(Key::generated(a, 1)), store.find(Key::of(99))], [None; 3]);
    }
}
