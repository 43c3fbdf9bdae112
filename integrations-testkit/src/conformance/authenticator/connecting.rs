//! Connecting and disconnecting.

use std::time::Duration;

use integrations_core::ErrorKind;
use integrations_core::auth::STATE_TTL;
use integrations_core::connection::Owner;
use integrations_core::observe::AuditAction;

use super::{Host, REDIRECT, Subject, USER, failed};
use crate::conformance::ok;
use crate::fault::Fault;
use crate::oauth::{Dialect, FakeOAuthBuilder};

/// The id is the provider's, never an address; the tokens are those that the provider gave, sealed.
pub async fn an_account_is_connected_and_known_by_its_stable_id(subject: Subject) {
    let host = Host::new(subject).await;
    let connection = host.connect().await;
    assert_eq!(connection.status.as_str(), "active");
    assert!(!connection.account.id.as_str().contains('@'), "{}", connection.account.id);
    assert!(!connection.scopes.is_empty(), "what was granted is known");
    let tokens = host.tokens(&connection.id).await;
    assert!(host.fake.is_live(tokens.access.expose()));
    let stored = format!("{connection:?}{}", serde_json::to_string(&connection).unwrap_or_default());
    for secret in host.fake.issued_secrets() {
        assert!(!stored.contains(&secret), "a token stands open in the connection");
    }
    // The same account by the API as by the answer to the code.
    assert_eq!(ok(host.touch(&connection.id).await).id, connection.account.id);
    assert!(host.heard.audit().iter().any(|entry| entry.action == AuditAction::Connected));
}

/// The same account gives the same connection, with the new tokens.
pub async fn connecting_again_keeps_the_connection(subject: Subject) {
    let host = Host::new(subject).await;
    let first = host.connect().await;
    let begun = ok(host.gateway.reconnect(&first.id).await).redirect_uri(REDIRECT).begin().await;
    let callback = host.fake.consent(ok(begun).url.as_str()).await.unwrap_or_else(|page| panic!("{page}"));
    let again = ok(host.gateway.complete(USER, &callback).await);
    assert_eq!((&again.id, again.created_at), (&first.id, first.created_at));
    assert!(again.version > first.version);
    assert_eq!(host.connections().await, ok(host.gateway.connections(USER).await).len());
    ok(host.touch(&first.id).await);
    // Another account is another connection.
    host.fake.switch_account("grace@example.com");
    assert_ne!(host.connect().await.id, first.id);
}

/// `access_denied` is nobody's fault: an error that says so, and nothing else.
pub async fn a_user_who_says_no_is_told_apart_and_nothing_is_stored(subject: Subject) {
    let host = Host::new(subject).await;
    host.fake.deny_next_consent();
    let error = host.refusal(USER, &host.callback().await).await;
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert_eq!(error.provider_code(), Some("access_denied"));
    assert_eq!(host.connections().await, 0);
    let audit = host.heard.audit();
    let refused = audit.iter().find(|entry| entry.action == AuditAction::CallbackRefused);
    assert!(refused.is_some_and(|entry| !entry.critical), "a user may say no");
}

/// Unknown, used, old, another user's and repeated: each has its own code, and none reaches the provider.
pub async fn a_state_serves_one_user_once_and_for_ten_minutes(subject: Subject) {
    let host = Host::new(subject).await;
    let code = async |user: &str, callback: &str| {
        let error = host.refusal(user, callback).await;
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        error.provider_code().unwrap_or_default().to_owned()
    };
    let invented = format!("{REDIRECT}?code=x&state={}", "A".repeat(43));
    assert_eq!(code(USER, &invented).await, "state_unknown");
    assert_eq!(code(USER, &format!("{REDIRECT}?code=x")).await, "state_missing");

    let callback = host.callback().await;
    assert_eq!(code("mallory", &callback).await, "state_of_another_user");
    let tenant = Owner::new("other", USER);
    assert_eq!(
        failed(host.gateway.complete(tenant, &callback).await).provider_code(),
        Some("state_of_another_user")
    );
    assert_eq!(code(USER, &format!("{callback}&code=y")).await, "repeated_parameter");
    assert_eq!(host.fake.count("token.code"), 0);
    ok(host.gateway.complete(USER, &callback).await);
    assert_eq!(code(USER, &callback).await, "state_reused");

    let late = host.callback().await;
    host.clock.advance(STATE_TTL);
    assert_eq!(code(USER, &late).await, "state_expired");
    assert_eq!(host.fake.count("token.code"), 1, "one exchange, of the one that was in order");
    assert!(host.heard.audit().iter().filter(|entry| entry.critical).count() >= 4);
}

/// A mix-up of providers ends before the code goes anywhere (RFC 9700, 4.4).
pub async fn a_callback_of_another_address_or_issuer_is_refused(subject: Subject) {
    let host = Host::new(subject).await;
    let elsewhere = host.callback().await.replace("/callback/service", "/callback/other");
    assert_eq!(host.refusal(USER, &elsewhere).await.provider_code(), Some("redirect_mismatch"));
    assert_eq!(host.fake.count("token.code"), 0);

    if let Some(issuer) = host.adapter.authenticator().issuer() {
        let name = issuer.name.to_owned();
        let mixed = Host::with(subject, |fake| fake.issuer("https://evil.example")).await;
        let error = mixed.refusal(USER, &mixed.callback().await).await;
        assert_eq!(error.provider_code(), Some("issuer_mismatch"));
        assert_eq!(mixed.fake.count("token.code"), 0);
        let honest = Host::with(subject, move |fake| fake.issuer(&name)).await;
        honest.connect().await;
    }
}

/// Whoever renews a connection with another account is told, and the connection stays as it was.
pub async fn renewing_with_another_account_is_noticed(subject: Subject) {
    let host = Host::new(subject).await;
    let connection = host.connect().await;
    let tokens = host.tokens(&connection.id).await;
    // The hint is left out, so that the one who is signed in answers.
    host.fake.switch_account("grace@example.com");
    let begun = ok(host.gateway.reconnect(&connection.id).await)
        .login_hint("grace@example.com")
        .redirect_uri(REDIRECT)
        .begin()
        .await;
    let callback = host.fake.consent(ok(begun).url.as_str()).await.unwrap_or_else(|page| panic!("{page}"));
    let error = host.refusal(USER, &callback).await;
    assert_eq!(error.provider_code(), Some("account_changed"));
    assert_eq!(host.connections().await, 1);
    assert_eq!(host.tokens(&connection.id).await.access.expose(), tokens.access.expose());
    let audit = host.heard.audit();
    assert!(audit.iter().any(|entry| entry.action == AuditAction::CallbackRefused && entry.critical));
}

/// A user may untick scopes. The connection works; what needs them is named.
pub async fn a_scope_that_is_not_granted_disables_its_feature_alone(subject: Subject) {
    // A GitHub App has permissions, which it does not name; an OAuth app has scopes.
    let host = match subject.dialect {
        Dialect::GitHub => Host::with(subject, FakeOAuthBuilder::with_lasting_tokens).await,
        _ => Host::new(subject).await,
    };
    let info = host.adapter.info();
    let Some(missing) = info.features.iter().find(|feature| !feature.scopes.is_empty()) else { return };
    let asked = info.scopes_for(missing.level, None);
    let kept: Vec<&str> =
        asked.iter().map(String::as_str).filter(|scope| !missing.scopes.contains(scope)).collect();
    // Slack names a user's scopes without what they are asked with here.
    let own = |scope| match subject.dialect {
        Dialect::Slack => str::strip_prefix(scope, "user:").unwrap_or(scope),
        _ => scope,
    };
    let kept: Vec<&str> = kept.into_iter().map(own).collect();
    if kept.is_empty() {
        return;
    }
    host.fake.grant_only(&kept);
    let connection = host.connect().await;
    assert!(info.disabled(&connection.scopes).any(|feature| feature.name == missing.name));
    ok(host.touch(&connection.id).await);
}

/// A code may be burned: whatever happens at the exchange, it is made once.
pub async fn a_failed_exchange_stores_nothing_and_is_not_repeated(subject: Subject) {
    let host = Host::new(subject).await;
    for fault in [
        Fault::on("token.code").status(500),
        Fault::on("token.code").html(),
        Fault::on("token.code").truncate(10),
        Fault::on("token.code").lose_answer(),
    ] {
        let callback = host.callback().await;
        host.fake.reset_counters();
        host.fake.fault(fault);
        host.refusal(USER, &callback).await;
        assert_eq!(host.fake.count("token.code"), 1);
        assert_eq!(host.connections().await, 0);
        assert_eq!(host.refusal(USER, &callback).await.provider_code(), Some("state_reused"));
    }
    host.connect().await;
}

/// Where the provider has a way to take a grant back, it is taken; what is gone already is no failure.
pub async fn disconnecting_takes_the_grant_back(subject: Subject) {
    let host = Host::new(subject).await;
    let connection = host.connect().await;
    let revokes = host.adapter.info().capabilities.revoke;
    let tokens = host.tokens(&connection.id).await;
    ok(host.gateway.disconnect(&connection.id).await);
    assert_eq!(host.fake.is_live(tokens.access.expose()), !revokes);
    assert_eq!(failed(host.gateway.connection(&connection.id).await).kind(), ErrorKind::NotFound);
    assert_eq!(failed(host.touch(&connection.id).await).kind(), ErrorKind::NotFound);

    let connection = host.connect().await;
    host.fake.revoke_account("ada@example.com");
    ok(host.gateway.disconnect(&connection.id).await);
    let audit = host.heard.audit();
    let ends: Vec<_> = audit.iter().filter(|entry| entry.action == AuditAction::Disconnected).collect();
    assert_eq!(ends.len(), 2);
    let fine = integrations_core::observe::AuditOutcome::Ok;
    assert!(ends.iter().all(|entry| entry.outcome == fine), "{ends:?}");
}

/// The tokens here are deleted whatever the provider says.
pub async fn disconnecting_works_when_the_provider_does_not(subject: Subject) {
    let host = Host::new(subject).await;
    let connection = host.connect().await;
    host.fake.fault(Fault::on("revoke*").always().status(500));
    ok(host.gateway.disconnect(&connection.id).await);
    assert_eq!(host.connections().await, 0);
}

/// Each error that the provider documents, at a refresh of a token that has expired: its kind, and the
/// connection marked only where the user has to act.
pub async fn every_error_of_the_token_endpoint_is_classified(subject: Subject) {
    assert!(!subject.errors.is_empty(), "name the provider's errors");
    for (name, kind) in subject.errors {
        let host = Host::new(subject).await;
        let connection = host.connect().await;
        host.expire(&connection.id).await;
        host.fake.fail_token_with(name);
        let error = failed(host.touch(&connection.id).await);
        assert_eq!(error.kind(), *kind, "{name}: {error}");
        let marked = host.stored(&connection.id).await.status.needs_user();
        assert_eq!(marked, *kind == ErrorKind::ReauthorizationRequired, "{name}: {error}");
        if !marked {
            // Past the rest of a service that refuses the application.
            host.clock.advance(Duration::from_secs(61));
            ok(host.touch(&connection.id).await);
        }
    }
}
