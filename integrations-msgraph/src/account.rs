//! How is a Microsoft account connected by itself, for calls of the host's own?

use std::sync::Arc;

use integrations_core::adapter::{AccountAdapter, Capabilities, ServiceInfo};
use integrations_core::auth::{Feature, Level};
use integrations_core::{Result, ServiceAdapter};

use crate::config::{GraphConfig, scope};
use crate::oauth::MicrosoftOAuth;
use crate::{classify, limits};

/// The service's id.
pub const SERVICE: &str = "microsoft";

/// What may be asked for.
#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    Feature::new("calendar", Level::Read, scope::FOR_CALENDAR).or(&[scope::FOR_CALENDAR_WRITING]),
    Feature::new("mail", Level::Read, scope::FOR_MAIL).or(&[&[scope::MAIL_READ_WRITE]]),
    Feature::new("calendar_writing", Level::Write, scope::FOR_CALENDAR_WRITING),
    Feature::new("mail_writing", Level::Write, scope::FOR_MAIL_WRITING),
];

/// Microsoft as a service that is connected and not synced: the host makes its calls with
/// [`Gateway::session`](integrations_core::Gateway::session).
///
/// # Errors
/// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) for a base address that takes no
/// path.
pub fn account(config: &GraphConfig) -> Result<Arc<dyn ServiceAdapter>> {
    let capabilities = Capabilities::default().with_refresh().with_incremental_scopes();
    let info = ServiceInfo::new(SERVICE, "Microsoft", env!("CARGO_PKG_VERSION"))
        .with_capabilities(capabilities)
        .with_scopes(scope::FOR_CONNECTING.iter().copied())
        .with_features(FEATURES);
    Ok(Arc::new(
        AccountAdapter::new(info, Arc::new(MicrosoftOAuth::new(config)?), config.origins(), classify::error)
            .with_limits(limits::LIMITS),
    ))
}
