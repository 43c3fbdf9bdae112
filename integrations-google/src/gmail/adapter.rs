//! What does Gmail offer to the engine?

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
use integrations_core::{Error, ErrorKind, Result};

use super::attachment::Attachments;
use super::normalize::GmailNormalizer;
use super::sync;
use crate::config::{GoogleConfig, scope};
use crate::oauth::GoogleOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "gmail";

/// The stream of the messages.
pub const MESSAGES: &str = "messages";
/// The stream of the labels.
pub const LABELS: &str = "labels";

/// What it offers. The scope that lets one change labels lets one read and send, too.
const FEATURES: &[Feature] = &[
    Feature::new("mail", Level::Read, &[scope::GMAIL_READONLY])
        .or(&[&[scope::GMAIL_MODIFY], &[scope::GMAIL_ALL]]),
    Feature::new("labelling", Level::Write, &[scope::GMAIL_MODIFY]).or(&[&[scope::GMAIL_ALL]]),
    Feature::new("sending", Level::Write, &[scope::GMAIL_SEND])
        .or(&[&[scope::GMAIL_MODIFY], &[scope::GMAIL_ALL]]),
];

/// The adapter for Gmail.
#[derive(Debug)]
pub struct Gmail {
    info: ServiceInfo,
    config: GoogleConfig,
    oauth: GoogleOAuth,
    origins: Origins,
    normalizer: Arc<GmailNormalizer>,
    attachments: Attachments,
}

impl Gmail {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: GoogleConfig) -> Arc<dyn ServiceAdapter> {
        let capabilities = Capabilities::reading([RecordKind::Message, RecordKind::Channel])
            .with_increments(Increments::Exact, Deletions::Named)
            .with_windows()
            .with_attachments()
            .with_refresh()
            .with_revoke()
            .with_incremental_scopes();
        let info = ServiceInfo::new(SERVICE, "Gmail", env!("CARGO_PKG_VERSION"))
            .with_capabilities(capabilities)
            .with_scopes([scope::OPENID, scope::EMAIL])
            .with_features(FEATURES);
        Arc::new(Self {
            info,
            oauth: GoogleOAuth::new(config.clone()),
            // The batches' address is of the same origin.
            origins: config.origins(&config.gmail_url),
            normalizer: Arc::new(GmailNormalizer),
            attachments: Attachments(config.clone()),
            config,
        })
    }
}

#[async_trait]
impl ServiceAdapter for Gmail {
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
        limits::GMAIL
    }

    fn classify(&self, failure: &Failure<'_>) -> Error {
        classify::error(failure)
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &self.oauth
    }

    /// Every mailbox has the same two.
    async fn list_streams(&self, _: &Session) -> Result<Vec<Stream>> {
        let mut messages = Stream::new(MESSAGES, "Messages");
        messages.primary = true;
        Ok(vec![messages, Stream::new(LABELS, "Labels")])
    }

    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        match pull.stream.as_str() {
            MESSAGES => sync::messages(&self.config, session, pull).await,
            LABELS => sync::labels(&self.config, session).await,
            _ => Err(Error::new(ErrorKind::NotFound, "a mailbox has no such stream")),
        }
    }

    fn attachments(&self) -> Option<&dyn AttachmentReader> {
        Some(&self.attachments)
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        sync::profile(&self.config, session).await.map(drop)
    }
}
