//! Consent, codes, tokens: Slack's OAuth on the same base address.

use std::time::Duration;

use integrations_testkit::Fault;
use integrations_testkit::oauth::Pkce;
use integrations_testkit::slack::{ChannelSpec, FakeSlack};
use serde_json::{Value, json};
use url::Url;

use super::*;

const REDIRECT: &str = "https://app.example/callback";

fn authorization_url(fake: &FakeSlack, bot: &str, user: &str) -> String {
    let mut url = Url::parse(&format!("{}/oauth/v2/authorize", fake.url())).unwrap();
    let scopes = [("scope", bot), ("user_scope", user)];
    url.query_pairs_mut()
        .append_pair("client_id", fake.client_id())
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("state", "the state")
        .extend_pairs(scopes.iter().filter(|(_, scopes)| !scopes.is_empty()));
    url.into()
}

async fn token(fake: &FakeSlack, form: Query<'_>) -> Value {
    let request = http().post(format!("{}/api/oauth.v2.access", fake.url()));
    let request = request.basic_auth(fake.client_id(), Some(fake.client_secret())).form(form);
    request.send().await.unwrap().json().await.unwrap()
}

async fn connect(fake: &FakeSlack, bot: &str, user: &str) -> Value {
    let location = fake.consent(&authorization_url(fake, bot, user)).await.unwrap();
    let url = Url::parse(&location).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let body = token(fake, &[("code", &code), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(body["ok"], true, "{body}");
    body
}

async fn refresh(fake: &FakeSlack, refresh_token: &str) -> Value {
    token(fake, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

async fn with(fake: &FakeSlack, access: &str, method: &str) -> String {
    let url = format!("{}/api/{method}", fake.url());
    let body: Value = http().get(url).bearer_auth(access).send().await.unwrap().json().await.unwrap();
    body["error"].as_str().unwrap_or("ok").to_owned()
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).to_owned()
}

#[tokio::test]
async fn a_bots_token_and_a_users_each_open_what_was_granted() {
    let fake = builder(&clock()).channel(general()).canary("CANARY").start().await;
    let body = connect(&fake, "channels:read,channels:history", "users:read").await;
    let (bot, user) = (text(&body, "access_token"), text(&body["authed_user"], "access_token"));
    assert!(bot.starts_with("xoxe.xoxb-1-CANARY") && user.starts_with("xoxe.xoxp-1-CANARY"));
    assert_eq!(
        (&body["team"]["id"], &body["bot_user_id"]),
        (&json!(fake.team_id()), &json!(fake.bot_user_id()))
    );
    assert_eq!(with(&fake, &bot, "conversations.list").await, "ok");
    assert_eq!(with(&fake, &bot, "users.list").await, "missing_scope");
    assert_eq!(with(&fake, &user, "conversations.list").await, "missing_scope");
    assert_eq!(with(&fake, &user, "users.list").await, "ok");
    assert_eq!(with(&fake, &user, "auth.test").await, "ok");
    assert_eq!(fake.authorizations()[0].user_scopes, ["users:read"]);
    assert!(fake.is_live(&bot) && fake.issued_secrets().contains(&user));
    assert!(!format!("{:?} {fake:?}", fake.requests()).contains("CANARY"));

    let answer = http().get(format!("{}/api/auth.test", fake.url())).bearer_auth(&bot).send().await.unwrap();
    assert_eq!(answer.headers()["x-oauth-scopes"], "channels:read,channels:history");
}

#[tokio::test]
async fn tokens_expire_are_refreshed_and_revoked() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let body = connect(&fake, "users:read", "").await;
    let access = text(&body, "access_token");
    clock.advance(Duration::from_secs(43_200));
    assert_eq!(with(&fake, &access, "users.list").await, "token_expired");
    let spent = text(&body, "refresh_token");
    let body = refresh(&fake, &spent).await;
    let access = text(&body, "access_token");
    assert_eq!((with(&fake, &access, "users.list").await.as_str(), fake.refreshes()), ("ok", 1));
    assert_eq!(refresh(&fake, &spent).await["error"], "invalid_refresh_token");
    assert_eq!((fake.tally().refreshes, fake.tally().spent_refresh_tokens), (1, 1));

    fake.expire_access_tokens();
    assert_eq!(with(&fake, &access, "users.list").await, "token_expired");
    let body = refresh(&fake, &text(&body, "refresh_token")).await;
    let access = text(&body, "access_token");
    assert_eq!(with(&fake, &access, "auth.revoke").await, "ok");
    assert_eq!(with(&fake, &access, "users.list").await, "token_revoked");
    assert_eq!(fake.count("auth.revoke"), 1);

    let body = connect(&fake, "users:read", "").await;
    fake.expire_refresh_tokens();
    assert_eq!(refresh(&fake, &text(&body, "refresh_token")).await["error"], "invalid_refresh_token");
    fake.revoke_grant();
    assert_eq!(with(&fake, &text(&body, "access_token"), "users.list").await, "token_revoked");
}

#[tokio::test]
async fn the_user_may_refuse_or_untick() {
    let fake = builder(&clock()).start().await;
    fake.deny_next_consent();
    let location = fake.consent(&authorization_url(&fake, "users:read", "")).await.unwrap();
    assert!(location.contains("error=access_denied") && !location.contains("code="));
    fake.grant_only(&["team:read"]);
    let access = text(&connect(&fake, "users:read,team:read", "").await, "access_token");
    assert_eq!(with(&fake, &access, "team.info").await, "ok");
    assert_eq!(with(&fake, &access, "users.list").await, "missing_scope");
    fake.grant_all();
    let access = text(&connect(&fake, "users:read,team:read", "").await, "access_token");
    assert_eq!(with(&fake, &access, "users.list").await, "ok");
}

#[tokio::test]
async fn the_builder_hands_its_options_on() {
    let fake = builder(&clock())
        .client("the id", "the secret")
        .with_lasting_tokens()
        .token_prefix("xoxb-canary-")
        .user("grace@navy.example")
        .user_id("U0GRACE")
        .team("T0NAVY")
        .start()
        .await;
    let body = connect(&fake, "users:read", "").await;
    assert!(text(&body, "access_token").starts_with("xoxb-canary-"));
    assert!(body.get("refresh_token").is_none());
    assert_eq!((&body["team"]["id"], &body["authed_user"]["id"]), (&json!("T0NAVY"), &json!("U0GRACE")));
    let team = ok(&fake, "team.info", &[]).await["team"].clone();
    assert_eq!(
        (&team["id"], &team["domain"], &team["name"]),
        (&json!("T0NAVY"), &json!("navy"), &body["team"]["name"])
    );
    assert_eq!(ok(&fake, "auth.test", &[]).await["url"], team["url"]);
    assert_eq!(refused(&fake, "team.info", &[("team", "T0OTHER")]).await, "team_not_found");
    assert_eq!(fake.user_object("U0GRACE").unwrap()["profile"]["email"], "grace@navy.example");

    let fake = builder(&clock()).pkce(Pkce::Required).start().await;
    assert!(
        fake.consent(&authorization_url(&fake, "users:read", ""))
            .await
            .unwrap_err()
            .contains("code_challenge")
    );
    let fake = builder(&clock()).interactive(true).start().await;
    let page = http().get(authorization_url(&fake, "users:read", "")).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Allow</button>"));
    assert_eq!(
        with(&fake, &text(&connect(&fake, "users:read", "").await, "access_token"), "users.list").await,
        "ok"
    );
}

#[tokio::test]
async fn open_refresh_tokens_are_the_users_or_the_bots() {
    for bot in [false, true] {
        let builder = builder(&clock()).open_refresh_token("open-refresh");
        let fake = if bot { builder.open_as_bot() } else { builder }.start().await;
        let body = refresh(&fake, "open-refresh").await;
        assert_eq!(body["token_type"], if bot { "bot" } else { "user" });
        assert_eq!(with(&fake, &text(&body, "access_token"), "users.list").await, "ok");
    }
}

#[tokio::test]
async fn each_account_sees_what_it_is_in() {
    let fake = builder(&clock())
        .account("grace@example.com")
        .channel(ChannelSpec::private("ours").id("G0OURS"))
        .channel(ChannelSpec::private("hers").id("G0HERS"))
        .start()
        .await;
    fake.leave_channel("G0HERS", fake.user_id());
    fake.switch_account("grace@example.com");
    let body = connect(&fake, "", "groups:read").await;
    let grace = fake.accounts()[1].id.clone();
    assert_eq!(body["authed_user"]["id"], json!(grace));
    let url = format!("{}/api/users.conversations", fake.url());
    let request = http().get(url).query(&[("types", "private_channel")]);
    let hers = request.bearer_auth(text(&body["authed_user"], "access_token")).send().await.unwrap();
    let hers: Value = hers.json().await.unwrap();
    assert_eq!(all(hers["channels"].as_array().unwrap(), "id"), ["G0OURS", "G0HERS"]);
    let own = ok(&fake, "users.conversations", &[("types", "private_channel")]).await;
    assert_eq!(all(own["channels"].as_array().unwrap(), "id"), ["G0OURS"]);
}

#[tokio::test]
async fn the_token_endpoint_fails_in_its_own_words() {
    let fake = builder(&clock()).open_refresh_token("open-refresh").start().await;
    fake.fault(Fault::on("token.refresh").reason("internal_error"));
    fake.fault(Fault::on("token.*").status(429));
    assert_eq!(refresh(&fake, "open-refresh").await, json!({"ok": false, "error": "internal_error"}));
    assert_eq!(refresh(&fake, "open-refresh").await, json!({"ok": false, "error": "ratelimited"}));
    assert_eq!(refresh(&fake, "open-refresh").await["ok"], true);
}
