//! What is Microsoft's own: challenges in the middle of things, tenants, and a refresh token for one scope.

use integrations_core::ErrorKind;
use integrations_core::connection::ConnectionStatus;
use integrations_testkit::conformance::authenticator::Host;

use crate::oauth::subject;

const REDIRECT: &str = "https://app.example/callback/microsoft";
const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1772442000"}}}"#;

#[tokio::test]
async fn a_challenge_is_kept_and_taken_to_the_next_authorisation() {
    let host = Host::new(subject()).await;
    let connection = host.connect().await;
    host.fake.require_claims(Some(CLAIMS));
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert_eq!(error.challenge(), Some(CLAIMS));
    let ConnectionStatus::ReauthorizationRequired { challenge, .. } =
        host.stored(&connection.id).await.status
    else {
        panic!("the connection is not marked")
    };
    assert_eq!(challenge.as_deref(), Some(CLAIMS));

    let begun =
        host.gateway.reconnect(&connection.id).await.unwrap().redirect_uri(REDIRECT).begin().await.unwrap();
    assert!(begun.url.query_pairs().any(|(name, value)| name == "claims" && value == CLAIMS));
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    assert_eq!(host.gateway.complete("ada", &callback).await.unwrap().id, connection.id);
    host.touch(&connection.id).await.unwrap();
}

#[tokio::test]
async fn a_step_up_at_a_refresh_is_a_challenge_too() {
    let host = Host::new(subject()).await;
    let connection = host.connect().await;
    host.expire(&connection.id).await;
    host.fake.fail_token_with("50076");
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert!(error.challenge().is_some_and(|claims| claims.starts_with('{')), "{:?}", error.challenge());
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token_and_the_end_says_so() {
    let host = Host::new(subject()).await;
    let connect = host.gateway.connect("ada", "outlook_calendar").redirect_uri(REDIRECT);
    let begun = connect.scopes(["openid", "User.Read"]).begin().await.unwrap();
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    let connection = host.gateway.complete("ada", &callback).await.unwrap();
    assert!(connection.tokens.refresh.is_none());
    host.expire(&connection.id).await;
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert!(error.message().contains("no refresh token"), "{error}");
}
