//! Outlook mail.

use integrations_msgraph::OutlookMail;
use integrations_testkit::scenario::{Subject, fakes};

use super::{config, transport};

fn subject() -> Subject {
    Subject::new(fakes::OutlookMail::start, |fake| OutlookMail::new(config(fake.graph())).unwrap(), transport)
}

integrations_testkit::scenarios!(subject, not_here: {
    a_word_that_nobody_knows_is_kept: "importance and flag are yes and no in the model",
    a_window_is_asked_for: "a round with a filter does not follow every message",
});
