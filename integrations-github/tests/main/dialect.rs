//! What is GitHub's own: an App that acts without a user, OAuth apps whose tokens last, tokens typed in.

use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use integrations_core::clock::Clock;
use integrations_core::connection::GrantType;
use integrations_core::{ApiKey, ErrorKind};
use integrations_github::{GitHub, GitHubConfig};
use integrations_testkit::conformance::authenticator::{Host, Subject};
use integrations_testkit::oauth::{FakeOAuth, FakeOAuthBuilder, InstallationSpec};

use crate::oauth::subject;

const INSTALLATION: u64 = 42;

/// A private and a public key in PEM, made once.
pub(crate) static KEYS: LazyLock<(String, String)> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = |kind: &str, bytes: &[u8]| {
        let text = STANDARD.encode(bytes);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
    };
    (pem("PRIVATE KEY", private.as_ref()), pem("RSA PUBLIC KEY", pair.public_key().as_ref()))
});

fn with_key(fake: &FakeOAuth) -> Arc<dyn integrations_core::ServiceAdapter> {
    let secret = fake.client_secret().unwrap_or_default();
    let builder = GitHubConfig::builder().client(fake.client_id(), secret).base_url(fake.url());
    GitHub::new(builder.private_key(KEYS.0.as_str()).build().unwrap())
}

fn app(fake: FakeOAuthBuilder) -> FakeOAuthBuilder {
    fake.github_app("1", &KEYS.1).installation(InstallationSpec::new(INSTALLATION, "octo-org"))
}

async fn host() -> Host {
    Host::with(Subject { adapter: with_key, ..subject() }, app).await
}

/// Uses an installation's token at the one endpoint that knows it.
async fn use_it(host: &Host, id: &integrations_core::ConnectionId) -> integrations_core::Result<()> {
    let url = format!("{}/installation/repositories", host.fake.url()).parse().unwrap();
    let request = integrations_core::http::Request::get("installation.repositories", url);
    host.gateway.session(id).await?.send(request).await.map(drop)
}

#[tokio::test]
async fn an_installation_has_tokens_of_an_hour_that_are_made_anew() {
    let host = host().await;
    let connection = host.gateway.connect_application("acme", "github", "42").await.unwrap();
    assert_eq!(connection.grant, GrantType::Application { subject: "42".into() });
    assert_eq!(connection.account.id, "installation:42");
    let life = connection.tokens.expires_at.unwrap() - connection.tokens.issued_at;
    assert_eq!(life, TimeDelta::hours(1));
    use_it(&host, &connection.id).await.unwrap();
    for made in 2..=4 {
        host.come_due(&connection.id).await;
        use_it(&host, &connection.id).await.unwrap();
        use_it(&host, &connection.id).await.unwrap();
        assert_eq!(host.fake.tally().mints, made);
    }
    host.gateway.disconnect(&connection.id).await.unwrap();
}

#[tokio::test]
async fn an_installation_that_is_suspended_or_removed_says_so() {
    let host = host().await;
    let connection = host.gateway.connect_application("acme", "github", "42").await.unwrap();
    host.fake.suspend_installation(INSTALLATION, true);
    host.expire(&connection.id).await;
    let error = use_it(&host, &connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccountSuspended, "{error}");
    // It may be taken up again at any time: nobody has to connect anything.
    assert_eq!(host.stored(&connection.id).await.status.as_str(), "active");
    host.fake.suspend_installation(INSTALLATION, false);
    use_it(&host, &connection.id).await.unwrap();

    host.fake.remove_installation(INSTALLATION);
    host.expire(&connection.id).await;
    let error = use_it(&host, &connection.id).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.provider_code()),
        (ErrorKind::ReauthorizationRequired, Some("not_installed"))
    );
}

#[tokio::test]
async fn what_an_app_needs_is_said() {
    let host = Host::with(subject(), app).await;
    let connect = async |subject: &str| host.gateway.connect_application("acme", "github", subject).await;
    let error = connect("42").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "no private key: {error}");
    assert_eq!(connect("../1").await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    let error = GitHubConfig::builder().client("id", "secret").private_key("no key").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!error.to_string().contains("no key"), "{error}");
}

#[tokio::test]
async fn an_oauth_apps_tokens_last() {
    let host = Host::with(subject(), FakeOAuthBuilder::with_lasting_tokens).await;
    let connection = host.connect().await;
    assert_eq!((connection.tokens.expires_at, &connection.tokens.refresh), (None, &None));
    host.clock.advance(Duration::from_secs(300 * 24 * 3_600));
    host.touch(&connection.id).await.unwrap();
    host.fake.revoke_account("ada@example.com");
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
}

#[tokio::test]
async fn a_token_that_was_typed_in_is_tried_kept_and_reminded_of() {
    let host = Host::with(subject(), |fake| fake.open_token("github_pat_CANARY")).await;
    let wrong = host.gateway.connect_with_key("ada", "github", ApiKey::new("github_pat_wrong")).await;
    assert_ne!(wrong.unwrap_err().kind(), ErrorKind::Configuration);
    let end = host.clock.now() + TimeDelta::days(30);
    let key = ApiKey::new("github_pat_CANARY").in_header(http::header::AUTHORIZATION, "token").expiring(end);
    assert!(!format!("{key:?}").contains("CANARY"));
    let connection = host.gateway.connect_with_key("ada", "github", key).await;
    // The fake takes `Bearer` alone; GitHub takes both.
    assert!(connection.is_err());
    let key = ApiKey::new("github_pat_CANARY").expiring(end);
    let connection = host.gateway.connect_with_key("ada", "github", key).await.unwrap();
    host.touch(&connection.id).await.unwrap();
    assert_eq!(host.notices("KeyExpires"), 0);

    host.clock.advance(Duration::from_secs(17 * 24 * 3_600));
    host.gateway.pause(&connection.id).await.unwrap();
    host.gateway.resume(&connection.id).await.unwrap();
    host.touch(&connection.id).await.unwrap();
    host.touch(&connection.id).await.unwrap();
    assert_eq!(host.notices("KeyExpires"), 1, "once");

    host.clock.advance(Duration::from_secs(14 * 24 * 3_600));
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert!(error.message().contains("key"), "{error}");
    assert_eq!(host.fake.tally().refreshes, 0);
}
