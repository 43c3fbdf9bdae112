//! What may a test do with the task lists?

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::TaskListSpec;
use super::list::TaskList;
use crate::google::FakeGoogle;
use crate::google::fake::object;

/// Tasks. Methods that name a list take its id or `@default`, and panic when there is no such list.
impl FakeGoogle {
    fn read_list<T>(&self, list: &str, work: impl FnOnce(&TaskList) -> T) -> T {
        match self.google.tasks.lists().find(list) {
            Some(list) => work(list),
            None => panic!("no task list {list:?} in this fake"),
        }
    }

    fn write_list<T>(&self, list: &str, work: impl FnOnce(&mut TaskList, DateTime<Utc>) -> T) -> T {
        let now = self.google.clock.now();
        match self.google.tasks.lists_mut().find_mut(list) {
            Some(list) => work(list, now),
            None => panic!("no task list {list:?} in this fake"),
        }
    }

    /// Adds a task list to the account, or replaces the one with its id. The first one is `@default`.
    pub fn add_task_list(&self, list: TaskListSpec) {
        self.google.tasks.add(list, self.google.seed, self.google.clock.now());
    }

    /// Takes a task list from the account: its tasks answer 404.
    ///
    /// # Panics
    /// When there is no such list.
    pub fn remove_task_list(&self, list: &str) {
        assert!(self.google.tasks.lists_mut().remove(list), "no task list {list:?} in this fake");
    }

    /// Inserts a task before all others, or replaces the one with its id; returns the id. The fields that
    /// Google assigns (`id`, `etag`, `updated`, `position`, `status`, ...) are added where they are missing;
    /// of `due` only the day is kept.
    ///
    /// # Panics
    /// When there is no such list, or the task is not a JSON object.
    pub fn insert_task(&self, list: &str, task: Value) -> String {
        let task = object(task);
        self.write_list(list, |list, now| list.insert(task, now))
    }

    /// Merges a patch into a task, as a client of the API does: null removes a field. The task gets a new
    /// `etag` and, unless the patch sets it, a new `updated`. With the status `completed` it is complete,
    /// but not hidden.
    ///
    /// # Panics
    /// When there is no such list or task.
    pub fn patch_task(&self, list: &str, task: &str, patch: Value) {
        let patch = Value::Object(object(patch));
        let known = self.write_list(list, |list, now| list.patch(task, patch, now));
        assert!(known, "no task {task:?} in list {list:?}");
    }

    /// Completes a task as Google's own programs do: it is hidden too.
    ///
    /// # Panics
    /// When there is no such list or task.
    pub fn complete_task(&self, list: &str, task: &str) {
        self.patch_task(list, task, json!({"status": "completed", "hidden": true}));
    }

    /// Deletes a task and those under it; each leaves a tombstone.
    ///
    /// # Panics
    /// When there is no such list or task.
    pub fn delete_task(&self, list: &str, task: &str) {
        let known = self.write_list(list, |list, now| list.delete(task, now));
        assert!(known, "no task {task:?} in list {list:?}");
    }

    /// Moves a task under a parent, or to the top level, and behind a sibling, or before all others.
    ///
    /// # Panics
    /// When there is no such list, task, parent or sibling.
    pub fn move_task(&self, list: &str, task: &str, parent: Option<&str>, previous: Option<&str>) {
        let known = self.write_list(list, |list, now| list.shift(task, parent, previous, now));
        assert!(known, "no task {task:?}, or no place for it, in list {list:?}");
    }

    /// Serves this text as an item of the coming listings, as it is.
    ///
    /// # Panics
    /// When there is no such list.
    pub fn raw_task(&self, list: &str, raw_json_text: &str) {
        self.write_list(list, |list, now| list.raw(raw_json_text, now));
    }

    /// A task as `tasks.get` shows it, tombstones included.
    ///
    /// # Panics
    /// When there is no such list.
    pub fn task(&self, list: &str, task: &str) -> Option<Value> {
        self.read_list(list, |list| list.task(task)).map(Value::Object)
    }

    /// The ids of the tasks that are not deleted, in the order of a full listing.
    ///
    /// # Panics
    /// When there is no such list.
    pub fn task_ids(&self, list: &str) -> Vec<String> {
        self.read_list(list, TaskList::live_ids)
    }

    /// How many tasks are not deleted, hidden ones included. Raw items are not counted.
    ///
    /// # Panics
    /// When there is no such list.
    pub fn live_tasks(&self, list: &str) -> u64 {
        self.read_list(list, TaskList::live)
    }

    /// The page tokens handed out for this list answer 400.
    ///
    /// # Panics
    /// When there is no such list.
    pub fn expire_task_page_tokens(&self, list: &str) {
        self.write_list(list, |list, _| list.page_epoch += 1);
    }
}
