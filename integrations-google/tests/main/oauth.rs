//! Accounts are connected, kept connected and let go: the family's suite on the fake OAuth server.

use std::sync::Arc;

use integrations_core::ErrorKind;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_testkit::conformance::authenticator::Subject;
use integrations_testkit::oauth::{Dialect, FakeOAuth};

fn config(fake: &FakeOAuth) -> GoogleConfig {
    let secret = fake.client_secret().unwrap_or_default();
    GoogleConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build().unwrap()
}

/// The errors of the token endpoint, as the provider documents them.
const ERRORS: &[(&str, ErrorKind)] = &[
    ("invalid_grant", ErrorKind::ReauthorizationRequired),
    ("invalid_client", ErrorKind::InvalidCredentials),
    ("unauthorized_client", ErrorKind::InvalidCredentials),
    ("deleted_client", ErrorKind::InvalidCredentials),
    ("disabled_client", ErrorKind::InvalidCredentials),
    ("admin_policy_enforced", ErrorKind::InsufficientPermissions),
    ("invalid_rapt", ErrorKind::ReauthorizationRequired),
    ("unsupported_grant_type", ErrorKind::UnsupportedOperation),
    ("invalid_request", ErrorKind::InvalidRequest),
    ("server_error", ErrorKind::ServiceUnavailable),
];

fn subject() -> Subject {
    Subject {
        dialect: Dialect::Google,
        adapter: |fake| GoogleCalendar::new(config(fake)),
        transport: || Arc::new(ReqwestTransport::new("tests").unwrap()),
        errors: ERRORS,
    }
}

integrations_testkit::authenticator_conformance!(subject);
