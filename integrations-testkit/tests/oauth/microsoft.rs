//! Tenants, id tokens and claims.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use integrations_testkit::oauth::{AccountSpec, Dialect};
use serde_json::json;

use super::*;

const TENANT: &str = "11111111-1111-4111-a111-111111111111";

async fn two_worlds() -> FakeOAuth {
    let work = AccountSpec::new("ada@contoso.example").organization(TENANT).name("Ada Lovelace");
    let home = AccountSpec::new("grace@outlook.example").personal().hides_email();
    builder(Dialect::Microsoft, &clock()).account(work).account(home).start().await
}

#[tokio::test]
async fn an_id_token_says_who_in_which_tenant() {
    let fake = two_worlds().await;
    let (_, body) = redeem(&fake, &code(&fake, &[("nonce", "the nonce")]).await).await;
    assert_eq!(body["ext_expires_in"], body["expires_in"]);
    assert_eq!(body["scope"], "openid profile User.Read", "offline_access is not told");
    let id_token = text(&body, "id_token");
    let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let account = &fake.accounts()[0];
    assert_eq!((&claims["oid"], &claims["tid"]), (&json!(account.id), &json!(TENANT)));
    assert_eq!((&claims["aud"], &claims["nonce"]), (&json!("the-client"), &json!("the nonce")));
    assert_eq!(claims["iss"], format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|issued| issued + 3_600));

    let (_, me) = get(&fake, "/v1.0/me", &text(&body, "access_token")).await;
    assert_eq!((&me["id"], &me["mail"]), (&json!(account.id), &json!("ada@contoso.example")));
    let (_, me) = get(&fake, "/v1.0/me?$select=id,displayName", &text(&body, "access_token")).await;
    assert_eq!(me.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn an_address_may_be_hidden() {
    let fake = two_worlds().await;
    fake.switch_account("grace@outlook.example");
    let (access, _) = connect(&fake).await;
    let (_, me) = get(&fake, "/v1.0/me", &access).await;
    assert_eq!((&me["mail"], &me["userPrincipalName"]), (&Value::Null, &json!("grace@outlook.example")));
}

#[tokio::test]
async fn a_refresh_token_comes_with_its_scope_and_an_id_token_with_openid() {
    let fake = start(Dialect::Microsoft).await;
    let (_, body) = redeem(&fake, &code(&fake, &[("scope", "User.Read")]).await).await;
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let (_, body) = redeem(&fake, &code(&fake, &[("scope", "offline_access Mail.Read")]).await).await;
    let (status, me) = get(&fake, "/v1.0/me", &text(&body, "access_token")).await;
    assert_eq!((status, &me["error"]["code"]), (403, &json!("Authorization_RequestDenied")));
    let refresh_token = text(&body, "refresh_token");
    let scoped = async |scope: &str| {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str()), ("scope", scope)];
        token(&fake, &form).await
    };
    assert_eq!(scoped("Mail.Read offline_access").await.1["scope"], "Mail.Read");
    let (status, wider) = scoped("Mail.Send").await;
    assert_eq!((status, &wider["suberror"]), (400, &json!("consent_required")));
}

#[tokio::test]
async fn the_path_says_whose_accounts_may_sign_in() {
    let fake = two_worlds().await;
    let open = async |tenant: &str, hint: &str| {
        let url = authorization_url(&fake, &[("login_hint", hint)]);
        fake.consent(&url.replace("/common/", &format!("/{tenant}/"))).await
    };
    let (ada, grace) = ("ada@contoso.example", "grace@outlook.example");
    for (tenant, hint, admitted) in [
        ("common", ada, true),
        ("common", grace, true),
        ("organizations", ada, true),
        ("organizations", grace, false),
        ("consumers", ada, false),
        ("consumers", grace, true),
        (TENANT, ada, true),
        (TENANT, grace, false),
        ("contoso.example", ada, true),
    ] {
        let answer = open(tenant, hint).await;
        assert_eq!(answer.is_ok(), admitted, "{tenant} {hint} {answer:?}");
        assert!(admitted || answer.unwrap_err().contains("AADSTS50020"));
    }
    assert!(open("nowhere.example", ada).await.unwrap_err().contains("AADSTS90002"));
    assert_eq!(fake.authorizations()[5].tenant.as_deref(), Some("contoso.example"));

    let url = format!("{}/nowhere.example/oauth2/v2.0/token", fake.url());
    let (status, body) =
        answer(http().post(url).form(&[("grant_type", "refresh_token")]).send().await.unwrap()).await;
    assert_eq!((status, &body["error_codes"]), (400, &json!([90_002])));
}

#[tokio::test]
async fn a_claims_challenge_holds_until_a_token_was_asked_for_with_the_claims() {
    let fake = start(Dialect::Microsoft).await;
    let (access, refresh_token) = connect(&fake).await;
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1772355600"}}}"#;
    fake.require_claims(Some(claims));
    let me = async |access: &str| {
        http().get(format!("{}/v1.0/me", fake.url())).bearer_auth(access).send().await.unwrap()
    };
    let challenged = me(&access).await;
    assert_eq!(challenged.status(), 401);
    let challenge = challenged.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains(r#"error="insufficient_claims""#), "{challenge}");
    assert!(challenge.contains(&format!("claims=\"{}\"", STANDARD.encode(claims))), "{challenge}");
    let (_, body) = refresh(&fake, &refresh_token).await;
    assert_eq!(me(&text(&body, "access_token")).await.status(), 401, "a refresh alone does not do");

    let code = code(&fake, &[("claims", claims)]).await;
    let (_, body) = redeem(&fake, &code).await;
    assert_eq!(me(&text(&body, "access_token")).await.status(), 200);
    assert_eq!(fake.authorizations()[1].claims.as_deref(), Some(claims));
    let refresh_token = text(&body, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh_token), ("claims", claims)];
    let (_, body) = token(&fake, &form).await;
    assert_eq!(me(&text(&body, "access_token")).await.status(), 200, "a refresh may carry them too");
    fake.require_claims(None);
    assert_eq!(me(&access).await.status(), 200);
}

#[tokio::test]
async fn an_application_gets_a_token_of_its_own_in_a_concrete_tenant() {
    let fake = two_worlds().await;
    let ask = async |tenant: &str, scope: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "the-client"),
            ("client_secret", "the-secret"),
            ("scope", scope),
        ];
        answer(
            http()
                .post(format!("{}/{tenant}/oauth2/v2.0/token", fake.url()))
                .form(&form)
                .send()
                .await
                .unwrap(),
        )
        .await
    };
    let default = "https://graph.microsoft.com/.default";
    assert_eq!(refused(ask("common", default).await).0, 400);
    assert_eq!(refused(ask(TENANT, "User.Read").await).0, 400);
    let (status, body) = ask(TENANT, default).await;
    assert_eq!((status, body.get("refresh_token")), (200, None));
    assert_eq!(get(&fake, "/v1.0/me", &text(&body, "access_token")).await.0, 400);
    assert_eq!((fake.tally().mints, fake.count("token.mint"), fake.live_grants()), (1, 3, 0));
}
