//! Outlook's calendar.

mod adapter;
mod conference;
mod normalize;
mod place;
mod recurrence;
mod round;
mod sync;
mod wire;

pub use self::adapter::{OutlookCalendar, SERVICE};
pub use self::normalize::EventNormalizer;
