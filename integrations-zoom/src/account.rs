//! How is a Zoom account connected by itself, for calls of the host's own?

use std::sync::Arc;

use integrations_core::adapter::{AccountAdapter, Capabilities, ServiceInfo};
use integrations_core::auth::{Feature, Level};
use integrations_core::{Result, ServiceAdapter};

use crate::config::{ZoomConfig, scope};
use crate::oauth::ZoomOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "zoom";

/// What may be asked for.
#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    Feature::new("meetings", Level::Read, scope::FOR_MEETINGS).or(scope::INSTEAD_FOR_MEETINGS),
    Feature::new("past_meetings", Level::Read, scope::FOR_PAST_MEETINGS).or(scope::INSTEAD_FOR_PAST_MEETINGS),
    Feature::new("recordings", Level::Read, scope::FOR_RECORDINGS).or(scope::INSTEAD_FOR_RECORDINGS),
    Feature::new("writing", Level::Write, scope::FOR_WRITING),
];

/// Zoom as a service that is connected and not synced: the host makes its calls with
/// [`Gateway::session`](integrations_core::Gateway::session).
///
/// # Errors
/// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) for a base address that takes no
/// path.
pub fn account(config: &ZoomConfig) -> Result<Arc<dyn ServiceAdapter>> {
    Ok(Arc::new(
        AccountAdapter::new(
            info(config, Capabilities::default()),
            Arc::new(ZoomOAuth::new(config)?),
            config.origins(),
            classify::error,
        )
        .with_limits(limits::LIMITS),
    ))
}

/// What Zoom is and can do, with what its accounts can.
pub(crate) fn info(config: &ZoomConfig, capabilities: Capabilities) -> ServiceInfo {
    let connecting: &[&str] = if config.whole_account { &[scope::USERS_LIST] } else { scope::FOR_CONNECTING };
    ServiceInfo::new(SERVICE, "Zoom", env!("CARGO_PKG_VERSION"))
        .with_capabilities(capabilities.with_refresh().with_revoke().with_incremental_scopes())
        .with_scopes(connecting.iter().copied())
        .with_features(FEATURES)
}
