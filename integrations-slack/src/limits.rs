//! How much may be asked of Slack at once?

/// Quotas.
pub const LIMITS: u32 = 0;
