//! Google Calendar.

use integrations_google::GoogleCalendar;
use integrations_testkit::scenario::{Subject, fakes};

use super::transport;
use crate::host::config;

fn subject() -> Subject {
    Subject::new(fakes::Calendar::start, |fake| GoogleCalendar::new(config(fake.google())), transport)
}

integrations_testkit::scenarios!(subject);
