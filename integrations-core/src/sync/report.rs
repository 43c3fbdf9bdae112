//! What has a run done?

use serde::Serialize;

use super::sink::{StreamKey, Unseen};
use crate::error::Error;

/// What a run over a connection's streams has done.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SyncReport {
    /// The streams, in the order of the provider's list. One that failed does not stop the others.
    pub streams: Vec<(StreamKey, Result<StreamReport, Error>)>,
    /// Streams that were read before and that the provider does not list any more: they were deleted, or the
    /// account may not see them any more. What was read of them stays until
    /// [`Gateway::forget_stream`](crate::Gateway::forget_stream).
    pub vanished: Vec<StreamKey>,
}

impl SyncReport {
    /// The sum over the streams that went well.
    pub fn total(&self) -> StreamReport {
        let mut total = StreamReport::default();
        for report in self.streams.iter().filter_map(|(_, report)| report.as_ref().ok()) {
            total.pages += report.pages;
            total.upserted += report.upserted;
            total.deleted += report.deleted;
            total.quarantined += report.quarantined;
            total.swept += report.swept;
            total.resyncs += report.resyncs;
            total.outside += report.outside;
        }
        total
    }

    /// The streams that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&StreamKey, &Error)> {
        self.streams.iter().filter_map(|(stream, report)| Some((stream, report.as_ref().err()?)))
    }

    /// The report, if every stream went well, else the first failure.
    ///
    /// # Errors
    /// The first failure, in the order of the streams.
    pub fn into_result(mut self) -> Result<Self, Error> {
        match self.streams.iter().position(|(_, report)| report.is_err()) {
            None => Ok(self),
            Some(index) => match self.streams.swap_remove(index).1 {
                Err(error) => Err(error),
                Ok(_) => Ok(self),
            },
        }
    }
}

/// What a run over one stream has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamReport {
    /// From where it began: a [phase](crate::sync::Position::phase).
    pub started_in: &'static str,
    /// How many pages were read and committed.
    pub pages: u64,
    /// How many records were written.
    pub upserted: u64,
    /// How many deletions the provider named.
    pub deleted: u64,
    /// How many items could not be read.
    pub quarantined: u64,
    /// How many records were deleted because a complete listing has not seen them.
    pub swept: u64,
    /// How often the provider had forgotten the position.
    pub resyncs: u64,
    /// How many items lie outside of the [`Window`](super::Window), and are not kept.
    pub outside: u64,
    /// Deletions that were not believed.
    pub withheld: Option<Withheld>,
}

/// A complete listing that was too short to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// How many records it has seen.
    pub seen: u64,
    /// How many it has not seen. They are still stored.
    pub unseen: u64,
}

impl From<Unseen> for Withheld {
    fn from(Unseen { seen, unseen }: Unseen) -> Self {
        Self { seen, unseen }
    }
}
