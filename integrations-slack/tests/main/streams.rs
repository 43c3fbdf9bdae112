//! Which streams a connection has: the people, the conversations, and each conversation that it is in.

use integrations_core::ErrorKind;
use integrations_core::adapter::Stream;
use integrations_core::model::{ChannelKind, PersonKind, PersonStatus};
use integrations_testkit::Fault;
use integrations_testkit::slack::{ChannelSpec, UserSpec};
use serde_json::json;

use crate::host::{GENERAL, HISTORY, Host, general, of};

const LIST: &str = "users.conversations";

/// A workspace with a conversation of each type, one that is archived and one that nobody here is in.
async fn workspace() -> Host {
    Host::with(
        |fake| {
            fake.add_user(
                UserSpec::new("grace").id("U0GRACE").real_name("Grace Hopper").display_name("amazing"),
            )
            .add_user(UserSpec::new("alan").id("U0ALAN").restricted())
            .channel(general())
            .channel(ChannelSpec::private("board").id("G0BOARD"))
            .channel(ChannelSpec::private("hiring").id("C0HIRING"))
            .channel(ChannelSpec::mpim(&["U0GRACE", "U0ALAN"]).id("G0THREE"))
            .channel(ChannelSpec::im("U0GRACE").id("D0GRACE"))
            .channel(ChannelSpec::public("old-news").id("C0OLD").archived().generated(3))
            .channel(ChannelSpec::public("elsewhere").id("C0ELSE").not_joined())
        },
        |config| config,
        |gateway| gateway,
    )
    .await
}

fn ids(streams: &[Stream]) -> Vec<&str> {
    streams.iter().map(|stream| stream.id.as_str()).collect()
}

#[tokio::test]
async fn people_conversations_and_each_conversation_are_streams() {
    let host = workspace().await;
    let connection = host.connect().await;
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    let expected = ["users", "channels", GENERAL, "G0BOARD", "C0HIRING", "G0THREE", "D0GRACE", "C0OLD"];
    assert_eq!(ids(&streams), expected);
    let titles: Vec<_> = streams[2..].iter().map(|stream| stream.title.as_str()).collect();
    assert_eq!(titles, ["general", "board", "hiring", "mpdm-ada--grace--alan-1", "U0GRACE", "old-news"]);
    assert_eq!(
        streams.iter().filter(|stream| stream.frozen).map(|stream| stream.id.as_str()).collect::<Vec<_>>(),
        ["C0OLD"]
    );
    // Six conversations, five a page.
    assert_eq!(host.fake.count(LIST), 2);
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.count("auth.test"), 1);
}

#[tokio::test]
async fn the_records_of_people_and_conversations_say_what_slack_says() {
    let host = workspace().await;
    host.fake.deactivate_user("U0ALAN");
    host.fake.update_user("U0GRACE", json!({"profile": {"status_text": "On holiday", "status_emoji": ":palm_tree:", "status_expiration": 1_772_500_000}}));
    let connection = host.connect().await;
    let report = host.sync(&connection).await;
    assert_eq!(of(&report, "users").upserted, host.fake.user_ids().len() as u64);
    let people = host.records(&connection, "users");
    let person = |id: &str| {
        people.iter().find(|record| record.id() == id).unwrap().entity.as_person().unwrap().clone()
    };
    let grace = person("U0GRACE");
    assert_eq!((grace.name.as_deref(), grace.full_name.as_deref()), (Some("amazing"), Some("Grace Hopper")));
    assert_eq!((grace.login.as_deref(), grace.email.as_deref()), (Some("grace"), Some("grace@example.com")));
    assert_eq!(
        (grace.locale.as_deref(), grace.organization_id.as_deref()),
        (Some("en-US"), Some(host.fake.team_id()))
    );
    assert_eq!(grace.presence.unwrap().until.unwrap().timestamp(), 1_772_500_000);
    assert_eq!((person("U0ALAN").status, person("U0ADA").is_admin), (PersonStatus::Deactivated, true));
    assert_eq!(person("USLACKBOT").kind, PersonKind::Bot);

    let channels = host.records(&connection, "channels");
    let channel = |id: &str| {
        channels.iter().find(|record| record.id() == id).unwrap().entity.as_channel().unwrap().clone()
    };
    let kinds = [
        (GENERAL, ChannelKind::Public),
        ("G0BOARD", ChannelKind::Private),
        ("C0HIRING", ChannelKind::Private),
        ("G0THREE", ChannelKind::Group),
        ("D0GRACE", ChannelKind::Direct),
        ("C0OLD", ChannelKind::Public),
    ];
    assert_eq!(channels.len(), kinds.len());
    for (id, kind) in kinds {
        assert_eq!(channel(id).kind, kind, "{id}");
    }
    assert_eq!(channel(GENERAL).topic.as_deref(), Some("Everything"));
    assert_eq!(channel("D0GRACE").with.unwrap().id.as_deref(), Some("U0GRACE"));
    assert!(channel("C0OLD").archived && channel(GENERAL).system);
    assert_eq!((channel(GENERAL).member, channel("D0GRACE").member), (Some(true), None));
}

#[tokio::test]
async fn what_is_new_archived_or_left_is_seen_with_the_next_run() {
    let host = workspace().await;
    let connection = host.connect().await;
    let ts = host.fake.post(GENERAL, json!({"text": "bye"}));
    let first = host.sync(&connection).await;
    assert_eq!((of(&first, "channels").upserted, of(&first, "C0OLD").upserted), (6, 3));
    host.assert_same(&connection, GENERAL);

    let new = host.fake.add_channel(ChannelSpec::public("new"));
    host.fake.post(&new, json!({"text": "first"}));
    host.fake.archive_channel(GENERAL);
    host.fake.leave_channel("C0HIRING", "U0ADA");
    host.fake.rename_channel("G0BOARD", "boards");
    let second = host.sync(&connection).await;
    assert_eq!(second.vanished.iter().map(|key| key.stream.as_str()).collect::<Vec<_>>(), ["C0HIRING"]);
    assert_eq!((of(&second, &new).started_in, of(&second, &new).upserted), ("start", 1));
    assert_eq!(of(&second, "channels").swept, 1, "the one that was left");
    let channels = host.records(&connection, "channels");
    let named = |id: &str| {
        channels.iter().find(|record| record.id() == id).unwrap().entity.as_channel().unwrap().clone()
    };
    assert_eq!(named("G0BOARD").name.as_deref(), Some("boards"));
    assert!(named(GENERAL).archived);
    // The line that says so was still read; from now on the channel is left alone.
    assert_eq!(host.message(&connection, &ts).text.as_deref(), Some("bye"));
    assert_eq!(host.records(&connection, GENERAL).len(), 2);
    let third = host.sync(&connection).await;
    assert_eq!((of(&third, GENERAL).pages, of(&third, "C0OLD").pages), (0, 0));
    // The four that are not archived.
    assert_eq!(host.fake.count(HISTORY), 4);

    host.fake.unarchive_channel(GENERAL);
    let fourth = host.sync(&connection).await;
    assert_eq!((of(&fourth, GENERAL).upserted, of(&fourth, GENERAL).swept), (3, 0));
    host.assert_same(&connection, GENERAL);
    assert_eq!(host.sync_general(&connection).await.upserted, 0);
}

#[tokio::test]
async fn a_scope_that_is_missing_for_one_type_leaves_the_others() {
    let host = workspace().await;
    let scopes = ["channels:read", "im:read", "mpim:read", "channels:history", "im:history", "users:read"];
    let scopes = scopes.map(|scope| format!("user:{scope}"));
    let connection = host.connect_with(&scopes.each_ref().map(String::as_str)).await;
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    // No private channels; and of the group message nothing but that it is there.
    assert_eq!(ids(&streams), ["users", "channels", GENERAL, "D0GRACE", "C0OLD"]);
    let report = host.sync(&connection).await;
    assert_eq!(of(&report, "channels").upserted, 4);
    let people = host.records(&connection, "users");
    assert!(people.iter().all(|record| record.entity.as_person().unwrap().email.is_none()));
}

#[tokio::test]
async fn where_slack_does_not_say_what_was_granted_each_type_is_tried() {
    let host = workspace().await;
    let scopes = ["user:channels:read", "user:im:read", "user:channels:history"];
    let connection = host.connect_with(&scopes).await;
    let silent = Fault::on(LIST).body(r#"{"ok":false,"error":"missing_scope"}"#, "application/json");
    host.fake.fault(silent);
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    assert_eq!(ids(&streams), ["users", "channels", GENERAL, "D0GRACE", "C0OLD"]);
    // All at once, each by itself, and then the two that may be.
    assert_eq!(host.fake.count(LIST), 6);
}

#[tokio::test]
async fn people_can_be_read_without_conversations_and_nothing_without_any_scope() {
    let host = workspace().await;
    let connection = host.connect_with(&["user:users:read"]).await;
    assert_eq!(ids(&host.gateway.streams(&connection.id).await.unwrap()), ["users"]);
    let report = host.sync(&connection).await;
    assert_eq!(of(&report, "users").upserted, host.fake.user_ids().len() as u64);
    let error =
        host.gateway.sync_stream(&connection.id, &"channels".into(), <_>::default()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.provider_code()),
        (ErrorKind::InsufficientPermissions, Some("missing_scope"))
    );

    let host = workspace().await;
    let connection = host.connect_with(&["user:chat:write"]).await;
    let error = host.gateway.streams(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InsufficientPermissions);
}

#[tokio::test]
async fn a_bot_reads_the_conversations_that_it_is_in() {
    let host = workspace().await;
    host.fake.leave_channel("G0BOARD", &host.fake.bot_user_id());
    let scopes = ["channels:read", "groups:read", "channels:history", "groups:history", "users:read"];
    let connection = host.connect_with(&scopes).await;
    let report = host.sync(&connection).await;
    let streams: Vec<_> = report.streams.iter().map(|(key, _)| key.stream.as_str()).collect();
    assert_eq!(streams, ["users", "channels", GENERAL, "C0HIRING", "C0OLD"]);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_harms_itself_alone() {
    let host = workspace().await;
    host.fake.raw_channel(r#"{"id":"C0ODD","name":7}"#);
    host.fake.raw_channel(r#"{"name":"nameless"}"#);
    host.fake.raw_user(r#"{"id":"U0ODD","deleted":"perhaps"}"#);
    let connection = host.connect().await;
    let report = host.sync(&connection).await;
    assert_eq!((of(&report, "channels").upserted, of(&report, "channels").quarantined), (6, 2));
    let channels: Vec<_> = host
        .quarantined(&connection, "channels")
        .into_iter()
        .map(|item| (item.id, item.path, item.reason))
        .collect();
    let told = |id: Option<&str>, path: &str, reason: &str| {
        (id.map(str::to_owned), path.to_owned(), reason.to_owned())
    };
    assert_eq!(
        channels,
        [told(Some("C0ODD"), "$.name", "expected a string"), told(None, "$", "missing field `id`")]
    );
    let people: Vec<_> = host
        .quarantined(&connection, "users")
        .into_iter()
        .map(|item| (item.id, item.path, item.reason))
        .collect();
    assert_eq!(people, [told(Some("U0ODD"), "$.deleted", "expected a boolean")]);
}

#[tokio::test]
async fn a_list_that_never_ends_is_refused() {
    let host = workspace().await;
    let connection = host.connect().await;
    let page = r#"{"ok":true,"channels":[],"response_metadata":{"next_cursor":"again="}}"#;
    host.fake.fault(Fault::on(LIST).always().body(page, "application/json"));
    let error = host.gateway.streams(&connection.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataFormat);
    assert_eq!(host.fake.count(LIST), 2);
}
