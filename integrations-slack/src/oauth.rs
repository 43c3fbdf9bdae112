//! How does one speak OAuth with Slack?
//!
//! Slack's dialect: scopes with commas between them, those of a user apart in `user_scope`; a user's token
//! under `authed_user`; failures with status 200.

use integrations_core::auth::OAuthEndpoints;

use crate::config::SlackConfig;

impl SlackConfig {
    /// Where the user is sent, and where codes and refresh tokens are exchanged.
    pub fn oauth_endpoints(&self) -> OAuthEndpoints {
        OAuthEndpoints { authorize: self.authorize_url.clone(), token: self.token_url.clone() }
    }
}
