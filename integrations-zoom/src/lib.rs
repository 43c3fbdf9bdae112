#![doc = include_str!("../docs.md")]

mod classify;
mod config;
mod limits;
pub mod meetings;
mod oauth;

pub use self::classify::{RULES, TOKEN_RULES, error as classify, token_error as classify_token};
pub use self::config::{ZoomConfig, ZoomConfigBuilder, scope};
pub use self::limits::{FREE, LIMITS};
pub use self::meetings::{SERVICE, Zoom};
pub use self::oauth::ZoomOAuth;
