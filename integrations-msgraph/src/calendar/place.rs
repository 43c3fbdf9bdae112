//! How far has a calendar been read, and which stretch of time is read?
//!
//! Graph follows the changes of a stretch of time, and binds it into the address by which it goes on: there is no
//! moving it. Where the host asks for no end, the stretch reaches some way ahead, and becomes too short as time
//! goes by. Then a run of changes reads a *wider* round first, page by page beside the old one:
//!
//! 1. everything in the new stretch, as in a listing;
//! 2. the changes of the old stretch once more: what was deleted until the new round began is told there alone;
//! 3. from then on, the changes of the new stretch.
//!
//! All of it is in the cursor, so that a run that dies is gone on with.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use integrations_core::sync::{Cursor, Window};
use integrations_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::config::Horizon;

/// A stretch of time, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stretch {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The instant after its last one.
    pub to: DateTime<Utc>,
}

impl Stretch {
    /// What to read of a window: as far as it is open, by the horizon around now.
    pub(super) fn of(window: &Window, now: DateTime<Utc>, horizon: Horizon) -> Self {
        let earlier = window.until.map_or(now, |until| until.min(now));
        let later = window.since.map_or(now, |since| since.max(now));
        let before = || earlier.checked_sub_signed(horizon.back).unwrap_or(DateTime::UNIX_EPOCH);
        let after = || later.checked_add_signed(horizon.ahead).unwrap_or(later);
        let second = TimeDelta::seconds(1);
        let from = window.since.unwrap_or_else(before).trunc_subsecs(0);
        let to = window.until.unwrap_or_else(after);
        // A part of a second belongs to it as a whole, and what is empty for Graph is a second for us.
        let to = if to == to.trunc_subsecs(0) { to } else { to.trunc_subsecs(0) + second };
        Self { from, to: to.max(from + second) }
    }

    /// Whether less than half of the horizon is left ahead of a window that has no end.
    pub(super) fn is_short(&self, window: &Window, now: DateTime<Utc>, horizon: Horizon) -> bool {
        window.until.is_none()
            && self.to - now < horizon.ahead / 2
            && Self::of(window, now, horizon).to > self.to
    }

    /// Whether it begins so late that the clock must have been ahead when it was made. What has happened before it
    /// meanwhile is told by nobody.
    pub(super) fn is_late(&self, window: &Window, now: DateTime<Utc>, horizon: Horizon) -> bool {
        let late = self.from - Self::of(window, now, horizon).from;
        window.since.is_none() && late > (horizon.back / 2).max(TimeDelta::days(1))
    }

    /// Whether any of this span is in it. One without length is in it where it starts.
    pub(super) fn meets(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
        start < self.to && (end > self.from || (end <= start && start >= self.from))
    }

    /// Its bounds as the parameters of a calendar view.
    pub(super) fn parameters(&self) -> [(&'static str, String); 2] {
        let text = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        [("startDateTime", text(self.from)), ("endDateTime", text(self.to))]
    }
}

/// A place in the rounds of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    #[serde(flatten)]
    pub stretch: Stretch,
    /// The address by which Graph goes on.
    pub link: Cursor,
    /// Set on the way to a wider stretch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wider: Option<Wider>,
}

/// The way to a wider stretch. [`Place::stretch`] is the wider one already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wider {
    /// Everything in it is read. Behind that come the changes of the old stretch, by this address.
    Listing(Cursor),
    /// The changes of the old stretch are read. Behind them come those of the new one, by this address.
    CatchingUp(Cursor),
}

impl Place {
    pub(super) fn read(cursor: &Cursor) -> Result<Self> {
        serde_json::from_str(cursor.as_str())
            .map_err(|_| Error::new(ErrorKind::CursorExpired, "the cursor is not one of this adapter's"))
    }

    pub(super) fn cursor(&self) -> Result<Cursor> {
        let text = serde_json::to_string(self);
        text.map(Cursor::new).map_err(|_| Error::new(ErrorKind::DataFormat, "the position cannot be stored"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: Horizon = Horizon { back: TimeDelta::days(10), ahead: TimeDelta::days(20) };

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn stretch(from: &str, to: &str) -> Stretch {
        Stretch { from: at(from), to: at(to) }
    }

    #[test]
    fn an_open_window_is_as_wide_as_the_horizon() {
        let now = at("2026-03-11T09:00:00.5Z");
        let (early, late) = (at("2020-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z"));
        for (window, from, to) in [
            (Window::ALL, "2026-03-01T09:00:00Z", "2026-03-31T09:00:01Z"),
            (Window::since(early), "2020-01-01T00:00:00Z", "2026-03-31T09:00:01Z"),
            (Window::since(late), "2030-01-01T00:00:00Z", "2030-01-21T00:00:00Z"),
            (Window::ALL.until(early), "2019-12-22T00:00:00Z", "2020-01-01T00:00:00Z"),
            (Window::ALL.until(late), "2026-03-01T09:00:00Z", "2030-01-01T00:00:00Z"),
            (Window::since(early).until(late), "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
            (Window::since(late).until(early), "2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z"),
        ] {
            assert_eq!(Stretch::of(&window, now, HORIZON), stretch(from, to), "{window:?}");
        }
    }

    #[test]
    fn a_stretch_is_short_when_half_of_it_is_over_and_it_has_no_end() {
        let now = at("2026-03-11T09:00:00Z");
        let days = TimeDelta::days;
        let whole = Stretch::of(&Window::ALL, now, HORIZON);
        let short = |window: &Window, later| whole.is_short(window, now + later, HORIZON);
        assert!(!short(&Window::ALL, days(10)) && short(&Window::ALL, days(10) + TimeDelta::seconds(1)));
        assert!(!short(&Window::ALL.until(whole.to), days(15)));
        // A clock that goes back makes nothing wider.
        assert!(!short(&Window::ALL, days(-100)));
    }

    #[test]
    fn a_stretch_is_late_when_the_clock_was_ahead_by_half_of_what_lies_behind() {
        let now = at("2026-03-11T09:00:00Z");
        let days = TimeDelta::days;
        let ahead = Stretch::of(&Window::ALL, now, HORIZON);
        let late = |window: &Window, then| ahead.is_late(window, then, HORIZON);
        assert!(!late(&Window::ALL, now + days(1000)) && !late(&Window::ALL, now - days(5)));
        assert!(late(&Window::ALL, now - days(5) - TimeDelta::seconds(1)));
        assert!(!late(&Window::since(ahead.from), now - days(1000)));
        // A clock is set right by some seconds now and then.
        let none = Horizon { back: TimeDelta::zero(), ..HORIZON };
        let here = Stretch::of(&Window::ALL, now, none);
        assert!(!here.is_late(&Window::ALL, now - TimeDelta::minutes(5), none));
    }

    #[test]
    fn what_overlaps_a_stretch_is_in_it() {
        let day = stretch("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
        for (start, end, inside) in [
            ("2026-03-01T23:00:00Z", "2026-03-02T00:00:00Z", false),
            ("2026-03-01T23:00:00Z", "2026-03-02T00:00:01Z", true),
            ("2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", true),
            ("2026-03-03T00:00:00Z", "2026-03-03T01:00:00Z", false),
        ] {
            assert_eq!(day.meets(at(start), at(end)), inside, "{start}");
        }
    }

    #[test]
    fn a_place_is_stored_and_what_is_none_is_lost() {
        let place = Place {
            stretch: stretch("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
            link: Cursor::new("https://graph.microsoft.com/x"),
            wider: Some(Wider::Listing(Cursor::new("https://graph.microsoft.com/y"))),
        };
        let cursor = place.cursor().unwrap();
        assert_eq!(Place::read(&cursor).unwrap(), place);
        let text = r#"{"from":"2026-03-02T00:00:00Z","to":"2026-03-03T00:00:00Z","link":"https://graph.microsoft.com/x","wider":{"listing":"https://graph.microsoft.com/y"}}"#;
        assert_eq!(cursor.as_str(), text);
        let lost = Place::read(&Cursor::new("https://graph.microsoft.com/x")).unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::CursorExpired);
    }
}
