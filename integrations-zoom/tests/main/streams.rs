//! Whose meetings are read: the user's own, or those of the whole account.

use integrations_core::ErrorKind;
use integrations_testkit::oauth::AccountSpec;
use integrations_zoom::ZoomConfigBuilder;
use integrations_zoom::meetings::{MEETINGS, PAST_MEETINGS};
use serde_json::json;

use crate::host::{ADMIN, Host, MINUTE};

#[tokio::test]
async fn a_user_has_two_streams_and_is_me() {
    let host = Host::new().await;
    let connection = host.connect().await;
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    let told: Vec<_> = streams.iter().map(|one| (one.id.as_str(), one.primary)).collect();
    assert_eq!(told, [(MEETINGS, true), (PAST_MEETINGS, false)]);
    host.fake.create_meeting(json!({}));
    host.sync(&connection).await;
    let paths: Vec<_> = host.fake.requests().into_iter().map(|one| one.path).collect();
    assert!(
        paths.iter().filter(|path| path.contains("/users/")).all(|path| path.contains("/users/me/")),
        "{paths:?}"
    );
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.count("users.me"), 1);
}

async fn account() -> Host {
    Host::with(
        |fake| {
            fake.app_scopes(ADMIN)
                .account(AccountSpec::new("grace@example.com").name("Grace Hopper").id("grace-1"))
                .account(AccountSpec::new("alan@example.com").name("Alan Turing").id("alan-1"))
        },
        ZoomConfigBuilder::whole_account,
        |gateway| gateway,
    )
    .await
}

#[tokio::test]
async fn an_app_of_its_own_reads_every_active_user_by_id() {
    let host = account().await;
    let owner = host.fake.account_id().to_owned();
    let connection = host.gateway.connect_application("acme", "zoom", owner).await.unwrap();
    host.fake.deactivate_user("alan-1");
    let ada = host.fake.user_id().to_owned();
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    let mut ids: Vec<_> = streams.iter().map(|one| one.id.to_string()).collect();
    ids.sort();
    let mut expected: Vec<_> = [&*ada, "grace-1"]
        .iter()
        .flat_map(|user| [MEETINGS, PAST_MEETINGS].map(|one| format!("{user}/{one}")))
        .collect();
    expected.sort();
    assert_eq!(ids, expected);
    assert!(streams.iter().any(|one| one.title == "Grace Hopper: meetings"), "{streams:?}");

    let planned = host.fake.create_meeting(json!({"host": "grace-1", "topic": "Compilers"}));
    let (_, uuid) = host.hold(json!({"host": "grace-1", "topic": "Moths", "duration": 5}), 10 * MINUTE);
    host.sync(&connection).await;
    let of_grace = |stream: &str, id: &str| host.meeting(&connection, &format!("grace-1/{stream}"), id);
    assert_eq!(of_grace(MEETINGS, &planned.to_string()).unwrap().title.as_deref(), Some("Compilers"));
    let held = of_grace(PAST_MEETINGS, &uuid).unwrap();
    assert_eq!(held.host.unwrap().email.as_deref(), Some("grace@example.com"));
    assert_eq!(host.records(&connection, &format!("{ada}/{MEETINGS}")).len(), 0);
    let paths: Vec<_> = host.fake.requests().into_iter().map(|one| one.path).collect();
    assert!(!paths.iter().any(|path| path.contains("/me/") || path.ends_with("/me")), "{paths:?}");

    // Tokens are made anew, and there is no `me` to ask about.
    host.fake.expire_access_tokens();
    host.gateway.check_health(&connection.id).await.unwrap();
    host.sync(&connection).await;
    assert_eq!(host.fake.count("users.me"), 0);
}

#[tokio::test]
async fn a_user_who_has_left_is_named_as_vanished() {
    let host = account().await;
    let owner = host.fake.account_id().to_owned();
    let connection = host.gateway.connect_application("acme", "zoom", owner).await.unwrap();
    host.fake.create_meeting(json!({"host": "grace-1"}));
    host.sync(&connection).await;
    host.fake.remove_user("grace-1");
    let report = host.sync(&connection).await;
    let vanished: Vec<_> = report.vanished.iter().map(|key| key.stream.to_string()).collect();
    assert_eq!(vanished.len(), 2, "{vanished:?}");
    assert_eq!(host.records(&connection, &format!("grace-1/{MEETINGS}")).len(), 1);
}

#[tokio::test]
async fn a_scope_that_is_missing_is_said() {
    let host = Host::on(|fake| fake.app_scopes(&["user:read:user"])).await;
    let connection = host.connect().await;
    let report = host.gateway.sync(&connection.id).await.unwrap();
    let kinds: Vec<_> = report.failures().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::InsufficientPermissions; 2]);
}
