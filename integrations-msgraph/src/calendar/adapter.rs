//! What does Outlook's calendar offer to the engine?

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

use super::normalize::EventNormalizer;
use super::sync;
use crate::config::{GraphConfig, scope};
use crate::oauth::MicrosoftOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "outlook_calendar";

/// What it offers. The zone of the mailbox is that of events whose own zone cannot be told.
#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    Feature::new("events", Level::Read, &[scope::CALENDARS_READ]).or(&[&[scope::CALENDARS_READ_WRITE]]),
    Feature::new("mailbox_time_zone", Level::Read, &[scope::MAILBOX_SETTINGS_READ]),
    Feature::new("writing", Level::Write, &[scope::CALENDARS_READ_WRITE]),
];

/// The adapter for Outlook's calendar.
#[derive(Debug)]
pub struct OutlookCalendar {
    info: ServiceInfo,
    config: GraphConfig,
    oauth: MicrosoftOAuth,
    origins: Origins,
    normalizer: Arc<EventNormalizer>,
}

impl OutlookCalendar {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) for a base address that takes no
    /// path.
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: GraphConfig) -> Result<Arc<dyn ServiceAdapter>> {
        let capabilities = Capabilities::reading([RecordKind::Event])
            .with_increments(Increments::Exact, Deletions::Named)
            .with_windows()
            .with_refresh()
            .with_incremental_scopes();
        let info = ServiceInfo::new(SERVICE, "Outlook Calendar", env!("CARGO_PKG_VERSION"))
            .with_capabilities(capabilities)
            .with_scopes(scope::FOR_CONNECTING.iter().copied())
            .with_features(FEATURES);
        Ok(Arc::new(Self {
            info,
            oauth: MicrosoftOAuth::new(&config)?,
            origins: config.origins(),
            normalizer: Arc::new(EventNormalizer),
            config,
        }))
    }
}

#[async_trait]
impl ServiceAdapter for OutlookCalendar {
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
        sync::list_calendars(&self.config, session).await
    }

    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        sync::list_events(&self.config, session, pull).await
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        sync::check(&self.config, session).await
    }
}
