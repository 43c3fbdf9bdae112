//! Consent, codes, tokens: GitHub's OAuth on the same base address.

use integrations_testkit::Fault;
use integrations_testkit::oauth::Pkce;
use serde_json::json;
use url::Url;

use super::*;

const REDIRECT: &str = "https://app.example/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn authorization_url(fake: &FakeGitHub, scope: &str) -> String {
    let mut url = Url::parse(&format!("{}/login/oauth/authorize", fake.url())).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("client_id", fake.client_id()),
        ("redirect_uri", REDIRECT),
        ("scope", scope),
        ("state", "the state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    url.into()
}

async fn token(fake: &FakeGitHub, form: Query<'_>) -> Value {
    let client = [("client_id", fake.client_id()), ("client_secret", fake.client_secret())];
    let request =
        http().post(format!("{}/login/oauth/access_token", fake.url())).header("accept", "application/json");
    let answer = request.form(&[&client, form].concat()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "also a failure has this status");
    assert_eq!(header(&answer, "x-ratelimit-limit"), None, "this is not of the API");
    answer.json().await.unwrap()
}

async fn redeem(fake: &FakeGitHub, scope: &str) -> Value {
    let location = fake.consent(&authorization_url(fake, scope)).await.unwrap();
    let url = Url::parse(&location).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    token(fake, &[("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]).await
}

/// The whole way to an access token, and a refresh token if there is one.
pub(crate) async fn connect(fake: &FakeGitHub, scope: &str) -> (String, String) {
    let body = redeem(fake, scope).await;
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    assert!(body["access_token"].is_string(), "{body}");
    (text("access_token"), text("refresh_token"))
}

async fn works(fake: &FakeGitHub, access: &str) -> bool {
    let status = request(fake, "/user", access).send().await.unwrap().status();
    assert_eq!(status == 200, fake.is_live(access));
    status == 200
}

#[tokio::test]
async fn an_oauth_apps_token_opens_what_was_granted() {
    let fake = builder(&clock())
        .repository(RepoSpec::new("octo-org/secret").private())
        .with_lasting_tokens()
        .canary("CANARY")
        .start()
        .await;
    let (access, refresh) = connect(&fake, "repo notifications").await;
    assert!(access.starts_with("gho_CANARY") && refresh.is_empty());
    let answer = request(&fake, "/user", &access).send().await.unwrap();
    assert_eq!(header(&answer, "x-oauth-scopes"), Some("repo, notifications"));
    let user: Value = answer.json().await.unwrap();
    assert_eq!(
        (&user["login"], &user["id"], &user["email"]),
        (&json!("ada"), &json!(fake.user_id()), &json!("ada@example.com"))
    );
    assert_eq!(request(&fake, "/repos/octo-org/secret", &access).send().await.unwrap().status(), 200);
    fake.grant_only(&["notifications"]);
    let (narrow, _) = connect(&fake, "repo notifications").await;
    assert_eq!(request(&fake, "/repos/octo-org/secret", &narrow).send().await.unwrap().status(), 404);
    assert_eq!(request(&fake, "/notifications", &narrow).send().await.unwrap().status(), 200);
    fake.grant_all();
    assert!(fake.issued_secrets().contains(&access));
    assert!(!format!("{:?} {fake:?}", fake.requests()).contains("CANARY"));
    assert_eq!(fake.authorizations().len(), 2);
    fake.revoke_grant();
    assert!(!works(&fake, &access).await && !works(&fake, &narrow).await);
}

#[tokio::test]
async fn an_apps_tokens_expire_are_refreshed_and_revoked() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let (access, spent) = connect(&fake, "").await;
    assert!(access.starts_with("ghu_") && spent.starts_with("ghr_") && works(&fake, &access).await);
    clock.advance(Duration::from_secs(28_800));
    assert!(!works(&fake, &access).await);
    let refresh = async |token_: &str| {
        token(&fake, &[("grant_type", "refresh_token"), ("refresh_token", token_)]).await
    };
    let body = refresh(&spent).await;
    let (access, next) = (body["access_token"].as_str().unwrap(), body["refresh_token"].as_str().unwrap());
    assert!(works(&fake, access).await);
    assert_eq!((fake.refreshes(), fake.tally().refreshes), (1, 1));
    assert_eq!(refresh(&spent).await["error"], "bad_refresh_token");
    fake.expire_access_tokens();
    assert!(!works(&fake, access).await);
    fake.fault(Fault::on("token.refresh").status(200).reason("bad_refresh_token"));
    assert_eq!(refresh(next).await["error"], "bad_refresh_token");
    let body = refresh(next).await;
    let access = body["access_token"].as_str().unwrap();
    let revoke = http()
        .delete(format!("{}/api/v3/applications/{}/grant", fake.url(), fake.client_id()))
        .basic_auth(fake.client_id(), Some(fake.client_secret()))
        .json(&json!({"access_token": access}));
    assert_eq!(revoke.send().await.unwrap().status(), 204);
    assert!(!works(&fake, access).await);
    assert_eq!(fake.count("apps.deleteAuthorization"), 1);
    let (_, refresh_token) = connect(&fake, "").await;
    fake.expire_refresh_tokens();
    assert_eq!(refresh(&refresh_token).await["error"], "bad_refresh_token");
}

#[tokio::test]
async fn the_user_may_refuse_and_another_may_sign_in() {
    let fake = builder(&clock()).account("grace@example.com").start().await;
    fake.deny_next_consent();
    let location = fake.consent(&authorization_url(&fake, "")).await.unwrap();
    assert!(location.contains("error=access_denied") && !location.contains("code="));
    fake.fail_next_consent_with("application_suspended");
    assert!(
        fake.consent(&authorization_url(&fake, "")).await.unwrap().contains("error=application_suspended")
    );
    fake.switch_account("grace@example.com");
    let (access, _) = connect(&fake, "").await;
    let user: Value = request(&fake, "/user", &access).send().await.unwrap().json().await.unwrap();
    assert_eq!((&user["login"], user["id"].to_string()), (&json!("grace"), fake.accounts()[1].id.clone()));
}

#[tokio::test]
async fn the_builder_hands_its_options_on() {
    let fake = builder(&clock())
        .client("the id", "the secret")
        .token_prefix("ghu_canary_")
        .refresh_token_prefix("ghr_canary_")
        .user("grace@navy.example")
        .user_id(7)
        .access_token_lifetime(Duration::from_secs(60))
        .open_refresh_token("open-refresh")
        .start()
        .await;
    let body = redeem(&fake, "").await;
    assert!(body["access_token"].as_str().unwrap().starts_with("ghu_canary_"));
    assert!(body["refresh_token"].as_str().unwrap().starts_with("ghr_canary_"));
    assert_eq!(body["expires_in"], 60);
    assert_eq!((fake.login().as_str(), fake.user_id(), fake.user()), ("grace", 7, "grace@navy.example"));
    let user = ok(&fake, "/user", &[]).await;
    assert_eq!((&user["id"], &user["login"]), (&json!(7), &json!("grace")));
    let body = token(&fake, &[("grant_type", "refresh_token"), ("refresh_token", "open-refresh")]).await;
    assert!(works(&fake, body["access_token"].as_str().unwrap()).await);

    let lax = builder(&clock()).pkce(Pkce::Accepted).interactive(true).start().await;
    let page = http().get(authorization_url(&lax, "")).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Allow</button>"));
    let port = Url::parse(lax.url()).unwrap().port().unwrap();
    lax.shutdown().await;
    let again = builder(&clock()).port(port).start().await;
    assert_eq!(again.url(), format!("http://127.0.0.1:{port}"));
}
