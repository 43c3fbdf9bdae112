//! A workspace: its people, its channels and what is said in them.

mod adapter;
mod api;
mod channels;
mod conversations;
mod history;
mod mark;
mod mrkdwn;
mod node;
mod normalize;
mod people;
mod sync;
mod text;
mod threads;
mod ts;
mod wire;

pub use self::adapter::{SERVICE, Slack};
pub use self::normalize::SlackNormalizer;

/// The stream of the people. No conversation has such an id.
pub const USERS: &str = "users";
/// The stream of the conversations themselves.
pub const CHANNELS: &str = "channels";
