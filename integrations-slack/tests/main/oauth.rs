//! Accounts are connected, kept connected and let go: the family's suite on the fake OAuth server.

use std::sync::Arc;

use integrations_core::ErrorKind;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_slack::{Slack, SlackConfig};
use integrations_testkit::conformance::authenticator::Subject;
use integrations_testkit::oauth::{Dialect, FakeOAuth};

fn config(fake: &FakeOAuth) -> SlackConfig {
    let secret = fake.client_secret().unwrap_or_default();
    SlackConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build().unwrap()
}

/// The errors of the token endpoint, as the provider documents them.
const ERRORS: &[(&str, ErrorKind)] = &[
    ("invalid_refresh_token", ErrorKind::ReauthorizationRequired),
    ("token_expired", ErrorKind::ReauthorizationRequired),
    ("token_already_exchanged", ErrorKind::ReauthorizationRequired),
    ("bad_client_secret", ErrorKind::InvalidCredentials),
    ("invalid_client_id", ErrorKind::InvalidCredentials),
    ("token_rotation_not_enabled", ErrorKind::UnsupportedOperation),
    ("invalid_code", ErrorKind::ReauthorizationRequired),
    ("code_already_used", ErrorKind::ReauthorizationRequired),
    ("bad_redirect_uri", ErrorKind::InvalidRequest),
    ("ratelimited", ErrorKind::RateLimited),
    ("internal_error", ErrorKind::ServiceUnavailable),
];

pub(crate) fn subject() -> Subject {
    Subject {
        dialect: Dialect::Slack,
        adapter: |fake| Slack::new(config(fake)).unwrap(),
        transport: || Arc::new(ReqwestTransport::new("tests").unwrap()),
        errors: ERRORS,
    }
}

integrations_testkit::authenticator_conformance!(subject);
