//! How do this crate's own fakes look from the scenarios?

mod calendar;
mod gmail;
mod servers;
mod slack;
mod tasks;
mod zoom;

pub use self::calendar::Calendar;
pub use self::gmail::Gmail;
pub use self::slack::Slack;
pub use self::tasks::Tasks;
pub use self::zoom::Zoom;
