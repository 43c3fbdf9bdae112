//! Who may see what.

use integrations_testkit::slack::{ChannelSpec, FakeSlack, UserSpec};
use serde_json::{Value, json};

use super::*;

/// A workspace in which the app is in one channel of every type, and not in a public and a private one.
async fn workspace(set_up: impl FnOnce(FakeSlackBuilder) -> FakeSlackBuilder) -> FakeSlack {
    let builder = builder(&clock())
        .add_user(UserSpec::new("grace").id("U0GRACE"))
        .add_user(UserSpec::new("alan").id("U0ALAN"))
        .channel(general())
        .channel(ChannelSpec::private("secret").id("G0SECRET"))
        .channel(ChannelSpec::im("U0GRACE").id("D0GRACE"))
        .channel(ChannelSpec::mpim(&["U0GRACE", "U0ALAN"]).id("G0THREE"))
        .channel(ChannelSpec::public("elsewhere").id("C0ELSE").not_joined())
        .channel(ChannelSpec::private("hidden").id("C0HIDDEN").not_joined().members(&["U0ALAN"]));
    set_up(builder).start().await
}

const EVERY_TYPE: (&str, &str) = ("types", "public_channel,private_channel,mpim,im");

#[tokio::test]
async fn a_listing_shows_the_types_that_are_asked_for_and_the_caller_may_see() {
    let fake = workspace(|builder| builder).await;
    let ids = async |method: &str, query: Query<'_>| {
        let items = drain(&fake, method, "channels", query).await;
        all(&items, "id").join(" ")
    };
    assert_eq!(ids("conversations.list", &[]).await, "C0GENERAL C0ELSE");
    assert_eq!(ids("conversations.list", &[EVERY_TYPE]).await, "C0GENERAL G0SECRET D0GRACE G0THREE C0ELSE");
    assert_eq!(ids("conversations.list", &[("types", "im, mpim,im")]).await, "D0GRACE G0THREE");
    assert_eq!(ids("users.conversations", &[]).await, "C0GENERAL");
    assert_eq!(ids("users.conversations", &[EVERY_TYPE]).await, "C0GENERAL G0SECRET D0GRACE G0THREE");
    assert_eq!(ids("users.conversations", &[("user", "U0GRACE"), EVERY_TYPE]).await, "D0GRACE G0THREE");
    assert_eq!(ids("users.conversations", &[("user", "U0ALAN"), EVERY_TYPE]).await, "G0THREE");
    for (types, code) in [("channel", "invalid_types"), ("", "invalid_types"), ("im,", "invalid_types")] {
        assert_eq!(refused(&fake, "conversations.list", &[("types", types)]).await, code);
    }
    assert_eq!(refused(&fake, "users.conversations", &[("user", "U0NOBODY")]).await, "user_not_found");
}

#[tokio::test]
async fn a_channel_that_is_not_public_is_not_there_for_those_outside() {
    let fake = workspace(|builder| builder).await;
    for channel in ["C0HIDDEN", "C0NOWHERE", "general"] {
        for method in ["conversations.info", "conversations.members", "conversations.history"] {
            assert_eq!(refused(&fake, method, &[("channel", channel)]).await, "channel_not_found");
        }
        let thread = [("channel", channel), ("ts", "1772355600.000000")];
        assert_eq!(refused(&fake, "conversations.replies", &thread).await, "channel_not_found");
    }
    fake.join_channel("C0HIDDEN", fake.user_id());
    assert_eq!(
        ok(&fake, "conversations.info", &[("channel", "C0HIDDEN")]).await["channel"]["is_member"],
        true
    );
    fake.leave_channel("C0HIDDEN", fake.user_id());
    fake.remove_channel(CHANNEL);
    for channel in ["C0HIDDEN", CHANNEL] {
        assert_eq!(
            refused(&fake, "conversations.history", &[("channel", channel)]).await,
            "channel_not_found"
        );
    }
}

#[tokio::test]
async fn a_user_reads_every_public_channel_and_a_bot_those_it_is_in() {
    for (bot, expected) in [(false, None), (true, Some("not_in_channel"))] {
        let fake = workspace(|builder| if bot { builder.open_as_bot() } else { builder }).await;
        let ts = fake.post("C0ELSE", json!({"text": "hello"}));
        for (method, query) in [
            ("conversations.history", vec![("channel", "C0ELSE")]),
            ("conversations.replies", vec![("channel", "C0ELSE"), ("ts", ts.as_str())]),
        ] {
            match expected {
                None => drop(ok(&fake, method, &query).await),
                Some(code) => assert_eq!(refused(&fake, method, &query).await, code),
            }
        }
        assert_eq!(
            ok(&fake, "conversations.info", &[("channel", "C0ELSE")]).await["channel"]["is_member"],
            false
        );
        let who = ok(&fake, "auth.test", &[]).await;
        assert_eq!(who["user_id"] == json!(fake.bot_user_id()), bot);
        assert_eq!(who.get("bot_id") == Some(&json!(fake.bot_id())), bot);
        assert_eq!(who["team_id"], fake.team_id());
        fake.join_channel("C0ELSE", &fake.bot_user_id());
        ok(&fake, "conversations.history", &[("channel", "C0ELSE")]).await;
    }
}

#[tokio::test]
async fn each_method_needs_its_scopes_and_says_which() {
    const SCOPES: &[&str] = &["channels:read", "groups:history", "users:read"];
    let fake = workspace(|builder| builder.open_scopes(SCOPES)).await;
    let needed = async |method: &str, query: Query<'_>| {
        let answer = get(&fake, method, query).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-oauth-scopes"), SCOPES.join(","));
        let accepted = header("x-accepted-oauth-scopes");
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["ok"], &body["error"]), (&json!(false), &json!("missing_scope")), "{method}");
        assert_eq!(body["provided"], SCOPES.join(","));
        let needed = body["needed"].as_str().unwrap().to_owned();
        assert!(needed.split(',').all(|scope| accepted.contains(scope)), "{needed}: {accepted}");
        needed
    };
    assert_eq!(needed("conversations.list", &[EVERY_TYPE]).await, "groups:read,mpim:read,im:read");
    assert_eq!(needed("conversations.list", &[("types", "public_channel,im")]).await, "im:read");
    assert_eq!(needed("users.conversations", &[("types", "mpim")]).await, "mpim:read");
    assert_eq!(needed("conversations.info", &[("channel", "G0SECRET")]).await, "groups:read");
    assert_eq!(needed("conversations.members", &[("channel", "D0GRACE")]).await, "im:read");
    assert_eq!(needed("conversations.history", &[("channel", CHANNEL)]).await, "channels:history");
    assert_eq!(needed("conversations.history", &[("channel", "G0THREE")]).await, "mpim:history");
    assert_eq!(
        needed("conversations.replies", &[("channel", "D0GRACE"), ("ts", "1.000000")]).await,
        "im:history"
    );
    assert_eq!(needed("team.info", &[]).await, "team:read");

    ok(&fake, "conversations.list", &[]).await;
    ok(&fake, "conversations.history", &[("channel", "G0SECRET")]).await;
    let users = ok(&fake, "users.list", &[]).await;
    let users = users["members"].as_array().unwrap();
    assert!(users.iter().all(|user| user["profile"].get("email").is_none()), "needs users:read.email");
    let grace = ok(&fake, "users.info", &[("user", "U0GRACE")]).await;
    assert_eq!(grace["user"]["profile"].get("email"), None);

    let fake = workspace(|builder| builder.open_scopes(&["users:read.email"])).await;
    for (method, query) in [("users.list", [].as_slice()), ("users.info", &[("user", "U0GRACE")])] {
        assert_eq!(call(&fake, method, query).await["needed"], "users:read");
    }
    let body = call(&fake, "conversations.history", &[("channel", "C0NOWHERE")]).await;
    assert_eq!(body["needed"], "channels:history,groups:history,im:history,mpim:history");
}

#[tokio::test]
async fn an_address_comes_with_its_scope() {
    let fake = workspace(|builder| builder).await;
    let grace = ok(&fake, "users.info", &[("user", "U0GRACE")]).await;
    assert_eq!(grace["user"]["profile"]["email"], "grace@example.com");
    assert_eq!(fake.user_object("U0GRACE").as_ref(), Some(&grace["user"]));
    let users = drain(&fake, "users.list", "members", &[]).await;
    assert!(users.contains(&grace["user"]));
    assert_eq!(all(&users, "id"), fake.user_ids());
}

#[tokio::test]
async fn a_token_that_opens_nothing_is_refused_with_status_200() {
    let fake = workspace(|builder| builder).await;
    let url = format!("{}/api/conversations.list", fake.url());
    let error = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["error"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(error(http().get(&url)).await, "not_authed");
    assert_eq!(error(http().get(&url).query(&[("token", TOKEN)])).await, "not_authed");
    assert_eq!(error(http().get(&url).bearer_auth("xoxb-nonsense")).await, "invalid_auth");
    assert_eq!(error(http().post(&url).form(&[("token", TOKEN)])).await, "none");
    fake.expire_access_tokens();
    assert_eq!(error(http().get(&url).bearer_auth(TOKEN)).await, "token_expired");
    fake.revoke_grant();
    assert_eq!(error(http().get(&url).bearer_auth(TOKEN)).await, "token_revoked");
}
