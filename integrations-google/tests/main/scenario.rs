//! Google Calendar syncs as the family promises: the family's suite on the fake Google.

use std::sync::Arc;

use integrations_core::http::reqwest::ReqwestTransport;
use integrations_google::GoogleCalendar;
use integrations_testkit::scenario::{Subject, fakes};

use crate::host::config;

fn subject() -> Subject {
    Subject::new(
        fakes::Calendar::start,
        |fake| GoogleCalendar::new(config(fake.server())),
        || Arc::new(ReqwestTransport::new("tests").unwrap()),
    )
}

integrations_testkit::scenarios!(subject);
