//! Consent, tokens and scopes.

use integrations_testkit::msgraph::FolderSpec;
use url::Url;

use super::*;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://localhost:8123/callback";

fn authorization_url(fake: &FakeGraph, scope: &str, extra: &[(&str, &str)]) -> String {
    let mut url = Url::parse(&format!("{}/common/oauth2/v2.0/authorize", fake.url())).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", fake.client_id())
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("response_type", "code")
        .append_pair("scope", scope)
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

async fn token(fake: &FakeGraph, form: &[(&str, &str)]) -> (u16, Value) {
    let mut form = form.to_vec();
    form.push(("client_id", fake.client_id()));
    form.extend(fake.client_secret().map(|secret| ("client_secret", secret)));
    let url = format!("{}/common/oauth2/v2.0/token", fake.url());
    read(http().post(url).form(&form).send().await.unwrap()).await
}

async fn connect(fake: &FakeGraph, scope: &str, extra: &[(&str, &str)]) -> Value {
    let location = fake.consent(&authorization_url(fake, scope, extra)).await.unwrap();
    let code = parameter(&location, "code").unwrap();
    let grant = ("grant_type", "authorization_code");
    let form = [grant, ("code", code.as_str()), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
    let (status, body) = token(fake, &form).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn call(fake: &FakeGraph, path: &str, access: &str) -> (u16, Value) {
    read(http().get(format!("{}{path}", fake.url())).bearer_auth(access).send().await.unwrap()).await
}

#[tokio::test]
async fn one_token_opens_the_account_and_its_mailbox_until_it_expires() {
    let clock = clock();
    let fake = builder(&clock).token_prefix("EwB.canary-").refresh_token_prefix("1.canary-").start().await;
    let scope = "openid offline_access User.Read Calendars.Read https://graph.microsoft.com/Mail.ReadWrite";
    let body = connect(&fake, scope, &[]).await;
    let access = text(&body, "access_token");
    assert!(access.starts_with("EwB.canary-") && fake.is_live(&access));
    let (_, me) = call(&fake, "/v1.0/me", &access).await;
    assert_eq!((&me["id"], &me["mail"]), (&json!(fake.user_id()), &json!(fake.user())));
    for path in ["/v1.0/me/calendars", "/v1.0/me/mailFolders"] {
        assert_eq!(call(&fake, path, &access).await.0, 200, "{path}");
    }
    let (status, refused) = call(&fake, "/v1.0/me/mailboxSettings", &access).await;
    assert_eq!((status, code(&refused)), (403, "ErrorAccessDenied"));

    clock.advance(std::time::Duration::from_secs(4_322));
    let (status, refused) = call(&fake, "/v1.0/me/calendars", &access).await;
    assert_eq!((status, code(&refused)), (401, "InvalidAuthenticationToken"));
    let refresh_token = text(&body, "refresh_token");
    let (status, body) =
        token(&fake, &[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)]).await;
    assert_eq!((status, fake.refreshes(), fake.tally().refreshes), (200, 1, 1));
    assert_eq!(call(&fake, "/v1.0/me/calendars", &text(&body, "access_token")).await.0, 200);
    assert!(fake.issued_secrets().iter().filter(|secret| secret.contains("canary")).count() >= 4);
    assert!(!format!("{:?} {:?}", fake.requests(), fake).contains("canary"));
}

#[tokio::test]
async fn each_scope_opens_its_part() {
    let fake = builder(&clock()).start().await;
    let event = fake.insert_event("Calendar", json!({"body": {"contentType": "text", "content": "secret"}}));
    let message = fake.insert_message(
        "inbox",
        json!({"body": {"contentType": "text", "content": "secret"}, "attachments": [{"contentBytes": "aGk="}]}),
    );
    let event = format!("/v1.0/me/events/{event}");
    let attachments = format!("/v1.0/me/messages/{message}/attachments");
    let message = format!("/v1.0/me/messages/{message}");
    let paths = ["/v1.0/me/calendars", &event, "/v1.0/me/mailFolders/inbox", &message, &attachments];
    for (scope, expected) in [
        ("Calendars.Read", [200, 200, 403, 403, 403]),
        ("Calendars.ReadBasic", [200, 200, 403, 403, 403]),
        ("https://graph.microsoft.com/Mail.Read", [403, 403, 200, 200, 200]),
        ("Mail.ReadBasic", [403, 403, 200, 200, 403]),
        ("Mail.Send User.Read", [403, 403, 403, 403, 403]),
    ] {
        let access = text(&connect(&fake, scope, &[]).await, "access_token");
        for (path, expected) in paths.iter().zip(expected) {
            let (status, body) = call(&fake, path, &access).await;
            assert_eq!(status, expected, "{scope} {path}");
            if scope.contains("Basic") {
                assert!(!body.to_string().contains("secret"), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn a_claims_challenge_reaches_every_request() {
    let fake = builder(&clock()).start().await;
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1772355600"}}}"#;
    fake.require_claims(Some(claims));
    for path in ["/v1.0/me/calendars", "/v1.0/me/mailFolders/delta"] {
        let challenged = request(&fake, path).send().await.unwrap();
        let challenge = challenged.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert_eq!(challenged.status(), 401);
        assert!(challenge.contains(r#"error="insufficient_claims""#) && challenge.contains("claims=\""));
    }
    let access = text(&connect(&fake, "Calendars.Read", &[("claims", claims)]).await, "access_token");
    assert_eq!(call(&fake, "/v1.0/me/calendars", &access).await.0, 200);
    assert_eq!(fake.authorizations()[0].claims.as_deref(), Some(claims));
    fake.require_claims(None);
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 200);
}

#[tokio::test]
async fn the_user_may_refuse_narrow_and_end_a_grant() {
    let fake = builder(&clock()).folder(FolderSpec::new("Projects")).start().await;
    fake.deny_next_consent();
    let location = fake.consent(&authorization_url(&fake, "Mail.Read", &[])).await.unwrap();
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"));
    fake.grant_only(&["Mail.Read"]);
    let body = connect(&fake, "Mail.Read Calendars.Read offline_access", &[]).await;
    let access = text(&body, "access_token");
    assert_eq!(call(&fake, "/v1.0/me/calendars", &access).await.0, 403);
    fake.grant_all();
    fake.revoke_grant();
    assert_eq!(call(&fake, "/v1.0/me/mailFolders", &access).await.0, 401);
    assert!(!fake.is_live(&access));
}

#[tokio::test]
async fn a_public_client_sends_no_secret() {
    let fake = builder(&clock()).public_client("desktop").start().await;
    assert_eq!((fake.client_id(), fake.client_secret()), ("desktop", None));
    assert!(connect(&fake, "Mail.Read", &[]).await["access_token"].is_string());
}
