//! Slack's two kinds of tokens.

use integrations_testkit::oauth::Dialect;
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_bot_and_a_user_each_have_tokens_of_their_own() {
    let fake = start(Dialect::Slack).await;
    let account = fake.accounts()[0].clone();
    let (_, body) = redeem(&fake, &code(&fake, &[("user_scope", "users:read,users:read.email")]).await).await;
    assert_eq!((&body["ok"], &body["token_type"]), (&json!(true), &json!("bot")));
    assert_eq!(body["scope"], "channels:read,chat:write");
    assert_eq!((&body["team"]["id"], &body["enterprise"]), (&json!(account.organization), &Value::Null));
    let user = &body["authed_user"];
    assert_eq!((&user["id"], &user["scope"]), (&json!(account.id), &json!("users:read,users:read.email")));
    assert_eq!((&user["token_type"], &user["expires_in"]), (&json!("user"), &json!(43_200)));
    assert!(text(&body, "access_token").starts_with("xoxe.xoxb-"));
    assert!(text(user, "access_token").starts_with("xoxe.xoxp-"));
    assert!(text(user, "refresh_token").starts_with("xoxe-1-"));

    let (_, who) = get(&fake, "/api/auth.test", &text(&body, "access_token")).await;
    assert_eq!(who["user_id"], body["bot_user_id"]);
    assert!(who["bot_id"].is_string());
    let (_, who) = get(&fake, "/api/auth.test", &text(user, "access_token")).await;
    assert_eq!((&who["user_id"], &who["team_id"]), (&json!(account.id), &json!(account.organization)));
    assert!(who.get("bot_id").is_none());

    let (_, refreshed) = refresh(&fake, &text(user, "refresh_token")).await;
    assert_eq!(refreshed["token_type"], "user");
    assert!(text(&refreshed, "access_token").starts_with("xoxe.xoxp-"));
    assert!(refreshed.get("authed_user").is_none());
    let (_, refreshed) = refresh(&fake, &text(&body, "refresh_token")).await;
    assert_eq!(refreshed["token_type"], "bot");
}

#[tokio::test]
async fn who_asks_for_one_kind_gets_one_kind() {
    let fake = start(Dialect::Slack).await;
    let (_, bot) = redeem(&fake, &code(&fake, &[]).await).await;
    assert_eq!(bot["authed_user"], json!({"id": fake.accounts()[0].id}));
    let only_user = [("scope", ""), ("user_scope", "users:read")];
    let (_, user) = redeem(&fake, &code(&fake, &only_user).await).await;
    assert!(user.get("access_token").is_none() && user.get("bot_user_id").is_none());
    assert!(works(&fake, &text(&user["authed_user"], "access_token")).await);
    assert_eq!(fake.authorizations()[1].user_scopes, ["users:read"]);
    assert!(fake.consent(&authorization_url(&fake, &[("scope", "")])).await.unwrap_err().contains("scope"));
}

#[tokio::test]
async fn without_rotation_tokens_last_and_cannot_be_refreshed() {
    let clock = clock();
    let fake = builder(Dialect::Slack, &clock).with_lasting_tokens().start().await;
    let (_, body) = redeem(&fake, &code(&fake, &[]).await).await;
    assert!(body.get("refresh_token").is_none() && body.get("expires_in").is_none());
    let access = text(&body, "access_token");
    assert!(access.starts_with("xoxb-"));
    clock.advance(std::time::Duration::from_secs(400_000_000));
    assert!(works(&fake, &access).await);
    assert_eq!(refused(refresh(&fake, "any").await), (200, "token_rotation_not_enabled".to_owned()));
}

#[tokio::test]
async fn auth_test_takes_the_token_as_a_parameter_too() {
    let fake = builder(Dialect::Slack, &clock()).open_token("open").start().await;
    let form = http().post(format!("{}/api/auth.test", fake.url())).form(&[("token", "open")]);
    assert_eq!(answer(form.send().await.unwrap()).await.1["ok"], true);
}
