//! How does one job come to its end?

use std::any::Any;
use std::hash::{BuildHasher, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::FutureExt;
use tokio::sync::watch;
use tracing::Instrument;

use super::after::{JobRetries, after};
use super::handler::{JobHandler, JobRun};
use super::held::{Held, Stop};
use super::job::{JobFailure, JobKind};
use super::store::{JobQueue, Outcome, Repeat, Settlement};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::observe::{Notice, Observer};

/// What all jobs of a pool share.
pub(super) struct Worker {
    pub(super) queue: Arc<dyn JobQueue>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) name: String,
    pub(super) ttl: Duration,
    pub(super) seed: u64,
}

/// A job that a pool has no more.
pub(super) struct Ended {
    pub(super) kind: JobKind,
    pub(super) how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Done,
    Retried,
    Dead,
    Released,
    Lost,
}

/// Does a job and settles it, unless its lease is lost.
pub(super) async fn work(
    worker: &Worker,
    handler: &dyn JobHandler,
    retries: JobRetries,
    held: &Held,
    run: &JobRun,
    stopped: watch::Receiver<Option<Stop>>,
) -> Ended {
    let job = run.job();
    let span = tracing::info_span!(
        "job", kind = %job.kind, job = %job.id, user = %job.owner.user, attempt = run.attempt(), worker = worker.name
    );
    let how = async {
        worker.observer.notice(&Notice::JobStarted { job, worker: &worker.name });
        let begun = worker.clock.monotonic();
        let verdict = verdict(worker, handler, retries, run, stopped.clone()).await;
        let error = verdict.as_ref().and_then(|(_, error)| error.as_ref());
        let how = match &verdict {
            None => How::Lost,
            Some((settlement, _)) => settle(worker, held, settlement, stopped).await,
        };
        let took = worker.clock.monotonic().saturating_sub(begun);
        match (how, error) {
            (How::Dead, Some(error)) => tracing::warn!(%error, ?took, "the job is a dead letter"),
            (How::Retried, Some(error)) => tracing::info!(%error, ?took, "the job is tried again"),
            (How::Lost, _) => tracing::warn!(?took, "the lease of the job was lost"),
            _ => tracing::debug!(?how, ?took, "the job has ended"),
        }
        let outcome = match how {
            How::Done => "done",
            How::Retried => "retried",
            How::Dead => "dead",
            How::Released => "released",
            How::Lost => "lost",
        };
        worker.observer.notice(&Notice::JobEnded { job, worker: &worker.name, outcome, took, error });
        how
    };
    let how = how.instrument(span).await;
    held.remove(&run.lease().id());
    Ended { kind: job.kind.clone(), how }
}

/// How a job has ended; `None` when its lease was lost.
async fn verdict(
    worker: &Worker,
    handler: &dyn JobHandler,
    retries: JobRetries,
    run: &JobRun,
    mut stopped: watch::Receiver<Option<Stop>>,
) -> Option<(Settlement, Option<Error>)> {
    let lease = run.lease().id();
    let result = tokio::select! {
        result = AssertUnwindSafe(handler.run(run)).catch_unwind() => result.unwrap_or_else(|panic| Err(panicked(&*panic))),
        why = until_stopped(&mut stopped) => match why {
            Stop::Lost => return None,
            Stop::HandBack => Err(Error::new(ErrorKind::Cancelled, "the worker is shutting down; another goes on")),
        },
    };
    let mut settlement = match &result {
        Ok(repeat) => Settlement { repeat: repeat.clone(), ..Settlement::new(lease, Outcome::Done) },
        Err(error) => {
            let failures = run.job().failures;
            let outcome = after(error, failures, retries, worker.spread(run));
            let repeat = if outcome == Outcome::Dead { given_up(handler, run, error).await } else { None };
            Settlement { repeat, ..Settlement::new(lease, outcome) }
        }
    };
    settlement.progress = run.last_progress();
    let error = result.err();
    if settlement.outcome != Outcome::Release {
        settlement.failure = error.as_ref().map(JobFailure::from);
    }
    Some((settlement, error))
}

async fn given_up(handler: &dyn JobHandler, run: &JobRun, error: &Error) -> Option<Repeat> {
    AssertUnwindSafe(handler.given_up(run, error)).catch_unwind().await.unwrap_or_default()
}

/// Tells the queue, for as long as the lease is held.
async fn settle(
    worker: &Worker,
    held: &Held,
    settlement: &Settlement,
    mut stopped: watch::Receiver<Option<Stop>>,
) -> How {
    let mut wait = Duration::from_millis(200);
    loop {
        match worker.queue.settle(vec![settlement.clone()]).await {
            Ok(still_held) if still_held.first() == Some(&true) => {
                return match settlement.outcome {
                    Outcome::Done => How::Done,
                    Outcome::Retry { .. } => How::Retried,
                    Outcome::Dead => How::Dead,
                    Outcome::Release => How::Released,
                };
            }
            Ok(_) => return How::Lost,
            Err(error) => tracing::warn!(%error, "the queue did not take the end of a job; it is told again"),
        }
        tokio::select! {
            () = worker.clock.sleep(wait) => wait = (wait * 2).min(Duration::from_secs(5)),
            () = until_lost(&mut stopped) => return How::Lost,
        }
        if !held.is_alive(&settlement.lease, worker.clock.monotonic()) {
            return How::Lost;
        }
    }
}

async fn until_stopped(stopped: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stopped.wait_for(Option::is_some).await {
        Ok(why) => why.unwrap_or(Stop::Lost),
        // Whoever holds the leases is gone.
        Err(_) => Stop::Lost,
    }
}

async fn until_lost(stopped: &mut watch::Receiver<Option<Stop>>) {
    let _ = stopped.wait_for(|why| *why == Some(Stop::Lost)).await;
}

impl Worker {
    /// Uniform in `[0, 1)`, the same for the same try of the same job.
    #[allow(clippy::cast_precision_loss, reason = "a share needs no precision")]
    fn spread(&self, run: &JobRun) -> f64 {
        let mixed = mix(self.seed ^ run.fence().0);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The finaliser of SplitMix64.
pub(super) fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Without randomness, waits are spread the same way everywhere; nothing worse.
pub(super) fn random_seed() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// A handler that panics has a defect; what it said may hold anything, and is not kept.
fn panicked(_: &(dyn Any + Send)) -> Error {
    Error::new(ErrorKind::Configuration, "the handler panicked; the process's standard error says where")
        .with_code("handler_panicked")
}
