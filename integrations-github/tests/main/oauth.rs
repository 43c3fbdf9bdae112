//! Accounts are connected, kept connected and let go: the family's suite on the fake OAuth server.

use std::sync::Arc;

use integrations_core::ErrorKind;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_github::{GitHub, GitHubConfig};
use integrations_testkit::conformance::authenticator::Subject;
use integrations_testkit::oauth::{Dialect, FakeOAuth};

fn config(fake: &FakeOAuth) -> GitHubConfig {
    let secret = fake.client_secret().unwrap_or_default();
    GitHubConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build().unwrap()
}

/// The errors of the token endpoint, as the provider documents them.
const ERRORS: &[(&str, ErrorKind)] = &[
    ("bad_refresh_token", ErrorKind::ReauthorizationRequired),
    ("incorrect_client_credentials", ErrorKind::InvalidCredentials),
    ("bad_verification_code", ErrorKind::ReauthorizationRequired),
    ("redirect_uri_mismatch", ErrorKind::InvalidRequest),
    ("unverified_user_email", ErrorKind::ReauthorizationRequired),
    ("application_suspended", ErrorKind::InvalidCredentials),
    ("access_denied", ErrorKind::ReauthorizationRequired),
];

pub(crate) fn subject() -> Subject {
    Subject {
        dialect: Dialect::GitHub,
        adapter: |fake| GitHub::new(config(fake)),
        transport: || Arc::new(ReqwestTransport::new("tests").unwrap()),
        errors: ERRORS,
    }
}

integrations_testkit::authenticator_conformance!(subject);
