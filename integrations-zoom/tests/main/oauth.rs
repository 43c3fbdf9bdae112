//! Accounts are connected, kept connected and let go: the family's suite on the fake OAuth server.

use std::sync::Arc;

use integrations_core::ErrorKind;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_testkit::conformance::authenticator::Subject;
use integrations_testkit::oauth::{Dialect, FakeOAuth};
use integrations_zoom::{Zoom, ZoomConfig};

fn config(fake: &FakeOAuth) -> ZoomConfig {
    let secret = fake.client_secret().unwrap_or_default();
    ZoomConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build().unwrap()
}

/// The errors of the token endpoint, as the provider documents them.
const ERRORS: &[(&str, ErrorKind)] = &[
    ("4702", ErrorKind::InvalidCredentials),
    ("4704", ErrorKind::InvalidCredentials),
    ("4706", ErrorKind::InvalidCredentials),
    ("4709", ErrorKind::InvalidRequest),
    ("4705", ErrorKind::UnsupportedOperation),
    ("4733", ErrorKind::ReauthorizationRequired),
    ("4734", ErrorKind::ReauthorizationRequired),
    ("4735", ErrorKind::AccountSuspended),
    ("4737", ErrorKind::ReauthorizationRequired),
    ("4741", ErrorKind::ReauthorizationRequired),
    ("4738", ErrorKind::InsufficientPermissions),
    ("4717", ErrorKind::InsufficientPermissions),
    ("4740", ErrorKind::ReauthorizationRequired),
    ("4711", ErrorKind::InsufficientPermissions),
    ("4700", ErrorKind::ServiceUnavailable),
    ("invalid_grant", ErrorKind::ReauthorizationRequired),
    ("invalid_client", ErrorKind::InvalidCredentials),
];

pub(crate) fn subject() -> Subject {
    Subject {
        dialect: Dialect::Zoom,
        adapter: |fake| Zoom::new(config(fake)).unwrap(),
        transport: || Arc::new(ReqwestTransport::new("tests").unwrap()),
        errors: ERRORS,
    }
}

integrations_testkit::authenticator_conformance!(subject);
