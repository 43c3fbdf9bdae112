//! How do this crate's own fakes look from the scenarios?

mod calendar;
mod github;
mod gmail;
mod outlook_calendar;
mod outlook_mail;
mod servers;
mod slack;
mod tasks;
mod zoom;

pub use self::calendar::Calendar;
pub use self::github::GitHub;
pub use self::gmail::Gmail;
pub use self::outlook_calendar::OutlookCalendar;
pub use self::outlook_mail::OutlookMail;
pub use self::slack::Slack;
pub use self::tasks::Tasks;
pub use self::zoom::Zoom;
