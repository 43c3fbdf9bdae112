//! The fakes from the outside, over HTTP, as an adapter meets them; and the conformance suites on the
//! in-memory store, on twins of it that are broken, and the scenarios on a service of a test's own.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod binary;
mod github;
mod google;
mod memory;
mod msgraph;
mod oauth;
mod scenario;
mod slack;
mod twins;
mod zoom;

use std::sync::LazyLock;

use reqwest::Client;

/// A client that goes through no proxy, follows no redirect, and says who it is. There is one for all
/// tests, because making one is slow; it keeps no connection, because each test has a runtime of its own.
pub(crate) fn http() -> Client {
    static HTTP: LazyLock<Client> = LazyLock::new(|| {
        let none = reqwest::redirect::Policy::none();
        let client =
            Client::builder().no_proxy().redirect(none).user_agent("tests").pool_max_idle_per_host(0);
        client.build().unwrap()
    });
    HTTP.clone()
}
