//! How do this crate's own fakes look from the scenarios?

mod calendar;
mod gmail;
mod outlook_calendar;
mod outlook_mail;
mod servers;
mod slack;
mod tasks;

pub use self::calendar::Calendar;
pub use self::gmail::Gmail;
pub use self::outlook_calendar::OutlookCalendar;
pub use self::outlook_mail::OutlookMail;
pub use self::slack::Slack;
pub use self::tasks::Tasks;
