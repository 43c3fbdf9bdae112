//! Outlook's calendar.

use integrations_msgraph::OutlookCalendar;
use integrations_testkit::scenario::{Subject, fakes};

use super::{config, transport};

fn subject() -> Subject {
    Subject::new(
        fakes::OutlookCalendar::start,
        |fake| OutlookCalendar::new(config(fake.graph())).unwrap(),
        transport,
    )
}

integrations_testkit::scenarios!(subject);
