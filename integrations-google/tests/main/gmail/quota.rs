//! A mailbox within its quota.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::poll_fn;
use integrations_core::Result;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::resilience::{ExponentialRetry, Governor};
use integrations_google::limits;

use super::Mailbox;

/// Knows how many calls are on the way.
#[derive(Debug)]
struct Counted {
    http: ReqwestTransport,
    under_way: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Counted {
    async fn send(&self, request: Request) -> Result<Response> {
        self.under_way.fetch_add(1, SeqCst);
        let answer = self.http.send(request).await;
        self.under_way.fetch_sub(1, SeqCst);
        answer
    }
}

/// Runs a future; the clock goes on whenever no call is on the way.
async fn drive<T>(clock: &ManualClock, under_way: &AtomicUsize, future: impl Future<Output = T>) -> T {
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        let step = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(done) = step {
            return done;
        }
        if under_way.load(SeqCst) == 0 {
            clock.advance(Duration::from_millis(10));
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn two_thousand_messages_are_read_as_fast_as_google_allows_and_not_faster() {
    const MESSAGES: u64 = 2_000;
    let under_way = Arc::new(AtomicUsize::new(0));
    let http = ReqwestTransport::new("tests").unwrap();
    let counted = Counted { http, under_way: Arc::clone(&under_way) };
    let host = Mailbox::with(
        |fake| fake.messages(MESSAGES).gmail_quota(6_000),
        |gateway| {
            let governor = Governor::builder().service("gmail", limits::GMAIL).seed(7).build();
            gateway
                .rate_limiter(Arc::new(governor))
                .retry_policy(Arc::new(ExponentialRetry::default()))
                .transport(Arc::new(counted))
        },
    )
    .await;
    host.fake.reset_counters();
    let started = host.clock.monotonic();
    let report = drive(&host.clock, &under_way, host.sync()).await;
    let minutes = (host.clock.monotonic() - started).as_secs_f64() / 60.0;
    assert_eq!((report.upserted, report.quarantined, report.pages), (MESSAGES, 0, 20));

    let least = MESSAGES * 20 + 20 * 5 + 1;
    let used = host.fake.units_used();
    let refused = host.fake.requests().iter().filter(|request| request.status == 429).count();
    println!(
        "{MESSAGES} messages in {minutes:.2} minutes: {used} units, {least} at least; {refused} refused"
    );
    assert_eq!(refused, 0);
    assert_eq!(used, least);
    #[allow(clippy::cast_precision_loss, reason = "a few minutes")]
    let allowed = least as f64 / 6_000.0;
    assert!(minutes < allowed * 1.05, "{minutes} minutes, where {allowed} are allowed");
}
