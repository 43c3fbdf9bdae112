//! Accounts are connected, kept connected and let go: the family's suite on the fake OAuth server.

use std::sync::Arc;

use integrations_core::ErrorKind;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_msgraph::{GraphConfig, OutlookCalendar};
use integrations_testkit::conformance::authenticator::Subject;
use integrations_testkit::oauth::{Dialect, FakeOAuth};

fn config(fake: &FakeOAuth) -> GraphConfig {
    let secret = fake.client_secret().unwrap_or_default();
    GraphConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build().unwrap()
}

/// The errors of the token endpoint, as the provider documents them.
const ERRORS: &[(&str, ErrorKind)] = &[
    ("invalid_grant", ErrorKind::ReauthorizationRequired),
    ("70008", ErrorKind::ReauthorizationRequired),
    ("700082", ErrorKind::ReauthorizationRequired),
    ("50173", ErrorKind::ReauthorizationRequired),
    ("65001", ErrorKind::InsufficientPermissions),
    ("50076", ErrorKind::ReauthorizationRequired),
    ("50078", ErrorKind::ReauthorizationRequired),
    ("50079", ErrorKind::ReauthorizationRequired),
    ("50158", ErrorKind::ReauthorizationRequired),
    ("53000", ErrorKind::InsufficientPermissions),
    ("53003", ErrorKind::InsufficientPermissions),
    ("50057", ErrorKind::AccountSuspended),
    ("50053", ErrorKind::AccountSuspended),
    ("50034", ErrorKind::ReauthorizationRequired),
    ("90002", ErrorKind::InvalidCredentials),
    ("700016", ErrorKind::InvalidCredentials),
    ("7000215", ErrorKind::InvalidCredentials),
    ("7000222", ErrorKind::InvalidCredentials),
    ("54005", ErrorKind::ReauthorizationRequired),
    ("65004", ErrorKind::ReauthorizationRequired),
    ("temporarily_unavailable", ErrorKind::ServiceUnavailable),
    ("server_error", ErrorKind::ServiceUnavailable),
    ("90033", ErrorKind::ServiceUnavailable),
];

pub(crate) fn subject() -> Subject {
    Subject {
        dialect: Dialect::Microsoft,
        adapter: |fake| OutlookCalendar::new(config(fake)).unwrap(),
        transport: || Arc::new(ReqwestTransport::new("tests").unwrap()),
        errors: ERRORS,
    }
}

integrations_testkit::authenticator_conformance!(subject);
