//! How is a Slack account connected by itself, for calls of the host's own?

use std::sync::Arc;

use integrations_core::adapter::{AccountAdapter, Capabilities, ServiceInfo};
use integrations_core::auth::{Feature, Level};
use integrations_core::{Result, ServiceAdapter};

use crate::config::SlackConfig;
use crate::oauth::SlackOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "slack";

/// What may be asked for.
#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    Feature::new("messages", Level::Read, &[
        "user:channels:read", "user:groups:read", "user:im:read", "user:mpim:read", "user:channels:history",
        "user:groups:history", "user:im:history", "user:mpim:history",
    ])
    .or(&[&[
        "channels:read", "groups:read", "im:read", "mpim:read", "channels:history", "groups:history", "im:history",
        "mpim:history",
    ]]),
    Feature::new("people", Level::Read, &["user:users:read", "user:users:read.email"])
        .or(&[&["users:read", "users:read.email"]]),
    Feature::new("writing", Level::Write, &["user:chat:write", "user:reactions:write"])
        .or(&[&["chat:write", "reactions:write"]]),
];

/// Slack as a service that is connected and not synced: the host makes its calls with
/// [`Gateway::session`](integrations_core::Gateway::session).
///
/// # Errors
/// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) for a base address that takes no
/// path.
pub fn account(config: &SlackConfig) -> Result<Arc<dyn ServiceAdapter>> {
    let capabilities = Capabilities::default().with_refresh().with_revoke().with_incremental_scopes();
    let info = ServiceInfo::new(SERVICE, "Slack", env!("CARGO_PKG_VERSION"))
        .with_capabilities(capabilities)
        .with_features(FEATURES);
    Ok(Arc::new(
        AccountAdapter::new(info, Arc::new(SlackOAuth::new(config)?), config.origins(), classify::error)
            .with_limits(limits::LIMITS)
            .with_judge(classify::judge),
    ))
}
