//! The way from consent to tokens, in every dialect.

use std::time::Duration;

use integrations_testkit::oauth::Dialect;
use serde_json::Value;

use super::*;

#[tokio::test]
async fn a_code_brings_tokens_that_work_until_they_expire_and_can_be_refreshed() {
    for dialect in Dialect::ALL {
        let clock = clock();
        let fake = builder(dialect, &clock).canary("CANARY").start().await;
        let code = code(&fake, &[]).await;
        let (_, body) = redeem(&fake, &code).await;
        let (access, first) = (text(&body, "access_token"), text(&body, "refresh_token"));
        let seconds = place(dialect).access_seconds;
        assert_eq!(body["expires_in"].as_u64(), Some(seconds), "{body}");
        assert!(works(&fake, &access).await);
        clock.advance(Duration::from_secs(seconds - 1));
        assert!(works(&fake, &access).await);
        clock.advance(Duration::from_secs(1));
        assert!(!works(&fake, &access).await, "{dialect:?}");

        let (status, body) = refresh(&fake, &first).await;
        assert_eq!(status, 200, "{body}");
        assert!(works(&fake, &text(&body, "access_token")).await);
        let tally = fake.tally();
        assert_eq!((tally.codes, tally.refreshes, tally.mints), (1, 1, 0));
        assert_eq!((fake.count("token.code"), fake.count("token.refresh")), (1, 1));
        assert_eq!((fake.count("userinfo"), fake.live_grants()), (4, 1));

        let secrets = fake.issued_secrets();
        for secret in [&code, &access, &first, &text(&body, "access_token")] {
            assert!(secrets.contains(secret), "{dialect:?}");
        }
        assert!(secrets.iter().all(|secret| secret.contains("CANARY")));
        assert!(!format!("{fake:?} {:?} {:?}", fake.requests(), fake.authorizations()).contains("CANARY"));
    }
}

#[tokio::test]
async fn a_code_lives_five_minutes_at_zoom_and_ten_elsewhere() {
    for dialect in Dialect::ALL {
        let clock = clock();
        let fake = builder(dialect, &clock).start().await;
        let life = Duration::from_secs(60 * if dialect == Dialect::Zoom { 5 } else { 10 });
        let (in_time, late) = (code(&fake, &[]).await, code(&fake, &[]).await);
        clock.advance(life - Duration::from_secs(1));
        assert!(redeem(&fake, &in_time).await.1.get("access_token").is_some(), "{dialect:?}");
        clock.advance(Duration::from_secs(1));
        let expected = match dialect {
            Dialect::Slack => (200, "invalid_code"),
            Dialect::GitHub => (200, "bad_verification_code"),
            _ => (400, "invalid_grant"),
        };
        let refused = refused(redeem(&fake, &late).await);
        assert_eq!((refused.0, refused.1.as_str()), expected, "{dialect:?}");
        assert_eq!(fake.tally().codes, 1);
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_the_tokens_it_brought() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        let code = code(&fake, &[]).await;
        let (_, body) = redeem(&fake, &code).await;
        let (access, first) = (text(&body, "access_token"), text(&body, "refresh_token"));
        let again = redeem(&fake, &code).await;
        if dialect == Dialect::Microsoft {
            assert_eq!(again.1["error_codes"], serde_json::json!([54_005]));
        }
        let (_, error) = refused(again);
        assert!(["invalid_grant", "code_already_used", "bad_verification_code"].contains(&error.as_str()));
        assert!(!works(&fake, &access).await);
        refused(refresh(&fake, &first).await);
        assert_eq!((fake.tally().reused_codes, fake.live_grants()), (1, 0));
    }
}

#[tokio::test]
async fn the_redirect_and_the_verifier_have_to_be_those_of_the_request() {
    for dialect in Dialect::ALL {
        let fake = start(dialect).await;
        let grant = ("grant_type", "authorization_code");
        let elsewhere = ("redirect_uri", "https://app.example/callback/");
        let first = code(&fake, &[]).await;
        let form = [grant, ("code", first.as_str()), elsewhere, ("code_verifier", VERIFIER)];
        let (_, error) = refused(token(&fake, &form).await);
        let expected = match dialect {
            Dialect::Google | Dialect::GitHub => "redirect_uri_mismatch",
            Dialect::Slack => "bad_redirect_uri",
            Dialect::Zoom => "invalid_request",
            _ => "invalid_grant",
        };
        assert_eq!(error, expected, "{dialect:?}");
        if dialect == Dialect::Slack {
            continue;
        }
        for wrong in [&[][..], &[("code_verifier", CHALLENGE)]] {
            let second = code(&fake, &[]).await;
            let mut form = vec![grant, ("code", second.as_str()), ("redirect_uri", REDIRECT)];
            form.extend(wrong);
            let (_, error) = refused(token(&fake, &form).await);
            assert!(["invalid_grant", "bad_verification_code"].contains(&error.as_str()), "{error}");
        }
        assert_eq!(fake.tally().codes, 0);
    }
}

#[tokio::test]
async fn the_client_proves_itself_in_the_providers_way_and_in_no_other() {
    for dialect in Dialect::ALL {
        let fake = builder(dialect, &clock()).open_refresh_token("open").start().await;
        let url = format!("{}{}", fake.url(), place(dialect).token);
        let form = [("grant_type", "refresh_token"), ("refresh_token", "open")];
        let by_basic = async |id: &str, secret: &str| {
            let request = http().post(&url).header("accept", "application/json").form(&form);
            answer(request.basic_auth(id, Some(secret)).send().await.unwrap()).await.1
        };
        let in_body = async |id: &str, secret: &str| {
            let mut form = form.to_vec();
            form.extend([("client_id", id), ("client_secret", secret)]);
            answer(http().post(&url).header("accept", "application/json").form(&form).send().await.unwrap())
                .await
                .1
        };
        let taken = |body: &Value| body.get("access_token").is_some();
        let (basic, body) = match dialect {
            Dialect::Zoom => (true, false),
            Dialect::Microsoft | Dialect::GitHub => (false, true),
            _ => (true, true),
        };
        // Wrong ones first: where refresh tokens are spent, only one right one can be taken.
        for wrong in [("the-client", "wrong"), ("other", "the-secret")] {
            assert!(!taken(&by_basic(wrong.0, wrong.1).await), "{dialect:?}");
            assert!(!taken(&in_body(wrong.0, wrong.1).await), "{dialect:?}");
        }
        if !basic {
            assert!(!taken(&by_basic("the-client", "the-secret").await), "{dialect:?}");
        }
        assert_eq!(taken(&in_body("the-client", "the-secret").await), body, "{dialect:?}");
        if !body {
            assert!(taken(&by_basic("the-client", "the-secret").await), "{dialect:?}");
        }
    }
}

#[tokio::test]
async fn a_public_client_has_no_secret_and_must_not_send_one() {
    for dialect in [Dialect::Google, Dialect::Microsoft, Dialect::Zoom] {
        let fake = FakeOAuth::builder(dialect).public_client("the-client").start().await;
        let code = code(&fake, &[]).await;
        let (_, body) = redeem(&fake, &code).await;
        let refresh_token = text(&body, "refresh_token");
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.as_str()),
            ("client_id", "the-client"),
            ("client_secret", "a secret"),
        ];
        let url = format!("{}{}", fake.url(), place(dialect).token);
        refused(answer(http().post(url).form(&form).send().await.unwrap()).await);
        assert_eq!(fake.tally().refreshes, 0);
    }
}
