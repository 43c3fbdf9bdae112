//! Outlook's calendar.

use std::sync::Arc;

use integrations_core::http::Transport;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_msgraph::{GraphConfig, OutlookCalendar};
use integrations_testkit::scenario::{Subject, fakes};

fn transport() -> Arc<dyn Transport> {
    Arc::new(ReqwestTransport::new("tests").unwrap())
}

fn subject() -> Subject {
    Subject::new(
        fakes::OutlookCalendar::start,
        |fake| {
            let graph = fake.graph();
            let secret = graph.client_secret().unwrap_or_default();
            let config = GraphConfig::builder().client(graph.client_id(), secret).base_url(graph.url());
            OutlookCalendar::new(config.build().unwrap()).unwrap()
        },
        transport,
    )
}

integrations_testkit::scenarios!(subject);
