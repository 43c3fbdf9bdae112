//! When did which request go out, and what came back?

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::{Request, Response, Transport};

/// A request that went out, by the host's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) at: Duration,
    /// When its answer had come, whole; `None` while it is under way, or when it was given up.
    pub(super) answered: Option<Duration>,
    /// `None` without an answer.
    pub(super) status: Option<u16>,
}

/// What went over the wire, of all gateways of a host.
#[derive(Debug)]
pub(super) struct Wire {
    clock: ManualClock,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    sent: Vec<Sent>,
    under_way: usize,
}

impl Wire {
    pub(super) fn new(clock: ManualClock) -> Arc<Self> {
        Arc::new(Self { clock, log: Mutex::default() })
    }

    /// A client whose requests are written down here.
    pub(super) fn tap(self: &Arc<Self>, inner: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Tapped { inner, wire: Arc::clone(self) })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every request so far, in the order in which they went out.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.log().sent.clone()
    }

    /// Whether a request waits for its answer.
    pub(super) fn is_busy(&self) -> bool {
        self.log().under_way > 0
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        let mut log = self.log();
        log.under_way += 1;
        log.sent.push(Sent { at: self.clock.monotonic(), answered: None, status: None });
        UnderWay { wire: Arc::clone(self), number: log.sent.len() - 1 }
    }
}

/// A request, until it is answered or given up.
struct UnderWay {
    wire: Arc<Wire>,
    number: usize,
}

impl UnderWay {
    fn answered(&self, answer: &Result<Response>) {
        let now = self.wire.clock.monotonic();
        let mut log = self.wire.log();
        log.sent[self.number].answered = Some(now);
        log.sent[self.number].status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.wire.log().under_way -= 1;
    }
}

#[derive(Debug)]
struct Tapped {
    inner: Arc<dyn Transport>,
    wire: Arc<Wire>,
}

#[async_trait]
impl Transport for Tapped {
    async fn send(&self, request: Request) -> Result<Response> {
        let under_way = self.wire.begin();
        let answer = self.inner.send(request).await;
        under_way.answered(&answer);
        answer
    }
}
