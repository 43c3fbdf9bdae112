//! Zoom's one authorization, and its servers that speak to servers.

use integrations_testkit::oauth::{AccountSpec, Dialect};
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_second_authorization_by_the_same_user_ends_the_first() {
    let fake =
        builder(Dialect::Zoom, &clock()).account("ada@x.example").account("grace@x.example").start().await;
    let (access, refresh_token) = connect(&fake).await;
    fake.switch_account("grace@x.example");
    let (other, _) = connect(&fake).await;
    assert!(works(&fake, &access).await);
    fake.switch_account("ada@x.example");
    let (newest, _) = connect(&fake).await;
    assert!(!works(&fake, &access).await);
    assert!(works(&fake, &newest).await && works(&fake, &other).await);
    let (status, body) = refresh(&fake, &refresh_token).await;
    assert_eq!((status, &body["code"]), (401, &json!(4_741)));
}

#[tokio::test]
async fn the_answer_names_the_base_of_the_api_and_the_scopes_of_the_app() {
    let fake = builder(Dialect::Zoom, &clock())
        .app_scopes(&["user:read:user", "meeting:read:meeting"])
        .start()
        .await;
    let (_, body) = redeem(&fake, &code(&fake, &[]).await).await;
    assert_eq!(body["api_url"].as_str(), Some(fake.url()));
    assert_eq!(
        (&body["token_type"], &body["scope"]),
        (&json!("bearer"), &json!("user:read:user meeting:read:meeting"))
    );
    let (_, me) = get(&fake, "/v2/users/me", &text(&body, "access_token")).await;
    let account = &fake.accounts()[0];
    assert_eq!((&me["id"], &me["account_id"]), (&json!(account.id), &json!(account.organization)));
    let beyond = authorization_url(&fake, &[("scope", "meeting:write:meeting")]);
    assert!(fake.consent(&beyond).await.unwrap_err().contains("not set up"));

    let (_, body) = redeem(&fake, &code(&fake, &[("scope", "meeting:read:meeting")]).await).await;
    let (status, me) = get(&fake, "/v2/users/me", &text(&body, "access_token")).await;
    assert_eq!((status, &me["code"]), (400, &json!(4_711)));
    let fake = builder(Dialect::Zoom, &clock()).api_url("https://api-eu.zoom.us").start().await;
    let (_, body) = redeem(&fake, &code(&fake, &[]).await).await;
    assert_eq!(body["api_url"], "https://api-eu.zoom.us");
}

#[tokio::test]
async fn a_server_gets_tokens_for_its_account_and_may_not_say_me() {
    let clock = clock();
    let fake = builder(Dialect::Zoom, &clock)
        .account(AccountSpec::new("ada@example.com").organization("the-account"))
        .start()
        .await;
    let ask = async |account: &str| {
        token(&fake, &[("grant_type", "account_credentials"), ("account_id", account)]).await
    };
    assert_eq!(refused(ask("another").await), (400, "invalid_request".to_owned()));
    let (status, first) = ask("the-account").await;
    assert_eq!((status, first.get("refresh_token")), (200, None));
    let (first, second) = (text(&first, "access_token"), text(&ask("the-account").await.1, "access_token"));
    assert_eq!(
        get(&fake, "/v2/users/me", &first).await,
        (404, json!({"code": 1_001, "message": "User does not exist: me."}))
    );
    for token in [&first, &second] {
        assert_eq!(get(&fake, "/v2/users/ada@example.com", token).await.0, 200);
    }
    assert_eq!(get(&fake, "/v2/users/nobody", &first).await.0, 404);
    clock.advance(std::time::Duration::from_secs(3_599));
    assert_eq!(get(&fake, "/v2/users/ada@example.com", &first).await.0, 401);
    assert_eq!((fake.tally().mints, fake.count("token.mint")), (2, 3));

    let (of_user, _) = connect(&fake).await;
    let (status, body) = get(&fake, "/v2/users/ada@example.com", &of_user).await;
    assert_eq!((status, &body["code"]), (401, &json!(4_700)));
}
