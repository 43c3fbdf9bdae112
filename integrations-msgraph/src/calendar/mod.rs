//! Outlook's calendar.

mod adapter;
mod conference;
mod normalize;
mod place;
mod recurrence;
mod round;
mod sync;
mod wire;

pub use self::adapter::OutlookCalendar;
pub use self::normalize::OutlookEventNormalizer;
