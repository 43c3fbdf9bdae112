//! Which stretch of time is asked for, and how much work may it cost?

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::error::{Error, ErrorKind, Result};

/// A stretch of time, seen by somebody in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The instant after its last one.
    pub to: DateTime<Utc>,
    /// The zone of the one who looks: an all-day event lasts from midnight to midnight there.
    pub zone: Tz,
}

/// How much may be worked out and given back. Rules come from strangers: one line can ask for every
/// second of a century.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many occurrences one series may have in the window; the earliest are given. Default 10 000.
    pub per_series: usize,
    /// How many occurrences an agenda may have; the earliest are given. Default 100 000.
    pub total: usize,
    /// How many dates one series may be walked over, whether they are in the window or not; beyond, it
    /// is refused. Default 200 000.
    pub steps: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_series: 10_000, total: 100_000, steps: 200_000 }
    }
}

impl Limits {
    /// Changes how many occurrences one series may have.
    pub fn with_per_series(mut self, per_series: usize) -> Self {
        self.per_series = per_series;
        self
    }

    /// Changes how many occurrences an agenda may have.
    pub fn with_total(mut self, total: usize) -> Self {
        self.total = total;
        self
    }

    /// Changes how many dates one series may be walked over.
    pub fn with_steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }
}

/// What is left of [`Limits::steps`] for one series.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { left: limits.steps }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<()> {
        self.left = self
            .left
            .checked_sub(steps)
            .ok_or_else(|| too_large("more dates would have to be walked over than `Limits::steps` allow"))?;
        Ok(())
    }
}

/// The error for what would cost too much.
pub(super) fn too_large(why: &'static str) -> Error {
    Error::new(ErrorKind::UnsupportedOperation, why).with_code("recurrence_too_large")
}
