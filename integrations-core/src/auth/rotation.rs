//! How does a new key take over what an old one has sealed, while everything runs?
//!
//! The connections are paged through in the order of their ids. Each one that has a value under another
//! key than the primary one is sealed anew and written with compare-and-swap. Whoever writes in between,
//! e.g. a refresh of the tokens, wins: the connection is read again. So a rotation never puts back old
//! tokens; and a refresh that a rotation came before compares the tokens themselves, finds the same, and
//! stores its own. There is nothing to remember between runs: what is sealed with the primary key is done.

use std::fmt;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::store::{ConnectionFilter, TokenStore};
use super::vault::Vault;
use crate::connection::{Connection, ConnectionId, TenantId};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::{Notice, Observer};

/// How often a connection is tried that others keep writing to. Each time, one of them gets through.
const ATTEMPTS: usize = 100;

/// How keys are rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationSettings {
    /// How many connections are read at a time, and progress is reported after: 100 by default.
    pub batch: usize,
    /// How many of them are written at once: 3 by default.
    pub in_flight: usize,
    /// Only connections whose id comes after this one: `None`, and so all of them, by default.
    pub starting_after: Option<ConnectionId>,
    /// Only connections of this tenant: `None`, and so all of them, by default.
    pub tenant: Option<TenantId>,
    /// How many failures the report keeps, the first ones: 100 by default. The observer hears of all.
    pub kept_failures: usize,
}

impl Default for RotationSettings {
    fn default() -> Self {
        Self { batch: 100, in_flight: 3, starting_after: None, tenant: None, kept_failures: 100 }
    }
}

impl RotationSettings {
    /// Reads so many connections at a time; at least 1.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// Writes so many connections at once; at least 1.
    pub fn in_flight(mut self, in_flight: usize) -> Self {
        self.in_flight = in_flight;
        self
    }

    /// Goes on behind a connection: the [`last`](RotationReport::last) of a run that was stopped.
    pub fn starting_after(mut self, connection: impl Into<ConnectionId>) -> Self {
        self.starting_after = Some(connection.into());
        self
    }

    /// Leaves the connections of other tenants alone.
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Keeps so many failures in the report.
    pub fn kept_failures(mut self, kept_failures: usize) -> Self {
        self.kept_failures = kept_failures;
        self
    }
}

/// What a rotation has done.
#[derive(Debug)]
#[non_exhaustive]
pub struct RotationReport {
    /// The id of the key that everything is sealed with.
    pub primary: Arc<str>,
    /// How many connections it has looked at: the sum of the next four.
    pub seen: u64,
    /// How many of them it has sealed anew.
    pub resealed: u64,
    /// How many were sealed with the primary key already.
    pub already: u64,
    /// How many were deleted while it looked at them.
    pub vanished: u64,
    /// How many could not be sealed anew. They are as they were.
    pub failures: u64,
    /// The first of those, and why: code `unknown_key`, `unsealing_failed` or `not_sealed` for values that
    /// do not open, `too_busy` for a connection that others wrote to each time.
    pub failed: Vec<(ConnectionId, Error)>,
    /// The last connection of the last batch that is done: a run that goes on from here misses nothing.
    pub last: Option<ConnectionId>,
}

impl RotationReport {
    fn new(primary: Arc<str>, last: Option<ConnectionId>) -> Self {
        Self { primary, seen: 0, resealed: 0, already: 0, vanished: 0, failures: 0, failed: Vec::new(), last }
    }

    /// Whether nothing that the run has seen is sealed with another key. It has seen everything unless it
    /// was told where to [start](RotationSettings::starting_after), or of which
    /// [tenant](RotationSettings::tenant).
    pub fn is_complete(&self) -> bool {
        self.failures == 0
    }

    fn count(&mut self, id: ConnectionId, outcome: Outcome, keep: usize, observer: &dyn Observer) {
        self.seen += 1;
        match outcome {
            Outcome::Resealed => self.resealed += 1,
            Outcome::Already => self.already += 1,
            Outcome::Vanished => self.vanished += 1,
            Outcome::Failed(error) => {
                tracing::warn!(connection = %id, %error, "the tokens could not be sealed with the new key");
                observer.notice(&Notice::NotResealed { connection: &id, error: &error });
                self.failures += 1;
                if self.failed.len() < keep {
                    self.failed.push((id, error));
                }
            }
        }
    }
}

/// The numbers, without what has failed.
impl fmt::Display for RotationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { primary, seen, resealed, already, vanished, failures, .. } = self;
        write!(
            f,
            "key {primary}: {seen} connections, {resealed} sealed anew, {already} done before, \
             {vanished} deleted meanwhile, {failures} failed"
        )
    }
}

enum Outcome {
    Resealed,
    Already,
    Vanished,
    Failed(Error),
}

/// Seals the tokens of all connections of a store with the primary key of a vault, for hosts that do it
/// without a [`Gateway`](crate::Gateway::rotate_keys), e.g. in a program of its own.
///
/// Safe to run in several processes at once, and while tokens are read, refreshed, added and deleted. A
/// connection whose values do not open is reported, left as it is, and passed over. See
/// [`auth`](crate::auth#changing-the-key) for what comes before and after.
///
/// # Errors
/// Those of the store, of which the run ends: run it again when the store works, from the start or from
/// the [`last`](RotationReport::last) that the observer has heard of. [`ErrorKind::Conflict`] with code
/// `primary_changed` when another key was made primary meanwhile: run it again, from the start.
/// [`ErrorKind::Store`] with code `unordered` when the store's pages do not go on.
///
/// # Cancel safety
/// May be dropped at any await: each connection is written as a whole or not at all.
pub async fn rotate_keys(
    store: &dyn TokenStore,
    vault: &Vault,
    observer: &dyn Observer,
    settings: &RotationSettings,
) -> Result<RotationReport> {
    let mut report = RotationReport::new(vault.primary_key_id(), settings.starting_after.clone());
    let mut filter = ConnectionFilter::default();
    filter.tenant.clone_from(&settings.tenant);
    loop {
        filter = filter.with_page(report.last.clone(), settings.batch.max(1));
        let page = store.list(&filter).await?;
        let Some(last) = page.last().map(|connection| connection.id.clone()) else { break };
        if report.last.as_ref().is_some_and(|before| last <= *before) {
            return Err(Error::new(
                ErrorKind::Store,
                "a page of connections does not come after the one before; check the store's `list`",
            )
            .with_code("unordered"));
        }
        let mut outcomes = stream::iter(page)
            .map(|connection| renew(store, vault, connection))
            .buffer_unordered(settings.in_flight.max(1));
        while let Some(outcome) = outcomes.next().await {
            let (id, outcome) = outcome?;
            report.count(id, outcome, settings.kept_failures, observer);
        }
        check_primary(vault, &report)?;
        report.last = Some(last);
        observer.notice(&Notice::KeysRotated { report: &report });
    }
    check_primary(vault, &report)?;
    Ok(report)
}

/// What was done under the key before says nothing about the key now.
fn check_primary(vault: &Vault, report: &RotationReport) -> Result<()> {
    let now = vault.primary_key_id();
    if now == report.primary {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!(
            "the key {now} was made primary while tokens were sealed with {}; rotate again",
            report.primary
        ),
    )
    .with_code("primary_changed"))
}

/// # Errors
/// Those of the store.
async fn renew(
    store: &dyn TokenStore,
    vault: &Vault,
    mut connection: Connection,
) -> Result<(ConnectionId, Outcome)> {
    let id = connection.id.clone();
    for _ in 0..ATTEMPTS {
        connection.tokens = match vault.reseal(&connection) {
            Ok(Some(tokens)) => tokens,
            Ok(None) => return Ok((id, Outcome::Already)),
            Err(error) => return Ok((id, Outcome::Failed(error.with_service(&connection.service)))),
        };
        match store.put(&connection).await {
            Ok(_) => return Ok((id, Outcome::Resealed)),
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
        connection = match store.get(&id).await? {
            Some(connection) => connection,
            None => return Ok((id, Outcome::Vanished)),
        };
    }
    let busy = Error::new(
        ErrorKind::Conflict,
        format!(
            "others wrote to the connection each of {ATTEMPTS} times; rotate again when there is less traffic"
        ),
    )
    .with_code("too_busy");
    Ok((id, Outcome::Failed(busy.with_service(&connection.service))))
}
