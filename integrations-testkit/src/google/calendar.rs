//! What is in one calendar, and what has changed since when?
//!
//! Every event has a position: generated events their index, events inserted by the test follow in the
//! order of their creation. Positions never move, so a listing can be taken up at any of them. Every
//! change has a version; the changes since a version are a range of [`Calendar::changes`].

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::event::{self, Original};
use super::generate::Generator;
use super::listing::Window;
use super::spec::CalendarSpec;
use crate::random::{hash_text, mix};

/// What stands at a position that the test has touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Live,
    /// One occurrence of a live series that does not take place.
    CancelledInstance,
    /// A tombstone.
    Deleted,
    /// Text of the test, served as it is.
    Raw,
    /// An exception of a series that was deleted: never listed again.
    Gone,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) state: State,
    pub(super) text: String,
    /// Milliseconds.
    pub(super) updated: i64,
    /// All the time the event has ever covered, so that a windowed sync shows that it moved away.
    pub(super) window: Window,
    version: u64,
}

/// One calendar of the account.
#[derive(Debug)]
pub(super) struct Calendar {
    pub(super) spec: CalendarSpec,
    pub(super) zone: Tz,
    pub(super) generator: Generator,
    /// Generated events that the test touched.
    pub(super) touched: BTreeMap<u64, Entry>,
    /// Events that the test inserted.
    pub(super) added: Vec<Entry>,
    /// The latest version of each position that changed.
    pub(super) changes: BTreeMap<u64, u64>,
    pub(super) version: u64,
    pub(super) sync_epoch: u64,
    pub(super) page_epoch: u64,
    pub(super) changed_at: i64,
    positions: HashMap<String, u64>,
    exceptions: HashMap<String, Vec<u64>>,
    live: u64,
}

impl Calendar {
    pub(super) fn new(spec: CalendarSpec, zone: Tz, generator: Generator, now: DateTime<Utc>) -> Self {
        Self {
            live: generator.count(),
            spec,
            zone,
            generator,
            touched: BTreeMap::new(),
            added: Vec::new(),
            changes: BTreeMap::new(),
            version: 0,
            sync_epoch: 0,
            page_epoch: 0,
            changed_at: now.timestamp_millis(),
            positions: HashMap::new(),
            exceptions: HashMap::new(),
        }
    }

    /// One behind the last position.
    pub(super) fn end(&self) -> u64 {
        self.generator.count() + self.added.len() as u64
    }

    pub(super) fn entry(&self, position: u64) -> Option<&Entry> {
        match position.checked_sub(self.generator.count()) {
            Some(added) => usize::try_from(added).ok().and_then(|added| self.added.get(added)),
            None => self.touched.get(&position),
        }
    }

    fn entry_mut(&mut self, position: u64) -> Option<&mut Entry> {
        match position.checked_sub(self.generator.count()) {
            Some(added) => usize::try_from(added).ok().and_then(|added| self.added.get_mut(added)),
            None => self.touched.get_mut(&position),
        }
    }

    fn position(&self, id: &str) -> Option<u64> {
        self.positions.get(id).copied().or_else(|| self.generator.index_of(id))
    }

    /// The event as `events.get` shows it, tombstones included.
    pub(super) fn text(&self, id: &str) -> Option<Vec<u8>> {
        let position = self.position(id)?;
        match self.entry(position) {
            Some(entry) if entry.state == State::Gone => None,
            Some(entry) => Some(entry.text.clone().into_bytes()),
            None => {
                let mut text = Vec::new();
                self.generator.write(position, &mut text);
                Some(text)
            }
        }
    }

    pub(super) fn event(&self, id: &str) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.text(id)?).ok()
    }

    pub(super) const fn live(&self) -> u64 {
        self.live
    }

    pub(super) fn live_ids(&self) -> Vec<String> {
        let generated = (0..self.generator.count())
            .filter(|index| self.touched.get(index).is_none_or(|entry| entry.state == State::Live))
            .map(|index| self.generator.id_text(index));
        let mut added: Vec<_> = self
            .positions
            .iter()
            .filter(|&(_, &position)| self.entry(position).is_some_and(|entry| entry.state == State::Live))
            .map(|(id, &position)| (position, id.clone()))
            .collect();
        added.sort_unstable();
        generated.chain(added.into_iter().map(|(_, id)| id)).collect()
    }

    /// Puts an event where its id says, and gives the change a version.
    fn store(&mut self, mut event: Map<String, Value>, now: DateTime<Utc>) -> String {
        let id = event::text(&event, "id").to_owned();
        let position = self.position(&id);
        let master = event::text(&event, "recurringEventId").to_owned();
        let cancelled = event::text(&event, "status") == "cancelled";
        let state = match (cancelled, master.is_empty()) {
            (false, _) => State::Live,
            (true, false) => State::CancelledInstance,
            (true, true) => State::Deleted,
        };
        let etag = now.timestamp_millis().saturating_mul(2_000).saturating_add_unsigned(self.version + 1);
        event.insert("etag".to_owned(), json!(format!("\"{etag}\"")));
        let mut window = event::window(&event, self.zone);
        if state != State::Live {
            event::strip_cancelled(&mut event);
        }
        if let Some(position) = position {
            window = window.union(
                self.entry(position).map_or_else(|| self.generator.window(position), |entry| entry.window),
            );
        }
        let entry = Entry {
            state,
            text: Value::Object(event).to_string(),
            updated: now.timestamp_millis(),
            window,
            version: 0,
        };
        let position = self.put(position, entry);
        if position >= self.generator.count() {
            self.positions.insert(id.clone(), position);
        }
        if !master.is_empty() {
            let exceptions = self.exceptions.entry(master).or_default();
            if !exceptions.contains(&position) {
                exceptions.push(position);
            }
        }
        id
    }

    fn put(&mut self, position: Option<u64>, mut entry: Entry) -> u64 {
        self.version += 1;
        self.changed_at = self.changed_at.max(entry.updated);
        entry.version = self.version;
        let position = position.unwrap_or_else(|| self.end());
        self.changes.insert(self.version, position);
        let now_live = entry.state == State::Live;
        let generated = position < self.generator.count();
        let was_live = match self.entry_mut(position) {
            Some(before) => {
                let before = std::mem::replace(before, entry);
                self.changes.remove(&before.version);
                before.state == State::Live
            }
            None if generated => {
                self.touched.insert(position, entry);
                true
            }
            None => {
                self.added.push(entry);
                false
            }
        };
        self.live = self.live + u64::from(now_live) - u64::from(was_live);
        position
    }

    /// Inserts an event, or replaces the one that has its id.
    pub(super) fn insert(&mut self, event: Map<String, Value>, owner: &str, now: DateTime<Utc>) -> String {
        let scattered = u128::from(mix(self.end() ^ hash_text(&self.spec.id)));
        let fresh = format!("{:026x}", (scattered << 32) | u128::from(self.version));
        let event = event::fill(event, &fresh, owner, &self.spec.id, self.zone, now);
        self.store_and_follow(event, now)
    }

    /// Merges a patch into an event (RFC 7396); false when there is no such event.
    pub(super) fn patch(&mut self, id: &str, patch: Value, now: DateTime<Utc>) -> bool {
        let Some(event) = self.event(id) else { return false };
        let touches_updated = patch.get("updated").is_some();
        let mut event = Value::Object(event);
        event::merge(&mut event, patch);
        if !touches_updated {
            event["updated"] = json!(event::instant(now));
        }
        if let Value::Object(event) = event {
            self.store_and_follow(event, now);
        }
        true
    }

    /// Deletes an event; an instance becomes a cancelled instance. False when there is none.
    pub(super) fn delete(&mut self, id: &str, now: DateTime<Utc>) -> bool {
        let Some(mut event) = self.event(id) else { return false };
        event.insert("status".to_owned(), json!("cancelled"));
        self.store_and_follow(event, now);
        true
    }

    /// Stores an event; the exceptions of a series that ends with it vanish.
    fn store_and_follow(&mut self, event: Map<String, Value>, now: DateTime<Utc>) -> String {
        let deleted = event::text(&event, "status") == "cancelled" && !event.contains_key("recurringEventId");
        let id = self.store(event, now);
        if !deleted {
            return id;
        }
        for position in self.exceptions.remove(&id).unwrap_or_default() {
            let Some(entry) = self.entry_mut(position) else { continue };
            let (was_live, version) = (entry.state == State::Live, entry.version);
            entry.state = State::Gone;
            self.changes.remove(&version);
            self.live -= u64::from(was_live);
        }
        id
    }

    fn series(&self, id: &str) -> Option<Map<String, Value>> {
        self.event(id).filter(|event| event::text(event, "status") != "cancelled")
    }

    /// Cancels one occurrence of a series. `None` when the series is unknown.
    pub(super) fn cancel_instance(
        &mut self,
        master: &str,
        original: &Original,
        now: DateTime<Utc>,
    ) -> Option<String> {
        let series = self.series(master)?;
        let mut instance = event::instance(&series, original, self.zone);
        instance.insert("status".to_owned(), json!("cancelled"));
        Some(self.store(instance, now))
    }

    /// Changes one occurrence of a series. `None` when the series is unknown.
    pub(super) fn override_instance(
        &mut self,
        master: &str,
        original: &Original,
        changes: Value,
        now: DateTime<Utc>,
    ) -> Option<String> {
        let series = self.series(master)?;
        let mut instance = Value::Object(event::instance(&series, original, self.zone));
        event::merge(&mut instance, json!({"updated": event::instant(now), "status": "confirmed"}));
        event::merge(&mut instance, changes);
        match instance {
            Value::Object(instance) => Some(self.store(instance, now)),
            _ => None,
        }
    }

    /// Adds text that is served as it is.
    pub(super) fn raw(&mut self, text: &str, now: DateTime<Utc>) {
        let entry = Entry {
            state: State::Raw,
            text: text.to_owned(),
            updated: now.timestamp_millis(),
            window: Window::ALL,
            version: 0,
        };
        self.put(None, entry);
    }
}
