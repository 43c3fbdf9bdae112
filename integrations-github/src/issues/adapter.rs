//! What does GitHub offer to the engine?

use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::adapter::{
    Capabilities, Deletions, Increments, Page, Pull, ServiceAdapter, ServiceInfo, Stream,
};
use integrations_core::auth::{Authenticator, Feature, Level};
use integrations_core::http::{Failure, Origins, Response, Session};
use integrations_core::model::RecordKind;
use integrations_core::normalize::Normalizer;
use integrations_core::resilience::Limits;
use integrations_core::{Error, Result};

use super::api::Api;
use super::normalize::GitHubNormalizer;
use super::{streams, sync};
use crate::config::{GitHubConfig, scope};
use crate::oauth::GitHubOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "github";

/// What it offers.
#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    Feature::new("issues", Level::Read, scope::FOR_ISSUES),
    Feature::new("notifications", Level::Read, scope::FOR_NOTIFICATIONS).or(&[&[scope::REPO]]),
    Feature::new("push", Level::Push, scope::FOR_PUSH),
];

/// The adapter for GitHub.
#[derive(Debug)]
pub struct GitHub {
    info: ServiceInfo,
    config: GitHubConfig,
    oauth: GitHubOAuth,
    origins: Origins,
    normalizer: Arc<GitHubNormalizer>,
}

impl GitHub {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: GitHubConfig) -> Arc<dyn ServiceAdapter> {
        let capabilities =
            Capabilities::reading([RecordKind::Issue, RecordKind::Comment, RecordKind::Notification])
                .with_increments(Increments::Overlapping, Deletions::Listing)
                .with_refresh()
                .with_revoke()
                .with_incremental_scopes();
        let info = ServiceInfo::new(SERVICE, "GitHub", env!("CARGO_PKG_VERSION"))
            .with_capabilities(capabilities)
            .with_scopes([scope::USER_EMAIL])
            .with_features(FEATURES);
        Arc::new(Self {
            info,
            oauth: GitHubOAuth::new(&config),
            origins: config.origins(),
            normalizer: Arc::new(GitHubNormalizer),
            config,
        })
    }

    const fn api<'a>(&'a self, session: &'a Session) -> Api<'a> {
        Api { config: &self.config, session }
    }
}

#[async_trait]
impl ServiceAdapter for GitHub {
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
        limits::LIMITS
    }

    fn classify(&self, failure: &Failure<'_>) -> Error {
        classify::error(failure)
    }

    fn judge(&self, operation: &'static str, answer: &Response) -> Result<()> {
        classify::judge(operation, answer)
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &self.oauth
    }

    async fn list_streams(&self, session: &Session) -> Result<Vec<Stream>> {
        streams::list(self.api(session)).await
    }

    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        sync::read(self.api(session), pull).await
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        sync::check(self.api(session)).await
    }
}
