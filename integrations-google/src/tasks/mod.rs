//! Google Tasks.

mod adapter;
mod normalize;
mod sync;
mod wire;

pub use self::adapter::{GoogleTasks, SERVICE};
pub use self::normalize::TaskNormalizer;
