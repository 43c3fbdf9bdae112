//! Zoom syncs as the family promises: the family's scenarios on the fake Zoom.

use std::sync::Arc;

use integrations_core::ServiceAdapter;
use integrations_core::http::Transport;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_testkit::scenario::{Subject, fakes};
use integrations_zoom::{Zoom, ZoomConfig};

/// Nothing is looked at in turn, so that a change is seen in the lists or not at all.
fn adapter(fake: &fakes::Zoom) -> Arc<dyn ServiceAdapter> {
    let zoom = fake.zoom();
    let config = ZoomConfig::builder().client(zoom.client_id(), zoom.client_secret()).base_url(zoom.url());
    Zoom::new(config.rechecks(0).build().unwrap()).unwrap()
}

fn transport() -> Arc<dyn Transport> {
    Arc::new(ReqwestTransport::new("tests").unwrap())
}

/// Meetings that are planned.
mod planned {
    use super::*;

    fn subject() -> Subject {
        Subject::new(fakes::Zoom::planned, adapter, transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_lost_position_lists_again_and_deletes_what_is_gone: "a position is the adapter's own",
        a_position_lost_in_the_middle_of_changes_lists_again: "a position is the adapter's own",
        an_item_that_comes_twice_is_there_once: "the rows of one meeting are one item",
        a_stream_that_appears_is_read_from_its_start: "every user has the same streams",
        a_stream_that_vanishes_is_named_and_kept: "every user has the same streams",
        an_adapter_that_lists_instead_of_reading_changes: "what was read may come again",
        an_adapter_that_takes_its_mark_last::what_happens_while_changes_are_read_is_not_lost:
            "what was listed is looked at afterwards",
    });
}

/// Meetings that were held.
mod held {
    use super::*;

    fn subject() -> Subject {
        Subject::new(fakes::Zoom::held, adapter, transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_lost_position_lists_again_and_deletes_what_is_gone: "a position is the adapter's own",
        a_position_lost_in_the_middle_of_changes_lists_again: "a position is the adapter's own",
        an_item_that_comes_twice_is_there_once: "the rows of one meeting are one item",
        a_stream_that_appears_is_read_from_its_start: "every user has the same streams",
        a_stream_that_vanishes_is_named_and_kept: "every user has the same streams",
        an_adapter_that_lists_instead_of_reading_changes: "what was read may come again",
        a_deletion_is_found_when_it_is_time_to_list_again: "what was read is kept",
        an_empty_listing_deletes_nothing_until_the_host_says_so: "what was read is kept",
        a_listing_that_shrinks_sharply_is_not_believed: "what was read is kept",
        a_sink_that_tells_no_listings_apart: "what was read is kept",
        an_adapter_that_asks_for_large_pages: "each month is a page of its own",
        an_adapter_that_does_not_know_a_lost_position::a_position_lost_in_the_middle_of_a_listing_begins_it_again:
            "the adapter begins the lists anew by itself",
    });
}
