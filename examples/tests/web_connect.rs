//! Does the page connect accounts, and does it keep users apart?

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test fails the test")]

#[path = "../web_connect"]
mod web_connect {
    pub(crate) mod app;
    pub(crate) mod card;
    pub(crate) mod page;
    pub(crate) mod routes;
    pub(crate) mod session;
    pub(crate) mod sync;
    pub(crate) mod words;
}

#[path = "web_connect"]
mod tests {
    mod browser;
    mod driver;
    mod host;
    mod http;
    mod loopback;
}
