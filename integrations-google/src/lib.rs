#![doc = include_str!("../docs.md")]

pub mod calendar;
mod classify;
mod config;
pub mod gmail;
pub mod limits;
mod oauth;
pub mod tasks;

pub use self::calendar::GoogleCalendar;
pub use self::classify::{RULES, TOKEN_RULES, error as classify, token_error as classify_token};
pub use self::config::{GoogleConfig, GoogleConfigBuilder, scope};
pub use self::gmail::Gmail;
pub use self::tasks::GoogleTasks;
