//! Whatever happens, and in whatever order: once Slack answers again, the sink is what the channel is.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use serde_json::json;

use crate::host::{GENERAL, HISTORY, Host, REPLIES};

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn of<'a>(&mut self, all: &'a [String]) -> &'a str {
        &all[self.below(all.len())]
    }
}

/// Polls a future so many times, then drops it, as a host does that is shut down.
async fn dropped_after(polls: usize, future: impl Future) -> bool {
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

/// What somebody does. Nobody touches a reply without a trace in its thread's counters, which would be seen later.
fn change(host: &Host, random: &mut Random) {
    host.clock.advance(Duration::from_secs(1));
    let top: Vec<_> = host.fake.history(GENERAL).into_iter().filter(|ts| is_top(host, ts)).collect();
    let text = json!({"text": format!("No. {}", random.below(1_000))});
    let living: Vec<_> = top
        .iter()
        .filter(|ts| host.fake.message(GENERAL, ts).unwrap()["subtype"] != "tombstone")
        .cloned()
        .collect();
    match random.below(8) {
        0 if living.len() > 12 => host.fake.delete(GENERAL, random.of(&living)),
        1 => host.fake.edit(GENERAL, random.of(&living), text),
        2 => {
            let ts = random.of(&living);
            let emoji = format!("emoji-{}", random.below(100_000));
            host.fake.react(GENERAL, ts, &emoji, "U0ADA");
        }
        3 | 4 => drop(host.fake.reply(GENERAL, random.of(&top), text)),
        5 => {
            let loud = json!({"text": "to all", "reply_broadcast": true});
            drop(host.fake.reply(GENERAL, random.of(&top), loud));
        }
        6 => {
            let thread = random.of(&top);
            let replies = host.fake.thread(GENERAL, thread);
            if !replies.is_empty() {
                host.fake.delete(GENERAL, random.of(&replies));
            }
        }
        _ => drop(host.fake.post(GENERAL, text)),
    }
}

fn is_top(host: &Host, ts: &str) -> bool {
    let message = host.fake.message(GENERAL, ts).unwrap();
    message.get("thread_ts").is_none_or(|thread| thread == ts)
}

fn trouble(host: &Host, random: &mut Random) {
    let nth = 1 + random.below(4) as u64;
    let on = Fault::on([HISTORY, REPLIES][random.below(2)]).nth(nth);
    match random.below(9) {
        0 => host.fake.expire_cursors(),
        1 => host.fake.expire_access_tokens(),
        2 => drop(host.fake.fault(on.status(503))),
        3 => drop(host.fake.fault(on.status(429))),
        4 => drop(host.fake.fault(on.truncate(200))),
        5 => drop(host.fake.fault(on.reset())),
        6 => drop(host.fake.fault(on.reason("internal_error"))),
        7 => drop(host.fake.fault(Fault::on("token.refresh").status(500))),
        _ => host.clock.advance(Duration::from_secs(60 * random.below(20) as u64)),
    }
}

#[tokio::test]
async fn the_sink_becomes_what_the_channel_is() {
    let seeds = std::env::var("CHAOS_SEED").ok().map_or(0..40, |seed| {
        let seed: u64 = seed.parse().unwrap();
        seed..seed + 1
    });
    for seed in seeds {
        let mut random = Random(seed);
        let host = Host::new().await;
        for number in 0..17 {
            host.fake.post(GENERAL, json!({"text": format!("message {number}")}));
        }
        let connection = host.connect().await;
        let stream = GENERAL.into();
        let sync = |request| host.gateway.sync_stream(&connection.id, &stream, request);
        let mut dropped = 0;
        for _ in 0..30 {
            match random.below(5) {
                0 | 1 => change(&host, &mut random),
                2 => trouble(&host, &mut random),
                3 => {
                    let polls = random.below(16);
                    dropped += u64::from(!dropped_after(polls, sync(SyncRequest::incremental())).await);
                }
                _ => {
                    let full = random.below(6) == 0;
                    let _ = sync(if full { SyncRequest::full() } else { SyncRequest::incremental() }).await;
                }
            }
        }
        host.fake.clear_faults();
        // A refresh that has failed is not tried again at once.
        host.clock.advance(Duration::from_secs(60));
        // The first run ends a listing or a re-read that was under way; the second brings what changed meanwhile.
        for _ in 0..2 {
            let report = sync(SyncRequest::incremental().accept_shrink()).await;
            assert!(report.is_ok(), "CHAOS_SEED={seed}: {report:?}");
        }
        println!("CHAOS_SEED={seed}: {dropped} runs were dropped");
        host.assert_same(&connection, GENERAL);
    }
}
