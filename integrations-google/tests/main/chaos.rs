//! Whatever happens, and in whatever order: once the provider answers again, the sink is what it is.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::poll_fn;
use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use serde_json::json;

use crate::host::{CALENDAR, Host, calendar};

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// Polls a future so many times, then drops it, as a host does that is shut down.
async fn dropped_after(polls: u64, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

fn change(host: &Host, random: &mut Random) {
    let ids = host.fake.event_ids(CALENDAR);
    let pick = |random: &mut Random| ids[usize::try_from(random.below(ids.len() as u64)).unwrap()].clone();
    match random.below(4) {
        0 => {
            let recurrence =
                if random.below(2) == 0 { json!(["RRULE:FREQ=DAILY;COUNT=5"]) } else { json!([]) };
            let day = 1 + random.below(20);
            host.fake.insert_event(
                CALENDAR,
                json!({
                    "start": {"date": format!("2026-03-{day:02}")},
                    "end": {"date": format!("2026-03-{:02}", day + 1)},
                    "recurrence": recurrence,
                }),
            );
        }
        1 if ids.len() > 12 => host.fake.delete_event(CALENDAR, &pick(random)),
        _ => host.fake.patch_event(
            CALENDAR,
            &pick(random),
            json!({"summary": format!("No. {}", random.below(1000))}),
        ),
    }
}

fn trouble(host: &Host, random: &mut Random) {
    let nth = 1 + random.below(4);
    match random.below(9) {
        0 => host.fake.expire_sync_tokens(CALENDAR),
        1 => host.fake.expire_page_tokens(CALENDAR),
        2 => host.fake.expire_access_tokens(),
        3 => host.fake.fault(Fault::on("events.list").nth(nth).status(503)),
        4 => host.fake.fault(Fault::on("events.list").nth(nth).status(401)),
        5 => host.fake.fault(Fault::on("events.list").nth(nth).truncate(200)),
        6 => host.fake.fault(Fault::on("events.list").nth(nth).reset()),
        7 => host.fake.fault(Fault::on("token.refresh").nth(1).status(500)),
        _ => host.clock.advance(std::time::Duration::from_secs(60 * random.below(90))),
    }
}

#[tokio::test]
async fn the_sink_becomes_what_the_provider_is() {
    let seeds = std::env::var("CHAOS_SEED").ok().map_or(0..40, |seed| {
        let seed: u64 = seed.parse().unwrap();
        seed..seed + 1
    });
    for seed in seeds {
        let mut random = Random(seed);
        let host = Host::with(|fake| fake.calendar(calendar().generated(23)), |gateway| gateway).await;
        let connection = host.connect().await;
        let mut dropped = 0;
        for _ in 0..25 {
            match random.below(5) {
                0 | 1 => change(&host, &mut random),
                2 => trouble(&host, &mut random),
                3 => {
                    let polls = random.below(16);
                    dropped += u64::from(!dropped_after(polls, host.gateway.sync(&connection.id)).await);
                }
                _ => {
                    let request =
                        if random.below(6) == 0 { SyncRequest::full() } else { SyncRequest::incremental() };
                    let _ = host.gateway.sync_with(&connection.id, request).await;
                }
            }
        }
        host.fake.clear_faults();
        // A refresh that has failed is not tried again at once.
        host.clock.advance(std::time::Duration::from_secs(60));
        let request = SyncRequest::incremental().accept_shrink();
        // The first run ends a listing that was under way; the second brings what changed meanwhile.
        for _ in 0..2 {
            let report = host.gateway.sync_with(&connection.id, request).await;
            let report = report.and_then(integrations_core::sync::SyncReport::into_result);
            assert!(report.is_ok(), "CHAOS_SEED={seed}: {report:?}");
        }
        println!("CHAOS_SEED={seed}: {dropped} runs were dropped");
        host.assert_same(&connection);
    }
}
