//! Google's services sync as the family promises: the family's scenarios on the fake Google.

mod calendar;
mod gmail;
mod tasks;

use std::sync::Arc;

use integrations_core::http::Transport;
use integrations_core::http::reqwest::ReqwestTransport;

fn transport() -> Arc<dyn Transport> {
    Arc::new(ReqwestTransport::new("tests").unwrap())
}
