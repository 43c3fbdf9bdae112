//! How is a GitHub account connected by itself, for calls of the host's own?

use std::sync::Arc;

use integrations_core::ServiceAdapter;
use integrations_core::adapter::{AccountAdapter, Capabilities, ServiceInfo};
use integrations_core::auth::{Feature, Level};

use crate::config::{GitHubConfig, scope};
use crate::oauth::GitHubOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "github";

/// What may be asked for.
#[rustfmt::skip]
pub(crate) const FEATURES: &[Feature] = &[
    Feature::new("issues", Level::Read, scope::FOR_ISSUES),
    Feature::new("notifications", Level::Read, scope::FOR_NOTIFICATIONS).or(&[&[scope::REPO]]),
    Feature::new("push", Level::Push, scope::FOR_PUSH),
];

/// GitHub as a service that is connected and not synced: the host makes its calls with
/// [`Gateway::session`](integrations_core::Gateway::session).
pub fn account(config: &GitHubConfig) -> Arc<dyn ServiceAdapter> {
    let capabilities = Capabilities::default().with_refresh().with_revoke().with_incremental_scopes();
    let info = ServiceInfo::new(SERVICE, "GitHub", env!("CARGO_PKG_VERSION"))
        .with_capabilities(capabilities)
        .with_scopes([scope::USER_EMAIL])
        .with_features(FEATURES);
    Arc::new(
        AccountAdapter::new(info, Arc::new(GitHubOAuth::new(config)), config.origins(), classify::error)
            .with_limits(limits::LIMITS)
            .with_judge(classify::judge),
    )
}
