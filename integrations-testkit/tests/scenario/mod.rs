//! The scenarios on a service that lives outside of the crate, as a host's own adapter does.

mod adapter;
mod fake;

use std::sync::Arc;

use integrations_core::http::Transport;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_testkit::scenario::Subject;

use self::adapter::NotesAdapter;
use self::fake::Notebooks;

fn transport() -> Arc<dyn Transport> {
    Arc::new(ReqwestTransport::new("tests").unwrap())
}

/// Changes are read since a time; what is gone shows in full listings alone.
mod changes_since_a_time {
    use super::*;

    fn subject() -> Subject {
        Subject::new(Notebooks::start, |fake| NotesAdapter::reading_changes(fake), transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_lost_position_lists_again_and_deletes_what_is_gone: "changes are read since a time",
        a_position_lost_in_the_middle_of_changes_lists_again: "changes are read since a time",
        a_position_lost_in_the_middle_of_a_listing_begins_it_again: "pages are named by an item",
        a_token_that_is_refused_between_pages_is_refreshed_once: "a key does not expire",
        a_window_is_asked_for: "the service has no filter by time",
        an_adapter_that_overlooks_deletions: "no deletion is named",
        an_adapter_that_lists_instead_of_reading_changes: "what was read is read again",
    });
}

/// Every run lists everything.
mod always_listed {
    use super::*;

    fn subject() -> Subject {
        Subject::new(Notebooks::start, |fake| NotesAdapter::always_listing(fake), transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        every_page_boundary_of_changes: "every run lists everything",
        what_happens_while_changes_are_read_is_not_lost: "every run lists everything",
        a_run_of_changes_that_is_killed_anywhere_is_gone_on_with: "every run lists everything",
        a_lost_position_lists_again_and_deletes_what_is_gone: "every run lists everything",
        a_position_lost_in_the_middle_of_changes_lists_again: "every run lists everything",
        a_position_lost_in_the_middle_of_a_listing_begins_it_again: "pages are named by an item",
        a_token_that_is_refused_between_pages_is_refreshed_once: "a key does not expire",
        a_window_is_asked_for: "the service has no filter by time",
        an_adapter_that_overlooks_deletions: "no deletion is named",
        an_adapter_that_promises_to_name_deletions: "every run lists everything",
        an_adapter_that_sees_no_changes: "every run lists everything",
        an_adapter_that_lists_instead_of_reading_changes: "every run lists everything",
        an_adapter_that_takes_its_mark_last: "there is no mark",
    });
}
