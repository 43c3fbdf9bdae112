//! How do this crate's own fakes look from the scenarios?

mod calendar;

pub use self::calendar::Calendar;
