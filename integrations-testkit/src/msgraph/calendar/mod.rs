//! What is in the account's calendars, and what may a test do with it?

mod delta;
mod event;
mod generate;
mod handle;
mod lists;
mod recurrence;
mod render;
mod series;
mod spec;
mod timing;

use std::borrow::Cow;

use serde_json::{Map, Value};

pub(super) use self::event::EventField;
pub(super) use self::lists::{calendar_of, get, instances, list_calendars, list_events, show_calendar, view};
pub use self::spec::CalendarSpec;

pub(super) use self::delta::round;
use self::event::{Event, Item};
use self::generate::{Generator, person};
use self::render::{Content, Piece};
use super::change_key::of_version;
use super::errors::Refusal;
use super::ids::{Ids, Kind, Name};
use super::store::{Key, Store};
use super::zones;

/// How the fake words what Graph leaves open.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is open by itself")]
pub(super) struct Wording {
    /// Whether an occurrence that is gone is told as `@removed`. Otherwise it is not among those of its series.
    pub(super) announced: bool,
    /// Whether what is not in the window is told as `deleted`, as what was deleted is.
    pub(super) one_reason: bool,
    /// Whether series themselves are left out of rounds.
    pub(super) masterless: bool,
    /// Whether a page goes on to the end of a series.
    pub(super) whole_series: bool,
}

/// One calendar of the account.
#[derive(Debug)]
pub(super) struct Calendar {
    spec: CalendarSpec,
    id: String,
    generator: Generator,
    removed: bool,
    /// Of its latest change.
    change: u64,
}

/// The account's calendars.
#[derive(Debug)]
pub(super) struct Calendars {
    list: Vec<Calendar>,
    store: Store<Item>,
    wording: Wording,
    seed: u64,
    user: Value,
    changes: u64,
}

/// An item as a page meets it.
enum Shown<'a> {
    Event(Piece<'a>),
    Raw(&'a str),
}

impl Calendars {
    pub(super) fn new(seed: u64, name: &str, address: &str, wording: Wording) -> Self {
        let user = person(name, address);
        Self { list: Vec::new(), store: Store::default(), wording, seed, user, changes: 0 }
    }

    /// Adds a calendar; returns its number.
    pub(super) fn add(&mut self, spec: CalendarSpec, ids: &Ids, now: i64) -> usize {
        let Some(zone) = zones::zone(&spec.time_zone) else {
            panic!("calendar {:?}: {:?} is no time zone", spec.name, spec.time_zone);
        };
        let number = self.store.add_container(spec.generated);
        let own = match &spec.owner {
            Some((name, address)) => person(name, address),
            None => self.user.clone(),
        };
        let zone = (spec.time_zone.clone(), zone);
        let generator = Generator::new(self.seed, &spec.name, zone, &own, now);
        self.changes += 1;
        let (id, change) = (ids.container(Kind::Calendar, number), self.changes);
        self.list.push(Calendar { spec, id, generator, removed: false, change });
        number
    }

    fn remove(&mut self, calendar: usize) {
        self.list[calendar].removed = true;
        self.store.remove_container(calendar);
    }

    fn rename(&mut self, calendar: usize, name: &str) {
        self.changes += 1;
        self.list[calendar].change = self.changes;
        name.clone_into(&mut self.list[calendar].spec.name);
    }

    /// The calendars that are there, with their numbers, in order.
    fn present(&self) -> impl Iterator<Item = (usize, &Calendar)> {
        self.list.iter().enumerate().filter(|(_, calendar)| !calendar.removed)
    }

    /// The account's own calendar.
    fn own(&self) -> Option<usize> {
        let marked = self.present().find(|(_, calendar)| calendar.spec.default);
        marked.or_else(|| self.present().next()).map(|(number, _)| number)
    }

    /// The calendar of a request's path; without an id the account's own.
    fn find(&self, ids: &Ids, id: Option<&str>) -> Result<usize, Refusal> {
        let Some(id) = id else { return self.own().ok_or_else(Refusal::not_found) };
        let name = ids.read(id)?;
        let number = usize::try_from(name.key.number()).ok().filter(|_| name.kind == Kind::Calendar);
        let there = |number: &usize| self.list.get(*number).is_some_and(|calendar| !calendar.removed);
        number.filter(there).ok_or_else(Refusal::not_found)
    }

    /// The event of an id, and the day of the occurrence, 0 for none.
    fn find_event(&self, ids: &Ids, id: &str) -> Result<(Key, u32), Refusal> {
        let Name { kind, key, moves, part } = ids.read(id)?;
        let (_, moved) =
            self.store.find(key).filter(|_| kind == Kind::Event).ok_or_else(Refusal::not_found)?;
        // The usual id of an item dies with every move.
        if moves.is_some_and(|moves| moves != moved) {
            return Err(Refusal::not_found());
        }
        Ok((key, part))
    }

    /// What is behind a key.
    fn shown(&self, key: Key) -> Option<Shown<'_>> {
        if let Some(entry) = self.store.entry(key) {
            return Some(match &entry.item {
                Item::Raw(text) => Shown::Raw(text),
                Item::Event(event) if event.garbled.is_some() => {
                    Shown::Raw(event.garbled.as_deref().unwrap_or_default())
                }
                Item::Event(event) => Shown::Event(Piece {
                    key,
                    moves: entry.moves,
                    change: match entry.version {
                        0 => key.number(),
                        version => of_version(version),
                    },
                    created: event.created,
                    modified: entry.modified,
                    timing: Cow::Borrowed(&event.timing),
                    content: Content::Stored(event),
                }),
            });
        }
        let (calendar, index) = key.origin()?;
        let generator = &self.list.get(calendar)?.generator;
        let (created, modified) = generator.times(index);
        Some(Shown::Event(Piece {
            key,
            moves: 0,
            change: key.number(),
            created,
            modified,
            timing: Cow::Owned(generator.timing(index)),
            content: Content::Generated(generator, index),
        }))
    }

    /// The event behind a key; text of the test is none.
    fn piece(&self, key: Key) -> Option<Piece<'_>> {
        match self.shown(key)? {
            Shown::Event(piece) => Some(piece),
            Shown::Raw(_) => None,
        }
    }

    fn insert(&mut self, calendar: usize, event: Map<String, Value>, now: i64) -> Result<Key, Refusal> {
        let number = self.store.version() + 1;
        let event = Event::fill(event, &self.user, number ^ self.seed, now)?;
        Ok(self.store.insert(calendar, Item::Event(Box::new(event)), now))
    }

    fn raw(&mut self, calendar: usize, text: &str, now: i64) {
        self.store.insert(calendar, Item::Raw(text.to_owned()), now);
    }

    /// Changes an event; what does not go through changes nothing.
    fn change(
        &mut self,
        key: Key,
        now: i64,
        change: impl FnOnce(&mut Event) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.adopt(key);
        let entry = self.store.entry(key).ok_or_else(Refusal::not_found)?;
        let Item::Event(event) = &entry.item else { return Err(Refusal::not_found()) };
        let mut changed = event.clone();
        change(&mut changed)?;
        self.store.touch(key, now, |item| *item = Item::Event(changed));
        Ok(())
    }

    fn delete(&mut self, key: Key, now: i64) {
        self.adopt(key);
        self.store.remove(key, now);
    }

    fn relocate(&mut self, key: Key, calendar: usize, now: i64) {
        self.adopt(key);
        self.store.relocate(key, calendar, now);
    }

    /// Gives a generated event an entry.
    fn adopt(&mut self, key: Key) {
        if self.store.entry(key).is_some() || self.store.find(key).is_none() {
            return;
        }
        let Some((calendar, index)) = key.origin() else { return };
        let generator = &self.list[calendar].generator;
        let (created, modified) = generator.times(index);
        let event = Event {
            fields: generator.fields(index),
            timing: generator.timing(index),
            created,
            exceptions: std::collections::BTreeMap::new(),
            cancelled: std::collections::BTreeSet::new(),
            garbled: None,
        };
        self.store.adopt(key, modified, || Item::Event(Box::new(event)));
    }
}
