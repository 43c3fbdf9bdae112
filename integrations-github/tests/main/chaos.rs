//! Whatever happens, and in whatever order: once GitHub answers again, the sink is what the repository is.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use integrations_testkit::github::RepoSpec;
use serde_json::json;

use crate::host::{COMMENTS, GRAPHQL, HELLO, HELLO_ID, Host, ISSUES, REVIEW_COMMENTS, installation};

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

    fn of(&mut self, all: &[u64]) -> Option<u64> {
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

/// Polls a future so many times, then drops it, as a host does that is shut down.
async fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

fn change(host: &Host, random: &mut Random) {
    // Often within one second.
    host.clock.advance(Duration::from_secs(random.below(2) as u64));
    let fake = &host.fake;
    let numbers = fake.issue_numbers(HELLO);
    let is_pull = |number: &&u64| fake.pull(HELLO, **number).is_some();
    let pulls: Vec<u64> = numbers.iter().filter(is_pull).copied().collect();
    let issues: Vec<u64> = numbers.iter().filter(|number| !is_pull(number)).copied().collect();
    let text = format!("No. {}", random.below(1_000));
    match random.below(12) {
        0 if issues.len() > 6 => fake.delete_issue(HELLO, random.of(&issues).unwrap()),
        1 => drop(random.of(&numbers).map(|number| fake.edit_issue(HELLO, number, json!({"title": text})))),
        2 => drop(random.of(&numbers).map(|number| fake.close_issue(HELLO, number, None))),
        3 => drop(random.of(&numbers).map(|number| fake.comment(HELLO, number, json!({"body": text})))),
        4 => drop(random.of(&pulls).map(|number| fake.review_comment(HELLO, number, json!({"body": text})))),
        5 => drop(random.of(&pulls).map(|number| fake.review(HELLO, number, json!({"state": "APPROVED"})))),
        6 => drop(random.of(&pulls).map(|number| fake.push_to_pull(HELLO, number))),
        7 => drop(random.of(&fake.comment_ids(HELLO)).map(|id| fake.edit_comment(HELLO, id, &text))),
        8 => numbers.iter().for_each(|number| fake.edit_issue(HELLO, *number, json!({"labels": ["swept"]}))),
        9 => drop(random.of(&fake.comment_ids(HELLO)).map(|id| fake.delete_comment(HELLO, id))),
        10 => assert!(fake.open_pull(HELLO, json!({"title": text})) > 0),
        _ => assert!(fake.open_issue(HELLO, json!({"title": text})) > 0),
    }
}

fn trouble(host: &Host, random: &mut Random) {
    let nth = 1 + random.below(3) as u64;
    let operation = [ISSUES, COMMENTS, REVIEW_COMMENTS, GRAPHQL][random.below(4)];
    let on = Fault::on(operation).nth(nth);
    match random.below(9) {
        0 => host.fake.expire_cursors(),
        1 => host.fake.expire_access_tokens(),
        2 => drop(host.fake.fault(on.status(503))),
        3 => drop(host.fake.fault(on.status(429))),
        4 => drop(host.fake.fault(on.truncate(200))),
        5 => drop(host.fake.fault(on.reset())),
        // Of GraphQL that means that a pull request is too much, and it is done without.
        6 => drop(host.fake.fault(on.status(if operation == GRAPHQL { 500 } else { 502 }))),
        7 => drop(host.fake.fault(Fault::on("token.refresh").status(500))),
        _ => host.clock.advance(Duration::from_secs(60 * random.below(20) as u64)),
    }
}

#[tokio::test]
async fn the_sink_becomes_what_the_repository_is() {
    let seeds = std::env::var("CHAOS_SEED").ok().map_or(0..40, |seed| {
        let seed: u64 = seed.parse().unwrap();
        seed..seed + 1
    });
    for seed in seeds {
        // Shown when the test fails.
        println!("CHAOS_SEED={seed}");
        let mut random = Random(seed);
        let host = Host::with(|fake| {
            let hello = RepoSpec::new(HELLO).id(HELLO_ID);
            let fake = fake.installation(installation(1, "octo-org")).repository(hello);
            fake.page_cap(5).numbered_links(seed % 2 == 1)
        })
        .await;
        for number in 0..17 {
            host.fake.open_issue(HELLO, json!({"title": format!("issue {number}")}));
        }
        let connection = host.connect().await;
        let stream = HELLO_ID.to_string().into();
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
        // The first run ends what was under way, the second brings what has changed meanwhile. What was deleted is for
        // a full listing to find.
        let runs = [SyncRequest::incremental(), SyncRequest::incremental(), SyncRequest::full()];
        for (number, request) in runs.into_iter().enumerate() {
            let report = sync(request.accept_shrink()).await;
            assert!(report.is_ok(), "CHAOS_SEED={seed}: {report:?}");
            if number > 0 {
                host.assert_has_all(&connection, HELLO);
            }
        }
        println!("{dropped} runs were dropped");
        host.assert_same(&connection, HELLO);
    }
}
