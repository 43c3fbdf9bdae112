//! What does Tasks (v1) answer?

mod fake;
mod generate;
mod list;
mod listing;
mod routes;
mod spec;
mod task;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, Utc};

use self::list::TaskList;

pub(super) use self::routes::Endpoint;
pub use self::spec::TaskListSpec;

/// The account's tasks.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    lists: RwLock<Lists>,
}

impl Tasks {
    fn lists(&self) -> RwLockReadGuard<'_, Lists> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lists_mut(&self) -> RwLockWriteGuard<'_, Lists> {
        self.lists.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, spec: TaskListSpec, seed: u64, now: DateTime<Utc>) {
        self.lists_mut().add(TaskList::new(spec, seed, now));
    }
}

/// The lists in the order of their coming. A list that was removed leaves its place free, so that a
/// listing can be taken up behind it.
#[derive(Debug, Default)]
struct Lists(Vec<(TaskList, bool)>);

impl Lists {
    fn add(&mut self, mut list: TaskList) {
        // Page tokens of the list that had this id before must not work on the new one.
        let before = self.0.iter().filter(|(known, _)| known.spec.id == list.spec.id);
        list.page_epoch = before.map(|(known, _)| known.page_epoch + 1).max().unwrap_or(0);
        for (known, removed) in &mut self.0 {
            *removed |= known.spec.id == list.spec.id;
        }
        self.0.push((list, false));
    }

    /// One behind the last place.
    fn end(&self) -> u64 {
        self.0.len() as u64
    }

    /// The lists from a place on.
    fn from(&self, place: u64) -> impl Iterator<Item = (u64, &TaskList)> {
        let places = (0..).zip(&self.0).filter(move |(at, (_, removed))| *at >= place && !removed);
        places.map(|(at, (list, _))| (at, list))
    }

    fn place(&self, id: &str) -> Option<usize> {
        // The account's first list is its default.
        self.0.iter().position(|(list, removed)| !removed && (id == "@default" || list.spec.id == id))
    }

    fn find(&self, id: &str) -> Option<&TaskList> {
        self.place(id).and_then(|place| self.0.get(place)).map(|(list, _)| list)
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut TaskList> {
        self.place(id).and_then(|place| self.0.get_mut(place)).map(|(list, _)| list)
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(place) = self.place(id) else { return false };
        self.0[place].1 = true;
        true
    }
}
