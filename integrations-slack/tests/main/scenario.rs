//! Slack syncs as the family promises: the family's scenarios on the fake Slack.

use std::sync::Arc;

use integrations_core::http::reqwest::ReqwestTransport;
use integrations_slack::{Slack, SlackConfig};
use integrations_testkit::scenario::{Subject, fakes};

fn subject() -> Subject {
    Subject::new(
        fakes::Slack::start,
        |fake| {
            let slack = fake.slack();
            let config = SlackConfig::builder().client(slack.client_id(), slack.client_secret());
            Slack::new(config.base_url(slack.url()).build().unwrap()).unwrap()
        },
        || Arc::new(ReqwestTransport::new("tests").unwrap()),
    )
}

integrations_testkit::scenarios!(subject, not_here: {
    a_lost_position_lists_again_and_deletes_what_is_gone: "a position is the adapter's own",
    a_position_lost_in_the_middle_of_changes_lists_again: "a position is the adapter's own",
    an_adapter_that_lists_instead_of_reading_changes: "what was read is read again",
});
