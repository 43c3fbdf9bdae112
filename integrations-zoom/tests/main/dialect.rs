//! What is Zoom's own: an app that acts for a whole account without a user.

use integrations_core::ErrorKind;
use integrations_core::connection::GrantType;
use integrations_testkit::conformance::authenticator::Host;

use crate::oauth::subject;

#[tokio::test]
async fn a_server_to_server_app_asks_for_its_tokens_anew() {
    let host = Host::new(subject()).await;
    let account = host.fake.accounts()[0].organization.clone();
    let connection = host.gateway.connect_application("acme", "zoom", account.clone()).await.unwrap();
    assert_eq!(connection.grant, GrantType::Application { subject: account.clone() });
    assert_eq!(connection.account.id, account.as_str());
    assert!(connection.tokens.refresh.is_none());
    for made in 1..=3 {
        assert_eq!(host.fake.tally().mints, made);
        let before = host.tokens(&connection.id).await;
        assert!(host.fake.is_live(before.access.expose()));
        host.expire(&connection.id).await;
        // A call of the host's own: `me` is for users.
        let url = format!("{}/v2/users/{}", host.fake.url(), host.fake.accounts()[0].id).parse().unwrap();
        let request = integrations_core::http::Request::get("users.get", url);
        host.gateway.session(&connection.id).await.unwrap().send(request).await.unwrap();
    }
    let error = host.gateway.connect_application("acme", "zoom", "another").await.unwrap_err();
    assert_ne!(error.kind(), ErrorKind::Network, "{error}");
    host.gateway.disconnect(&connection.id).await.unwrap();
}

#[tokio::test]
async fn a_second_authorisation_by_the_same_user_ends_the_first_and_renews_the_connection() {
    let host = Host::new(subject()).await;
    let first = host.connect().await;
    let second = host.connect().await;
    assert_eq!(first.id, second.id);
    host.expire(&second.id).await;
    host.touch(&second.id).await.unwrap();
    assert_eq!(host.fake.tally().spent_refresh_tokens, 0);
}
