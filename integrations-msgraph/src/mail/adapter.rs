//! What does Outlook mail offer to the engine?

use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::adapter::{
    AttachmentReader, Capabilities, Deletions, Increments, Page, Pull, ServiceAdapter, ServiceInfo, Stream,
};
use integrations_core::auth::{Authenticator, Feature, Level};
use integrations_core::http::{Failure, Origins, Session};
use integrations_core::model::RecordKind;
use integrations_core::normalize::Normalizer;
use integrations_core::resilience::Limits;
use integrations_core::{Error, Result};

use super::attachment::Attachments;
use super::normalize::OutlookMailNormalizer;
use super::{folders, sync};
use crate::config::{GraphConfig, scope};
use crate::oauth::MicrosoftOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "outlook_mail";

/// The stream of the folders. Each folder's messages are a stream of their own, by the folder's id.
pub const FOLDERS: &str = "folders";

/// What it offers.
const FEATURES: &[Feature] = &[
    Feature::new("mail", Level::Read, scope::FOR_MAIL).or(&[&[scope::MAIL_READ_WRITE]]),
    Feature::new("changing", Level::Write, &[scope::MAIL_READ_WRITE]),
    Feature::new("sending", Level::Write, &[scope::MAIL_SEND]),
];

/// The adapter for Outlook mail.
#[derive(Debug)]
pub struct OutlookMail {
    info: ServiceInfo,
    config: GraphConfig,
    oauth: MicrosoftOAuth,
    origins: Origins,
    normalizer: Arc<OutlookMailNormalizer>,
    attachments: Attachments,
}

impl OutlookMail {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) for a base address that takes no
    /// path.
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: GraphConfig) -> Result<Arc<dyn ServiceAdapter>> {
        let capabilities = Capabilities::reading([RecordKind::Message, RecordKind::Channel])
            .with_increments(Increments::Exact, Deletions::Named)
            .with_attachments()
            .with_refresh()
            .with_incremental_scopes();
        let info = ServiceInfo::new(SERVICE, "Outlook Mail", env!("CARGO_PKG_VERSION"))
            .with_capabilities(capabilities)
            .with_scopes(scope::FOR_CONNECTING.iter().copied())
            .with_features(FEATURES);
        Ok(Arc::new(Self {
            info,
            oauth: MicrosoftOAuth::new(&config)?,
            origins: config.origins(),
            normalizer: Arc::new(OutlookMailNormalizer),
            attachments: Attachments(config.clone()),
            config,
        }))
    }
}

#[async_trait]
impl ServiceAdapter for OutlookMail {
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
        folders::streams(&self.config, session).await
    }

    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        match pull.stream.as_str() {
            FOLDERS => folders::list(&self.config, session).await,
            _ => sync::messages(&self.config, session, pull).await,
        }
    }

    fn attachments(&self) -> Option<&dyn AttachmentReader> {
        Some(&self.attachments)
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        folders::inbox(&self.config, session).await
    }
}
