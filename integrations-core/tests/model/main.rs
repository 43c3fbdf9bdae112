//! The JSON form of the model: golden records, the schema, and any record there can be.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod any;
mod form;
mod golden;
mod schema;
