//! Whatever happens, and in whatever order: once Gmail answers again, the sink is what the mailbox is.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use integrations_core::sync::{SyncReport, SyncRequest};
use integrations_testkit::Fault;

use super::{Mailbox, mail};
use crate::chaos::Random;

/// Polls a future so many times, then drops it, as a host does that is shut down.
async fn dropped_after(polls: u64, future: impl Future) {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| ())
    })
    .await;
}

fn change(host: &Mailbox, random: &mut Random) {
    const LABELS: [&str; 4] = ["STARRED", "INBOX", "UNREAD", "TRASH"];
    let ids = host.fake.message_ids();
    let one = |random: &mut Random| ids[usize::try_from(random.below(ids.len() as u64)).unwrap()].clone();
    let label = LABELS[usize::try_from(random.below(4)).unwrap()];
    match random.below(6) {
        0 | 1 => drop(host.fake.add_message(mail("new"))),
        2 if ids.len() > 12 => host.fake.delete_message(&one(random)),
        3 => host.fake.remove_labels(&one(random), &[label]),
        4 => {
            let many = ids.iter().take(7).map(String::as_str).collect::<Vec<_>>();
            host.fake.modify_messages(&many, &[label], &[]);
        }
        _ => host.fake.add_labels(&one(random), &[label]),
    }
}

fn trouble(host: &Mailbox, random: &mut Random) {
    let nth = 1 + random.below(9);
    let get = Fault::on("messages.get").nth(nth);
    match random.below(14) {
        0 => host.fake.expire_history(),
        1 => host.fake.expire_mail_page_tokens(),
        2 => host.fake.expire_access_tokens(),
        3 => host.fake.fault(Fault::on("messages.list").nth(1 + nth / 3).status(503)),
        4 => host.fake.fault(Fault::on("history.list").nth(1 + nth / 3).status(401)),
        5 => host.fake.fault(Fault::on("batch").nth(1 + nth / 3).truncate(900)),
        6 => host.fake.fault(Fault::on("batch").nth(1 + nth / 3).reset()),
        7 => host.fake.fault(Fault::on("token.refresh").status(500)),
        8 => host.fake.fault(get.status(500)),
        9 => host.fake.fault(get.times(3).status(429)),
        10 => host.fake.fault(get.reset()),
        11 => host.fake.fault(get.truncate(50)),
        12 => host.fake.fault(get.status(401)),
        _ => host.clock.advance(Duration::from_secs(60 * random.below(90))),
    }
}

#[tokio::test]
async fn the_sink_becomes_what_the_mailbox_is() {
    let seeds = std::env::var("CHAOS_SEED").ok().map_or(0..30, |seed| {
        let seed: u64 = seed.parse().unwrap();
        seed..seed + 1
    });
    for seed in seeds {
        let mut random = Random(seed);
        let host = Mailbox::with(|fake| fake.messages(23).page_cap(5), |gateway| gateway).await;
        for _ in 0..25 {
            match random.below(5) {
                0 | 1 => change(&host, &mut random),
                2 => trouble(&host, &mut random),
                3 => dropped_after(random.below(30), host.sync_with(SyncRequest::incremental())).await,
                _ => {
                    let full = random.below(6) == 0;
                    let request = if full { SyncRequest::full() } else { SyncRequest::incremental() };
                    let _ = host.sync_with(request).await;
                }
            }
        }
        host.fake.clear_faults();
        // A refresh that has failed is not tried again at once.
        host.clock.advance(Duration::from_secs(60));
        // The first run ends a listing that was under way; the second brings what changed meanwhile.
        for _ in 0..2 {
            let report = host.sync_with(SyncRequest::incremental().accept_shrink()).await;
            let report = report.and_then(SyncReport::into_result);
            assert!(report.is_ok(), "CHAOS_SEED={seed}: {report:?}");
        }
        assert_eq!(host.quarantine(), [], "CHAOS_SEED={seed}");
        host.assert_same();
    }
}
