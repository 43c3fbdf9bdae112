//! What does a delta round over a calendar view hold?
//!
//! Whatever changes in a series, the whole of it comes again, as far as it lies in the window: the series,
//! its occurrences as stubs, and its exceptions in full. An occurrence that is gone is told by its absence,
//! unless the fake is asked to announce it.

use super::render::{Content, Piece, View};
use super::timing::Window;
use super::{Calendars, Shown};
use crate::msgraph::Graph;
use crate::msgraph::access::Access;
use crate::msgraph::errors::Refusal;
use crate::msgraph::ids::{IdType, Kind, Name};
use crate::msgraph::page::Items;
use crate::msgraph::prefer::Preferences;
use crate::msgraph::query::Query;
use crate::msgraph::round::{Request, Round};
use crate::msgraph::store::{Change, Key};
use crate::msgraph::text::put;
use crate::msgraph::tokens::{Cursor, Kind as CursorKind};
use crate::server::{Call, Reply};

/// How many events a page may look at before it is cut short.
const SCAN_LIMIT: usize = 50_000;

/// Of a series: the series itself has been served, and none of its occurrences.
const AFTER_MASTER: u32 = 1;

const UNTRACKED: [&str; 5] = ["$select", "$expand", "$filter", "$orderby", "$search"];

/// Answers `calendarView/delta`.
pub(in crate::msgraph) fn round(
    graph: &Graph,
    call: &Call,
    access: Access,
    calendar: Option<&str>,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    let state = graph.state();
    let calendars = &state.calendars;
    let number = calendars.find(&graph.ids, calendar)?;
    if query.names().any(|name| UNTRACKED.contains(&name)) {
        let text = "The following parameters are not supported with change tracking over the 'CalendarView' \
                    resource: '$orderby, $filter, $select, $expand, $search'.";
        return Err(Refusal::new(400, "ErrorInvalidUrlQuery", text));
    }
    let path = match calendar {
        Some(_) => format!("/v1.0/me/calendars('{}')/calendarView/delta", calendars.list[number].id),
        None => "/v1.0/me/calendarView/delta".to_owned(),
    };
    let target = state.target(path, calendars.store.version(), calendars.store.epoch(number));
    let round = Round::begin(graph, call, &query, &target, || {
        query.only(&["startDateTime", "endDateTime"])?;
        Ok(Request { window: query.window()?, ..Request::default() })
    })?;
    let view = View { ids: &graph.ids, prefer: &prefer, select: access.events(), typed: true };
    Ok(round.reply(graph, &prefer, "Collection(event)", |cursor, items| {
        Page { calendars, number, view: &view, items }.fill(cursor)
    }))
}

/// A page that is being filled.
struct Page<'a> {
    calendars: &'a Calendars,
    number: usize,
    view: &'a View<'a>,
    items: &'a mut Items,
}

/// How much of an event a page holds.
enum Served {
    Nothing,
    Whole,
    /// The page ended behind the occurrence of this day.
    Upto(u32),
}

impl Page<'_> {
    fn fill(self, cursor: &Cursor) -> Option<Cursor> {
        match cursor.kind {
            CursorKind::Everything => self.everything(cursor),
            CursorKind::Changes | CursorKind::End => self.changes(cursor),
        }
    }

    fn everything(mut self, cursor: &Cursor) -> Option<Cursor> {
        let (calendars, mut looked_at, mut next) = (self.calendars, 0, None);
        calendars.store.walk(self.number, cursor.next, |place, key| {
            if self.items.full() || looked_at == SCAN_LIMIT {
                next = Some(Cursor { next: place, day: 0, ..*cursor });
                return false;
            }
            looked_at += 1;
            let after = if place == cursor.next { cursor.day } else { 0 };
            match calendars.shown(key) {
                Some(Shown::Event(piece)) => {
                    if let Served::Upto(day) = self.serve(&piece, cursor.window, after) {
                        next = Some(Cursor { next: place, day, ..*cursor });
                        return false;
                    }
                }
                Some(Shown::Raw(text)) => self.items.add(|out| put!(out, text)),
                None => {}
            }
            true
        });
        next
    }

    fn changes(mut self, cursor: &Cursor) -> Option<Cursor> {
        let (calendars, mut next) = (self.calendars, None);
        calendars.store.changes(self.number, cursor.next..=cursor.upto, |change| {
            if self.items.full() {
                next = Some(Cursor { next: change.version, day: 0, ..*cursor });
                return false;
            }
            let after = if change.version == cursor.next { cursor.day } else { 0 };
            if !change.stays(self.number) {
                self.gone(&change, cursor.window);
                return true;
            }
            match calendars.shown(change.key) {
                Some(Shown::Event(piece)) => match self.serve(&piece, cursor.window, after) {
                    Served::Upto(day) => {
                        next = Some(Cursor { next: change.version, day, ..*cursor });
                        return false;
                    }
                    Served::Nothing if after == 0 => self.removed(change.key, change.moves, 0, "changed"),
                    _ => self.announce(&piece, cursor.window),
                },
                Some(Shown::Raw(text)) => self.items.add(|out| put!(out, text)),
                None => {}
            }
            true
        });
        next
    }

    /// Serves what lies in the window; of a series, what comes after a day.
    fn serve(&mut self, piece: &Piece<'_>, window: Window, after: u32) -> Served {
        if !piece.is_series() {
            if !piece.shows_in(window) {
                return Served::Nothing;
            }
            self.items.add(|out| piece.put(out, self.view));
            return Served::Whole;
        }
        let wording = self.calendars.wording;
        let (mut last, mut cut) = (after, false);
        piece.each(window, after, |occurrence| {
            if last == 0 {
                last = AFTER_MASTER;
                if !wording.masterless {
                    self.items.add(|out| piece.put(out, self.view));
                }
            }
            cut = self.items.full() && !wording.whole_series;
            if cut {
                return false;
            }
            last = super::timing::day_number(occurrence.date);
            self.items.add(|out| match occurrence.exception {
                Some(_) => piece.put_occurrence(out, self.view, &occurrence),
                None => piece.put_stub(out, self.view, &occurrence),
            });
            true
        });
        match (cut, last) {
            (true, _) => Served::Upto(last),
            (false, 0) => Served::Nothing,
            (false, _) => Served::Whole,
        }
    }

    /// Tells of an event that is no longer in this calendar.
    fn gone(&mut self, change: &Change<'_, super::Item>, window: Window) {
        // By its immutable id it is still here, if it went away and came back.
        if self.view.prefer.id_type == IdType::Immutable && change.entry.at == Some(self.number) {
            return;
        }
        self.removed(change.key, change.moves, 0, "deleted");
        let Some(piece) = self.calendars.piece(change.key).filter(|_| self.calendars.wording.announced)
        else {
            return;
        };
        piece.each(window, 0, |occurrence| {
            let day = super::timing::day_number(occurrence.date);
            self.removed(change.key, change.moves, day, "deleted");
            true
        });
    }

    /// Tells of the occurrences of a series that were cancelled, or that moved out of the window.
    fn announce(&mut self, piece: &Piece<'_>, window: Window) {
        let (true, Content::Stored(event)) = (self.calendars.wording.announced, &piece.content) else {
            return;
        };
        let planned = |day: u32| {
            let date = super::timing::day_of_number(day).unwrap_or_default();
            event.timing.meets(event.timing.on(date), window)
        };
        for &day in event.cancelled.iter().filter(|day| planned(**day)) {
            self.removed(piece.key, piece.moves, day, "deleted");
        }
        for (&day, exception) in &event.exceptions {
            if planned(day) && !exception.timing.meets(exception.timing.span, window) {
                self.removed(piece.key, piece.moves, day, "changed");
            }
        }
    }

    fn removed(&mut self, key: Key, moves: u32, part: u32, reason: &str) {
        let name = Name { kind: Kind::Event, key, moves: Some(moves), part };
        let reason = if self.calendars.wording.one_reason { "deleted" } else { reason };
        let view = self.view;
        self.items.add(|out| {
            put!(out, r##"{"@odata.type":"#microsoft.graph.event","id":""##);
            view.ids.put(out, view.prefer.id_type, &name);
            put!(out, r#"","@removed":{"reason":""#, reason, "\"}}");
        });
    }
}
