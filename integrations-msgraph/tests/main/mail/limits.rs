//! A mailbox within its limits.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::clock::ManualClock;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::resilience::{Governor, Limits, Quota, Scope};
use integrations_core::sync::SyncRequest;
use integrations_msgraph::LIMITS;
use integrations_testkit::msgraph::Throttling;
use serde_json::json;

use super::Mailbox;

const MINUTE: Duration = Duration::from_secs(60);
/// About a sixth of what Outlook allows in a minute.
const TIGHT: Limits = Limits::new(&[Quota::new(Scope::Connection, 160, MINUTE).burst(20)]).concurrent(4);

/// Knows how many calls are on the way.
#[derive(Debug)]
struct Counted(ReqwestTransport, Arc<AtomicUsize>);

#[async_trait]
impl Transport for Counted {
    async fn send(&self, request: Request) -> Result<Response> {
        self.1.fetch_add(1, SeqCst);
        let answer = self.0.send(request).await;
        self.1.fetch_sub(1, SeqCst);
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
async fn the_parts_of_batches_count_and_nothing_is_refused() {
    const MESSAGES: usize = 200;
    let under_way = Arc::new(AtomicUsize::new(0));
    let counted = Counted(ReqwestTransport::new("tests").unwrap(), Arc::clone(&under_way));
    let allowed = Throttling { requests: 180, window: MINUTE, concurrent: 4 };
    let mailbox = Mailbox::with(
        |fake| fake.throttling(allowed),
        |gateway| {
            let governor = Governor::builder().service("outlook_mail", TIGHT).seed(7).build();
            gateway.rate_limiter(Arc::new(governor)).transport(Arc::new(counted))
        },
        |config| config,
    )
    .await;
    for number in 0..MESSAGES {
        let folder = ["inbox", "archive", "sentitems", "drafts"][number % 4];
        mailbox.fake.insert_message(folder, json!({"attachments": [{"name": "a.txt"}]}));
    }
    mailbox.fake.reset_counters();
    let started = mailbox.fake.requests().len();
    let report =
        drive(&mailbox.clock, &under_way, mailbox.sync_all(SyncRequest::incremental())).await.unwrap();
    report.into_result().unwrap();
    for folder in ["inbox", "archive", "sentitems", "drafts"] {
        mailbox.assert_same(folder);
    }
    assert_eq!(mailbox.fake.count("attachments.list"), MESSAGES as u64);
    assert!(mailbox.fake.requests().len() - started > MESSAGES);
    assert_eq!(mailbox.fake.throttled(), 0);
    assert!(mailbox.fake.most_concurrent() <= 4, "{}", mailbox.fake.most_concurrent());
    assert_eq!(LIMITS.cost("batch", 20), 20, "a batch costs what its parts do");
}
