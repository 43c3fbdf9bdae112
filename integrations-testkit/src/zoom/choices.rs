//! Where is it not known, or not certain, what Zoom does?
//!
//! A client should bear every choice that is here.

use std::time::Duration;

use chrono::TimeDelta;

use super::FakeZoomBuilder;

/// What a recurring meeting with a fixed time is in the list of meetings. It is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesRows {
    /// Every occurrence is a row, with the id that they all have.
    Occurrences,
    /// One row for the series, with the time of the next occurrence, or of the last one when all are over.
    Series,
}

/// What the list of recordings makes of a window of more than a month. Zoom documents that a month is the
/// most, and not what it does with more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongWindow {
    /// It refuses it.
    Refused,
    /// It shows the last month before `to`, and says so in `from`.
    Cut,
}

/// How a listing goes on with a `next_page_token`. It is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageTokens {
    /// With the item whose turn it was: what is deleted or added on the way shifts nothing.
    Place,
    /// Behind as many items as came before: when one of them is deleted on the way, an item is passed over, and
    /// when one is added in front, an item comes twice.
    Count,
}

/// What a `next_page_token` is answered with that is older than 15 minutes. Zoom documents that it expires, and
/// not how it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiredPages {
    /// 400 with code 300.
    Refused,
    /// An empty last page.
    Empty,
    /// The first page once more.
    First,
}

/// Choices.
impl FakeZoomBuilder {
    /// What a series is in the list of meetings. Default [`SeriesRows::Occurrences`].
    pub fn series_rows(mut self, rows: SeriesRows) -> Self {
        self.settings.series_rows = rows;
        self
    }

    /// A series that is shown by itself has no `start_time` and no `duration`; its occurrences have. Default:
    /// it has those of the first occurrence.
    pub fn without_series_start(mut self) -> Self {
        self.settings.series_start = false;
        self
    }

    /// Occurrences that were deleted are not shown. Default: they are, with status `deleted`.
    pub fn without_deleted_occurrences(mut self) -> Self {
        self.settings.deleted_occurrences = false;
        self
    }

    /// What the list of recordings makes of more than a month. Default [`LongWindow::Refused`].
    pub fn long_window(mut self, long: LongWindow) -> Self {
        self.settings.long_window = long;
        self
    }

    /// How far back the sessions of a meeting are listed. Default: all of them.
    ///
    /// # Panics
    /// When the time is longer than the calendar.
    pub fn instances_of_the_last(mut self, reach: Duration) -> Self {
        self.settings.instances = Some(delta(reach));
        self
    }

    /// Somebody who was alone in a session is shown. Default: not, as Zoom documents.
    pub fn with_lone_participants(mut self) -> Self {
        self.settings.lone_participants = true;
        self
    }

    /// The account does not pay: participants and recordings answer 400 with code 200.
    pub fn without_paid_plan(mut self) -> Self {
        self.settings.paid = false;
        self
    }

    /// How long the id of a meeting lives after its last start, of a single meeting and of a series. Default
    /// 30 and 365 days. The id of a personal room does not expire, that of an instant meeting does when the
    /// meeting ends.
    ///
    /// # Panics
    /// When a time is longer than the calendar.
    pub fn id_lifetimes(mut self, single: Duration, series: Duration) -> Self {
        self.settings.lives = (delta(single), delta(series));
        self
    }

    /// Every uuid begins with a slash and has two in a row, so that it has to be encoded twice. Default: as
    /// chance has it.
    pub fn awkward_uuids(mut self) -> Self {
        self.awkward = true;
        self
    }

    /// How a listing goes on with a `next_page_token`. Default [`PageTokens::Place`].
    pub fn page_tokens(mut self, tokens: PageTokens) -> Self {
        self.settings.page_tokens = tokens;
        self
    }

    /// What a `next_page_token` that has expired is answered with. Default [`ExpiredPages::Refused`].
    pub fn expired_pages(mut self, expired: ExpiredPages) -> Self {
        self.settings.expired_pages = expired;
        self
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or_else(|_| panic!("{duration:?} is longer than the calendar"))
}
