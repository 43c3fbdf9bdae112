//! Outlook mail.

mod adapter;
mod attachment;
mod folders;
mod normalize;
mod sync;
mod wire;

pub use self::adapter::{FOLDERS, OutlookMail, SERVICE};
pub use self::normalize::OutlookMailNormalizer;
