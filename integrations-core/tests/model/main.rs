//! The model from outside: its JSON form, with golden records, the schema and any record there can be; and what
//! ties the items of several services.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod any;
mod corpus;
mod form;
mod golden;
mod meetings;
mod schema;
