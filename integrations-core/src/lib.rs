//! The traits and the engine of the integrations family.

pub mod clock;
