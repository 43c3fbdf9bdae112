//! What does Gmail (v1) answer?

mod fake;
mod generate;
mod history;
mod labels;
mod mailbox;
mod message;
mod messages;
mod mime;
mod quota;
mod routes;
mod spec;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, Utc};

use self::generate::Generator;
use self::mailbox::Mailbox;
use self::quota::Meter;

pub(super) use self::routes::Endpoint;
pub use self::spec::MailSpec;

/// How the mailbox is set up.
#[derive(Debug, Default)]
pub(super) struct Setup {
    pub(super) generated: u64,
    pub(super) quota: Option<u64>,
}

/// The account's mailbox, and what it has cost.
#[derive(Debug)]
pub(super) struct Gmail {
    mailbox: RwLock<Mailbox>,
    meter: Meter,
}

impl Gmail {
    pub(super) fn new(setup: &Setup, seed: u64, user: &str, now: DateTime<Utc>) -> Self {
        let generator = Generator::new(seed, user, setup.generated, now);
        Self { mailbox: RwLock::new(Mailbox::new(seed, generator)), meter: Meter::new(setup.quota) }
    }

    fn mailbox(&self) -> RwLockReadGuard<'_, Mailbox> {
        self.mailbox.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn mailbox_mut(&self) -> RwLockWriteGuard<'_, Mailbox> {
        self.mailbox.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reset_counters(&self) {
        self.meter.reset();
    }
}
