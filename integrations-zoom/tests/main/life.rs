//! The life of a connection, as far as it is the same at every provider.

use integrations_core::auth::{ConnectionFilter, Level, Sealed};
use integrations_core::connection::Owner;
use integrations_core::observe::AuditAction;
use integrations_core::{Connection, Data, ErrorKind};
use integrations_testkit::conformance::authenticator::Host;

use crate::oauth::subject;

const REDIRECT: &str = "https://app.example/callback/zoom";

#[tokio::test]
async fn a_paused_connection_does_nothing_until_it_is_resumed() {
    let host = Host::new(subject()).await;
    let connection = host.connect().await;
    host.gateway.pause(&connection.id).await.unwrap();
    host.gateway.pause(&connection.id).await.unwrap();
    let calls = host.fake.requests().len();
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::InvalidRequest, Some("paused")));
    assert_eq!(host.fake.requests().len(), calls);
    let paused = ConnectionFilter::default().with_status("paused");
    assert_eq!(host.gateway.list(&paused).await.unwrap().len(), 1);
    host.gateway.resume(&connection.id).await.unwrap();
    host.touch(&connection.id).await.unwrap();
    assert_eq!(host.notices("StatusChanged"), 2);
    assert_eq!(host.audited(AuditAction::Paused) + host.audited(AuditAction::Resumed), 2);
}

#[tokio::test]
async fn what_the_provider_took_back_waits_for_its_user() {
    let host = Host::new(subject()).await;
    let connection = host.connect().await;
    host.gateway.grant_revoked(&connection.id, "the app was removed at Zoom").await.unwrap();
    let error = host.touch(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
    assert!(error.message().contains("removed at Zoom"), "{error}");
    // It cannot be resumed by the host, and can be connected again by its user.
    assert_eq!(host.gateway.resume(&connection.id).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(host.connect().await.id, connection.id);
    host.touch(&connection.id).await.unwrap();
}

#[tokio::test]
async fn a_connection_of_another_tenant_is_not_there() {
    let host = Host::new(subject()).await;
    let (acme, other) = (host.gateway.for_tenant("acme"), host.gateway.for_tenant("other"));
    let begun = acme.connect("ada", "zoom").redirect_uri(REDIRECT).begin().await.unwrap();
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    assert_eq!(
        other.complete("ada", &callback).await.unwrap_err().provider_code(),
        Some("state_of_another_user")
    );
    let id = acme.complete("ada", &callback).await.unwrap().id;
    assert_eq!(acme.connection(&id).await.unwrap().owner, Owner::new("acme", "ada"));

    for error in [
        other.connection(&id).await.unwrap_err(),
        other.session(&id).await.unwrap_err(),
        other.sync(&id).await.unwrap_err(),
        other.check_health(&id).await.unwrap_err(),
        other.streams(&id).await.unwrap_err(),
        other.pause(&id).await.unwrap_err(),
        other.resume(&id).await.unwrap_err(),
        other.reconnect(&id).await.unwrap_err(),
        other.grant_revoked(&id, "x").await.unwrap_err(),
        other.disconnect(&id).await.unwrap_err(),
        other.disconnect_with(&id, Data::Erase).await.unwrap_err(),
        other.erase(&id).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    assert!(other.connections("ada").await.unwrap().is_empty());
    assert!(other.list(&ConnectionFilter::default()).await.unwrap().is_empty());
    assert!(other.list(&ConnectionFilter::of_tenant("acme")).await.unwrap().is_empty());
    assert_eq!(acme.connections("ada").await.unwrap().len(), 1);
    acme.check_health(&id).await.unwrap();
    acme.disconnect(&id).await.unwrap();
}

#[tokio::test]
async fn a_connection_of_another_user_is_not_there() {
    let host = Host::new(subject()).await;
    let acme = host.gateway.for_tenant("acme");
    let begun = acme.connect("ada", "zoom").redirect_uri(REDIRECT).begin().await.unwrap();
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    let id = acme.complete("ada", &callback).await.unwrap().id;
    assert_eq!(acme.connection_of("ada", &id).await.unwrap().id, id);
    let absent = acme.connection_of("ada", &"cn_0".into()).await.unwrap_err();
    for error in [
        acme.connection_of("grace", &id).await.unwrap_err(),
        acme.connection_of(Owner::new("other", "ada"), &id).await.unwrap_err(),
        host.gateway.connection_of("ada", &id).await.unwrap_err(),
        host.gateway.for_tenant("other").connection_of("ada", &id).await.unwrap_err(),
    ] {
        // Word for word what is said of one that does not exist.
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(error.message().replace(id.as_str(), "cn_0"), absent.message());
    }
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_from_where() {
    let host = Host::new(subject()).await;
    let gateway = host.gateway.with_origin("203.0.113.7");
    let begun = gateway.connect("ada", "zoom").redirect_uri(REDIRECT).begin().await.unwrap();
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    let connection = gateway.complete("ada", &callback).await.unwrap();
    let _ = gateway.complete("mallory", &callback).await.unwrap_err();
    host.come_due(&connection.id).await;
    host.touch(&connection.id).await.unwrap();
    gateway.disconnect_with(&connection.id, Data::Erase).await.unwrap();

    let lines: Vec<_> = host
        .audit()
        .into_iter()
        .map(|entry| {
            let user = entry.owner.map(|owner| owner.user.to_string()).unwrap_or_default();
            let origin = entry.origin.as_deref().unwrap_or("-").to_owned();
            format!("{} {user} {origin}{}", entry.action.as_str(), if entry.critical { " !" } else { "" })
        })
        .collect();
    assert_eq!(
        lines,
        [
            "connect_started ada 203.0.113.7",
            "connected ada 203.0.113.7",
            "callback_refused mallory 203.0.113.7 !",
            "tokens_refreshed ada -",
            "disconnected ada 203.0.113.7",
            "erased ada 203.0.113.7",
        ]
    );
}

#[tokio::test]
async fn levels_and_features_say_what_is_asked_for() {
    let host = Host::new(subject()).await;
    let info = host.adapter.info();
    let read = info.scopes_for(Level::Read, None);
    let write = info.scopes_for(Level::Write, None);
    assert!(write.len() > read.len() && read.iter().all(|scope| write.contains(scope)));
    let one = info.scopes_for(Level::Read, Some(&["meetings".into()]));
    assert!(one.len() < read.len() && one.contains(&"user:read:user".to_owned()), "{one:?}");
    let connect = host.gateway.connect("ada", "zoom").redirect_uri(REDIRECT);
    let error = connect.features(["meetigns"]).begin().await.unwrap_err();
    assert_eq!(error.provider_code(), Some("unknown_feature"));
    assert!(error.message().contains("meetings, past_meetings"), "{error}");
}

#[tokio::test]
async fn a_sealed_value_that_was_changed_or_moved_is_refused_and_marks_nobody() {
    let host = Host::new(subject()).await;
    let ada = host.connect().await;
    host.fake.switch_account("grace@example.com");
    let grace = host.connect().await;
    let refused = async |connection: Connection| {
        host.put(&connection).await;
        // Another process, which has nothing opened in memory.
        let error = host.touch_by(&host.another_process(), &connection.id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert_eq!(host.stored(&connection.id).await.status.as_str(), "active");
        error.provider_code().unwrap_or_default().to_owned()
    };

    // Another connection's value, the other field's value, one changed character.
    let mut moved = host.stored(&ada.id).await;
    moved.tokens.access = grace.tokens.access.clone();
    assert_eq!(refused(moved).await, "unsealing_failed");
    let mut swapped = host.stored(&ada.id).await;
    swapped.tokens.access = ada.tokens.refresh.clone().unwrap();
    assert_eq!(refused(swapped).await, "unsealing_failed");
    let mut changed = host.stored(&ada.id).await;
    let text = ada.tokens.access.as_str();
    let at = text.len() - 20;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    changed.tokens.access = Sealed::from_stored(format!("{}{other}{}", &text[..at], &text[at + 1..]));
    assert_eq!(refused(changed).await, "unsealing_failed");
    let mut foreign = host.stored(&ada.id).await;
    foreign.tokens.access = Sealed::from_stored(text.replacen("v1.test.", "v1.other.", 1));
    assert_eq!(refused(foreign).await, "unknown_key");

    // As it was, it works.
    let mut mended = host.stored(&ada.id).await;
    mended.tokens = ada.tokens.clone();
    host.put(&mended).await;
    host.touch_by(&host.another_process(), &ada.id).await.unwrap();
}
