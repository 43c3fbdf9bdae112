//! How each provider says no, when it is asked to.

use integrations_testkit::Fault;
use integrations_testkit::oauth::Dialect;
use serde_json::json;

use super::*;

/// The answer to a refresh that fails with this error of the provider's.
async fn failure(dialect: Dialect, name: &str) -> (u16, Value) {
    let fake = builder(dialect, &clock()).open_refresh_token("open").start().await;
    fake.fail_token_with(name);
    let answer = refresh(&fake, "open").await;
    assert_eq!(fake.tally().refreshes, 0);
    assert!(refresh(&fake, "open").await.1.get("access_token").is_some(), "it fails once");
    answer
}

#[tokio::test]
async fn googles_errors_are_flat() {
    for (name, status) in [
        ("invalid_grant", 400),
        ("invalid_client", 401),
        ("unauthorized_client", 401),
        ("deleted_client", 401),
        ("admin_policy_enforced", 400),
        ("temporarily_unavailable", 503),
    ] {
        assert_eq!(refused(failure(Dialect::Google, name).await), (status, name.to_owned()));
    }
    let (_, body) = failure(Dialect::Google, "invalid_rapt").await;
    assert_eq!((&body["error"], &body["error_subtype"]), (&json!("invalid_grant"), &json!("invalid_rapt")));
}

#[tokio::test]
async fn slacks_errors_come_with_status_200() {
    for name in [
        "invalid_refresh_token",
        "token_rotation_not_enabled",
        "bad_client_secret",
        "invalid_client_id",
        "internal_error",
        "an_error_of_tomorrow",
    ] {
        assert_eq!(failure(Dialect::Slack, name).await, (200, json!({"ok": false, "error": name})));
    }
    assert_eq!(failure(Dialect::Slack, "ratelimited").await.0, 429);
}

#[tokio::test]
async fn microsofts_errors_have_numbers_and_some_ask_for_more() {
    for (name, status, error, number) in [
        ("invalid_grant", 400, "invalid_grant", 70_000),
        ("50173", 400, "invalid_grant", 50_173),
        ("700082", 400, "invalid_grant", 700_082),
        ("53003", 400, "invalid_grant", 53_003),
        ("50057", 400, "invalid_grant", 50_057),
        ("7000222", 401, "invalid_client", 7_000_222),
        ("700016", 400, "unauthorized_client", 700_016),
        ("90033", 503, "temporarily_unavailable", 90_033),
        ("424242", 400, "invalid_grant", 424_242),
    ] {
        let (got, body) = failure(Dialect::Microsoft, name).await;
        assert_eq!((got, &body["error"], &body["error_codes"]), (status, &json!(error), &json!([number])));
        assert!(text(&body, "error_description").starts_with(&format!("AADSTS{number}: ")), "{body}");
        for field in ["timestamp", "trace_id", "correlation_id"] {
            assert!(body[field].is_string(), "{body}");
        }
        assert!(body.get("claims").is_none());
    }
    let (_, body) = failure(Dialect::Microsoft, "consent_required").await;
    assert_eq!((&body["error_codes"], &body["suberror"]), (&json!([65_001]), &json!("consent_required")));
    for name in ["50076", "interaction_required"] {
        let (_, body) = failure(Dialect::Microsoft, name).await;
        assert_eq!(body["suberror"], "basic_action");
        assert!(serde_json::from_str::<Value>(&text(&body, "claims")).unwrap()["access_token"].is_object());
    }
}

#[tokio::test]
async fn githubs_errors_come_with_status_200_as_a_form_unless_json_is_asked_for() {
    for name in ["bad_refresh_token", "incorrect_client_credentials", "unverified_user_email", "slow_down"] {
        let (status, body) = failure(Dialect::GitHub, name).await;
        assert_eq!((status, text(&body, "error")), (200, name.to_owned()));
        assert!(body["error_description"].is_string() && body["error_uri"].is_string());
    }
    let fake = start(Dialect::GitHub).await;
    let form = [("client_id", "the-client"), ("client_secret", "the-secret"), ("code", "unknown")];
    let url = format!("{}/login/oauth/access_token", fake.url());
    let form = [form[0], form[1], form[2], ("redirect_uri", REDIRECT)];
    let plain = http().post(url).form(&form).send().await.unwrap();
    assert!(plain.headers()["content-type"].to_str().unwrap().contains("x-www-form-urlencoded"));
    assert!(plain.text().await.unwrap().contains("error=bad_verification_code&"));
}

#[tokio::test]
async fn zooms_errors_have_a_reason_and_some_a_code() {
    for (name, status, error) in [
        ("4702", 401, "invalid_client"),
        ("4704", 401, "invalid_client"),
        ("4735", 400, "invalid_request"),
        ("4737", 401, "invalid_grant"),
        ("4740", 401, "invalid_grant"),
        ("4741", 401, "invalid_grant"),
        ("4717", 400, "invalid_client"),
    ] {
        let (got, body) = failure(Dialect::Zoom, name).await;
        assert_eq!((got, text(&body, "error")), (status, error.to_owned()));
        assert_eq!(body["code"].to_string(), name);
        assert!(!text(&body, "reason").is_empty());
    }
    let (_, body) = failure(Dialect::Zoom, "invalid_grant").await;
    assert_eq!(body, json!({"error": "invalid_grant", "reason": "Invalid Token!"}));
}

#[tokio::test]
async fn what_is_missing_or_twice_or_no_form_is_refused() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        for form in [
            &[("grant_type", "refresh_token")][..],
            &[("grant_type", "authorization_code"), ("code", "x")],
            &[("grant_type", "password"), ("username", "ada")],
            &[("grant_type", "refresh_token"), ("refresh_token", "a"), ("refresh_token", "b")],
        ] {
            refused(token(&fake, form).await);
        }
        let url = format!("{}{}", fake.url(), place(dialect).token);
        let json = http().post(url).header("accept", "application/json").json(&json!({"code": "x"}));
        refused(answer(json.send().await.unwrap()).await);
    }
}

#[tokio::test]
async fn an_api_call_without_a_live_token_is_refused_in_the_providers_words() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        let (access, _) = connect(&fake).await;
        let path = place(dialect).userinfo;
        let call = async |access: &str| {
            let (status, body) = get(&fake, path, access).await;
            let words = match dialect {
                Dialect::Google => body["error"]["status"].clone(),
                Dialect::Slack => body["error"].clone(),
                Dialect::Microsoft => body["error"]["code"].clone(),
                Dialect::GitHub => body["message"].clone(),
                _ => body["code"].clone(),
            };
            (status, words.to_string().trim_matches('"').to_owned())
        };
        let says = |status: u16, words: &str| (status, words.to_owned());
        let unknown = match dialect {
            Dialect::Google => says(401, "UNAUTHENTICATED"),
            Dialect::Slack => says(200, "invalid_auth"),
            Dialect::Microsoft => says(401, "InvalidAuthenticationToken"),
            Dialect::GitHub => says(401, "Bad credentials"),
            _ => says(401, "124"),
        };
        assert_eq!(call("unknown").await, unknown);
        fake.expire_access_tokens();
        let expired = if dialect == Dialect::Slack { says(200, "token_expired") } else { unknown.clone() };
        assert_eq!(call(&access).await, expired);
        let (access, _) = connect(&fake).await;
        fake.revoke_account("ada@example.com");
        let revoked = if dialect == Dialect::Slack { says(200, "token_revoked") } else { unknown };
        assert_eq!(call(&access).await, revoked);
        let bare = http().get(format!("{}{path}", fake.url())).send().await.unwrap();
        let bare = (bare.status().as_u16(), bare.text().await.unwrap());
        assert!(bare.0 == 401 || bare.1.contains("not_authed"), "{dialect:?} {bare:?}");
    }
}

#[tokio::test]
async fn an_api_call_fails_in_the_providers_envelope() {
    for dialect in Dialect::ALL {
        let fake = builder(dialect, &clock()).open_token("open").start().await;
        for status in [403, 404, 429, 500, 503] {
            fake.fault(Fault::on("userinfo").status(status));
            let (got, body) = get(&fake, place(dialect).userinfo, "open").await;
            let envelope = match dialect {
                Dialect::Google => body["error"]["errors"].is_array(),
                Dialect::Slack => body["ok"] == false,
                Dialect::Microsoft => body["error"]["innerError"]["request-id"].is_string(),
                Dialect::GitHub => body["documentation_url"].is_string(),
                _ => body["code"].is_number() && body["message"].is_string(),
            };
            assert!(got == status && envelope, "{dialect:?} {got} {body}");
        }
    }
}
