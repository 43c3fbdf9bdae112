//! Google Calendar, driven over real HTTP against the fake, and over payloads that no one here wrote.

mod bad_input;
mod corpus;
mod host;
mod tokens;
mod whole_way;
