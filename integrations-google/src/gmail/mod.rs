//! Gmail.

mod adapter;
mod attachment;
mod batch;
mod body;
mod multipart;
mod normalize;
mod sync;
mod wire;

pub use self::adapter::{Gmail, LABELS, MESSAGES, SERVICE};
pub use self::normalize::GmailNormalizer;
