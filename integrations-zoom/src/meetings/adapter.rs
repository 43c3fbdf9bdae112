//! What does Zoom offer to the engine?

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

use super::normalize::ZoomNormalizer;
use super::sync;
use crate::config::{ZoomConfig, scope};
use crate::oauth::ZoomOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "zoom";

/// What it offers.
#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    Feature::new("meetings", Level::Read, scope::FOR_MEETINGS).or(scope::INSTEAD_FOR_MEETINGS),
    Feature::new("past_meetings", Level::Read, scope::FOR_PAST_MEETINGS).or(scope::INSTEAD_FOR_PAST_MEETINGS),
    Feature::new("recordings", Level::Read, scope::FOR_RECORDINGS).or(scope::INSTEAD_FOR_RECORDINGS),
    Feature::new("writing", Level::Write, scope::FOR_WRITING),
];

/// The adapter for Zoom.
#[derive(Debug)]
pub struct Zoom {
    info: ServiceInfo,
    config: ZoomConfig,
    oauth: ZoomOAuth,
    origins: Origins,
    normalizer: Arc<ZoomNormalizer>,
}

impl Zoom {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) for a base address that takes
    /// no path.
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: ZoomConfig) -> Result<Arc<dyn ServiceAdapter>> {
        let capabilities = Capabilities::reading([RecordKind::Meeting])
            .with_increments(Increments::Overlapping, Deletions::Recent)
            .with_windows();
        Ok(Arc::new(Self {
            info: info(&config, capabilities),
            oauth: ZoomOAuth::new(&config)?,
            origins: config.origins(),
            normalizer: Arc::new(ZoomNormalizer),
            config,
        }))
    }
}

/// What Zoom is and can do, with what its accounts can.
fn info(config: &ZoomConfig, capabilities: Capabilities) -> ServiceInfo {
    let connecting: &[&str] = if config.whole_account { &[scope::USERS_LIST] } else { scope::FOR_CONNECTING };
    ServiceInfo::new(SERVICE, "Zoom", env!("CARGO_PKG_VERSION"))
        .with_capabilities(capabilities.with_refresh().with_revoke().with_incremental_scopes())
        .with_scopes(connecting.iter().copied())
        .with_features(FEATURES)
}

#[async_trait]
impl ServiceAdapter for Zoom {
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
        // An account has no `me`.
        if self.config.whole_account {
            return sync::check(&self.config, session).await;
        }
        self.oauth.identify(session).await.map(drop)
    }
}
