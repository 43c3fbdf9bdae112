//! How does one speak OAuth with Zoom?
//!
//! Zoom's dialect: the client's id and secret in a Basic header, and `reason` beside `error`.

use integrations_core::auth::OAuthEndpoints;

use crate::config::ZoomConfig;

impl ZoomConfig {
    /// Where the user is sent, and where codes and refresh tokens are exchanged.
    pub fn oauth_endpoints(&self) -> OAuthEndpoints {
        OAuthEndpoints { authorize: self.authorize_url.clone(), token: self.token_url.clone() }
    }
}
