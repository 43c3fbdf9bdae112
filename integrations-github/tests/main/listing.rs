//! Everything that is said in a repository comes, whatever happens while it is read.

use integrations_core::sync::SyncRequest;
use integrations_testkit::github::{FakeGitHub, RepoSpec};
use serde_json::json;

use crate::host::{COMMENTS, GRAPHQL, HELLO, HELLO_ID, Host, ISSUES, REVIEW_COMMENTS};

/// An issue with a comment, and a pull request with a comment, a comment on a line and a review.
fn talk(fake: &FakeGitHub) -> (u64, u64) {
    let issue = fake.open_issue(HELLO, json!({"title": "Found a bug", "labels": ["bug"]}));
    fake.comment(HELLO, issue, json!({"body": "Me too"}));
    let pull = fake.open_pull(HELLO, json!({"title": "Mend it", "draft": true}));
    fake.comment(HELLO, pull, json!({"body": "At last"}));
    fake.review_comment(HELLO, pull, json!({"body": "Here?", "path": "src/lib.rs", "line": 7}));
    fake.review(HELLO, pull, json!({"state": "CHANGES_REQUESTED", "body": "Not yet"}));
    (issue, pull)
}

#[tokio::test]
async fn everything_that_is_said_comes_and_so_does_what_changes() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let (issue, pull) = talk(&host.fake);
    let report = host.sync_hello(&connection).await;
    assert_eq!((report.upserted, report.quarantined), (6, 0));
    host.assert_same(&connection, HELLO);
    let calls = [ISSUES, COMMENTS, REVIEW_COMMENTS, GRAPHQL].map(|operation| host.fake.count(operation));
    assert_eq!(calls, [1, 1, 1, 1], "all of it in four calls");
    let record = host.record(&connection, &pull.to_string());
    let details = record.entity.as_issue().unwrap().pull.as_ref().unwrap();
    assert!(details.draft && details.head_sha.is_some() && details.additions == Some(12), "{details:?}");

    let fake = &host.fake;
    let comment = fake.comment_ids_of(HELLO, issue)[0];
    let changes: [&dyn Fn(); 7] = [
        &|| fake.edit_issue(HELLO, issue, json!({"title": "Found a mistake"})),
        &|| fake.edit_comment(HELLO, comment, "Me, too"),
        &|| assert!(fake.comment(HELLO, issue, json!({"body": "And I"})) > 0),
        &|| assert!(fake.review_comment(HELLO, pull, json!({"body": "And here"})) > 0),
        &|| assert!(fake.review(HELLO, pull, json!({"state": "APPROVED"})) > 0),
        &|| assert!(!fake.push_to_pull(HELLO, pull).is_empty()),
        &|| fake.merge_pull(HELLO, pull),
    ];
    for change in changes {
        host.tick();
        change();
        let report = host.sync_hello(&connection).await;
        assert!(report.upserted > 0 && report.quarantined == 0, "{report:?}");
        host.assert_same(&connection, HELLO);
    }
    // What has changed just now is looked at once more.
    host.clock.advance(std::time::Duration::from_secs(60));
    host.sync_hello(&connection).await;
    let report = host.sync_hello(&connection).await;
    assert_eq!((report.upserted, host.fake.units_used()), (0, 0), "nothing new costs nothing");
}

#[tokio::test]
async fn two_changes_within_a_second_are_two() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let (issue, _) = talk(&host.fake);
    host.fake.edit_issue(HELLO, issue, json!({"title": "One"}));
    host.sync_hello(&connection).await;
    // The same time of update.
    host.fake.edit_issue(HELLO, issue, json!({"title": "Two"}));
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);
}

#[tokio::test]
async fn two_reviews_within_a_second_are_two() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let pull = host.fake.open_pull(HELLO, json!({}));
    for state in ["COMMENTED", "APPROVED"] {
        // The list says the same of the pull request after each.
        host.fake.review(HELLO, pull, json!({"state": state}));
        host.sync_hello(&connection).await;
        host.assert_same(&connection, HELLO);
    }
    let pushed = host.fake.push_to_pull(HELLO, pull);
    host.sync_hello(&connection).await;
    assert_eq!(pushed, host.fake.head_sha(HELLO, pull));
    host.assert_same(&connection, HELLO);
}

#[tokio::test]
async fn a_comment_that_shows_late_is_looked_for_again() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let (issue, _) = talk(&host.fake);
    host.clock.advance(std::time::Duration::from_secs(600));
    host.sync_hello(&connection).await;
    host.sync_hello(&connection).await;
    assert_eq!(host.fake.count(COMMENTS), 0, "nothing has changed for minutes");
    host.fake.edit_issue(HELLO, issue, json!({"title": "Something was said"}));
    host.sync_hello(&connection).await;
    // The comment stands in the list a little later than its issue says so.
    host.meddle({
        let mut done = false;
        move |operation, fake| {
            if operation == "issues.list-comments-for-repo" && !std::mem::replace(&mut done, true) {
                let number = fake.issue_numbers(HELLO)[0];
                let id = fake.comment(HELLO, number, json!({"body": "late"}));
                assert!(id > 0);
            }
        }
    });
    host.sync_hello(&connection).await;
    host.leave_alone();
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);
    host.clock.advance(std::time::Duration::from_secs(600));
    host.sync_hello(&connection).await;
    assert_eq!((host.fake.count(COMMENTS), host.fake.units_used()), (1, 0), "once more, for nothing");
    host.sync_hello(&connection).await;
    assert_eq!(host.fake.count(COMMENTS), 0);
}

#[tokio::test]
async fn more_reviews_than_come_with_a_pull_request_are_fetched() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let pull = host.fake.open_pull(HELLO, json!({}));
    for number in 0..170 {
        host.fake.review(HELLO, pull, json!({"body": format!("No. {number}")}));
    }
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);
    assert_eq!(host.fake.count(GRAPHQL), 3, "50, 100 and 20");
}

async fn numbered_or_not(numbered: bool, page_cap: usize) -> Host {
    Host::with(|fake| {
        let fake = fake.with_lasting_tokens().repository(RepoSpec::new(HELLO).id(HELLO_ID));
        fake.numbered_links(numbered).page_cap(page_cap)
    })
    .await
}

#[tokio::test]
async fn hundreds_of_changes_in_one_second_neither_loop_nor_are_lost() {
    for numbered in [false, true] {
        let host = numbered_or_not(numbered, 100).await;
        let connection = host.connect().await;
        let numbers: Vec<u64> = (0..350).map(|_| host.fake.open_issue(HELLO, json!({}))).collect();
        for number in numbers.iter().take(250) {
            host.fake.comment(HELLO, *number, json!({"body": "all at once"}));
        }
        let report = host.sync_hello(&connection).await;
        assert_eq!(report.upserted, 600, "numbered: {numbered}");
        host.assert_same(&connection, HELLO);
        for _ in 0..2 {
            host.tick();
            for number in &numbers {
                host.fake.edit_issue(HELLO, *number, json!({"labels": ["swept"]}));
            }
            let report = host.sync_hello(&connection).await;
            assert!(report.upserted >= 350 && report.pages < 40, "numbered: {numbered}: {report:?}");
            host.assert_same(&connection, HELLO);
        }
        println!("numbered: {numbered}: {} calls for 350 changes", host.fake.count(ISSUES));
    }
}

/// Something happens before each call of the list.
async fn while_it_is_read(numbered: bool, same_second: bool, happens: fn(&FakeGitHub, u64)) {
    let host = numbered_or_not(numbered, 3).await;
    let connection = host.connect().await;
    for _ in 0..13 {
        if !same_second {
            host.tick();
        }
        host.fake.open_issue(HELLO, json!({}));
    }
    host.clock.advance(std::time::Duration::from_secs(3_600));
    for round in 0..2 {
        let clock = host.clock.clone();
        let mut calls = 0;
        host.meddle(move |operation, fake| {
            calls += 1;
            // It ends some time, or a list that grows would never be read.
            if operation == "issues.list-for-repo" && calls < 20 {
                clock.advance(std::time::Duration::from_secs(1));
                happens(fake, calls);
            }
        });
        let request = if round == 0 { SyncRequest::incremental() } else { SyncRequest::full() };
        host.try_one(&connection, &HELLO_ID.to_string(), request).await.unwrap();
        host.leave_alone();
        // What was deleted meanwhile is for a full listing to find.
        let there = host.all(HELLO);
        host.sync_hello(&connection).await;
        let ours: std::collections::BTreeSet<_> = host
            .records(&connection, &HELLO_ID.to_string())
            .iter()
            .map(|record| record.id().to_owned())
            .collect();
        assert!(
            ours.is_superset(&there),
            "numbered {numbered}, one second {same_second}: {ours:?}, not {there:?}"
        );
        let full = SyncRequest::full().accept_shrink();
        host.try_one(&connection, &HELLO_ID.to_string(), full).await.unwrap();
        host.assert_same(&connection, HELLO);
    }
}

#[tokio::test]
async fn what_is_changed_at_every_page_boundary_is_not_lost() {
    let first = |fake: &FakeGitHub, _| {
        let number = fake.issue_numbers(HELLO)[0];
        fake.edit_issue(HELLO, number, json!({"title": "again"}));
    };
    let each_in_turn = |fake: &FakeGitHub, call: u64| {
        let numbers = fake.issue_numbers(HELLO);
        let number = numbers[usize::try_from(call).unwrap() % numbers.len()];
        fake.edit_issue(HELLO, number, json!({"title": format!("in call {call}")}));
    };
    let gone = |fake: &FakeGitHub, _| {
        let numbers = fake.issue_numbers(HELLO);
        if numbers.len() > 6 {
            fake.delete_issue(HELLO, numbers[0]);
        }
    };
    let added = |fake: &FakeGitHub, _| assert!(fake.open_issue(HELLO, json!({})) > 0);
    for numbered in [false, true] {
        for same_second in [false, true] {
            for happens in [first, each_in_turn, gone, added] {
                while_it_is_read(numbered, same_second, happens).await;
            }
        }
    }
}
