//! What is Slack's own: two tokens in one answer, each with a life of its own.

use integrations_core::ErrorKind;
use integrations_core::auth::Level;
use integrations_core::observe::AuditAction;
use integrations_testkit::conformance::authenticator::Host;
use integrations_testkit::oauth::FakeOAuthBuilder;

use crate::oauth::subject;

const REDIRECT: &str = "https://app.example/callback/slack";

#[tokio::test]
async fn a_bot_and_a_user_become_two_connections_that_live_by_themselves() {
    let host = Host::new(subject()).await;
    let scopes = ["channels:read", "chat:write", "user:channels:history"];
    let begun =
        host.gateway.connect("ada", "slack").redirect_uri(REDIRECT).scopes(scopes).begin().await.unwrap();
    let query: Vec<_> = begun.url.query_pairs().into_owned().collect();
    assert!(query.contains(&("scope".into(), "channels:read,chat:write".into())), "{query:?}");
    assert!(query.contains(&("user_scope".into(), "channels:history".into())), "{query:?}");
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    let connections = host.gateway.complete_all("ada", &callback).await.unwrap();
    let [bot, user] = connections.as_slice() else { panic!("{connections:?}") };
    assert_ne!(bot.id, user.id);
    assert_eq!(bot.scopes, ["channels:read", "chat:write"]);
    assert_eq!(user.scopes, ["user:channels:history"]);
    // The ids are those that the API gives, so that a later connect finds the same connection.
    assert_eq!(host.touch(&bot.id).await.unwrap().id, bot.account.id);
    assert_eq!(host.touch(&user.id).await.unwrap().id, user.account.id);

    // Each has a refresh token of its own.
    for round in 1..=3 {
        host.come_due(&bot.id).await;
        host.touch(&bot.id).await.unwrap();
        host.touch(&user.id).await.unwrap();
        assert_eq!(host.fake.tally().refreshes, 2 * round);
        assert_eq!(host.stored(&user.id).await.scopes, ["user:channels:history"]);
    }
    assert_eq!(host.fake.tally().spent_refresh_tokens, 0);

    // One goes, the other stays.
    host.gateway.disconnect(&bot.id).await.unwrap();
    host.touch(&user.id).await.unwrap();
}

#[tokio::test]
async fn a_token_that_slack_calls_revoked_marks_its_connection_at_the_first_call() {
    let host = Host::new(subject()).await;
    let connection = host.connect().await;
    host.fake.revoke_account("ada@example.com");
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.provider_code()),
        (ErrorKind::ReauthorizationRequired, Some("token_revoked"))
    );
    assert_eq!(host.stored(&connection.id).await.status.as_str(), "reauthorization_required");
}

#[tokio::test]
async fn without_rotation_tokens_do_not_expire_and_nothing_is_refreshed() {
    let host = Host::with(subject(), FakeOAuthBuilder::with_lasting_tokens).await;
    let connection = host.connect().await;
    assert_eq!(connection.tokens.expires_at, None);
    host.clock.advance(std::time::Duration::from_secs(400 * 24 * 3_600));
    host.touch(&connection.id).await.unwrap();
    assert_eq!(host.fake.tally().refreshes, 0);
}

#[tokio::test]
async fn what_is_added_later_is_asked_for_beside_what_was_granted() {
    let host = Host::new(subject()).await;
    let connection = host.connect().await;
    let reconnect = host.gateway.reconnect(&connection.id).await.unwrap();
    let reconnect = reconnect.level(Level::Write).features(["writing"]).redirect_uri(REDIRECT);
    let begun = reconnect.begin().await.unwrap();
    let asked = begun.url.query_pairs().find(|(name, _)| name == "user_scope").unwrap().1.into_owned();
    assert!(asked.contains("chat:write") && asked.contains("im:history"), "{asked}");
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    let again = host.gateway.complete("ada", &callback).await.unwrap();
    assert_eq!(again.id, connection.id);
    assert_eq!(host.adapter.info().disabled(&again.scopes).count(), 0);
    let audit = host.audit();
    let changed = audit.iter().find(|entry| entry.action == AuditAction::ScopesChanged).unwrap();
    assert_eq!(changed.detail.as_deref(), Some("+user:chat:write +user:reactions:write"));
}
