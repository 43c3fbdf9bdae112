//! What does one page of `events.list` hold, and how does the listing go on?
//!
//! A page costs what it serves, whatever the size of the calendar: a listing starts at a position and
//! looks at a bounded number of events. A page that finds nothing in them is empty and has a
//! successor, as Google's may be.

use super::calendar::{Calendar, Entry, State};
use super::tokens::{Cursor, Kind};

/// How many items a page may look at before it is cut short.
pub(super) const SCAN_LIMIT: usize = 50_000;

/// A span of time in milliseconds of the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) min: i64,
    pub(super) max: i64,
}

impl Window {
    pub(super) const ALL: Self = Self { min: i64::MIN, max: i64::MAX };

    /// `timeMin` and `timeMax` are both exclusive.
    fn meets(self, event: Self) -> bool {
        event.max > self.min && event.min < self.max
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// What a listing leaves out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) window: Window,
    pub(super) updated_min: Option<i64>,
    pub(super) show_deleted: bool,
}

impl Filter {
    fn shows(&self, entry: &Entry) -> bool {
        let fresh = self.updated_min.is_none_or(|min| entry.updated >= min);
        match entry.state {
            State::Raw => true,
            State::Gone => false,
            State::Live | State::CancelledInstance => fresh && self.window.meets(entry.window),
            // With `updatedMin` what was deleted since then is always included.
            State::Deleted => fresh && (self.show_deleted || self.updated_min.is_some()),
        }
    }

    fn shows_generated(&self, calendar: &Calendar, index: u64) -> bool {
        self.updated_min.is_none_or(|min| calendar.generator.updated(index) >= min)
            && (self.window == Window::ALL || self.window.meets(calendar.generator.window(index)))
    }
}

/// The items of a page, as the inside of a JSON array.
#[derive(Debug)]
pub(super) struct Items<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
    pub(super) count: usize,
}

impl<'a> Items<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        Self { out, limit, count: 0 }
    }

    const fn full(&self) -> bool {
        self.count >= self.limit
    }

    fn start(&mut self) -> &mut Vec<u8> {
        if self.count > 0 {
            self.out.push(b',');
        }
        self.count += 1;
        self.out
    }

    fn push(&mut self, entry: &Entry) {
        self.start().extend_from_slice(entry.text.as_bytes());
    }
}

impl Calendar {
    /// Serves a page from the cursor on; returns where to go on, or `None` at the end.
    pub(super) fn page(&self, cursor: &Cursor, filter: &Filter, items: &mut Items<'_>) -> Option<Cursor> {
        match cursor.kind {
            Kind::Page => self.by_position(cursor.next, filter, items).map(|next| Cursor { next, ..*cursor }),
            Kind::UpdatedPage => self.by_update(cursor, filter, items),
            Kind::ChangesPage | Kind::Sync => {
                self.changed(cursor, filter, items).map(|next| Cursor { next, ..*cursor })
            }
        }
    }

    /// The `next` of a listing that has served everything.
    pub(super) fn behind(&self, cursor: &Cursor) -> u64 {
        match cursor.kind {
            Kind::Page => self.end(),
            Kind::UpdatedPage => self.generator.count() + self.version,
            Kind::ChangesPage | Kind::Sync => cursor.upto + 1,
        }
    }

    fn by_position(&self, mut position: u64, filter: &Filter, items: &mut Items<'_>) -> Option<u64> {
        let generated = self.generator.count();
        let mut looked_at = 0;
        let mut touched = self.touched.range(position.min(generated)..generated).peekable();
        while position < self.end() && !items.full() && looked_at < SCAN_LIMIT {
            let entry = if position >= generated {
                self.entry(position)
            } else {
                touched.next_if(|&(&at, _)| at == position).map(|(_, entry)| entry)
            };
            match entry {
                Some(entry) if filter.shows(entry) => items.push(entry),
                None if filter.shows_generated(self, position) => {
                    self.generator.write(position, items.start());
                }
                _ => {}
            }
            position += 1;
            looked_at += 1;
        }
        (position < self.end()).then_some(position)
    }

    /// Untouched events come first: their `updated` grows with the index and lies before the start.
    fn by_update(&self, cursor: &Cursor, filter: &Filter, items: &mut Items<'_>) -> Option<Cursor> {
        let generated = self.generator.count();
        let mut position = cursor.next;
        let mut looked_at = 0;
        while position < generated && !items.full() && looked_at < SCAN_LIMIT {
            if !self.touched.contains_key(&position) && filter.shows_generated(self, position) {
                self.generator.write(position, items.start());
            }
            position += 1;
            looked_at += 1;
        }
        // Behind the generated events the cursor counts versions.
        let mut version = position.saturating_sub(generated);
        if position >= generated {
            for (&changed, &at) in self.changes.range(version + 1..) {
                if items.full() {
                    break;
                }
                if let Some(entry) = self.entry(at).filter(|entry| filter.shows(entry)) {
                    items.push(entry);
                }
                version = changed;
            }
        }
        let next = position.min(generated) + version;
        let more = position < generated || self.changes.range(version + 1..).next().is_some();
        more.then_some(Cursor { next, ..*cursor })
    }

    fn changed(&self, cursor: &Cursor, filter: &Filter, items: &mut Items<'_>) -> Option<u64> {
        if cursor.next > cursor.upto {
            return None;
        }
        for (&version, &position) in self.changes.range(cursor.next..=cursor.upto) {
            if items.full() {
                return Some(version);
            }
            match self.entry(position) {
                // A tombstone says nothing about time, so no window hides it.
                Some(entry) if entry.state == State::Deleted || filter.shows(entry) => items.push(entry),
                _ => {}
            }
        }
        None
    }
}
