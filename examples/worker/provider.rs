//! At whom are the users' accounts?

use std::sync::Arc;

use integrations_core::auth::Vault;
use integrations_core::{Gateway, Result, ServiceAdapter};
use integrations_examples::providers::without_quotas;
use integrations_google::{GoogleCalendar, GoogleConfig};
use serde::{Deserialize, Serialize};

use crate::backends::Backends;

/// What a worker has to know of the provider and of the host: it comes with the environment, as secrets do.
#[derive(Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// What seals the users' tokens.
    pub(crate) key: String,
}

pub(crate) const VARIABLE: &str = "WORKER_APPLICATION";

impl Application {
    pub(crate) fn gateway(&self, backends: &Backends) -> Result<Gateway> {
        let config = GoogleConfig::builder()
            .client(self.client_id.as_str(), self.client_secret.as_str())
            .base_url(self.url.as_str())
            .build()?;
        let adapter: Arc<dyn ServiceAdapter> = GoogleCalendar::new(config);
        without_quotas(backends.gateway(Gateway::builder().adapter(adapter)))
            .vault(Vault::from_text(&self.key)?)
            .build()
    }
}
