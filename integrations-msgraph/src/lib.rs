#![doc = include_str!("../docs.md")]

mod batch;
pub mod calendar;
mod classify;
mod config;
mod delta;
mod limits;
pub mod mail;
mod oauth;
mod zones;

pub use self::calendar::OutlookCalendar;
pub use self::classify::{RULES, TOKEN_RULES, error as classify, token_error as classify_token};
pub use self::config::{GraphConfig, GraphConfigBuilder, scope};
pub use self::limits::LIMITS;
pub use self::mail::OutlookMail;
pub use self::oauth::MicrosoftOAuth;
pub use self::zones::time_zone;
