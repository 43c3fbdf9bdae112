#![doc = include_str!("../docs.md")]

mod classify;
mod config;
pub mod issues;
mod limits;
mod oauth;

pub use self::classify::{
    RULES, TOKEN_RULES, error as classify, in_graphql_success, in_token_success,
    token_error as classify_token,
};
pub use self::config::{GitHubConfig, GitHubConfigBuilder, scope};
pub use self::issues::{GitHub, GitHubNormalizer, NOTIFICATIONS, SERVICE};
pub use self::limits::{GRAPHQL, LIMITS};
pub use self::oauth::GitHubOAuth;
