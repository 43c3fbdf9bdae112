//! How many calls does it take?

use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use integrations_core::sync::SyncRequest;
use integrations_testkit::github::RepoSpec;
use integrations_testkit::github::SecondaryLimits;

use crate::host::{COMMENTS, GRAPHQL, HELLO, HELLO_ID, Host, ISSUES, REVIEW_COMMENTS, impatient};

#[tokio::test]
async fn two_hundred_repositories_without_news_cost_nothing() {
    let host = Host::with(|fake| fake.with_lasting_tokens().generated_repositories(200, 3)).await;
    let connection = host.connect().await;
    let watch = SystemClock::new();
    let report = host.sync(&connection).await;
    let first = (host.fake.units_used(), host.fake.requests().len());
    println!(
        "first: {} records, {} units, {} calls, {:?}",
        report.total().upserted,
        first.0,
        first.1,
        watch.monotonic()
    );
    assert_eq!(report.streams.len(), 201);
    for repository in host.fake.repositories() {
        host.assert_same(&connection, &repository);
    }
    // Comments may show a little later than their issue does: they are looked for twice, the second time for nothing.
    for run in ["second", "third"] {
        host.clock.advance(Duration::from_secs(300));
        let watch = SystemClock::new();
        let report = host.sync(&connection).await;
        println!(
            "{run}: {} units, {} calls, {:?}",
            host.fake.units_used(),
            host.fake.requests().len(),
            watch.monotonic()
        );
        assert_eq!((report.total().upserted, host.fake.units_used()), (0, 0), "{run}");
    }
    assert_eq!(host.fake.not_modified(ISSUES), 180, "one call for each repository that is not archived");
    // Nor does a process that has just started.
    let process = host.another_process(impatient);
    host.clock.advance(Duration::from_secs(300));
    host.fake.reset_counters();
    process.sync(&connection.id).await.unwrap().into_result().unwrap();
    assert_eq!(host.fake.units_used(), 0);
    assert_eq!(host.fake.not_modified("repos.listForAuthenticatedUser"), 2);
}

#[tokio::test]
async fn under_the_real_limits_a_run_without_news_takes_seconds() {
    let host = Host::with(|fake| {
        fake.with_lasting_tokens().secondary_limits(SecondaryLimits::default()).generated_repositories(200, 3)
    })
    .await;
    let connection = host.while_time_passes(host.connect()).await;
    // It keeps to GitHub's limits, as hosts do.
    let patient = host.another_process(|gateway| gateway);
    for run in ["first", "second", "third"] {
        host.fake.reset_counters();
        let begun = host.clock.monotonic();
        let report =
            host.while_time_passes(patient.sync(&connection.id)).await.unwrap().into_result().unwrap();
        let took = host.clock.monotonic() - begun;
        println!("{run}: {} records, {} units, {took:?}", report.total().upserted, host.fake.units_used());
        assert_eq!(host.fake.rate_limited(ISSUES) + host.fake.rate_limited(GRAPHQL), 0, "{run}");
        if run != "first" {
            assert_eq!(host.fake.units_used(), 0, "{run}");
            assert!(took < Duration::from_secs(30), "{run}: {took:?}");
        }
        host.clock.advance(Duration::from_secs(300));
    }
}

#[tokio::test]
async fn a_thousand_issues_are_read_by_few_calls() {
    by_few_calls(1_000).await;
}

#[tokio::test]
#[ignore = "takes a minute in a debug build"]
async fn ten_thousand_issues_are_read_by_few_calls() {
    by_few_calls(10_000).await;
}

async fn by_few_calls(issues: u64) {
    for numbered in [false, true] {
        let host = Host::with(|fake| {
            let hello = RepoSpec::new(HELLO).id(HELLO_ID).generated(issues);
            fake.with_lasting_tokens().numbered_links(numbered).repository(hello)
        })
        .await;
        let connection = host.connect().await;
        let watch = SystemClock::new();
        let report = host.sync_hello(&connection).await;
        let took = watch.monotonic();
        let calls = [ISSUES, COMMENTS, REVIEW_COMMENTS, GRAPHQL].map(|operation| host.fake.count(operation));
        let (said, on_lines) =
            (host.fake.comment_ids(HELLO).len() as u64, host.fake.review_comment_ids(HELLO).len() as u64);
        let numbers = host.fake.issue_numbers(HELLO);
        let pulls = numbers.iter().filter(|number| host.fake.pull(HELLO, **number).is_some()).count() as u64;
        let least = [issues, said, on_lines, pulls].map(|items| items.div_ceil(100));
        let (sum, least_sum): (u64, u64) = (calls.iter().sum(), least.iter().sum());
        println!(
            "numbered {numbered}: {} records of {issues} issues ({pulls} of them pull requests), {said} comments \
             and {on_lines} on lines in {took:?}; calls of issues, comments, comments on lines, GraphQL: {calls:?}, \
             {sum} in all; {} units; with 100 on each page it takes {least:?}, {least_sum} in all; {:.2} times that",
            report.upserted,
            host.fake.units_used(),
            f64::from(u32::try_from(sum).unwrap()) / f64::from(u32::try_from(least_sum).unwrap()),
        );
        assert_eq!(host.records(&connection, &HELLO_ID.to_string()).len(), host.all(HELLO).len());
        assert!(sum * 100 <= least_sum * 140, "{calls:?}, and not {least:?}");
        // Where pages are counted, what changed in a page's last second comes again.
        assert!(calls[0] <= least[0] * 110 / 100 + 1, "{calls:?}, and not {least:?}");
        assert!(calls[1] <= least[1] * 103 / 100 + 2, "{calls:?}, and not {least:?}");

        // A full listing costs as much, a run without news a call that is not counted.
        host.sync_hello(&connection).await;
        assert_eq!(host.fake.units_used(), 0);
        let full = host.try_one(&connection, &HELLO_ID.to_string(), SyncRequest::full()).await.unwrap();
        assert_eq!((full.swept, full.withheld), (0, None));
    }
}
