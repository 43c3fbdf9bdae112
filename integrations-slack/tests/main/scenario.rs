//! Slack syncs as the family promises: the family's scenarios on the fake Slack.

use std::sync::Arc;

use integrations_core::ServiceAdapter;
use integrations_core::http::Transport;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_slack::{History, Slack, SlackConfig};
use integrations_testkit::scenario::{Subject, fakes};

fn adapter(fake: &fakes::Slack, history: History) -> Arc<dyn ServiceAdapter> {
    let slack = fake.slack();
    let config = SlackConfig::builder()
        .client(slack.client_id(), slack.client_secret())
        .base_url(slack.url())
        .history(history);
    Slack::new(config.build().unwrap()).unwrap()
}

fn transport() -> Arc<dyn Transport> {
    Arc::new(ReqwestTransport::new("tests").unwrap())
}

/// Many messages a call, and much that is remembered.
mod marketplace {
    use super::*;

    fn subject() -> Subject {
        Subject::new(fakes::Slack::start, |fake| adapter(fake, History::Marketplace), transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_lost_position_lists_again_and_deletes_what_is_gone: "a position is the adapter's own",
        a_position_lost_in_the_middle_of_changes_lists_again: "a position is the adapter's own",
        an_adapter_that_lists_instead_of_reading_changes: "what was read may come again",
    });
}

/// Few messages a call, and little that is remembered.
mod restricted {
    use super::*;

    fn subject() -> Subject {
        Subject::new(fakes::Slack::start, |fake| adapter(fake, History::Restricted), transport)
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_lost_position_lists_again_and_deletes_what_is_gone: "a position is the adapter's own",
        a_position_lost_in_the_middle_of_changes_lists_again: "a position is the adapter's own",
        an_adapter_that_lists_instead_of_reading_changes: "what was read may come again",
    });
}
