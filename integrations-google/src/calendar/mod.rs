//! Google Calendar.

mod adapter;
mod normalize;
mod sync;
mod wire;

pub use self::adapter::{GoogleCalendar, SERVICE};
pub use self::normalize::EventNormalizer;
