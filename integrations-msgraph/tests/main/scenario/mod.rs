//! Microsoft's services sync as the family promises: the family's scenarios on the fake Graph.

mod calendar;
mod mail;

use std::sync::Arc;

use integrations_core::http::Transport;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_msgraph::GraphConfig;
use integrations_testkit::msgraph::FakeGraph;

fn transport() -> Arc<dyn Transport> {
    Arc::new(ReqwestTransport::new("tests").unwrap())
}

pub(crate) fn config(fake: &FakeGraph) -> GraphConfig {
    let secret = fake.client_secret().unwrap_or_default();
    GraphConfig::builder().client(fake.client_id(), secret).base_url(fake.url()).build().unwrap()
}
