//! What the benchmarks share: a fake Google in a process of its own, the plain decode that everything
//! is compared with, and figures that can be trusted on a busy machine.

pub mod figures;
pub mod kinds;
pub mod plain;
pub mod process;

/// What goes wrong in a benchmark ends it.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
