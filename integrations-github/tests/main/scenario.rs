//! GitHub syncs as the family promises: the family's scenarios on the fake GitHub.

use std::sync::Arc;

use integrations_core::ServiceAdapter;
use integrations_core::http::Transport;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_github::{GitHub, GitHubConfig};
use integrations_testkit::scenario::{Subject, fakes};

fn adapter(fake: &fakes::GitHub) -> Arc<dyn ServiceAdapter> {
    let github = fake.github();
    let config = GitHubConfig::builder().client(github.client_id(), github.client_secret());
    GitHub::new(config.base_url(github.url()).build().unwrap())
}

fn transport() -> Arc<dyn Transport> {
    Arc::new(ReqwestTransport::new("tests").unwrap())
}

/// Pages of issues are linked by cursor, as at github.com.
mod by_cursor {
    use super::*;

    fn subject() -> Subject {
        Subject::new(fakes::GitHub::start, adapter, transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_lost_position_lists_again_and_deletes_what_is_gone: "changes are read since a time",
        a_position_lost_in_the_middle_of_changes_lists_again: "changes are read since a time",
        an_adapter_that_does_not_know_a_lost_position: "where a page began is known",
        an_adapter_that_takes_its_mark_last: "what changes while a list is walked is met at its end",
        an_adapter_that_lists_instead_of_reading_changes: "what was read may come again",
        an_adapter_that_overlooks_deletions: "deletions are found by full listings",
        a_window_is_kept_to: "issues are in every window",
        a_window_is_asked_for: "issues are in every window",
        a_wider_window_lists_again: "issues are in every window",
    });
}

/// Pages of issues are linked by number, as at older Enterprise Servers, and shift.
mod by_number {
    use super::*;

    fn subject() -> Subject {
        Subject::new(fakes::GitHub::start_numbered, adapter, transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_lost_position_lists_again_and_deletes_what_is_gone: "changes are read since a time",
        a_position_lost_in_the_middle_of_changes_lists_again: "changes are read since a time",
        an_empty_page_with_a_next_page_is_no_end: "pages that are counted are never empty in their middle",
        an_adapter_that_does_not_know_a_lost_position: "where a page began is known",
        an_adapter_that_takes_its_mark_last: "what changes while a list is walked is met at its end",
        an_adapter_that_lists_instead_of_reading_changes: "what was read may come again",
        an_adapter_that_overlooks_deletions: "deletions are found by full listings",
        a_window_is_kept_to: "issues are in every window",
        a_window_is_asked_for: "issues are in every window",
        a_wider_window_lists_again: "issues are in every window",
    });
}
