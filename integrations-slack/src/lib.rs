#![doc = include_str!("../docs.md")]

mod classify;
mod config;
mod limits;
mod oauth;
pub mod workspace;

pub use self::classify::{
    RULES, TOKEN_RULES, error as classify, in_success, in_token_success, token_error as classify_token,
};
pub use self::config::{History, SlackConfig, SlackConfigBuilder, scope};
pub use self::limits::{LIMITS, RESTRICTED};
pub use self::oauth::SlackOAuth;
pub use self::workspace::{SERVICE, Slack};
