//! A repository whose issues are switched off has pull requests still.

use integrations_core::Connection;
use integrations_testkit::github::RepoSpec;
use serde_json::json;

use crate::host::{COMMENTS, HELLO, HELLO_ID, Host, ISSUES};

const PULLS: &str = "pulls.list";
const REPOSITORY: &str = "repos.get";

async fn without_issues(pulls: usize, page_cap: usize) -> (Host, Connection) {
    let host = Host::with(|fake| {
        let hello = RepoSpec::new(HELLO).id(HELLO_ID).without_issues();
        fake.with_lasting_tokens().page_cap(page_cap).repository(hello)
    })
    .await;
    for _ in 0..pulls {
        host.tick();
        let pull = host.fake.open_pull(HELLO, json!({}));
        host.fake.comment(HELLO, pull, json!({"body": "well"}));
        host.fake.review(HELLO, pull, json!({}));
    }
    let connection = host.connect().await;
    (host, connection)
}

#[tokio::test]
async fn its_pull_requests_are_read_and_followed() {
    for page_cap in [3, 100] {
        let (host, connection) = without_issues(10, page_cap).await;
        let report = host.sync_hello(&connection).await;
        assert_eq!(report.quarantined, 0);
        host.assert_same(&connection, HELLO);
        host.clock.advance(std::time::Duration::from_secs(600));
        host.sync_hello(&connection).await;
        host.sync_hello(&connection).await;
        assert_eq!((host.fake.units_used(), host.fake.count(ISSUES)), (0, 0), "nothing new costs nothing");
        assert_eq!((host.fake.not_modified(PULLS), host.fake.not_modified(REPOSITORY)), (1, 1));
        for changed in [1, 4, 9] {
            for number in host.fake.issue_numbers(HELLO).into_iter().take(changed) {
                host.tick();
                host.fake.set_draft(HELLO, number, true);
                host.fake.comment(HELLO, number, json!({"body": "and"}));
            }
            host.tick();
            host.fake.open_pull(HELLO, json!({}));
            host.sync_hello(&connection).await;
            host.assert_same(&connection, HELLO);
        }
        assert!(host.fake.count(COMMENTS) > 0);
    }
}

#[tokio::test]
async fn what_happens_at_every_page_boundary_is_not_lost() {
    let (host, connection) = without_issues(10, 3).await;
    for _ in 0..2 {
        let clock = host.clock.clone();
        host.meddle(move |operation, fake| {
            let numbers = fake.issue_numbers(HELLO);
            if operation == "pulls.list" && numbers.len() < 20 {
                clock.advance(std::time::Duration::from_secs(1));
                fake.set_draft(HELLO, numbers[0], true);
                fake.set_draft(HELLO, numbers[numbers.len() / 2], true);
                fake.open_pull(HELLO, json!({}));
            }
        });
        host.sync_hello(&connection).await;
        host.leave_alone();
        host.sync_hello(&connection).await;
        host.assert_same(&connection, HELLO);
        host.clock.advance(std::time::Duration::from_secs(600));
    }
}

#[tokio::test]
async fn issues_are_switched_off_and_on_again() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.fake.open_issue(HELLO, json!({}));
    host.fake.open_pull(HELLO, json!({}));
    host.sync_hello(&connection).await;
    host.fake.set_has_issues(HELLO, false);
    host.tick();
    host.fake.open_pull(HELLO, json!({}));
    let report = host.sync_hello(&connection).await;
    assert_eq!((report.resyncs, report.swept), (1, 1), "the issue does not show any more");
    host.fake.set_has_issues(HELLO, true);
    let report = host.sync_hello(&connection).await;
    assert_eq!(report.resyncs, 1);
    host.assert_same(&connection, HELLO);
}
