//! How does what a test did lie over what was made up?
//!
//! Made-up items are a pure function of their id, and cost no memory. An item that a test adds or touches
//! is kept, under the same id, and hides the other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::issue::Issue;
use super::talk::{Comment, Review, ReviewComment};

/// Where an item stands in a listing: by the listing's measure, and where that is the same by the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) at: i64,
    pub(super) id: u64,
}

/// What a listing goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Created,
    Updated,
    Comments,
}

/// In which order a listing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) by: By,
    pub(super) descending: bool,
}

impl Order {
    /// Whether a place is behind another.
    pub(super) fn is_behind(self, key: Key, other: Key) -> bool {
        if self.descending { key < other } else { key > other }
    }

    pub(super) const fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    fn sort(self, keys: &mut [Key]) {
        keys.sort_unstable();
        if self.descending {
            keys.reverse();
        }
    }
}

/// What has times.
pub(super) trait Item: Clone {
    fn created(&self) -> i64;
    fn updated(&self) -> i64;
}

macro_rules! item {
    ($type:ty, $created:ident, $updated:ident) => {
        impl Item for $type {
            fn created(&self) -> i64 {
                self.$created
            }

            fn updated(&self) -> i64 {
                self.$updated
            }
        }
    };
}
item!(Issue, created, updated);
item!(Comment, created, updated);
item!(Review, submitted, submitted);
item!(ReviewComment, created, updated);

/// What a test made of an item.
#[derive(Debug)]
pub(super) enum Kept<T> {
    Item(T),
    /// Text of the test, served as it is, and when it came.
    Raw(String, i64),
    Gone,
}

/// What a listing serves at a place.
#[derive(Debug)]
pub(super) enum Served<'a, T: Clone> {
    Item(Cow<'a, T>),
    Raw(&'a str),
}

/// Items over made-up ones.
#[derive(Debug)]
pub(super) struct Layer<T> {
    kept: BTreeMap<u64, Kept<T>>,
}

impl<T> Default for Layer<T> {
    fn default() -> Self {
        Self { kept: BTreeMap::new() }
    }
}

impl<T: Item> Layer<T> {
    pub(super) fn put(&mut self, id: u64, kept: Kept<T>) {
        self.kept.insert(id, kept);
    }

    pub(super) fn kept(&self, id: u64) -> Option<&Kept<T>> {
        self.kept.get(&id)
    }

    pub(super) fn keeps(&self, id: u64) -> bool {
        self.kept.contains_key(&id)
    }

    /// The items that are kept.
    pub(super) fn items(&self) -> impl Iterator<Item = &T> {
        self.kept.values().filter_map(|kept| match kept {
            Kept::Item(item) => Some(item),
            _ => None,
        })
    }

    /// What stands at an id, where `made_up` tells what was there at first.
    pub(super) fn get(&self, id: u64, made_up: impl FnOnce(u64) -> Option<T>) -> Option<Served<'_, T>> {
        match self.kept.get(&id) {
            Some(Kept::Item(item)) => Some(Served::Item(Cow::Borrowed(item))),
            Some(Kept::Raw(text, _)) => Some(Served::Raw(text)),
            Some(Kept::Gone) => None,
            None => made_up(id).map(|item| Served::Item(Cow::Owned(item))),
        }
    }

    /// The same, where text of the test is no item.
    pub(super) fn item(&self, id: u64, made_up: impl FnOnce(u64) -> Option<T>) -> Option<Cow<'_, T>> {
        match self.get(id, made_up)? {
            Served::Item(item) => Some(item),
            Served::Raw(_) => None,
        }
    }

    /// Everything in an order, behind a place if there is one. `made_up` has what was made up in that order;
    /// `measure` is for a listing that does not go by time.
    pub(super) fn ordered<'a>(
        &'a self,
        order: Order,
        from: Option<Key>,
        made_up: impl Iterator<Item = Key> + 'a,
        measure: impl Fn(&T) -> i64,
    ) -> impl Iterator<Item = Key> + 'a {
        let place = |(&id, kept): (&u64, &Kept<T>)| {
            let at = match (kept, order.by) {
                (Kept::Item(item), By::Created) => item.created(),
                (Kept::Item(item), By::Updated) => item.updated(),
                (Kept::Item(item), By::Comments) => measure(item),
                (Kept::Raw(_, at), _) => *at,
                (Kept::Gone, _) => return None,
            };
            Some(Key { at, id })
        };
        let mut kept: Vec<Key> = self.kept.iter().filter_map(place).collect();
        kept.retain(|&key| from.is_none_or(|from| order.is_behind(key, from)));
        order.sort(&mut kept);
        let mut kept = kept.into_iter().peekable();
        let mut made_up = made_up.filter(|key| !self.keeps(key.id)).peekable();
        std::iter::from_fn(move || match (made_up.peek(), kept.peek()) {
            (Some(&first), Some(&second)) if order.is_behind(first, second) => kept.next(),
            (Some(_), _) => made_up.next(),
            (None, _) => kept.next(),
        })
    }
}

/// Sorts what a block of made-up items has, and drops what is not behind a place.
pub(super) fn in_order(mut keys: Vec<Key>, order: Order, from: Option<Key>) -> Vec<Key> {
    keys.retain(|&key| from.is_none_or(|from| order.is_behind(key, from)));
    order.sort(&mut keys);
    keys
}
