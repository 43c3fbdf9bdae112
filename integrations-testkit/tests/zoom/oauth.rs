//! Consent, codes, tokens: Zoom's OAuth on the same base address.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::*;

const REDIRECT: &str = "https://app.example/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn authorization_url(fake: &FakeZoom) -> String {
    let mut url = Url::parse(&format!("{}/oauth/authorize", fake.url())).unwrap();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", fake.client_id())
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("state", "the state")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256");
    url.into()
}

async fn token(fake: &FakeZoom, form: Query<'_>) -> (u16, Value) {
    let request = http().post(format!("{}/oauth/token", fake.url()));
    let answer = request.basic_auth(fake.client_id(), Some(fake.client_secret())).form(form).send().await;
    let answer = answer.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn connect(fake: &FakeZoom) -> (String, String) {
    let location = fake.consent(&authorization_url(fake)).await.unwrap();
    let url = Url::parse(&location).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let (status, body) = token(fake, &form).await;
    assert_eq!(status, 200, "{body}");
    (text(&body, "access_token"), text(&body, "refresh_token"))
}

async fn refresh(fake: &FakeZoom, refresh_token: &str) -> (u16, Value) {
    token(fake, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

async fn with(fake: &FakeZoom, access: &str, path: &str) -> (u16, u64) {
    let url = format!("{}/v2{path}", fake.url());
    let answer = http().get(url).bearer_auth(access).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json::<Value>().await.unwrap()["code"].as_u64().unwrap_or_default())
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).to_owned()
}

#[tokio::test]
async fn tokens_open_what_was_granted_expire_are_refreshed_and_revoked() {
    let clock = clock();
    let fake = builder(&clock).canary("CANARY").start().await;
    let (access, first) = connect(&fake).await;
    assert!(access.contains("CANARY") && first.contains("CANARY"));
    assert_eq!(with(&fake, &access, "/users/me").await, (200, 0));
    assert_eq!(with(&fake, &access, "/users/me/meetings").await, (200, 0));
    clock.advance(Duration::from_secs(3_599));
    assert_eq!(with(&fake, &access, "/users/me/meetings").await, (401, 124));
    let (status, body) = refresh(&fake, &first).await;
    assert_eq!((status, &body["expires_in"]), (200, &json!(3_599)));
    let (access, second) = (text(&body, "access_token"), text(&body, "refresh_token"));
    assert_ne!(first, second);
    assert_eq!(with(&fake, &access, "/users/me").await, (200, 0));
    let (status, body) = refresh(&fake, &first).await;
    assert_eq!((status, &body["code"], &body["error"]), (401, &json!(4_740), &json!("invalid_grant")));
    fake.expire_access_tokens();
    assert_eq!(with(&fake, &access, "/users/me").await, (401, 124));
    let (_, body) = refresh(&fake, &second).await;
    let (access, third) = (text(&body, "access_token"), text(&body, "refresh_token"));
    assert_eq!((fake.refreshes(), fake.tally().refreshes), (3, 2));

    let revoke = http().post(format!("{}/oauth/revoke", fake.url())).form(&[("token", &access)]);
    let answer = revoke.basic_auth(fake.client_id(), Some(fake.client_secret())).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"status": "success"}));
    assert_eq!((with(&fake, &access, "/users/me").await, fake.count("revoke")), ((401, 124), 1));
    assert_eq!(refresh(&fake, &third).await.1["code"], 4_741);
    assert!(!fake.is_live(&access));
    assert!(!format!("{:?} {fake:?}", fake.requests()).contains("CANARY"));
}

#[tokio::test]
async fn a_user_can_refuse_grant_less_and_take_it_back() {
    let fake = start().await;
    fake.deny_next_consent();
    assert!(fake.consent(&authorization_url(&fake)).await.unwrap().contains("error=access_denied"));
    fake.grant_only(&["user:read:user"]);
    let (access, _) = connect(&fake).await;
    assert_eq!(with(&fake, &access, "/users/me").await, (200, 0));
    assert_eq!(with(&fake, &access, "/users/me/meetings").await, (400, 4_711));
    fake.grant_all();
    let (access, refresh_token) = connect(&fake).await;
    assert_eq!(with(&fake, &access, "/users/me/meetings").await, (200, 0));
    fake.revoke_grant();
    assert_eq!(with(&fake, &access, "/users/me").await, (401, 124));
    assert_eq!(refresh(&fake, &refresh_token).await.1["code"], 4_741);
    assert_eq!(fake.authorizations().len(), 3);
}

#[tokio::test]
async fn each_users_token_is_for_the_users_own_meetings() {
    let fake = builder(&clock()).account("grace@example.com").start().await;
    let hers =
        fake.create_meeting(json!({"host": "grace@example.com", "start_time": "2026-03-02T09:00:00Z"}));
    let (mine, _) = connect(&fake).await;
    fake.switch_account("grace@example.com");
    let (other, _) = connect(&fake).await;
    let path = format!("/meetings/{hers}");
    assert_eq!(with(&fake, &mine, &path).await, (404, 3_001));
    assert_eq!(with(&fake, &other, &path).await, (200, 0));
}

#[tokio::test]
async fn an_app_on_its_own_account_names_users_and_lists_them() {
    let fake = builder(&clock())
        .account_id("the-account")
        .account("grace@example.com")
        .app_scopes(&[
            "user:read:user:admin",
            "user:read:list_users:admin",
            "meeting:read:list_meetings:admin",
        ])
        .start()
        .await;
    let (status, body) =
        token(&fake, &[("grant_type", "account_credentials"), ("account_id", fake.account_id())]).await;
    assert_eq!((status, body.get("refresh_token")), (200, None));
    let access = text(&body, "access_token");
    for path in ["/users/me", "/users/me/meetings"] {
        assert_eq!(with(&fake, &access, path).await, (404, 1_001), "{path}");
    }
    let url = format!("{}/v2/users", fake.url());
    let users: Value = http().get(&url).bearer_auth(&access).send().await.unwrap().json().await.unwrap();
    assert_eq!(all(users["users"].as_array().unwrap(), "email"), ["ada@example.com", "grace@example.com"]);
    assert_eq!(users["total_records"], 2);
    let id = text(&users["users"][1], "id");
    for named in [id.as_str(), "grace@example.com"] {
        assert_eq!(with(&fake, &access, &format!("/users/{named}")).await, (200, 0));
        assert_eq!(with(&fake, &access, &format!("/users/{named}/meetings")).await, (200, 0));
    }
    fake.deactivate_user("grace@example.com");
    let inactive = format!("{url}?status=inactive");
    let users: Value = http().get(inactive).bearer_auth(&access).send().await.unwrap().json().await.unwrap();
    assert_eq!(all(users["users"].as_array().unwrap(), "email"), ["grace@example.com"]);
    assert_eq!((fake.count("users.list"), fake.count("token.mint"), fake.tally().mints), (2, 1, 1));
}

#[tokio::test]
async fn an_open_token_and_an_open_refresh_token_are_there_from_the_start() {
    let fake = builder(&clock()).open_refresh_token("open-refresh").start().await;
    ok(&fake, "/users/me", &[]).await;
    let (status, body) = refresh(&fake, "open-refresh").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(with(&fake, &text(&body, "access_token"), "/users/me/meetings").await, (200, 0));
    fake.expire_refresh_tokens();
    assert_eq!(refresh(&fake, &text(&body, "refresh_token")).await.1["code"], 4_737);
}
