//! What does Google Calendar offer to the engine?

use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::adapter::{Capabilities, Page, Pull, ServiceAdapter, ServiceInfo, Stream};
use integrations_core::auth::{AuthorizationRequest, CodeGrant, OAuthClient, RefreshToken, TokenSet, Tokens};
use integrations_core::connection::Account;
use integrations_core::http::{Failure, Origins, Session, Transport};
use integrations_core::model::RecordKind;
use integrations_core::normalize::Normalizer;
use integrations_core::resilience::Limits;
use integrations_core::{Error, Result};
use url::Url;

use super::normalize::EventNormalizer;
use super::sync;
use crate::config::{GoogleConfig, scope};
use crate::{classify, limits, oauth};

/// The service's id.
pub const SERVICE: &str = "google_calendar";

/// The adapter for Google Calendar.
#[derive(Debug)]
pub struct GoogleCalendar {
    info: ServiceInfo,
    config: GoogleConfig,
    oauth: OAuthClient,
    origins: Origins,
    normalizer: Arc<EventNormalizer>,
}

impl GoogleCalendar {
    /// The adapter, ready for a [`GatewayBuilder`](integrations_core::GatewayBuilder).
    #[allow(clippy::new_ret_no_self, reason = "a gateway takes adapters shared")]
    pub fn new(config: GoogleConfig) -> Arc<dyn ServiceAdapter> {
        let capabilities = Capabilities::reading([RecordKind::Event])
            .with_incremental()
            .with_refresh()
            .with_revoke()
            .with_incremental_scopes();
        let info = ServiceInfo::new(SERVICE, "Google Calendar", env!("CARGO_PKG_VERSION"))
            .with_capabilities(capabilities)
            .with_scopes([
                scope::OPENID,
                scope::EMAIL,
                scope::CALENDAR_LIST_READONLY,
                scope::CALENDAR_EVENTS_READONLY,
            ]);
        Arc::new(Self {
            info,
            oauth: oauth::client(&config),
            origins: config.origins(),
            normalizer: Arc::new(EventNormalizer),
            config,
        })
    }
}

fn with_asked_names(mut set: TokenSet) -> TokenSet {
    set.scopes = set.scopes.map(oauth::asked_names);
    set
}

#[async_trait]
impl ServiceAdapter for GoogleCalendar {
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
        limits::CALENDAR
    }

    fn classify(&self, failure: &Failure<'_>) -> Error {
        classify::error(failure)
    }

    fn authorization_url(&self, request: &AuthorizationRequest) -> Result<Url> {
        Ok(self.oauth.authorization_url(request))
    }

    async fn authenticate(&self, http: &dyn Transport, grant: &CodeGrant) -> Result<TokenSet> {
        self.oauth.exchange_code(http, grant).await.map(with_asked_names)
    }

    async fn refresh_token(&self, http: &dyn Transport, refresh: &RefreshToken) -> Result<TokenSet> {
        self.oauth.exchange_refresh_token(http, refresh).await.map(with_asked_names)
    }

    async fn revoke_access(&self, http: &dyn Transport, tokens: &Tokens) -> Result<()> {
        oauth::revoke(&self.config, http, tokens).await
    }

    async fn identify(&self, session: &Session) -> Result<Account> {
        oauth::identify(&self.config, session).await
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
