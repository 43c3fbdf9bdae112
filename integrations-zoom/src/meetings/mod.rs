//! Meetings: those that are planned, and those that were held.

mod adapter;
mod api;
mod held;
mod lately;
mod mark;
mod normalize;
mod past;
mod planned;
mod recurrence;
mod secret;
mod session;
mod sync;
mod wire;

pub use self::adapter::{SERVICE, Zoom};
pub use self::normalize::ZoomNormalizer;

/// The stream of the meetings that are planned or held now. Where the whole account is read, each user has one,
/// called by the user's id: `30R7kT7bTIKSNUFEuH_Qlg/meetings`.
pub const MEETINGS: &str = "meetings";
/// The stream of the meetings that were held, called in the same way.
pub const PAST_MEETINGS: &str = "past_meetings";
