//! Google Tasks.

use integrations_google::GoogleTasks;
use integrations_testkit::scenario::{Subject, fakes};

use super::transport;
use crate::host::config;

fn subject() -> Subject {
    Subject::new(fakes::Tasks::start, |fake| GoogleTasks::new(config(fake.google())), transport)
}

integrations_testkit::scenarios!(subject, not_here: {
    a_lost_position_lists_again_and_deletes_what_is_gone: "changes are read since a time",
    a_position_lost_in_the_middle_of_changes_lists_again: "changes are read since a time",
    a_window_is_kept_to: "a task is in every window",
    a_window_is_asked_for: "a task is in every window",
    a_wider_window_lists_again: "a task is in every window",
});
