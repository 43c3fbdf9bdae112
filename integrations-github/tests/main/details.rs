//! What GraphQL knows of pull requests, and what becomes of them where it knows nothing.

use integrations_core::ErrorKind;
use integrations_core::model::{CheckState, ReviewState};
use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use integrations_testkit::github::RepoSpec;
use serde_json::json;

use crate::host::{GRAPHQL, HELLO, HELLO_ID, Host, installation};

/// A host with so many pull requests, and a connection.
async fn with_pulls(pulls: usize) -> (Host, integrations_core::Connection) {
    let host = Host::new().await;
    for number in 0..pulls {
        host.fake.open_pull(HELLO, json!({"title": format!("No. {number}")}));
    }
    let connection = host.connect().await;
    // What has changed just now would be looked at twice.
    host.clock.advance(std::time::Duration::from_secs(60));
    (host, connection)
}

/// How many pull requests the sink has, and of how many of them the branch is known.
fn known(host: &Host, connection: &integrations_core::Connection) -> (usize, usize) {
    let records = host.records(connection, &HELLO_ID.to_string());
    let pulls = records.iter().filter_map(|record| record.entity.as_issue());
    let pulls: Vec<_> = pulls.filter_map(|issue| issue.pull.as_ref()).collect();
    (pulls.len(), pulls.iter().filter(|pull| pull.source_branch.is_some()).count())
}

#[tokio::test]
async fn a_hundred_pull_requests_take_two_queries() {
    let (host, connection) = with_pulls(100).await;
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);
    assert_eq!((known(&host, &connection), host.fake.count(GRAPHQL)), ((100, 100), 2));
    // One that changes is asked for alone.
    host.tick();
    host.fake.push_to_pull(HELLO, 7);
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);
    assert_eq!((host.fake.count(GRAPHQL), host.fake.count("pulls.get")), (1, 0));
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_asked_in_parts() {
    let (host, connection) = with_pulls(8).await;
    // The first three queries are too much: for eight, for four, for two.
    let slow = r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}"#;
    host.fake.fault(Fault::on(GRAPHQL).times(3).status(502).body(slow, "application/json"));
    let report = host.sync_hello(&connection).await;
    assert_eq!((report.quarantined, known(&host, &connection)), (0, (8, 8)));
    assert_eq!(host.fake.count(GRAPHQL), 3 + 4, "one and one, two, four");
}

#[tokio::test]
async fn a_pull_request_that_is_too_much_is_done_without() {
    let (host, connection) = with_pulls(4).await;
    host.fake.fault(Fault::on(GRAPHQL).times(3).status(502));
    let report = host.sync_hello(&connection).await;
    assert_eq!((report.quarantined, known(&host, &connection)), (0, (4, 3)), "four, two, one");
    // A full listing brings it.
    host.try_one(&connection, &HELLO_ID.to_string(), SyncRequest::full()).await.unwrap();
    assert_eq!(known(&host, &connection), (4, 4));
}

#[tokio::test]
async fn where_graphql_refuses_the_lists_are_read_without_it() {
    for status in [403, 404] {
        let (host, connection) = with_pulls(3).await;
        host.fake.fault(
            Fault::on(GRAPHQL).times(9).status(status).reason("Resource not accessible by integration"),
        );
        let report = host.sync_hello(&connection).await;
        assert_eq!((report.upserted, known(&host, &connection)), (3, (3, 0)), "{status}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_for_and_nothing_is_lost() {
    for (status, kind) in [(500, ErrorKind::ServiceUnavailable), (429, ErrorKind::RateLimited)] {
        let (host, connection) = with_pulls(3).await;
        host.fake.fault(Fault::on(GRAPHQL).status(status));
        let error =
            host.try_one(&connection, &HELLO_ID.to_string(), SyncRequest::default()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(known(&host, &connection), (0, 0), "the page is read again as a whole");
        host.clock.advance(std::time::Duration::from_secs(120));
        host.sync_hello(&connection).await;
        assert_eq!(known(&host, &connection), (3, 3));
    }
    let (host, connection) = with_pulls(3).await;
    host.fake.leave_graphql_points(0);
    let error = host.try_one(&connection, &HELLO_ID.to_string(), SyncRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    host.clock.advance(std::time::Duration::from_secs(3_700));
    host.sync_hello(&connection).await;
    assert_eq!(known(&host, &connection), (3, 3));
}

#[tokio::test]
async fn checks_and_reviews_come_as_far_as_the_grant_reaches() {
    let host = Host::with(|fake| {
        fake.installation(installation(1, "octo-org")).repository(RepoSpec::new(HELLO).id(HELLO_ID))
    })
    .await;
    let connection = host.connect().await;
    let pull = host.fake.open_pull(HELLO, json!({}));
    let sha = host.fake.head_sha(HELLO, pull);
    host.fake.check_run(HELLO, &sha, json!({"name": "build", "conclusion": "failure"}));
    host.fake.request_review(HELLO, pull, &host.fake.login());
    host.fake.review(HELLO, pull, json!({"state": "APPROVED"}));
    host.clock.advance(std::time::Duration::from_secs(60));
    host.sync_hello(&connection).await;
    let record = host.record(&connection, &pull.to_string());
    let issue = record.entity.as_issue().unwrap();
    let details = issue.pull.as_ref().unwrap();
    assert_eq!(details.checks.as_ref().map(CheckState::as_str), Some("failure"));
    assert_eq!(details.review.as_ref().map(ReviewState::as_str), Some("approved"));

    // What a check says later is no change of the pull request; a full listing brings it.
    host.tick();
    host.fake.check_run(HELLO, &sha, json!({"name": "build", "conclusion": "success"}));
    host.sync_hello(&connection).await;
    let checks = |record: integrations_core::model::Record| {
        record.entity.as_issue().unwrap().pull.as_ref().unwrap().checks.clone().unwrap().as_str().to_owned()
    };
    assert_eq!(checks(host.record(&connection, &pull.to_string())), "failure");
    host.try_one(&connection, &HELLO_ID.to_string(), SyncRequest::full()).await.unwrap();
    assert_eq!(checks(host.record(&connection, &pull.to_string())), "success");
}
