//! Who does a job?

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::job::{Job, Lease, Progress};
use super::store::Repeat;
use crate::error::{Error, Result};
use crate::sync::Fence;

/// Does the jobs of a kind.
///
/// A job may be done more than once: its worker may crash after the work and before the queue hears of it. Do it
/// so that the second time changes nothing, and hand [`JobRun::fence`] to what tells an old runner from a new one.
///
/// # Cancel safety
/// The future of [`run`](JobHandler::run) is dropped at any await when the lease is lost, and when the time for
/// an orderly shutdown is over.
#[async_trait]
pub trait JobHandler: fmt::Debug + Send + Sync + 'static {
    /// Does a job; `Some` for one that is to come again.
    ///
    /// # Errors
    /// Whatever keeps it from being done. [`after`](super::after) says what follows: another try, or a dead letter.
    async fn run(&self, run: &JobRun) -> Result<Option<Repeat>>;

    /// What comes after a job that has failed for good, besides the dead letter; nothing by default.
    async fn given_up(&self, run: &JobRun, error: &Error) -> Option<Repeat> {
        let _ = (run, error);
        None
    }
}

/// A job that is being done.
#[derive(Debug)]
pub struct JobRun {
    lease: Lease,
    retries: u32,
    news: Arc<Mutex<News>>,
    stopping: watch::Receiver<bool>,
}

#[derive(Debug, Default)]
struct News {
    progress: Option<Progress>,
    told: bool,
}

impl JobRun {
    pub(super) fn new(lease: Lease, retries: u32, stopping: watch::Receiver<bool>) -> Self {
        Self { lease, retries, news: Arc::default(), stopping }
    }

    /// The job.
    pub fn job(&self) -> &Job {
        &self.lease.job
    }

    /// What tells this run from earlier ones of the same job, and of other jobs: it is higher.
    pub fn fence(&self) -> Fence {
        self.lease.fence
    }

    /// Which try this is: 1 for the first.
    pub fn attempt(&self) -> u32 {
        self.lease.job.failures.saturating_add(1)
    }

    /// Whether a failure of this try is the job's last.
    pub fn is_last_attempt(&self) -> bool {
        self.lease.job.failures >= self.retries
    }

    /// Says how far the job is. The queue hears of it within a second or so.
    pub fn progress(&self, progress: Progress) {
        self.reporter().progress(progress);
    }

    /// Says how far the job is from elsewhere, e.g. from an [`Observer`](crate::observe::Observer).
    pub fn reporter(&self) -> ProgressReporter {
        ProgressReporter(Arc::clone(&self.news))
    }

    /// Returns when the pool is to stop: the work may end early, in good order, and be
    /// [repeated](Repeat) or fail with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) to be handed back.
    pub async fn stopping(&self) {
        let mut stopping = self.stopping.clone();
        // Without a pool nobody asks it to stop.
        if stopping.wait_for(|stopping| *stopping).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// What was last said, if the queue does not know it yet.
    pub(super) fn untold(&self) -> Option<Progress> {
        let mut news = self.news();
        if news.told {
            return None;
        }
        news.told = true;
        news.progress.clone()
    }

    pub(super) fn last_progress(&self) -> Option<Progress> {
        self.news().progress.clone()
    }

    fn news(&self) -> std::sync::MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says how far a job is. Clones speak of the same job.
#[derive(Debug, Clone)]
pub struct ProgressReporter(Arc<Mutex<News>>);

impl ProgressReporter {
    /// As [`JobRun::progress`].
    pub fn progress(&self, progress: Progress) {
        let news = News { progress: Some(progress), told: false };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = news;
    }
}
