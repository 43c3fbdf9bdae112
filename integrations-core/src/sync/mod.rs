//! How is a stream kept up to date?

mod engine;
mod position;
mod report;
mod sink;
mod window;

pub use self::engine::{SyncEngine, SyncMode, SyncRequest, SyncSettings};
pub use self::position::{Cursor, Leftover, Position};
pub use self::report::{StreamReport, SyncReport, Withheld};
pub use self::sink::{Commit, Fence, Receipt, StreamKey, StreamState, Sweep, SyncSink, Unseen};
pub use self::window::Window;
