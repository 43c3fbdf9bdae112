//! Which streams there are, by the kind of account; and what becomes of repositories that change.

use integrations_core::sync::{Position, StreamKey, SyncRequest, SyncSink};
use integrations_core::{ApiKey, Connection, ErrorKind};
use integrations_testkit::github::RepoSpec;
use serde_json::json;

use crate::dialect::KEYS;
use crate::host::{HELLO, HELLO_ID, Host, ISSUES, installation, of};

const OF_USER: &str = "repos.listForAuthenticatedUser";

/// The titles of a connection's streams.
async fn titles(host: &Host, connection: &Connection) -> Vec<String> {
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    let mut titles: Vec<_> = streams.into_iter().map(|stream| stream.title).collect();
    titles.sort();
    titles
}

fn hello() -> RepoSpec {
    RepoSpec::new(HELLO).id(HELLO_ID)
}

#[tokio::test]
async fn a_user_of_an_oauth_app_reads_repositories_and_notifications() {
    let host = Host::with(|fake| {
        let secret = RepoSpec::new("octo-org/secret").private();
        fake.with_lasting_tokens().repository(hello()).repository(secret).repository(RepoSpec::new("ada/own"))
    })
    .await;
    let connection = host.connect().await;
    assert_eq!(titles(&host, &connection).await, ["Notifications", "ada/own", HELLO, "octo-org/secret"]);
    host.fake.open_issue("octo-org/secret", json!({"title": "hush"}));
    host.sync(&connection).await;
    for repository in host.fake.repositories() {
        host.assert_same(&connection, &repository);
    }
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.count("rateLimit.get"), 1);
}

#[tokio::test]
async fn without_the_scope_there_are_no_notifications() {
    let host = Host::new().await;
    host.fake.grant_only(&["public_repo", "user:email", "read:org"]);
    let connection = host.connect().await;
    for _ in 0..2 {
        assert_eq!(titles(&host, &connection).await, [HELLO], "also from an answer that was kept");
    }
    assert_eq!((host.fake.count(OF_USER), host.fake.not_modified(OF_USER)), (2, 1));
}

#[tokio::test]
async fn a_user_of_a_github_app_reads_what_installations_cover() {
    let host = Host::with(|fake| {
        fake.installation(installation(1, "octo-org"))
            .installation(installation(2, "ada").repository("ada/chosen"))
            .repository(hello())
            .repository(RepoSpec::new("ada/chosen"))
            .repository(RepoSpec::new("ada/other"))
            .repository(RepoSpec::new("grace/else"))
    })
    .await;
    let connection = host.connect().await;
    assert_eq!(titles(&host, &connection).await, ["ada/chosen", HELLO]);
    host.fake.open_issue(HELLO, json!({}));
    host.fake.open_pull("ada/chosen", json!({}));
    // What has changed just now would be looked at once more.
    host.clock.advance(std::time::Duration::from_secs(60));
    host.sync(&connection).await;
    host.assert_same(&connection, HELLO);
    host.assert_same(&connection, "ada/chosen");
    host.sync(&connection).await;
    assert_eq!(host.fake.units_used(), 0);
    assert_eq!(host.fake.count(OF_USER), 0, "it is not for apps");

    host.fake.suspend_installation(2, true);
    let report = host.sync(&connection).await;
    assert_eq!((report.streams.len(), report.vanished.len()), (1, 1));
    host.fake.suspend_installation(2, false);
    assert_eq!(titles(&host, &connection).await, ["ada/chosen", HELLO]);
}

#[tokio::test]
async fn an_installation_reads_what_it_covers() {
    let host = Host::with_config(
        |fake| {
            fake.github_app("1", &KEYS.1)
                .installation(installation(42, "octo-org"))
                .repository(hello())
                .repository(RepoSpec::new("octo-org/secret").private())
                .repository(RepoSpec::new("ada/own"))
        },
        |config| config.private_key(KEYS.0.as_str()),
    )
    .await;
    let connection = host.gateway.connect_application("acme", "github", "42").await.unwrap();
    assert_eq!(titles(&host, &connection).await, [HELLO, "octo-org/secret"]);
    host.fake.open_issue("octo-org/secret", json!({}));
    host.fake.open_pull(HELLO, json!({}));
    host.clock.advance(std::time::Duration::from_secs(60));
    host.sync(&connection).await;
    host.assert_same(&connection, HELLO);
    host.assert_same(&connection, "octo-org/secret");
    host.sync(&connection).await;
    assert_eq!(host.fake.units_used(), 0);
    // With the token go its tags: everything is asked for anew, and nothing comes twice.
    host.clock.advance(std::time::Duration::from_secs(3_600));
    let report = host.sync(&connection).await;
    assert_eq!(report.total().upserted, 0);
    assert!(host.fake.units_used() > 0);
    host.sync(&connection).await;
    assert_eq!(host.fake.units_used(), 0);
    host.gateway.check_health(&connection.id).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_typed_in_reads_what_it_opens() {
    let host = Host::with(|fake| fake.open_token("ghp_CANARY").repository(hello())).await;
    let key = ApiKey::new("ghp_CANARY");
    let connection = host.gateway.connect_with_key("ada", "github", key).await.unwrap();
    assert_eq!(titles(&host, &connection).await, ["Notifications", HELLO]);
    host.fake.open_pull(HELLO, json!({}));
    host.sync(&connection).await;
    host.assert_same(&connection, HELLO);
}

#[tokio::test]
async fn an_enterprise_server_has_its_api_elsewhere() {
    let host = Host::with_config(
        |fake| fake.with_lasting_tokens().numbered_links(true).page_cap(2).repository(hello()),
        |config| config.enterprise_url("https://github.example.com"),
    )
    .await;
    let connection = host.connect().await;
    for _ in 0..5 {
        host.tick();
        let pull = host.fake.open_pull(HELLO, json!({}));
        host.fake.review(HELLO, pull, json!({}));
    }
    host.sync(&connection).await;
    let ours: Vec<_> = host.records(&connection, &HELLO_ID.to_string());
    assert_eq!(ours.len(), host.all(HELLO).len());
    let paths: Vec<_> = host.fake.requests().into_iter().map(|request| request.path).collect();
    let api = |path: &&String| path.starts_with("/api/v3/") || *path == "/api/graphql";
    let elsewhere: Vec<_> = paths.iter().filter(|path| !api(path)).collect();
    assert_eq!(elsewhere, Vec::<&String>::new());
    assert!(paths.iter().any(|path| path == "/api/graphql"));
}

#[tokio::test]
async fn an_archived_repository_is_read_once_and_again_when_it_is_taken_up() {
    let host =
        Host::with(|fake| fake.with_lasting_tokens().repository(hello().archived().generated(20))).await;
    let connection = host.connect().await;
    host.sync(&connection).await;
    host.assert_same(&connection, HELLO);
    host.sync(&connection).await;
    assert_eq!(host.fake.count(ISSUES), 0);
    host.fake.set_archived(HELLO, false);
    host.fake.open_issue(HELLO, json!({}));
    host.sync(&connection).await;
    host.assert_same(&connection, HELLO);
}

#[tokio::test]
async fn a_repository_keeps_its_stream_under_another_name_and_owner() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.fake.open_pull(HELLO, json!({}));
    host.sync(&connection).await;
    let renamed = host.fake.rename_repository(HELLO, "good-day");
    let moved = host.fake.transfer_repository(&renamed, "ada");
    // Another one takes its name.
    let taken = host.fake.add_repository(RepoSpec::new(HELLO));
    assert_ne!(taken, HELLO_ID);
    host.tick();
    host.fake.open_pull(&moved, json!({"title": "after the move"}));
    host.fake.open_pull(HELLO, json!({"title": "of the other"}));
    let report = host.sync(&connection).await;
    assert_eq!((report.vanished.len(), of(&report, &HELLO_ID.to_string()).started_in), (0, "tracking"));
    host.assert_same(&connection, &moved);
    host.assert_same(&connection, HELLO);
    assert_eq!(titles(&host, &connection).await, ["Notifications", "ada/good-day", HELLO]);
}

#[tokio::test]
async fn a_name_that_belongs_to_another_by_now_brings_no_details_of_the_other() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let pull = host.fake.open_pull(HELLO, json!({"head": "ours"}));
    // Between the list and the question for its pull requests, the repository is renamed and its name taken.
    host.meddle(|operation, fake| {
        if operation == "graphql.pulls" && fake.repositories() == [HELLO] {
            fake.rename_repository(HELLO, "good-day");
            fake.add_repository(RepoSpec::new(HELLO));
            fake.open_pull(HELLO, json!({"head": "theirs"}));
        }
    });
    host.sync_hello(&connection).await;
    let record = host.record(&connection, &pull.to_string());
    let issue = record.entity.as_issue().unwrap();
    assert_eq!(issue.pull.as_ref().unwrap().source_branch, None, "{issue:?}");
}

#[tokio::test]
async fn a_repository_that_is_gone_is_named_and_its_records_stay() {
    let host = Host::new().await;
    let connection = host.connect().await;
    host.fake.open_issue(HELLO, json!({}));
    host.sync(&connection).await;
    host.fake.set_members(HELLO, &[]);
    let report = host.sync(&connection).await;
    let key = StreamKey::new(&connection, &HELLO_ID.to_string().into());
    assert_eq!(report.vanished, std::slice::from_ref(&key));
    assert_eq!(host.records(&connection, &HELLO_ID.to_string()).len(), 1);
    assert!(matches!(host.store.load(&key).await.unwrap().position, Position::Tracking { .. }));
    host.fake.remove_repository(HELLO);
    let error =
        host.gateway.sync_stream(&connection.id, &key.stream, SyncRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn an_odd_repository_hides_no_other() {
    let host = Host::new().await;
    let connection = host.connect().await;
    for odd in
        ["null", "{}", r#"{"id":"x","full_name":7}"#, r#"{"id":77,"full_name":"odd/one","permissions":7}"#]
    {
        host.fake.raw_repository(odd);
    }
    host.fake.raw_repository(r#"{"id":78,"full_name":"good/one"}"#);
    assert_eq!(titles(&host, &connection).await, ["Notifications", "good/one", HELLO]);
    host.fake.raw_repository(r#"{"id":79,"#);
    let error = host.gateway.streams(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataFormat, "a page that is broken off is none: {error}");
}

#[tokio::test]
async fn a_stream_that_is_no_repository_is_refused() {
    let host = Host::new().await;
    let connection = host.connect().await;
    for stream in ["../user", "", "7/../8", "octo-org"] {
        let outcome = host.try_one(&connection, stream, SyncRequest::default()).await;
        assert!(outcome.is_err(), "{stream:?}");
        assert_eq!(host.fake.count(ISSUES), 0);
    }
}
