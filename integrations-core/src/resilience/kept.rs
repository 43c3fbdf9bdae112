//! What is remembered of many keys, and what is forgotten when there are too many?

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// A value that can be forgotten.
pub(super) trait Forgettable {
    /// Whether forgetting it would lose something.
    fn matters(&self, now: Duration) -> bool;

    /// When it was last used.
    fn used(&self) -> Duration;
}

/// A map that makes room when it is full: first what no longer matters goes, then an eighth, the longest
/// unused.
///
/// Its keys hold names that come from outside, so they are hashed with the standard library's keyed
/// hash: nobody can choose names that all fall on one place.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    map: HashMap<K, V>,
    most: usize,
}

impl<K: Clone + Eq + Hash, V: Forgettable> Kept<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { map: HashMap::new(), most }
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// The key's value, where it is known.
    pub(super) fn known(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    /// The key's value, made if it is not known. One look into the map, unless it is full.
    pub(super) fn of(&mut self, key: K, now: Duration, make: impl FnOnce(&K) -> V) -> &mut V {
        if self.map.len() >= self.most && !self.map.contains_key(&key) {
            self.make_room(now);
        }
        self.map.entry(key).or_insert_with_key(make)
    }

    fn make_room(&mut self, now: Duration) {
        let full = self.map.len();
        self.map.retain(|_, value| value.matters(now));
        let excess = self.map.len().saturating_sub(full - full.div_ceil(8));
        if excess > 0 {
            let mut times: Vec<_> = self.map.iter().map(|(key, value)| (value.used(), key.clone())).collect();
            times.select_nth_unstable_by_key(excess - 1, |(used, _)| *used);
            for (_, key) in &times[..excess] {
                self.map.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Used then; matters until then.
    struct Used(u64, u64);

    impl Forgettable for Used {
        fn matters(&self, now: Duration) -> bool {
            now.as_secs() < self.1
        }

        fn used(&self) -> Duration {
            Duration::from_secs(self.0)
        }
    }

    #[test]
    fn a_full_map_forgets_what_does_not_matter_then_what_was_not_used_for_longest() {
        let mut kept = Kept::new(16);
        let now = Duration::from_secs(100);
        for number in 0..16 {
            kept.of(number, now, |_| Used(number, if number % 4 == 0 { 0 } else { 1_000 }));
        }
        kept.of(16, now, |_| Used(16, 1_000));
        assert_eq!(kept.len(), 13);
        assert!(kept.known(&4).is_none() && kept.known(&1).is_some());
        for number in 17..21 {
            kept.of(number, now, |_| Used(number, 1_000));
        }
        // All of them matter: the two that were not used for longest went.
        assert_eq!(kept.len(), 15);
        assert!(kept.known(&1).is_none() && kept.known(&2).is_none() && kept.known(&3).is_some());
        kept.of(3, now, |_| panic!("it is known"));
    }
}
