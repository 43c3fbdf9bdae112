//! GitHub's apps: the older kind, and the kind that acts on its own.

use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use integrations_testkit::oauth::{Dialect, InstallationSpec};
use serde_json::json;

use super::*;

#[tokio::test]
async fn an_app_with_expiring_tokens_has_no_scopes_and_an_oauth_app_has_them_with_commas() {
    let fake = start(Dialect::GitHub).await;
    let (_, body) = redeem(&fake, &code(&fake, &[]).await).await;
    assert_eq!((&body["scope"], &body["token_type"]), (&json!(""), &json!("bearer")));
    assert_eq!(body["refresh_token_expires_in"], 15_897_600);
    assert!(
        text(&body, "access_token").starts_with("ghu_") && text(&body, "refresh_token").starts_with("ghr_")
    );

    let clock = clock();
    let fake = builder(Dialect::GitHub, &clock).with_lasting_tokens().start().await;
    let (_, body) = redeem(&fake, &code(&fake, &[]).await).await;
    assert_eq!(body["scope"], "repo,gist");
    assert!(body.get("refresh_token").is_none() && body.get("expires_in").is_none());
    let access = text(&body, "access_token");
    assert!(access.starts_with("gho_"));
    let user = http().get(format!("{}/user", fake.url())).bearer_auth(&access).send().await.unwrap();
    assert_eq!(user.headers()["x-oauth-scopes"], "repo, gist");
    assert_eq!(answer(user).await.1["id"].to_string(), fake.accounts()[0].id);
    // Ten a user; the eleventh ends the first.
    for round in 1..=10 {
        assert!(fake.is_live(&access), "{round}");
        redeem(&fake, &code(&fake, &[]).await).await;
    }
    assert!(!fake.is_live(&access));
}

#[tokio::test]
async fn the_answer_is_a_form_unless_json_is_asked_for_and_nobody_may_be_nameless() {
    let fake = start(Dialect::GitHub).await;
    let code = code(&fake, &[]).await;
    let form = [
        ("client_id", "the-client"),
        ("client_secret", "the-secret"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let plain =
        http().post(format!("{}/login/oauth/access_token", fake.url())).form(&form).send().await.unwrap();
    assert!(
        plain.headers()["content-type"].to_str().unwrap().starts_with("application/x-www-form-urlencoded")
    );
    let text = plain.text().await.unwrap();
    assert!(text.contains("access_token=ghu_") && text.contains("expires_in=28800"), "{text}");
    let nameless = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = nameless.get(format!("{}/user", fake.url())).bearer_auth("any").send().await.unwrap();
    assert_eq!(answer.status(), 403);
}

struct Signer(RsaKeyPair);

impl Signer {
    fn new() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// `PUBLIC KEY` (X.509) or `RSA PUBLIC KEY` (PKCS #1).
    fn pem(&self, label: &str) -> String {
        let der = match label {
            "PUBLIC KEY" => self.0.public_key().as_der().unwrap().as_ref().to_vec(),
            _ => self.0.public_key().as_ref().to_vec(),
        };
        let lines: Vec<String> = STANDARD
            .encode(der)
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn proof(&self, clock: &ManualClock) -> String {
        use integrations_core::clock::Clock as _;
        let now = clock.now().timestamp();
        self.sign(&json!({"alg": "RS256"}), &json!({"iss": "the-client", "iat": now - 60, "exp": now + 540}))
    }
}

async fn call(
    fake: &FakeOAuth,
    method: reqwest::Method,
    path: &str,
    bearer: &str,
    body: Value,
) -> (u16, Value) {
    let request = http().request(method, format!("{}{path}", fake.url())).bearer_auth(bearer).json(&body);
    answer(request.send().await.unwrap()).await
}

async fn mint(fake: &FakeOAuth, id: u64, proof: &str, body: Value) -> (u16, Value) {
    call(fake, reqwest::Method::POST, &format!("/app/installations/{id}/access_tokens"), proof, body).await
}

#[tokio::test]
async fn an_app_that_proves_itself_gets_tokens_of_an_hour_for_an_installation() {
    let (clock, signer) = (clock(), Signer::new());
    for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
        let octo = InstallationSpec::new(42, "octo")
            .permission("issues", "write")
            .repository("octo/one")
            .repository("octo/two");
        let fake = builder(Dialect::GitHub, &clock)
            .github_app("7", &signer.pem(label))
            .installation(octo)
            .start()
            .await;
        let proof = signer.proof(&clock);
        let (_, about) = call(&fake, reqwest::Method::GET, "/app/installations/42", &proof, json!({})).await;
        assert_eq!((&about["account"]["login"], &about["suspended_at"]), (&json!("octo"), &Value::Null));
        assert_eq!((&about["app_id"], &about["permissions"]["issues"]), (&json!(7), &json!("write")));
        let (status, body) = mint(&fake, 42, &proof, json!({})).await;
        assert_eq!((status, &body["repository_selection"]), (201, &json!("selected")), "{body}");
        let access = text(&body, "token");
        assert!(access.starts_with("ghs_") && fake.issued_secrets().contains(&access));
        let (_, list) = get(&fake, "/installation/repositories", &access).await;
        assert_eq!(
            (&list["total_count"], &list["repositories"][1]["full_name"]),
            (&json!(2), &json!("octo/two"))
        );
        assert_eq!(get(&fake, "/user", &access).await.0, 403, "it is nobody's token");

        let narrow = json!({"permissions": {"issues": "read"}, "repositories": ["one"]});
        let (_, body) = mint(&fake, 42, &proof, narrow).await;
        assert_eq!(body["permissions"], json!({"issues": "read"}));
        for wide in [json!({"permissions": {"contents": "read"}}), json!({"repositories": ["three"]})] {
            assert_eq!(mint(&fake, 42, &proof, wide).await.0, 422);
        }
        assert_eq!((fake.tally().mints, fake.count("installation.token"), fake.live_grants()), (2, 4, 0));
        assert!(fake.is_live(&access));
        clock.advance(Duration::from_secs(3_600));
        assert!(!fake.is_live(&access));
    }
}

#[tokio::test]
async fn an_installation_may_be_suspended_or_removed() {
    let (clock, signer) = (clock(), Signer::new());
    let fake = builder(Dialect::GitHub, &clock)
        .github_app("7", &signer.pem("PUBLIC KEY"))
        .installation(InstallationSpec::new(42, "octo"))
        .start()
        .await;
    let proof = signer.proof(&clock);
    let access = text(&mint(&fake, 42, &proof, json!({})).await.1, "token");
    let ended = text(&mint(&fake, 42, &proof, json!({})).await.1, "token");
    let end = async || {
        let request = http().delete(format!("{}/installation/token", fake.url())).bearer_auth(&ended);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((end().await, end().await, fake.tally().revocations), (204, 401, 1));
    fake.suspend_installation(42, true);
    let (status, body) = mint(&fake, 42, &proof, json!({})).await;
    assert_eq!((status, text(&body, "message")), (403, "This installation has been suspended".to_owned()));
    assert_eq!(get(&fake, "/installation/repositories", &access).await.0, 403);
    fake.suspend_installation(42, false);
    assert_eq!(get(&fake, "/installation/repositories", &access).await.0, 200);
    fake.remove_installation(42);
    assert_eq!(mint(&fake, 42, &proof, json!({})).await.0, 404);
    assert_eq!(get(&fake, "/installation/repositories", &access).await.0, 401);
}

#[tokio::test]
async fn a_proof_that_is_not_in_order_is_refused() {
    use integrations_core::clock::Clock as _;
    let (clock, signer) = (clock(), Signer::new());
    let fake = builder(Dialect::GitHub, &clock)
        .github_app("7", &signer.pem("PUBLIC KEY"))
        .installation(InstallationSpec::new(42, "octo"))
        .start()
        .await;
    let now = clock.now().timestamp();
    let rs256 = json!({"alg": "RS256", "typ": "JWT"});
    let claims =
        |issuer: Value, issued: i64, expires: i64| json!({"iss": issuer, "iat": issued, "exp": expires});
    let good = claims(json!(7), now, now + 600);
    assert_eq!(mint(&fake, 42, &signer.sign(&rs256, &good), json!({})).await.0, 201);
    let unreadable = "A JSON web token could not be decoded";
    let cases = [
        (signer.sign(&rs256, &claims(json!("7"), now, now + 601)), 401, "too far in the future"),
        (signer.sign(&rs256, &claims(json!("7"), now - 700, now)), 401, "'exp'"),
        (signer.sign(&rs256, &claims(json!("7"), now + 1, now + 60)), 401, "'iat'"),
        (signer.sign(&rs256, &claims(json!("8"), now, now + 60)), 404, "Integration not found"),
        (signer.sign(&json!({"alg": "none"}), &good), 401, unreadable),
        (Signer::new().sign(&rs256, &good), 401, unreadable),
        (format!("{}x", signer.sign(&rs256, &good)), 401, unreadable),
        ("nonsense".to_owned(), 401, unreadable),
    ];
    for (proof, status, message) in cases {
        let (got, body) = mint(&fake, 42, &proof, json!({})).await;
        assert!(got == status && text(&body, "message").contains(message), "{got} {body} {message}");
    }
    assert_eq!(fake.tally().mints, 1);
}

#[test]
#[should_panic(expected = "not the private one")]
fn a_private_key_is_not_taken_for_a_public_one() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----";
    drop(FakeOAuth::builder(Dialect::GitHub).github_app("7", pem));
}
