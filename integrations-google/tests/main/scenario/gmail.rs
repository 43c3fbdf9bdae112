//! Gmail.

use integrations_google::Gmail;
use integrations_testkit::scenario::{Subject, fakes};

use super::transport;
use crate::host::config;

fn subject() -> Subject {
    Subject::new(fakes::Gmail::start, |fake| Gmail::new(config(fake.google())), transport)
}

integrations_testkit::scenarios!(subject, not_here: {
    a_word_that_nobody_knows_is_kept: "a message has no word from a list",
    a_stream_that_appears_is_read_from_its_start: "every mailbox has the same streams",
    a_stream_that_vanishes_is_named_and_kept: "every mailbox has the same streams",
    an_adapter_that_takes_its_mark_last::what_happens_while_changes_are_read_is_not_lost:
        "a history goes on to what happens while it is read",
});
