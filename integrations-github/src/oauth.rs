//! How does one speak OAuth with GitHub?
//!
//! GitHub's dialect: failures with status 200, an answer as a form unless JSON is asked for, and scopes
//! with spaces between them on the way there and commas on the way back.

use integrations_core::auth::OAuthEndpoints;

use crate::config::GitHubConfig;

impl GitHubConfig {
    /// Where the user is sent, and where codes and refresh tokens are exchanged.
    pub fn oauth_endpoints(&self) -> OAuthEndpoints {
        OAuthEndpoints { authorize: self.authorize_url.clone(), token: self.token_url.clone() }
    }
}
