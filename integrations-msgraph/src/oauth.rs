//! How does one speak OAuth with Microsoft?

use integrations_core::auth::{OAuthClient, OAuthEndpoints};

use crate::config::GraphConfig;

impl GraphConfig {
    /// The client. Microsoft gives a refresh token for the scope
    /// [`offline_access`](crate::scope::OFFLINE_ACCESS) alone; the user may choose the account.
    pub fn oauth_client(&self) -> OAuthClient {
        let endpoints =
            OAuthEndpoints { authorize: self.authorize_url.clone(), token: self.token_url.clone() };
        OAuthClient::new(endpoints, &self.client_id, self.client_secret.clone())
            .with_classifier(crate::classify::token_error)
            .with_authorization_parameters([("prompt", "select_account")])
    }
}
