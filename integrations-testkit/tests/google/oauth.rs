//! Consent, codes, tokens.

use std::time::Duration;

use integrations_testkit::google::FakeGoogle;
use serde_json::Value;
use url::Url;

use super::{TOKEN, builder, clock, http};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:8123/callback";
const READ: &str = "https://www.googleapis.com/auth/calendar.readonly";
const SCOPES: &str = "openid email https://www.googleapis.com/auth/calendar.readonly";

fn authorization_url(fake: &FakeGoogle, extra: &[(&str, &str)]) -> String {
    let mut url = Url::parse(&format!("{}/o/oauth2/v2/auth", fake.url())).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", fake.client_id())
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("response_type", "code")
        .append_pair("scope", SCOPES)
        .append_pair("state", "the state")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .extend_pairs(extra);
    url.into()
}

fn parameter(location: &str, name: &str) -> Option<String> {
    let url = Url::parse(location).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

async fn code(fake: &FakeGoogle, extra: &[(&str, &str)]) -> String {
    let location = fake.consent(&authorization_url(fake, extra)).await.unwrap();
    assert!(location.starts_with(REDIRECT), "{location}");
    assert_eq!(parameter(&location, "state").unwrap(), "the state");
    parameter(&location, "code").unwrap()
}

async fn token(fake: &FakeGoogle, form: &[(&str, &str)]) -> (u16, Value) {
    let mut form = form.to_vec();
    form.extend([("client_id", fake.client_id()), ("client_secret", fake.client_secret())]);
    let answer = http().post(format!("{}/token", fake.url())).form(&form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn redeem(fake: &FakeGoogle, code: &str, verifier: &str) -> (u16, Value) {
    let grant = ("grant_type", "authorization_code");
    token(fake, &[grant, ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", verifier)]).await
}

async fn refresh(fake: &FakeGoogle, refresh_token: &str) -> (u16, Value) {
    token(fake, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

async fn connect(fake: &FakeGoogle) -> (String, String) {
    let code = code(fake, &[("access_type", "offline"), ("prompt", "consent")]).await;
    let (status, body) = redeem(fake, &code, VERIFIER).await;
    assert_eq!(status, 200, "{body}");
    (text(&body, "access_token"), text(&body, "refresh_token"))
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).to_owned()
}

async fn call(fake: &FakeGoogle, path: &str, access: &str) -> u16 {
    let answer = http().get(format!("{}{path}", fake.url())).bearer_auth(access).send().await.unwrap();
    answer.status().as_u16()
}

/// An access token with just these scopes.
pub(crate) async fn token_for(fake: &FakeGoogle, scopes: &[&str]) -> String {
    let url = authorization_url(fake, &[]).replace(&encoded(SCOPES), &encoded(&scopes.join(" ")));
    let location = fake.consent(&url).await.unwrap();
    let (status, body) = redeem(fake, &parameter(&location, "code").unwrap(), VERIFIER).await;
    assert_eq!((status, text(&body, "scope")), (200, scopes.join(" ")));
    text(&body, "access_token")
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn user_info(fake: &FakeGoogle, access: &str) -> u16 {
    call(fake, "/v1/userinfo", access).await
}

#[tokio::test]
async fn a_code_brings_tokens_that_work_until_they_expire_and_can_be_refreshed() {
    let clock = clock();
    let fake = builder(&clock).token_prefix("ya29.canary-").refresh_token_prefix("1//canary-").start().await;
    let (access, refresh_token) = connect(&fake).await;
    assert!(access.starts_with("ya29.canary-") && refresh_token.starts_with("1//canary-"));
    assert_eq!(user_info(&fake, &access).await, 200);

    clock.advance(Duration::from_secs(3_599));
    assert_eq!(user_info(&fake, &access).await, 401);

    let (status, body) = refresh(&fake, &refresh_token).await;
    assert_eq!(
        (status, body["expires_in"].as_u64(), body["scope"].as_str()),
        (200, Some(3_599), Some(SCOPES))
    );
    assert!(body.get("refresh_token").is_none(), "Google does not rotate");
    assert_eq!(user_info(&fake, &text(&body, "access_token")).await, 200);
    assert_eq!(refresh(&fake, &refresh_token).await.0, 200);
    assert_eq!(fake.refreshes(), 2);

    let asked = &fake.authorizations()[0];
    assert_eq!((asked.access_type.as_deref(), asked.prompt.as_deref()), (Some("offline"), Some("consent")));
    assert!(!format!("{:?} {:?}", fake.requests(), fake).contains("canary"));
}

#[tokio::test]
async fn a_refresh_token_comes_with_offline_access_the_first_time_or_when_consent_is_asked_for() {
    let fake = builder(&clock()).start().await;
    let has_refresh = async |extra: &[(&str, &str)]| {
        let code = code(&fake, extra).await;
        redeem(&fake, &code, VERIFIER).await.1.get("refresh_token").is_some()
    };
    assert!(has_refresh(&[("access_type", "offline")]).await);
    assert!(!has_refresh(&[("access_type", "offline")]).await);
    assert!(has_refresh(&[("access_type", "offline"), ("prompt", "select_account consent")]).await);
    assert!(!has_refresh(&[("prompt", "consent")]).await);
    fake.revoke_grant();
    assert!(has_refresh(&[("access_type", "offline")]).await);
}

#[tokio::test]
async fn a_wrong_verifier_an_old_code_and_another_redirect_are_refused() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let (status, body) = redeem(&fake, &code(&fake, &[]).await, CHALLENGE).await;
    assert_eq!((status, text(&body, "error")), (400, "invalid_grant".to_owned()));

    let old = code(&fake, &[]).await;
    clock.advance(Duration::from_mins(10));
    assert_eq!(text(&redeem(&fake, &old, VERIFIER).await.1, "error"), "invalid_grant");

    let code = code(&fake, &[]).await;
    let grant = ("grant_type", "authorization_code");
    let elsewhere = ("redirect_uri", "http://127.0.0.1:8123/callback/");
    let form = [grant, ("code", code.as_str()), elsewhere, ("code_verifier", VERIFIER)];
    let (status, body) = token(&fake, &form).await;
    assert_eq!((status, text(&body, "error")), (400, "redirect_uri_mismatch".to_owned()));
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_the_tokens_it_brought() {
    let fake = builder(&clock()).start().await;
    let code = code(&fake, &[("access_type", "offline")]).await;
    let (_, body) = redeem(&fake, &code, VERIFIER).await;
    let (status, again) = redeem(&fake, &code, VERIFIER).await;
    assert_eq!((status, text(&again, "error")), (400, "invalid_grant".to_owned()));
    assert_eq!(user_info(&fake, &text(&body, "access_token")).await, 401);
    assert_eq!(refresh(&fake, &text(&body, "refresh_token")).await.0, 400);
}

#[tokio::test]
async fn rotation_ends_the_old_refresh_token() {
    let fake = builder(&clock()).rotate_refresh_tokens(true).start().await;
    let (_, first) = connect(&fake).await;
    let (_, body) = refresh(&fake, &first).await;
    let second = text(&body, "refresh_token");
    assert_ne!(first, second);
    assert_eq!(text(&refresh(&fake, &first).await.1, "error"), "invalid_grant");
    assert_eq!(refresh(&fake, &second).await.0, 200);
}

#[tokio::test]
async fn revoking_ends_the_grant_once() {
    let fake = builder(&clock()).start().await;
    let (access, refresh_token) = connect(&fake).await;
    let revoke = async || {
        let form = [("token", refresh_token.as_str())];
        let answer = http().post(format!("{}/revoke", fake.url())).form(&form).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(revoke().await.0, 200);
    assert_eq!(user_info(&fake, &access).await, 401);
    assert_eq!(text(&refresh(&fake, &refresh_token).await.1, "error"), "invalid_grant");
    let (status, body) = revoke().await;
    assert_eq!((status, text(&body, "error")), (400, "invalid_token".to_owned()));
}

#[tokio::test]
async fn expired_access_tokens_can_be_replaced_and_a_revoked_grant_cannot() {
    let fake = builder(&clock()).open_refresh_token("open-refresh").start().await;
    fake.expire_access_tokens();
    assert_eq!(user_info(&fake, TOKEN).await, 401);
    let (status, body) = refresh(&fake, "open-refresh").await;
    assert_eq!(status, 200);
    assert_eq!(user_info(&fake, &text(&body, "access_token")).await, 200);
    fake.revoke_grant();
    assert_eq!(user_info(&fake, &text(&body, "access_token")).await, 401);
    assert_eq!(text(&refresh(&fake, "open-refresh").await.1, "error"), "invalid_grant");
}

#[tokio::test]
async fn the_user_may_refuse_or_untick() {
    let fake = builder(&clock()).issuer_in_callback(true).start().await;
    fake.deny_next_consent();
    let location = fake.consent(&authorization_url(&fake, &[])).await.unwrap();
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&location, "iss").as_deref(), Some("https://accounts.google.com"));
    assert_eq!(parameter(&location, "code"), None);

    fake.grant_only(&["openid"]);
    let (_, body) = redeem(&fake, &code(&fake, &[]).await, VERIFIER).await;
    assert_eq!(text(&body, "scope"), "openid");
    let access = text(&body, "access_token");
    assert_eq!(user_info(&fake, &access).await, 200);
    assert_eq!(call(&fake, "/calendar/v3/calendars/primary/events", &access).await, 403);
    assert_eq!(call(&fake, "/calendar/v3/users/me/calendarList", &access).await, 403);

    fake.grant_all();
    let (_, body) = redeem(&fake, &code(&fake, &[]).await, VERIFIER).await;
    assert!(text(&body, "scope").contains(READ));
    assert_eq!(call(&fake, "/calendar/v3/calendars/primary/events", &text(&body, "access_token")).await, 200);
}

#[tokio::test]
async fn a_request_that_is_not_in_order_is_told_to_the_user_and_goes_nowhere() {
    let fake = builder(&clock()).start().await;
    let whole = authorization_url(&fake, &[]);
    let broken = [
        whole.replace("response_type=code", "response_type=token"),
        whole.replace("S256", "plain"),
        whole.replace(CHALLENGE, "short"),
        whole.replace("127.0.0.1%3A8123", "evil.example"),
        whole.replace("client_id=fake", "client_id=other"),
        format!("{whole}&state=twice"),
    ];
    for url in broken {
        assert_ne!(url, whole);
        let refused = fake.consent(&url).await.unwrap_err();
        assert!(refused.contains("400 Bad Request") && refused.contains("<h1>"), "{url}: {refused}");
    }
}

#[tokio::test]
async fn the_client_proves_itself_by_form_or_basic() {
    let fake =
        builder(&clock()).open_refresh_token("open-refresh").client("the id", "s:e/c+r%t").start().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", "open-refresh")];
    let url = format!("{}/token", fake.url());
    let basic = http().post(&url).basic_auth("the+id", Some("s%3Ae%2Fc%2Br%25t")).form(&form);
    assert_eq!(basic.send().await.unwrap().status(), 200);
    let wrong = http().post(&url).basic_auth("the+id", Some("wrong")).form(&form).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert_eq!(text(&wrong.json().await.unwrap(), "error"), "invalid_client");
}

#[tokio::test]
async fn in_interactive_mode_a_person_is_asked_on_a_page() {
    let fake = builder(&clock()).interactive(true).start().await;
    let url = authorization_url(&fake, &[("login_hint", "\"><script>")]);
    let page = http().get(&url).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    assert!(html.contains("Allow</button>") && html.contains(READ) && !html.contains("<script>"));
    let denied = http().get(format!("{url}&decision=deny")).send().await.unwrap();
    assert!(denied.headers()["location"].to_str().unwrap().contains("error=access_denied"));
    assert!(parameter(&fake.consent(&url).await.unwrap(), "code").is_some());
}
