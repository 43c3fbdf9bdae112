#![doc = include_str!("../docs.md")]

mod classify;
mod config;
mod limits;
mod oauth;

pub use self::classify::{RULES, TOKEN_RULES, error as classify, token_error as classify_token};
pub use self::config::{GraphConfig, GraphConfigBuilder, scope};
pub use self::limits::LIMITS;
