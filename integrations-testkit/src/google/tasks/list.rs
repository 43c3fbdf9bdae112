//! What is in one task list, and how does it change?
//!
//! Every task has a place in the listing: generated tasks their index, tasks of the test follow in the
//! order of their coming. It never moves, so a listing can be taken up anywhere; the order among siblings
//! is a field of the task.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::generate::{FIRST_PLACE, Generator};
use super::spec::TaskListSpec;
use super::task::{Facts, GAP, Task, fill, place, position, settle};
use crate::google::event::{instant, merge, text};
use crate::random::{mix, unmix};

/// What stands at an index that the test has touched.
#[derive(Debug)]
pub(super) enum Entry {
    Task(Task, Facts),
    /// Text of the test, served as it is.
    Raw(String),
}

/// One list of the account.
#[derive(Debug)]
pub(super) struct TaskList {
    pub(super) spec: TaskListSpec,
    pub(super) page_epoch: u64,
    pub(super) updated: DateTime<Utc>,
    /// Counts changes.
    pub(super) version: u64,
    pub(super) generator: Generator,
    /// Generated tasks that the test touched.
    touched: BTreeMap<u64, Entry>,
    /// Tasks that the test inserted.
    added: Vec<Entry>,
    /// Ids that the test chose itself.
    named: HashMap<String, u64>,
    /// The place before all others.
    top: u64,
    live: u64,
}

impl TaskList {
    pub(super) fn new(spec: TaskListSpec, seed: u64, now: DateTime<Utc>) -> Self {
        Self {
            page_epoch: 0,
            updated: now,
            version: 0,
            generator: Generator::new(seed, &spec.id, spec.generated, now),
            touched: BTreeMap::new(),
            added: Vec::new(),
            named: HashMap::new(),
            top: FIRST_PLACE,
            live: spec.generated,
            spec,
        }
    }

    /// One behind the last index.
    pub(super) fn end(&self) -> u64 {
        self.generator.count() + self.added.len() as u64
    }

    /// What the test has touched or inserted at an index.
    pub(super) fn entry(&self, index: u64) -> Option<&Entry> {
        match index.checked_sub(self.generator.count()) {
            Some(added) => usize::try_from(added).ok().and_then(|added| self.added.get(added)),
            None => self.touched.get(&index),
        }
    }

    fn id(&self, index: u64) -> String {
        let scattered = mix(index ^ self.generator.key());
        let check = mix(scattered.wrapping_add(self.generator.key()));
        let bytes = (u128::from(scattered) << 64 | u128::from(check)).to_be_bytes();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn index(&self, id: &str) -> Option<u64> {
        if let Some(&index) = self.named.get(id) {
            return Some(index);
        }
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
        let scattered = u64::try_from(u128::from_be_bytes(bytes) >> 64).ok()?;
        let index = unmix(scattered) ^ self.generator.key();
        (index < self.end() && self.id(index) == id).then_some(index)
    }

    /// The task at an index; `None` for raw text.
    pub(super) fn task_at(&self, index: u64) -> Option<Task> {
        match self.entry(index) {
            Some(Entry::Task(task, _)) => Some(task.clone()),
            Some(Entry::Raw(_)) => None,
            None => Some(self.generator.task(index, |index| self.id(index))),
        }
    }

    /// A task, also one that was deleted.
    pub(super) fn task(&self, id: &str) -> Option<Task> {
        self.task_at(self.index(id)?)
    }

    fn is_live(&self, index: u64) -> bool {
        match self.entry(index) {
            Some(Entry::Task(_, facts)) => !facts.deleted(),
            Some(Entry::Raw(_)) => false,
            None => true,
        }
    }

    pub(super) const fn live(&self) -> u64 {
        self.live
    }

    pub(super) fn live_ids(&self) -> Vec<String> {
        let live = (0..self.end()).filter(|&index| self.is_live(index));
        live.filter_map(|index| Some(text(&self.task_at(index)?, "id").to_owned())).collect()
    }

    fn put(&mut self, index: u64, entry: Entry, now: DateTime<Utc>) {
        let was_live = index < self.end() && self.is_live(index);
        self.version += 1;
        self.updated = now;
        let added = index.checked_sub(self.generator.count()).and_then(|index| usize::try_from(index).ok());
        match added {
            None => drop(self.touched.insert(index, entry)),
            Some(added) => match self.added.get_mut(added) {
                Some(before) => *before = entry,
                None => self.added.push(entry),
            },
        }
        self.live = self.live + u64::from(self.is_live(index)) - u64::from(was_live);
    }

    fn store(&mut self, index: u64, mut task: Task, now: DateTime<Utc>) {
        settle(&mut task, now);
        let facts = Facts::of(&task);
        self.put(index, Entry::Task(task, facts), now);
    }

    /// Inserts a task before all others, or replaces the one that has its id.
    pub(super) fn insert(&mut self, task: Task, now: DateTime<Utc>) -> String {
        let index = self.index(text(&task, "id")).unwrap_or_else(|| self.end());
        self.top -= GAP;
        let task = fill(task, &self.id(index), &self.spec.id, self.top, now);
        let id = text(&task, "id").to_owned();
        if id != self.id(index) {
            self.named.insert(id.clone(), index);
        }
        self.store(index, task, now);
        id
    }

    /// Merges a patch into a task (RFC 7396); false when there is none.
    pub(super) fn patch(&mut self, id: &str, mut patch: Value, now: DateTime<Utc>) -> bool {
        let Some((index, task)) = self.index(id).and_then(|index| Some((index, self.task_at(index)?))) else {
            return false;
        };
        if patch.get("updated").is_none() {
            patch["updated"] = json!(instant(now));
        }
        let mut task = Value::Object(task);
        merge(&mut task, patch);
        if let Value::Object(task) = task {
            self.store(index, task, now);
        }
        true
    }

    /// Deletes a task and those under it; each leaves a tombstone. False when there is none.
    pub(super) fn delete(&mut self, id: &str, now: DateTime<Utc>) -> bool {
        if self.task(id).is_none() {
            return false;
        }
        let below: Vec<String> = self.siblings(id).into_iter().map(|(_, _, id)| id).collect();
        for child in below {
            self.patch(&child, json!({"deleted": true}), now);
        }
        self.patch(id, json!({"deleted": true}), now)
    }

    /// The live tasks under a parent, or at the top, in their order: place, index and id.
    fn siblings(&self, parent: &str) -> Vec<(u64, u64, String)> {
        let count = self.generator.count();
        // Under a parent stand those of its block, if it is generated, and those that the test put there.
        let candidates: BTreeSet<u64> = if parent.is_empty() {
            (0..self.end()).collect()
        } else {
            let block = self.index(parent).map_or(0..0, |index| self.generator.block(index));
            block.chain(self.touched.keys().copied()).chain(count..self.end()).collect()
        };
        let mut siblings: Vec<_> = candidates
            .into_iter()
            .filter(|&index| self.is_live(index))
            .filter_map(|index| Some((index, self.task_at(index)?)))
            .filter(|(_, task)| text(task, "parent") == parent)
            .map(|(index, task)| (place(&task), index, text(&task, "id").to_owned()))
            .collect();
        siblings.sort_unstable();
        siblings
    }

    /// Puts a task under a parent (none: at the top) and behind a sibling (none: before all). False when
    /// one of them is missing.
    pub(super) fn shift(
        &mut self,
        id: &str,
        parent: Option<&str>,
        previous: Option<&str>,
        now: DateTime<Utc>,
    ) -> bool {
        if parent.is_some_and(|parent| self.task(parent).is_none() || parent == id) {
            return false;
        }
        let place = match previous {
            None => {
                self.top -= GAP;
                self.top
            }
            Some(previous) => match self.behind(id, parent.unwrap_or_default(), previous, now) {
                Some(place) => place,
                None => return false,
            },
        };
        self.patch(id, json!({"parent": parent, "position": position(place)}), now)
    }

    /// A place behind a sibling and before the next one.
    fn behind(&mut self, id: &str, parent: &str, previous: &str, now: DateTime<Utc>) -> Option<u64> {
        let siblings: Vec<_> =
            self.siblings(parent).into_iter().filter(|(_, _, known)| known != id).collect();
        let at = siblings.iter().position(|(_, _, known)| known == previous)?;
        let place = siblings[at].0;
        let Some((next, ..)) = siblings.get(at + 1) else { return Some(place + GAP) };
        if next - place > 1 {
            return Some(u64::midpoint(place, *next));
        }
        // No room: those behind move on, which is no change of theirs.
        for (offset, (_, index, _)) in (2..).zip(&siblings[at + 1..]) {
            if let Some(mut task) = self.task_at(*index) {
                task.insert("position".to_owned(), position(place + offset * GAP));
                self.store(*index, task, now);
            }
        }
        Some(place + GAP)
    }

    /// Adds text that is served as it is.
    pub(super) fn raw(&mut self, text: &str, now: DateTime<Utc>) {
        self.put(self.end(), Entry::Raw(text.to_owned()), now);
    }
}
