//! What does Slack offer to the engine?

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

use super::normalize::SlackNormalizer;
use super::sync;
use crate::classify;
use crate::config::SlackConfig;
use crate::oauth::SlackOAuth;

/// The service's id.
pub const SERVICE: &str = "slack";

/// What it offers.
#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    Feature::new("messages", Level::Read, &[
        "user:channels:read", "user:groups:read", "user:im:read", "user:mpim:read", "user:channels:history",
        "user:groups:history", "user:im:history", "user:mpim:history",
    ])
    .or(&[&[
        "channels:read", "groups:read", "im:read", "mpim:read", "channels:history", "groups:history", "im:history",
        "mpim:history",
    ]]),
    Feature::new("people", Level::Read, &["user:users:read", "user:users:read.email"])
        .or(&[&["users:read", "users:read.email"]]),
    Feature::new("writing", Level::Write, &["user:chat:write", "user:reactions:write"])
        .or(&[&["chat:write", "reactions:write"]]),
];

/// The adapter for Slack.
#[derive(Debug)]
pub struct Slack {
    info: ServiceInfo,
    config: SlackConfig,
    oauth: SlackOAuth,
    origins: Origins,
    normalizer: Arc<SlackNormalizer>,
}

impl Slack {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) for a base address that takes
    /// no path.
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: SlackConfig) -> Result<Arc<dyn ServiceAdapter>> {
        let capabilities =
            Capabilities::reading([RecordKind::Person, RecordKind::Channel, RecordKind::Message])
                .with_increments(Increments::Overlapping, Deletions::Recent)
                .with_windows()
                .with_refresh()
                .with_revoke()
                .with_incremental_scopes();
        let info = ServiceInfo::new(SERVICE, "Slack", env!("CARGO_PKG_VERSION"))
            .with_capabilities(capabilities)
            .with_features(FEATURES);
        Ok(Arc::new(Self {
            info,
            oauth: SlackOAuth::new(&config)?,
            origins: config.origins(),
            normalizer: Arc::new(SlackNormalizer),
            config,
        }))
    }
}

#[async_trait]
impl ServiceAdapter for Slack {
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
        self.config.history.limits()
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
        sync::list_streams(&self.config, session).await
    }

    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        sync::read(&self.config, session, pull).await
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        self.oauth.identify(session).await.map(drop)
    }
}
