//! What if an answer is not what GitHub's documentation says?

use integrations_core::ErrorKind;
use integrations_core::sync::{SyncRequest, Window};
use integrations_testkit::Fault;
use integrations_testkit::github::RepoSpec;
use serde_json::json;

use crate::host::{COMMENTS, GRAPHQL, HELLO, HELLO_ID, Host, ISSUES};

const JSON: &str = "application/json; charset=utf-8";

/// A host whose repository has seven issues, three on a page, a second apart and an hour ago.
async fn with_issues() -> (Host, integrations_core::Connection) {
    let host = Host::with(|fake| {
        fake.with_lasting_tokens().page_cap(3).repository(RepoSpec::new(HELLO).id(HELLO_ID))
    })
    .await;
    for _ in 0..7 {
        host.tick();
        host.fake.open_issue(HELLO, json!({}));
    }
    host.clock.advance(std::time::Duration::from_secs(3_600));
    let connection = host.connect().await;
    (host, connection)
}

#[tokio::test]
async fn what_is_no_page_is_not_taken_for_one() {
    let (host, connection) = with_issues().await;
    let stream = HELLO_ID.to_string();
    for nth in [1, 2] {
        for body in ["", "{}", "null", "[{\"id\":1}", "[]]", "<html>", "{\"items\":[]}"] {
            host.fake.fault(Fault::on(ISSUES).nth(nth).body(body, JSON));
            host.gateway.forget_stream(&connection.id, &stream.as_str().into()).await.unwrap();
            let outcome = host.try_one(&connection, &stream, SyncRequest::full()).await;
            let error = outcome.expect_err(body);
            assert_eq!(error.kind(), ErrorKind::DataFormat, "{body}: {error}");
            host.fake.clear_faults();
        }
    }
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_is_not_followed() {
    let (host, connection) = with_issues().await;
    let foreign = "<http://127.0.0.1:9/issues?after=x>; rel=\"next\"";
    let page: Vec<_> = (1..=3).map(|number| host.fake.issue(HELLO, number).unwrap()).collect();
    let page = serde_json::to_string(&page).unwrap();
    host.fake.fault(Fault::on(ISSUES).nth(2).body(&page, JSON).header("link", foreign));
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);
    // Nor a list of repositories.
    host.fake.fault(Fault::on("repos.listForAuthenticatedUser").body("[]", JSON).header("link", foreign));
    let error = host.gateway.streams(&connection.id).await.unwrap_err();
    assert_eq!(error.provider_code(), Some("foreign_host"), "{error}");
}

#[tokio::test]
async fn pages_that_lead_to_themselves_have_an_end() {
    let (host, connection) = with_issues().await;
    let again = format!("<{}/repositories/{HELLO_ID}/issues?after=x>; rel=\"next\"", host.fake.url());
    host.fake.fault(Fault::on(ISSUES).always().body("[]", JSON).header("link", &again));
    let error = host.try_one(&connection, &HELLO_ID.to_string(), SyncRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataFormat, "{error}");
    assert!(host.fake.count(ISSUES) < 10);
    host.fake.clear_faults();
    host.sync_hello(&connection).await;
    host.assert_same(&connection, HELLO);

    let url = format!("<{}/user/repos?page=2>; rel=\"next\"", host.fake.url());
    host.fake
        .fault(Fault::on("repos.listForAuthenticatedUser").always().body("[]", JSON).header("link", &url));
    let error = host.gateway.streams(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataFormat, "{error}");
}

#[tokio::test]
async fn an_odd_answer_of_graphql_costs_the_details_and_nothing_else() {
    for odd in [
        r#"{"data":{"repository":{"databaseId":1296269}}}"#,
        r#"{"data":{"repository":{"databaseId":"1296269","p1":{"number":1}}}}"#,
        r#"{"data":{"repository":{"databaseId":1296269,"p1":7}}}"#,
        r#"{"data":{"repository":{"databaseId":1296269,"p1":[{"reviews":null}]}}}"#,
        r#"{"data":{"repository":{"databaseId":1296269,"p1":null}},"errors":[{"type":"NOT_FOUND","path":["repository","p1"]}]}"#,
        r#"{"data":{"repository":{"databaseId":1296269,"p1":{"number":1,"reviews":7}}}}"#,
        r#"{"data":{"repository":{"databaseId":1296269,"p1":{"number":1,"reviews":{"nodes":[null,null],"pageInfo":{"hasNextPage":true,"endCursor":null}}}}}}"#,
        r#"{"data":{"repository":null},"errors":[{"type":"NOT_FOUND"}]}"#,
        r#"{"data":null,"errors":[{"message":"Field 'isDraft' doesn't exist on type 'PullRequest'","extensions":{"code":"undefinedField"}}]}"#,
    ] {
        let host = Host::new().await;
        let connection = host.connect().await;
        let pull = host.fake.open_pull(HELLO, json!({"title": "Mend it"}));
        host.clock.advance(std::time::Duration::from_secs(60));
        host.fake.fault(Fault::on(GRAPHQL).body(odd, JSON));
        let report = host.sync_hello(&connection).await;
        assert_eq!((report.upserted, report.quarantined), (1, 0), "{odd}");
        let record = host.record(&connection, &pull.to_string());
        let issue = record.entity.as_issue().unwrap();
        assert_eq!(issue.title.as_deref(), Some("Mend it"), "{odd}");
        assert!(issue.pull.is_some(), "{odd}");
    }
}

#[tokio::test]
async fn a_window_asks_for_no_older_comments() {
    let (host, connection) = with_issues().await;
    host.fake.comment(HELLO, 1, json!({"body": "long ago"}));
    host.clock.advance(std::time::Duration::from_secs(864_000));
    host.fake.comment(HELLO, 2, json!({"body": "of late"}));
    let since = integrations_core::clock::Clock::now(&host.clock) - chrono::TimeDelta::days(1);
    let request = SyncRequest::incremental().within(Window::since(since));
    let report = host.try_one(&connection, &HELLO_ID.to_string(), request).await.unwrap();
    assert_eq!((report.upserted, report.outside), (8, 0), "seven issues and a comment");
    let asked = host.fake.requests().into_iter().find(|request| request.operation == COMMENTS).unwrap();
    assert!(asked.sync_token, "it was asked for since a time: {asked:?}");
}
