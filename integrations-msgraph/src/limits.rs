//! How much may be asked of Microsoft Graph at once?

use std::time::Duration;

use integrations_core::resilience::{Limits, Quota, Scope};

/// Calendars per page of a list.
pub(crate) const CALENDARS_PER_PAGE: u32 = 100;
/// Events per page of a round. Graph would give 1000; with each come the series that the page mentions.
pub(crate) const EVENTS_PER_PAGE: u32 = 250;
/// Messages per page of a folder, with their texts. Graph would give 1,000.
pub(crate) const MESSAGES_PER_PAGE: u32 = 100;
/// Folders per page of the list of folders.
pub(crate) const FOLDERS_PER_PAGE: u32 = 250;
/// Attachments per page of the list of a message's.
pub(crate) const ATTACHMENTS_PER_PAGE: u32 = 100;
/// Requests that one `$batch` carries at most.
pub(crate) const REQUESTS_PER_BATCH: usize = 20;

/// Of Outlook's mail and calendar: for each application and mailbox 10,000 requests in 10 minutes, and
/// four at once. A part of a `$batch` is a request. Microsoft sends `Retry-After` with most 429s.
#[rustfmt::skip]
pub const LIMITS: Limits = Limits::new(&[
    Quota::new(Scope::App,        130_000, Duration::from_secs(10)),
    Quota::new(Scope::Connection, 10_000,  Duration::from_secs(600)),
])
.concurrent(4);
