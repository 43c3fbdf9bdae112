//! How grants end.

use integrations_testkit::oauth::Dialect;
use serde_json::json;

use super::*;

#[tokio::test]
async fn google_revokes_the_grant_once_by_any_of_its_tokens() {
    let fake = start(Dialect::Google).await;
    let (access, first) = connect(&fake).await;
    let revoke = async |token: &str| {
        answer(http().post(format!("{}/revoke", fake.url())).form(&[("token", token)]).send().await.unwrap())
            .await
    };
    assert_eq!(revoke("unknown").await.0, 400);
    assert_eq!(revoke(&first).await.0, 200);
    assert!(!works(&fake, &access).await);
    assert_eq!(refused(revoke(&first).await), (400, "invalid_token".to_owned()));
    assert_eq!((fake.tally().revocations, fake.live_grants()), (1, 0));
}

#[tokio::test]
async fn slack_revokes_the_token_that_calls_and_uninstalls_the_app() {
    let fake = start(Dialect::Slack).await;
    let both = [("user_scope", "users:read")];
    let (_, body) = redeem(&fake, &code(&fake, &both).await).await;
    let (bot, user) = (text(&body, "access_token"), text(&body["authed_user"], "access_token"));
    let call = async |method: &str, token: &str, form: &[(&str, &str)]| {
        let request = http().post(format!("{}/api/{method}", fake.url())).bearer_auth(token).form(form);
        answer(request.send().await.unwrap()).await.1
    };
    assert_eq!(call("auth.revoke", &user, &[("test", "1")]).await, json!({"ok": true, "revoked": false}));
    assert_eq!(call("auth.revoke", &user, &[]).await, json!({"ok": true, "revoked": true}));
    assert_eq!(call("auth.revoke", &user, &[]).await, json!({"ok": false, "error": "token_revoked"}));
    assert_eq!(call("auth.revoke", "unknown", &[]).await, json!({"ok": false, "error": "invalid_auth"}));
    assert!(!works(&fake, &user).await && works(&fake, &bot).await);
    assert_eq!((fake.tally().revocations, fake.live_grants()), (1, 1));

    let wrong = [("client_id", "the-client"), ("client_secret", "wrong")];
    assert_eq!(call("apps.uninstall", &bot, &wrong).await["error"], "bad_client_secret");
    let right = [("client_id", "the-client"), ("client_secret", "the-secret")];
    assert_eq!(call("apps.uninstall", &bot, &right).await, json!({"ok": true}));
    assert!(!works(&fake, &bot).await);
    assert_eq!(fake.live_grants(), 0);
}

#[tokio::test]
async fn microsoft_has_no_way_but_to_end_every_session() {
    let fake = start(Dialect::Microsoft).await;
    let (access, first) = connect(&fake).await;
    let (other, _) = connect(&fake).await;
    let url = format!("{}/v1.0/me/revokeSignInSessions", fake.url());
    let call = async || answer(http().post(&url).bearer_auth(&access).send().await.unwrap()).await;
    assert_eq!(call().await.1["value"], true);
    assert_eq!(call().await.0, 401);
    assert!(!works(&fake, &other).await);
    let (_, body) = refresh(&fake, &first).await;
    assert_eq!(body["error_codes"], json!([50_173]));
}

#[tokio::test]
async fn github_deletes_a_token_or_the_grant_by_basic() {
    let fake = start(Dialect::GitHub).await;
    let call = async |method: &str, what: &str, token: &str, secret: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/applications/the-client/{what}", fake.url());
        let request = http().request(method, url).basic_auth("the-client", Some(secret));
        request.json(&json!({"access_token": token})).send().await.unwrap().status().as_u16()
    };
    let (first, _) = connect(&fake).await;
    let (second, refresh_token) = connect(&fake).await;
    assert_eq!(call("POST", "token", &first, "the-secret").await, 200);
    assert_eq!(call("DELETE", "token", &first, "wrong").await, 401);
    assert_eq!(call("DELETE", "token", &first, "the-secret").await, 204);
    assert_eq!(call("DELETE", "token", &first, "the-secret").await, 404);
    assert_eq!(call("POST", "token", &first, "the-secret").await, 404);
    assert!(!works(&fake, &first).await && works(&fake, &second).await);
    let (third, _) = connect(&fake).await;
    assert_eq!(call("DELETE", "grant", &third, "the-secret").await, 204);
    assert!(!works(&fake, &second).await);
    assert_eq!(refused(refresh(&fake, &refresh_token).await).1, "bad_refresh_token");
    assert_eq!((fake.tally().revocations, fake.live_grants()), (2, 0));
}

#[tokio::test]
async fn zoom_revokes_by_basic_and_does_not_mind_what_it_does_not_know() {
    let fake = start(Dialect::Zoom).await;
    let (access, first) = connect(&fake).await;
    let call = async |token: &str, secret: &str| {
        let request = http().post(format!("{}/oauth/revoke", fake.url())).form(&[("token", token)]);
        answer(request.basic_auth("the-client", Some(secret)).send().await.unwrap()).await
    };
    assert_eq!(call(&access, "wrong").await.0, 401);
    assert!(works(&fake, &access).await);
    assert_eq!(call(&access, "the-secret").await, (200, json!({"status": "success"})));
    assert!(!works(&fake, &access).await);
    assert_eq!(refresh(&fake, &first).await.1["code"], 4_741);
    assert_eq!(call(&access, "the-secret").await, (200, json!({"status": "success"})));
    assert_eq!(fake.tally().revocations, 1);
}
