//! Stateful fake providers with faults on demand, for tests, examples and load programs.
//!
//! A fake is a real HTTP server on the loopback interface that keeps state as the provider does:
//! grants and tokens, calendars and events, sync tokens that expire. Tests change that state from
//! their side, order faults, and read back what reached the server. Fakes share no code with the
//! adapters they stand against, so that one error does not hide another.
//!
//! | Module | Question |
//! |---|---|
//! | [`conformance`] | Does a host's storage keep its promises? |
//! | [`scenario`] | Does a service sync as the family promises? |
//! | [`docs`] | Do a crate's docs say what its services can do? |
//! | [`github`] | What does GitHub (OAuth, REST v3, a part of GraphQL) answer? |
//! | [`google`] | What does Google (OAuth 2.0, Calendar, Gmail, Tasks) answer? |
//! | [`msgraph`] | What does Microsoft Graph (OAuth 2.0, Outlook calendar and mail) answer? |
//! | [`oauth`] | What do the OAuth servers of the five providers answer? |
//! | [`slack`] | What does Slack (OAuth v2, Web API) answer? |
//! | [`zoom`] | What does Zoom (OAuth, REST v2: meetings, sessions, recordings) answer? |
//! | [`fault`] | How does an answer go wrong? |
//! | [`gate`] | How does a test hold an answer back? |
//! | [`traffic`] | What reached the fake? |
//!
//! Time comes from the [`Clock`](integrations_core::clock::Clock) given to the builder; with a
//! [`ManualClock`] codes and tokens expire, and delayed answers arrive, when the test says so.

mod api;
mod browser;
pub mod conformance;
pub mod docs;
pub mod fault;
pub mod gate;
pub mod github;
mod given;
pub mod google;
pub mod msgraph;
pub mod oauth;
mod params;
mod patch;
mod random;
pub mod scenario;
mod server;
pub mod slack;
pub mod traffic;
pub mod zoom;

pub use api::{Api, FakeApi};
pub use fault::{ArmedFault, Fault};
pub use gate::Gate;
pub use integrations_core::clock::ManualClock;
