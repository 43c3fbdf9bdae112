//! What does Google Tasks offer to the engine?

use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::adapter::{
    Capabilities, Deletions, Increments, Page, Pull, ServiceAdapter, ServiceInfo, Stream,
};
use integrations_core::auth::{Authenticator, Feature, Level};
use integrations_core::http::{Failure, Origins, Session};
use integrations_core::model::RecordKind;
use integrations_core::normalize::Normalizer;
use integrations_core::resilience::Limits;
use integrations_core::{Error, Result};

use super::normalize::TaskNormalizer;
use super::sync;
use crate::config::{GoogleConfig, scope};
use crate::oauth::GoogleOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "google_tasks";

/// What it offers.
const FEATURES: &[Feature] = &[
    Feature::new("tasks", Level::Read, &[scope::TASKS_READONLY]).or(&[&[scope::TASKS]]),
    Feature::new("writing", Level::Write, &[scope::TASKS]),
];

/// The adapter for Google Tasks.
#[derive(Debug)]
pub struct GoogleTasks {
    info: ServiceInfo,
    config: GoogleConfig,
    oauth: GoogleOAuth,
    origins: Origins,
    normalizer: Arc<TaskNormalizer>,
}

impl GoogleTasks {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: GoogleConfig) -> Arc<dyn ServiceAdapter> {
        let capabilities = Capabilities::reading([RecordKind::Task])
            .with_increments(Increments::Exact, Deletions::Named)
            .with_refresh()
            .with_revoke()
            .with_incremental_scopes();
        let info = ServiceInfo::new(SERVICE, "Google Tasks", env!("CARGO_PKG_VERSION"))
            .with_capabilities(capabilities)
            .with_scopes([scope::OPENID, scope::EMAIL])
            .with_features(FEATURES);
        Arc::new(Self {
            info,
            oauth: GoogleOAuth::new(config.clone()),
            origins: config.origins(&config.tasks_url),
            normalizer: Arc::new(TaskNormalizer),
            config,
        })
    }
}

#[async_trait]
impl ServiceAdapter for GoogleTasks {
    fn info(&self) -> &ServiceInfo {
        &self.info
    }

    fn normalizer(&self) -> Arc<dyn Normalizer> {
        Arc::clone(&self.normalizer) as _
    }

    fn allowed_origins(&self) -> &Origins {
        &self.origins
    }

    fn limits(&self) -> Limits {
        limits::TASKS
    }

    fn classify(&self, failure: &Failure<'_>) -> Error {
        classify::error(failure)
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &self.oauth
    }

    async fn list_streams(&self, session: &Session) -> Result<Vec<Stream>> {
        sync::list_lists(&self.config, session).await
    }

    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        sync::list_tasks(&self.config, session, pull).await
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        sync::check(&self.config, session).await
    }
}
