//! What may a test do with calendars and events?

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::lists::shown;
use super::render::View;
use super::timing::{Window, day_number};
use super::{CalendarSpec, Calendars, Shown};
use crate::msgraph::errors::Refusal;
use crate::msgraph::fake::{FakeGraph, object};
use crate::msgraph::fields::Select;
use crate::msgraph::ids::{IdType, Kind, Name};
use crate::msgraph::prefer::Preferences;
use crate::msgraph::query::time;
use crate::msgraph::store::Key;

/// Calendars and events.
impl FakeGraph {
    fn with_calendar<T>(&self, calendar: &str, work: impl FnOnce(&mut Calendars, usize, i64) -> T) -> T {
        let now = self.graph.now();
        let mut state = self.graph.state_mut();
        let calendars = &mut state.calendars;
        let known =
            calendars.present().find(|(_, known)| known.id == calendar || known.spec.name == calendar);
        let Some(number) = known.map(|(number, _)| number) else {
            panic!("no calendar {calendar:?} in this fake");
        };
        work(calendars, number, now)
    }

    /// Finds an event and works on it; what Graph would refuse is a panic.
    fn with_event<T>(
        &self,
        event: &str,
        work: impl FnOnce(&mut Calendars, Key, u32, i64) -> Result<T, Refusal>,
    ) -> T {
        let now = self.graph.now();
        let mut state = self.graph.state_mut();
        let calendars = &mut state.calendars;
        let done = calendars.find_event(&self.graph.ids, event).and_then(|(key, day)| {
            // An occurrence has to be one of its series.
            if day != 0 && calendars.piece(key).is_none_or(|piece| piece.occurrence(day).is_none()) {
                return Err(Refusal::not_found());
            }
            work(calendars, key, day, now)
        });
        done.unwrap_or_else(|refusal| panic!("event {event:?}: {refusal:?}"))
    }

    fn event_name(&self, key: Key, part: u32, id_type: IdType) -> String {
        let moves = self.graph.state().calendars.store.find(key).map(|(_, moves)| moves);
        self.graph.ids.text(id_type, &Name { kind: Kind::Event, key, moves, part })
    }

    /// Adds a calendar to the account; returns its id.
    ///
    /// # Panics
    /// When the time zone is none.
    pub fn add_calendar(&self, calendar: CalendarSpec) -> String {
        let now = self.graph.now();
        let mut state = self.graph.state_mut();
        let number = state.calendars.add(calendar, &self.graph.ids, now);
        state.calendars.list[number].id.clone()
    }

    /// The id of a calendar.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn calendar_id(&self, calendar: &str) -> String {
        self.with_calendar(calendar, |calendars, number, _| calendars.list[number].id.clone())
    }

    /// Renames a calendar; its id stays.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn rename_calendar(&self, calendar: &str, name: &str) {
        self.with_calendar(calendar, |calendars, number, _| calendars.rename(number, name));
    }

    /// Takes a calendar from the account: everything in it answers 404 `ErrorItemNotFound`.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn remove_calendar(&self, calendar: &str) {
        self.with_calendar(calendar, |calendars, number, _| calendars.remove(number));
    }

    /// Inserts an event; returns its id. The fields that Exchange assigns are added where they are missing,
    /// and so are `start` and `end`; `id`, etag, `type`, `lastModifiedDateTime` and the like are always the
    /// fake's. A time may be in any zone that Graph knows; `originalStartTimeZone` and `originalEndTimeZone` may
    /// name another, such as `tzone://Microsoft/Custom`. A field that the fake does not know is kept.
    ///
    /// # Panics
    /// When there is no such calendar, the event is not a JSON object, or Graph would refuse it: an all-day
    /// event that is not midnight to midnight, a recurrence that cannot be read or does not have the start as
    /// its first occurrence.
    pub fn insert_event(&self, calendar: &str, event: Value) -> String {
        let event = object(event, "an event");
        let key = self.with_calendar(calendar, |calendars, number, now| {
            let inserted = calendars.insert(number, event, now);
            inserted.unwrap_or_else(|refusal| panic!("Graph refuses this event: {refusal:?}"))
        });
        self.event_name(key, 0, IdType::Immutable)
    }

    /// Merges a patch into an event: null removes a field, arrays and `recurrence` are replaced whole. An
    /// occurrence becomes an exception. Another recurrence ends the exceptions of a series.
    ///
    /// # Panics
    /// When there is no such event, or Graph would refuse the patch.
    pub fn patch_event(&self, event: &str, patch: Value) {
        let patch = object(patch, "a patch");
        self.with_event(event, |calendars, key, day, now| {
            let number = key.number();
            calendars.change(key, now, |event| {
                if day == 0 { event.patch(patch, number, now) } else { event.except(day, patch) }
            })
        });
    }

    /// Deletes an event; a series goes with all of its occurrences, and a single occurrence is cancelled.
    ///
    /// # Panics
    /// When there is no such event.
    pub fn delete_event(&self, event: &str) {
        self.with_event(event, |calendars, key, day, now| {
            if day == 0 {
                calendars.delete(key, now);
                return Ok(());
            }
            calendars.change(key, now, |event| {
                event.exceptions.remove(&day);
                event.cancelled.insert(day);
                Ok(())
            })
        });
    }

    /// The organizer cancels a meeting: it stays, with `isCancelled`, until it is deleted.
    ///
    /// # Panics
    /// When there is no such event.
    pub fn cancel_event(&self, event: &str) {
        let subject = self.event(event).and_then(|event| event["subject"].as_str().map(str::to_owned));
        let subject = format!("Canceled: {}", subject.unwrap_or_default());
        self.patch_event(event, json!({"isCancelled": true, "subject": subject, "showAs": "free"}));
    }

    /// Cancels the occurrence of a series that was to take place on a day, such as `2026-03-09` by the zone of
    /// the series; returns its id.
    ///
    /// # Panics
    /// When there is no such series, or no such occurrence.
    pub fn cancel_occurrence(&self, series: &str, day: &str) -> String {
        let id = self.occurrence_id(series, day);
        self.delete_event(&id);
        id
    }

    /// Changes the occurrence of a series that was to take place on a day; returns its id. A new `start` and
    /// `end` move it.
    ///
    /// # Panics
    /// When there is no such series, or no such occurrence, or Graph would refuse the change.
    pub fn change_occurrence(&self, series: &str, day: &str, changes: Value) -> String {
        let id = self.occurrence_id(series, day);
        self.patch_event(&id, changes);
        id
    }

    /// The id of the occurrence of a series that is, or was, to take place on a day.
    ///
    /// # Panics
    /// When there is no such series, or the day cannot be read.
    pub fn occurrence_id(&self, series: &str, day: &str) -> String {
        let Ok(date) = day.parse::<NaiveDate>() else { panic!("{day:?} is no day, such as 2026-03-09") };
        let key = self.with_event(series, |_, key, _, _| Ok(key));
        self.event_name(key, day_number(date), IdType::Immutable)
    }

    /// Moves an event to another calendar: it is `@removed` there and new here, and its usual id changes.
    ///
    /// # Panics
    /// When there is no such event or calendar.
    pub fn move_event(&self, event: &str, calendar: &str) {
        let to = self.with_calendar(calendar, |_, number, _| number);
        self.with_event(event, |calendars, key, _, now| {
            calendars.relocate(key, to, now);
            Ok(())
        });
    }

    /// Serves this text as an item of the coming rounds and of `events.list`, as it is.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn raw_event(&self, calendar: &str, raw_json_text: &str) {
        self.with_calendar(calendar, |calendars, number, now| calendars.raw(number, raw_json_text, now));
    }

    /// Serves this text in the place of an event, as it is, until the event is [mended](Self::mend_event).
    ///
    /// # Panics
    /// When there is no such event, or it is an occurrence.
    pub fn garble_event(&self, event: &str, raw_json_text: &str) {
        self.garble(event, Some(raw_json_text.to_owned()));
    }

    /// Serves a garbled event again; it has changed.
    ///
    /// # Panics
    /// When there is no such event.
    pub fn mend_event(&self, event: &str) {
        self.garble(event, None);
    }

    fn garble(&self, event: &str, text: Option<String>) {
        self.with_event(event, |calendars, key, day, now| {
            assert!(day == 0, "only whole events can be garbled");
            calendars.change(key, now, |event| {
                event.garbled = text;
                Ok(())
            })
        });
    }

    /// An event as `events.get` shows it with immutable ids and in UTC; `None` when there is none.
    pub fn event(&self, event: &str) -> Option<Value> {
        let (state, prefer) = (self.graph.state(), Preferences::own());
        let view = View { ids: &self.graph.ids, prefer: &prefer, select: Select::usual(), typed: false };
        serde_json::from_slice(&shown(&state.calendars, &view, event).ok()?).ok()
    }

    /// The ids of the events of a calendar, series counting once, in the order of a full listing.
    /// Raw items and garbled ones are left out.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn event_ids(&self, calendar: &str) -> Vec<String> {
        let keys = self.with_calendar(calendar, |calendars, number, _| {
            let mut keys = Vec::new();
            calendars.store.walk(number, 0, |_, key| {
                if let Some(Shown::Event(_)) = calendars.shown(key) {
                    keys.push(key);
                }
                true
            });
            keys
        });
        keys.into_iter().map(|key| self.event_name(key, 0, IdType::Immutable)).collect()
    }

    /// The ids of everything that a full round over this window has: single events, series, and the occurrences
    /// and exceptions of each series behind it.
    ///
    /// # Panics
    /// When there is no such calendar, or a time cannot be read.
    pub fn view_ids(&self, calendar: &str, start: &str, end: &str) -> Vec<String> {
        let bound = |text: &str| time(text).unwrap_or_else(|| panic!("{text:?} is no time"));
        let window: Window = (bound(start), bound(end));
        let parts = self.with_calendar(calendar, |calendars, number, _| {
            let mut parts = Vec::new();
            calendars.store.walk(number, 0, |_, key| {
                let Some(Shown::Event(piece)) = calendars.shown(key) else { return true };
                if piece.shows_in(window) {
                    parts.push((key, 0));
                    piece.each(window, 0, |occurrence| {
                        parts.push((key, day_number(occurrence.date)));
                        true
                    });
                }
                true
            });
            parts
        });
        parts.into_iter().map(|(key, day)| self.event_name(key, day, IdType::Immutable)).collect()
    }

    /// How many events a calendar has, series counting once. Raw items are counted too.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn live_events(&self, calendar: &str) -> u64 {
        self.with_calendar(calendar, |calendars, number, _| calendars.store.live(number))
    }

    /// The id that a client sees that does not ask for immutable ones, of an event or a message.
    ///
    /// # Panics
    /// When there is no such item.
    pub fn usual_id(&self, id: &str) -> String {
        let state = self.graph.state();
        let name = self.graph.ids.read(id).unwrap_or_else(|refusal| panic!("id {id:?}: {refusal:?}"));
        let found = match name.kind {
            Kind::Event => state.calendars.store.find(name.key),
            _ => state.mail.moves_of(name.key),
        };
        let (_, moves) = found.unwrap_or_else(|| panic!("no item {id:?} in this fake"));
        self.graph.ids.text(IdType::Usual, &Name { moves: Some(moves), ..name })
    }

    /// The tokens of the rounds over one calendar are too old from now on.
    ///
    /// # Panics
    /// When there is no such calendar.
    pub fn expire_calendar_tokens(&self, calendar: &str) {
        self.with_calendar(calendar, |calendars, number, _| calendars.store.expire(number));
    }
}
