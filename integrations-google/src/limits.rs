//! How much may be asked of Google at once?

/// Calendars per page of `calendarList.list` at most.
pub(crate) const CALENDARS_PER_PAGE: u32 = 250;
/// Events per page of `events.list` at most.
pub(crate) const EVENTS_PER_PAGE: u32 = 2500;
